/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c: a client call on a reactor of its own, turned until the call is over. */
#include "cli/fetch.h"

#include "http/single_call.h"
#include "http/codec/h1_write.h"

#define TIMEOUT_MS       10000
#define MAX_ANSWER_BYTES (16u << 20)

struct fetching {
    struct single_call call;
    const char *why; /* NULL while it is going well */
    bool is_over;
};

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

static void on_done(struct single_call *call, enum single_end end)
{
    struct fetching *fetching = container_of(call, struct fetching, call);
    fetching->is_over = true;
    if (end == SINGLE_TIMED_OUT)
        fetching->why = "no answer within 10 s";
    else if (end == SINGLE_FAILED)
        fetching->why = sentence_of(call->failure);
    else if (call->is_truncated)
        fetching->why = "the answer is longer than 16 MiB";
}

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

static void run(struct fetching *fetching, struct reactor *reactor, const struct fetch_request *request)
{
    struct buffer head = {0};
    write_head(&head, request);
    struct client_config config = client_defaults;
    config.trust = request->trust;
    config.server_name = request->server_name;
    single_call_start(&fetching->call, &(struct single_request){.to = request->to,
                                                                .config = &config,
                                                                .method = request->method,
                                                                .head = buffer_bytes(&head),
                                                                .body = request->body,
                                                                .keep_bytes = MAX_ANSWER_BYTES,
                                                                .timeout_ms = TIMEOUT_MS});
    while (!fetching->is_over)
        reactor_turn(reactor, -1);
    buffer_deinit(&head);
}

int fetch_send(const struct fetch_request *request, struct buffer *out, const char **ret_why)
{
    struct fetching fetching = {.why = NULL};
    struct reactor *reactor = reactor_new("fetch");
    if (reactor == NULL) {
        *ret_why = "no event loop";
        return -1;
    }
    single_call_init(&fetching.call, reactor, on_done);
    run(&fetching, reactor, request);
    buffer_append(out, buffer_bytes(&fetching.call.answer));
    int status = (int)fetching.call.status;
    single_call_deinit(&fetching.call);
    reactor_free(reactor);
    *ret_why = fetching.why;
    return fetching.why == NULL ? status : -1;
}

int fetch(const struct address *from, struct bytes target, struct buffer *out, const char **ret_why)
{
    return fetch_send(&(struct fetch_request){.to = from, .method = HTTP_GET, .target = target}, out, ret_why);
}
