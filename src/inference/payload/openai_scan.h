/* SPDX-License-Identifier: Apache-2.0 */
/* openai_scan.h: reads from an OpenAI-style request body only what routing needs, in one pass, as the bytes arrive.
 *
 * No tree is built and no byte is looked at twice: strings are skipped with AVX2 (or SSE2, or plain C, chosen at run
 * time), nesting is a bit stack.  Only top-level members count; key names may be escaped.  A second top-level "model"
 * is an error, because servers disagree on which of the two counts. */
#ifndef INFERENCE_PAYLOAD_OPENAI_SCAN_H
#define INFERENCE_PAYLOAD_OPENAI_SCAN_H

#include <stdint.h>

#include "base/bytes.h"

#define SCAN_MODEL_BYTES 256 /* InferenceModel.spec.modelName: at most 256 */
#define SCAN_KEY_BYTES   256 /* longer session keys are cut: still a good hash */
#define SCAN_MAX_DEPTH   512

/* A value's place in the body: offset from its first byte, length with quotes and brackets. */
struct scan_span {
    uint64_t offset;
    uint64_t len; /* 0 = absent, or not ended yet */
};

/* Body members that may carry a session key; order = precedence of the key chain, the last two on demand only. */
#define SCAN_SESSION_KEYS(X)                                                                                           \
    X(PROMPT_CACHE_KEY, "prompt_cache_key")                                                                            \
    X(CONVERSATION, "conversation") /* a string, or an object with "id" */                                             \
    X(PREVIOUS_RESPONSE_ID, "previous_response_id")                                                                    \
    X(METADATA_SESSION_ID, "metadata.session_id")                                                                      \
    X(USER, "user")                                                                                                    \
    X(SAFETY_IDENTIFIER, "safety_identifier")

enum scan_session_key {
#define X(id, name) SCAN_KEY_##id,
    SCAN_SESSION_KEYS(X)
#undef X
        SCAN_KEY_COUNT
};

#define SCAN_ERRORS(X)                                                                                                 \
    X(SYNTAX, "malformed_json", "the request body is not valid JSON")                                                  \
    X(NOT_OBJECT, "body_not_object", "the request body must be a JSON object")                                         \
    X(DUPLICATE_MODEL, "duplicate_model", "the member \"model\" stands twice in the request body")                     \
    X(MODEL_TYPE, "bad_model", "the member \"model\" must be a string")                                                \
    X(MODEL_TOO_LONG, "model_too_long", "the member \"model\" is longer than 256 bytes")                               \
    X(DEPTH, "json_too_deep", "the request body is nested too deeply")                                                 \
    X(TRUNCATED, "truncated_json", "the request body ends in the middle of its JSON")

enum scan_error {
    SCAN_OK,
#define X(id, reason, message) SCAN_ERROR_##id,
    SCAN_ERRORS(X)
#undef X
};
const char *scan_error_reason(enum scan_error error);
const char *scan_error_message(enum scan_error error);

struct conversation_scan; /* conversation_scan.h */

struct openai_scan {
    /* Results; model and keys are decoded (escapes resolved). */
    bool has_model;
    bool is_stream; /* "stream": true */
    bool has_blob;  /* some string of the messages may be an image or the like (prompt_blob.h) */
    bool has_max_tokens;
    uint64_t max_tokens;          /* "max_tokens" or "max_completion_tokens", the later plain integer in the body */
    struct scan_span model_span;  /* with quotes: what openai_rewrite() replaces */
    struct scan_span prompt_span; /* value of "messages", "prompt" or "input" (the first seen) */
    struct scan_span tools_span;  /* of "tools" */
    struct scan_span system_span; /* of "system" or "instructions" (the first seen) */
    struct scan_span salt_span;   /* of "cache_salt" */
    unsigned model_len;           /* of `model`, below */
    bool has_session;             /* any of the keys was there */
    unsigned session_len[SCAN_KEY_COUNT]; /* of `session`; 0 = absent */
    enum scan_error error;
    bool is_complete; /* the closing brace was seen */

    /* Set after openai_scan_init() by who wants the messages read too; NULL: they are passed over. */
    struct conversation_scan *conversation;

    /* The automaton; see openai_scan.c. */
    uint64_t position;    /* of the first byte not fed yet */
    uint64_t value_start; /* of the top-level value being read */
    uint64_t number;      /* the digits so far */
    unsigned state;
    unsigned depth;
    unsigned member;  /* the top-level member being read */
    unsigned sink;    /* who wants the string being read */
    unsigned literal; /* true, false or null */
    unsigned token_len;
    unsigned hex_digits;
    uint32_t code_point;
    uint32_t surrogate;                    /* the high half that waits for its low half */
    bool is_key;                           /* the string being read is a member's name */
    bool is_inner_key;                     /* conversation.id or metadata.session_id comes next */
    bool is_plain_integer;                 /* the number being read */
    uint64_t nesting[SCAN_MAX_DEPTH / 64]; /* a bit per level: 1 = object */

    /* From here on nothing needs a beginning. */
    char token[64];
    char model[SCAN_MODEL_BYTES];
    char session[SCAN_KEY_COUNT][SCAN_KEY_BYTES];
};

void openai_scan_init(struct openai_scan *scan);
/* The next piece of the body.  false after an error (scan->error), which stays. */
bool openai_scan_feed(struct openai_scan *scan, struct bytes piece);
/* The body has ended: false when the document is not whole or was wrong. An empty body is whole and has nothing. */
bool openai_scan_finish(struct openai_scan *scan);
/* Of a body that is still on its way: "messages", "prompt" or "input" as far as it was fed; len 0 when it has not begun
 * or has ended. */
struct scan_span openai_scan_begun_prompt(const struct openai_scan *scan);
/* The model, "" when absent. */
struct bytes openai_scan_model(const struct openai_scan *scan);
/* "" when absent. */
struct bytes openai_scan_session(const struct openai_scan *scan, enum scan_session_key key);
const char *scan_session_key_name(enum scan_session_key key);

#endif
