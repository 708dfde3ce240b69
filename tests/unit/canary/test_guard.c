/* SPDX-License-Identifier: Apache-2.0 */
/* test_guard.c: what is a sensible guard, how margins widen, and that cells hold what the strata say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "traffic.h"

static struct strata block, reference;

static int set_up(void **state)
{
    struct strata_options options;
    (void)state;
    strata_default_options(&options);
    strata_init(&block, &options);
    strata_init(&reference, &options);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    strata_deinit(&block);
    strata_deinit(&reference);
    return 0;
}

static void fill(const struct arm_habits *canary)
{
    struct random_state random;
    random_seed(&random, 1);
    struct arm_habits many = usual;
    many.per_interval = 4000;
    add_traffic(&reference, &random, &many, ARM_STABLE);
    add_traffic(&block, &random, &many, ARM_STABLE);
    add_traffic(&block, &random, canary, ARM_CANARY);
}

static struct guard_cells cells_of(const struct guard *guard, enum guard_limit limit, double slack)
{
    static struct guard_cells cells;
    struct guard_cuts cuts = {0};
    guard_cells(guard, limit, slack, &block, &reference, &cuts, &cells);
    return cells;
}

/* Sums over the cells: canary's share and stable's share of values that count against them. */
static void shares(const struct paired_cell *cells, unsigned count, double *ret_canary, double *ret_stable)
{
    struct paired_cell all = {0};
    for (unsigned i = 0; i < count; i++) {
        all.canary_n += cells[i].canary_n;
        all.canary_sum += cells[i].canary_sum;
        all.stable_n += cells[i].stable_n;
        all.stable_sum += cells[i].stable_sum;
    }
    *ret_canary = all.canary_sum / all.canary_n;
    *ret_stable = all.stable_n > 0 ? all.stable_sum / all.stable_n : NAN;
}

static void the_default_guards_are_sound(void **state)
{
    (void)state;
    const struct guard *guards;
    unsigned count = guard_defaults(&guards);
    assert_in_range(count, 1, ANALYSIS_GUARDS_MAX);
    for (unsigned i = 0; i < count; i++)
        assert_null(guard_check(&guards[i]));
}

static void senseless_guards_are_refused(void **state)
{
    (void)state;
    static const struct guard cases[] = {
        {.metric = GUARD_TTFT},
        {.metric = GUARD_METRIC_COUNT, .has_absolute = true, .absolute = 1},
        {.metric = GUARD_TTFT, .quantile = 1, .has_absolute = true, .absolute = 1},
        {.metric = GUARD_TTFT, .quantile = NAN, .has_absolute = true, .absolute = 1},
        {.metric = GUARD_TTFT, .quantile = -0.5, .has_absolute = true, .absolute = 1},
        {.metric = GUARD_ERROR_RATE, .quantile = 0.5, .has_absolute = true, .absolute = 0.1},
        {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = 0},
        {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = INFINITY},
        {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = 1, .increase = -1},
        {.metric = GUARD_ERROR_RATE, .has_relative = true, .ratio = 1, .increase = 1},
        {.metric = GUARD_ERROR_RATE, .has_absolute = true, .absolute = 1},
        {.metric = GUARD_TTFT, .quantile = 0.5, .has_absolute = true, .absolute = 0},
        {.metric = GUARD_TTFT, .quantile = 0.5, .has_absolute = true, .absolute = -5},
        {.metric = GUARD_CACHE_HIT_SHARE, .direction = GUARD_AT_LEAST, .has_relative = true, .ratio = 1.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_non_null(guard_check(&cases[i]));
}

static void names_lead_there_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GUARD_METRIC_COUNT; i++) {
        enum guard_metric metric;
        assert_true(guard_metric_of(guard_metric_name((enum guard_metric)i), &metric));
        assert_int_equal(metric, i);
    }
    enum guard_metric metric;
    assert_false(guard_metric_of("latency", &metric));
}

static void slack_widens_the_margin_only(void **state)
{
    (void)state;
    struct guard ttft = {.metric = GUARD_TTFT,
                         .quantile = 0.95,
                         .has_relative = true,
                         .ratio = 1.25,
                         .increase = 20e3,
                         .has_absolute = true,
                         .absolute = 1e6};
    struct guard wider = guard_widen(&ttft, 4);
    assert_true(fabs(wider.ratio - 2) < 1e-9);
    assert_true(wider.increase == 80e3);
    assert_true(wider.absolute == 1e6);
    struct guard least = {.metric = GUARD_OUTPUT_TOKENS,
                          .direction = GUARD_AT_LEAST,
                          .quantile = 0.5,
                          .has_relative = true,
                          .ratio = 0.8};
    assert_true(fabs(guard_widen(&least, 2).ratio - 0.6) < 1e-9);
    assert_true(guard_widen(&least, 40).ratio > 0);
    struct guard better = {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = 0.9};
    assert_true(guard_widen(&better, 4).ratio == 0.9); /* "must be faster" has no margin to widen */
    struct guard rate = {.metric = GUARD_ERROR_RATE, .has_relative = true, .ratio = 1, .increase = 0.3};
    assert_true(guard_widen(&rate, 4).increase == 0.5);
    assert_true(guard_widen(&rate, 0.5).increase == 0.3);
    assert_null(guard_check(&wider));
}

static void a_quantile_is_cut_in_both_arms(void **state)
{
    (void)state;
    double canary, stable;
    struct arm_habits slow = usual;
    slow.per_interval = 4000;
    slow.ttft_ms = 125;
    fill(&slow);
    struct guard guard = {.metric = GUARD_TTFT, .quantile = 0.95, .has_relative = true, .ratio = 1.25};
    struct guard_cells cells = cells_of(&guard, LIMIT_RELATIVE, 4);
    assert_int_equal(cells.count, 2); /* short and long prompts */
    shares(cells.worse, cells.count, &canary, &stable);
    assert_true(fabs(stable - 0.05) < 0.01);
    assert_true(fabs(canary - 0.05) < 0.015); /* exactly at its limit */
    shares(cells.within, cells.count, &canary, &stable);
    assert_true(fabs(stable - 0.05) < 0.01);
    assert_true(canary < 0.005); /* far within twice stable's */
}

static void a_low_quantile_can_be_a_floor(void **state)
{
    (void)state;
    double canary, stable;
    struct arm_habits terse = usual;
    terse.per_interval = 4000;
    terse.output_tokens = 50;
    fill(&terse);
    struct guard guard = {.metric = GUARD_OUTPUT_TOKENS,
                          .direction = GUARD_AT_LEAST,
                          .quantile = 0.5,
                          .has_relative = true,
                          .ratio = 0.8};
    struct guard_cells cells = cells_of(&guard, LIMIT_RELATIVE, 1);
    shares(cells.worse, cells.count, &canary, &stable);
    assert_true(fabs(stable - 0.5) < 0.03);
    assert_true(canary > 0.7); /* of the answers fall below 0.8 times stable's median */
}

static void rates_pool_what_was_cached(void **state)
{
    (void)state;
    double canary, stable;
    struct arm_habits failing = usual;
    failing.per_interval = 2000;
    failing.error_rate = 0.1;
    fill(&failing);
    struct guard guard = {.metric = GUARD_ERROR_RATE,
                          .has_relative = true,
                          .ratio = 1,
                          .increase = 0.01,
                          .has_absolute = true,
                          .absolute = 0.02};
    struct guard_cells cells = cells_of(&guard, LIMIT_RELATIVE, 2);
    assert_int_equal(cells.count, 2);
    shares(cells.worse, cells.count, &canary, &stable);
    assert_true(fabs(canary - 0.1) < 0.03);
    assert_true(cells.worse[0].ratio == 1 && cells.worse[0].increase == 0.01);
    assert_true(cells.within[0].increase == 0.02);
    cells = cells_of(&guard, LIMIT_ABSOLUTE, 2);
    assert_true(cells.worse[0].ratio == 0 && cells.worse[0].increase == 0.02);
    assert_true(cells.within[0].increase == 0.02);
}

static void a_share_that_must_not_fall_is_turned_round(void **state)
{
    (void)state;
    double canary, stable;
    struct arm_habits cold = usual;
    cold.per_interval = 1000;
    cold.cached_share = 0.1;
    fill(&cold);
    struct guard guard = {.metric = GUARD_CACHE_HIT_SHARE,
                          .direction = GUARD_AT_LEAST,
                          .has_relative = true,
                          .ratio = 0.8,
                          .increase = 0.05};
    struct guard_cells cells = cells_of(&guard, LIMIT_RELATIVE, 1);
    shares(cells.worse, cells.count, &canary, &stable);
    assert_true(fabs(canary - 0.9) < 0.01 && fabs(stable - 0.7) < 0.01);
    /* 1 - c <= 0.8 (1 - s) + 0.25  says  c >= 0.8 s - 0.05 */
    assert_true(fabs(cells.worse[0].increase - 0.25) < 1e-9 && cells.worse[0].ratio == 0.8);
}

static void means_compare_capped_values(void **state)
{
    (void)state;
    double canary, stable;
    struct arm_habits wordy = usual;
    wordy.per_interval = 4000;
    wordy.output_tokens = 150;
    fill(&wordy);
    struct guard guard = {
        .metric = GUARD_OUTPUT_TOKENS, .has_relative = true, .ratio = 1.5, .has_absolute = true, .absolute = 100};
    struct guard_cells cells = cells_of(&guard, LIMIT_RELATIVE, 1);
    shares(cells.worse, cells.count, &canary, &stable);
    assert_true(fabs(canary / stable - 1) < 0.05); /* exactly at its limit */
    cells = cells_of(&guard, LIMIT_ABSOLUTE, 1);
    shares(cells.worse, cells.count, &canary, &stable);
    assert_true(canary > 0.35); /* of 4 times the limit; 0.25 would be at it */
}

static void add_values(struct strata *strata, enum arm_role arm, uint64_t value)
{
    for (unsigned i = 0; i < 500; i++) {
        struct observation seen = {.arm = arm,
                                   .prompt_tokens = 10,
                                   .ttft_us = OBSERVATION_UNKNOWN,
                                   .tpot_us = OBSERVATION_UNKNOWN,
                                   .queue_us = value,
                                   .cost_micros = OBSERVATION_UNKNOWN,
                                   .endpoint_served = UINT32_MAX,
                                   .endpoint_age_ms = UINT64_MAX};
        strata_add(strata, &seen);
    }
}

/* Stable's values are all alike: its 99th percentile is its mean. */
static void a_mean_beyond_its_limit_shows_without_any_spread(void **state)
{
    (void)state;
    static const struct {
        uint64_t stable, canary;
        double ratio, increase;
        bool is_beyond;
    } rows[] = {
        {300, 600, 1.2, 0, true},     {300, 350, 1.2, 0, false},      {300, 600, 1, 100, true},
        {300, 350, 1, 100, false},    {1000, 100000, 1, 50000, true}, {1000, 40000, 1, 50000, false},
        {1000, 40000, 2, 1000, true}, {1000, 2900, 2, 1000, false},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct guard guard = {
            .metric = GUARD_QUEUE, .has_relative = true, .ratio = rows[i].ratio, .increase = rows[i].increase};
        strata_reset(&reference);
        strata_reset(&block);
        add_values(&reference, ARM_STABLE, rows[i].stable);
        add_values(&block, ARM_STABLE, rows[i].stable);
        add_values(&block, ARM_CANARY, rows[i].canary);
        struct guard_cuts cuts = {0};
        struct guard_cells cells;
        guard_cells(&guard, LIMIT_RELATIVE, 1, &block, &reference, &cuts, &cells);
        assert_int_equal(cells.count, 1);
        const struct paired_cell *cell = &cells.worse[0];
        double allowed = cell->ratio * cell->stable_sum / cell->stable_n + cell->increase;
        assert_true((cell->canary_sum / cell->canary_n > allowed * 1.05) == rows[i].is_beyond);
    }
}

static void cuts_wait_for_enough_of_stable(void **state)
{
    (void)state;
    struct random_state random;
    random_seed(&random, 1);
    struct arm_habits few = usual;
    few.per_interval = 30;
    add_traffic(&reference, &random, &few, ARM_STABLE);
    add_traffic(&block, &random, &usual, ARM_STABLE);
    add_traffic(&block, &random, &usual, ARM_CANARY);
    struct guard guard = {.metric = GUARD_TTFT,
                          .quantile = 0.95,
                          .has_relative = true,
                          .ratio = 1.25,
                          .has_absolute = true,
                          .absolute = 200e3};
    assert_int_equal(cells_of(&guard, LIMIT_RELATIVE, 1).count, 0);
    assert_int_equal(cells_of(&guard, LIMIT_ABSOLUTE, 1).count, 2);
}

static void figures_are_weighted_to_canarys_mix(void **state)
{
    (void)state;
    struct arm_habits fair = usual;
    fair.per_interval = 3000;
    fill(&fair);
    /* Long prompts, thrice as slow, come to the canary by the thousand: its own median rises, and stable's with it. */
    struct random_state random;
    random_seed(&random, 2);
    for (unsigned i = 0; i < 20000; i++) {
        struct observation observation = draw_exchange(&random, &fair, ARM_CANARY);
        if (observation.prompt_tokens == 4000)
            strata_add(&block, &observation);
    }
    struct guard guard = {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = 1.25};
    double canary = guard_figure(&guard, &block, ARM_CANARY), stable = guard_figure(&guard, &block, ARM_STABLE);
    assert_true(canary > 250e3);
    assert_true(fabs(canary / stable - 1) < 0.05);
    guard.metric = GUARD_ERROR_RATE;
    guard.quantile = 0;
    assert_true(fabs(guard_figure(&guard, &block, ARM_CANARY) - 0.003) < 0.002);
    strata_reset(&block);
    assert_true(isnan(guard_figure(&guard, &block, ARM_CANARY)));
}

static void figures_are_written_with_units(void **state)
{
    (void)state;
    char text[48];
    struct guard guard = {.metric = GUARD_TTFT, .quantile = 0.95};
    guard_describe(&guard, text);
    assert_string_equal(text, "ttft p95");
    guard_format(&guard, 12345, text);
    assert_string_equal(text, "12.3 ms");
    guard_format(&guard, 1234567, text);
    assert_string_equal(text, "1235 ms");
    guard_format(&guard, NAN, text);
    assert_string_equal(text, "unknown");
    guard = (struct guard){.metric = GUARD_ERROR_RATE};
    guard_format(&guard, 0.0312, text);
    assert_string_equal(text, "3.12 %");
    guard = (struct guard){.metric = GUARD_COST};
    guard_describe(&guard, text);
    assert_string_equal(text, "cost mean");
    guard_format(&guard, 12.3, text);
    assert_string_equal(text, "0.00001230");
    guard_format(&guard, 1234567, text);
    assert_string_equal(text, "1.234567");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_default_guards_are_sound),
        TEST(senseless_guards_are_refused),
        TEST(names_lead_there_and_back),
        TEST(slack_widens_the_margin_only),
        TEST(a_quantile_is_cut_in_both_arms),
        TEST(a_low_quantile_can_be_a_floor),
        TEST(rates_pool_what_was_cached),
        TEST(a_share_that_must_not_fall_is_turned_round),
        TEST(a_mean_beyond_its_limit_shows_without_any_spread),
        TEST(means_compare_capped_values),
        TEST(cuts_wait_for_enough_of_stable),
        TEST(figures_are_weighted_to_canarys_mix),
        TEST(figures_are_written_with_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
