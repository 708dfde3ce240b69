/* SPDX-License-Identifier: Apache-2.0 */
/* sim_answer.c: see sim_answer.h. */
#include "sim/sim_answer.h"

void sim_respond(struct sim *sim, struct exchange *exchange, unsigned status, struct bytes content_type,
                 int64_t content_length)
{
    struct http_fields fields = {0};
    if (content_type.len > 0)
        http_fields_add_id(&fields, exchange->arena, HTTP_FIELD_CONTENT_TYPE, content_type);
    if (sim->pod_name.len > 0)
        http_fields_add(&fields, exchange->arena, BYTES("x-inference-pod"), sim->pod_name);
    http_fields_add(&fields, exchange->arena, BYTES("x-inference-port"), bytes_of(sim->port_text));
    if (content_length < 0)
        http_fields_add_id(&fields, exchange->arena, HTTP_FIELD_CACHE_CONTROL, BYTES("no-cache"));
    exchange_respond(exchange, status, &fields, content_length);
}

void sim_answer(struct sim *sim, struct exchange *exchange, unsigned status, struct bytes content_type,
                struct bytes body)
{
    sim_respond(sim, exchange, status, content_type, (int64_t)body.len);
    if (body.len > 0)
        exchange_send(exchange, body);
    exchange_finish(exchange);
}

void sim_answer_json(struct sim *sim, struct exchange *exchange, unsigned status, struct bytes body)
{
    sim_answer(sim, exchange, status, BYTES("application/json"), body);
}

static const char *error_type(unsigned status)
{
    switch (status) {
    case 401:
        return "AuthenticationError";
    case 403:
        return "PermissionDeniedError";
    case 404:
        return "NotFoundError";
    case 422:
        return "UnprocessableEntityError";
    case 429:
        return "RateLimitError";
    default:
        return status >= 500 ? "InternalServerError" : "BadRequestError";
    }
}

void sim_answer_error(struct sim *sim, struct exchange *exchange, unsigned status, const char *param,
                      const char *message)
{
    struct buffer body = {0};
    struct json_writer json;
    jw_init(&json, &body);
    jw_begin_object(&json);
    jw_key(&json, "error");
    jw_begin_object(&json);
    jw_member_str(&json, "message", message);
    jw_member_str(&json, "type", error_type(status));
    jw_member_str(&json, "param", param);
    jw_member_u64(&json, "code", status);
    jw_end_object(&json);
    jw_end_object(&json);
    sim_answer_json(sim, exchange, status, buffer_bytes(&body));
    buffer_deinit(&body);
}
