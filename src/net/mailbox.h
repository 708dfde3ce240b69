/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.h: messages from any thread to one reactor (a mutexed list and an eventfd).  Mail is delivered in order, on
 * the receiving thread; whoever posts gives the message away. */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include "base/list.h"

struct mailbox;

struct mail {
    struct list link;
    void (*deliver)(struct mail *mail); /* on the receiver's thread; frees or reuses the mail */
};

/* Wakes the receiver when the box was empty.  Mail to a stopped reactor is delivered when the reactor is freed. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);

/* For the reactor only. */
struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *mailbox);
int mailbox_fd(const struct mailbox *mailbox);
void mailbox_deliver_all(struct mailbox *mailbox);

#endif
