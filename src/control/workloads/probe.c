/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c: TCP and HTTP checks, each on a fresh connection, as a kubelet makes them. */
#include "control/workloads/probe.h"

#include "http/codec/h1_write.h"
#include "net/transport.h"

static void close_all(struct probe_attempt *attempt)
{
    reactor_timer_cancel(attempt->reactor, &attempt->timeout);
    if (attempt->transport != NULL)
        transport_close(attempt->transport, false);
    if (attempt->connection != NULL)
        client_connection_close(attempt->connection);
    attempt->transport = NULL;
    attempt->connection = NULL;
    attempt->is_running = false;
}

static void finish(struct probe_attempt *attempt, bool ok)
{
    if (!attempt->is_running)
        return;
    close_all(attempt);
    attempt->on_result(attempt, ok);
}

static void on_timeout(struct wheel_timer *timer)
{
    finish(container_of(timer, struct probe_attempt, timeout), false);
}

static void on_connected(struct transport *transport, int error)
{
    finish(transport->owner_data, error == 0);
}

static void on_ignored(struct transport *transport)
{
    (void)transport;
}

static const struct transport_owner tcp_owner = {
    .on_connected = on_connected,
    .on_readable = on_ignored,
    .on_writable = on_ignored,
    .on_peer_gone = on_ignored,
};

static struct probe_attempt *attempt_of(struct client_call *call)
{
    return container_of(call, struct probe_attempt, call);
}

static void on_head(struct client_call *call, const struct http_response *response)
{
    attempt_of(call)->is_good = response->status >= 200 && response->status < 400;
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    (void)chunk;
    if (last)
        finish(attempt_of(call), attempt_of(call)->is_good);
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    (void)failure;
    finish(attempt_of(call), false);
}

static const struct client_call_handler call_handler = {.on_head = on_head, .on_body = on_body, .on_failed = on_failed};

static void on_client_idle(struct client_connection *connection)
{
    (void)connection;
}

static void on_client_closed(struct client_connection *connection)
{
    struct probe_attempt *attempt = client_connection_data(connection);
    if (attempt->connection == connection)
        attempt->connection = NULL;
}

static const struct client_owner client_owner = {.on_idle = on_client_idle, .on_closed = on_client_closed};

void probe_init(struct probe_attempt *attempt, struct reactor *reactor,
                void (*on_result)(struct probe_attempt *attempt, bool ok))
{
    memset(attempt, 0, sizeof *attempt);
    attempt->reactor = reactor;
    attempt->on_result = on_result;
    wheel_timer_init(&attempt->timeout, on_timeout);
}

static void start_http(struct probe_attempt *attempt, const struct address *address, const char *path)
{
    char host[ADDRESS_TEXT_SIZE];
    address_text(address, host);
    attempt->is_good = false;
    buffer_clear(&attempt->head);
    h1_write_request_line(&attempt->head, BYTES("GET"), bytes_of(path));
    h1_write_field(&attempt->head, BYTES("Host"), bytes_of(host));
    h1_write_field(&attempt->head, BYTES("User-Agent"), BYTES("serin-probe"));
    h1_write_field(&attempt->head, BYTES("Connection"), BYTES("close"));
    h1_write_end_of_head(&attempt->head);
    struct bytes head = buffer_bytes(&attempt->head);
    attempt->piece = (struct iovec){(void *)(uintptr_t)head.data, head.len};
    attempt->connection = client_connect(attempt->reactor, address, &client_defaults, &client_owner, attempt);
    client_call_start(&attempt->call, attempt->connection, HTTP_GET, &attempt->piece, 1, &call_handler);
}

void probe_start(struct probe_attempt *attempt, const struct address *address, const char *path, uint32_t timeout_ms)
{
    if (attempt->is_running)
        return;
    attempt->is_running = true;
    reactor_timer_set(attempt->reactor, &attempt->timeout, timeout_ms);
    if (path != NULL) {
        start_http(attempt, address, path);
        return;
    }
    int error = 0;
    attempt->transport = tcp_connect(attempt->reactor, address, &tcp_owner, attempt, &error);
    if (attempt->transport == NULL) /* the result must not come from inside this call */
        reactor_timer_set(attempt->reactor, &attempt->timeout, 0);
}

void probe_cancel(struct probe_attempt *attempt)
{
    if (attempt->is_running)
        close_all(attempt);
}

void probe_deinit(struct probe_attempt *attempt)
{
    probe_cancel(attempt);
    buffer_deinit(&attempt->head);
}
