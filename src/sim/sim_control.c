/* SPDX-License-Identifier: Apache-2.0 */
/* sim_control.c: see sim_control.h for the endpoints. */
#include "sim/sim_control.h"

#include <stdio.h>

#include "base/json_read.h"
#include "sim/sim_answer.h"

void sim_control_state(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct json_writer json;
    (void)body;
    buffer_clear(&sim->scratch);
    jw_init(&json, &sim->scratch);
    jw_begin_object(&json);
    jw_member_u64(&json, "running", engine_running(sim->engine));
    jw_member_u64(&json, "waiting", engine_waiting(sim->engine));
    jw_member_u64(&json, "held", engine_held(sim->engine));
    jw_member_u64(&json, "requests", sim->counts.requests);
    jw_member_u64(&json, "finished", sim->counts.finished);
    jw_member_u64(&json, "aborted", sim->counts.aborted);
    jw_member_u64(&json, "failed", sim->counts.failed);
    jw_member_u64(&json, "events_sent", sim->counts.events_sent);
    jw_member_u64(&json, "connections", http_server_connections(sim->server));
    jw_end_object(&json);
    sim_answer_json(sim, exchange, 200, buffer_bytes(&sim->scratch));
}

void sim_control_requests(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct json_writer json;
    (void)body;
    buffer_clear(&sim->scratch);
    jw_init(&json, &sim->scratch);
    request_log_write(sim->request_log, &json);
    sim_answer_json(sim, exchange, 200, buffer_bytes(&sim->scratch));
}

void sim_control_config(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    struct json_writer json;
    (void)body;
    buffer_clear(&sim->scratch);
    jw_init(&json, &sim->scratch);
    jw_begin_object(&json);
    behaviour_write(&sim->behaviour, &json);
    jw_end_object(&json);
    sim_answer_json(sim, exchange, 200, buffer_bytes(&sim->scratch));
}

/* Sets a key from JSON: text as in the behaviour string, numbers (durations: milliseconds), true and false, null = off
 * (or 0). */
static bool set_from_json(struct behaviour *behaviour, const char *name, const json_t *value,
                          char error[BEHAVIOUR_ERROR_SIZE])
{
    struct bytes key = bytes_of(name);
    char text[64];
    if (json_is_string(value))
        return behaviour_set(behaviour, key, bytes_make(json_string_value(value), json_string_length(value)), error);
    if (json_is_number(value)) {
        const char *unit = behaviour_is_duration(key) ? "ms" : "";
        if (json_is_integer(value))
            snprintf(text, sizeof text, "%lld%s", (long long)json_integer_value(value), unit);
        else
            snprintf(text, sizeof text, "%.9f%s", json_real_value(value), unit);
        return behaviour_set(behaviour, key, bytes_of(text), error);
    }
    if (json_is_boolean(value))
        return behaviour_set(behaviour, key, json_is_true(value) ? BYTES("1") : BYTES("0"), error);
    if (!json_is_null(value)) {
        snprintf(error, BEHAVIOUR_ERROR_SIZE, "%.40s: want a string, a number, true, false or null", name);
        return false;
    }
    return behaviour_set(behaviour, key, BYTES("off"), error) || behaviour_set(behaviour, key, BYTES("0"), error);
}

static bool set_config(struct sim *sim, json_t *root, char error[BEHAVIOUR_ERROR_SIZE])
{
    struct behaviour next = sim->behaviour;
    json_t *value, *fake = json_object_get(root, "fake-metrics");
    const char *key;
    json_object_foreach(root, key, value)
    {
        if (value != fake && !set_from_json(&next, key, value, error))
            return false;
    }
    if (fake != NULL && !sim_metrics_fake(sim->metrics, fake, error))
        return false;
    sim->behaviour = next;
    return true;
}

/* The body as an object, an empty body as {}; NULL after an error answer. */
static json_t *read_object(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    char error[200];
    if (bytes_trim(body).len == 0)
        return json_object();
    json_t *root = json_read(body, error);
    if (json_is_object(root))
        return root;
    sim_answer_error(sim, exchange, 400, NULL, root != NULL ? "the body must be a JSON object" : error);
    json_decref(root);
    return NULL;
}

void sim_control_set_config(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    char error[BEHAVIOUR_ERROR_SIZE] = "";
    json_t *root = read_object(sim, exchange, body);
    if (root == NULL)
        return;
    bool ok = set_config(sim, root, error);
    json_decref(root);
    if (!ok)
        sim_answer_error(sim, exchange, 400, NULL, error);
    else if (!sim_apply_refuse(sim))
        sim_answer_error(sim, exchange, 500, NULL, "the port cannot be opened again");
    else
        sim_control_config(sim, exchange, body);
}

/* An absent count is UINT64_MAX; false when it is no positive number. */
static bool read_count(const json_t *root, uint64_t *ret_count)
{
    const json_t *count = json_object_get(root, "count");
    *ret_count = UINT64_MAX;
    if (count == NULL || json_is_null(count))
        return true;
    if (!json_is_integer(count) || json_integer_value(count) <= 0)
        return false;
    *ret_count = (uint64_t)json_integer_value(count);
    return true;
}

/* How many events before the gate; false when the request does not say. */
static bool read_gate(const json_t *root, uint64_t *ret_events)
{
    const char *at = json_string_value(json_object_get(root, "at"));
    const json_t *event = json_object_get(root, "event");
    *ret_events = 0;
    if (at == NULL)
        return false;
    if (strcmp(at, "first-token") == 0)
        return true;
    if (strcmp(at, "event") != 0 || !json_is_integer(event) || json_integer_value(event) < 0)
        return false;
    *ret_events = (uint64_t)json_integer_value(event);
    return true;
}

void sim_control_hold(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    uint64_t events = 0, count = 0;
    json_t *root = read_object(sim, exchange, body);
    if (root == NULL)
        return;
    bool ok = read_gate(root, &events) && read_count(root, &count);
    json_decref(root);
    if (!ok)
        sim_answer_error(sim, exchange, 400, NULL,
                         "want {\"at\":\"first-token\"} or {\"at\":\"event\",\"event\":N}, and optionally \"count\":K");
    else if (!engine_add_gate(sim->engine, events, count))
        sim_answer_error(sim, exchange, 400, NULL, "too many holds: release some");
    else
        sim_answer_json(sim, exchange, 200, BYTES("{}"));
}

void sim_control_release(struct sim *sim, struct exchange *exchange, struct bytes body)
{
    char text[40];
    uint64_t count = 0;
    json_t *root = read_object(sim, exchange, body);
    if (root == NULL)
        return;
    bool ok = read_count(root, &count);
    json_decref(root);
    if (!ok) {
        sim_answer_error(sim, exchange, 400, "count", "count must be a positive whole number");
        return;
    }
    int len = snprintf(text, sizeof text, "{\"released\":%u}",
                       engine_release(sim->engine, count, reactor_now_us(sim->reactor)));
    sim_answer_json(sim, exchange, 200, bytes_make(text, (size_t)len));
    sim_engine_turn(sim);
}
