/* SPDX-License-Identifier: Apache-2.0 */
/* apiserver.c: requests in, each to the file that answers it; who may ask; what peers may take up. */
#include "kube/apiserver/apiserver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "kube/apiserver/call.h"
#include "kube/apiserver/credentials.h"
#include "kube/apiserver/openapi.h"
#include "net/listener.h"
#include "net/tls.h"

const struct apiserver_limits apiserver_limits_default = {
    .body_bytes = 3u << 20,
    .all_bodies_bytes = 64u << 20,
    .all_answers_bytes = 512u << 20,
    .watches = 1000,
    .connections = 1500,
};

enum { IDLE_MS = 120 * 1000, HANDSHAKE_MS = 10 * 1000 };

/* --- the life of a call --- */

void call_release(struct api_call *call)
{
    struct apiserver *server = call->server;
    if (call->watch != NULL)
        watch_stop(call->watch);
    if (call->log != NULL)
        log_stop(call->log);
    if (call->is_writing)
        store_write_forget(server->config.store, &call->write);
    call->is_writing = false;
    change_deinit(&call->change);
    server->body_bytes -= buffer_len(&call->body);
    server->answer_bytes -= call->answer_bytes;
    call->answer_bytes = 0;
    buffer_deinit(&call->body);
    buffer_deinit(&call->list);
    buffer_deinit(&call->answer);
    if (call->exchange->handler_data == call)
        call->exchange->handler_data = NULL;
}

static struct api_call *call_new(struct exchange *exchange)
{
    struct api_call *call = ARENA_NEW(exchange->arena, struct api_call);
    call->server = exchange->server_data;
    call->exchange = exchange;
    call->arena = exchange->arena;
    failure_init(&call->failure, call->arena);
    exchange->handler_data = call;
    return call;
}

/* --- what is counted --- */

static const char *verb_of(const struct api_call *call)
{
    const struct target *target = &call->target;
    bool is_collection = target->kind == TARGET_RESOURCE && target->name[0] == '\0';
    switch (call->exchange->request.method) {
    case HTTP_GET:
    case HTTP_HEAD:
        if (target->query.is_watch)
            return "watch";
        return is_collection ? "list" : "get";
    case HTTP_POST:
        return "create";
    case HTTP_PUT:
        return "update";
    case HTTP_PATCH:
        return "patch";
    case HTTP_DELETE:
        return is_collection ? "deletecollection" : "delete";
    default:
        return "other";
    }
}

void count_answer(struct api_call *call, unsigned status)
{
    const struct apiserver_config *config = &call->server->config;
    char code[12];
    snprintf(code, sizeof code, "%u", status);
    metric_add(
        metrics_series(config->metrics, config->shard, METRIC_API_REQUESTS, (const char *[]){verb_of(call), code}), 1);
}

void count_watches(struct apiserver *server, int delta)
{
    server->watch_count += (unsigned)delta;
    metric_set(metrics_series(server->config.metrics, server->config.shard, METRIC_API_WATCHES, NULL),
               server->watch_count);
}

void count_expired_watch(struct apiserver *server)
{
    metric_add(metrics_series(server->config.metrics, server->config.shard, METRIC_API_WATCHES_EXPIRED, NULL), 1);
}

static void on_connection(void *server_data, int delta)
{
    struct apiserver *server = server_data;
    metric_add(metrics_series(server->config.metrics, server->config.shard, METRIC_API_CONNECTIONS, NULL), delta);
}

static void on_bad_request(void *server_data, const char *reason, unsigned status)
{
    struct apiserver *server = server_data;
    (void)status;
    metric_add(
        metrics_series(server->config.metrics, server->config.shard, METRIC_API_REFUSED, (const char *[]){reason}), 1);
}

static const struct http_server_observer observer = {.on_connection = on_connection, .on_bad_request = on_bad_request};

/* --- who may ask for what --- */

/* Health and version are no secrets; probes have no token. */
static bool is_public(const struct target *target)
{
    return target->kind == TARGET_HEALTH || target->kind == TARGET_READY || target->kind == TARGET_VERSION;
}

static bool is_authenticated(struct api_call *call)
{
    const struct http_field *field = http_fields_find(&call->exchange->request.fields, HTTP_FIELD_AUTHORIZATION);
    if (is_public(&call->target) ||
        credentials_token_matches(call->server->credentials, field != NULL ? field->value : BYTES("")))
        return true;
    failure_set(&call->failure, FAILURE_UNAUTHORIZED, "Unauthorized");
    return false;
}

static void refuse_method(struct api_call *call)
{
    failure_set(&call->failure, FAILURE_METHOD_NOT_ALLOWED,
                "the server does not allow this method on the requested resource");
}

static bool is_known(struct api_call *call)
{
    static const char *const not_simulated[] = {"exec", "attach", "portforward", "proxy", "eviction"};
    const struct target *target = &call->target;
    const char *subresource = target->subresource;
    if (target->kind == TARGET_UNKNOWN || (target->kind == TARGET_RESOURCE && target->resource == NULL)) {
        failure_set(&call->failure, FAILURE_NOT_FOUND, "the server could not find the requested resource");
        return false;
    }
    if (target->kind != TARGET_RESOURCE || subresource[0] == '\0' ||
        resource_find_subresource(target->resource, bytes_of(subresource)) != API_SUBRESOURCE_COUNT)
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(not_simulated); i++) {
        if (target->resource->kind == KUBE_POD && strcmp(subresource, not_simulated[i]) == 0)
            failure_set(&call->failure, FAILURE_NOT_IMPLEMENTED,
                        "pods/%s is not supported: pods here are simulated model servers without a shell", subresource);
    }
    failure_set(&call->failure, FAILURE_NOT_FOUND, "the server could not find the requested resource");
    return false;
}

/* --- dispatch --- */

static bool is_subresource(const struct target *target, const char *word)
{
    return strcmp(target->subresource, word) == 0;
}

typedef void (*call_fn)(struct api_call *call);

static call_fn reader_of(const struct target *target)
{
    if (target->query.is_watch && target->subresource[0] == '\0')
        return resource_can(target->resource, API_WATCH) ? watch_start : NULL;
    if (is_subresource(target, "log"))
        return log_start;
    if (is_subresource(target, "scale"))
        return read_scale;
    if (target->name[0] != '\0')
        return resource_can(target->resource, API_GET) ? read_one : NULL;
    return resource_can(target->resource, API_LIST) ? read_list : NULL;
}

static call_fn writer_of(const struct target *target, enum http_method method)
{
    const struct api_resource *resource = target->resource;
    bool is_one = target->name[0] != '\0', is_main = target->subresource[0] == '\0';
    switch (method) {
    case HTTP_POST:
        if (is_one || !resource_can(resource, API_CREATE))
            return NULL;
        return resource->kind == KUBE_KIND_COUNT ? review_create : write_create;
    case HTTP_PUT:
    case HTTP_PATCH:
        if (!is_one || is_subresource(target, "log") || !resource_can(resource, API_PATCH))
            return NULL;
        if (is_subresource(target, "scale"))
            return write_scale;
        return method == HTTP_PUT ? write_replace : write_patch;
    case HTTP_DELETE:
        if (!is_main || !resource_can(resource, API_DELETE))
            return NULL;
        return is_one ? delete_one : delete_collection;
    default:
        return NULL;
    }
}

static unsigned offered_forms(const struct target *target)
{
    if (target->query.is_watch)
        return OFFER_WATCH_FORMS;
    return target->name[0] != '\0' ? OFFER_OBJECT_FORMS : OFFER_LIST_FORMS;
}

static void negotiate_form(struct api_call *call, bool is_read)
{
    const struct http_field *accept = http_fields_find(&call->exchange->request.fields, HTTP_FIELD_ACCEPT);
    call->form = negotiate(accept != NULL ? accept->value : BYTES(""), is_read ? offered_forms(&call->target) : 0);
    if (call->form == ANSWER_FORM_COUNT)
        failure_set(&call->failure, FAILURE_NOT_ACCEPTABLE,
                    "only the following media types are accepted: application/json");
}

static void dispatch_resource(struct api_call *call)
{
    enum http_method method = call->exchange->request.method;
    bool is_read = method == HTTP_GET || method == HTTP_HEAD;
    call_fn run = is_read ? reader_of(&call->target) : writer_of(&call->target, method);
    if (run == NULL)
        refuse_method(call);
    negotiate_form(call, is_read);
    if (call->failure.is_set)
        answer_failure(call);
    else
        run(call);
}

static void dispatch(struct api_call *call)
{
    enum http_method method = call->exchange->request.method;
    if (call->target.kind == TARGET_RESOURCE) {
        dispatch_resource(call);
    } else if (method == HTTP_GET || method == HTTP_HEAD) {
        answer_static(call);
    } else {
        refuse_method(call);
        answer_failure(call);
    }
}

/* --- HTTP --- */

static void on_request_head(struct exchange *exchange)
{
    struct api_call *call = call_new(exchange);
    const struct http_request *request = &exchange->request;
    const char *why = "";
    if (!target_parse(request->path, request->query, call->arena, &call->target, &why))
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "%s", why);
    else if (is_authenticated(call))
        (void)is_known(call);
    if (call->failure.is_set)
        answer_failure(call);
}

static bool has_room_for_body(struct api_call *call, size_t bytes)
{
    const struct apiserver_limits *limits = &call->server->config.limits;
    if (buffer_len(&call->body) + bytes > limits->body_bytes) {
        failure_set(&call->failure, FAILURE_TOO_LARGE, "Request entity too large: limit is %zu", limits->body_bytes);
    } else if (call->server->body_bytes + bytes > limits->all_bodies_bytes) {
        failure_set(&call->failure, FAILURE_TOO_MANY_REQUESTS, "too many request bodies are being read");
        call->failure.retry_after_s = 1;
    }
    return !call->failure.is_set;
}

static void on_request_body(struct exchange *exchange, struct bytes chunk, bool last)
{
    struct api_call *call = exchange->handler_data;
    if (call == NULL) /* answered before its end */
        return;
    if (!has_room_for_body(call, chunk.len)) {
        answer_failure(call);
        return;
    }
    call->server->body_bytes += chunk.len;
    buffer_append(&call->body, chunk);
    if (last)
        dispatch(call);
}

static void on_can_send(struct exchange *exchange)
{
    struct api_call *call = exchange->handler_data;
    if (call == NULL)
        return;
    if (call->watch != NULL)
        watch_can_send(call->watch);
    else if (call->log != NULL)
        log_can_send(call->log);
    else
        answer_continue(call);
}

static void on_aborted(struct exchange *exchange)
{
    struct api_call *call = exchange->handler_data;
    if (call != NULL)
        call_release(call);
}

static const struct http_handler handler = {.on_request_head = on_request_head,
                                            .on_request_body = on_request_body,
                                            .on_can_send = on_can_send,
                                            .on_aborted = on_aborted};

static void on_accept(void *owner_data, int fd, const struct address *peer)
{
    http_server_accept(((struct apiserver *)owner_data)->http, fd, peer, NULL);
}

static void on_accept_error(void *owner_data, int error)
{
    (void)owner_data;
    log_warn("api", "cannot accept: %s", strerror(-error));
}

static const struct listener_owner listener_owner = {.on_accept = on_accept, .on_accept_error = on_accept_error};

/* --- the life of the server --- */

static bool fail(char error[APISERVER_ERROR_SIZE], const char *what, int code)
{
    snprintf(error, APISERVER_ERROR_SIZE, "%.400s: %s", what, strerror(-code));
    return false;
}

static bool listen_on(struct apiserver *server, char error[APISERVER_ERROR_SIZE])
{
    char text[ADDRESS_TEXT_SIZE];
    struct http_server_config http = http_server_defaults;
    int code = listen_socket_open(&server->config.address, &server->socket);
    address_text(&server->config.address, text);
    if (code < 0)
        return fail(error, text, code);
    http.max_connections = server->config.limits.connections;
    http.idle_timeout_ms = IDLE_MS;
    http.tls = server->tls;
    server->http = http_server_new(server->reactor, &http, &handler, &observer, server);
    server->listener = listener_start(server->reactor, server->socket, &listener_owner, server);
    return server->listener != NULL || fail(error, text, -errno);
}

static bool start_tls(struct apiserver *server, char error[APISERVER_ERROR_SIZE])
{
    const struct apiserver_config *config = &server->config;
    server->credentials = credentials_open(config->data, &config->address, clock_wall_ms(), error);
    if (server->credentials == NULL)
        return false;
    struct tls_server_config tls = {.chain_pem = credentials_certificate(server->credentials),
                                    .key_pem = credentials_key(server->credentials),
                                    .handshake_timeout_ms = HANDSHAKE_MS};
    server->tls = tls_server_new(&tls, error);
    return server->tls != NULL;
}

static bool write_kubeconfig(struct apiserver *server, char error[APISERVER_ERROR_SIZE])
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/kubeconfig", server->config.data) >= (int)sizeof path)
        return fail(error, server->config.data, -ENAMETOOLONG);
    return credentials_write_kubeconfig(server->credentials, path, apiserver_address(server), error);
}

struct apiserver *apiserver_new(struct reactor *reactor, const struct apiserver_config *config,
                                char error[APISERVER_ERROR_SIZE])
{
    struct apiserver *server = must(calloc(1, sizeof *server));
    server->reactor = reactor;
    server->config = *config;
    list_init(&server->watches);
    list_init(&server->logs);
    server->openapi = openapi_new();
    if (start_tls(server, error) && listen_on(server, error) && write_kubeconfig(server, error))
        return server;
    apiserver_free(server);
    return NULL;
}

void apiserver_free(struct apiserver *server)
{
    if (server == NULL)
        return;
    if (server->listener != NULL)
        listener_stop(server->listener);
    http_server_free(server->http);
    if (server->socket != NULL)
        listen_socket_give_back(server->socket);
    tls_server_free(server->tls);
    openapi_free(server->openapi);
    credentials_free(server->credentials);
    free(server);
}

const struct address *apiserver_address(const struct apiserver *server)
{
    return listen_socket_address(server->socket);
}

void apiserver_drain(struct apiserver *server)
{
    watches_end(server);
    logs_end(server);
    http_server_drain(server->http);
}
