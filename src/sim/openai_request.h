/* SPDX-License-Identifier: Apache-2.0 */
/* openai_request.h: what a request for a completion, a chat completion or a response asks for.  Pure; everything is
 * copied into the arena. */
#ifndef SIM_OPENAI_REQUEST_H
#define SIM_OPENAI_REQUEST_H

#include <stdint.h>

#include "base/arena.h"

#define OPENAI_MAX_STOPS   16
#define OPENAI_MAX_CHOICES 1024 /* prompts times n */

#define OPENAI_BLOCK_BYTES 64 /* 16 tokens */

struct openai_prompt {
    uint64_t tokens;
    uint64_t hash; /* of what was said, for the choice of words */
    /* Chained hashes of its whole blocks, for the engine's prefix cache. */
    uint64_t *blocks;
    unsigned block_count, block_capacity;
    uint64_t chain;
    char partial[OPENAI_BLOCK_BYTES];
    unsigned partial_len;
};

enum openai_kind { OPENAI_TEXT, OPENAI_CHAT, OPENAI_RESPONSE };

struct openai_request {
    enum openai_kind kind;
    struct bytes model; /* "": none named */
    bool stream;
    bool include_usage;
    bool ignore_eos;
    bool has_max_tokens;
    bool has_seed;
    unsigned n;
    uint64_t max_tokens;
    uint64_t min_tokens;
    uint64_t seed;
    struct bytes stops[OPENAI_MAX_STOPS];
    unsigned stop_count;
    struct openai_prompt *prompts;
    unsigned prompt_count;
    struct bytes previous; /* of a response: the id of the one that it goes on with; "" none */
    bool is_stored;        /* of a response: others may go on with it */
};

/* A member that is wrong: its name (a constant) and a sentence. */
struct openai_problem {
    const char *param; /* NULL: the body as a whole */
    char message[240];
};

/* false: *ret_problem says what is wrong. */
MUST_CHECK bool openai_request_parse(struct bytes body, enum openai_kind kind, struct arena *arena,
                                     struct openai_request *ret_request, struct openai_problem *ret_problem);

#endif
