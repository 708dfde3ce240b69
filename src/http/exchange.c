/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c: the calls of exchange.h, handed to the protocol below, and the answers made of them. */
#include "http/exchange.h"

#include "base/json_write.h"
#include "http/server_internal.h"

static const struct server_protocol *protocol_of(const struct exchange *exchange)
{
    return exchange->connection->protocol;
}

void exchange_respond(struct exchange *exchange, unsigned status, const struct http_fields *fields,
                      int64_t content_length)
{
    protocol_of(exchange)->respond(exchange, status, fields, content_length);
}

void exchange_forget_request(struct exchange *exchange)
{
    protocol_of(exchange)->forget_request(exchange);
}

void exchange_send(struct exchange *exchange, struct bytes chunk)
{
    protocol_of(exchange)->send(exchange, chunk);
}

void exchange_finish(struct exchange *exchange)
{
    protocol_of(exchange)->finish(exchange);
}

void exchange_abort(struct exchange *exchange)
{
    protocol_of(exchange)->abort(exchange);
}

void exchange_close_after(struct exchange *exchange)
{
    protocol_of(exchange)->close_after(exchange);
}

size_t exchange_send_room(const struct exchange *exchange)
{
    return protocol_of(exchange)->send_room(exchange);
}

void exchange_pause_body(struct exchange *exchange)
{
    protocol_of(exchange)->set_paused(exchange, true);
}

void exchange_resume_body(struct exchange *exchange)
{
    protocol_of(exchange)->set_paused(exchange, false);
}

bool exchange_is_head_sent(const struct exchange *exchange)
{
    return protocol_of(exchange)->is_head_sent(exchange);
}

void exchange_answer(struct exchange *exchange, unsigned status, const char *content_type, struct bytes body)
{
    struct http_field item = {
        .id = HTTP_FIELD_CONTENT_TYPE, .name = BYTES("Content-Type"), .value = bytes_of(content_type)};
    struct http_fields fields = {.items = &item, .len = content_type != NULL ? 1 : 0, .capacity = 1};
    exchange_respond(exchange, status, &fields, (int64_t)body.len);
    exchange_send(exchange, body);
    exchange_finish(exchange);
}

/* The error types that OpenAI's clients know. */
static const char *error_type(unsigned status)
{
    switch (status) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 429:
        return "rate_limit_error";
    default:
        return status >= 500 ? "api_error" : "invalid_request_error";
    }
}

void http_error_json(struct buffer *out, unsigned status, const char *reason, const char *message)
{
    struct json_writer writer;
    jw_init(&writer, out);
    jw_begin_object(&writer);
    jw_key(&writer, "error");
    jw_begin_object(&writer);
    jw_member_str(&writer, "message", message);
    jw_member_str(&writer, "type", error_type(status));
    jw_key(&writer, "param");
    jw_null(&writer);
    jw_member_str(&writer, "code", reason);
    jw_end_object(&writer);
    jw_end_object(&writer);
}

void exchange_answer_error(struct exchange *exchange, unsigned status, const char *reason, const char *message,
                           const struct http_fields *extra)
{
    struct http_fields fields = {0};
    struct arena *arena = exchange->arena;
    http_fields_add(&fields, arena, BYTES("Content-Type"), BYTES("application/json"));
    http_fields_add(&fields, arena, BYTES("x-serin-reason"), bytes_of(reason));
    for (unsigned i = 0; extra != NULL && i < extra->len; i++)
        http_fields_add(&fields, arena, extra->items[i].name, extra->items[i].value);
    struct buffer body = {0};
    http_error_json(&body, status, reason, message);
    exchange_respond(exchange, status, &fields, (int64_t)buffer_len(&body));
    exchange_send(exchange, buffer_bytes(&body));
    exchange_finish(exchange);
    buffer_deinit(&body);
}
