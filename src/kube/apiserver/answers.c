/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c: objects and Statuses on their way to the client.
 *
 * A long answer is made whole, so that a list shows one moment, and sent as the client takes it; what waits counts
 * against the server's budget. */
#include <stdlib.h>

#include "base/clock.h"
#include "kube/apiserver/call.h"
#include "kube/apiserver/events_view.h"
#include "kube/apiserver/object_rules.h"
#include "kube/apiserver/table.h"

enum { CHUNK_BYTES = 64 * 1024 };

static void add_field(struct http_fields *fields, struct api_call *call, const char *name, const char *value)
{
    http_fields_add(fields, call->arena, bytes_of(name), bytes_of(value));
}

/* 'Warning: 299 - "text"' with quotes and backslashes escaped (RFC 9110 5.6.4). */
static void add_warnings(struct http_fields *fields, struct api_call *call)
{
    for (unsigned i = 0; i < call->change.warning_count; i++) {
        struct buffer text = {0};
        buffer_append_str(&text, "299 - \"");
        for (const char *at = call->change.warnings[i]; *at != '\0'; at++) {
            if (*at == '"' || *at == '\\')
                buffer_append_char(&text, '\\');
            buffer_append_char(&text, (unsigned char)*at < ' ' ? ' ' : *at);
        }
        buffer_append_char(&text, '"');
        add_field(fields, call, "Warning", arena_strndup(call->arena, buffer_bytes(&text)));
        buffer_deinit(&text);
    }
}

static bool has_room_for(struct api_call *call, size_t bytes)
{
    struct apiserver *server = call->server;
    if (server->answer_bytes + bytes <= server->config.limits.all_answers_bytes)
        return true;
    failure_set(&call->failure, FAILURE_TOO_MANY_REQUESTS, "too many answers wait for their clients");
    call->failure.retry_after_s = 1;
    return false;
}

static void respond(struct api_call *call, unsigned status, const char *content_type, size_t bytes)
{
    struct http_fields fields = {0};
    add_field(&fields, call, "Content-Type", content_type);
    add_field(&fields, call, "Cache-Control", "no-cache, private");
    add_warnings(&fields, call);
    if (call->failure.is_set && call->failure.retry_after_s > 0)
        add_field(&fields, call, "Retry-After", arena_printf(call->arena, "%u", call->failure.retry_after_s));
    if (status == 401)
        add_field(&fields, call, "WWW-Authenticate", "Bearer");
    count_answer(call, status);
    exchange_respond(call->exchange, status, &fields, (int64_t)bytes);
}

void answer_continue(struct api_call *call)
{
    while (!buffer_is_empty(&call->answer) && exchange_send_room(call->exchange) > 0) {
        struct bytes chunk = buffer_bytes(&call->answer);
        if (chunk.len > CHUNK_BYTES)
            chunk.len = CHUNK_BYTES;
        exchange_send(call->exchange, chunk);
        buffer_consume(&call->answer, chunk.len);
    }
    if (!buffer_is_empty(&call->answer))
        return;
    struct exchange *exchange = call->exchange;
    call_release(call);
    exchange_finish(exchange);
}

void answer_body(struct api_call *call, unsigned status, const char *content_type, struct buffer *body)
{
    size_t bytes = buffer_len(body);
    if (!call->failure.is_set && !has_room_for(call, bytes)) {
        buffer_deinit(body);
        answer_failure(call);
        return;
    }
    call->answer = *body;
    *body = (struct buffer){0};
    call->answer_bytes = bytes;
    call->server->answer_bytes += bytes;
    respond(call, status, content_type, bytes);
    answer_continue(call);
}

void answer_json(struct api_call *call, unsigned status, struct buffer *body)
{
    answer_body(call, status, "application/json", body);
}

void answer_failure(struct api_call *call)
{
    struct buffer body = {0};
    struct json_writer writer;
    jw_init(&writer, &body);
    failure_write(&call->failure, &writer);
    answer_json(call, failure_status(&call->failure), &body);
}

static void write_type(const struct api_resource *resource, struct buffer *out)
{
    buffer_printf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", resource->kind_name, resource->api_version);
}

json_t *object_tree(const struct api_resource *resource, const struct kube_object *object)
{
    if (resource->is_events_view)
        return events_view_from_core(object->tree);
    json_t *tree = json_deep_copy(object->tree);
    rules_set_text(tree, "apiVersion", resource->api_version);
    return tree;
}

void write_object(const struct api_resource *resource, const struct kube_object *object, struct buffer *out)
{
    json_t *tree = object_tree(resource, object);
    table_append_json(out, tree);
    json_decref(tree);
}

void write_stored(const struct api_resource *resource, const struct stored *stored, struct buffer *out)
{
    if (resource->is_events_view) {
        write_object(resource, stored->object, out);
        return;
    }
    write_type(resource, out);
    buffer_append(out, stored->text);
}

struct table_options table_options_of(const struct api_call *call, uint64_t version)
{
    struct table_options options = {.resource = call->target.resource, .version = version};
    options.now_ms = (int64_t)clock_wall_ms();
    (void)table_include_find(bytes_of(call->target.query.include_object), &options.include);
    return options;
}

void write_row(const struct api_resource *resource, const struct stored *stored, struct table_writer *table)
{
    if (!resource->is_events_view) {
        table_row(table, stored->object->tree, stored->text);
        return;
    }
    json_t *view = events_view_from_core(stored->object->tree);
    table_row(table, view, BYTES(""));
    json_decref(view);
}

static void write_one_row(struct api_call *call, const struct kube_object *object, const struct stored *stored,
                          struct buffer *out)
{
    struct table_options options = table_options_of(call, stored != NULL ? stored->version : 0);
    struct table_writer table;
    table_begin(&table, &options, out);
    if (stored != NULL)
        write_row(call->target.resource, stored, &table);
    else
        table_row(&table, object->tree, BYTES(""));
    table_end(&table);
}

static void write_in_form(struct api_call *call, const struct kube_object *object, const struct stored *stored,
                          struct buffer *out)
{
    const struct api_resource *resource = call->target.resource;
    struct json_writer writer;
    switch (call->form) {
    case ANSWER_TABLE:
        write_one_row(call, object, stored, out);
        break;
    case ANSWER_METADATA:
        jw_init(&writer, out);
        table_write_metadata(&writer, object->tree);
        break;
    default:
        if (stored != NULL)
            write_stored(resource, stored, out);
        else
            write_object(resource, object, out);
    }
}

void answer_stored(struct api_call *call, unsigned status, const struct stored *stored)
{
    struct buffer body = {0};
    write_in_form(call, stored->object, stored, &body);
    answer_body(call, status, answer_content_type(call->form), &body);
}

void answer_object(struct api_call *call, unsigned status, const struct kube_object *object)
{
    struct buffer body = {0};
    write_in_form(call, object, NULL, &body);
    answer_body(call, status, answer_content_type(call->form), &body);
}

void answer_tree(struct api_call *call, unsigned status, json_t *tree)
{
    struct buffer body = {0};
    table_append_json(&body, tree);
    json_decref(tree);
    answer_json(call, status, &body);
}
