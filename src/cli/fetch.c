/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c: a client call on a reactor of its own, turned until the call is over. */
#include "cli/fetch.h"

#include "http/client.h"
#include "http/codec/h1_write.h"

#define TIMEOUT_MS       10000
#define MAX_ANSWER_BYTES (16u << 20)

struct fetching {
    struct client_call call;
    struct buffer *out;
    struct wheel_timer timeout;
    int status;
    const char *why; /* NULL while it is going well */
    bool is_over;
};

static void on_head(struct client_call *call, const struct http_response *response)
{
    container_of(call, struct fetching, call)->status = (int)response->status;
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    struct fetching *fetching = container_of(call, struct fetching, call);
    if (buffer_len(fetching->out) + chunk.len <= MAX_ANSWER_BYTES)
        buffer_append(fetching->out, chunk);
    fetching->is_over = last;
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    struct fetching *fetching = container_of(call, struct fetching, call);
    fetching->why = client_failure_text(failure);
    fetching->is_over = true;
}

static void on_timeout(struct wheel_timer *timer)
{
    struct fetching *fetching = container_of(timer, struct fetching, timeout);
    fetching->why = "no answer within 10 s";
    fetching->is_over = true;
}

static void on_connection_event(struct client_connection *connection)
{
    (void)connection;
}

static const struct client_call_handler handler = {.on_head = on_head, .on_body = on_body, .on_failed = on_failed};
static const struct client_owner owner = {.on_idle = on_connection_event, .on_closed = on_connection_event};

static void write_head(struct buffer *head, const struct address *from, struct bytes target)
{
    char host[ADDRESS_TEXT_SIZE];
    address_text(from, host);
    h1_write_request_line(head, BYTES("GET"), target);
    h1_write_field(head, BYTES("Host"), bytes_of(host));
    h1_write_field(head, BYTES("Connection"), BYTES("close"));
    h1_write_end_of_head(head);
}

int fetch(const struct address *from, struct bytes target, struct buffer *out, const char **ret_why)
{
    struct fetching fetching = {.out = out, .status = -1};
    struct buffer head = {0};
    struct reactor *reactor = reactor_new("fetch");
    if (reactor == NULL) {
        *ret_why = "no event loop";
        return -1;
    }
    write_head(&head, from, target);
    struct bytes bytes = buffer_bytes(&head);
    struct iovec piece = {(void *)(uintptr_t)bytes.data, bytes.len};
    wheel_timer_init(&fetching.timeout, on_timeout);
    reactor_timer_set(reactor, &fetching.timeout, TIMEOUT_MS);
    struct client_connection *connection = client_connect(reactor, from, &client_defaults, &owner, NULL);
    client_call_start(&fetching.call, connection, HTTP_GET, &piece, 1, &handler);
    while (!fetching.is_over)
        reactor_turn(reactor, -1);
    reactor_timer_cancel(reactor, &fetching.timeout);
    if (fetching.call.connection != NULL)
        client_call_cancel(&fetching.call);
    reactor_free(reactor);
    buffer_deinit(&head);
    *ret_why = fetching.why;
    return fetching.why == NULL ? fetching.status : -1;
}
