/* SPDX-License-Identifier: Apache-2.0 */
/* stickiness.h: what keeps requests that belong together at one arm: which key counts, what is remembered, who may ask
 * for an arm by name.  Compiled per rule of a route and per model; plain data in the snapshot. */
#ifndef ROUTE_STICKINESS_H
#define ROUTE_STICKINESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "canary/observation.h"

/* Requests with this header, "<arm> <token>", go to that arm, also at weight 0. */
struct pin_rule {
    struct bytes header;      /* "": no pins */
    struct bytes token;       /* "": nobody is let in */
    const char *problem;      /* why there is no token; NULL: there is */
    uint64_t arms[ARM_ROLES]; /* hashes of the arms' ids; 0: there is no such arm */
};

struct stickiness {
    const char *origin;          /* whose wish this is: "Canary default/x", ... */
    struct bytes salt;           /* of keyed draws */
    struct bytes header, cookie; /* the operator's own, first in the chain; "": none */
    bool default_keys;           /* session headers, session members of the body, previous responses */
    bool user;                   /* the body's user or safety_identifier */
    bool api_key;                /* Authorization or x-api-key, hashed */
    bool derived_key;            /* hash of the first user messages */
    bool is_default_chain;       /* of the above only default_keys: the two draws of a request share its key */
    bool new_conversations_only; /* a running conversation keeps its arm whatever the weights do */
    bool is_aborted;             /* the Canary was: no pins, and nothing holds on to an arm without weight */
    struct pin_rule pin;
};

#endif
