/* SPDX-License-Identifier: Apache-2.0 */
/* request_log.c: a ring of 100.  Each place keeps the JSON of what does not change, and the state. */
#include "sim/request_log.h"

#include <stdlib.h>

#define PLACES          100
#define MAX_NAME_BYTES  256
#define MAX_VALUE_BYTES 1024

struct place {
    uint64_t id; /* 0: empty */
    const char *state;
    struct buffer members; /* "path":...,"headers":{...} without braces */
};

struct request_log {
    struct place places[PLACES];
    uint64_t last_id;
};

struct request_log *request_log_new(void)
{
    struct request_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        abort();
    return log;
}

void request_log_free(struct request_log *log)
{
    if (log == NULL)
        return;
    for (unsigned i = 0; i < PLACES; i++)
        buffer_deinit(&log->places[i].members);
    free(log);
}

static bool contains_nocase(struct bytes name, struct bytes part)
{
    for (size_t i = 0; i + part.len <= name.len; i++)
        if (bytes_equal_nocase(bytes_make(name.data + i, part.len), part))
            return true;
    return false;
}

/* What routing decides by, or adds and removes; credentials are not kept. */
static bool is_kept(struct bytes name)
{
    return (name.len > 2 && bytes_starts_with_nocase(name, BYTES("x-")) &&
            !bytes_equal_nocase(name, BYTES("x-api-key"))) ||
           contains_nocase(name, BYTES("session")) || contains_nocase(name, BYTES("conversation")) ||
           bytes_equal_nocase(name, BYTES("traceparent")) || bytes_equal_nocase(name, BYTES("host")) ||
           bytes_equal_nocase(name, BYTES("via")) || bytes_equal_nocase(name, BYTES("forwarded"));
}

static struct bytes at_most(struct bytes text, size_t len)
{
    return bytes_make(text.data, text.len < len ? text.len : len);
}

static void append_headers(struct buffer *out, const struct http_fields *fields)
{
    bool is_first = true;
    buffer_append(out, BYTES(",\"headers\":{"));
    for (unsigned i = 0; i < fields->len; i++) {
        if (!is_kept(fields->items[i].name))
            continue;
        if (!is_first)
            buffer_append_char(out, ',');
        is_first = false;
        jw_append_quoted(out, at_most(fields->items[i].name, MAX_NAME_BYTES));
        buffer_append_char(out, ':');
        jw_append_quoted(out, at_most(fields->items[i].value, MAX_VALUE_BYTES));
    }
    buffer_append_char(out, '}');
}

uint64_t request_log_add(struct request_log *log, const struct request_facts *facts, const char *state)
{
    uint64_t id = ++log->last_id;
    struct place *place = &log->places[id % PLACES];
    struct buffer *out = &place->members;
    place->id = id;
    place->state = state;
    buffer_clear(out);
    buffer_append(out, BYTES("\"path\":"));
    jw_append_quoted(out, at_most(facts->path, MAX_NAME_BYTES));
    buffer_append(out, BYTES(",\"model\":"));
    jw_append_quoted(out, at_most(facts->model, MAX_NAME_BYTES));
    buffer_append(out, facts->stream ? BYTES(",\"stream\":true") : BYTES(",\"stream\":false"));
    buffer_append(out, BYTES(",\"prompt_tokens\":"));
    buffer_append_u64(out, facts->prompt_tokens);
    buffer_append(out, BYTES(",\"body_bytes\":"));
    buffer_append_u64(out, facts->body_bytes);
    append_headers(out, facts->fields);
    return id;
}

void request_log_set_state(struct request_log *log, uint64_t id, const char *state)
{
    struct place *place = &log->places[id % PLACES];
    if (place->id == id)
        place->state = state;
}

void request_log_write(const struct request_log *log, struct json_writer *json)
{
    struct buffer text = {0};
    uint64_t first = log->last_id > PLACES ? log->last_id - PLACES + 1 : 1;
    jw_begin_array(json);
    for (uint64_t id = first; id <= log->last_id; id++) {
        const struct place *place = &log->places[id % PLACES];
        buffer_clear(&text);
        buffer_printf(&text, "{\"id\":%llu,\"state\":\"%s\",", (unsigned long long)id, place->state);
        buffer_append(&text, buffer_bytes(&place->members));
        buffer_append_char(&text, '}');
        jw_raw(json, buffer_bytes(&text));
    }
    jw_end_array(json);
    buffer_deinit(&text);
}
