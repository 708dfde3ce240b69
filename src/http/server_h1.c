/* SPDX-License-Identifier: Apache-2.0 */
/* server_h1.c: HTTP/1.x requests of one connection, one after the other: heads, bodies, 100 Continue, errors.
 *
 * h1_input() is a loop over phases: pipelined requests are taken in order and without recursion.  A handler may answer
 * or abort inside any callback, so each step looks at the state afterwards. */
#include "http/server_internal.h"

#include <assert.h>

#include "http/codec/h1_write.h"

struct h1_exchange *h1_exchange_of(const struct exchange *exchange)
{
    return container_of((struct exchange *)(uintptr_t)exchange, struct h1_exchange, exchange);
}

static void drop_current(struct http_connection *connection)
{
    if (connection->current != NULL)
        server_give_back_exchange(connection->server, connection->current);
    connection->current = NULL;
}

static void become_idle(struct http_connection *connection)
{
    drop_current(connection);
    connection->h1_phase = H1_IDLE;
    connection_rest(connection);
    server_note_rest(connection);
}

/* Also when the handler has answered without waiting to be told. */
static bool is_request_read(const struct h1_exchange *current)
{
    return current->is_complete || current->body.framing == HTTP_BODY_NONE ||
           (current->body.framing == HTTP_BODY_LENGTH && current->body.left == 0);
}

/* The service has finished.  What is left of the request decides how the connection goes on.  While draining, a client
 * that was not told to go away (its response began before) may send once more. */
static void end_exchange(struct http_connection *connection, bool has_more_input)
{
    struct h1_exchange *current = connection->current;
    current->is_announced = false;
    if (connection->closes_after || (connection->is_draining && !is_request_read(current))) {
        /* A client that did not ask for the close may be sending already. */
        bool linger = !is_request_read(current) || has_more_input || current->exchange.request.keep_alive;
        drop_current(connection);
        connection_end(connection, linger);
    } else if (!is_request_read(current)) {
        connection->h1_phase = H1_DISCARD;
        connection_set_deadline(connection, connection->server->config.body_idle_timeout_ms);
    } else {
        become_idle(connection);
    }
}

/* Answers in the server's own name; the handler does not know the exchange, or not any more. */
static void refuse(struct http_connection *connection, unsigned status, const char *reason, const char *message)
{
    struct exchange *exchange = &connection->current->exchange;
    server_tell_bad_request(connection->server, reason, status);
    struct http_fields extra = {0};
    if (status == 503)
        http_fields_add(&extra, exchange->arena, BYTES("Retry-After"), BYTES("1"));
    connection->closes_after = true;
    exchange_answer_error(exchange, status, reason, message, &extra);
    drop_current(connection);
    connection_end(connection, true);
}

static void begin_exchange(struct http_connection *connection)
{
    connection->current = server_take_exchange(connection);
    connection->h1_phase = H1_HEAD;
    h1_head_parser_init(&connection->current->parser, &connection->server->config.limits);
}

/* No head was read: what the response's framing asks of the request. */
static void forge_request(struct h1_exchange *current)
{
    current->exchange.request = (struct http_request){.method = HTTP_GET, .version_minor = 1};
    h1_body_init(&current->body, HTTP_BODY_NONE, 0, NULL);
}

void h1_refuse_connection(struct http_connection *connection, unsigned status, const char *reason, const char *message)
{
    begin_exchange(connection);
    forge_request(connection->current);
    refuse(connection, status, reason, message);
}

/* The request is wrong or too slow while its handler is already at work. */
static void fail_body(struct http_connection *connection, unsigned status, const char *reason, const char *message)
{
    struct h1_exchange *current = connection->current;
    struct exchange *exchange = &current->exchange;
    if (!current->is_announced) { /* answered; the rest was being thrown away */
        drop_current(connection);
        connection_end(connection, true);
        return;
    }
    if (exchange->state == EXCHANGE_RESPONDING) {
        server_tell_bad_request(connection->server, reason, status);
        connection_cut(connection);
        return;
    }
    current->is_announced = false;
    connection->server->handler->on_aborted(exchange);
    if (!connection->is_closed)
        refuse(connection, status, reason, message);
}

static void announce(struct http_connection *connection)
{
    struct h1_exchange *current = connection->current;
    struct exchange *exchange = &current->exchange;
    const struct http_request *request = &exchange->request;
    exchange->start_us = reactor_now_us(exchange->reactor);
    h1_body_init(&current->body, request->framing, request->content_length, &connection->server->config.limits);
    current->owes_continue = request->expects_continue && request->framing != HTTP_BODY_NONE;
    current->is_announced = true;
    connection->closes_after = false;
    connection->h1_phase = H1_BODY;
    connection_clear_deadline(connection);
    connection->server->handler->on_request_head(exchange);
}

/* The steps: true when the loop shall look again, false when more bytes or a service are waited for. */
static bool step_idle(struct http_connection *connection, const struct bytes *input, unsigned *begun)
{
    if (input->len == 0)
        return false;
    if (++*begun > PIPELINE_TURN) {
        connection->is_held_back = true;
        connection_wake(connection);
        return false;
    }
    /* Sending makes room and wakes. */
    if (server_is_full(connection->server, buffer_len(&connection->out)))
        return false;
    begin_exchange(connection);
    connection_clear_deadline(connection);
    return true;
}

static bool step_head(struct http_connection *connection, struct bytes *input)
{
    struct h1_exchange *current = connection->current;
    struct exchange *exchange = &current->exchange;
    enum h1_status status = h1_parse_request_head(&current->parser, *input, exchange->arena, &exchange->request);
    if (status == H1_NEED_MORE) {
        if (connection->deadline_ms == NO_DEADLINE) /* it counts from the first byte */
            connection_set_deadline(connection, connection->server->config.head_timeout_ms);
        return false;
    }
    if (status == H1_BAD) {
        enum h1_error error = current->parser.error;
        forge_request(current);
        refuse(connection, h1_error_status(error), h1_error_reason(error), h1_error_message(error));
        return true;
    }
    *input = bytes_skip(*input, current->parser.head_bytes);
    announce(connection);
    return true;
}

static void stop_waiting(struct http_connection *connection, struct h1_exchange *current)
{
    if (current->waits_since_ms > 0)
        current->waited_ms += reactor_now_ms(connection->server->reactor) - current->waits_since_ms;
    current->waits_since_ms = 0;
}

static void deliver(struct http_connection *connection, struct bytes data, bool last)
{
    struct h1_exchange *current = connection->current;
    struct exchange *exchange = &current->exchange;
    current->owes_continue = false;
    current->body_bytes += data.len;
    stop_waiting(connection, current);
    if (last) {
        current->is_complete = true;
        connection->h1_phase = H1_BUSY;
        connection_clear_deadline(connection);
        if (exchange->state == EXCHANGE_READING)
            exchange->state = EXCHANGE_WAITING;
    }
    connection->server->handler->on_request_body(exchange, data, last);
}

/* How long the next bytes may take.  Only waiting for the client counts: a service that pauses a body does not make its
 * client slow. */
static uint64_t patience_ms(const struct http_connection *connection, const struct h1_exchange *current)
{
    const struct http_server_config *config = &connection->server->config;
    uint64_t most_ms = config->body_idle_timeout_ms;
    if (config->body_min_rate == 0)
        return most_ms;
    uint64_t waited_ms = current->waited_ms + reactor_now_ms(connection->server->reactor) - current->waits_since_ms;
    uint64_t earned_ms = most_ms + current->body_bytes * 1000 / config->body_min_rate;
    uint64_t left_ms = earned_ms > waited_ms ? earned_ms - waited_ms : 0;
    return left_ms < most_ms ? left_ms : most_ms;
}

/* RFC 9110 10.1.1: not needed once body bytes came or the answer has begun. */
static void wait_for_body(struct http_connection *connection)
{
    struct h1_exchange *current = connection->current;
    if (current->owes_continue && current->exchange.state == EXCHANGE_READING) {
        struct buffer *out = connection_out(connection);
        h1_write_status_line(out, 100);
        h1_write_end_of_head(out);
        current->owes_continue = false;
    }
    if (current->waits_since_ms == 0)
        current->waits_since_ms = reactor_now_ms(connection->server->reactor);
    connection_set_deadline(connection, patience_ms(connection, current));
}

static bool step_body(struct http_connection *connection, struct bytes *input)
{
    struct h1_exchange *current = connection->current;
    if (current->exchange.state == EXCHANGE_DONE) {
        end_exchange(connection, input->len > 0);
        return true;
    }
    if (current->is_paused) {
        stop_waiting(connection, current);
        connection_clear_deadline(connection);
        return false;
    }
    struct bytes data = BYTES("");
    switch (h1_body_next(&current->body, input, &data)) {
    case H1_BODY_NEED_MORE:
        wait_for_body(connection);
        return false;
    case H1_BODY_DATA:
        deliver(connection, data, current->body.framing == HTTP_BODY_LENGTH && current->body.left == 0);
        return true;
    case H1_BODY_END:
        deliver(connection, BYTES(""), true);
        return true;
    case H1_BODY_BAD:
        break;
    }
    enum h1_error error = current->body.error;
    fail_body(connection, h1_error_status(error), h1_error_reason(error), h1_error_message(error));
    return true;
}

static bool step_busy(struct http_connection *connection, const struct bytes *input)
{
    if (connection->current->exchange.state != EXCHANGE_DONE)
        return false;
    end_exchange(connection, input->len > 0);
    return true;
}

static bool step_discard(struct http_connection *connection, struct bytes *input)
{
    struct bytes data;
    switch (h1_body_next(&connection->current->body, input, &data)) {
    case H1_BODY_NEED_MORE:
        return false;
    case H1_BODY_DATA:
        return true;
    case H1_BODY_END:
        become_idle(connection);
        return true;
    case H1_BODY_BAD:
        break;
    }
    fail_body(connection, 400, "", "");
    return true;
}

static bool step(struct http_connection *connection, struct bytes *input, unsigned *begun)
{
    switch ((enum h1_phase)connection->h1_phase) {
    case H1_IDLE:
        return step_idle(connection, input, begun);
    case H1_HEAD:
        return step_head(connection, input);
    case H1_BODY:
        return step_body(connection, input);
    case H1_BUSY:
        return step_busy(connection, input);
    case H1_DISCARD:
        return step_discard(connection, input);
    }
    return false;
}

static void h1_input(struct http_connection *connection, struct bytes *input)
{
    unsigned begun = 0;
    connection->is_held_back = false;
    while (!connection->is_closed && connection->ending == ENDING_NOT && step(connection, input, &begun))
        ;
}

static bool h1_wants_input(const struct http_connection *connection)
{
    switch ((enum h1_phase)connection->h1_phase) {
    case H1_IDLE:
        return !server_is_full(connection->server, buffer_len(&connection->out));
    case H1_BODY:
        return !connection->current->is_paused;
    case H1_BUSY:
        return false;
    case H1_HEAD:
    case H1_DISCARD:
        break;
    }
    return true;
}

static char *h1_body_room(struct http_connection *connection, size_t *ret_size)
{
    struct h1_exchange *current = connection->current;
    const struct http_handler *handler = connection->server->handler;
    if (connection->h1_phase != H1_BODY || connection->ending != ENDING_NOT || handler->body_room == NULL ||
        current->is_paused || current->exchange.state != EXCHANGE_READING || current->body.framing != HTTP_BODY_LENGTH)
        return NULL;
    char *room = handler->body_room(&current->exchange, current->body.left, ret_size);
    if (room != NULL && *ret_size > current->body.left) /* what follows is another request's */
        *ret_size = (size_t)current->body.left;
    return room;
}

/* A client may end a body with an empty line too many (RFC 9112 2.2): that is no request that is slow to come. */
static bool has_begun(const struct http_connection *connection)
{
    struct bytes in = buffer_bytes(&connection->in);
    return !bytes_equal(in, BYTES("\r\n")) && !bytes_equal(in, BYTES("\r"));
}

static void h1_deadline(struct http_connection *connection)
{
    switch ((enum h1_phase)connection->h1_phase) {
    case H1_HEAD:
        if (!has_begun(connection)) {
            connection_close(connection, false);
            break;
        }
        forge_request(connection->current);
        refuse(connection, 408, "slow_request", "the request head took too long");
        break;
    case H1_BODY:
        connection_clear_deadline(connection);
        if (connection->current->exchange.state != EXCHANGE_DONE) /* else this turn's task goes on */
            fail_body(connection, 408, "slow_request", "the request body took too long");
        break;
    case H1_IDLE:
    case H1_BUSY:
    case H1_DISCARD:
        connection_close(connection, false);
        break;
    }
}

static void h1_abandon(struct http_connection *connection)
{
    struct h1_exchange *current = connection->current;
    if (current == NULL || !current->is_announced || current->exchange.state == EXCHANGE_DONE)
        return;
    current->is_announced = false;
    current->exchange.state = EXCHANGE_DONE;
    connection->server->handler->on_aborted(&current->exchange);
}

static bool h1_is_busy(const struct http_connection *connection)
{
    const struct h1_exchange *current = connection->current;
    return current != NULL && current->is_announced && current->exchange.state != EXCHANGE_DONE;
}

static bool h1_is_idle(const struct http_connection *connection)
{
    return connection->h1_phase == H1_IDLE && buffer_is_empty(&connection->in);
}

static void h1_sent(struct http_connection *connection)
{
    struct h1_exchange *current = connection->current;
    if (current != NULL && current->is_starved)
        h1_tell_room(connection);
    /* Requests that waited for the output to shrink. */
    if (!connection->is_closed && connection->h1_phase == H1_IDLE && !buffer_is_empty(&connection->in) &&
        h1_wants_input(connection))
        connection_wake(connection);
}

static void h1_close_after(struct exchange *exchange)
{
    exchange->connection->closes_after = true;
}

static void h1_set_paused(struct exchange *exchange, bool paused)
{
    struct http_connection *connection = exchange->connection;
    struct h1_exchange *current = h1_exchange_of(exchange);
    current->is_paused = paused;
    if (!paused) {
        connection_wake(connection);
    } else if (connection->h1_phase == H1_BODY) { /* it is not the client who is slow */
        stop_waiting(connection, current);
        connection_clear_deadline(connection);
    }
}

const struct server_protocol h1_protocol = {
    .respond = h1_respond,
    .forget_request = h1_forget_request,
    .send = h1_send,
    .finish = h1_finish,
    .abort = h1_abort,
    .close_after = h1_close_after,
    .send_room = h1_send_room,
    .set_paused = h1_set_paused,
    .is_head_sent = h1_is_head_sent,
    .input = h1_input,
    .wants_input = h1_wants_input,
    .body_room = h1_body_room,
    .sent = h1_sent,
    .deadline = h1_deadline,
    .abandon = h1_abandon,
    .is_busy = h1_is_busy,
    .is_idle = h1_is_idle,
    .release = drop_current,
};
