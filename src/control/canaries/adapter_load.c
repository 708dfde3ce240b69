/* SPDX-License-Identifier: Apache-2.0 */
/* adapter_load.c: one POST on a connection of its own. */
#include "control/canaries/adapter_load.h"

#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "http/codec/h1_write.h"

#define MAX_ANSWER_BYTES 4096

static const char *message_of(const json_t *answer)
{
    const char *message = json_string_value(json_object_get(answer, "message"));
    return message != NULL ? message : json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
}

/* A server that has the adapter already refuses to load it again, and says so in words only. */
static void judge(struct adapter_load *load)
{
    const struct single_call *post = &load->post;
    char parse_error[200], text[ADAPTER_LOAD_ERROR_MAX];
    json_t *answer = json_read(buffer_bytes(&post->answer), parse_error);
    const char *message = message_of(answer);
    snprintf(text, sizeof text, "it answered %u%s%.100s", post->status, message != NULL ? ": " : "",
             message != NULL ? message : "");
    bool is_there = post->status == 400 && message != NULL && strstr(message, "already") != NULL;
    json_decref(answer);
    load->on_done(load, post->status / 100 == 2 || is_there ? NULL : text);
}

static void on_posted(struct single_call *post, enum single_end end)
{
    struct adapter_load *load = container_of(post, struct adapter_load, post);
    if (end == SINGLE_ANSWERED)
        judge(load);
    else
        load->on_done(load, end == SINGLE_TIMED_OUT ? "no answer in time" : client_failure_text(post->failure));
}

void adapter_load_init(struct adapter_load *load, struct reactor *reactor,
                       void (*on_done)(struct adapter_load *load, const char *error))
{
    *load = (struct adapter_load){.on_done = on_done};
    single_call_init(&load->post, reactor, on_posted);
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
    if (adapter_load_is_running(load))
        return;
    write_request(load, address, name, path);
    single_call_start(&load->post, &(struct single_request){.to = address,
                                                            .method = HTTP_POST,
                                                            .head = buffer_bytes(&load->request),
                                                            .keep_bytes = MAX_ANSWER_BYTES,
                                                            .timeout_ms = timeout_ms});
}

bool adapter_load_is_running(const struct adapter_load *load)
{
    return load->post.is_running;
}

void adapter_load_deinit(struct adapter_load *load)
{
    single_call_deinit(&load->post);
    buffer_deinit(&load->request);
}
