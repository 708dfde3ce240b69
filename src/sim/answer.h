/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h: the JSON of OpenAI answers, whole or as server-sent events, put together from ready pieces: this is the hot
 * path of a load test.  Pure. */
#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

struct answer {
    bool is_chat;
    bool include_usage;
    struct bytes event_head; /* of every event, up to the index of its choice */
    struct bytes whole_head; /* of the whole answer, up to its choices */
};

struct answer_usage {
    uint64_t prompt_tokens;
    uint64_t completion_tokens;
    bool has_cached_tokens; /* the engine has a prefix cache */
    uint64_t cached_tokens; /* of the prompt */
};

/* model_json: the name with quotes. */
void answer_init(struct answer *answer, struct arena *arena, bool is_chat, uint64_t id, uint64_t created_s,
                 struct bytes model_json);

/* Events of a stream. */
void answer_role_event(const struct answer *answer, struct buffer *out, unsigned index);
void answer_token_event(const struct answer *answer, struct buffer *out, unsigned index, struct bytes text_json);
void answer_last_event(const struct answer *answer, struct buffer *out, unsigned index, const char *finish_reason);
void answer_usage_event(const struct answer *answer, struct buffer *out, struct answer_usage usage);
#define ANSWER_DONE_EVENT BYTES("data: [DONE]\n\n")

/* Parts of a whole answer: begin, each choice (its text is appended between), end. */
void answer_begin(const struct answer *answer, struct buffer *out);
void answer_begin_choice(const struct answer *answer, struct buffer *out, unsigned index);
void answer_end_choice(const struct answer *answer, struct buffer *out, const char *finish_reason);
void answer_end(struct buffer *out, struct answer_usage usage);

#endif
