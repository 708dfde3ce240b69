/* SPDX-License-Identifier: Apache-2.0 */
/* workload.c: the table of workloads and the drawing of sessions.  Pure. */
#include "workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

/* clang-format off */
const struct workload workloads[] = {
    {.name = "shared-prefix", .endpoints = 16, .systems = 64, .system_tokens = 8192, .systems_zipf = 1.0,
     .prompt = {200, 0.6}, .answer = {250, 0.7}, .limit_per_s = 182.4},
    {.name = "multi-turn", .endpoints = 16, .systems = 1, .system_tokens = 1024, .prompt = {150, 0.8},
     .answer = {300, 0.7}, .more_turns = 6, .think_s = 20, .limit_per_s = 100.6},
    {.name = "rag-unique", .endpoints = 16, .prompt = {6000, 0.4}, .answer = {200, 0.6}, .limit_per_s = 20.6},
    {.name = "lora", .endpoints = 16, .adapters = 20, .adapters_zipf = 1.1, .prompt = {400, 0.8},
     .answer = {200, 0.7}, .limit_per_s = 307},
    {.name = "bursty", .endpoints = 16, .prompt = {6000, 0.4}, .answer = {200, 0.6}, .short_share = 0.5,
     .is_bursty = true, .limit_per_s = 21},
    {.name = "heterogeneous", .endpoints = 16, .systems = 1, .system_tokens = 1024, .prompt = {150, 0.8},
     .answer = {300, 0.7}, .more_turns = 6, .think_s = 20, .is_heterogeneous = true, .limit_per_s = 73.9},
    {.name = "small-fleet", .endpoints = 4, .systems = 1, .system_tokens = 1024, .prompt = {150, 0.8},
     .answer = {300, 0.7}, .more_turns = 6, .think_s = 20, .limit_per_s = 25.7},
    {.name = "large-fleet", .endpoints = 64, .systems = 1, .system_tokens = 1024, .prompt = {150, 0.8},
     .answer = {300, 0.7}, .more_turns = 6, .think_s = 20, .limit_per_s = 402},
};
/* clang-format on */
const unsigned workload_count = ARRAY_LEN(workloads);

static const struct lognormal short_chat = {200, 0};
static const double burst_low = 0.4, burst_high = 2.2, burst_dwell_ns = 8e9;

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* A nonzero hash of the nth block of a stream of tokens that nothing else shares: the chain before it is implied. */
static uint64_t block_hash(uint64_t key, uint64_t n)
{
    return mix(key + n * 0x9e3779b97f4a7c15u) | 1;
}

static double exponential(struct random_state *random, double mean)
{
    return -mean * log(1 - random_unit(random));
}

static uint32_t lognormal(struct random_state *random, struct lognormal shape)
{
    double value = shape.median * exp(shape.sigma * random_normal(random));
    if (shape.sigma == 0)
        value = shape.median;
    return value < 1 ? 1 : value > 100000 ? 100000 : (uint32_t)(value + 0.5);
}

/* Failures before a success, by inversion. */
static uint32_t geometric(struct random_state *random, double mean)
{
    if (mean <= 0)
        return 0;
    double stop = 1 / (1 + mean);
    return (uint32_t)(log(1 - random_unit(random)) / log(1 - stop));
}

static double *zipf_cumulated(unsigned count, double exponent)
{
    double *cumulated = must(calloc(count + 1, sizeof *cumulated));
    double sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += pow(i + 1, -exponent);
    for (unsigned i = 0; i < count; i++)
        cumulated[i] = (i > 0 ? cumulated[i - 1] : 0) + pow(i + 1, -exponent) / sum;
    return cumulated;
}

static unsigned draw(struct random_state *random, const double *cumulated, unsigned count)
{
    double unit = random_unit(random);
    unsigned i = 0;
    while (i + 1 < count && cumulated[i] <= unit)
        i++;
    return i;
}

/* Bursts are a piecewise constant rate: what is left of a unit exponential is spent at each piece's speed. */
static void draw_arrival(struct trace *trace)
{
    double work = exponential(&trace->arrivals, 1);
    for (;;) {
        double factor = !trace->workload->is_bursty ? 1 : trace->is_burst ? burst_high : burst_low;
        double rate = trace->sessions_per_ns * factor;
        double end_ns = (double)trace->next_ns + work / rate;
        if (!trace->workload->is_bursty || end_ns <= (double)trace->burst_end_ns) {
            trace->next_ns = (uint64_t)end_ns;
            return;
        }
        work -= (double)(trace->burst_end_ns - trace->next_ns) * rate;
        trace->next_ns = trace->burst_end_ns;
        trace->is_burst = !trace->is_burst;
        trace->burst_end_ns += (uint64_t)exponential(&trace->bursts, burst_dwell_ns);
    }
}

/* A system prompt's blocks have the hashes of a stream of its own; every session that begins with it copies them. */
static uint64_t *make_system_hashes(const struct workload *workload)
{
    uint32_t blocks = workload->system_tokens / TRACE_BLOCK_TOKENS;
    uint64_t *hashes = must(calloc((size_t)workload->systems * blocks + 1, sizeof *hashes));
    for (unsigned i = 0; i < workload->systems; i++)
        for (uint32_t n = 0; n < blocks; n++)
            hashes[(size_t)i * blocks + n] = block_hash(mix(0xabcdef + i), n);
    return hashes;
}

void trace_init(struct trace *trace, const struct workload *workload, double rate, uint64_t seed)
{
    *trace = (struct trace){
        .workload = workload,
        .sessions_per_ns = rate / (1 + workload->more_turns) / 1e9,
        .seed = seed,
        .systems_cumulated = zipf_cumulated(workload->systems, workload->systems_zipf),
        .adapters_cumulated = zipf_cumulated(workload->adapters, workload->adapters_zipf),
        .system_hashes = make_system_hashes(workload),
    };
    random_seed(&trace->arrivals, mix(seed) + 1);
    random_seed(&trace->identities, mix(seed) + 2);
    random_seed(&trace->bursts, mix(seed) + 3);
    if (workload->is_bursty)
        trace->burst_end_ns = (uint64_t)exponential(&trace->bursts, burst_dwell_ns);
    draw_arrival(trace);
}

void trace_deinit(struct trace *trace)
{
    free(trace->systems_cumulated);
    free(trace->adapters_cumulated);
    free(trace->system_hashes);
}

uint64_t trace_next_ns(const struct trace *trace)
{
    return trace->next_ns;
}

static void reserve(struct session *session, uint32_t count)
{
    if (count <= session->hash_capacity)
        return;
    session->hash_capacity = count + count / 2;
    session->hashes = must(reallocarray(session->hashes, session->hash_capacity, sizeof *session->hashes));
}

static void extend_chain(struct session *session, uint32_t tokens)
{
    uint32_t count = tokens / TRACE_BLOCK_TOKENS;
    reserve(session, count);
    for (; session->hash_count < count; session->hash_count++)
        session->hashes[session->hash_count] = block_hash(session->key, session->hash_count);
}

static void begin_with_system(struct session *session, const struct trace *trace, unsigned system)
{
    uint32_t blocks = trace->workload->system_tokens / TRACE_BLOCK_TOKENS;
    reserve(session, blocks);
    session->system = (int)system;
    memcpy(session->hashes, &trace->system_hashes[(size_t)system * blocks], blocks * sizeof *session->hashes);
    session->hash_count = blocks;
}

static void add_turn(struct session *session, const struct workload *workload, uint32_t history)
{
    session->prompt_tokens = history + lognormal(&session->random, session->is_short ? short_chat : workload->prompt);
    session->answer_tokens = lognormal(&session->random, session->is_short ? short_chat : workload->answer);
    extend_chain(session, session->prompt_tokens + session->answer_tokens);
}

struct session *trace_take(struct trace *trace)
{
    const struct workload *workload = trace->workload;
    struct session *session = must(calloc(1, sizeof *session));
    uint64_t number = trace->session_count++;
    random_seed(&session->random, mix(trace->seed ^ mix(number + 7)));
    session->key = mix(mix(trace->seed + 11) + number);
    session->system = -1;
    session->turns_left = geometric(&session->random, workload->more_turns);
    session->is_short = workload->short_share > 0 && random_unit(&trace->identities) < workload->short_share;
    if (workload->adapters > 0)
        session->adapter = 1 + draw(&trace->identities, trace->adapters_cumulated, workload->adapters);
    if (workload->systems > 0)
        begin_with_system(session, trace, draw(&trace->identities, trace->systems_cumulated, workload->systems));
    add_turn(session, workload, workload->system_tokens);
    draw_arrival(trace);
    return session;
}

bool session_next_turn(struct session *session, const struct workload *workload, uint64_t *ret_pause_ns)
{
    if (session->turns_left == 0)
        return false;
    session->turns_left--;
    *ret_pause_ns = (uint64_t)exponential(&session->random, workload->think_s * 1e9);
    add_turn(session, workload, session->prompt_tokens + session->answer_tokens);
    return true;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    free(session->hashes);
    free(session);
}
