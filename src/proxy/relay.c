/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c: moves a response from an endpoint to the client as it arrives, with backpressure.
 *
 * Bytes go into the exchange's output and leave at the end of the turn; when that is full the upstream is not read.  An
 * event stream that the endpoint cuts ends with an error event; any other cut response ends with a reset. */
#include "http/codec/sse.h"
#include "proxy/hop_headers.h"
#include "proxy/measure.h"

#define MAX_HALF_EVENT_BYTES (64u << 10)

static struct proxied *proxied_of(struct client_call *call)
{
    return container_of(call, struct proxied, call);
}

static bool says_event_stream(const struct http_response *response)
{
    const struct http_field *type = http_fields_find(&response->fields, HTTP_FIELD_CONTENT_TYPE);
    return type != NULL && bytes_starts_with_nocase(type->value, BYTES("text/event-stream"));
}

/* What the client may rely on: a HEAD answer keeps the length that GET would have, or has none. */
static int64_t response_length(const struct proxied *proxied, const struct http_response *response)
{
    if (response->framing == HTTP_BODY_LENGTH)
        return (int64_t)response->content_length;
    if (response->framing != HTTP_BODY_NONE)
        return -1;
    const struct http_field *length = http_fields_find(&response->fields, HTTP_FIELD_CONTENT_LENGTH);
    unsigned long long value = 0;
    if (proxied->exchange->request.method != HTTP_HEAD)
        return 0;
    return length != NULL && bytes_to_u64(length->value, INT64_MAX, &value) ? (int64_t)value : -1;
}

/* For long answers, once nobody needs what is held of it and in its arena any more: not the rest of the request, the
 * arm's memory or the access log. */
static bool may_forget_request(const struct proxied *proxied)
{
    bool is_sent = !proxied->is_open && proxied->call.piece_count == 0;
    return is_sent && proxied->is_event_stream && !proxied->wants_reply && proxied->conversation == NULL &&
           proxied->proxy->config.access_log == NULL;
}

static void on_head(struct client_call *call, const struct http_response *response)
{
    struct proxied *proxied = proxied_of(call);
    struct exchange *exchange = proxied->exchange;
    struct http_fields fields;
    if (elsewhere_try(proxied, response))
        return;
    hop_copy_response(&fields, response, proxied_shown_arm(proxied), proxied_shown_revision(proxied), exchange->arena);
    proxied->first_byte_us = reactor_now_us(proxied->proxy->reactor);
    proxied->status = response->status;
    int64_t length = response_length(proxied, response);
    /* Only where there is room for one more event: a promised length cannot be exceeded. */
    proxied->is_event_stream = length < 0 && says_event_stream(response);
    proxied->is_responding = true;
    measure_head(proxied, response);
    forward_answered(proxied);
    exchange_respond(exchange, response->status, &fields, length);
    if (proxied->is_event_stream)
        forward_settle(proxied);
    if (may_forget_request(proxied)) {
        measure_request(proxied);
        forward_forget(proxied);
        exchange_forget_request(exchange);
    }
}

/* Half an event is kept until its end comes: a client then never reads half of one before an error event.  An event
 * that grows beyond any sense is passed on as it is. */
static void send_events(struct proxied *proxied, struct bytes chunk)
{
    struct exchange *exchange = proxied->exchange;
    size_t whole = sse_whole_events(&proxied->tail, chunk);
    sse_tail_move(&proxied->tail, chunk);
    bool is_too_long = buffer_len(&proxied->half_event) + chunk.len - whole > MAX_HALF_EVENT_BYTES;
    if (whole > 0 || is_too_long) {
        if (!buffer_is_empty(&proxied->half_event))
            exchange_send(exchange, buffer_bytes(&proxied->half_event));
        buffer_clear(&proxied->half_event);
        proxied->is_mid_event = is_too_long;
        size_t sent = is_too_long ? chunk.len : whole;
        exchange_send(exchange, bytes_make(chunk.data, sent));
        chunk = bytes_skip(chunk, sent);
    }
    if (chunk.len > 0)
        buffer_append(&proxied->half_event, chunk);
}

void relay_watch(struct proxied *proxied)
{
    uint64_t timeout_ms = proxied->rule->first_token_timeout_ms;
    proxied->last_bytes_ms = reactor_now_ms(proxied->proxy->reactor);
    if (timeout_ms > 0)
        reactor_timer_set(proxied->proxy->reactor, &proxied->quiet_timer, timeout_ms);
}

/* The timer is not moved by each event: it is set once, and looks when it fires. */
static void note_bytes(struct proxied *proxied)
{
    uint64_t timeout_ms = proxied->is_event_stream ? proxied->rule->stream_idle_timeout_ms : 0;
    proxied->last_bytes_ms = reactor_now_ms(proxied->proxy->reactor);
    if (!proxied->has_token && timeout_ms > 0)
        reactor_timer_set(proxied->proxy->reactor, &proxied->quiet_timer, timeout_ms);
    else if (!proxied->has_token)
        reactor_timer_cancel(proxied->proxy->reactor, &proxied->quiet_timer);
    /* The first token never waits for other streams; those behind it may, if that is wanted. */
    if (!proxied->has_token && proxied->is_event_stream)
        client_call_pace(&proxied->call);
    proxied->has_token = true;
}

static void send_body(struct proxied *proxied, struct bytes chunk, bool last)
{
    if (chunk.len > 0 && proxied->is_event_stream)
        send_events(proxied, chunk);
    else if (chunk.len > 0)
        exchange_send(proxied->exchange, chunk);
    if (last && !buffer_is_empty(&proxied->half_event)) /* the server's own end: what it sent is what counts */
        exchange_send(proxied->exchange, buffer_bytes(&proxied->half_event));
}

/* The error as an event of its own. */
static void send_error_event(struct proxied *proxied, enum end_reason reason)
{
    struct exchange *exchange = proxied->exchange;
    struct buffer event = {0};
    if (proxied->is_mid_event)
        buffer_append(&event, BYTES("\n\n"));
    buffer_append(&event, BYTES("data: "));
    http_error_json(&event, 502, end_reason_text(reason), end_reason_message(reason));
    buffer_append(&event, BYTES("\n\n"));
    exchange_send(exchange, buffer_bytes(&event));
    buffer_deinit(&event);
}

/* An operator ends the streams of this arm: the client is told, the model server stops its work. */
static void cut_by_operator(struct proxied *proxied)
{
    struct exchange *exchange = proxied->exchange;
    send_error_event(proxied, END_CANARY_CUT);
    proxied_end(proxied, END_CANARY_CUT);
    exchange_finish(exchange);
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    struct proxied *proxied = proxied_of(call);
    struct exchange *exchange = proxied->exchange;
    if (chunk.len > 0)
        note_bytes(proxied);
    /* Model servers answer a stream with its first token; other answers come whole at their end. */
    if (proxied->is_event_stream && chunk.len > 0)
        schedule_first_token(&proxied->ticket, reactor_now_ms(proxied->proxy->reactor));
    measure_body(proxied, chunk);
    send_body(proxied, chunk, last);
    if (last) {
        proxied->is_calling = false;
        proxied_end(proxied, END_COMPLETE);
        exchange_finish(exchange);
    } else if (proxied->is_event_stream && measure_is_cut(proxied)) {
        cut_by_operator(proxied);
    } else if (exchange_send_room(exchange) == 0) {
        client_call_pause(call);
    }
}

/* The response ends before its time: tells the client in band, or cuts. */
static void cut(struct proxied *proxied, enum end_reason reason)
{
    struct exchange *exchange = proxied->exchange;
    if (!proxied->is_event_stream) {
        proxied_end(proxied, reason);
        exchange_abort(exchange);
        return;
    }
    send_error_event(proxied, reason);
    proxied_end(proxied, reason);
    exchange_finish(exchange);
}

void relay_on_quiet(struct wheel_timer *timer)
{
    struct proxied *proxied = container_of(timer, struct proxied, quiet_timer);
    struct reactor *reactor = proxied->proxy->reactor;
    uint64_t limit_ms =
        proxied->has_token ? proxied->rule->stream_idle_timeout_ms : proxied->rule->first_token_timeout_ms;
    uint64_t quiet_ms = reactor_now_ms(reactor) - proxied->last_bytes_ms;
    if (proxied->is_responding && exchange_send_room(proxied->exchange) == 0)
        reactor_timer_set(reactor, timer, limit_ms); /* it is the client that is slow */
    else if (quiet_ms < limit_ms)
        reactor_timer_set(reactor, timer, limit_ms - quiet_ms);
    else if (proxied->is_responding)
        cut(proxied, proxied->has_token ? END_STREAM_IDLE : END_FIRST_TOKEN_TIMEOUT);
    else
        proxied_fail(proxied, END_FIRST_TOKEN_TIMEOUT); /* not tried again: the model server may be at work on it */
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    struct proxied *proxied = proxied_of(call);
    proxied->is_calling = false;
    if (proxied->is_responding) {
        elsewhere_note_failure(proxied);
        cut(proxied, END_UPSTREAM_CUT);
    } else {
        forward_failed(proxied, failure);
    }
}

static void on_sent(struct client_call *call)
{
    forward_sent(proxied_of(call));
}

const struct client_call_handler relay_handler = {
    .on_head = on_head,
    .on_body = on_body,
    .on_sent = on_sent,
    .on_failed = on_failed,
};
