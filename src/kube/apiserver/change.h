/* SPDX-License-Identifier: Apache-2.0 */
/* change.h: one write of one object, with the rules that every Kubernetes object obeys: metadata that the server sets,
 * generation, the status apart from the rest, optimistic concurrency, finalizers, validation.
 *
 * HTTP requests and our own controllers write through here alike.  All or nothing: a failed change leaves no trace. The
 * new state is the store's head at once; the change's writer hears when it is durable.  Control thread. */
#ifndef KUBE_APISERVER_CHANGE_H
#define KUBE_APISERVER_CHANGE_H

#include "kube/apiserver/failure.h"
#include "kube/store/store.h"

/* The finalizers of DELETE with propagationPolicy, for the garbage collector (control/workloads). */
#define FINALIZER_FOREGROUND "foregroundDeletion"
#define FINALIZER_ORPHAN     "orphan"

enum change_part { CHANGE_MAIN, CHANGE_STATUS };
/* What becomes of fields that the kind does not have (gateway kinds; built-in kinds keep everything). */
enum field_validation {
    FIELDS_IGNORE, /* dropped in silence */
    FIELDS_WARN,   /* dropped, and told in warnings */
    FIELDS_STRICT  /* refused */
};

struct change {
    /* In: */
    struct store *store;
    struct arena *arena; /* for failure, warnings and scratch */
    enum change_part part;
    enum field_validation validation;
    bool is_dry_run;
    const char *manager;     /* managedFields manager of this writer; NULL: the tree's list is right (our own
                              * controllers, which keep none; apply_patch(), which made it) */
    const char *api_version; /* that the writer speaks, for managedFields; NULL: the kind's */
    uint64_t now_wall_ms;
    struct store_write *write; /* NULL: nobody waits */
    /* Out: */
    struct failure failure; /* is_set: refused */
    const char **warnings;  /* in the arena */
    unsigned warning_count;
    bool is_unchanged;       /* nothing was written (write->on_done does not come) */
    bool is_gone;            /* this change removed the object (delete, or the last finalizer went) */
    struct stored *stored;   /* the state after it (also when unchanged); counted; NULL for a dry run */
    struct kube_object *dry; /* of a dry run: what would be stored; counted */
};

/* Zeroes change and sets what every caller gives. */
void change_init(struct change *change, struct store *store, struct arena *arena, uint64_t now_wall_ms);
/* Gives back stored and dry. */
void change_deinit(struct change *change);

/* A new object.  Takes over tree (it becomes the object; changed in place).  kind and namespace must already be the
 * ones of the place it is made at; generateName is honoured.  False: change->failure. */
bool change_create(struct change *change, enum kube_kind kind, json_t *tree);
/* The whole new state of an existing object (CHANGE_STATUS: only its status counts).  A resourceVersion or uid in tree
 * that is not the present one is a Conflict.  Takes over tree. */
bool change_update(struct change *change, enum kube_kind kind, const char *namespace_, const char *name, json_t *tree);

struct deletion {
    const char *uid;              /* precondition; NULL none */
    const char *resource_version; /* precondition; NULL none */
    const char *propagation;      /* "Background" (NULL), "Foreground", "Orphan" */
    int64_t grace_s;              /* -1: not given.  For Pods that run on this node; 0: at once */
};
/* Marks (deletionTimestamp) or removes: removes at once when nothing holds the object: no finalizer, no Namespace with
 * finalizers, no Pod that was given to a node and has grace time left. */
bool change_delete(struct change *change, enum kube_kind kind, const char *namespace_, const char *name,
                   const struct deletion *deletion);

/* For controllers: one call, failures are logged under the object's name.  NULL when refused; counted otherwise. */
struct stored *object_create(struct store *store, enum kube_kind kind, json_t *tree, uint64_t now_wall_ms);
struct stored *object_update(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                             json_t *tree, uint64_t now_wall_ms);
/* Takes over status.  True when it differed and is being written. */
bool object_set_status(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                       json_t *status, uint64_t now_wall_ms);
/* Graceful as change_delete(); grace_s 0 removes a pod for good. */
bool object_delete(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                   const char *propagation, int64_t grace_s, uint64_t now_wall_ms);

#endif
