/* SPDX-License-Identifier: Apache-2.0 */
/* store.h: every object of the API server: in memory for reading, on disk before it is acknowledged.
 *
 * One thread (control) calls everything here; a thread of the store's own commits to disk, all that waits in one
 * transaction (group commit).  Two states are kept of each object: its *head*, which later writes build on, and its
 * *durable* version, which readers, lists and watches are shown.  A write moves the head at once and the durable
 * version when the disk has it.  When the disk refuses, every write that is not durable yet fails, and heads fall back:
 * what nobody was told never was.
 *
 * resourceVersion is one counter for all objects, raised by every write, kept over restarts. */
#ifndef KUBE_STORE_STORE_H
#define KUBE_STORE_STORE_H

#include "kube/api/object.h"
#include "kube/store/disk.h"
#include "net/reactor.h"

struct store;

/* A version of an object; immutable, counted (by one thread: no atomics). */
struct stored {
    struct kube_object *object;
    uint64_t version; /* resourceVersion */
    /* The object's JSON without apiVersion and kind, and without the opening brace: `"metadata":{...},"spec":{...}}`.
     * Whoever answers puts `{"apiVersion":"...","kind":"...",` before it, in the version that was asked for. */
    struct bytes text;
    unsigned users;
};
struct stored *stored_take(const struct stored *stored);
void stored_give_back(struct stored *stored);

struct store_limits {
    unsigned log_events;     /* changes that a watch can resume over; default 4096 */
    size_t log_bytes;        /* of text in them, which take four times as much memory; default 4 MiB */
    uint64_t log_ms;         /* age of the oldest of them; default 5 minutes */
    size_t max_objects;      /* beyond, creations fail with -ENOSPC; default 100000 */
    unsigned pending_writes; /* not yet durable; beyond, writes fail with -EBUSY; default 10000 */
};
extern const struct store_limits store_limits_default;

/* A write on its way to the disk, embedded by whoever waits for it. */
struct store_write {
    /* On the store's thread of callers, never from inside the call that wrote: 0 once it is durable; -ENOSPC the disk
     * is full, -EIO it failed: the write never was. */
    void (*on_done)(struct store_write *write, int error);
    struct list link; /* the store's, of barriers */
};

enum store_event_type { STORE_ADDED, STORE_MODIFIED, STORE_DELETED };

/* A durable change. */
struct store_event {
    uint64_t version;
    enum store_event_type type;
    const struct stored *now;    /* DELETED: the last state under the deletion's version */
    const struct stored *before; /* NULL for ADDED */
    uint64_t at_ms;              /* when it became durable, by the reactor's clock */
};

/* Told once per batch that became durable, after all of its events can be read.  May unwatch itself or others. */
struct store_watcher {
    struct list link;
    void (*on_events)(struct store_watcher *watcher);
};

/* Loads what the disk holds (blocking: before traffic).  Takes over the disk, also on failure.  Objects that no longer
 * decode are kept on disk, left out and logged.  limits: NULL for the defaults.  NULL with a sentence in error: not
 * readable. */
struct store *store_open(struct reactor *reactor, struct store_disk *disk, const struct store_limits *limits,
                         char error[300]);
/* Commits what waits, ends the thread, closes the disk.  on_done of what was pending comes from inside (a write from
 * there is refused: -EBUSY).  Before the reactor is freed, and not from inside a callback of the store.  Accepts
 * NULL. */
void store_close(struct store *store);

/* The state that a write must build on; borrowed until the next write.  NULL: there is none. */
const struct stored *store_head(const struct store *store, enum kube_kind kind, const char *namespace_,
                                const char *name);
/* The durable state; borrowed until the reactor's turn ends (take it to keep it). */
const struct stored *store_get(const struct store *store, enum kube_kind kind, const char *namespace_,
                               const char *name);
/* Durable objects of a kind in order of namespace, then name.  Starts after (after_namespace, after_name), both "" for
 * the first; namespace_ "" walks all namespaces.  NULL at the end.  A cursor does not survive its turn, nor the
 * creation of an object of its kind (deletions and changes it does). */
struct store_cursor {
    const char *namespace_;
    size_t position;
};
struct store_cursor store_cursor_at(const struct store *store, enum kube_kind kind, const char *namespace_,
                                    const char *after_namespace, const char *after_name);
const struct stored *store_next(const struct store *store, enum kube_kind kind, struct store_cursor *cursor);
/* The same walk over heads, for controllers, whose own writes of this turn must not be missing. */
const struct stored *store_next_head(const struct store *store, enum kube_kind kind, struct store_cursor *cursor);
size_t store_count(const struct store *store, enum kube_kind kind);

/* The newest durable version: of a list, and where a watch of it starts. */
uint64_t store_version(const struct store *store);

/* Makes object the new head (it must fit the present one: the caller looked at store_head() in this turn).  Gives it
 * the next version, written into metadata.resourceVersion of its tree.  Takes over the caller's count of object, also
 * on failure.  write may be NULL.  0; -ENOSPC, -EBUSY when a limit is reached (nothing happened then).
 * ret_stored (may be NULL): the new head, counted for the caller. */
int store_put(struct store *store, struct kube_object *object, struct store_write *write, struct stored **ret_stored);
/* Removes the head.  ret_stored: its last state under the deletion's version.  0; -ENOENT when there is none, -EBUSY as
 * above. */
int store_delete(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                 struct store_write *write, struct stored **ret_stored);
/* For a writer that found nothing to do: what it saw in a head may not be on the disk yet.  True: on_done comes when
 * all that is pending now is durable (or failed); false: everything is durable. */
bool store_barrier(struct store *store, struct store_write *write);
/* The writer will not be there for on_done. */
void store_write_forget(struct store *store, struct store_write *write);

/* Every durable change after `version` is still in the log. */
bool store_can_resume(const struct store *store, uint64_t version);
/* The first durable change after `version`; NULL when there is none yet.  The caller asked store_can_resume().
 * Borrowed until the turn ends. */
const struct store_event *store_event_after(const struct store *store, uint64_t version);
void store_watch(struct store *store, struct store_watcher *watcher);
void store_unwatch(struct store_watcher *watcher);

/* For /metrics. */
struct store_figures {
    uint64_t commits, commit_errors, writes;
    uint64_t commit_us_sum, commit_us_max; /* time of a transaction, fsync included */
    uint64_t disk_bytes;
    size_t objects, log_events, log_bytes, pending;
    int last_error; /* of the newest transaction; 0 */
};
void store_figures(const struct store *store, struct store_figures *ret_figures);

#endif
