/* SPDX-License-Identifier: Apache-2.0 */
/* session_key.h: the key that makes a draw sticky, found by the chain of a rule or model.
 *
 * The chain: the operator's header, the operator's cookie; the headers x-claude-code-session-id, session-id,
 * session_id, x-session-id and x-session-affinity; of the body prompt_cache_key, conversation, previous_response_id and
 * metadata.session_id; then, where asked for, user or safety_identifier, the API key, and a hash of what the user said
 * first.  Unasked nothing is derived from prompts or callers: that would send a whole office, or a whole test, into one
 * arm. */
#ifndef ROUTE_SESSION_KEY_H
#define ROUTE_SESSION_KEY_H

#include "base/arena.h"
#include "inference/payload/conversation_scan.h"
#include "inference/payload/openai_scan.h"
#include "route/stickiness.h"

/* id, label, meaning: what decided a draw */
#define DRAW_REASONS(X)                                                                                                \
    X(ONLY, "only", "there is no choice")                                                                              \
    X(KEYLESS, "keyless", "exact shares over a round")                                                                 \
    X(PIN, "pin", "asked for with a token")                                                                            \
    X(RESPONSE, "response", "the arm has the response that this one continues")                                        \
    X(CONVERSATION, "conversation", "the arm of the conversation's earlier turns")                                     \
    X(HEADER, "header", "key in a header")                                                                             \
    X(COOKIE, "cookie", "key in a cookie")                                                                             \
    X(BODY, "body", "key in the body")                                                                                 \
    X(USER, "user", "the body's user")                                                                                 \
    X(API_KEY, "api_key", "the caller's API key")                                                                      \
    X(DERIVED, "derived", "what the user said first")                                                                  \
    X(RESUMED, "resumed", "a running conversation of which nothing is remembered")

enum draw_reason {
#define X(id, label, meaning) DRAW_##id,
    DRAW_REASONS(X)
#undef X
        DRAW_REASON_COUNT
};
const char *draw_reason_label(enum draw_reason reason);
const char *draw_reason_meaning(enum draw_reason reason);

struct session_key {
    enum draw_reason reason; /* DRAW_KEYLESS: there is none */
    const char *name;        /* "x-session-id", "conversation", ... */
    struct bytes text;
};

/* What is known of a request besides its model. */
struct session_facts {
    /* As in struct route_request: the value of a header, joined when it stands several times. */
    bool (*header)(void *context, struct bytes name, struct bytes *ret_value);
    void *context;
    bool lacks_session_headers; /* known to have none of the chain's: most requests, and asking costs */
    struct session_key *known;  /* room for the key of the default chain; reason DRAW_REASON_COUNT: not looked for yet;
                                   NULL: it is looked for each time */
    struct bytes path;
    const struct openai_scan *scan;
    const struct conversation_scan *conversation; /* NULL: the messages were not read */
    struct arena *arena;
};

/* Borrowed from the request, or in its arena. */
struct session_key session_key_find(const struct stickiness *stickiness, const struct session_facts *facts);

/* The role that a pin header asks for with the right token; ARM_ROLES: none.  *ret_refused: asked with a wrong one. */
enum arm_role session_pin(const struct stickiness *stickiness, const struct session_facts *facts, bool *ret_refused);

/* The response that a request goes on with: previous_response_id, or the one that the path /responses/<id> names. */
struct bytes session_response_id(const struct session_facts *facts);
/* The path of a call that makes a response: its answer's id may be gone on with. */
bool session_makes_response(struct bytes path);

#endif
