/* SPDX-License-Identifier: Apache-2.0 */
/* committer.h: the store's thread: takes all changes that wait, commits them as one transaction, and reports by mail.
 *
 * There is no delay for collecting: while one transaction is on its way to the disk, the next one gathers. */
#ifndef KUBE_STORE_COMMITTER_H
#define KUBE_STORE_COMMITTER_H

#include "base/list.h"
#include "kube/store/disk.h"
#include "net/reactor.h"

struct committer;

/* A change that waits, embedded by its owner; not touched by others until it comes back. */
struct commit_item {
    struct list link;
    struct disk_change change; /* what it points to stays until then, too */
};

/* Lists of commit_item, in the order in which they were added; the durable ones are older than the failed ones. */
struct commit_outcome {
    struct list durable;
    struct list failed;
    int error; /* of the failed; 0 when there are none */
};

struct commit_figures {
    uint64_t commits, errors;
    uint64_t us_sum, us_max;
    int last_error;
};

/* on_outcome: on the reactor's thread, in a turn of its own or from committer_stop(); takes the items out of the lists.
 * The disk is borrowed.  NULL with errno when there can be no thread. */
struct committer *committer_start(struct reactor *reactor, struct store_disk *disk,
                                  void (*on_outcome)(void *context, struct commit_outcome *outcome), void *context);
/* Commits what waits (unless the disk refuses), reports it, and ends the thread.  Not from inside on_outcome. */
void committer_stop(struct committer *committer);

/* When a transaction fails, everything that was added after it and is not durable by the time of the report fails with
 * it; what is added from inside the report starts anew. */
void committer_add(struct committer *committer, struct commit_item *item);
void committer_figures(struct committer *committer, struct commit_figures *ret_figures);

#endif
