/* SPDX-License-Identifier: Apache-2.0 */
/* server_connection.c: a client's connection below its protocol: receiving, corked sending, deadlines, closing.
 *
 * The hot path costs no epoll_ctl and no timer work: reading stays wanted while a response is pending (the first bytes
 * that come too early are kept, only the second lot stops the reading), and the one timer is left where it is as long
 * as it is due no later than the deadline: when it fires it looks again. */
#include "http/server_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "http/inbox.h"
#include "net/tls.h"

enum { MAX_PIECES = 4 };

static void arm_timer(struct http_connection *connection, uint64_t due_ms)
{
    struct reactor *reactor = connection->server->reactor;
    if (wheel_timer_is_armed(&connection->timer) && connection->timer.due_ms <= due_ms)
        return;
    uint64_t now_ms = reactor_now_ms(reactor);
    reactor_timer_set(reactor, &connection->timer, due_ms > now_ms ? due_ms - now_ms : 0);
}

void connection_set_deadline(struct http_connection *connection, uint64_t delay_ms)
{
    connection->deadline_ms = reactor_now_ms(connection->server->reactor) + delay_ms;
    arm_timer(connection, connection->deadline_ms);
}

void connection_clear_deadline(struct http_connection *connection)
{
    connection->deadline_ms = NO_DEADLINE;
}

void connection_rest(struct http_connection *connection)
{
    const struct http_server_config *config = &connection->server->config;
    connection->rest_since_ms = reactor_now_ms(connection->server->reactor);
    connection_set_deadline(connection, connection->is_draining ? config->drain_idle_ms : config->idle_timeout_ms);
}

bool connection_is_at_rest(const struct http_connection *connection)
{
    return connection->ending == ENDING_NOT && connection->protocol->is_idle(connection) &&
           buffer_is_empty(&connection->out);
}

static void cut_slow_reader(struct http_connection *connection)
{
    server_tell_bad_request(connection->server, "slow_reader", 0);
    connection_cut(connection);
}

static void on_timer(struct wheel_timer *timer)
{
    struct http_connection *connection = container_of(timer, struct http_connection, timer);
    uint64_t now_ms = reactor_now_ms(connection->server->reactor);
    if (connection->send_deadline_ms <= now_ms)
        cut_slow_reader(connection);
    else if (connection->deadline_ms <= now_ms && connection->ending != ENDING_NOT)
        connection_close(connection, false);
    else if (connection->deadline_ms <= now_ms && connection->is_draining && connection_is_at_rest(connection))
        connection_wake(connection); /* see pump() */
    else if (connection->deadline_ms <= now_ms)
        connection->protocol->deadline(connection);
    if (connection->is_closed)
        return;
    uint64_t next_ms =
        connection->send_deadline_ms < connection->deadline_ms ? connection->send_deadline_ms : connection->deadline_ms;
    if (next_ms != NO_DEADLINE)
        arm_timer(connection, next_ms);
}

static void on_reclaim(struct reactor_reclaim *reclaim)
{
    struct http_connection *connection = container_of(reclaim, struct http_connection, reclaim);
    struct http_server *server = connection->server;
    connection->protocol->release(connection);
    buffer_deinit(&connection->in);
    buffer_deinit(&connection->out);
    free(connection);
    server_connection_freed(server);
}

void connection_close(struct http_connection *connection, bool reset)
{
    struct http_server *server = connection->server;
    if (connection->is_closed)
        return;
    connection->is_closed = true;
    memory_budget_note(server->config.budget, &connection->counted_bytes, 0);
    server_forget_connection(server, connection);
    reactor_timer_cancel(server->reactor, &connection->timer);
    reactor_task_cancel(&connection->task);
    transport_close(connection->transport, reset);
    connection->reclaim.reclaim = on_reclaim;
    list_init(&connection->reclaim.link);
    reactor_reclaim_later(server->reactor, &connection->reclaim);
}

void connection_cut(struct http_connection *connection)
{
    if (connection->is_closed)
        return;
    connection_close(connection, true);
    connection->protocol->abandon(connection);
}

void connection_wake(struct http_connection *connection)
{
    if (!connection->is_closed)
        reactor_task_schedule(connection->server->reactor, &connection->task);
}

struct buffer *connection_out(struct http_connection *connection)
{
    if (connection->out.data == NULL)
        server_take_out(connection->server, &connection->out);
    connection_wake(connection);
    return &connection->out;
}

/* After output has left, or has not. */
static void note_sending(struct http_connection *connection, bool progress)
{
    bool was_blocked = connection->is_blocked;
    connection->is_blocked = !buffer_is_empty(&connection->out);
    transport_want_write(connection->transport, connection->is_blocked);
    if (!connection->is_blocked) {
        connection->send_deadline_ms = NO_DEADLINE;
        if (connection->out.data != NULL)
            server_give_back_out(connection->server, &connection->out);
    } else if (progress || !was_blocked) {
        struct http_server *server = connection->server;
        connection->send_deadline_ms = reactor_now_ms(server->reactor) + server->config.send_timeout_ms;
        arm_timer(connection, connection->send_deadline_ms);
    }
}

void connection_send_now(struct http_connection *connection, const struct bytes *pieces, int count)
{
    struct iovec vector[MAX_PIECES];
    int used = 0;
    ssize_t sent = -EAGAIN;
    if (!connection->is_blocked && !connection->is_broken && !connection->is_closed) {
        struct bytes queued = buffer_bytes(&connection->out);
        if (queued.len > 0)
            vector[used++] = (struct iovec){(void *)(uintptr_t)queued.data, queued.len};
        for (int i = 0; i < count; i++)
            vector[used++] = (struct iovec){(void *)(uintptr_t)pieces[i].data, pieces[i].len};
        sent = transport_sendv(connection->transport, vector, used);
        connection->is_broken = sent < 0 && sent != -EAGAIN;
    }
    size_t taken = sent > 0 ? (size_t)sent : 0;
    connection->sent_bytes += taken;
    size_t of_queue = taken < buffer_len(&connection->out) ? taken : buffer_len(&connection->out);
    buffer_consume(&connection->out, of_queue);
    taken -= of_queue;
    for (int i = 0; i < count; i++) {
        size_t of_piece = taken < pieces[i].len ? taken : pieces[i].len;
        if (of_piece < pieces[i].len)
            buffer_append(connection_out(connection), bytes_skip(pieces[i], of_piece));
        taken -= of_piece;
    }
    if (connection->is_broken)
        connection_wake(connection);
    else if (!connection->is_closed)
        note_sending(connection, sent > 0);
}

/* False when the connection is gone. */
static bool flush(struct http_connection *connection)
{
    struct bytes queued = buffer_bytes(&connection->out);
    if (queued.len == 0) {
        note_sending(connection, false);
        return true;
    }
    struct iovec piece = {(void *)(uintptr_t)queued.data, queued.len};
    ssize_t sent = transport_sendv(connection->transport, &piece, 1);
    if (sent < 0 && sent != -EAGAIN) {
        connection_cut(connection);
        return false;
    }
    if (sent > 0) {
        connection->sent_bytes += (uint64_t)sent;
        buffer_consume(&connection->out, (size_t)sent);
    }
    note_sending(connection, sent > 0);
    return true;
}

static void start_lingering(struct http_connection *connection)
{
    connection->ending = ENDING_LINGERS;
    connection->linger_until_ms = reactor_now_ms(connection->server->reactor) + LINGER_TOTAL_MS;
    connection->transport->ops->shutdown_write(connection->transport);
    connection_set_deadline(connection, LINGER_SILENCE_MS);
}

void connection_end(struct http_connection *connection, bool linger)
{
    connection->ending = linger ? ENDING_LINGER : ENDING_CLOSE;
    connection_clear_deadline(connection);
    connection_wake(connection);
}

static void discard(struct http_connection *connection, size_t count)
{
    if (connection->ending != ENDING_LINGERS)
        return; /* bounded by the sending, which has a deadline of its own */
    uint64_t now_ms = reactor_now_ms(connection->server->reactor);
    connection->lingered_bytes += (uint32_t)count;
    if (connection->lingered_bytes > LINGER_MAX_BYTES || now_ms > connection->linger_until_ms)
        connection_close(connection, false);
    else
        connection_set_deadline(connection, LINGER_SILENCE_MS);
}

/* What stays behind this turn. */
static void note_memory(struct http_connection *connection)
{
    size_t kept = connection->in.tail + (connection->is_blocked ? connection->out.tail : 0);
    memory_budget_note(connection->server->config.budget, &connection->counted_bytes, kept);
}

static void feed(struct http_connection *connection, struct bytes input)
{
    if (connection->ending == ENDING_NOT)
        connection->protocol->input(connection, &input);
    if (connection->is_closed)
        return;
    if (connection->ending != ENDING_NOT) {
        discard(connection, input.len);
        input.len = 0;
    }
    inbox_keep(&connection->in, input);
    note_memory(connection);
}

static bool wants_input(const struct http_connection *connection)
{
    if (connection->ending == ENDING_NOT)
        return connection->protocol->wants_input(connection);
    return connection->ending != ENDING_CLOSE;
}

/* End of stream or an error.  Half-closing counts as leaving: a client that waits for its answer keeps its side open.
 * What is complete and queued still goes out. */
static void peer_gone(struct http_connection *connection)
{
    if (connection->protocol->is_busy(connection)) {
        connection_cut(connection);
    } else if (buffer_is_empty(&connection->out)) {
        connection_close(connection, false);
    } else {
        connection->ending = ENDING_CLOSE;
        connection->is_blocked = false; /* after a reset the next attempt fails, which ends the connection */
        connection_clear_deadline(connection);
        transport_want_read(connection->transport, false);
        connection_wake(connection);
    }
}

static void receive(struct http_connection *connection)
{
    char scratch[INBOX_SCRATCH_BYTES];
    bool is_full = true;
    for (int round = 0; round < INBOX_MAX_ROUNDS && is_full && !connection->is_closed; round++) {
        if (!wants_input(connection) && (connection->ending != ENDING_NOT || !buffer_is_empty(&connection->in))) {
            transport_want_read(connection->transport, false);
            return;
        }
        struct bytes input;
        size_t room = 0;
        char *into = buffer_is_empty(&connection->in) ? connection->protocol->body_room(connection, &room) : NULL;
        if (into == NULL) {
            into = scratch;
            room = round == 0 ? INBOX_FIRST_BYTES : sizeof scratch;
        }
        ssize_t got = inbox_recv(&connection->in, connection->transport, into, room, &input, &is_full);
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            if (got == -EPROTO)
                server_tell_bad_request(connection->server, "tls_handshake", 0);
            peer_gone(connection);
            return;
        }
        feed(connection, input);
    }
}

bool connection_close_at_rest(struct http_connection *connection)
{
    if (connection_is_at_rest(connection))
        receive(connection);
    if (!connection->is_closed && connection_is_at_rest(connection))
        connection_close(connection, false);
    return connection->is_closed;
}

/* A request may have arrived just now, or be on its way: closing would throw it away. */
static void drain_idle(struct http_connection *connection)
{
    uint64_t until_ms = connection->rest_since_ms + connection->server->config.drain_idle_ms;
    uint64_t now_ms = reactor_now_ms(connection->server->reactor);
    if (now_ms < until_ms) {
        connection_set_deadline(connection, until_ms - now_ms);
        return;
    }
    connection_close_at_rest(connection);
}

/* The output is out. */
static void end_now(struct http_connection *connection)
{
    if (connection->ending == ENDING_CLOSE)
        connection_close(connection, false);
    else if (connection->ending == ENDING_LINGER)
        start_lingering(connection);
}

/* What the end of a turn and writability do: go on with the input, send, tell that there is room, end. */
static void pump(struct http_connection *connection)
{
    if (connection->is_broken) {
        connection_cut(connection);
        return;
    }
    feed(connection, buffer_bytes(&connection->in));
    if (connection->is_closed || (!connection->is_blocked && !flush(connection)))
        return;
    note_memory(connection);
    /* What the input queued has just left; only input that was held back needs another turn. */
    if (!connection->is_held_back)
        reactor_task_cancel(&connection->task);
    if (connection->ending == ENDING_NOT)
        connection->protocol->sent(connection);
    else if (buffer_is_empty(&connection->out))
        end_now(connection);
    if (connection->is_closed)
        return;
    if (wants_input(connection))
        transport_want_read(connection->transport, true);
    if (connection->is_draining && connection_is_at_rest(connection))
        drain_idle(connection);
}

static void on_task(struct reactor_task *task)
{
    pump(container_of(task, struct http_connection, task));
}

static void on_readable(struct transport *transport)
{
    receive(transport->owner_data);
}

static void on_writable(struct transport *transport)
{
    struct http_connection *connection = transport->owner_data;
    connection->is_blocked = false;
    pump(connection);
}

static void on_peer_gone(struct transport *transport)
{
    peer_gone(transport->owner_data);
}

static void on_connected(struct transport *transport, int error)
{
    (void)transport, (void)error; /* client side only */
}

static const struct transport_owner transport_owner = {
    .on_connected = on_connected,
    .on_readable = on_readable,
    .on_writable = on_writable,
    .on_peer_gone = on_peer_gone,
};

static struct transport *adopt(struct http_connection *connection, struct http_server *server, int fd)
{
    struct tls_server *tls = server->config.tls;
    return tls != NULL ? tls_adopt(server->reactor, fd, tls, &transport_owner, connection)
                       : tcp_adopt(server->reactor, fd, &transport_owner, connection);
}

struct http_connection *connection_open(struct http_server *server, int fd, const struct address *peer,
                                        void *listener_data)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        abort();
    connection->transport = adopt(connection, server, fd);
    if (connection->transport == NULL) {
        free(connection);
        return NULL;
    }
    connection->server = server;
    connection->protocol = &h1_protocol;
    connection->listener_data = listener_data;
    if (peer != NULL)
        connection->peer = *peer;
    connection->send_deadline_ms = NO_DEADLINE;
    connection->is_draining = server->is_draining;
    list_init(&connection->link);
    wheel_timer_init(&connection->timer, on_timer);
    reactor_task_init(&connection->task, on_task);
    connection_rest(connection);
    return connection;
}
