/* SPDX-License-Identifier: Apache-2.0 */
/* split.h: the two draws: first the pool arm of a rule, then that pool's model arm.  Any thread.
 *
 * Each draw asks in order: a pin; the arm that has the response that is gone on with; with "new conversations only" the
 * arm of the conversation's earlier turns; a key (weighted rendezvous hashing); else an exact share.  What is pinned or
 * remembered counts also at weight 0, while the arm is there and fits the model; what is remembered also needs somebody
 * who still serves it. */
#ifndef ROUTE_SPLIT_H
#define ROUTE_SPLIT_H

#include "route/arm_memory.h"
#include "route/session_key.h"
#include "route/snapshot.h"

enum split_outcome {
    SPLIT_ARM,     /* arm and, when a model rule took the name, target */
    SPLIT_INVALID, /* an arm whose reference is broken drew: 500 */
    SPLIT_NO_ARM   /* no backendRefs, or all weights 0: 500 */
};

struct split_request {
    struct bytes model; /* as requested, "" when the request named none */
    struct session_facts facts;
    const struct arm_memories *memories; /* NULL: nothing is remembered */
    uint64_t now_ms;
};

/* What one draw was decided by. */
struct split_draw {
    enum draw_reason reason;
    bool is_pin_refused;  /* a pin with a wrong token or arm; it was passed over */
    bool is_lost;         /* something remembered was asked for and not found */
    const char *key_name; /* where the key stands; NULL without one */
    struct bytes key;     /* borrowed from the request */
};

struct split_choice {
    enum split_outcome outcome;
    const struct pool_arm *arm;        /* also for SPLIT_INVALID */
    const struct model_rule *model;    /* NULL: the name passes unchanged */
    const struct model_target *target; /* NULL with model */
    struct bytes arm_text;             /* for x-serin-arm: in the arena when it had to be made */
    struct split_draw arm_draw;
    struct split_draw target_draw; /* meaningful with target */
};

/* Model-aware: an InferencePool arm that does not know the model is left out while another one with weight knows it;
 * services and broken references keep their share. */
void route_split(const struct route_rule *rule, const struct split_request *request, struct split_choice *ret_choice);
/* The bits of the arms that may be drawn for the model. */
uint32_t route_eligible_arms(const struct route_rule *rule, struct bytes model);
/* The pool of this arm knows the model: a model rule's name or target, or listed by an endpoint. */
bool pool_arm_knows_model(const struct pool_arm *arm, struct bytes model);

/* What that pool does with the model; NULL: the name passes unchanged, as that of a target does, which asks for itself.
 */
const struct model_rule *pool_arm_model(const struct pool_arm *arm, struct bytes model);

/* The key that holds a session to an endpoint: by the rule's chain, else by the model's; "" without one. */
struct bytes split_endpoint_key(const struct route_rule *rule, const struct model_rule *model,
                                const struct session_facts *facts);

/* One of the two draws. */
struct split_scope {
    const struct split *split;
    uint32_t eligible;                  /* bits of those that fit the model and have weight */
    uint32_t usable;                    /* bits of those that a pin or a memory may name */
    const struct pool_arm *arm;         /* whose model is drawn, or the rule's first one */
    const struct model_target *targets; /* of the model; NULL: a rule's draw */
};
struct split_scope split_scope_of_rule(const struct route_rule *rule, struct bytes model);
struct split_scope split_scope_of_model(const struct pool_arm *arm, const struct model_rule *model);
/* What a draw says without drawing: the index of the arm that takes the request, -1 when only weights decide. */
int split_foresee(const struct split_scope *scope, const struct split_request *request, struct split_draw *ret_draw);

/* What an answer leaves for those who go on with it. */
struct split_reply {
    bool has_hash;
    uint64_t hash;            /* reply_hash_value() */
    struct bytes response_id; /* "": nobody can go on with it */
};
struct split_remembered {
    unsigned added[2], replaced[2]; /* responses, conversations */
};
/* Some rule's memory takes something from the answer to this exchange: then answers must be read for hash and id. */
bool split_wants_reply(const struct route_rule *rule, const struct split_choice *choice, struct bytes path);
/* After an answer: the next turn finds the arms. */
void split_remember(const struct route_rule *rule, const struct split_choice *choice,
                    const struct split_request *request, const struct split_reply *reply,
                    struct split_remembered *ret_remembered);

#endif
