/* SPDX-License-Identifier: Apache-2.0 */
/* completion_internal.h: a completion in the making, shared by its life (completion.c) and its words
 * (completion_write.c). */
#ifndef SIM_COMPLETION_INTERNAL_H
#define SIM_COMPLETION_INTERNAL_H

#include "sim/answer.h"
#include "sim/completion.h"
#include "sim/response.h"

struct choice {
    struct completion *completion;
    struct sequence sequence;
    unsigned index;
    uint64_t seed;
    size_t last_len; /* bytes of the last token, when a stop string cuts it; SIZE_MAX: all */
    const char *finish_reason;
    uint64_t seen; /* tokens that the metrics know */
    uint64_t seen_us;
    uint64_t sent; /* tokens that became events */
    bool is_role_sent;
    bool is_ended; /* its last event was written */
};

struct completion {
    struct sim *sim;
    struct exchange *exchange;
    struct completion **place;
    struct model *model;
    struct openai_request request;
    struct answer answer;
    struct response response; /* instead, of a response */
    struct answer_usage usage;
    uint64_t log_id;
    struct choice *choices;
    unsigned choice_count;
    unsigned unfinished; /* choices that the engine still has */
    unsigned ended;      /* choices whose last event was written */
    uint64_t events_sent;
    uint64_t body_bytes_sent;
    bool is_responding;
    bool is_dying;
    struct wheel_timer death;
    struct list link;
};

/* id: drawn. */
void completion_init_answer(struct completion *completion, uint64_t id, uint64_t now_s);

/* Events of a stream: before a choice's text, of each token, behind the text; and behind all choices. */
void completion_write_first(struct choice *choice, struct buffer *out);
void completion_write_token(struct choice *choice, struct buffer *out, uint64_t index);
void completion_write_last(const struct choice *choice, struct buffer *out);
void completion_write_end(struct completion *completion, struct buffer *out);

/* The whole answer at once. */
void completion_write_whole(struct completion *completion, struct buffer *out);

#endif
