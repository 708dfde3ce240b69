/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c: see trace.h.  Distributions come from tables of quantiles, so that a request costs tens of nanoseconds. */
#include "bench/canary/trace.h"

#include <math.h>

#include "base/compiler.h"

enum { TABLE_BITS = 11, TABLE_SIZE = 1 << TABLE_BITS, DAY_INTERVALS = 720 };

const struct world world_plain = {
    .name = "plain", .rate_per_s = 20, .error_rate = 0.003, .ttft_factor = 1, .tpot_factor = 1};

struct tables {
    bool is_ready;
    float normal[TABLE_SIZE];
    float ttft_noise[TABLE_SIZE]; /* factors */
    float tpot_noise[TABLE_SIZE];
    uint32_t prompt[TABLE_SIZE]; /* tokens */
    uint32_t output[TABLE_SIZE];
};

/* One study runs in one thread. */
static struct tables tables;

/* Inverse of the normal distribution by bisection: exact enough, and run once. */
static double normal_quantile(double p)
{
    double low = -8, high = 8;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (0.5 * erfc(-middle / sqrt(2)) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* Most prompts are short; one in twenty is of the Pareto kind, up to 120,000 tokens. */
static double prompt_quantile(double p, double z)
{
    double body = 500 * exp(1.1 * z);
    double tail = p > 0.95 ? 4000 * pow((1 - p) / 0.05, -0.9) : 0;
    return fmin(120000, fmax(body, tail));
}

static void make_tables(void)
{
    for (unsigned i = 0; i < TABLE_SIZE; i++) {
        double p = (i + 0.5) / TABLE_SIZE, z = normal_quantile(p);
        tables.normal[i] = (float)z;
        tables.ttft_noise[i] = (float)exp(0.35 * z);
        tables.tpot_noise[i] = (float)exp(0.12 * z);
        tables.prompt[i] = (uint32_t)prompt_quantile(p, z);
        tables.output[i] = (uint32_t)fmin(1024, 1 + 150 * exp(0.8 * z));
    }
    tables.is_ready = true;
}

static unsigned pick(uint64_t *bits)
{
    unsigned index = *bits & (TABLE_SIZE - 1);
    *bits >>= TABLE_BITS;
    return index;
}

void trace_init(struct trace *trace, const struct world *world, uint64_t seed)
{
    if (!tables.is_ready)
        make_tables();
    struct random_state random;
    random_seed(&random, seed);
    *trace = (struct trace){.world = world, .seed = seed, .day_began = random_next(&random) % DAY_INTERVALS};
}

/* One interval's circumstances. */
struct weather {
    unsigned arrivals;
    double load;
    double factor[ARM_ROLES];
    double error_rate[ARM_ROLES];
    double warmth[ARM_ROLES];
};

static double drift(struct random_state *random, double memory, double value)
{
    return memory * value + sqrt(1 - memory * memory) * random_normal(random);
}

static void count_down(struct random_state *random, double chance, unsigned *left)
{
    double u = random_unit(random);
    unsigned length = 1 + (unsigned)(random_next(random) % 3);
    if (*left > 0)
        --*left;
    else if (u < chance)
        *left = length;
}

static void change_weather(struct trace *trace, struct random_state *random, struct weather *weather)
{
    const struct world *world = trace->world;
    double noise[ARM_ROLES] = {world->stable_noise, world->canary_noise};
    double outages[ARM_ROLES] = {world->stable_outages, world->canary_outages};
    double day = 1 + world->diurnal * sin(2 * M_PI * (double)(trace->interval + trace->day_began) / DAY_INTERVALS);
    trace->shared = drift(random, 0.9, trace->shared);
    count_down(random, world->bursts, &trace->burst_left);
    double burst = trace->burst_left > 0 ? 3 : 1;
    double mean = world->rate_per_s * INTERVAL_MS / 1e3 * day * burst;
    weather->arrivals = (unsigned)fmax(0, mean + sqrt(mean) * random_normal(random) + 0.5);
    weather->load = (0.6 + 0.4 * day) * (burst > 1 ? 1.8 : 1) * exp(0.1 * trace->shared * (world->diurnal > 0));
    for (unsigned arm = 0; arm < ARM_ROLES; arm++) {
        trace->own[arm] = drift(random, world->noise_memory, trace->own[arm]);
        count_down(random, outages[arm], &trace->outage_left[arm]);
        weather->factor[arm] = exp(noise[arm] * trace->own[arm]);
        weather->error_rate[arm] = world->error_rate + (trace->outage_left[arm] > 0 ? 0.2 : 0);
    }
    weather->error_rate[ARM_CANARY] += world->extra_errors;
    weather->warmth[ARM_STABLE] = 1;
    weather->warmth[ARM_CANARY] = world->cold_requests > 0 ? 1 - exp(-trace->canary_served / world->cold_requests) : 1;
}

/* Failures answer fast and without tokens. */
static void draw_outcome(struct observation *observation, double error_rate, uint64_t bits)
{
    double u = (double)(bits >> 40) * 0x1p-24, v = (double)(bits & 0xffffff) * 0x1p-24;
    if (u < error_rate) {
        observation->outcome = OUTCOME_SERVER_ERROR;
        observation->output_tokens = observation->tpot_us = observation->ttft_us = OBSERVATION_UNKNOWN;
        observation->total_us = 5000;
    } else if (v < 0.02) {
        observation->outcome = OUTCOME_CANCELLED;
    } else if (v < 0.03) {
        observation->outcome = OUTCOME_CLIENT_ERROR;
    }
}

static void draw_answer(const struct trace *trace, const struct weather *weather, struct observation *observation,
                        uint64_t bits, uint64_t more)
{
    const struct world *world = trace->world;
    bool is_canary = observation->arm == ARM_CANARY;
    double factor = weather->factor[observation->arm];
    unsigned share = pick(&bits);
    observation->prompt_tokens = tables.prompt[pick(&bits)];
    observation->is_streaming = pick(&bits) < TABLE_SIZE * 4 / 5;
    double hit = share < TABLE_SIZE / 2 ? 0 : 0.3 + 0.65 * (share - TABLE_SIZE / 2) / (TABLE_SIZE / 2.0);
    hit *= (double)(more >> 32) * 0x1p-32 < weather->warmth[observation->arm];
    observation->cached_tokens = (uint32_t)(observation->prompt_tokens * hit);
    double uncached = observation->prompt_tokens - observation->cached_tokens;
    double ttft_us = (25e3 + 80 * uncached) * weather->load * factor * tables.ttft_noise[pick(&bits)];
    double tpot_us = 14e3 * sqrt(weather->load * factor) * tables.tpot_noise[pick(&bits)];
    if (is_canary) {
        ttft_us *= world->ttft_factor;
        tpot_us *= world->tpot_factor;
        observation->is_empty = (double)(more & 0xffff) * 0x1p-16 < world->extra_empty;
    }
    uint64_t tokens = observation->is_empty ? 1 : tables.output[(more >> 16) & (TABLE_SIZE - 1)];
    observation->finish = tokens >= 1024 ? FINISH_LENGTH : FINISH_STOP;
    observation->output_tokens = tokens;
    observation->ttft_us = (uint64_t)ttft_us;
    observation->tpot_us = tokens > 1 ? (uint64_t)tpot_us : OBSERVATION_UNKNOWN;
    observation->total_us = (uint64_t)(ttft_us + tpot_us * (double)(tokens - 1));
}

void trace_run_interval(struct trace *trace, unsigned weight_bp, observe_fn observe, void *context)
{
    struct random_state random;
    struct weather weather;
    random_seed(&random, trace->seed * 1000003 + trace->interval);
    change_weather(trace, &random, &weather);
    for (unsigned i = 0; i < weather.arrivals; i++) {
        uint64_t bits = random_next(&random), more = random_next(&random), fate = random_next(&random);
        struct observation observation = {
            .arm = (fate >> 24 & 0xffff) * 10000 >> 16 < weight_bp ? ARM_CANARY : ARM_STABLE,
            .queue_us = OBSERVATION_UNKNOWN,
            .cost_micros = OBSERVATION_UNKNOWN,
            .endpoint_served = 1000,
            .endpoint_age_ms = 3600 * 1000,
        };
        draw_answer(trace, &weather, &observation, bits, more);
        draw_outcome(&observation, weather.error_rate[observation.arm], fate);
        trace->canary_served += observation.arm == ARM_CANARY;
        observe(context, &observation);
    }
    trace->interval++;
}
