/* SPDX-License-Identifier: Apache-2.0 */
/* response_store.h: the answers of the Responses API that this server can go on with: the latest ones, with the tokens
 * that each stands for.  Pure. */
#ifndef SIM_RESPONSE_STORE_H
#define SIM_RESPONSE_STORE_H

#include <stdint.h>

#include "base/arena.h"

enum { RESPONSE_STORE_MAX = 4096, RESPONSE_ID_SIZE = 22 };

/* All zero: empty. */
struct response_store {
    struct stored_response {
        uint64_t id; /* 0: none */
        uint64_t tokens;
    } stored[RESPONSE_STORE_MAX];
    unsigned next;
};

/* "resp_0123456789abcdef" */
void response_id_text(uint64_t id, char text[RESPONSE_ID_SIZE]);
/* tokens: of the whole conversation up to here.  The oldest one is forgotten. */
void response_store_add(struct response_store *store, uint64_t id, uint64_t tokens);
/* false: it has none of that name. */
MUST_CHECK bool response_store_find(const struct response_store *store, struct bytes id_text, uint64_t *ret_tokens);

#endif
