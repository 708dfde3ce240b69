/* SPDX-License-Identifier: Apache-2.0 */
/* target.h: where the weights of a Canary's two arms stand in the object that it targets, and how they are moved.
 *
 * Pure: reads an object's tree, makes the next one.  Three kinds of target have one shape here: a list of arms, each
 * with a name and a weight.  An arm that is absent has share 0.
 *
 * Beside the weights a move leaves its number in an annotation, so that whoever reads the object can tell a weight that
 * the Canary made from one that somebody else wrote. */
#ifndef CONTROL_CANARIES_TARGET_H
#define CONTROL_CANARIES_TARGET_H

#include "kube/api/object.h"

/* "<canary>/<move>/<basis points>/<start of its uid>", one entry for each Canary that moves weights here, with spaces
 * between.  The uid: a Canary of the same name that was there before counted its own moves. */
#define CANARY_MOVE_ANNOTATION "serin.dev/canary-move"

enum { TARGET_PROBLEM_MAX = 256 };

/* What a Canary says about its target, and what it remembers. */
struct target_wish {
    enum kube_kind kind;       /* HTTPRoute, InferenceModel or InferenceModelRewrite */
    const char *canary_object; /* the name of the Canary */
    const char *uid;           /* of the Canary */
    const char *rule;          /* name or index; "" the only one */
    const char *stable;        /* "" the only other arm */
    const char *canary;
    const char *known_stable; /* what stable was found to be before; "" not yet */
};

struct target_view {
    bool is_usable;
    char problem[TARGET_PROBLEM_MAX]; /* why not, as a sentence */
    char stable[254];
    char pool[254];           /* of model arms: the pool that serves them; "" for pool arms */
    char pool_namespace[254]; /* of `pool`, or of the canary's pool */
    bool is_pool;             /* pool arms: the canary is an InferencePool, not a Service */
    size_t rule;              /* in the object's list of rules; 0 where there is none */
    unsigned weight_bp;       /* the canary's share of both */
    uint64_t applied_move;    /* by the annotation; 0: none */
    unsigned applied_bp;      /* what that move made of the share */
    char weights_by[128];     /* manager of the latest write, by managedFields; "" unknown */
};

/* object NULL: the target does not exist. */
void target_read(const struct kube_object *object, const struct target_wish *wish, struct target_view *ret_view);
/* The whole next object with these weights and the number of the move; the caller's to give away.  view must be usable
 * and of this object. */
json_t *target_write(const struct kube_object *object, const struct target_wish *wish, const struct target_view *view,
                     unsigned weight_bp, uint64_t move);
/* Of the lists of arms that an object asks for, for telling whether somebody edited them; 0 for kinds without arms. */
uint64_t target_arms_hash(enum kube_kind kind, const json_t *tree);
/* Puts the lists of arms of `present` into `asked` (same kind) when a Canary has moved its weights; else does nothing.
 */
void target_keep_arms(enum kube_kind kind, json_t *asked, const json_t *present);
/* Whole per cent where they are exact, basis points otherwise. */
void target_weights(unsigned weight_bp, unsigned *ret_stable, unsigned *ret_canary);

#endif
