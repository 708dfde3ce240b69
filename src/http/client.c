/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: a connection to a server: connecting, sending requests from where they lie, and its end.
 *
 * Runs on the reactor's thread.  What a call from outside finds out (a socket that cannot be opened, a send that fails)
 * is told by the connection's task at the end of the turn.  A connection without a call keeps reading: bytes or an end
 * that nobody asked for close it. */
#include "http/client_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "http/inbox.h"
#include "net/tls.h"

const struct client_config client_defaults = {
    .limits = {.max_target_bytes = 8 * 1024,
               .max_line_bytes = 16 * 1024,
               .max_head_bytes = 64 * 1024,
               .max_fields = 100}, /* = h1_default_limits, which is no constant expression */
    .connect_timeout_ms = 5000,
};

const char *client_failure_text(enum client_failure failure)
{
    switch (failure) {
#define X(id, text)                                                                                                    \
    case CLIENT_FAILURE_##id:                                                                                          \
        return text;
        CLIENT_FAILURES(X)
#undef X
    }
    return "";
}

static void on_reclaim(struct reactor_reclaim *reclaim)
{
    struct client_connection *connection = container_of(reclaim, struct client_connection, reclaim);
    if (!connection->shares_arena)
        arena_free(connection->arena);
    buffer_deinit(&connection->in);
    free(connection);
}

/* What stays behind this turn. */
static void note_memory(struct client_connection *connection)
{
    size_t kept = connection->is_closed ? 0 : connection->in.tail;
    if (connection->call != NULL)
        kept += connection->call->unsent.tail;
    memory_budget_note(connection->budget, &connection->counted_bytes, kept);
}

/* Tells nobody. */
static void close_now(struct client_connection *connection, bool reset)
{
    if (connection->is_closed)
        return;
    connection->is_closed = true;
    note_memory(connection);
    reactor_timer_cancel(connection->reactor, &connection->timer);
    reactor_task_cancel(&connection->task);
    if (connection->transport != NULL)
        transport_close(connection->transport, reset);
}

/* The last callback; the memory goes at the end of the turn. */
static void tell_closed(struct client_connection *connection)
{
    if (connection->is_owner_gone)
        return;
    connection->is_owner_gone = true;
    reactor_reclaim_later(connection->reactor, &connection->reclaim);
    if (connection->owner->on_closed != NULL)
        connection->owner->on_closed(connection);
}

static struct client_call *detach_call(struct client_connection *connection)
{
    struct client_call *call = connection->call;
    connection->call = NULL;
    if (call != NULL) {
        call->connection = NULL;
        buffer_deinit(&call->unsent);
        note_memory(connection);
    }
    return call;
}

void client_fail(struct client_connection *connection, enum client_failure failure)
{
    struct client_call *call = detach_call(connection);
    close_now(connection, true);
    if (call != NULL)
        call->handler->on_failed(call, failure);
    tell_closed(connection);
}

void client_complete(struct client_connection *connection, struct bytes chunk, bool may_go_on)
{
    /* A server that answers before it has read the request will not read another one behind the rest. */
    const struct client_call *ended = connection->call;
    bool is_reusable =
        may_go_on && connection->response.keep_alive && !ended->is_open && client_call_unsent(ended) == 0;
    struct client_call *call = detach_call(connection);
    connection->served++;
    call->handler->on_body(call, chunk, true);
    if (connection->is_closed)
        return;
    if (!connection->shares_arena)
        arena_reset(connection->arena);
    if (is_reusable) {
        transport_pace(connection->transport, false);
        if (connection->owner->on_idle != NULL)
            connection->owner->on_idle(connection);
        return;
    }
    close_now(connection, false);
    tell_closed(connection);
}

/* Moves the call's view behind what has left. */
static void skip_pieces(struct client_call *call, size_t sent)
{
    while (call->piece_count > 0 && sent >= call->pieces->iov_len) {
        sent -= call->pieces->iov_len;
        call->pieces++;
        call->piece_count--;
    }
    if (sent > 0) {
        call->pieces->iov_base = (char *)call->pieces->iov_base + sent;
        call->pieces->iov_len -= sent;
    }
}

/* What the socket took.  A server may answer and close before it has read everything: after an error the response still
 * has its chance. */
static size_t send_now(struct client_connection *connection, const struct iovec *pieces, int count)
{
    if (connection->is_request_dead)
        return 0;
    ssize_t sent = transport_sendv(connection->transport, pieces, count);
    if (sent < 0 && sent != -EAGAIN) {
        connection->is_request_dead = true;
        reactor_task_schedule(connection->reactor, &connection->task);
    }
    return sent > 0 ? (size_t)sent : 0;
}

static void send_pieces(struct client_connection *connection)
{
    struct client_call *call = connection->call;
    if (call->piece_count > 0)
        skip_pieces(call, send_now(connection, call->pieces, call->piece_count));
    if (call->piece_count == 0 && !buffer_is_empty(&call->unsent)) {
        struct bytes unsent = buffer_bytes(&call->unsent);
        struct iovec piece = {(void *)(uintptr_t)unsent.data, unsent.len};
        buffer_consume(&call->unsent, send_now(connection, &piece, 1));
    }
    note_memory(connection);
    bool waits = call->piece_count > 0 || !buffer_is_empty(&call->unsent);
    transport_want_write(connection->transport, waits && !connection->is_request_dead);
}

/* The request of a call that has begun in this turn, if it is still here. */
static void send_begun(struct client_connection *connection)
{
    if (!connection->is_to_send)
        return;
    connection->is_to_send = false;
    send_pieces(connection);
}

/* From events only. */
static void go_on_sending(struct client_connection *connection)
{
    struct client_call *call = connection->call;
    send_pieces(connection);
    if (call->is_open && call->handler->on_sent != NULL && client_call_unsent(call) == 0)
        call->handler->on_sent(call);
}

static void feed(struct client_connection *connection, struct bytes input)
{
    client_h1_input(connection, &input);
    if (connection->is_closed)
        return;
    inbox_keep(&connection->in, input);
    note_memory(connection);
}

/* Bytes or the end without a call: nothing of it can be trusted. */
static void receive_unasked(struct client_connection *connection)
{
    char byte;
    if (transport_recv(connection->transport, &byte, 1) == -EAGAIN)
        return;
    close_now(connection, false);
    tell_closed(connection);
}

static void receive(struct client_connection *connection)
{
    char scratch[INBOX_SCRATCH_BYTES];
    bool is_full = true;
    for (int round = 0; round < INBOX_MAX_ROUNDS && is_full; round++) {
        struct bytes input;
        ssize_t got = inbox_recv(&connection->in, connection->transport, scratch, sizeof scratch, &input, &is_full);
        if (got == -EAGAIN && !connection->is_request_dead)
            return;
        if (got <= 0) {
            client_h1_end(connection, got);
            return;
        }
        feed(connection, input);
        if (connection->is_closed || connection->call == NULL || connection->is_paused)
            return;
    }
}

static void on_readable(struct transport *transport)
{
    struct client_connection *connection = transport->owner_data;
    if (connection->call == NULL)
        receive_unasked(connection);
    else if (connection->is_paused)
        transport_want_read(transport, false);
    else
        receive(connection);
}

static void on_writable(struct transport *transport)
{
    struct client_connection *connection = transport->owner_data;
    if (connection->call != NULL)
        go_on_sending(connection);
    else
        transport_want_write(transport, false);
}

/* Only while paused: what arrived before the end is still to be read, so that the end is met after resuming. */
static void on_peer_gone(struct transport *transport)
{
    (void)transport;
}

static enum client_failure connect_failure(int error)
{
    switch (error) {
    case -EPROTO:
        return CLIENT_FAILURE_TLS;
    case -EKEYREJECTED:
        return CLIENT_FAILURE_UNTRUSTED;
    case -ETIMEDOUT:
        return CLIENT_FAILURE_CONNECT_TIMEOUT;
    default:
        return CLIENT_FAILURE_CONNECT;
    }
}

static void on_connected(struct transport *transport, int error)
{
    struct client_connection *connection = transport->owner_data;
    reactor_timer_cancel(connection->reactor, &connection->timer);
    if (error != 0) {
        client_fail(connection, connect_failure(error));
        return;
    }
    connection->is_connecting = false;
    if (connection->call != NULL)
        go_on_sending(connection);
}

static const struct transport_owner transport_owner = {
    .on_connected = on_connected,
    .on_readable = on_readable,
    .on_writable = on_writable,
    .on_peer_gone = on_peer_gone,
};

static void on_connect_timeout(struct wheel_timer *timer)
{
    client_fail(container_of(timer, struct client_connection, timer), CLIENT_FAILURE_CONNECT_TIMEOUT);
}

static bool is_receiving(const struct client_connection *connection)
{
    return !connection->is_closed && connection->call != NULL && !connection->is_paused;
}

/* After a pause, or when the request cannot be sent. */
static void go_on_receiving(struct client_connection *connection)
{
    bool was_paused = connection->was_paused;
    connection->was_paused = false;
    if (was_paused && is_receiving(connection)) /* also without input: the end may be all that is still to be told */
        feed(connection, buffer_bytes(&connection->in));
    if (is_receiving(connection) && connection->is_request_dead)
        receive(connection);
}

/* What could not be told where it was found, and what leaves at the end of the turn. */
static void on_task(struct reactor_task *task)
{
    struct client_connection *connection = container_of(task, struct client_connection, task);
    if (connection->is_closed) {
        tell_closed(connection);
    } else if (connection->transport == NULL) {
        client_fail(connection, CLIENT_FAILURE_CONNECT);
    } else if (connection->call != NULL) {
        send_begun(connection);
        go_on_receiving(connection);
    }
}

struct client_connection *client_connect(struct reactor *reactor, const struct address *to,
                                         const struct client_config *config, const struct client_owner *owner,
                                         void *owner_data)
{
    struct client_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        abort();
    connection->reactor = reactor;
    connection->limits = config->limits;
    connection->budget = config->budget;
    connection->owner = owner;
    connection->owner_data = owner_data;
    connection->shares_arena = config->head_arena != NULL;
    connection->arena = connection->shares_arena ? config->head_arena : arena_new(CLIENT_ARENA_BYTES);
    connection->is_connecting = true;
    wheel_timer_init(&connection->timer, on_connect_timeout);
    reactor_task_init(&connection->task, on_task);
    connection->reclaim.reclaim = on_reclaim;
    list_init(&connection->reclaim.link);
    int error = 0;
    if (config->trust == NULL)
        connection->transport = tcp_connect(reactor, to, &transport_owner, connection, &error);
    else
        connection->transport =
            tls_connect(reactor, to, config->trust, config->server_name, &transport_owner, connection, &error);
    if (connection->transport == NULL)
        reactor_task_schedule(reactor, &connection->task);
    else
        reactor_timer_set(reactor, &connection->timer, config->connect_timeout_ms);
    return connection;
}

void *client_connection_data(const struct client_connection *connection)
{
    return connection->owner_data;
}

void client_connection_close(struct client_connection *connection)
{
    bool is_busy = detach_call(connection) != NULL;
    close_now(connection, is_busy);
    reactor_task_cancel(&connection->task);
    if (connection->is_owner_gone)
        return;
    connection->is_owner_gone = true;
    reactor_reclaim_later(connection->reactor, &connection->reclaim);
}

bool client_connection_is_usable(const struct client_connection *connection)
{
    return !connection->is_closed && !connection->is_connecting && connection->call == NULL;
}

unsigned client_connection_served(const struct client_connection *connection)
{
    return connection->served;
}

void client_call_start(struct client_call *call, struct client_connection *connection, enum http_method method,
                       struct iovec *pieces, int piece_count, const struct client_call_handler *handler)
{
    assert(connection->call == NULL && !connection->is_closed);
    *call = (struct client_call){
        .handler = handler, .connection = connection, .pieces = pieces, .piece_count = piece_count, .method = method};
    connection->call = call;
    connection->is_paused = connection->was_paused = false;
    connection->is_request_dead = false;
    client_h1_start(connection);
    connection->is_to_send = !connection->is_connecting;
    if (connection->is_to_send)
        reactor_task_schedule(connection->reactor, &connection->task);
}

void client_call_keep_open(struct client_call *call)
{
    call->is_open = call->connection != NULL;
    if (call->is_open)
        send_begun(call->connection);
}

void client_call_send(struct client_call *call, const struct bytes *pieces, int count, bool last)
{
    struct client_connection *connection = call->connection;
    struct iovec vector[CLIENT_SEND_PIECES];
    if (connection == NULL)
        return;
    assert(call->is_open && count <= CLIENT_SEND_PIECES);
    call->is_open = !last;
    size_t taken = 0;
    if (!connection->is_connecting && client_call_unsent(call) == 0 && count > 0) {
        for (int i = 0; i < count; i++)
            vector[i] = (struct iovec){(void *)(uintptr_t)pieces[i].data, pieces[i].len};
        taken = send_now(connection, vector, count);
    }
    for (int i = 0; i < count && !connection->is_request_dead; i++) {
        size_t of_piece = taken < pieces[i].len ? taken : pieces[i].len;
        buffer_append(&call->unsent, bytes_skip(pieces[i], of_piece));
        taken -= of_piece;
    }
    note_memory(connection);
    if (!connection->is_connecting)
        transport_want_write(connection->transport, client_call_unsent(call) > 0 && !connection->is_request_dead);
}

size_t client_call_unsent(const struct client_call *call)
{
    size_t unsent = buffer_len(&call->unsent);
    for (int i = 0; i < call->piece_count; i++)
        unsent += call->pieces[i].iov_len;
    return unsent;
}

void client_call_pause(struct client_call *call)
{
    if (call->connection != NULL)
        call->connection->is_paused = true;
}

void client_call_resume(struct client_call *call)
{
    struct client_connection *connection = call->connection;
    if (connection == NULL || !connection->is_paused)
        return;
    connection->is_paused = false;
    connection->was_paused = true;
    transport_want_read(connection->transport, true);
    reactor_task_schedule(connection->reactor, &connection->task);
}

void client_call_pace(struct client_call *call)
{
    if (call->connection != NULL)
        transport_pace(call->connection->transport, true);
}

void client_call_cancel(struct client_call *call)
{
    struct client_connection *connection = call->connection;
    if (connection == NULL)
        return;
    detach_call(connection);
    close_now(connection, true);
    reactor_task_schedule(connection->reactor, &connection->task); /* tells the owner */
}
