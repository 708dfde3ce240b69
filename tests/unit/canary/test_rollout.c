/* SPDX-License-Identifier: Apache-2.0 */
/* test_rollout.c: what the machine does by itself: steps, holds, verdicts, room, warmth, target, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "release.h"

static void healthy_rollouts_take_every_step_once(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until(&release, PHASE_COMPLETED));
    static const unsigned weights[] = {100, 500, 2500, 10000};
    assert_int_equal(release.write_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(release.writes[i].weight_bp, weights[i]);
        assert_int_equal(release.writes[i].move, i + 1);
    }
    assert_int_equal(release_count_events(&release, EVENT_STARTED), 1);
    assert_int_equal(release_count_events(&release, EVENT_STEP_BEGUN), 3);
    assert_int_equal(release_count_events(&release, EVENT_STEP_PASSED), 2);
    assert_int_equal(release_count_events(&release, EVENT_PROMOTING), 1);
    assert_int_equal(release_count_events(&release, EVENT_COMPLETED), 1);
    assert_int_equal(release.decision.wait, WAIT_DONE);
}

static void steps_hold_for_their_time_and_their_requests(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run(&release, 2));
    assert_int_equal(release.durable.step, 0);
    assert_int_equal(release.decision.wait, WAIT_TIME);
    assert_int_equal(release.decision.recheck_ms, 10000);
    assert_string_equal(release.decision.why, "step 1 of 3, 1 %: 20s of 30s");
    assert_true(release_run(&release, 2)); /* 50 canary requests in a tick at 5 % */
    assert_int_equal(release.durable.step, 1);
    assert_int_equal(release.decision.wait, WAIT_REQUESTS);
    assert_string_equal(release.decision.why, "step 2 of 3, 5 %: 50 of 100 canary requests judged");
    assert_true(release_run(&release, 1));
    assert_int_equal(release.durable.step, 2);
}

static void out_of_the_warm_up_the_share_grows_in_small_moves(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.slow_start_ms = 60000;
    assert_true(release_run(&release, 1));
    assert_int_equal(release.facts.weight_bp, 25);
    assert_int_equal(release.decision.wait, WAIT_SLOW_START);
    assert_int_equal(release.decision.recheck_ms, 10001);
    assert_string_equal(release.decision.why, "step 1 of 3, 0.25 %: the share grows to the step's weight: 1 %");
    release.facts.is_warm = false;
    assert_true(release_run(&release, 2));
    assert_int_equal(release.facts.weight_bp, 25);
    assert_int_equal(release.decision.wait, WAIT_WARMUP);
    release.facts.is_warm = true;
    release.facts.is_saturated = true;
    assert_true(release_settle(&release));
    assert_int_equal(release.decision.wait, WAIT_CAPACITY);
    release.facts.is_saturated = false;
    assert_true(release_settle(&release));
    assert_int_equal(release.facts.weight_bp, 50);
    assert_true(release_run_until_step(&release, 1));
    static const unsigned weights[] = {25, 50, 75, 100, 500};
    static const uint64_t seconds[] = {0, 30, 50, 60, 90}; /* the hold of 30 s begins with the whole weight */
    assert_int_equal(release.write_count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(release.writes[i].weight_bp, weights[i]);
        assert_int_equal(release.writes[i].move, i + 1);
        assert_int_equal(release.writes[i].at_ms, 1000000 + seconds[i] * 1000);
    }
    assert_int_equal(release_count_events(&release, EVENT_SLOW_START), 1);
    assert_int_equal(release_count_events(&release, EVENT_STEP_BEGUN), 2);
}

static void a_fail_in_the_slow_start_rolls_back(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.slow_start_ms = 60000;
    assert_true(release_run(&release, 1));
    release.facts.verdict = VERDICT_FAIL;
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.phase, PHASE_ROLLED_BACK);
    assert_int_equal(release.facts.weight_bp, 0);
    release.facts.verdict = VERDICT_PASS;
    assert_true(release_command(&release, COMMAND_RESUME)); /* and it begins small again */
    assert_int_equal(release.facts.weight_bp, 25);
}

static void all_at_once_is_no_cliff_either(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.slow_start_ms = 30000;
    release.plan.steps[0].weight_bp = ROLLOUT_ALL_BP;
    release.plan.step_count = 1;
    assert_true(release_run(&release, 2));
    assert_int_equal(release.facts.weight_bp, 5000);
    assert_int_equal(release.durable.phase, PHASE_PROMOTING);
    assert_int_equal(release.decision.wait, WAIT_SLOW_START);
    assert_true(release_run(&release, 1));
    assert_int_equal(release.durable.phase, PHASE_COMPLETED);
    assert_int_equal(release.write_count, 3);
}

static void a_share_that_was_there_before_does_not_fall_in_the_slow_start(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.slow_start_ms = 60000;
    release.facts.weight_bp = 60;
    assert_true(release_run_until_step(&release, 1));
    assert_int_equal(release.write_count, 3);
    assert_int_equal(release.writes[0].weight_bp, 75);
    assert_int_equal(release.writes[1].weight_bp, 100);
}

static void only_a_pass_advances(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        enum rollout_wait wait;
    } others[] = {{VERDICT_NO_DATA, WAIT_NO_DATA}, {VERDICT_INCONCLUSIVE, WAIT_INCONCLUSIVE}};
    for (unsigned i = 0; i < 2; i++) {
        struct release release;
        release_init(&release);
        release.facts.verdict = others[i].verdict;
        release.facts.verdict_text = "seen so far";
        assert_true(release_run(&release, 100));
        assert_int_equal(release.facts.weight_bp, 100);
        assert_int_equal(release.decision.wait, others[i].wait);
        assert_non_null(strstr(release.decision.why, "seen so far"));
        release.facts.verdict = VERDICT_PASS;
        assert_true(release_run(&release, 1));
        assert_int_equal(release.facts.weight_bp, 500);
    }
}

static void a_fail_rolls_back_at_once_and_names_the_reason(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.facts.verdict = VERDICT_FAIL;
    release.facts.severity = SEVERITY_ROLLBACK;
    release.facts.verdict_text = "ttft p95 is 900 ms, 300 ms are allowed";
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.phase, PHASE_ROLLED_BACK);
    assert_int_equal(release.facts.weight_bp, 0);
    assert_int_equal(release.pins_dropped, 0);
    assert_non_null(strstr(release.decision.why, "ttft p95 is 900 ms"));
    assert_int_equal(release_count_events(&release, EVENT_ROLLING_BACK), 1);
    assert_int_equal(release_count_events(&release, EVENT_ROLLED_BACK), 1);
    release.facts.verdict = VERDICT_PASS;
    assert_true(release_run(&release, 100));
    assert_int_equal(release.facts.weight_bp, 0);
}

static void a_mild_fail_holds_until_it_is_over(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.facts.verdict = VERDICT_FAIL;
    release.facts.severity = SEVERITY_HOLD;
    release.facts.verdict_text = "more answers are cut";
    assert_true(release_run(&release, 50));
    assert_int_equal(release.durable.phase, PHASE_HOLDING);
    assert_int_equal(release.facts.weight_bp, 500);
    assert_int_equal(release.decision.wait, WAIT_GUARD);
    assert_non_null(strstr(release.decision.why, "more answers are cut"));
    release.facts.verdict = VERDICT_PASS;
    assert_true(release_run_until(&release, PHASE_COMPLETED));
    assert_int_equal(release_count_events(&release, EVENT_RELEASED), 1);
}

static void a_grave_fail_ends_a_mild_one(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.facts.verdict = VERDICT_FAIL;
    release.facts.severity = SEVERITY_HOLD;
    assert_true(release_settle(&release));
    release.facts.severity = SEVERITY_ROLLBACK;
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.phase, PHASE_ROLLED_BACK);
}

static void a_cold_canary_gets_no_share(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.stall_ms = 60000;
    release.facts.is_warm = false;
    release.facts.warm_text = "adapter x is on 0 of 1 endpoints";
    assert_true(release_run(&release, 6));
    assert_int_equal(release.write_count, 0);
    assert_int_equal(release.durable.phase, PHASE_WARMING_UP);
    assert_string_equal(release.decision.why,
                        "0 %: the canary is not ready for more share: adapter x is on 0 of 1 endpoints");
    assert_false(release.decision.is_stalled);
    assert_true(release_run(&release, 1));
    assert_true(release.decision.is_stalled);
    release.facts.is_warm = true;
    assert_true(release_settle(&release));
    assert_int_equal(release.facts.weight_bp, 100);
}

static void a_full_or_cold_canary_keeps_its_share(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.facts.is_saturated = true;
    assert_true(release_run(&release, 20));
    assert_int_equal(release.facts.weight_bp, 500);
    assert_int_equal(release.decision.wait, WAIT_CAPACITY);
    release.facts.is_warm = false;
    assert_true(release_run(&release, 1));
    assert_int_equal(release.decision.wait, WAIT_WARMUP);
    release.facts.is_saturated = false;
    release.facts.is_warm = true;
    assert_true(release_run(&release, 1));
    assert_int_equal(release.facts.weight_bp, 2500);
}

static void a_step_that_does_not_end_is_stalled(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.stall_ms = 60000;
    release.facts.verdict = VERDICT_INCONCLUSIVE;
    assert_true(release_run(&release, 9));
    assert_false(release.decision.is_stalled);
    assert_true(release_run(&release, 1));
    assert_true(release.decision.is_stalled);
}

static void unjudged_rollouts_go_by_their_holds(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.is_unjudged = true;
    release.facts.verdict = VERDICT_FAIL;
    release.facts.severity = SEVERITY_ROLLBACK;
    release.dies_at[0] = 30; /* the count for the second step must begin again */
    assert_true(release_run_until(&release, PHASE_COMPLETED));
    assert_int_equal(release.deaths, 1);
    assert_int_equal(release.write_count, 4);
}

static void a_lost_target_is_waited_for(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.facts.has_target = false;
    assert_true(release_settle(&release));
    release.now_ms += 3600000;
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.phase, PHASE_FAILED);
    assert_int_equal(release.decision.wait, WAIT_TARGET);
    assert_int_equal(release_count_events(&release, EVENT_TARGET_LOST), 1);
    release.facts.has_target = true;
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.phase, PHASE_PROGRESSING);
    assert_int_equal(release.durable.step, 1);
    assert_true(release_run_until(&release, PHASE_COMPLETED));
    assert_int_equal(release.write_count, 4);
}

static void a_target_that_came_back_otherwise_is_its_owners(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.facts.has_target = false;
    assert_true(release_settle(&release));
    release.facts.has_target = true;
    release.facts.weight_bp = 5000;
    release.facts.applied_move = 0;
    assert_true(release_run(&release, 10));
    assert_int_equal(release.durable.phase, PHASE_PAUSED);
    assert_int_equal(release.decision.wait, WAIT_HUMAN_WEIGHT);
    assert_int_equal(release.facts.weight_bp, 5000);
}

static void a_rollout_waits_for_its_target_to_exist(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.facts.has_target = false;
    assert_true(release_run(&release, 3));
    assert_int_equal(release.durable.phase, PHASE_PENDING);
    assert_int_equal(release.decision.wait, WAIT_TARGET);
    release.facts.has_target = true;
    assert_true(release_run_until(&release, PHASE_COMPLETED));
}

static void a_rollout_goes_on_from_the_weight_that_it_finds(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.facts.weight_bp = 500;
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.step, 1);
    assert_int_equal(release.write_count, 0);
    release_init(&release);
    release.facts.weight_bp = 10000;
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.phase, PHASE_COMPLETED);
}

static void another_revision_takes_the_share_back_first(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 2));
    unsigned before = release.write_count;
    release.plan.revision = 8;
    assert_true(release_settle(&release));
    assert_int_equal(release.writes[before].weight_bp, 0);
    assert_int_equal(release.writes[before].move, before + 1);
    assert_int_equal(release.writes[before + 1].weight_bp, 100);
    assert_int_equal(release_count_events(&release, EVENT_RESTARTED), 1);
    assert_true(release_run_until(&release, PHASE_COMPLETED));
}

static void another_revision_after_the_end_keeps_the_weight_of_the_object(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until(&release, PHASE_COMPLETED));
    release.facts.weight_bp = 0; /* stable and canary have changed places */
    release.plan.revision = 8;
    assert_true(release_settle(&release));
    assert_int_equal(release.facts.weight_bp, 100);
    assert_int_equal(release.durable.phase, PHASE_PROGRESSING);
}

static void edited_steps_are_followed_from_the_weight_in_force(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.plan.steps[2] = (struct rollout_step){.weight_bp = 5000, .hold = HOLD_APPROVAL};
    release.plan.steps[1] = (struct rollout_step){.weight_bp = 300, .hold_ms = 0};
    assert_true(release_run(&release, 1));
    assert_int_equal(release.facts.weight_bp, 5000);
    assert_int_equal(release.decision.wait, WAIT_APPROVAL);
}

static void a_clock_that_was_set_back_does_not_end_a_hold(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run(&release, 1));
    release.now_ms -= 500000;
    assert_true(release_run(&release, 2));
    assert_int_equal(release.facts.weight_bp, 100);
    assert_true(release_run_until(&release, PHASE_COMPLETED));
}

static void early_steps_have_wider_margins_to_pass(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(rollout_pass_slack(&release.plan, 0) == 4); /* 5 % next: 10 times, 4 at most */
    assert_true(rollout_pass_slack(&release.plan, 1) == 2); /* 25 % next */
    assert_true(rollout_pass_slack(&release.plan, 2) == 1);
    assert_true(release_run(&release, 1));
    assert_true(release.decision.slack == 4);
}

static void plans_are_checked(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_null(rollout_check(&release.plan));
    struct rollout_plan wrong = release.plan;
    wrong.steps[1].weight_bp = 100;
    assert_non_null(rollout_check(&wrong));
    wrong = release.plan;
    wrong.steps[2].weight_bp = 10001;
    assert_non_null(rollout_check(&wrong));
    wrong = release.plan;
    wrong.step_count = 0;
    assert_non_null(rollout_check(&wrong));
    wrong.step_count = ROLLOUT_STEPS_MAX + 1;
    assert_non_null(rollout_check(&wrong));
    wrong = release.plan;
    wrong.max_slack = 0.5;
    assert_non_null(rollout_check(&wrong));
    wrong = release.plan;
    wrong.revision = 0;
    assert_non_null(rollout_check(&wrong));
}

static void names_lead_back_to_what_they_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PHASE_COUNT; i++) {
        enum rollout_phase phase;
        assert_true(rollout_phase_of(rollout_phase_name((enum rollout_phase)i), &phase));
        assert_int_equal(phase, i);
    }
    for (unsigned i = 0; i < WAIT_COUNT; i++) {
        enum rollout_wait wait;
        assert_true(rollout_wait_of(rollout_wait_reason((enum rollout_wait)i), &wait));
        assert_int_equal(wait, i);
    }
    enum rollout_phase phase;
    enum rollout_wait wait;
    assert_false(rollout_phase_of("Nonsense", &phase));
    assert_false(rollout_wait_of("Nonsense", &wait));
    assert_string_equal(rollout_command_verb(COMMAND_PROMOTE_FULL), "promote --full");
    assert_string_equal(rollout_event_reason(EVENT_WEIGHT_TAKEN), "WeightChangedByOther");
    assert_true(rollout_event_is_warning(EVENT_ROLLED_BACK));
    assert_false(rollout_event_is_warning(EVENT_STARTED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_rollouts_take_every_step_once),
        cmocka_unit_test(steps_hold_for_their_time_and_their_requests),
        cmocka_unit_test(out_of_the_warm_up_the_share_grows_in_small_moves),
        cmocka_unit_test(a_fail_in_the_slow_start_rolls_back),
        cmocka_unit_test(all_at_once_is_no_cliff_either),
        cmocka_unit_test(a_share_that_was_there_before_does_not_fall_in_the_slow_start),
        cmocka_unit_test(only_a_pass_advances),
        cmocka_unit_test(a_fail_rolls_back_at_once_and_names_the_reason),
        cmocka_unit_test(a_mild_fail_holds_until_it_is_over),
        cmocka_unit_test(a_grave_fail_ends_a_mild_one),
        cmocka_unit_test(a_cold_canary_gets_no_share),
        cmocka_unit_test(a_full_or_cold_canary_keeps_its_share),
        cmocka_unit_test(a_step_that_does_not_end_is_stalled),
        cmocka_unit_test(unjudged_rollouts_go_by_their_holds),
        cmocka_unit_test(a_lost_target_is_waited_for),
        cmocka_unit_test(a_target_that_came_back_otherwise_is_its_owners),
        cmocka_unit_test(a_rollout_waits_for_its_target_to_exist),
        cmocka_unit_test(a_rollout_goes_on_from_the_weight_that_it_finds),
        cmocka_unit_test(another_revision_takes_the_share_back_first),
        cmocka_unit_test(another_revision_after_the_end_keeps_the_weight_of_the_object),
        cmocka_unit_test(edited_steps_are_followed_from_the_weight_in_force),
        cmocka_unit_test(a_clock_that_was_set_back_does_not_end_a_hold),
        cmocka_unit_test(early_steps_have_wider_margins_to_pass),
        cmocka_unit_test(plans_are_checked),
        cmocka_unit_test(names_lead_back_to_what_they_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
