/* SPDX-License-Identifier: Apache-2.0 */
/* test_batch_engine_random.c: random loads against an engine that counts every token of every sequence one by one. */
#include "unit/sim/model/engine_fixture.h"

/* An engine that is as plain as can be: no cache, no adapters; every sequence is looked at in every step. */

enum { PLAIN_SEQUENCES = 60 };

struct plain {
    uint64_t submitted_ns, first_ns, last_ns;
    unsigned prompt, answer, generated, computed, target, blocks;
    int order; /* in the queue; NEVER: not there */
    int place; /* of admission; NEVER: not running */
};

struct plain_engine {
    const struct batch_config *config;
    struct plain sequences[PLAIN_SEQUENCES];
    unsigned chunks[PLAIN_SEQUENCES];
    bool decodes[PLAIN_SEQUENCES];
    unsigned unused, running;
    int next_place, first_order;
};

static int plain_newest(const struct plain_engine *engine)
{
    int newest = NEVER;
    for (int i = 0; i < PLAIN_SEQUENCES; i++)
        if (engine->sequences[i].place != NEVER &&
            (newest == NEVER || engine->sequences[i].place > engine->sequences[newest].place))
            newest = i;
    return newest;
}

/* The one with the smallest value above `after`; NEVER: none. */
static int plain_next(const struct plain_engine *engine, bool by_place, int after)
{
    int found = NEVER, best = 0;
    for (int i = 0; i < PLAIN_SEQUENCES; i++) {
        int value = by_place ? engine->sequences[i].place : engine->sequences[i].order;
        if (value == NEVER || value <= after || (found != NEVER && value >= best))
            continue;
        found = i;
        best = value;
    }
    return found;
}

static bool plain_extend(struct plain_engine *engine)
{
    bool had_room = true;
    bool is_done[PLAIN_SEQUENCES] = {false};
    for (int i = 0; i < PLAIN_SEQUENCES; i++) {
        struct plain *one = &engine->sequences[i];
        if (is_done[i] || one->place == NEVER || one->computed < one->target ||
            one->computed < one->blocks * engine->config->block_tokens)
            continue;
        is_done[i] = true;
        while (engine->unused == 0 && one->place != NEVER) {
            struct plain *newest = &engine->sequences[plain_newest(engine)];
            engine->unused += newest->blocks;
            newest->blocks = newest->computed = 0;
            newest->target = newest->prompt + newest->generated;
            newest->place = NEVER;
            newest->order = --engine->first_order;
            engine->running--;
            had_room = false;
        }
        if (one->place == NEVER)
            continue;
        one->blocks++;
        engine->unused--;
    }
    return had_room;
}

static unsigned plain_chunk(struct plain_engine *engine, int i, unsigned budget)
{
    struct plain *one = &engine->sequences[i];
    unsigned left = one->computed < one->target ? one->target - one->computed : 0;
    engine->chunks[i] = left < budget ? left : budget;
    return engine->chunks[i];
}

static uint64_t plain_begin(struct plain_engine *engine)
{
    const struct batch_config *config = engine->config;
    unsigned budget = config->prefill_budget;
    bool had_room = plain_extend(engine);
    memset(engine->chunks, 0, sizeof engine->chunks);
    for (int i = plain_next(engine, true, -1); i != NEVER; i = plain_next(engine, true, engine->sequences[i].place))
        budget -= plain_chunk(engine, i, budget);
    for (int i;
         had_room && engine->running < config->max_sequences && (i = plain_next(engine, false, -100000)) != NEVER;) {
        struct plain *one = &engine->sequences[i];
        unsigned blocks = (one->target + config->block_tokens - 1) / config->block_tokens;
        if (blocks > engine->unused || (budget == 0 && config->admits_within_budget))
            break;
        engine->unused -= blocks;
        one->blocks = blocks;
        one->order = NEVER;
        one->place = engine->next_place++;
        engine->running++;
        budget -= plain_chunk(engine, i, budget);
    }
    uint64_t ns = 0;
    for (int i = 0; i < PLAIN_SEQUENCES; i++) {
        struct plain *one = &engine->sequences[i];
        engine->decodes[i] = one->place != NEVER && one->computed >= one->target;
        ns += engine->chunks[i] * config->cost.prefill_token_ns;
        if (engine->decodes[i])
            ns += config->cost.sequence_ns + config->cost.context_token_ns * (one->computed + 1);
    }
    return ns > 0 ? (ns + config->cost.step_ns) * config->cost.slowdown_permille / 1000 : 0;
}

static void plain_end(struct plain_engine *engine, uint64_t now_ns)
{
    for (int i = 0; i < PLAIN_SEQUENCES; i++) {
        struct plain *one = &engine->sequences[i];
        one->computed += engine->decodes[i] ? 1 : engine->chunks[i];
        bool has_token = engine->decodes[i] || (engine->chunks[i] > 0 && one->computed == one->target);
        if (!has_token)
            continue;
        if (one->generated++ == 0)
            one->first_ns = now_ns;
        one->last_ns = now_ns;
        if (one->generated < one->answer)
            continue;
        one->place = NEVER;
        engine->running--;
        engine->unused += one->blocks;
    }
}

static void plain_run(struct plain_engine *engine)
{
    uint64_t now_ns = 0;
    int queued = 0;
    engine->unused = engine->config->block_count;
    engine->first_order = NEVER; /* preempted ones go below it */
    for (unsigned arrived = 0;;) {
        uint64_t duration_ns = plain_begin(engine);
        if (duration_ns == 0 && arrived == PLAIN_SEQUENCES)
            return;
        uint64_t end_ns = duration_ns > 0 ? now_ns + duration_ns : engine->sequences[arrived].submitted_ns;
        while (arrived < PLAIN_SEQUENCES && engine->sequences[arrived].submitted_ns <= end_ns)
            engine->sequences[arrived++].order = queued++;
        if (duration_ns > 0)
            plain_end(engine, end_ns);
        now_ns = end_ns;
    }
}

static void random_loads_run_as_in_a_plain_engine(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct fixture fixture;
        struct random_state random;
        struct batch_sequence sequences[PLAIN_SEQUENCES];
        random_seed(&random, seed);
        set_up(&fixture);
        fixture.config.cost.context_token_ns = 3;
        fixture.config.cost.slowdown_permille = seed % 2 == 0 ? 1000 : 1800;
        fixture.config.block_count = 30 + (uint32_t)random_below(&random, 60);
        fixture.config.prefill_budget = 4 + (uint32_t)random_below(&random, 60);
        fixture.config.admits_within_budget = seed % 3 == 0;
        struct plain_engine plain = {.config = &fixture.config};
        uint64_t at_ns = 0;
        for (unsigned i = 0; i < PLAIN_SEQUENCES; i++) {
            at_ns += 1 + random_below(&random, 500);
            sequences[i] = (struct batch_sequence){
                .prompt_tokens = 1 + (uint32_t)random_below(&random, 50),
                .answer_tokens = 1 + (uint32_t)random_below(&random, 40),
            };
            plain.sequences[i] = (struct plain){.submitted_ns = at_ns,
                                                .prompt = sequences[i].prompt_tokens,
                                                .answer = sequences[i].answer_tokens,
                                                .target = sequences[i].prompt_tokens,
                                                .order = NEVER,
                                                .place = NEVER};
        }
        start(&fixture);
        for (unsigned i = 0; i < PLAIN_SEQUENCES; i++) {
            batch_engine_advance(fixture.engine, plain.sequences[i].submitted_ns - 1);
            submit(&fixture, &sequences[i], plain.sequences[i].submitted_ns);
        }
        batch_engine_advance(fixture.engine, UINT64_MAX - 1);
        plain_run(&plain);
        for (unsigned i = 0; i < PLAIN_SEQUENCES; i++) {
            assert_int_equal(sequences[i].state, BATCH_FINISHED);
            assert_int_equal(sequences[i].first_token_ns, plain.sequences[i].first_ns);
            assert_int_equal(sequences[i].last_token_ns, plain.sequences[i].last_ns);
        }
        assert_true(batch_engine_page(fixture.engine)->kv_usage == 0);
        batch_engine_free(fixture.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_loads_run_as_in_a_plain_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
