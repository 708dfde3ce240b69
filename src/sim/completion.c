/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c: admission, streaming with backpressure, whole answers, and the faults that tests ask for.
 *
 * A choice is one sequence of the engine.  `sent` runs behind `generated` when the client is slow; nothing is stored
 * between the two, since any token can be had by its index. */
#include "sim/completion_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sim/sim_answer.h"

#define COMPLETION_TOKENS 16    /* of a text completion without max_tokens (OpenAI's default) */
#define MAX_BATCH_BYTES   16384 /* of events put together before they are handed on */
#define DEATH_DELAY_MS    1     /* lets what was queued leave before the reset */

static void release(struct completion *completion, const char *state)
{
    struct sim *sim = completion->sim;
    request_log_set_state(sim->request_log, completion->log_id, state);
    list_remove(&completion->link);
    reactor_timer_cancel(sim->reactor, &completion->death);
    models_give_back(completion->model);
    *completion->place = NULL;
}

static void finish(struct completion *completion)
{
    struct exchange *exchange = completion->exchange;
    if (completion->request.is_stored)
        response_store_add(&completion->sim->responses, completion->response.id,
                           completion->usage.prompt_tokens + completion->usage.completion_tokens);
    completion->sim->counts.finished++;
    release(completion, "finished");
    exchange_finish(exchange);
}

void completion_abort(struct completion *completion)
{
    struct sim *sim = completion->sim;
    uint64_t now_us = reactor_now_us(sim->reactor);
    for (unsigned i = 0; i < completion->choice_count; i++)
        engine_abort(sim->engine, &completion->choices[i].sequence, now_us);
    sim->counts.aborted++;
    sim_metrics_add_aborted(sim->metrics);
    release(completion, "aborted");
    sim_engine_turn(sim); /* the freed slots may have let others start */
}

static void cut(struct completion *completion)
{
    struct exchange *exchange = completion->exchange;
    completion_abort(completion);
    exchange_abort(exchange);
}

void completion_cut_all(struct sim *sim)
{
    while (!list_is_empty(&sim->completions))
        cut(LIST_ENTRY(sim->completions.next, struct completion, link));
}

static void on_death(struct wheel_timer *timer)
{
    cut(container_of(timer, struct completion, death));
}

static void die_soon(struct completion *completion)
{
    completion->is_dying = true;
    reactor_timer_set(completion->sim->reactor, &completion->death, DEATH_DELAY_MS);
}

/* false: the answer dies here, by die-after-bytes. */
static bool send_body(struct completion *completion, struct bytes body)
{
    int64_t limit = completion->sim->behaviour.die_after_bytes;
    uint64_t left = limit == BEHAVIOUR_OFF                          ? UINT64_MAX
                    : (uint64_t)limit > completion->body_bytes_sent ? (uint64_t)limit - completion->body_bytes_sent
                                                                    : 0;
    bool dies = body.len >= left;
    if (dies)
        body.len = (size_t)left;
    if (body.len > 0)
        exchange_send(completion->exchange, body);
    completion->body_bytes_sent += body.len;
    if (dies)
        die_soon(completion);
    return !dies;
}

static bool dies_after_events(const struct completion *completion)
{
    int64_t limit = completion->sim->behaviour.die_after_events;
    return limit != BEHAVIOUR_OFF && completion->events_sent >= (uint64_t)limit;
}

/* false: nothing more to write for now. */
static bool write_next_event(struct choice *choice, struct buffer *out)
{
    struct completion *completion = choice->completion;
    bool is_finished = choice->sequence.state == SEQUENCE_FINISHED;
    if (choice->is_ended || (choice->sequence.generated == 0 && !is_finished))
        return false;
    if (!choice->is_role_sent) {
        choice->is_role_sent = true;
        completion_write_first(choice, out);
        return true;
    }
    if (choice->sent < choice->sequence.generated) {
        if (dies_after_events(completion))
            return false;
        completion_write_token(choice, out, choice->sent++);
        completion->events_sent++;
        completion->sim->counts.events_sent++;
        return true;
    }
    if (!is_finished)
        return false;
    completion_write_last(choice, out);
    choice->is_ended = true;
    completion->ended++;
    return true;
}

static void respond_stream(struct completion *completion)
{
    completion->is_responding = true;
    sim_respond(completion->sim, completion->exchange, 200, BYTES("text/event-stream; charset=utf-8"), -1);
}

/* Puts events of the choices together, at most about limit bytes. */
static void write_events(struct choice *choices, unsigned count, struct buffer *out, size_t limit)
{
    for (unsigned i = 0; i < count; i++)
        while (buffer_len(out) < limit && write_next_event(&choices[i], out))
            ;
}

/* Sends what these choices have generated, as far as the client has room. */
static void pump(struct completion *completion, struct choice *choices, unsigned count)
{
    struct buffer *out = &completion->sim->scratch;
    while (!completion->is_dying) {
        size_t room = exchange_send_room(completion->exchange);
        if (room == 0)
            return;
        buffer_clear(out);
        write_events(choices, count, out, room < MAX_BATCH_BYTES ? room : MAX_BATCH_BYTES);
        bool is_complete = completion->ended == completion->choice_count;
        if (is_complete)
            completion_write_end(completion, out);
        bool is_idle = buffer_is_empty(out);
        if (!is_idle && !send_body(completion, buffer_bytes(out)))
            return;
        if (is_complete) {
            finish(completion);
            return;
        }
        if (dies_after_events(completion)) {
            die_soon(completion);
            return;
        }
        if (is_idle)
            return;
    }
}

static void answer_whole(struct completion *completion)
{
    struct sim *sim = completion->sim;
    struct buffer *out = &sim->scratch;
    buffer_clear(out);
    completion_write_whole(completion, out);
    completion->is_responding = true;
    sim_respond(sim, completion->exchange, 200, BYTES("application/json"), (int64_t)buffer_len(out));
    if (send_body(completion, buffer_bytes(out)))
        finish(completion);
}

static void count_progress(struct choice *choice)
{
    struct sim_metrics *metrics = choice->completion->sim->metrics;
    const struct sequence *sequence = &choice->sequence;
    uint64_t fresh = sequence->generated - choice->seen;
    if (fresh > 0 && choice->seen == 0) {
        sim_metrics_add_first_token(metrics, sequence->first_token_us - sequence->arrived_us);
        choice->seen_us = sequence->first_token_us;
        fresh--;
    }
    if (fresh > 0)
        sim_metrics_add_tokens(metrics, fresh, sequence->last_token_us - choice->seen_us);
    choice->seen = sequence->generated;
    choice->seen_us = sequence->last_token_us;
}

/* Of the choices of one prompt only the first counts, as only once the prompt counts. */
static void count_cached(const struct choice *choice)
{
    struct answer_usage *usage = &choice->completion->usage;
    if (!choice->sequence.is_batched)
        return;
    usage->has_cached_tokens = true;
    if (choice->index % choice->completion->request.n == 0)
        usage->cached_tokens += choice->sequence.batch.cached_tokens;
}

void completion_on_progress(struct sequence *sequence, void *context)
{
    struct sim *sim = context;
    struct choice *choice = container_of(sequence, struct choice, sequence);
    struct completion *completion = choice->completion;
    count_progress(choice);
    if (sequence->state == SEQUENCE_FINISHED) {
        completion->unfinished--;
        completion->usage.completion_tokens += sequence->generated;
        count_cached(choice);
        sim_metrics_add_finished(sim->metrics, sequence, choice->finish_reason, completion->request.max_tokens,
                                 reactor_now_us(sim->reactor));
    }
    if (completion->request.stream) {
        if (!completion->is_responding)
            respond_stream(completion);
        pump(completion, choice, 1);
    } else if (completion->unfinished == 0) {
        answer_whole(completion);
    }
}

void completion_go_on(struct completion *completion)
{
    if (completion->request.stream && completion->is_responding)
        pump(completion, completion->choices, completion->choice_count);
}

/* How long the answer of a choice will be, and why it ends there. */
static void plan_choice(struct choice *choice, uint64_t room)
{
    const struct completion *completion = choice->completion;
    const struct openai_request *request = &completion->request;
    const struct behaviour *behaviour = &completion->sim->behaviour;
    bool is_chat = request->kind != OPENAI_TEXT;
    uint64_t total = is_chat ? room : COMPLETION_TOKENS;
    choice->finish_reason = "length";
    choice->last_len = SIZE_MAX;
    if (request->has_max_tokens) {
        total = request->max_tokens;
    } else if (is_chat && !request->ignore_eos) {
        struct random_state random;
        random_seed(&random, choice->seed);
        double drawn = (double)behaviour->length * (1 + random_normal(&random) / 2);
        uint64_t wanted = drawn < 1 ? 1 : (uint64_t)drawn;
        total = text_sentence_end(&completion->model->voice, wanted);
        choice->finish_reason = "stop";
    }
    if (!request->has_max_tokens && total < request->min_tokens)
        total = request->min_tokens;
    if (total > room) {
        total = room;
        choice->finish_reason = "length";
    }
    if (request->stop_count > 0 && text_cut_at_stop(&completion->model->voice, choice->seed, request->min_tokens,
                                                    request->stops, request->stop_count, &total, &choice->last_len))
        choice->finish_reason = "stop";
    if (behaviour->empty) {
        total = 0;
        choice->finish_reason = "stop";
    }
    choice->sequence.total_tokens = total;
}

static uint64_t take_slow_start(struct behaviour *behaviour)
{
    if (behaviour->slow_first_token_us == 0 || behaviour->slow_count == 0)
        return 0;
    if (behaviour->slow_count != BEHAVIOUR_OFF)
        behaviour->slow_count--;
    return behaviour->slow_first_token_us;
}

static void prepare_choices(struct completion *completion)
{
    struct sim *sim = completion->sim;
    const struct openai_request *request = &completion->request;
    uint64_t delay_us = take_slow_start(&sim->behaviour);
    uint64_t chance = request->has_seed ? request->seed : random_next(&sim->random);
    completion->unfinished = completion->choice_count = request->prompt_count * request->n;
    completion->choices = ARENA_ARRAY(completion->exchange->arena, struct choice, completion->choice_count);
    for (unsigned i = 0; i < completion->choice_count; i++) {
        const struct openai_prompt *prompt = &request->prompts[i / request->n];
        struct choice *choice = &completion->choices[i];
        *choice = (struct choice){.completion = completion, .index = i};
        choice->seed = text_mix(text_mix(text_mix(sim->options.seed, prompt->hash), chance), i);
        choice->sequence.adapter = completion->model->is_adapter ? &completion->model->use : NULL;
        choice->sequence.prompt_tokens = prompt->tokens;
        choice->sequence.blocks = prompt->blocks;
        choice->sequence.block_count = prompt->block_count;
        choice->sequence.extra_delay_us = delay_us;
        plan_choice(choice, sim->options.max_model_len - prompt->tokens);
    }
    for (unsigned i = 0; i < request->prompt_count; i++)
        completion->usage.prompt_tokens += request->prompts[i].tokens;
}

static struct completion *begin(struct sim *sim, struct exchange *exchange, const struct openai_request *request,
                                struct model *model, uint64_t log_id)
{
    struct completion *completion = ARENA_NEW(exchange->arena, struct completion);
    completion->sim = sim;
    completion->exchange = exchange;
    completion->request = *request;
    completion->model = model;
    completion->log_id = log_id;
    models_take(model);
    wheel_timer_init(&completion->death, on_death);
    completion_init_answer(completion, random_next(&sim->random), clock_wall_ms() / 1000);
    prepare_choices(completion);
    list_push(&sim->completions, &completion->link);
    return completion;
}

struct refusal {
    unsigned status;
    const char *param;
    char message[300];
};

/* status 0: every prompt and its answer fit. */
static void check_length(const struct sim *sim, const struct openai_request *request, struct refusal *refusal)
{
    uint64_t limit = sim->options.max_model_len;
    for (unsigned i = 0; i < request->prompt_count; i++) {
        uint64_t prompt = request->prompts[i].tokens;
        uint64_t wanted = request->has_max_tokens ? request->max_tokens : 1;
        if (prompt + wanted <= limit)
            continue;
        refusal->status = 400;
        refusal->param = request->has_max_tokens && prompt < limit ? "max_tokens" : NULL;
        snprintf(refusal->message, sizeof refusal->message,
                 "the maximum context length is %" PRIu64 " tokens, but the prompt has %" PRIu64
                 " and the answer may have %" PRIu64,
                 limit, prompt, wanted);
        return;
    }
}

/* What keeps the request from running; status 0: nothing. */
static void check(struct sim *sim, const struct openai_request *request, const struct model *model,
                  struct refusal *refusal)
{
    if (model == NULL) {
        refusal->status = 404;
        refusal->param = "model";
        snprintf(refusal->message, sizeof refusal->message, "The model `%.*s` does not exist.",
                 (int)(request->model.len < 200 ? request->model.len : 200), request->model.data);
        return;
    }
    check_length(sim, request, refusal);
    if (refusal->status != 0)
        return;
    if (sim->behaviour.error_rate > 0 && random_unit(&sim->random) < sim->behaviour.error_rate) {
        refusal->status = (unsigned)sim->behaviour.error_code;
        snprintf(refusal->message, sizeof refusal->message, "an error injected by error-rate");
    } else if (!engine_has_room(sim->engine, request->prompt_count * request->n)) {
        refusal->status = 429;
        snprintf(refusal->message, sizeof refusal->message, "the waiting queue is full");
    }
}

/* What the response that it goes on with holds comes before the prompt; status 0: it is here. */
static void add_previous(const struct sim *sim, struct openai_request *request, struct refusal *refusal)
{
    uint64_t tokens;
    if (request->previous.len == 0)
        return;
    if (response_store_find(&sim->responses, request->previous, &tokens)) {
        request->prompts->tokens += tokens;
        return;
    }
    refusal->status = 404;
    refusal->param = "previous_response_id";
    snprintf(refusal->message, sizeof refusal->message, "Response with id '%.*s' not found.",
             (int)(request->previous.len < 200 ? request->previous.len : 200), request->previous.data);
}

static uint64_t log_request(struct sim *sim, const struct exchange *exchange, const struct openai_request *request,
                            size_t body_bytes, const char *state)
{
    struct request_facts facts = {
        .path = exchange->request.path,
        .model = request->model,
        .stream = request->stream,
        .body_bytes = body_bytes,
        .fields = &exchange->request.fields,
    };
    for (unsigned i = 0; i < request->prompt_count; i++)
        facts.prompt_tokens += request->prompts[i].tokens;
    return request_log_add(sim->request_log, &facts, state);
}

static void submit(struct completion *completion)
{
    struct sim *sim = completion->sim;
    uint64_t now_us = reactor_now_us(sim->reactor);
    if (completion->request.stream && !sim->behaviour.late_head)
        respond_stream(completion);
    for (unsigned i = 0; i < completion->choice_count; i++)
        engine_submit(sim->engine, &completion->choices[i].sequence, now_us);
    sim_engine_turn(sim);
}

void completion_start(struct sim *sim, struct exchange *exchange, struct bytes body, enum openai_kind kind,
                      struct completion **ret_place)
{
    struct openai_request request;
    struct openai_problem problem;
    struct refusal refusal = {0};
    struct model *model = NULL;
    sim->counts.requests++;
    if (!openai_request_parse(body, kind, exchange->arena, &request, &problem)) {
        refusal.status = 400;
        refusal.param = problem.param;
        snprintf(refusal.message, sizeof refusal.message, "%s", problem.message);
    } else {
        model = models_find(sim->models, request.model);
        add_previous(sim, &request, &refusal);
        if (refusal.status == 0)
            check(sim, &request, model, &refusal);
    }
    uint64_t log_id = log_request(sim, exchange, &request, body.len, refusal.status != 0 ? "failed" : "started");
    if (refusal.status != 0) {
        sim->counts.failed++;
        sim_answer_error(sim, exchange, refusal.status, refusal.param, refusal.message);
        return;
    }
    assert(model != NULL); /* check() refuses unknown ones */
    *ret_place = begin(sim, exchange, &request, model, log_id);
    (*ret_place)->place = ret_place;
    submit(*ret_place);
}
