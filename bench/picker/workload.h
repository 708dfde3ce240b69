/* SPDX-License-Identifier: Apache-2.0 */
/* workload.h: the traces of the picker benchmark: who asks what, and when.
 *
 * Everything is drawn from the seed with a generator per purpose, so that every policy sees the same trace: sessions
 * arrive as a Poisson process and each has its own generator; only when a turn after the first comes depends on when
 * the answer before it ended.  A prompt is known by the chained hashes of its blocks of 16 tokens. */
#ifndef BENCH_PICKER_WORKLOAD_H
#define BENCH_PICKER_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

enum { TRACE_BLOCK_TOKENS = 16 };

struct lognormal {
    double median;
    double sigma; /* 0: always the median */
};

struct workload {
    const char *name;
    unsigned endpoints;
    unsigned systems;       /* distinct system prompts; 0: none */
    unsigned system_tokens; /* of each, a multiple of the block */
    double systems_zipf;
    unsigned adapters; /* 0: the base model only */
    double adapters_zipf;
    struct lognormal prompt; /* a turn's own part */
    struct lognormal answer;
    double more_turns;  /* mean of the geometric number of turns after the first */
    double think_s;     /* mean of the exponential pause before them */
    double short_share; /* of the sessions that are short chats: 200 tokens in, 200 out */
    bool is_bursty;
    bool is_heterogeneous;
    double limit_per_s; /* the rate at which the reference default reaches a TTFT p90 of 2 s; a search begins there */
};

extern const struct workload workloads[];
extern const unsigned workload_count;

struct session {
    struct random_state random; /* lengths and pauses */
    uint64_t key;               /* of the hashes of blocks that only this session has */
    uint64_t adapter;           /* 0: none */
    int system;                 /* which system prompt it begins with; -1: none */
    uint64_t *hashes;           /* the conversation so far with the answer that is being written */
    uint32_t hash_count, hash_capacity;
    uint32_t turns_left;
    bool is_short;
    uint32_t prompt_tokens; /* of the turn in hand: the whole history and what is new */
    uint32_t answer_tokens;
};

struct trace {
    const struct workload *workload;
    double sessions_per_ns;
    struct random_state arrivals, identities, bursts;
    uint64_t next_ns;
    uint64_t burst_end_ns;
    bool is_burst;
    uint64_t session_count;
    uint64_t seed;
    double *systems_cumulated, *adapters_cumulated;
    uint64_t *system_hashes; /* of all system prompts, one after the other */
};

/* rate: requests per second on average. */
void trace_init(struct trace *trace, const struct workload *workload, double rate, uint64_t seed);
void trace_deinit(struct trace *trace);
/* When the next session arrives. */
uint64_t trace_next_ns(const struct trace *trace);
/* Takes it, with its first turn set up. */
struct session *trace_take(struct trace *trace);
/* The answer ended: sets up the next turn and tells the pause before it; false: the session is over. */
bool session_next_turn(struct session *session, const struct workload *workload, uint64_t *ret_pause_ns);
void session_free(struct session *session);

#endif
