/* SPDX-License-Identifier: Apache-2.0 */
/* openai_api.c: collects the body, finds the route, answers.
 *
 * A body that arrives in one piece is used where it lies; others are put together on the heap, which is the exchange's
 * only memory that is not in its arena. */
#include "sim/openai_api.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "sim/completion.h"
#include "sim/sim_answer.h"
#include "sim/sim_control.h"

#define MAX_BODY_BYTES (64u << 20)

/* handler_data of an exchange, in its arena. */
struct call {
    struct buffer body;
    struct completion *completion; /* NULL: none in progress */
    struct exchange *late;         /* its metrics are answered by the timer; NULL: it does not wait */
    struct wheel_timer timer;
};

static void answer_chat(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct call *call = exchange->handler_data;
    completion_start(sim, exchange, body, OPENAI_CHAT, &call->completion);
}

static void answer_completion(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct call *call = exchange->handler_data;
    completion_start(sim, exchange, body, OPENAI_TEXT, &call->completion);
}

static void answer_response(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct call *call = exchange->handler_data;
    completion_start(sim, exchange, body, OPENAI_RESPONSE, &call->completion);
}

static void answer_models(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct json_writer json;
    (void)body;
    buffer_clear(&sim->scratch);
    jw_init(&json, &sim->scratch);
    models_write(sim->models, &json, sim->started_s, sim->options.max_model_len);
    sim_answer_json(sim, exchange, 200, buffer_bytes(&sim->scratch));
}

static void answer_health(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    (void)body;
    sim_answer(sim, exchange, 200, BYTES(""), BYTES(""));
}

static void answer_version(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    (void)body;
    sim_answer_json(sim, exchange, 200, BYTES("{\"version\":\"" SERIN_VERSION "-sim\"}"));
}

static void send_metrics(struct sim *sim, struct exchange *exchange)
{
    struct buffer *page = sim->behaviour.freeze_metrics ? &sim->frozen_page : &sim->scratch;
    if (!sim->behaviour.freeze_metrics)
        buffer_clear(&sim->frozen_page);
    if (page == &sim->scratch)
        buffer_clear(page);
    if (buffer_is_empty(page))
        sim_metrics_write(sim->metrics, sim->engine, sim->models, clock_wall_ms(), sim->behaviour.kv_blocks, page);
    sim_answer(sim, exchange, 200, BYTES("text/plain; version=0.0.4; charset=utf-8"), buffer_bytes(page));
}

static void on_late(struct wheel_timer *timer)
{
    struct call *call = container_of(timer, struct call, timer);
    struct exchange *exchange = call->late;
    call->late = NULL;
    send_metrics(exchange->server_data, exchange);
}

static void answer_metrics(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct call *call = exchange->handler_data;
    (void)body;
    if (sim->behaviour.slow_metrics_us == 0) {
        send_metrics(sim, exchange);
        return;
    }
    call->late = exchange;
    wheel_timer_init(&call->timer, on_late);
    reactor_timer_set(sim->reactor, &call->timer, sim->behaviour.slow_metrics_us / 1000);
}

static struct bytes member(const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);
    return bytes_make(json_string_value(value), json_string_length(value));
}

static void answer_outcome(struct sim *sim, struct exchange *exchange, enum models_outcome outcome, struct bytes name,
                           const char *done)
{
    char text[400];
    int len = (int)(name.len < 200 ? name.len : 200);
    switch (outcome) {
    case MODELS_OK:
        len = snprintf(text, sizeof text, "Success: LoRA adapter '%.*s' %s successfully.", len, name.data, done);
        sim_answer(sim, exchange, 200, BYTES("text/plain; charset=utf-8"), bytes_make(text, (size_t)len));
        return;
    case MODELS_TAKEN:
        snprintf(text, sizeof text, "'%.*s' is loaded already, or a model is served by that name", len, name.data);
        sim_answer_error(sim, exchange, 400, "lora_name", text);
        return;
    case MODELS_FULL:
        sim_answer_error(sim, exchange, 400, NULL, "there are too many adapters");
        return;
    case MODELS_UNKNOWN:
        snprintf(text, sizeof text, "The lora adapter '%.*s' cannot be found.", len, name.data);
        sim_answer_error(sim, exchange, 404, "lora_name", text);
        return;
    }
}

static void change_adapter(struct sim *sim, struct exchange *exchange, struct bytes body, bool load)
{
    char error[200];
    json_t *root = json_read(body, error);
    struct bytes name = member(root, "lora_name"), path = member(root, "lora_path");
    if (!sim->options.enable_lora)
        sim_answer_error(sim, exchange, 400, NULL, "this server was started without --enable-lora");
    else if (root == NULL)
        sim_answer_error(sim, exchange, 400, NULL, error);
    else if (name.len == 0 || (load && path.len == 0))
        sim_answer_error(sim, exchange, 400, NULL,
                         load ? "both lora_name and lora_path must be given" : "lora_name must be given");
    else if (load)
        answer_outcome(sim, exchange, models_load_adapter(sim->models, name, path), name, "added");
    else
        answer_outcome(sim, exchange, models_unload_adapter(sim->models, name), name, "removed");
    json_decref(root);
}

static void answer_load(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    change_adapter(sim, exchange, body, true);
}

static void answer_unload(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    change_adapter(sim, exchange, body, false);
}

struct api_route {
    enum http_method method;
    const char *path;
    void (*answer)(struct sim *sim, struct exchange *exchange, struct bytes body);
};

/* clang-format off */
static const struct api_route routes[] = {
    {HTTP_POST, "/v1/chat/completions",    answer_chat},
    {HTTP_POST, "/v1/completions",         answer_completion},
    {HTTP_POST, "/v1/responses",           answer_response},
    {HTTP_GET,  "/v1/models",              answer_models},
    {HTTP_GET,  "/health",                 answer_health},
    {HTTP_GET,  "/ping",                   answer_health},
    {HTTP_POST, "/ping",                   answer_health},
    {HTTP_GET,  "/version",                answer_version},
    {HTTP_GET,  "/metrics",                answer_metrics},
    {HTTP_POST, "/v1/load_lora_adapter",   answer_load},
    {HTTP_POST, "/v1/unload_lora_adapter", answer_unload},
    {HTTP_GET,  "/sim/state",              sim_control_state},
    {HTTP_GET,  "/sim/requests",           sim_control_requests},
    {HTTP_GET,  "/sim/config",             sim_control_config},
    {HTTP_POST, "/sim/config",             sim_control_set_config},
    {HTTP_POST, "/sim/hold",               sim_control_hold},
    {HTTP_POST, "/sim/release",            sim_control_release},
};
/* clang-format on */

static void dispatch(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    enum http_method method = exchange->request.method == HTTP_HEAD ? HTTP_GET : exchange->request.method;
    bool is_known_path = false;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!bytes_equal_str(exchange->request.path, routes[i].path))
            continue;
        is_known_path = true;
        if (routes[i].method == method) {
            routes[i].answer(sim, exchange, body);
            return;
        }
    }
    if (is_known_path)
        sim_answer_error(sim, exchange, 405, NULL, "this path does not answer to this method");
    else
        sim_answer_error(sim, exchange, 404, NULL, "there is nothing at this path");
}

static void refuse_length(struct exchange *exchange)
{
    sim_answer_error(exchange->server_data, exchange, 413, NULL, "the body has more than 64 MiB");
}

static void on_request_head(struct exchange *exchange)
{
    if (exchange->request.framing == HTTP_BODY_LENGTH && exchange->request.content_length > MAX_BODY_BYTES) {
        refuse_length(exchange);
        return;
    }
    exchange->handler_data = ARENA_NEW(exchange->arena, struct call);
}

static void on_request_body(struct exchange *exchange, struct bytes chunk, bool last)
{
    struct call *call = exchange->handler_data;
    struct buffer collected = {0};
    if (buffer_len(&call->body) + chunk.len > MAX_BODY_BYTES) {
        buffer_deinit(&call->body);
        refuse_length(exchange);
        return;
    }
    if (!last || !buffer_is_empty(&call->body))
        buffer_append(&call->body, chunk);
    if (!last)
        return;
    /* The exchange may end in dispatch(), and the call with it. */
    if (!buffer_is_empty(&call->body)) {
        collected = call->body;
        buffer_init(&call->body);
        chunk = buffer_bytes(&collected);
    }
    dispatch(exchange->server_data, exchange, chunk);
    buffer_deinit(&collected);
}

static void on_can_send(struct exchange *exchange)
{
    struct call *call = exchange->handler_data;
    if (call->completion != NULL)
        completion_go_on(call->completion);
}

static void on_aborted(struct exchange *exchange)
{
    struct call *call = exchange->handler_data;
    if (call == NULL)
        return;
    buffer_deinit(&call->body);
    if (call->completion != NULL)
        completion_abort(call->completion);
    if (call->late != NULL)
        reactor_timer_cancel(exchange->reactor, &call->timer);
}

const struct http_handler openai_api_handler = {
    .on_request_head = on_request_head,
    .on_request_body = on_request_body,
    .on_can_send = on_can_send,
    .on_aborted = on_aborted,
};
