/* SPDX-License-Identifier: Apache-2.0 */
/* adapter_load.c: one POST on a connection of its own. */
#include "control/canaries/adapter_load.h"

#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "http/codec/h1_write.h"

#define MAX_ANSWER_BYTES 4096

static void close_all(struct adapter_load *load)
{
    reactor_timer_cancel(load->reactor, &load->timeout);
    if (load->connection != NULL)
        client_connection_close(load->connection);
    load->connection = NULL;
    load->is_running = false;
}

static void finish(struct adapter_load *load, const char *error)
{
    if (!load->is_running)
        return;
    close_all(load);
    load->on_done(load, error);
}

static void on_timeout(struct wheel_timer *timer)
{
    finish(container_of(timer, struct adapter_load, timeout), "no answer in time");
}

static struct adapter_load *load_of(struct client_call *call)
{
    return container_of(call, struct adapter_load, call);
}

static void on_head(struct client_call *call, const struct http_response *response)
{
    load_of(call)->status = response->status;
}

static const char *message_of(const json_t *answer)
{
    const char *message = json_string_value(json_object_get(answer, "message"));
    return message != NULL ? message : json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
}

/* A server that has the adapter already refuses to load it again, and says so in words only. */
static void judge(struct adapter_load *load)
{
    char parse_error[200], text[ADAPTER_LOAD_ERROR_MAX];
    json_t *answer = json_read(buffer_bytes(&load->answer), parse_error);
    const char *message = message_of(answer);
    snprintf(text, sizeof text, "it answered %u%s%.100s", load->status, message != NULL ? ": " : "",
             message != NULL ? message : "");
    bool is_there = load->status == 400 && message != NULL && strstr(message, "already") != NULL;
    json_decref(answer);
    finish(load, load->status / 100 == 2 || is_there ? NULL : text);
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    struct adapter_load *load = load_of(call);
    if (buffer_len(&load->answer) + chunk.len <= MAX_ANSWER_BYTES)
        buffer_append(&load->answer, chunk);
    if (last)
        judge(load);
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    finish(load_of(call), client_failure_text(failure));
}

static const struct client_call_handler call_handler = {.on_head = on_head, .on_body = on_body, .on_failed = on_failed};

static void on_client_idle(struct client_connection *connection)
{
    (void)connection;
}

static void on_client_closed(struct client_connection *connection)
{
    struct adapter_load *load = client_connection_data(connection);
    if (load->connection == connection)
        load->connection = NULL;
}

static const struct client_owner client_owner = {.on_idle = on_client_idle, .on_closed = on_client_closed};

void adapter_load_init(struct adapter_load *load, struct reactor *reactor,
                       void (*on_done)(struct adapter_load *load, const char *error))
{
    *load = (struct adapter_load){.reactor = reactor, .on_done = on_done};
    wheel_timer_init(&load->timeout, on_timeout);
}

static void write_request(struct adapter_load *load, const struct address *address, const char *name, const char *path)
{
    char host[ADDRESS_TEXT_SIZE];
    struct buffer body = {0};
    struct json_writer json;
    address_text(address, host);
    jw_init(&json, &body);
    jw_begin_object(&json);
    jw_member_str(&json, "lora_name", name);
    jw_member_str(&json, "lora_path", path);
    jw_end_object(&json);
    buffer_clear(&load->request);
    h1_write_request_line(&load->request, BYTES("POST"), BYTES("/v1/load_lora_adapter"));
    h1_write_field(&load->request, BYTES("Host"), bytes_of(host));
    h1_write_field(&load->request, BYTES("User-Agent"), BYTES("serin-canary"));
    h1_write_field(&load->request, BYTES("Content-Type"), BYTES("application/json"));
    h1_write_field_u64(&load->request, BYTES("Content-Length"), buffer_len(&body));
    h1_write_field(&load->request, BYTES("Connection"), BYTES("close"));
    h1_write_end_of_head(&load->request);
    buffer_append(&load->request, buffer_bytes(&body));
    buffer_deinit(&body);
}

void adapter_load_start(struct adapter_load *load, const struct address *address, const char *name, const char *path,
                        uint32_t timeout_ms)
{
    if (load->is_running)
        return;
    load->is_running = true;
    load->status = 0;
    buffer_clear(&load->answer);
    write_request(load, address, name, path);
    struct bytes request = buffer_bytes(&load->request);
    load->piece = (struct iovec){(void *)(uintptr_t)request.data, request.len};
    reactor_timer_set(load->reactor, &load->timeout, timeout_ms);
    load->connection = client_connect(load->reactor, address, &client_defaults, &client_owner, load);
    client_call_start(&load->call, load->connection, HTTP_POST, &load->piece, 1, &call_handler);
}

void adapter_load_deinit(struct adapter_load *load)
{
    if (load->is_running)
        close_all(load);
    buffer_deinit(&load->request);
    buffer_deinit(&load->answer);
}
