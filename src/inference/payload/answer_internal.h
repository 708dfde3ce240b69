/* SPDX-License-Identifier: Apache-2.0 */
/* answer_internal.h: what the files of answer_scan share: answer_scan.c (lines of a stream), answer_json.c (structure),
 * answer_member.c (what members mean), answer_text.c (escapes of text that is hashed), answer_template.c (events that
 * are like the one before) and answer_shape.c (whole answers that are like a former one).  Private to the module. */
#ifndef INFERENCE_PAYLOAD_ANSWER_INTERNAL_H
#define INFERENCE_PAYLOAD_ANSWER_INTERNAL_H

#include "inference/payload/answer_scan.h"

enum answer_state {
    ANSWER_START, /* before the document */
    ANSWER_ITEM,  /* in a container, before a member, an element, a comma or the end */
    ANSWER_KEY,   /* in a member's name */
    ANSWER_COLON,
    ANSWER_VALUE,
    ANSWER_WORD,   /* in a string that is read */
    ANSWER_TEXT,   /* in a string of output */
    ANSWER_STRING, /* in a string that nobody wants */
    ANSWER_ATOM,   /* in a number, true, false or null */
    ANSWER_SKIP,   /* in a container that nobody wants */
    ANSWER_SKIP_STRING,
    ANSWER_END, /* of the document, or of its sense */
};

/* A container that is looked into. */
enum answer_node {
    NODE_SKIP, /* it is not */
    NODE_ROOT, /* also "message" of message_start and "response" of response.* events */
    NODE_CHOICE,
    NODE_MESSAGE, /* "message" or "delta" of a choice */
    NODE_TOOL_CALL,
    NODE_BLOCK, /* a part of content */
    NODE_DELTA, /* of content_block_delta and message_delta */
    NODE_ITEM,  /* of a response's output */
    NODE_PART,  /* of its content */
    NODE_USAGE,
    NODE_DETAILS,
    NODE_ERROR,
    NODE_INCOMPLETE,
    NODE_AUDIO,
    NODE_COUNT
};
enum { ANSWER_IN_ARRAY = 0x80 }; /* on the stack: an array whose objects are such nodes */

/* Who wants a value. */
enum answer_use {
    USE_NONE,
    /* Output. */
    USE_TEXT,
    USE_THOUGHT, /* shown or not, it is no part of the reply that the next request repeats */
    USE_ARGUMENTS,
    USE_DELTA, /* one of the three, by the event's name */
    /* Words. */
    USE_ID,
    USE_FINISH,
    USE_STATUS,
    USE_KIND,
    USE_OBJECT,
    USE_BLOCK_KIND,
    USE_ITEM_KIND,
    USE_TOOL_ID,
    USE_ERROR,
    USE_ERROR_KIND,
    /* Numbers. */
    USE_INDEX,
    USE_PROMPT_TOKENS,
    USE_OUTPUT_TOKENS,
    USE_CACHED_TOKENS,
    USE_CACHE_READ_TOKENS,
    USE_CACHE_WRITE_TOKENS,
};

static inline bool answer_use_is_output(unsigned use)
{
    return use >= USE_TEXT && use <= USE_DELTA;
}

static inline bool answer_use_is_word(unsigned use)
{
    return use >= USE_ID && use <= USE_ERROR_KIND;
}

/* answer_json.c */
/* A new document begins. */
void answer_json_reset(struct answer_scan *scan);
void answer_json_feed(struct answer_scan *scan, const char *at, const char *end);

/* answer_member.c */
/* A name's place among 64, by length and first letter. */
#define ANSWER_NAME_BIT(len, first) (1ull << (((len)*4 + (first)) & 63))

/* Whether a member with such a name may mean something there: a filter before answer_take_key(). */
static inline bool answer_may_want(unsigned node, struct bytes name)
{
    extern const uint64_t answer_names[NODE_COUNT];
    return (answer_names[node] & ANSWER_NAME_BIT(name.len, (unsigned char)name.data[0])) != 0;
}
/* The member's name: sets use and child for its value; whether there is any. */
bool answer_take_key(struct answer_scan *scan, struct bytes name);
void answer_take_word(struct answer_scan *scan, struct bytes word);
void answer_take_number(struct answer_scan *scan, uint64_t number);
/* The event's name, or the "type" at the top of its data. */
void answer_take_kind(struct answer_scan *scan, struct bytes kind);
/* A container of this kind opens. */
void answer_enter(struct answer_scan *scan, unsigned node, bool is_array);
/* A string of output begins, behind its quote: settles what it is. */
void answer_begin_text(struct answer_scan *scan, const char *at);
/* It is not empty. */
void answer_note_output(struct answer_scan *scan);

/* answer_template.c */
/* An event begins here, with its data. */
void answer_template_begin(struct answer_scan *scan);
/* It ends, behind its blank line. */
void answer_template_keep(struct answer_scan *scan, const char *event, const char *end);
/* Where an event begins: when it is whole and known but for its text, takes that and returns its end; else NULL. */
const char *answer_template_match(struct answer_scan *scan, const char *at, const char *end);

/* answer_shape.c */
/* The values of a whole answer, as they are read. */
struct answer_trace {
    bool is_simple;
    unsigned count;
    const char *values[ANSWER_SLOTS];
    uint8_t uses[ANSWER_SLOTS];
};
void answer_trace_enter(struct answer_trace *trace, unsigned node);
void answer_trace_value(struct answer_trace *trace, const char *value, unsigned use);
/* The whole answer was read. */
void answer_shape_keep(struct answer_scan *scan, const struct answer_trace *trace, const char *at, const char *end);
/* Before anything was read: true when it has the shape, and then all is read. */
bool answer_shape_match(struct answer_scan *scan, const char *at, const char *end);

/* answer_text.c */
/* The next bytes of a text as it stands in JSON; they go into the hash decoded. */
void answer_hash_text(struct answer_scan *scan, struct bytes raw);
/* at: behind its closing quote. */
void answer_end_text(struct answer_scan *scan, const char *at);

#endif
