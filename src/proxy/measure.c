/* SPDX-License-Identifier: Apache-2.0 */
/* measure.c: from bytes and times to metrics and observations.
 *
 * On the worker's thread.  The turn's time is the time of all that it brings: events that arrive together have no gap
 * between them. */
#include "proxy/measure_internal.h"

#include "canary/tap.h"
#include "proxy/arm_metrics.h"
#include "proxy/request_metrics.h"

/* Model names come from clients: those that no arm fixes are counted under their pool. */
static struct bytes arm_of(const struct proxied *proxied)
{
    if (proxied->choice.target != NULL)
        return proxied->choice.target->arm_text;
    if (proxied->choice.arm != NULL)
        return proxied->choice.arm->text;
    return BYTES("");
}

static struct arm_metrics *find_arm(const struct proxied *proxied)
{
    uint64_t generation = proxied->lease != NULL ? proxied->lease->snapshot->generation : 0;
    return arm_table_get(proxied->proxy->arms, generation, arm_of(proxied));
}

static void begin_tap(struct measure *measure, struct canary_tap *tap, enum arm_role role)
{
    if (tap != NULL)
        measure->taps[measure->tap_count++] = (struct tap_hold){tap, role, canary_tap_begin(tap, role)};
}

void measure_begin(struct proxied *proxied)
{
    struct measure *measure = &proxied->measure;
    const struct split_choice *choice = &proxied->choice;
    measure->arm = find_arm(proxied);
    metric_add(measure->arm->active, 1);
    begin_tap(measure, choice->arm->tap, choice->arm->role);
    if (choice->target != NULL)
        begin_tap(measure, choice->target->tap, choice->target->role);
}

/* Most servers write it in lower case. */
static bool is_type(const struct http_field *type, struct bytes wanted)
{
    return bytes_starts_with(type->value, wanted) || bytes_starts_with_nocase(type->value, wanted);
}

void measure_head(struct proxied *proxied, const struct http_response *response)
{
    const struct http_field *type = NULL;
    bool is_coded = false;
    for (unsigned i = response->fields.len; i-- > 0;) { /* the first one counts */
        const struct http_field *field = &response->fields.items[i];
        type = field->id == HTTP_FIELD_CONTENT_TYPE ? field : type;
        is_coded = is_coded || field->id == HTTP_FIELD_CONTENT_ENCODING;
    }
    if (proxied->choice.arm->kind != POOL_ARM_POOL || is_coded)
        return;
    bool is_stream = type != NULL && is_type(type, BYTES("text/event-stream"));
    if (!is_stream && type != NULL && !is_type(type, BYTES("application/json")))
        return;
    bool is_good = response->status >= 200 && response->status < 300;
    proxied->answer = spares_take(&proxied->proxy->spare_answers);
    answer_scan_init(proxied->answer, is_stream, proxied->wants_reply && is_good);
    proxied->answer->shape = proxied->measure.arm->shape;
}

static void see_tokens(struct proxied *proxied, unsigned events)
{
    struct measure *measure = &proxied->measure;
    uint64_t now_us = reactor_now_us(proxied->proxy->reactor);
    if (measure->first_token_us == 0) {
        measure->first_token_us = now_us;
        events--;
    } else {
        metric_observe_us(measure->arm->token_gap, now_us - measure->last_token_us);
        events--;
    }
    for (; events > 0; events--)
        metric_observe_us(measure->arm->token_gap, 0);
    measure->last_token_us = now_us;
}

void measure_body(struct proxied *proxied, struct bytes chunk)
{
    proxied->measure.bytes_out += chunk.len;
    if (proxied->answer == NULL)
        return;
    unsigned events = answer_scan_feed(proxied->answer, chunk);
    if (events > 0)
        see_tokens(proxied, events);
}

bool measure_is_cut(const struct proxied *proxied)
{
    const struct measure *measure = &proxied->measure;
    for (unsigned i = 0; i < measure->tap_count; i++)
        if (canary_tap_cuts(measure->taps[i].tap, measure->taps[i].role) != measure->taps[i].cuts)
            return true;
    return false;
}

struct endpoint *measure_endpoint(const struct proxied *proxied)
{
    if (proxied->endpoint != NULL)
        return proxied->endpoint;
    unsigned excluded = proxied->held != NULL ? proxied->held->pick.excluded_count : 0;
    return excluded > 0 ? proxied->held->pick.excluded[excluded - 1] : NULL;
}

static enum outcome outcome_of_answer(const struct proxied *proxied)
{
    const struct answer_scan *answer = proxied->answer;
    if (proxied->status == 404 && answer != NULL && answer->is_model_missing)
        return OUTCOME_MODEL_MISSING;
    if (proxied->status < 400 && answer != NULL && answer->has_error)
        return OUTCOME_SERVER_ERROR;
    /* The client did not see it, but it is the arm's: a Canary that fails now and then must not pass by it. */
    if (proxied->status < 400 && proxied->measure.cured_status != 0)
        return outcome_of_status(proxied->measure.cured_status, false);
    return outcome_of_status(proxied->status, false);
}

static enum outcome outcome_of(const struct proxied *proxied, enum end_reason reason)
{
    switch (reason) {
    case END_COMPLETE:
        return outcome_of_answer(proxied);
    case END_CLIENT_GONE:
    case END_CANARY_CUT:
        return OUTCOME_CANCELLED;
    case END_REQUEST_TIMEOUT:
        return OUTCOME_TIMEOUT;
    case END_SHED:
    case END_QUEUE_FULL:
    case END_QUEUE_TIMEOUT:
        return OUTCOME_THROTTLED;
    default: /* nobody reached, closed, cut, not HTTP */
        return OUTCOME_BROKEN;
    }
}

/* No text and no tool call where there should be some: generated text, or a request for it that got nothing at all. */
static bool is_empty(const struct proxied *proxied)
{
    const struct answer_scan *answer = proxied->answer;
    if (answer == NULL || proxied->status != 200 || answer->has_text || answer->has_tool_call || answer->has_error)
        return false;
    return answer->is_stream || answer->is_generation ||
           (proxied->measure.bytes_out == 0 && proxied->measure.has_model);
}

static uint32_t tokens_u32(uint64_t tokens)
{
    return tokens < UINT32_MAX ? (uint32_t)tokens : UINT32_MAX;
}

void measure_request(struct proxied *proxied)
{
    struct measure *measure = &proxied->measure;
    const struct held_request *held = proxied->held;
    uint64_t prompt_bytes = held->scan.prompt_span.len;
    measure->prompt_bytes = prompt_bytes > 0 ? prompt_bytes : buffer_len(&held->body);
    measure->has_model = held->scan.has_model;
    measure->is_streaming = held->scan.is_stream;
    request_metrics_settle(proxied);
}

/* Four bytes to a token is what English text comes to. */
static uint64_t estimate_prompt(const struct proxied *proxied)
{
    return proxied->measure.prompt_bytes / 4;
}

static void sum_tokens(const struct proxied *proxied, struct measured *measured)
{
    const struct answer_scan *answer = proxied->answer;
    struct observation *sum = &measured->observation;
    sum->length_tokens = sum->prompt_tokens = tokens_u32(estimate_prompt(proxied));
    sum->is_streaming = proxied->measure.is_streaming;
    if (answer == NULL)
        return;
    measured->has_usage = answer->has_usage;
    if (answer->has_usage) {
        sum->prompt_tokens = tokens_u32(answer->prompt_tokens);
        sum->cached_tokens = tokens_u32(answer->cached_tokens);
        sum->output_tokens = answer->output_tokens;
    } else if (answer->is_stream) {
        sum->output_tokens = answer->output_events;
    }
    sum->finish = answer->finish_len > 0 ? finish_of(answer->finish) : FINISH_NONE;
}

static void sum_times(const struct proxied *proxied, struct measured *measured)
{
    struct observation *sum = &measured->observation;
    uint64_t start_us = proxied->exchange->start_us, first_us = proxied->measure.first_token_us;
    sum->total_us = measured->now_us > start_us ? measured->now_us - start_us : 0;
    if (first_us < start_us || first_us == 0)
        return;
    sum->ttft_us = first_us - start_us;
    if (sum->output_tokens > 1 && sum->output_tokens != OBSERVATION_UNKNOWN)
        sum->tpot_us = (measured->now_us - first_us) / (sum->output_tokens - 1);
}

static void sum_up(const struct proxied *proxied, enum end_reason reason, struct measured *ret_measured)
{
    *ret_measured = (struct measured){
        .reason = reason,
        .now_us = reactor_now_us(proxied->proxy->reactor),
        .observation = {.outcome = outcome_of(proxied, reason),
                        .is_empty = reason == END_COMPLETE && is_empty(proxied),
                        .was_retried = proxied->endpoints_tried > 1,
                        .ttft_us = OBSERVATION_UNKNOWN,
                        .tpot_us = OBSERVATION_UNKNOWN,
                        .queue_us = admission_waited_us(proxied),
                        .output_tokens = OBSERVATION_UNKNOWN,
                        .cost_micros = OBSERVATION_UNKNOWN},
    };
    sum_tokens(proxied, ret_measured);
    sum_times(proxied, ret_measured);
}

static void count_arm(struct proxied *proxied, const struct measured *measured)
{
    struct arm_metrics *arm = proxied->measure.arm;
    const struct observation *sum = &measured->observation;
    metric_add(arm->active, -1);
    if (measured->has_usage) {
        metric_add(arm->prompt_tokens, sum->prompt_tokens);
        metric_add(arm->cached_tokens, sum->cached_tokens);
    }
    if (sum->output_tokens != OBSERVATION_UNKNOWN)
        metric_add(arm->output_tokens, (int64_t)sum->output_tokens);
    if (sum->ttft_us != OBSERVATION_UNKNOWN)
        metric_observe_us(arm->first_token, sum->ttft_us);
    if (sum->tpot_us != OBSERVATION_UNKNOWN)
        metric_observe_us(arm->token_time, sum->tpot_us);
    if (sum->is_empty)
        metric_add(arm->empty, 1);
}

static void count_answer(struct proxied *proxied, const struct measured *measured)
{
    struct proxy *proxy = proxied->proxy;
    if (proxied->status == 0)
        return;
    struct arm_metrics *arm = proxied->measure.arm;
    if (arm == NULL)
        arm = find_arm(proxied);
    metric_add(arm_metrics_code(proxy->arms, arm, proxied->status), 1);
    metric_observe_us(arm->duration, measured->observation.total_us);
    if (proxied->first_byte_us > proxied->exchange->start_us)
        metric_observe_us(arm->first_byte, proxied->first_byte_us - proxied->exchange->start_us);
}

static void tell_tap(struct proxied *proxied, const struct tap_hold *hold, struct measured *measured)
{
    struct observation *observation = &measured->observation;
    const struct endpoint *endpoint = measure_endpoint(proxied);
    observation->arm = hold->role;
    observation->endpoint_served = UINT32_MAX;
    observation->endpoint_age_ms = UINT64_MAX;
    if (endpoint != NULL)
        canary_tap_warm_up(hold->tap, endpoint->identity, proxied->exchange->start_us / 1000, measured->now_us / 1000,
                           observation);
    canary_tap_price(hold->tap, observation);
    canary_tap_add(hold->tap, proxied->proxy->shard, observation);
    canary_tap_end(hold->tap, hold->role);
}

void measure_end(struct proxied *proxied, enum end_reason reason)
{
    struct measure *measure = &proxied->measure;
    struct measured measured;
    if (proxied->held != NULL)
        measure_request(proxied);
    sum_up(proxied, reason, &measured);
    if (reason == END_COMPLETE && measured.observation.output_tokens != OBSERVATION_UNKNOWN)
        measure->answer_tokens = tokens_u32(measured.observation.output_tokens);
    count_answer(proxied, &measured);
    if (measure->arm != NULL)
        count_arm(proxied, &measured);
    request_metrics_end(proxied, &measured);
    for (unsigned i = 0; i < measure->tap_count; i++)
        tell_tap(proxied, &measure->taps[i], &measured);
    if (proxied->proxy->config.access_log != NULL)
        measure_log(proxied, &measured);
}
