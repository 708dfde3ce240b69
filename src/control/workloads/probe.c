/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c: TCP and HTTP checks, each on a fresh connection, as a kubelet makes them. */
#include "control/workloads/probe.h"

#include "http/codec/h1_write.h"
#include "net/transport.h"

/* TCP. */

static void stop_connecting(struct probe_attempt *attempt)
{
    reactor_timer_cancel(attempt->reactor, &attempt->timeout);
    if (attempt->transport != NULL)
        transport_close(attempt->transport, false);
    attempt->transport = NULL;
    attempt->is_connecting = false;
}

static void finish_connecting(struct probe_attempt *attempt, bool ok)
{
    if (!attempt->is_connecting)
        return;
    stop_connecting(attempt);
    attempt->on_result(attempt, ok);
}

static void on_timeout(struct wheel_timer *timer)
{
    finish_connecting(container_of(timer, struct probe_attempt, timeout), false);
}

static void on_connected(struct transport *transport, int error)
{
    finish_connecting(transport->owner_data, error == 0);
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

static void start_tcp(struct probe_attempt *attempt, const struct address *address, uint32_t timeout_ms)
{
    int error = 0;
    attempt->is_connecting = true;
    reactor_timer_set(attempt->reactor, &attempt->timeout, timeout_ms);
    attempt->transport = tcp_connect(attempt->reactor, address, &tcp_owner, attempt, &error);
    if (attempt->transport == NULL) /* the result must not come from inside this call */
        reactor_timer_set(attempt->reactor, &attempt->timeout, 0);
}

/* HTTP. */

static void on_got(struct single_call *get, enum single_end end)
{
    struct probe_attempt *attempt = container_of(get, struct probe_attempt, get);
    attempt->on_result(attempt, end == SINGLE_ANSWERED && get->status >= 200 && get->status < 400);
}

static void start_http(struct probe_attempt *attempt, const struct address *address, const char *path,
                       uint32_t timeout_ms)
{
    char host[ADDRESS_TEXT_SIZE];
    address_text(address, host);
    buffer_clear(&attempt->head);
    h1_write_request_line(&attempt->head, BYTES("GET"), bytes_of(path));
    h1_write_field(&attempt->head, BYTES("Host"), bytes_of(host));
    h1_write_field(&attempt->head, BYTES("User-Agent"), BYTES("serin-probe"));
    h1_write_field(&attempt->head, BYTES("Connection"), BYTES("close"));
    h1_write_end_of_head(&attempt->head);
    single_call_start(&attempt->get, &(struct single_request){.to = address,
                                                              .method = HTTP_GET,
                                                              .head = buffer_bytes(&attempt->head),
                                                              .timeout_ms = timeout_ms});
}

void probe_init(struct probe_attempt *attempt, struct reactor *reactor,
                void (*on_result)(struct probe_attempt *attempt, bool ok))
{
    memset(attempt, 0, sizeof *attempt);
    attempt->reactor = reactor;
    attempt->on_result = on_result;
    wheel_timer_init(&attempt->timeout, on_timeout);
    single_call_init(&attempt->get, reactor, on_got);
}

void probe_start(struct probe_attempt *attempt, const struct address *address, const char *path, uint32_t timeout_ms)
{
    if (attempt->is_connecting || attempt->get.is_running)
        return;
    if (path != NULL)
        start_http(attempt, address, path, timeout_ms);
    else
        start_tcp(attempt, address, timeout_ms);
}

void probe_cancel(struct probe_attempt *attempt)
{
    single_call_stop(&attempt->get);
    if (attempt->is_connecting)
        stop_connecting(attempt);
}

void probe_deinit(struct probe_attempt *attempt)
{
    probe_cancel(attempt);
    single_call_deinit(&attempt->get);
    buffer_deinit(&attempt->head);
}
