/* SPDX-License-Identifier: Apache-2.0 */
/* server_h1_response.c: HTTP/1.x responses: heads, framing, backpressure.
 *
 * Everything goes into the connection's output and leaves in one send at the end of the turn, but for large chunks,
 * which are sent from where they lie. */
#include "http/server_internal.h"

#include <assert.h>

#include "http/codec/h1_write.h"

/* RFC 9110 6.4.1 */
static bool has_no_body(enum http_method method, unsigned status)
{
    return method == HTTP_HEAD || status == 204 || status == 304;
}

/* A small rest of the request is read away so that the connection lives on; a large one is not waited for, and a client
 * that waits for 100 Continue may never send it. */
static bool is_rest_too_large(const struct h1_exchange *current)
{
    if (current->is_complete || current->body.framing == HTTP_BODY_NONE)
        return false;
    return current->owes_continue || current->body.framing != HTTP_BODY_LENGTH ||
           current->body.left > DISCARD_MAX_BYTES;
}

static void choose_framing(struct h1_exchange *current, unsigned status, int64_t content_length)
{
    const struct http_request *request = &current->exchange.request;
    current->left = 0;
    if (has_no_body(request->method, status)) {
        current->out = HTTP_BODY_NONE;
    } else if (content_length >= 0) {
        current->out = HTTP_BODY_LENGTH;
        current->left = (uint64_t)content_length;
    } else {
        current->out = request->version_minor >= 1 ? HTTP_BODY_CHUNKED : HTTP_BODY_UNTIL_CLOSE;
    }
}

static void write_fields(struct buffer *out, const struct http_fields *fields, struct http_server *server)
{
    struct h1_lines lines = {0};
    bool has_date = false, has_server = server->config.server_name == NULL;
    for (unsigned i = 0; fields != NULL && i < fields->len; i++) {
        const struct http_field *field = &fields->items[i];
        switch (field->id) {
        case HTTP_FIELD_CONNECTION:
        case HTTP_FIELD_CONTENT_LENGTH:
        case HTTP_FIELD_KEEP_ALIVE:
        case HTTP_FIELD_TRANSFER_ENCODING:
            continue; /* the server's own */
        case HTTP_FIELD_DATE:
            has_date = true;
            break;
        case HTTP_FIELD_SERVER:
            has_server = true;
            break;
        default:
            break;
        }
        h1_write_lines_field(out, &lines, field);
    }
    h1_write_lines_end(out, &lines);
    if (!has_server)
        h1_write_field(out, BYTES("Server"), bytes_of(server->config.server_name));
    if (!has_date)
        buffer_append(out, server_date_line(server));
}

/* HEAD and 304 keep the length that GET would have (RFC 9110 8.6); 204 has none. */
static void write_framing(struct buffer *out, const struct h1_exchange *current, unsigned status,
                          int64_t content_length)
{
    bool is_head = current->exchange.request.method == HTTP_HEAD;
    if (current->out == HTTP_BODY_CHUNKED)
        h1_write_known_field(out, BYTES("Transfer-Encoding"), BYTES("chunked"));
    else if (current->out == HTTP_BODY_LENGTH || (is_head && content_length >= 0 && status != 204 && status != 304) ||
             (status == 304 && content_length > 0))
        h1_write_field_u64(out, BYTES("Content-Length"), (uint64_t)content_length);
}

static void write_connection(struct buffer *out, const struct http_connection *connection,
                             const struct http_request *request)
{
    if (connection->closes_after)
        h1_write_known_field(out, BYTES("Connection"), BYTES("close"));
    else if (request->version_minor == 0)
        h1_write_known_field(out, BYTES("Connection"), BYTES("keep-alive"));
}

void h1_respond(struct exchange *exchange, unsigned status, const struct http_fields *fields, int64_t content_length)
{
    struct h1_exchange *current = h1_exchange_of(exchange);
    struct http_connection *connection = exchange->connection;
    assert(exchange->state == EXCHANGE_READING || exchange->state == EXCHANGE_WAITING);
    assert(status >= 200);
    exchange->state = EXCHANGE_RESPONDING;
    choose_framing(current, status, content_length);
    if (!exchange->request.keep_alive || connection->is_draining || current->out == HTTP_BODY_UNTIL_CLOSE ||
        is_rest_too_large(current))
        connection->closes_after = true;

    struct buffer *out = connection_out(connection);
    current->head_offset = connection->sent_bytes + buffer_len(out);
    h1_write_status_line(out, status);
    write_fields(out, fields, connection->server);
    write_framing(out, current, status, content_length);
    write_connection(out, connection, &exchange->request);
    h1_write_end_of_head(out);
}

/* What framing and persistence go by stays. */
void h1_forget_request(struct exchange *exchange)
{
    struct h1_exchange *current = h1_exchange_of(exchange);
    assert(exchange->state == EXCHANGE_RESPONDING);
    if (current->is_light)
        return;
    const struct http_request before = exchange->request;
    exchange->request = (struct http_request){.method = before.method,
                                              .version_minor = before.version_minor,
                                              .framing = before.framing,
                                              .content_length = before.content_length,
                                              .keep_alive = before.keep_alive};
    server_lighten_exchange(exchange->connection->server, current);
}

static void send_large(struct http_connection *connection, struct bytes chunk, bool is_chunked)
{
    struct bytes pieces[] = {chunk, H1_CHUNK_END};
    if (is_chunked)
        h1_write_chunk_size(connection_out(connection), chunk.len);
    connection_send_now(connection, pieces, is_chunked ? 2 : 1);
}

static void send_small(struct http_connection *connection, struct bytes chunk, bool is_chunked)
{
    if (is_chunked)
        h1_write_chunk(connection_out(connection), chunk);
    else
        buffer_append(connection_out(connection), chunk);
    /* A burst of events: what a turn queues for all connections together stays small. */
    if (buffer_len(&connection->out) >= FLUSH_BYTES && !connection->is_blocked)
        connection_send_now(connection, NULL, 0);
}

void h1_send(struct exchange *exchange, struct bytes chunk)
{
    struct h1_exchange *current = h1_exchange_of(exchange);
    struct http_connection *connection = exchange->connection;
    assert(exchange->state == EXCHANGE_RESPONDING);
    if (current->out == HTTP_BODY_NONE || chunk.len == 0)
        return;
    if (current->out == HTTP_BODY_LENGTH) {
        assert(chunk.len <= current->left);
        current->left -= chunk.len;
    }
    if (chunk.len >= SEND_NOW_BYTES && !connection->is_blocked)
        send_large(connection, chunk, current->out == HTTP_BODY_CHUNKED);
    else
        send_small(connection, chunk, current->out == HTTP_BODY_CHUNKED);
    if (server_is_full(connection->server, buffer_len(&connection->out)))
        current->is_starved = true;
}

void h1_finish(struct exchange *exchange)
{
    struct h1_exchange *current = h1_exchange_of(exchange);
    struct http_connection *connection = exchange->connection;
    assert(exchange->state == EXCHANGE_RESPONDING);
    if (current->out == HTTP_BODY_LENGTH && current->left > 0) {
        h1_abort(exchange);
        return;
    }
    if (current->out == HTTP_BODY_CHUNKED)
        buffer_append(connection_out(connection), H1_LAST_CHUNK);
    exchange->state = EXCHANGE_DONE;
    connection_wake(connection);
}

void h1_abort(struct exchange *exchange)
{
    exchange->state = EXCHANGE_DONE;
    connection_close(exchange->connection, true);
}

size_t h1_send_room(const struct exchange *exchange)
{
    const struct http_connection *connection = exchange->connection;
    size_t queued = buffer_len(&connection->out);
    bool is_full = h1_exchange_of(exchange)->is_starved || server_is_full(connection->server, queued);
    return is_full ? 0 : connection->server->config.send_high_water - queued;
}

bool h1_is_head_sent(const struct exchange *exchange)
{
    return exchange->state >= EXCHANGE_RESPONDING &&
           exchange->connection->sent_bytes > h1_exchange_of(exchange)->head_offset;
}

void h1_tell_room(struct http_connection *connection)
{
    struct h1_exchange *current = connection->current;
    if (buffer_len(&connection->out) >= server_low_water(connection->server))
        return;
    current->is_starved = false;
    if (current->is_announced && current->exchange.state == EXCHANGE_RESPONDING)
        connection->server->handler->on_can_send(&current->exchange);
}
