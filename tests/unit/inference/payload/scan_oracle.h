/* SPDX-License-Identifier: Apache-2.0 */
/* scan_oracle.h: what openai_scan must say about a body, by a whole parse with jansson.  For the unit test and the fuzz
 * target.  A check returns NULL, or what is wrong.
 *
 * Known differences, allowed here: jansson refuses invalid UTF-8 everywhere, NUL escapes in names and numbers that do
 * not fit, and overlooks a NUL byte behind a number; the scanner refuses what enum scan_error names beyond syntax. */
#ifndef SCAN_ORACLE_H
#define SCAN_ORACLE_H

#include <jansson.h>

#include "inference/payload/openai_scan.h"

#define ORACLE_FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL)

static inline json_t *oracle_parse(struct bytes text, size_t flags, json_error_t *error)
{
    if (bytes_starts_with(text, BYTES("\xef\xbb\xbf")))
        text = bytes_skip(text, 3);
    return json_loadb(text.data != NULL ? text.data : "", text.len, flags, error);
}

static inline void oracle_scan(struct openai_scan *scan, struct bytes text, size_t first, size_t step)
{
    openai_scan_init(scan);
    size_t at = first < text.len ? first : text.len;
    openai_scan_feed(scan, bytes_make(text.data, at));
    for (; at < text.len; at += step)
        openai_scan_feed(scan, bytes_make(text.data + at, text.len - at < step ? text.len - at : step));
    openai_scan_finish(scan);
}

static inline bool oracle_is_string(const json_t *value, const char *data, size_t len, size_t cut)
{
    size_t value_len = json_string_length(value);
    return len == (value_len < cut ? value_len : cut) && memcmp(json_string_value(value), data, len) == 0;
}

static inline const char *oracle_check_session(const struct openai_scan *scan, const json_t *root)
{
    const json_t *conversation = json_object_get(root, "conversation");
    const json_t *values[SCAN_KEY_COUNT] = {
        [SCAN_KEY_PROMPT_CACHE_KEY] = json_object_get(root, "prompt_cache_key"),
        [SCAN_KEY_CONVERSATION] = json_is_object(conversation) ? json_object_get(conversation, "id") : conversation,
        [SCAN_KEY_PREVIOUS_RESPONSE_ID] = json_object_get(root, "previous_response_id"),
        [SCAN_KEY_METADATA_SESSION_ID] = json_object_get(json_object_get(root, "metadata"), "session_id"),
        [SCAN_KEY_USER] = json_object_get(root, "user"),
        [SCAN_KEY_SAFETY_IDENTIFIER] = json_object_get(root, "safety_identifier"),
    };
    for (unsigned key = 0; key < SCAN_KEY_COUNT; key++) {
        if (!json_is_string(values[key]) && scan->session_len[key] != 0)
            return "a session key that is not there";
        if (json_is_string(values[key]) &&
            !oracle_is_string(values[key], scan->session[key], scan->session_len[key], SCAN_KEY_BYTES))
            return "another session key";
    }
    return NULL;
}

static inline bool oracle_span_is(struct bytes text, struct scan_span span, const json_t *wanted)
{
    if (span.offset + span.len > text.len)
        return false;
    json_t *value = json_loadb(text.data + span.offset, span.len, ORACLE_FLAGS, NULL);
    bool is_equal = value != NULL && json_equal(value, wanted);
    json_decref(value);
    return is_equal;
}

/* The first of these members, and no other, is at the span. */
static inline const char *oracle_check_span(struct scan_span span, struct bytes text, json_t *root, const char *one,
                                            const char *other)
{
    const json_t *wanted = NULL;
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        if (wanted == NULL && (strcmp(name, one) == 0 || strcmp(name, other) == 0))
            wanted = value;
    }
    if ((wanted != NULL) != (span.len > 0))
        return "a span or none";
    return wanted != NULL && !oracle_span_is(text, span, wanted) ? "another span" : NULL;
}

/* For bodies without duplicate names: jansson keeps the members' order. */
static inline const char *oracle_check_ordered(const struct openai_scan *scan, struct bytes text, json_t *root)
{
    const json_t *prompt = NULL, *tokens = NULL;
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        bool is_prompt = strcmp(name, "messages") == 0 || strcmp(name, "prompt") == 0 || strcmp(name, "input") == 0;
        if (is_prompt && prompt == NULL)
            prompt = value;
        bool is_tokens = strcmp(name, "max_tokens") == 0 || strcmp(name, "max_completion_tokens") == 0;
        if (is_tokens && json_is_integer(value) && json_integer_value(value) == 0)
            return NULL; /* may be -0, which is no plain integer */
        if (is_tokens && json_is_integer(value) && json_integer_value(value) > 0)
            tokens = value;
    }
    if ((prompt != NULL) != (scan->prompt_span.len > 0))
        return "prompt or none";
    if (prompt != NULL && !oracle_span_is(text, scan->prompt_span, prompt))
        return "another prompt";
    if ((tokens != NULL) != scan->has_max_tokens)
        return "max_tokens or none";
    if (tokens != NULL && scan->max_tokens != (uint64_t)json_integer_value(tokens))
        return "another max_tokens";
    const char *wrong = oracle_check_span(scan->tools_span, text, root, "tools", "tools");
    if (wrong == NULL)
        wrong = oracle_check_span(scan->system_span, text, root, "system", "instructions");
    return wrong != NULL ? wrong : oracle_check_span(scan->salt_span, text, root, "cache_salt", "cache_salt");
}

static inline const char *oracle_check_values(const struct openai_scan *scan, struct bytes text, json_t *root)
{
    const json_t *model = json_object_get(root, "model");
    if (scan->has_model != json_is_string(model))
        return "model or none";
    if (scan->has_model && !oracle_is_string(model, scan->model, scan->model_len, SIZE_MAX))
        return "another model";
    if (scan->has_model && !oracle_span_is(text, scan->model_span, model))
        return "another model span";
    if (scan->is_stream != json_is_true(json_object_get(root, "stream")))
        return "another stream";
    const char *wrong = oracle_check_session(scan, root);
    json_t *unique = oracle_parse(text, ORACLE_FLAGS | JSON_REJECT_DUPLICATES, NULL);
    if (unique != NULL && wrong == NULL)
        wrong = oracle_check_ordered(scan, text, root);
    json_decref(unique);
    return wrong;
}

static inline const char *oracle_check_refusal(const struct openai_scan *scan, struct bytes text, const json_t *root)
{
    json_t *unique = NULL;
    switch (scan->error) {
    case SCAN_ERROR_NOT_OBJECT:
        return json_is_object(root) ? "called no object" : NULL;
    case SCAN_ERROR_DUPLICATE_MODEL:
        unique = oracle_parse(text, ORACLE_FLAGS | JSON_REJECT_DUPLICATES, NULL);
        json_decref(unique);
        return unique != NULL ? "no duplicate model" : NULL;
    case SCAN_ERROR_MODEL_TYPE:
    case SCAN_ERROR_MODEL_TOO_LONG:
        return json_object_get(root, "model") == NULL ? "no model" : NULL;
    case SCAN_ERROR_DEPTH:
        return text.len <= SCAN_MAX_DEPTH ? "not deep" : NULL;
    case SCAN_ERROR_SYNTAX:
        return memchr(text.data, '\0', text.len) == NULL ? "refused a good document" : NULL;
    default:
        return "refused a good document";
    }
}

/* scan: after oracle_scan() of the same text. */
static inline const char *oracle_check(const struct openai_scan *scan, struct bytes text)
{
    json_error_t error;
    json_t *root = oracle_parse(text, ORACLE_FLAGS, &error);
    const char *wrong = NULL;
    if (root == NULL) {
        enum json_error_code code = json_error_code(&error);
        bool is_known = code == json_error_invalid_utf8 || code == json_error_null_byte_in_key ||
                        code == json_error_null_character || code == json_error_numeric_overflow;
        wrong = scan->error == SCAN_OK && text.len > 0 && !is_known ? "accepted a bad document" : NULL;
    } else if (scan->error != SCAN_OK) {
        wrong = oracle_check_refusal(scan, text, root);
    } else {
        wrong = scan->is_complete && json_is_object(root) ? oracle_check_values(scan, text, root) : "not complete";
    }
    json_decref(root);
    return wrong;
}

static inline bool oracle_same_span(struct scan_span a, struct scan_span b)
{
    return a.offset == b.offset && a.len == b.len;
}

/* Whether two feedings of the same text gave the same results. */
static inline bool oracle_is_same(const struct openai_scan *a, const struct openai_scan *b)
{
    bool is_same = a->error == b->error && a->is_complete == b->is_complete && a->has_model == b->has_model &&
                   a->is_stream == b->is_stream && a->has_max_tokens == b->has_max_tokens &&
                   a->max_tokens == b->max_tokens && oracle_same_span(a->model_span, b->model_span) &&
                   oracle_same_span(a->prompt_span, b->prompt_span) && oracle_same_span(a->tools_span, b->tools_span) &&
                   oracle_same_span(a->system_span, b->system_span) && oracle_same_span(a->salt_span, b->salt_span) &&
                   a->model_len == b->model_len && memcmp(a->model, b->model, a->model_len) == 0;
    for (unsigned key = 0; key < SCAN_KEY_COUNT; key++)
        is_same = is_same && a->session_len[key] == b->session_len[key] &&
                  memcmp(a->session[key], b->session[key], a->session_len[key]) == 0;
    return is_same;
}

#endif
