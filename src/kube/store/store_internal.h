/* SPDX-License-Identifier: Apache-2.0 */
/* store_internal.h: the store's state, shared by its files (store.c, store_read.c, store_write.c). */
#ifndef KUBE_STORE_STORE_INTERNAL_H
#define KUBE_STORE_STORE_INTERNAL_H

#include "base/log.h"
#include "kube/store/committer.h"
#include "kube/store/entries.h"
#include "kube/store/store.h"
#include "kube/store/watch_log.h"

enum { KIND_NAME_SIZE = 96 };

struct store {
    struct reactor *reactor;
    struct store_disk *disk;
    struct committer *committer; /* NULL while it is loaded and once it is closed */
    struct store_limits limits;
    struct entries kinds[KUBE_KIND_COUNT];
    size_t heads; /* entries that have one */

    uint64_t loaded_version;  /* the newest that the disk knew */
    uint64_t start_version;   /* of the loaded state; not older */
    uint64_t head_version;    /* the last one given */
    uint64_t durable_version; /* the newest that readers see */

    struct watch_log log;
    struct list watchers;
    struct list pending; /* of changes, oldest first, until their writer was told */
    size_t pending_len;  /* those that are neither durable nor failed */
    struct list spent;   /* failed changes; what they made may be looked at until the turn ends */
    struct reactor_reclaim turn_end;
    uint64_t writes;
    bool is_failing;
    struct log_limit failing_limit;
    char kind_names[KUBE_KIND_COUNT][KIND_NAME_SIZE]; /* as the disk calls them */
};

/* Makes stored (NULL: nothing) what the next write builds on. */
void store_set_head(struct store *store, struct entry *entry, const struct stored *stored);
/* What the committer calls: context is the store. */
void store_take_outcome(void *context, struct commit_outcome *outcome);
/* Frees what only lived on for borrowers of the turn. */
void store_end_turn(struct store *store);
void store_tell_watchers(struct store *store);

#endif
