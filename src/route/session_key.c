/* SPDX-License-Identifier: Apache-2.0 */
/* session_key.c: the key chain, pins, and ids of responses.  Pure. */
#include "route/session_key.h"

#include <xxhash.h>

static const struct bytes session_headers[] = {
    {"x-claude-code-session-id", 24}, {"session-id", 10}, {"session_id", 10}, {"x-session-id", 12},
    {"x-session-affinity", 18},
};

const char *draw_reason_label(enum draw_reason reason)
{
    static const char *const labels[DRAW_REASON_COUNT] = {
#define X(id, label, meaning) [DRAW_##id] = label,
        DRAW_REASONS(X)
#undef X
    };
    return labels[reason];
}

const char *draw_reason_meaning(enum draw_reason reason)
{
    static const char *const meanings[DRAW_REASON_COUNT] = {
#define X(id, label, meaning) [DRAW_##id] = meaning,
        DRAW_REASONS(X)
#undef X
    };
    return meanings[reason];
}

static struct bytes header(const struct session_facts *facts, struct bytes name)
{
    struct bytes value = BYTES("");
    return name.len > 0 && facts->header(facts->context, name, &value) ? value : BYTES("");
}

/* Cut as the scanner cuts keys: the same key counts the same in a header and in the body. */
static bool take(struct session_key *key, enum draw_reason reason, const char *name, struct bytes text)
{
    if (text.len == 0)
        return false;
    *key = (struct session_key){reason, name,
                                bytes_make(text.data, text.len < SCAN_KEY_BYTES ? text.len : SCAN_KEY_BYTES)};
    return true;
}

/* RFC 6265 5.4: "name=value; name=value". */
static struct bytes cookie(const struct session_facts *facts, struct bytes name)
{
    struct bytes rest = name.len > 0 ? header(facts, BYTES("cookie")) : BYTES("");
    while (rest.len > 0) {
        size_t end = bytes_find(rest, ';');
        struct bytes pair = bytes_trim(bytes_make(rest.data, end));
        size_t mark = bytes_find(pair, '=');
        if (mark < pair.len && bytes_equal(bytes_make(pair.data, mark), name))
            return bytes_skip(pair, mark + 1);
        rest = bytes_skip(rest, end < rest.len ? end + 1 : end);
    }
    return BYTES("");
}

static bool take_session_header(struct session_key *key, const struct session_facts *facts)
{
    for (unsigned i = 0; i < ARRAY_LEN(session_headers) && !facts->lacks_session_headers; i++)
        if (take(key, DRAW_HEADER, session_headers[i].data, header(facts, session_headers[i])))
            return true;
    return false;
}

static bool take_member(struct session_key *key, const struct session_facts *facts, enum draw_reason reason,
                        enum scan_session_key first, enum scan_session_key last)
{
    for (unsigned i = first; i <= last && facts->scan->has_session; i++) {
        enum scan_session_key member = (enum scan_session_key)i;
        if (take(key, reason, scan_session_key_name(member), openai_scan_session(facts->scan, member)))
            return true;
    }
    return false;
}

/* Neither a key nor a prompt is passed on or shown as it is. */
static struct bytes as_text(const struct session_facts *facts, uint64_t hash)
{
    return bytes_of(arena_printf(facts->arena, "%016llx", (unsigned long long)hash));
}

static bool take_api_key(struct session_key *key, const struct session_facts *facts)
{
    static const struct bytes names[] = {{"authorization", 13}, {"x-api-key", 9}};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        struct bytes value = header(facts, names[i]);
        if (value.len > 0)
            return take(key, DRAW_API_KEY, names[i].data, as_text(facts, XXH3_64bits(value.data, value.len)));
    }
    return false;
}

static bool take_opening(struct session_key *key, const struct session_facts *facts)
{
    return facts->conversation != NULL && facts->conversation->has_opening &&
           take(key, DRAW_DERIVED, "messages", as_text(facts, facts->conversation->opening_hash));
}

static struct session_key find_key(const struct stickiness *stickiness, const struct session_facts *facts)
{
    struct session_key key = {.reason = DRAW_KEYLESS, .text = BYTES("")};
    bool is_found =
        take(&key, DRAW_HEADER, stickiness->header.data, header(facts, stickiness->header)) ||
        take(&key, DRAW_COOKIE, stickiness->cookie.data, cookie(facts, stickiness->cookie)) ||
        (stickiness->default_keys &&
         (take_session_header(&key, facts) ||
          take_member(&key, facts, DRAW_BODY, SCAN_KEY_PROMPT_CACHE_KEY, SCAN_KEY_METADATA_SESSION_ID))) ||
        (stickiness->user && take_member(&key, facts, DRAW_USER, SCAN_KEY_USER, SCAN_KEY_SAFETY_IDENTIFIER)) ||
        (stickiness->api_key && take_api_key(&key, facts)) || (stickiness->derived_key && take_opening(&key, facts));
    (void)is_found;
    return key;
}

struct session_key session_key_find(const struct stickiness *stickiness, const struct session_facts *facts)
{
    if (!stickiness->is_default_chain || facts->known == NULL)
        return find_key(stickiness, facts);
    if (facts->known->reason == DRAW_REASON_COUNT)
        *facts->known = find_key(stickiness, facts);
    return *facts->known;
}

/* Takes as long for every text of the token's length. */
static bool is_token(struct bytes text, struct bytes token)
{
    unsigned char difference = 0;
    if (text.len != token.len || token.len == 0)
        return false;
    for (size_t i = 0; i < token.len; i++)
        difference |= (unsigned char)(text.data[i] ^ token.data[i]);
    return *(volatile unsigned char *)&difference == 0;
}

enum arm_role session_pin(const struct stickiness *stickiness, const struct session_facts *facts, bool *ret_refused)
{
    static const struct bytes names[ARM_ROLES] = {[ARM_STABLE] = {"stable", 6}, [ARM_CANARY] = {"canary", 6}};
    const struct pin_rule *pin = &stickiness->pin;
    struct bytes value = pin->header.len > 0 && !stickiness->is_aborted ? header(facts, pin->header) : BYTES("");
    if (value.len == 0)
        return ARM_ROLES;
    size_t space = bytes_find(value, ' ');
    struct bytes arm = bytes_make(value.data, space);
    struct bytes token = space < value.len ? bytes_trim(bytes_skip(value, space + 1)) : BYTES("");
    bool is_allowed = is_token(token, pin->token);
    for (unsigned role = 0; role < ARM_ROLES; role++)
        if (is_allowed && bytes_equal_nocase(arm, names[role]))
            return (enum arm_role)role;
    *ret_refused = true;
    return ARM_ROLES;
}

static const struct bytes responses = {"/responses", 10};

bool session_makes_response(struct bytes path)
{
    return bytes_ends_with(path, responses);
}

struct bytes session_response_id(const struct session_facts *facts)
{
    struct bytes previous = openai_scan_session(facts->scan, SCAN_KEY_PREVIOUS_RESPONSE_ID);
    struct bytes rest = facts->path;
    if (previous.len > 0)
        return previous;
    /* /v1/responses/<id>, /v1/responses/<id>/cancel */
    if (bytes_starts_with(rest, BYTES("/v1")))
        rest = bytes_skip(rest, 3);
    if (!bytes_starts_with(rest, responses) || rest.len <= responses.len + 1 || rest.data[responses.len] != '/')
        return BYTES("");
    rest = bytes_skip(rest, responses.len + 1);
    return bytes_make(rest.data, bytes_find(rest, '/'));
}
