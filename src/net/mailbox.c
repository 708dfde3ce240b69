/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.c: a list under a mutex and an eventfd that is readable while mail may wait.
 *
 * Any thread posts; one thread (the reactor's) delivers and frees.  The eventfd is written under the mutex, so that a
 * poster has finished with the mailbox before its mail can be seen: the mail may be the one that ends the reactor. */
#include "net/mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
    pthread_mutex_t lock;
    struct list waiting; /* under lock */
    int fd;
};

struct mailbox *mailbox_new(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
    if (mailbox == NULL || pthread_mutex_init(&mailbox->lock, NULL) != 0)
        abort();
    list_init(&mailbox->waiting);
    mailbox->fd = fd;
    return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

void mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
    pthread_mutex_lock(&mailbox->lock);
    bool was_empty = list_is_empty(&mailbox->waiting);
    list_push(&mailbox->waiting, &mail->link);
    if (was_empty)
        eventfd_write(mailbox->fd, 1); /* fails only at 2^64 - 1 unread, when the receiver is awake anyway */
    pthread_mutex_unlock(&mailbox->lock);
}

/* Cleared before the list is taken, under the same lock: mail that comes later finds an empty list and wakes again. */
static void take_all(struct mailbox *mailbox, struct list *ret_mail)
{
    list_init(ret_mail);
    pthread_mutex_lock(&mailbox->lock);
    eventfd_t ignored;
    eventfd_read(mailbox->fd, &ignored);
    while (!list_is_empty(&mailbox->waiting))
        list_push(ret_mail, list_pop(&mailbox->waiting));
    pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_deliver_all(struct mailbox *mailbox)
{
    struct list mail;
    for (take_all(mailbox, &mail); !list_is_empty(&mail);) {
        struct mail *next = LIST_ENTRY(list_pop(&mail), struct mail, link);
        next->deliver(next);
    }
}
