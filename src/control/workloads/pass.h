/* SPDX-License-Identifier: Apache-2.0 */
/* pass.h: one look of the controllers at the store: what they read, when they want to look again.
 *
 * A pass reads heads, so that a controller sees what the one before it has written in this turn.  What it read stays
 * valid until the pass ends, whatever is written meanwhile.  Controllers are functions of a pass: they keep nothing,
 * and a pass that finds nothing to change writes nothing.  Control thread. */
#ifndef CONTROL_WORKLOADS_PASS_H
#define CONTROL_WORKLOADS_PASS_H

#include "kube/apiserver/change.h"
#include "kube/apiserver/event_recorder.h"

enum { PASS_RETRY_MS = 5000 };

struct pass {
    struct store *store;
    struct event_recorder *recorder; /* NULL: nobody listens */
    struct arena *arena;
    uint64_t now_wall_ms;
    uint64_t wake_wall_ms; /* something is due then, though no object may change; UINT64_MAX: never */
    unsigned writes;       /* made so far */
    struct heads *taken;   /* to be given back */
};

/* Objects of one kind, in order of namespace and name. */
struct heads {
    struct stored **items;
    unsigned len;
    struct heads *next;
};

void pass_init(struct pass *pass, struct store *store, struct event_recorder *recorder, uint64_t now_wall_ms);
void pass_deinit(struct pass *pass);
/* namespace_ "": all. */
const struct heads *pass_heads(struct pass *pass, enum kube_kind kind, const char *namespace_);
/* The present head, kept until the pass ends; NULL when there is none or its uid is not this one (NULL: any). */
const struct stored *pass_head(struct pass *pass, enum kube_kind kind, const char *namespace_, const char *name,
                               const char *uid);

void pass_wake_at(struct pass *pass, uint64_t wall_ms);
/* The writes of a pass: as object_...() of change.h; one that is refused makes the pass wake again soon. */
const struct stored *pass_create(struct pass *pass, enum kube_kind kind, json_t *tree);
const struct stored *pass_update(struct pass *pass, const struct kube_object *object, json_t *tree);
bool pass_set_status(struct pass *pass, const struct kube_object *object, json_t *status);
bool pass_delete(struct pass *pass, const struct kube_object *object, const char *propagation, int64_t grace_s);

/* Objects of one kind by the uid of their controller (the owner reference that says so). */
struct owned_index {
    struct owned {
        const char *uid;
        const struct stored *stored;
    } * items; /* sorted by uid; equal ones keep their order */
    unsigned len;
};
struct owned_list {
    const struct owned *items;
    unsigned len;
};
void owned_index_init(struct owned_index *index, struct pass *pass, enum kube_kind kind);
struct owned_list owned_by(const struct owned_index *index, const char *uid);

#endif
