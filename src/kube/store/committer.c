/* SPDX-License-Identifier: Apache-2.0 */
/* committer.c: a queue under a mutex, a thread that empties it, and one letter that brings back what became of it.
 *
 * Two threads: the caller's adds and hears, the store's commits.  Everything in the struct is under the lock, but what
 * never changes.  After a failure the thread takes nothing until the caller has heard of it: what was added meanwhile
 * builds on what failed. */
#include "kube/store/committer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

/* Outlives the committer when it is under way at the end. */
struct letter {
    struct mail mail;
    struct committer *committer; /* NULL: it has stopped; the caller's thread's */
};

struct committer {
    struct mailbox *mailbox;
    struct store_disk *disk;
    void (*on_outcome)(void *context, struct commit_outcome *outcome);
    void *context;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t work; /* something for the thread to do */
    struct list waiting;
    struct list durable; /* to be reported */
    struct list failed;  /* the same; not empty: the thread rests */
    int error;           /* of failed */
    bool is_stopping;
    bool is_posted; /* the letter is under way */
    struct letter *letter;
    struct commit_figures figures;
};

/* The thread's own. */
struct batch {
    struct list items;
    struct disk_change *changes;
    unsigned len;
    size_t capacity;
    uint64_t version; /* of the newest */
};

static void move_all(struct list *to, struct list *from)
{
    while (!list_is_empty(from))
        list_push(to, list_pop(from));
}

static bool can_commit(const struct committer *committer)
{
    return !list_is_empty(&committer->waiting) && list_is_empty(&committer->failed);
}

/* Under the lock.  false: there will be nothing more. */
static bool wait_for_work(struct committer *committer)
{
    while (!can_commit(committer)) {
        if (committer->is_stopping)
            return false;
        pthread_cond_wait(&committer->work, &committer->lock);
    }
    return true;
}

/* The disk wants them side by side. */
static void lay_out(struct batch *batch)
{
    batch->len = 0;
    LIST_FOR_EACH (node, &batch->items) {
        if (batch->len == batch->capacity) {
            batch->capacity = batch->capacity > 0 ? batch->capacity * 2 : 64;
            batch->changes = must(realloc(batch->changes, batch->capacity * sizeof(struct disk_change)));
        }
        const struct disk_change *change = &LIST_ENTRY(node, struct commit_item, link)->change;
        batch->changes[batch->len++] = *change;
        batch->version = change->version;
    }
}

static int commit(struct store_disk *disk, struct batch *batch, uint64_t *ret_us)
{
    lay_out(batch);
    uint64_t start_us = clock_now_us();
    int error = disk->ops->commit(disk, batch->changes, batch->len, batch->version);
    *ret_us = clock_now_us() - start_us;
    return error;
}

/* Under the lock. */
static void note(struct committer *committer, struct batch *batch, int error, uint64_t took_us)
{
    struct commit_figures *figures = &committer->figures;
    figures->last_error = error;
    if (error == 0)
        figures->commits++;
    else
        figures->errors++;
    figures->us_sum += took_us;
    if (took_us > figures->us_max)
        figures->us_max = took_us;
    committer->error = error;
    move_all(error == 0 ? &committer->durable : &committer->failed, &batch->items);
    if (committer->is_posted)
        return;
    committer->is_posted = true;
    mailbox_post(committer->mailbox, &committer->letter->mail);
}

static void *run(void *argument)
{
    struct committer *committer = argument;
    pthread_setname_np(pthread_self(), "store");
    struct batch batch = {0};
    list_init(&batch.items);
    pthread_mutex_lock(&committer->lock);
    while (wait_for_work(committer)) {
        move_all(&batch.items, &committer->waiting);
        pthread_mutex_unlock(&committer->lock);
        uint64_t took_us;
        int error = commit(committer->disk, &batch, &took_us);
        pthread_mutex_lock(&committer->lock);
        note(committer, &batch, error, took_us);
    }
    pthread_mutex_unlock(&committer->lock);
    free(batch.changes);
    return NULL;
}

/* Takes what there is to report and, after a failure, lets the thread go on. */
static void report(struct committer *committer)
{
    struct commit_outcome outcome = {0};
    list_init(&outcome.durable);
    list_init(&outcome.failed);
    pthread_mutex_lock(&committer->lock);
    committer->is_posted = false;
    move_all(&outcome.durable, &committer->durable);
    if (!list_is_empty(&committer->failed)) {
        outcome.error = committer->error;
        move_all(&outcome.failed, &committer->failed);
        move_all(&outcome.failed, &committer->waiting);
    }
    pthread_mutex_unlock(&committer->lock);
    if (!list_is_empty(&outcome.durable) || !list_is_empty(&outcome.failed))
        committer->on_outcome(committer->context, &outcome);
}

static void deliver(struct mail *mail)
{
    struct letter *letter = container_of(mail, struct letter, mail);
    if (letter->committer != NULL)
        report(letter->committer);
    else
        free(letter);
}

static struct committer *committer_new(struct reactor *reactor, struct store_disk *disk,
                                       void (*on_outcome)(void *context, struct commit_outcome *outcome), void *context)
{
    struct committer *committer = must(calloc(1, sizeof *committer));
    committer->mailbox = reactor_mailbox(reactor);
    committer->disk = disk;
    committer->on_outcome = on_outcome;
    committer->context = context;
    list_init(&committer->waiting);
    list_init(&committer->durable);
    list_init(&committer->failed);
    committer->letter = must(calloc(1, sizeof *committer->letter));
    *committer->letter = (struct letter){.mail.deliver = deliver, .committer = committer};
    if (pthread_mutex_init(&committer->lock, NULL) != 0 || pthread_cond_init(&committer->work, NULL) != 0)
        abort();
    return committer;
}

/* The letter frees itself when it is still under way. */
static void committer_free(struct committer *committer)
{
    if (committer->is_posted)
        committer->letter->committer = NULL;
    else
        free(committer->letter);
    pthread_cond_destroy(&committer->work);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
}

struct committer *committer_start(struct reactor *reactor, struct store_disk *disk,
                                  void (*on_outcome)(void *context, struct commit_outcome *outcome), void *context)
{
    struct committer *committer = committer_new(reactor, disk, on_outcome, context);
    int error = pthread_create(&committer->thread, NULL, run, committer);
    if (error == 0)
        return committer;
    committer_free(committer);
    errno = error;
    return NULL;
}

void committer_stop(struct committer *committer)
{
    pthread_mutex_lock(&committer->lock);
    committer->is_stopping = true;
    pthread_cond_signal(&committer->work);
    pthread_mutex_unlock(&committer->lock);
    pthread_join(committer->thread, NULL);
    bool is_posted = committer->is_posted;
    report(committer);
    committer->is_posted = is_posted;
    committer_free(committer);
}

void committer_add(struct committer *committer, struct commit_item *item)
{
    pthread_mutex_lock(&committer->lock);
    list_push(&committer->waiting, &item->link);
    pthread_cond_signal(&committer->work);
    pthread_mutex_unlock(&committer->lock);
}

void committer_figures(struct committer *committer, struct commit_figures *ret_figures)
{
    pthread_mutex_lock(&committer->lock);
    *ret_figures = committer->figures;
    pthread_mutex_unlock(&committer->lock);
}
