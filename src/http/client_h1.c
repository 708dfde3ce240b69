/* SPDX-License-Identifier: Apache-2.0 */
/* client_h1.c: HTTP/1.x responses: interim heads are skipped, bodies handed on where they lie. */
#include "http/client_internal.h"

void client_h1_start(struct client_connection *connection)
{
    connection->phase = RESPONSE_HEAD;
    connection->has_response = false;
    h1_head_parser_init(&connection->parser, &connection->limits);
}

/* A shared arena is the next head's, whichever connection receives it. */
static void forget_head(struct client_connection *connection)
{
    if (!connection->shares_arena)
        return;
    connection->response.fields = (struct http_fields){0};
    connection->response.reason = BYTES("");
}

static bool step_head(struct client_connection *connection, struct bytes *input)
{
    struct client_call *call = connection->call;
    struct http_response *response = &connection->response;
    if (input->len == 0)
        return false;
    connection->has_response = true;
    if (connection->shares_arena)
        arena_reset(connection->arena);
    enum h1_status status =
        h1_parse_response_head(&connection->parser, *input, call->method, connection->arena, response);
    if (status == H1_NEED_MORE)
        return false;
    /* Nobody asked for another protocol. */
    if (status == H1_BAD || response->status == 101) {
        client_fail(connection, CLIENT_FAILURE_BAD_RESPONSE);
        return false;
    }
    *input = bytes_skip(*input, connection->parser.head_bytes);
    if (response->status < 200) { /* RFC 9110 15.2 */
        arena_reset(connection->arena);
        h1_head_parser_init(&connection->parser, &connection->limits);
        return true;
    }
    connection->phase = RESPONSE_BODY;
    h1_body_init(&connection->body, response->framing, response->content_length, &connection->limits);
    call->head_seen = true;
    call->handler->on_head(call, response);
    forget_head(connection);
    return true;
}

/* Chunks that came together are one piece: most are an event of a stream, and a piece costs more than its bytes.  They
 * move up over the lines between them, which nobody needs any more; all of it lies in the inbox or in its scratch. What
 * ends the run is told again by the next h1_body_next(). */
static void join_chunks(struct h1_body *body, struct bytes *input, struct bytes *data)
{
    char *end = (char *)(uintptr_t)(data->data + data->len);
    struct bytes next;
    while (input->len > 0 && h1_body_next(body, input, &next) == H1_BODY_DATA) {
        memmove(end, next.data, next.len);
        end += next.len;
    }
    data->len = (size_t)(end - data->data);
}

static bool step_body(struct client_connection *connection, struct bytes *input)
{
    struct client_call *call = connection->call;
    struct h1_body *body = &connection->body;
    struct bytes data = BYTES("");
    switch (h1_body_next(body, input, &data)) {
    case H1_BODY_NEED_MORE:
        return false;
    case H1_BODY_DATA:
        if (body->framing == HTTP_BODY_CHUNKED)
            join_chunks(body, input, &data);
        if (body->framing == HTTP_BODY_LENGTH && body->left == 0)
            client_complete(connection, data, input->len == 0);
        else
            call->handler->on_body(call, data, false);
        return true;
    case H1_BODY_END:
        client_complete(connection, BYTES(""), input->len == 0);
        return true;
    case H1_BODY_BAD:
        client_fail(connection, CLIENT_FAILURE_BAD_RESPONSE);
        break;
    }
    return false;
}

void client_h1_input(struct client_connection *connection, struct bytes *input)
{
    bool goes_on = true;
    while (goes_on && !connection->is_closed && connection->call != NULL && !connection->is_paused)
        goes_on = connection->phase == RESPONSE_HEAD ? step_head(connection, input) : step_body(connection, input);
}

/* In the middle of the request: not when nothing of it has left yet. */
static bool is_cut_off(const struct client_connection *connection)
{
    const struct client_call *call = connection->call;
    return call->is_open || (client_call_unsent(call) > 0 && !connection->is_to_send);
}

void client_h1_end(struct client_connection *connection, ssize_t error)
{
    bool is_until_close = connection->phase == RESPONSE_BODY && connection->body.framing == HTTP_BODY_UNTIL_CLOSE;
    if (is_until_close && error == 0)
        client_complete(connection, BYTES(""), false);
    else if (connection->has_response)
        client_fail(connection, CLIENT_FAILURE_CUT);
    else
        client_fail(connection, is_cut_off(connection) ? CLIENT_FAILURE_SEND : CLIENT_FAILURE_CLOSED);
}
