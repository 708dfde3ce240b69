/* SPDX-License-Identifier: Apache-2.0 */
/* answer_scan.h: reads from a model server's answer what measurements need, in one pass, as the bytes arrive: usage,
 * output events, finish reason, errors, id, and (when asked) a hash of the reply.
 *
 * Understands whole JSON and event streams of OpenAI chat completions, completions, responses and embeddings, and of
 * Anthropic messages.  It runs on every relayed event: no tree, no copy of what arrives whole, strings are skipped with
 * SIMD.  It is lenient: an answer is the server's business, and what cannot be read is passed over, not refused.
 * Where members stand twice the last counts. */
#ifndef INFERENCE_PAYLOAD_ANSWER_SCAN_H
#define INFERENCE_PAYLOAD_ANSWER_SCAN_H

#include <stdint.h>

#include "inference/payload/reply_hash.h"
#include "inference/payload/string_skip.h"

enum {
    ANSWER_ID_BYTES = 64,   /* longer ids are cut */
    ANSWER_WORD_BYTES = 40, /* names, types and reasons that are longer are none that is known */
    ANSWER_HEAD_BYTES = 256,
    ANSWER_TAIL_BYTES = 96,
    ANSWER_SHAPE_BYTES = 768,
    ANSWER_SLOTS = 14,
    ANSWER_MAX_DEPTH = 12, /* of containers that are looked into; others nest as they like */
};

/* What the events of a stream have in common, around their text; see answer_template.c. */
struct answer_template {
    /* Of the event being read, in this piece. */
    const char *text;     /* behind the quote that opens its text; NULL: none yet */
    const char *text_end; /* behind the one that closes it */
    bool is_plain;        /* nothing but that text counts in it */
    bool is_silent;       /* nothing counts behind it */
    uint8_t text_use;
    /* Of one before. */
    uint8_t use; /* of its text */
    uint8_t tail_len;
    uint16_t head_len; /* 0: none */
    char head[ANSWER_HEAD_BYTES];
    char tail[ANSWER_TAIL_BYTES];
};

/* What whole answers of one kind have in common, around their values; see answer_shape.c.  Zeroed at first; it may be
 * used for one scan after the other, of one thread. */
struct answer_slot {
    uint16_t before; /* bytes of literals in front of it */
    uint8_t use;
    bool is_string;
};
struct answer_shape {
    bool is_generation;
    uint8_t count;
    uint16_t literal_len;
    uint16_t tail_len; /* 0: there is none */
    struct answer_slot slots[ANSWER_SLOTS];
    char literals[ANSWER_SHAPE_BYTES];
};

struct answer_scan {
    /* Options. */
    bool is_stream;  /* server-sent events */
    bool wants_hash; /* id, reply_hash and tool calls' ids are read */
    /* May be set after init: what a former answer of the same model server left; whole answers are then cheap. */
    struct answer_shape *shape;

    /* Results, right at any moment for what was fed so far. */
    bool has_usage;
    bool has_text;          /* text, thought or refusal that is not empty */
    bool has_tool_call;     /* also of older style: function_call */
    bool has_error;         /* an error object or event */
    bool is_model_missing;  /* the error says that the model (or adapter) is not there */
    bool is_generation;     /* it has the shape of generated text: empty means something */
    bool is_done;           /* a stream said [DONE], message_stop or response.completed */
    uint64_t prompt_tokens; /* of usage; cached ones included */
    uint64_t cached_tokens;
    uint64_t output_tokens;
    uint64_t output_events; /* events that carried output, in streams */
    unsigned finish_len;
    char finish[ANSWER_WORD_BYTES]; /* as the server says, of the first choice; ends in NUL; "" = none */
    unsigned id_len;
    char id[ANSWER_ID_BYTES];
    uint64_t reply_hash; /* after answer_scan_finish(), when asked for */

    /* The automaton; see answer_scan.c. */
    struct answer_trace *trace; /* a shape is being learnt */
    string_skip_fn skip;
    uint64_t number;      /* the digits so far */
    uint64_t base_tokens; /* of usage, without what Anthropic counts apart */
    uint64_t cache_read_tokens, cache_write_tokens;
    uint32_t skip_depth; /* containers that are not looked into */
    uint32_t choice;     /* index of the choice being read */
    uint8_t state;
    uint8_t line;     /* what the present line of a stream is */
    uint8_t line_len; /* bytes of its field name so far */
    uint8_t use;      /* who wants the value being read */
    uint8_t child;    /* what it is, should it be a container */
    uint8_t depth;
    uint8_t token_len; /* above ANSWER_WORD_BYTES: too long */
    uint8_t kind_len;
    uint8_t escape_len;
    bool is_escaped;    /* the next byte of the string belongs to a backslash */
    bool is_number;     /* plain digits so far */
    bool has_output;    /* in this event */
    bool is_thought;    /* the present item is reasoning */
    uint16_t high_half; /* of a surrogate pair */
    uint8_t stack[ANSWER_MAX_DEPTH];
    struct answer_template form;
    char line_name[8];
    char token[ANSWER_ID_BYTES];
    char kind[ANSWER_WORD_BYTES]; /* the event's name, or the "type" at its top */
    char escape[8];
    struct reply_hash hash;
};

void answer_scan_init(struct answer_scan *scan, bool is_stream, bool wants_hash);
/* The next piece of the body.  Returns how many events began to carry output in it (for a whole answer: 0). */
unsigned answer_scan_feed(struct answer_scan *scan, struct bytes piece);
/* The body has ended, in full or not. */
void answer_scan_finish(struct answer_scan *scan);

#endif
