/* SPDX-License-Identifier: Apache-2.0 */
/* single_call.c: a client call whose connection nobody keeps. */
#include "http/single_call.h"

void single_call_stop(struct single_call *single)
{
    if (!single->is_running)
        return;
    reactor_timer_cancel(single->reactor, &single->timeout);
    if (single->connection != NULL)
        client_connection_close(single->connection);
    single->connection = NULL;
    single->is_running = false;
}

static void finish(struct single_call *single, enum single_end end)
{
    if (!single->is_running)
        return;
    single_call_stop(single);
    single->on_done(single, end);
}

static struct single_call *single_of(struct client_call *call)
{
    return container_of(call, struct single_call, call);
}

static void on_timeout(struct wheel_timer *timer)
{
    finish(container_of(timer, struct single_call, timeout), SINGLE_TIMED_OUT);
}

static void on_head(struct client_call *call, const struct http_response *response)
{
    single_of(call)->status = response->status;
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    struct single_call *single = single_of(call);
    if (buffer_len(&single->answer) + chunk.len <= single->keep_bytes)
        buffer_append(&single->answer, chunk);
    else
        single->is_truncated = true;
    if (last)
        finish(single, SINGLE_ANSWERED);
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    single_of(call)->failure = failure;
    finish(single_of(call), SINGLE_FAILED);
}

static const struct client_call_handler handler = {.on_head = on_head, .on_body = on_body, .on_failed = on_failed};

static void on_idle(struct client_connection *connection)
{
    (void)connection;
}

static void on_closed(struct client_connection *connection)
{
    struct single_call *single = client_connection_data(connection);
    if (single->connection == connection)
        single->connection = NULL;
}

static const struct client_owner owner = {.on_idle = on_idle, .on_closed = on_closed};

void single_call_init(struct single_call *single, struct reactor *reactor,
                      void (*on_done)(struct single_call *single, enum single_end end))
{
    *single = (struct single_call){.reactor = reactor, .on_done = on_done};
    wheel_timer_init(&single->timeout, on_timeout);
}

static struct iovec piece_of(struct bytes bytes)
{
    return (struct iovec){(void *)(uintptr_t)bytes.data, bytes.len};
}

void single_call_start(struct single_call *single, const struct single_request *request)
{
    if (single->is_running)
        return;
    single->is_running = true;
    single->status = 0;
    single->is_truncated = false;
    single->keep_bytes = request->keep_bytes;
    buffer_clear(&single->answer);
    single->pieces[0] = piece_of(request->head);
    single->pieces[1] = piece_of(request->body);
    reactor_timer_set(single->reactor, &single->timeout, request->timeout_ms);
    single->connection = client_connect(single->reactor, request->to,
                                        request->config != NULL ? request->config : &client_defaults, &owner, single);
    client_call_start(&single->call, single->connection, request->method, single->pieces, request->body.len > 0 ? 2 : 1,
                      &handler);
}

void single_call_deinit(struct single_call *single)
{
    single_call_stop(single);
    buffer_deinit(&single->answer);
}
