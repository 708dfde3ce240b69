/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h: traffic of a model service with two arms, made up interval by interval.
 *
 * A run is given by its world and its seed: arrivals, prompts, the load of the day, each arm's slow noise and each
 * request's own noise are the same whatever weights a rule chooses; the weight only says which arm takes a request.
 * The one thing that depends on the weight is how fast the canary's prefix caches warm up. */
#ifndef BENCH_CANARY_TRACE_H
#define BENCH_CANARY_TRACE_H

#include "base/random.h"
#include "canary/observation.h"

/* What is true of a service and its canary. */
struct world {
    const char *name;
    double rate_per_s;
    double diurnal;      /* swing of the arrival rate over a day (compressed into two hours), 0..1 */
    double bursts;       /* chance per interval that arrivals triple for a while */
    double stable_noise; /* deviation of the arm's own slow noise (log of latency) */
    double canary_noise;
    double noise_memory; /* its correlation from one interval to the next */
    double
        stable_outages; /* chance per interval that an endpoint of the arm fails a fifth of its requests for a while */
    double canary_outages;
    double cold_requests; /* after so many requests the canary's caches are 63 % warm; 0: warm from the start */
    double error_rate;    /* of both arms */
    /* What the canary does differently. */
    double ttft_factor, tpot_factor;
    double extra_errors, extra_empty;
};

enum { INTERVAL_MS = 10000 };

struct trace {
    const struct world *world;
    uint64_t seed;
    uint64_t interval, day_began;
    double shared, own[ARM_ROLES]; /* slow noises, in units of their deviation */
    unsigned burst_left, outage_left[ARM_ROLES];
    double canary_served;
};

typedef void (*observe_fn)(void *context, const struct observation *observation);

/* The world of a canary that differs in nothing. */
extern const struct world world_plain;

void trace_init(struct trace *trace, const struct world *world, uint64_t seed);
/* The exchanges of the next interval. */
void trace_run_interval(struct trace *trace, unsigned weight_bp, observe_fn observe, void *context);

#endif
