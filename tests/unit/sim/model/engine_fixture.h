/* SPDX-License-Identifier: Apache-2.0 */
/* engine_fixture.h: an engine with round costs that writes down its events.  For tests. */
#ifndef UNIT_SIM_MODEL_ENGINE_FIXTURE_H
#define UNIT_SIM_MODEL_ENGINE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/random.h"
#include "sim/model/batch_engine.h"

enum { EVENTS_MAX = 4096, NEVER = -1 };

struct event {
    const struct batch_sequence *sequence;
    enum batch_event event;
    uint64_t at_ns;
};

struct fixture {
    struct batch_config config;
    struct batch_engine *engine;
    struct event events[EVENTS_MAX];
    unsigned event_count;
    unsigned pause_after; /* tokens; 0: not */
};

static inline void on_event(struct batch_sequence *sequence, enum batch_event event, uint64_t at_ns, void *context)
{
    struct fixture *fixture = context;
    assert_true(fixture->event_count < EVENTS_MAX);
    fixture->events[fixture->event_count++] = (struct event){sequence, event, at_ns};
    if (fixture->pause_after > 0 && batch_engine_generated(fixture->engine, sequence) == fixture->pause_after)
        batch_engine_pause(fixture->engine, sequence);
}

/* A step costs 100, a prompt token 1, a sequence 10, a token of context nothing; blocks of 4 tokens, chunks of 8. */
static inline struct fixture *set_up(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->config = (struct batch_config){
        .cost = {.step_ns = 100, .prefill_token_ns = 1, .sequence_ns = 10, .slowdown_permille = 1000},
        .lora = {.slots = 1, .host = 4, .host_ns = 50, .disk_ns = 500},
        .block_tokens = 4,
        .block_count = 100,
        .max_sequences = 8,
        .prefill_budget = 8,
        .on_event = on_event,
        .context = fixture,
    };
    return fixture;
}

static inline void start(struct fixture *fixture)
{
    fixture->engine = batch_engine_new(&fixture->config);
}

static inline void submit(struct fixture *fixture, struct batch_sequence *sequence, uint64_t now_ns)
{
    assert_true(batch_engine_submit(fixture->engine, sequence, now_ns));
}

#endif
