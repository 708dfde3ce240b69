/* SPDX-License-Identifier: Apache-2.0 */
/* test_analysis.c: verdicts on simulated traffic with fixed seeds: what passes, what fails and by which guard, what
 * stays open, and how the error rate is spent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "traffic.h"

static struct analysis *analysis;
static struct random_state random_state;
static struct analysis_report report;

static void start_with(const struct analysis_options *options, const struct guard *guards, unsigned count)
{
    struct strata_options strata;
    strata_default_options(&strata);
    analysis_free(analysis);
    analysis = analysis_new(options, &strata, guards, count);
    random_seed(&random_state, 42);
    struct arm_habits nobody = {0}, many = usual;
    many.per_interval = 400;
    run_intervals(analysis, &random_state, 6, &many, &nobody); /* before the rollout */
    analysis_begin_step(analysis, 1, 1);
}

static void start(const struct guard *guards, unsigned count)
{
    struct analysis_options options;
    analysis_default_options(&options);
    start_with(&options, guards, count);
}

static void start_default(void)
{
    const struct guard *guards;
    unsigned count = guard_defaults(&guards);
    start(guards, count);
}

static int tear_down(void **state)
{
    (void)state;
    analysis_free(analysis);
    analysis = NULL;
    return 0;
}

/* 200 stable and 40 canary exchanges an interval, until the verdict or for so many intervals. */
static enum verdict judge(const struct arm_habits *canary, unsigned intervals)
{
    struct arm_habits stable = usual;
    stable.per_interval = 200;
    enum verdict verdict = VERDICT_NO_DATA;
    for (unsigned i = 0; i < intervals && verdict != VERDICT_PASS && verdict != VERDICT_FAIL; i++) {
        run_intervals(analysis, &random_state, 1, &stable, canary);
        verdict = analysis_verdict(analysis, NULL);
    }
    analysis_report(analysis, &report);
    assert_int_equal(report.verdict, verdict);
    return verdict;
}

static const char *culprit(void)
{
    static char text[48];
    assert_true(report.decisive >= 0);
    guard_describe(report.guards[report.decisive].guard, text);
    return text;
}

static void without_traffic_there_is_no_data(void **state)
{
    (void)state;
    struct arm_habits nobody = {0};
    start_default();
    assert_int_equal(judge(&nobody, 50), VERDICT_NO_DATA);
    assert_non_null(strstr(report.reason, "0 canary exchanges"));
    nobody.per_interval = 1;
    assert_int_equal(judge(&nobody, 20), VERDICT_NO_DATA);
    assert_non_null(strstr(report.reason, "at least 30"));
}

static void a_healthy_canary_passes(void **state)
{
    (void)state;
    start_default();
    assert_int_equal(judge(&usual, 400), VERDICT_PASS);
    assert_int_equal(report.decisive, -1);
    assert_non_null(strstr(report.reason, "95.0 %"));
    for (unsigned i = 0; i < report.guard_count; i++)
        assert_int_equal(report.guards[i].verdict, VERDICT_PASS);
}

static void each_fault_fails_by_its_guard(void **state)
{
    (void)state;
    struct arm_habits faults[5] = {usual, usual, usual, usual, usual};
    static const char *const guards[5] = {"ttft p", "errorRate", "tpot p50", "emptyRate", "errorRate"};
    faults[0].ttft_ms = 200;
    faults[1].error_rate = 0.03;
    faults[2].tpot_ms = 14.4;
    faults[3].empty_rate = 0.1;
    faults[4].error_rate = 1;
    for (unsigned i = 0; i < 5; i++) {
        start_default();
        assert_int_equal(judge(&faults[i], 200), VERDICT_FAIL);
        assert_int_equal(strncmp(culprit(), guards[i], strlen(guards[i])), 0);
        assert_int_equal(report.severity, SEVERITY_ROLLBACK);
        assert_non_null(strstr(report.reason, "canary"));
        assert_non_null(strstr(report.reason, "confidence 99."));
        assert_true(report.guards[report.decisive].p_worse <= report.guards[report.decisive].p_needed);
    }
}

static void no_fault_is_found_in_a_single_block(void **state)
{
    (void)state;
    struct arm_habits broken = usual;
    broken.error_rate = 1;
    start_default();
    assert_int_not_equal(judge(&broken, 4), VERDICT_FAIL);
    assert_int_not_equal(judge(&usual, 300), VERDICT_FAIL); /* and is forgiven when it ends */
}

static void what_says_more_about_clients_only_holds(void **state)
{
    (void)state;
    enum guard_severity severity;
    struct arm_habits leaving = usual;
    leaving.cancelled_rate = 0.4;
    start_default();
    assert_int_equal(judge(&leaving, 200), VERDICT_FAIL);
    assert_string_equal(culprit(), "cancelledRate");
    assert_int_equal(analysis_verdict(analysis, &severity), VERDICT_FAIL);
    assert_int_equal(severity, SEVERITY_HOLD);
    leaving.error_rate = 0.2; /* a graver fail comes to the front */
    struct arm_habits stable = usual;
    run_intervals(analysis, &random_state, 40, &stable, &leaving);
    assert_int_equal(analysis_verdict(analysis, &severity), VERDICT_FAIL);
    assert_int_equal(severity, SEVERITY_ROLLBACK);
}

static void a_canary_whose_every_client_leaves_is_not_overlooked(void **state)
{
    (void)state;
    struct arm_habits hanging = usual;
    hanging.cancelled_rate = 0.997;
    start_default();
    assert_int_equal(judge(&hanging, 100), VERDICT_FAIL);
    assert_string_equal(culprit(), "cancelledRate");
}

static void cold_caches_are_compared_with_cold_prompts(void **state)
{
    (void)state;
    /* Half of stable's prompts are mostly cached and fast; the canary's never. */
    struct guard guard = {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = 1.25};
    struct arm_habits warm = usual, cold = usual, mixed_cold = usual;
    warm.cached_share = 0.9;
    warm.ttft_ms = 30;
    cold.cached_share = mixed_cold.cached_share = 0;
    cold.per_interval = warm.per_interval = 100;
    start(&guard, 1);
    for (unsigned i = 0; i < 60; i++) {
        add_traffic(analysis_interval(analysis), &random_state, &warm, ARM_STABLE);
        run_intervals(analysis, &random_state, 1, &cold, &mixed_cold);
    }
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_PASS);
}

static void between_pass_and_fail_it_stays_open(void **state)
{
    (void)state;
    struct guard guard = {.metric = GUARD_TPOT, .quantile = 0.5, .has_relative = true, .ratio = 1.1};
    struct arm_habits at_limit = usual;
    at_limit.tpot_ms = 12 * 1.1;
    start(&guard, 1);
    assert_int_equal(judge(&at_limit, 150), VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(report.reason, "not confident yet"));
}

static void slack_makes_a_pass_easier_and_a_fail_no_harder(void **state)
{
    (void)state;
    struct guard guard = {.metric = GUARD_ERROR_RATE, .has_relative = true, .ratio = 1, .increase = 0.01};
    struct arm_habits at_limit = usual, failing = usual;
    at_limit.error_rate = 0.013;
    failing.error_rate = 0.08;
    start(&guard, 1);
    analysis_begin_step(analysis, 4, 1);
    assert_int_equal(judge(&at_limit, 300), VERDICT_PASS);
    analysis_begin_step(analysis, 4, 2);
    assert_int_equal(judge(&failing, 300), VERDICT_FAIL);
}

static void both_limits_must_be_kept(void **state)
{
    (void)state;
    struct guard guard = {.metric = GUARD_TTFT,
                          .quantile = 0.5,
                          .has_relative = true,
                          .ratio = 1.5,
                          .has_absolute = true,
                          .absolute = 120e3};
    start(&guard, 1);
    assert_int_equal(judge(&usual, 300), VERDICT_FAIL); /* the same as stable, and too slow for the limit */
    assert_true(report.guards[0].allowed == 120e3);
}

static void absolute_limits_judge_without_stable(void **state)
{
    (void)state;
    struct guard guard = {.metric = GUARD_TTFT, .quantile = 0.95, .has_absolute = true, .absolute = 2e6};
    struct arm_habits nobody = {0};
    start(&guard, 1);
    run_intervals(analysis, &random_state, 300, &nobody, &usual);
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_PASS);
}

static void a_figure_that_a_service_has_not_does_not_block(void **state)
{
    (void)state;
    struct guard guards[] = {
        {.metric = GUARD_ERROR_RATE, .has_relative = true, .ratio = 1, .increase = 0.02},
        {.metric = GUARD_TPOT, .quantile = 0.5, .has_relative = true, .ratio = 1.1, .is_optional = true},
    };
    struct arm_habits embeddings = usual, stable = usual;
    embeddings.has_no_tpot = stable.has_no_tpot = true;
    start(guards, 2);
    run_intervals(analysis, &random_state, 200, &stable, &embeddings);
    analysis_report(analysis, &report);
    assert_int_equal(report.verdict, VERDICT_PASS);
    assert_int_equal(report.guards[1].verdict, VERDICT_NOT_APPLICABLE);
    /* What stable has and the canary has not is no data. */
    start(guards, 2);
    run_intervals(analysis, &random_state, 200, &usual, &embeddings);
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_NO_DATA);
    /* What an operator asks for by name is never waved through. */
    guards[1].is_optional = false;
    start(guards, 2);
    run_intervals(analysis, &random_state, 200, &stable, &embeddings);
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_NO_DATA);
}

static void a_missing_adapter_stops_a_pass_and_fails_nothing(void **state)
{
    (void)state;
    struct guard guard = {.metric = GUARD_ERROR_RATE, .has_relative = true, .ratio = 1, .increase = 0.02};
    struct arm_habits missing = usual;
    missing.missing_rate = 0.3;
    start(&guard, 1);
    assert_int_equal(judge(&missing, 300), VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(report.reason, "not loaded the adapter"));
    assert_int_equal(report.guards[0].verdict, VERDICT_PASS);
    assert_int_equal(judge(&usual, 20), VERDICT_PASS);
}

static void each_epoch_spends_its_part_of_alpha(void **state)
{
    (void)state;
    struct guard guards[] = {
        {.metric = GUARD_ERROR_RATE,
         .has_relative = true,
         .ratio = 1,
         .increase = 0.02,
         .has_absolute = true,
         .absolute = 0.1},
        {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = 1.25},
        {.metric = GUARD_CANCELLED_RATE, .severity = SEVERITY_HOLD, .has_relative = true, .ratio = 1},
    };
    double spent = 0;
    start(guards, 3);
    for (unsigned epoch = 1; epoch < 200; epoch++) {
        analysis_begin_step(analysis, 1, epoch);
        analysis_report(analysis, &report);
        spent += 2 * report.guards[0].p_needed + report.guards[1].p_needed;
        assert_true(fabs(report.guards[2].p_needed - 0.05 / epoch / (epoch + 1)) < 1e-9);
    }
    assert_true(spent > 0.0099 && spent <= 0.01);
}

static void a_window_forgets_and_spends(void **state)
{
    (void)state;
    struct guard guard = {.metric = GUARD_TPOT, .quantile = 0.5, .has_relative = true, .ratio = 1.1};
    struct analysis_options options;
    struct arm_habits slow = usual;
    slow.tpot_ms = 15;
    analysis_default_options(&options);
    options.window_blocks = 60;
    start_with(&options, &guard, 1);
    run_intervals(analysis, &random_state, 60, &usual, &usual);
    assert_int_equal(analysis_epoch(analysis), 1);
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_PASS);
    run_intervals(analysis, &random_state, 1, &usual, &usual);
    assert_int_equal(analysis_epoch(analysis), 2);
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_INCONCLUSIVE);
    /* A canary that turns bad late is found as soon as one that was bad from the start. */
    run_intervals(analysis, &random_state, 58, &usual, &usual);
    run_intervals(analysis, &random_state, 40, &usual, &slow);
    assert_int_equal(analysis_epoch(analysis), 3);
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_FAIL);
}

static void a_new_step_starts_from_nothing(void **state)
{
    (void)state;
    start_default();
    assert_int_equal(judge(&usual, 400), VERDICT_PASS);
    assert_true(analysis_step_requests(analysis) > 0);
    analysis_begin_step(analysis, 1, analysis_epoch(analysis) + 1);
    assert_int_equal(analysis_verdict(analysis, NULL), VERDICT_NO_DATA);
    assert_int_equal(analysis_step_requests(analysis), 0);
    analysis_report(analysis, &report);
    assert_int_equal(report.blocks, 0);
}

/* The whole of it: canaries exactly at two limits, looked at after every interval. */
static void canaries_at_their_limits_are_rarely_failed(void **state)
{
    (void)state;
    static const struct guard guards[] = {
        {.metric = GUARD_ERROR_RATE, .has_relative = true, .ratio = 1, .increase = 0.01},
        {.metric = GUARD_TPOT, .quantile = 0.5, .has_relative = true, .ratio = 1.1},
    };
    struct analysis_options options;
    struct arm_habits at_limit = usual;
    at_limit.error_rate = 0.013;
    at_limit.tpot_ms = 12 * 1.1;
    analysis_default_options(&options);
    options.alpha_rollback = 0.2; /* of which the first epoch may spend half */
    unsigned fails = 0;
    for (unsigned run = 0; run < 40; run++) {
        start_with(&options, guards, 2);
        random_seed(&random_state, run + 1);
        fails += judge(&at_limit, 60) == VERDICT_FAIL;
    }
    assert_in_range(fails, 0, 8);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_traffic_there_is_no_data),
        TEST(a_healthy_canary_passes),
        TEST(each_fault_fails_by_its_guard),
        TEST(no_fault_is_found_in_a_single_block),
        TEST(what_says_more_about_clients_only_holds),
        TEST(a_canary_whose_every_client_leaves_is_not_overlooked),
        TEST(cold_caches_are_compared_with_cold_prompts),
        TEST(between_pass_and_fail_it_stays_open),
        TEST(slack_makes_a_pass_easier_and_a_fail_no_harder),
        TEST(both_limits_must_be_kept),
        TEST(absolute_limits_judge_without_stable),
        TEST(a_figure_that_a_service_has_not_does_not_block),
        TEST(a_missing_adapter_stops_a_pass_and_fails_nothing),
        TEST(each_epoch_spends_its_part_of_alpha),
        TEST(a_window_forgets_and_spends),
        TEST(a_new_step_starts_from_nothing),
        TEST(canaries_at_their_limits_are_rarely_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
