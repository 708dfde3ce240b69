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
    else
        fetching->why = "the answer is longer than 16 MiB";
    fetching->is_over = last;
}

/* The rest is rare enough to be told by its name. */
static const char *sentence_of(enum client_failure failure)
{
    switch (failure) {
    case CLIENT_FAILURE_CONNECT:
    case CLIENT_FAILURE_CONNECT_TIMEOUT:
        return "nothing answers there";
    case CLIENT_FAILURE_TLS:
        return "it does not speak TLS as we do";
    case CLIENT_FAILURE_UNTRUSTED:
        return "its certificate is not to be trusted: of another authority, for another name or out of date";
    default:
        return client_failure_text(failure);
    }
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    struct fetching *fetching = container_of(call, struct fetching, call);
    fetching->why = sentence_of(failure);
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

static void write_head(struct buffer *head, const struct fetch_request *request)
{
    char address[ADDRESS_TEXT_SIZE];
    address_text(request->to, address);
    h1_write_request_line(head, bytes_of(http_method_name(request->method)), request->target);
    h1_write_field(head, BYTES("Host"), request->host.len > 0 ? request->host : bytes_of(address));
    h1_write_field(head, BYTES("Connection"), BYTES("close"));
    if (request->token.len > 0) {
        struct buffer authorization = {0};
        buffer_append_str(&authorization, "Bearer ");
        buffer_append(&authorization, request->token);
        h1_write_field(head, BYTES("Authorization"), buffer_bytes(&authorization));
        buffer_deinit(&authorization);
    }
    if (request->body.len > 0) {
        h1_write_field(head, BYTES("Content-Type"), request->content_type);
        h1_write_field_u64(head, BYTES("Content-Length"), request->body.len);
    }
    h1_write_end_of_head(head);
}

static struct iovec piece_of(struct bytes bytes)
{
    return (struct iovec){(void *)(uintptr_t)bytes.data, bytes.len};
}

static void run(struct fetching *fetching, struct reactor *reactor, const struct fetch_request *request)
{
    struct buffer head = {0};
    write_head(&head, request);
    struct iovec pieces[] = {piece_of(buffer_bytes(&head)), piece_of(request->body)};
    struct client_config config = client_defaults;
    config.trust = request->trust;
    config.server_name = request->server_name;
    wheel_timer_init(&fetching->timeout, on_timeout);
    reactor_timer_set(reactor, &fetching->timeout, TIMEOUT_MS);
    struct client_connection *connection = client_connect(reactor, request->to, &config, &owner, NULL);
    client_call_start(&fetching->call, connection, request->method, pieces, request->body.len > 0 ? 2 : 1, &handler);
    while (!fetching->is_over)
        reactor_turn(reactor, -1);
    reactor_timer_cancel(reactor, &fetching->timeout);
    if (fetching->call.connection != NULL)
        client_call_cancel(&fetching->call);
    buffer_deinit(&head);
}

int fetch_send(const struct fetch_request *request, struct buffer *out, const char **ret_why)
{
    struct fetching fetching = {.out = out, .status = -1};
    struct reactor *reactor = reactor_new("fetch");
    if (reactor == NULL) {
        *ret_why = "no event loop";
        return -1;
    }
    run(&fetching, reactor, request);
    reactor_free(reactor);
    *ret_why = fetching.why;
    return fetching.why == NULL ? fetching.status : -1;
}

int fetch(const struct address *from, struct bytes target, struct buffer *out, const char **ret_why)
{
    return fetch_send(&(struct fetch_request){.to = from, .method = HTTP_GET, .target = target}, out, ret_why);
}
