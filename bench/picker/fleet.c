/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.c: the event loop of a run: arrivals, turns after pauses, steps of engines, scrapes.  Deterministic. */
#include "fleet.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

static const uint64_t scrape_interval_ns = 50000000, scrape_delay_ns = 5000000;
static const uint64_t cut_off_ns = 120000000000; /* after the last arrival */
static const double good_ttft_ms = 2000, good_tpot_ms = 60;

struct server {
    struct heap_node step;
    struct batch_engine *engine;
    struct view views[2]; /* the latest scrape and the one before */
    unsigned latest;
};

/* A session that waits for its next turn. */
struct pause {
    struct heap_node end;
    struct session *session;
};

struct sample {
    double ttft_ms;
    double tpot_ms; /* 0: only one token */
    bool is_finished;
};

struct fleet {
    const struct run_setup *setup;
    struct trace trace;
    struct heap steps; /* of servers */
    struct heap pauses;
    uint64_t scrapes; /* so far; they go round all servers, evenly spread */
    struct server *servers;
    struct batch_config *configs;
    unsigned count;
    void *policy;
    uint64_t begin_ns, end_ns; /* of arrivals that are measured */
    struct list open, others;  /* calls in flight: measured and not */
    struct sample *samples;    /* of those that ended */
    unsigned sample_count, sample_capacity;
    double prompt_tokens, cached_tokens;
    double late; /* samples beyond hopeless_ttft_ms */
};

static void plan_step(struct fleet *fleet, struct server *server)
{
    uint64_t at_ns = batch_engine_next_ns(server->engine);
    if (server->step.index != 0 && server->step.key == at_ns)
        return;
    heap_remove(&fleet->steps, &server->step);
    if (at_ns != UINT64_MAX)
        heap_push(&fleet->steps, &server->step, at_ns);
}

static void take_sample(struct fleet *fleet, const struct call *call, uint64_t now_ns)
{
    const struct batch_sequence *sequence = &call->sequence;
    if (fleet->sample_count == fleet->sample_capacity) {
        fleet->sample_capacity = fleet->sample_capacity * 2 + 1024;
        fleet->samples = must(reallocarray(fleet->samples, fleet->sample_capacity, sizeof *fleet->samples));
    }
    uint64_t first_ns = sequence->generated > 0 ? sequence->first_token_ns : now_ns;
    struct sample *sample = &fleet->samples[fleet->sample_count++];
    *sample = (struct sample){.is_finished = sequence->state == BATCH_FINISHED};
    sample->ttft_ms = (double)(first_ns - sequence->submitted_ns) / 1e6;
    if (sequence->generated > 1)
        sample->tpot_ms = (double)(sequence->last_token_ns - first_ns) / 1e6 / (sequence->generated - 1);
    fleet->late += sample->ttft_ms > fleet->setup->hopeless_ttft_ms;
    fleet->prompt_tokens += sequence->prompt_tokens;
    fleet->cached_tokens += sequence->cached_tokens;
}

static void on_event(struct batch_sequence *sequence, enum batch_event event, uint64_t at_ns, void *context)
{
    struct fleet *fleet = context;
    struct call *call = container_of(sequence, struct call, sequence);
    const struct policy *policy = fleet->setup->policy;
    if (event == BATCH_EVENT_FIRST_TOKEN && policy->on_first_token != NULL)
        policy->on_first_token(fleet->policy, call, at_ns);
    if (event != BATCH_EVENT_FINISHED)
        return;
    if (policy->on_finished != NULL)
        policy->on_finished(fleet->policy, call, at_ns);
    uint64_t pause_ns;
    if (at_ns < fleet->end_ns && session_next_turn(call->session, fleet->setup->workload, &pause_ns)) {
        struct pause *pause = must(calloc(1, sizeof *pause));
        pause->session = call->session;
        heap_push(&fleet->pauses, &pause->end, at_ns + pause_ns);
    } else {
        session_free(call->session);
    }
    if (call->is_measured)
        take_sample(fleet, call, at_ns);
    list_remove(&call->link);
    free(call);
}

static void set_up_servers(struct fleet *fleet)
{
    const struct workload *workload = fleet->setup->workload;
    fleet->count = workload->endpoints;
    fleet->servers = must(calloc(fleet->count, sizeof *fleet->servers));
    fleet->configs = must(calloc(fleet->count, sizeof *fleet->configs));
    for (unsigned i = 0; i < fleet->count; i++) {
        struct batch_config *config = &fleet->configs[i];
        *config = batch_config_defaults;
        config->on_event = on_event;
        config->context = fleet;
        config->admits_within_budget = fleet->setup->admits_within_budget;
        if (workload->adapters == 0)
            config->lora.slots = 0;
        if (workload->is_heterogeneous && i % 2 == 1) {
            config->cost.slowdown_permille = 1800;
            config->block_count /= 2;
        }
        fleet->servers[i].engine = batch_engine_new(config);
    }
}

static const struct view *visible(const struct server *server, uint64_t now_ns)
{
    const struct view *latest = &server->views[server->latest];
    return latest->scraped_ns + scrape_delay_ns <= now_ns ? latest : &server->views[!server->latest];
}

static void start_call(struct fleet *fleet, struct session *session, uint64_t now_ns)
{
    const struct view *views[64];
    for (unsigned i = 0; i < fleet->count; i++)
        views[i] = visible(&fleet->servers[i], now_ns);
    struct call *call = must(calloc(1, sizeof *call));
    call->session = session;
    call->sequence = (struct batch_sequence){
        .hashes = session->hashes,
        .hash_count = fleet->setup->forgets_answers ? session->prompt_tokens / TRACE_BLOCK_TOKENS : session->hash_count,
        .prompt_tokens = session->prompt_tokens,
        .answer_tokens = session->answer_tokens,
        .adapter = session->adapter,
    };
    call->is_measured = now_ns >= fleet->begin_ns && now_ns < fleet->end_ns;
    list_push(call->is_measured ? &fleet->open : &fleet->others, &call->link);
    call->endpoint = fleet->setup->policy->pick(fleet->policy, call, views, now_ns);
    struct server *server = &fleet->servers[call->endpoint];
    bool fits = batch_engine_submit(server->engine, &call->sequence, now_ns);
    assert(fits);
    (void)fits;
    plan_step(fleet, server);
}

static uint64_t next_scrape_ns(const struct fleet *fleet)
{
    uint64_t round = fleet->scrapes / fleet->count, place = fleet->scrapes % fleet->count;
    return scrape_interval_ns * round + scrape_interval_ns * place / fleet->count;
}

/* Most pages name no adapters, and the lists are long. */
static void copy_page(struct batch_page *page, const struct batch_page *from)
{
    memcpy(page, from, offsetof(struct batch_page, running_adapters));
    memcpy(page->running_adapters, from->running_adapters, from->running_adapter_count * sizeof(uint64_t));
    memcpy(page->waiting_adapters, from->waiting_adapters, from->waiting_adapter_count * sizeof(uint64_t));
}

static void scrape(struct fleet *fleet, uint64_t now_ns)
{
    struct server *server = &fleet->servers[fleet->scrapes++ % fleet->count];
    server->latest = !server->latest;
    server->views[server->latest].scraped_ns = now_ns;
    copy_page(&server->views[server->latest].page, batch_engine_page(server->engine));
}

static void end_step(struct fleet *fleet, uint64_t now_ns)
{
    struct server *server = container_of(heap_peek(&fleet->steps), struct server, step);
    batch_engine_advance(server->engine, now_ns);
    plan_step(fleet, server);
}

static void end_pause(struct fleet *fleet, uint64_t now_ns)
{
    struct pause *pause = container_of(heap_pop(&fleet->pauses), struct pause, end);
    start_call(fleet, pause->session, now_ns);
    free(pause);
}

/* The number of requests is not known before the end; 13 % of the expected one is more than a tenth of any. */
static bool is_hopeless(const struct fleet *fleet)
{
    const struct run_setup *setup = fleet->setup;
    return setup->hopeless_ttft_ms > 0 && fleet->late > 0.13 * setup->rate * setup->duration_s;
}

static uint64_t first_ns(const struct heap *heap)
{
    const struct heap_node *node = heap_peek(heap);
    return node != NULL ? node->key : UINT64_MAX;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Returns when it stopped. */
static uint64_t run_events(struct fleet *fleet)
{
    for (;;) {
        uint64_t scrape_ns = next_scrape_ns(fleet), step_ns = first_ns(&fleet->steps);
        uint64_t at_ns = least(least(scrape_ns, step_ns), first_ns(&fleet->pauses));
        uint64_t arrival_ns = trace_next_ns(&fleet->trace);
        if (arrival_ns < fleet->end_ns && arrival_ns <= at_ns) {
            start_call(fleet, trace_take(&fleet->trace), arrival_ns);
            continue;
        }
        if (is_hopeless(fleet))
            return at_ns;
        if (at_ns > fleet->end_ns && (list_is_empty(&fleet->open) || at_ns > fleet->end_ns + cut_off_ns))
            return at_ns;
        if (at_ns == scrape_ns)
            scrape(fleet, at_ns);
        else if (at_ns == step_ns)
            end_step(fleet, at_ns);
        else
            end_pause(fleet, at_ns);
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Nearest rank. */
static double percentile(const double *sorted, unsigned count, double share)
{
    unsigned rank = (unsigned)(share * count);
    return count == 0 ? 0 : sorted[rank < count ? rank : count - 1];
}

static struct run_result sum_up(const struct fleet *fleet)
{
    struct run_result result = {.requests = fleet->sample_count};
    double *ttft_ms = must(calloc(fleet->sample_count + 1u, sizeof *ttft_ms));
    double tpot_sum = 0, good = 0;
    unsigned tpot_count = 0;
    for (unsigned i = 0; i < fleet->sample_count; i++) {
        const struct sample *sample = &fleet->samples[i];
        ttft_ms[i] = sample->ttft_ms;
        tpot_sum += sample->tpot_ms;
        tpot_count += sample->tpot_ms > 0;
        result.unfinished += !sample->is_finished;
        good += sample->is_finished && sample->ttft_ms <= good_ttft_ms && sample->tpot_ms <= good_tpot_ms;
    }
    qsort(ttft_ms, fleet->sample_count, sizeof *ttft_ms, compare_doubles);
    result.ttft_p50_ms = percentile(ttft_ms, fleet->sample_count, 0.5);
    result.ttft_p90_ms = is_hopeless(fleet) ? INFINITY : percentile(ttft_ms, fleet->sample_count, 0.9);
    result.ttft_p99_ms = percentile(ttft_ms, fleet->sample_count, 0.99);
    result.tpot_ms = tpot_count > 0 ? tpot_sum / tpot_count : 0;
    result.hit_rate = fleet->prompt_tokens > 0 ? fleet->cached_tokens / fleet->prompt_tokens : 0;
    result.goodput = good / fleet->setup->duration_s;
    free(ttft_ms);
    return result;
}

/* What is still under way after a cut-off counts as it is. */
static void drop_calls(struct fleet *fleet, struct list *calls, uint64_t now_ns)
{
    LIST_FOR_EACH_SAFE (node, calls) {
        struct call *call = LIST_ENTRY(node, struct call, link);
        if (call->is_measured)
            take_sample(fleet, call, now_ns);
        session_free(call->session);
        free(call);
    }
}

static void tear_down(struct fleet *fleet)
{
    for (struct heap_node *node; (node = heap_pop(&fleet->pauses)) != NULL;) {
        struct pause *pause = container_of(node, struct pause, end);
        session_free(pause->session);
        free(pause);
    }
    fleet->setup->policy->free(fleet->policy);
    trace_deinit(&fleet->trace);
    heap_deinit(&fleet->steps);
    heap_deinit(&fleet->pauses);
    free(fleet->samples);
    free(fleet->servers);
    free(fleet->configs);
}

struct run_result fleet_run(const struct run_setup *setup)
{
    struct fleet fleet = {
        .setup = setup,
        .begin_ns = (uint64_t)(setup->warm_up_s * 1e9),
        .end_ns = (uint64_t)((setup->warm_up_s + setup->duration_s) * 1e9),
    };
    heap_init(&fleet.steps);
    heap_init(&fleet.pauses);
    list_init(&fleet.open);
    list_init(&fleet.others);
    trace_init(&fleet.trace, setup->workload, setup->rate, setup->seed);
    set_up_servers(&fleet);
    struct policy_setup policy_setup = {fleet.count, setup->workload, fleet.configs,
                                        setup->seed, setup->profile,  setup->blind};
    fleet.policy = setup->policy->new (&policy_setup);
    uint64_t stopped_ns = run_events(&fleet);
    for (unsigned i = 0; i < fleet.count; i++)
        batch_engine_free(fleet.servers[i].engine);
    drop_calls(&fleet, &fleet.open, stopped_ns);
    drop_calls(&fleet, &fleet.others, stopped_ns);
    struct run_result result = sum_up(&fleet);
    tear_down(&fleet);
    return result;
}
