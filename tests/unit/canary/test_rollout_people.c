/* SPDX-License-Identifier: Apache-2.0 */
/* test_rollout_people.c: weights that people set, commands, suspend, and onFailure: hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "release.h"

static int set_up(void **state)
{
    static struct release release;
    release_init(&release);
    *state = &release;
    return release_run_until_step(&release, 1) ? 0 : -1;
}

static void let_canary_fail(struct release *release, enum guard_severity severity)
{
    release->facts.verdict = VERDICT_FAIL;
    release->facts.severity = severity;
    release->facts.verdict_text = "5 % of the answers are errors";
}

static void an_edit_pauses_and_says_who_owns_the_weight(void **state)
{
    struct release *release = *state;
    release_edit_weight(release, 1000);
    assert_true(release_run(release, 30));
    assert_int_equal(release->durable.phase, PHASE_PAUSED);
    assert_int_equal(release->facts.weight_bp, 1000);
    assert_int_equal(release->decision.wait, WAIT_HUMAN_WEIGHT);
    assert_non_null(strstr(release->decision.why, "somebody set the weight to 10 % (it was 5 %) and owns it now"));
    release_edit_weight(release, 1200); /* again: theirs, and nothing new */
    assert_true(release_run(release, 1));
    assert_int_equal(release_count_events(release, EVENT_WEIGHT_TAKEN), 1);
}

static void guards_do_not_overrule_the_owner_of_the_weight(void **state)
{
    struct release *release = *state;
    release_edit_weight(release, 1000);
    assert_true(release_settle(release));
    let_canary_fail(release, SEVERITY_ROLLBACK);
    assert_true(release_run(release, 30));
    assert_int_equal(release->facts.weight_bp, 1000);
    assert_int_equal(release->durable.phase, PHASE_PAUSED);
}

static void resume_goes_on_from_the_weight_that_a_human_set(void **state)
{
    struct release *release = *state;
    release_edit_weight(release, 1000);
    assert_true(release_settle(release));
    unsigned writes = release->write_count;
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->durable.phase, PHASE_PROGRESSING);
    assert_int_equal(release->durable.step, 1);
    assert_int_equal(release->facts.weight_bp, 1000);
    assert_true(release_run_until(release, PHASE_COMPLETED));
    assert_int_equal(release->write_count, writes + 2);
    assert_int_equal(release->writes[writes].weight_bp, 2500);
}

static void resume_from_nothing_warms_up_and_from_everything_is_the_end(void **state)
{
    struct release *release = *state;
    release_edit_weight(release, 0);
    assert_true(release_settle(release));
    release->facts.is_warm = false;
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->durable.phase, PHASE_WARMING_UP);
    release_edit_weight(release, 10000);
    assert_true(release_settle(release));
    assert_int_equal(release->durable.phase, PHASE_PAUSED);
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->durable.phase, PHASE_COMPLETED);
}

static void a_pause_keeps_weight_and_guards(void **state)
{
    struct release *release = *state;
    assert_true(release_command(release, COMMAND_PAUSE));
    assert_true(release_run(release, 30));
    assert_int_equal(release->facts.weight_bp, 500);
    assert_int_equal(release->decision.wait, WAIT_PAUSED);
    let_canary_fail(release, SEVERITY_ROLLBACK);
    assert_true(release_settle(release));
    assert_int_equal(release->durable.phase, PHASE_ROLLED_BACK);
}

static void resume_continues_the_step(void **state)
{
    struct release *release = *state;
    unsigned epoch = release->durable.epoch;
    uint64_t began_ms = release->durable.step_began_ms;
    assert_true(release_command(release, COMMAND_PAUSE));
    release->now_ms += 1000;
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->durable.phase, PHASE_PROGRESSING);
    assert_int_equal(release->durable.epoch, epoch);
    assert_int_equal(release->durable.step_began_ms, began_ms);
    assert_true(release_run_until(release, PHASE_COMPLETED));
    assert_int_equal(release->write_count, 4);
}

static void a_pause_in_mid_hold_comes_back_to_the_hold_with_its_reason(void **state)
{
    struct release *release = *state;
    let_canary_fail(release, SEVERITY_HOLD);
    assert_true(release_settle(release));
    assert_int_equal(release->durable.phase, PHASE_HOLDING);
    assert_true(release_command(release, COMMAND_PAUSE));
    assert_int_equal(release->durable.phase, PHASE_PAUSED);
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->durable.phase, PHASE_HOLDING);
    assert_int_equal(release->decision.wait, WAIT_GUARD);
    assert_non_null(strstr(release->decision.why, "5 % of the answers are errors"));
}

static void promote_ends_the_step_and_only_this_one(void **state)
{
    struct release *release = *state;
    release->facts.verdict = VERDICT_INCONCLUSIVE;
    assert_true(release_command(release, COMMAND_PROMOTE));
    assert_int_equal(release->facts.weight_bp, 2500);
    assert_true(release_run(release, 30));
    assert_int_equal(release->facts.weight_bp, 2500);
    assert_int_equal(release->decision.wait, WAIT_INCONCLUSIVE);
}

static void promote_waits_for_a_canary_without_room(void **state)
{
    struct release *release = *state;
    release->facts.is_saturated = true;
    assert_true(release_command(release, COMMAND_PROMOTE));
    assert_int_equal(release->facts.weight_bp, 500);
    assert_int_equal(release->decision.wait, WAIT_CAPACITY);
    release->facts.is_saturated = false;
    assert_true(release_settle(release));
    assert_int_equal(release->facts.weight_bp, 2500);
}

static void promote_full_goes_to_the_end(void **state)
{
    struct release *release = *state;
    let_canary_fail(release, SEVERITY_HOLD);
    assert_true(release_settle(release));
    assert_true(release_command(release, COMMAND_PROMOTE_FULL));
    assert_int_equal(release->durable.phase, PHASE_COMPLETED);
    assert_int_equal(release->facts.weight_bp, 10000);
}

static void approvals_end_steps_that_wait_for_them(void **state)
{
    struct release *release = *state;
    release->plan.steps[2].hold = HOLD_APPROVAL;
    assert_true(release_run(release, 50));
    assert_int_equal(release->facts.weight_bp, 2500);
    assert_int_equal(release->decision.wait, WAIT_APPROVAL);
    assert_true(release_command(release, COMMAND_PROMOTE));
    assert_int_equal(release->durable.phase, PHASE_COMPLETED);
}

static void rollback_keeps_pins_and_abort_drops_them(void **state)
{
    struct release *release = *state;
    assert_true(release_command(release, COMMAND_ROLLBACK));
    assert_int_equal(release->durable.phase, PHASE_ROLLED_BACK);
    assert_int_equal(release->pins_dropped, 0);
    assert_true(release_command(release, COMMAND_ABORT));
    assert_int_equal(release->durable.phase, PHASE_ABORTED);
    assert_true(release->pins_dropped > 0);
    assert_int_equal(release->facts.weight_bp, 0);
}

static void a_completed_rollout_can_still_be_rolled_back(void **state)
{
    struct release *release = *state;
    assert_true(release_run_until(release, PHASE_COMPLETED));
    assert_true(release_command(release, COMMAND_ROLLBACK));
    assert_int_equal(release->durable.phase, PHASE_ROLLED_BACK);
    assert_int_equal(release->facts.weight_bp, 0);
}

static void resume_after_a_rollback_begins_anew(void **state)
{
    struct release *release = *state;
    let_canary_fail(release, SEVERITY_ROLLBACK);
    assert_true(release_settle(release));
    release->facts.verdict = VERDICT_PASS;
    unsigned writes = release->write_count;
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->facts.weight_bp, 100);
    assert_true(release_run_until(release, PHASE_COMPLETED));
    assert_int_equal(release->write_count, writes + 4);
    assert_true(release->writes[writes].move > release->writes[writes - 1].move);
}

static void commands_that_mean_nothing_are_refused_and_done_ones_ignored(void **state)
{
    struct release *release = *state;
    assert_true(release_run_until(release, PHASE_COMPLETED));
    assert_true(release_command(release, COMMAND_PAUSE));
    assert_int_equal(release_count_events(release, EVENT_REFUSED), 1);
    assert_true(release_command(release, COMMAND_PROMOTE));
    assert_int_equal(release_count_events(release, EVENT_REFUSED), 1);
    assert_int_equal(release->durable.phase, PHASE_COMPLETED);
}

static void a_command_is_taken_once(void **state)
{
    struct release *release = *state;
    release->facts.verdict = VERDICT_INCONCLUSIVE;
    assert_true(release_command(release, COMMAND_PROMOTE));
    assert_int_equal(release->facts.weight_bp, 2500);
    assert_true(release_run(release, 10)); /* the annotation is still there */
    assert_int_equal(release->facts.weight_bp, 2500);
    release->facts.command_id--; /* an old object was applied again */
    assert_true(release_run(release, 10));
    assert_int_equal(release->facts.weight_bp, 2500);
}

static void suspend_stops_and_its_end_continues(void **state)
{
    struct release *release = *state;
    release->plan.is_suspended = true;
    assert_true(release_run(release, 30));
    assert_int_equal(release->durable.phase, PHASE_PAUSED);
    assert_int_equal(release->decision.wait, WAIT_SUSPENDED);
    assert_int_equal(release->facts.weight_bp, 500);
    let_canary_fail(release, SEVERITY_ROLLBACK); /* hands off means hands off */
    assert_true(release_run(release, 3));
    assert_int_equal(release->facts.weight_bp, 500);
    release->facts.verdict = VERDICT_PASS;
    release->plan.is_suspended = false;
    assert_true(release_run_until(release, PHASE_COMPLETED));
    assert_int_equal(release->write_count, 4);
}

static void suspend_refuses_what_moves_forward_and_lets_people_roll_back(void **state)
{
    struct release *release = *state;
    release->plan.is_suspended = true;
    assert_true(release_settle(release));
    assert_true(release_command(release, COMMAND_PROMOTE_FULL));
    assert_int_equal(release_count_events(release, EVENT_REFUSED), 1);
    assert_int_equal(release->facts.weight_bp, 500);
    assert_true(release_command(release, COMMAND_ROLLBACK));
    assert_int_equal(release->facts.weight_bp, 0);
    assert_int_equal(release->durable.phase, PHASE_ROLLED_BACK);
}

static void a_suspended_canary_does_not_begin(void **state)
{
    struct release *release = *state;
    release_init(release);
    release->plan.is_suspended = true;
    assert_true(release_run(release, 10));
    assert_int_equal(release->write_count, 0);
    assert_int_equal(release->decision.wait, WAIT_SUSPENDED);
    release->plan.is_suspended = false;
    assert_true(release_run_until(release, PHASE_COMPLETED));
}

static void weights_of_a_suspended_canary_are_its_owners(void **state)
{
    struct release *release = *state;
    release->plan.is_suspended = true;
    assert_true(release_settle(release));
    release_edit_weight(release, 3000);
    assert_true(release_run(release, 3));
    assert_int_equal(release_count_events(release, EVENT_WEIGHT_TAKEN), 0);
    release->plan.is_suspended = false;
    assert_true(release_settle(release));
    assert_int_equal(release->facts.weight_bp, 3000);
    assert_int_equal(release->durable.step, 2);
}

static void on_failure_hold_waits_for_people(void **state)
{
    struct release *release = *state;
    release->plan.holds_on_fail = true;
    let_canary_fail(release, SEVERITY_ROLLBACK);
    assert_true(release_run(release, 10));
    assert_int_equal(release->durable.phase, PHASE_HOLDING);
    assert_int_equal(release->decision.wait, WAIT_FAIL);
    release->facts.verdict = VERDICT_PASS; /* a new window: the guard alone does not let go */
    assert_true(release_run(release, 30));
    assert_int_equal(release->durable.phase, PHASE_HOLDING);
    assert_int_equal(release->facts.weight_bp, 500);
    unsigned epoch = release->durable.epoch;
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->durable.epoch, epoch + 1);
    assert_true(release_run_until(release, PHASE_COMPLETED));
}

static void on_failure_hold_outlives_a_mild_fail(void **state)
{
    struct release *release = *state;
    release->plan.holds_on_fail = true;
    let_canary_fail(release, SEVERITY_HOLD);
    assert_true(release_settle(release));
    assert_int_equal(release->decision.wait, WAIT_GUARD);
    let_canary_fail(release, SEVERITY_ROLLBACK);
    assert_true(release_settle(release));
    assert_int_equal(release->decision.wait, WAIT_FAIL);
    release->facts.verdict = VERDICT_PASS;
    assert_true(release_run(release, 30));
    assert_int_equal(release->durable.phase, PHASE_HOLDING);
}

static void an_abort_that_a_human_undid_is_forgotten(void **state)
{
    struct release *release = *state;
    release->facts.command = COMMAND_ABORT;
    release->facts.command_id++;
    while (!release->durable.is_aborting)
        release_turn(release);
    release_edit_weight(release, 2500);
    assert_true(release_settle(release));
    assert_int_equal(release->durable.phase, PHASE_PAUSED);
    assert_true(release_command(release, COMMAND_RESUME));
    assert_int_equal(release->durable.phase, PHASE_PROGRESSING);
    let_canary_fail(release, SEVERITY_ROLLBACK);
    assert_true(release_settle(release));
    assert_int_equal(release->durable.phase, PHASE_ROLLED_BACK);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_edit_pauses_and_says_who_owns_the_weight),
        TEST(guards_do_not_overrule_the_owner_of_the_weight),
        TEST(resume_goes_on_from_the_weight_that_a_human_set),
        TEST(resume_from_nothing_warms_up_and_from_everything_is_the_end),
        TEST(a_pause_keeps_weight_and_guards),
        TEST(resume_continues_the_step),
        TEST(a_pause_in_mid_hold_comes_back_to_the_hold_with_its_reason),
        TEST(promote_ends_the_step_and_only_this_one),
        TEST(promote_waits_for_a_canary_without_room),
        TEST(promote_full_goes_to_the_end),
        TEST(approvals_end_steps_that_wait_for_them),
        TEST(rollback_keeps_pins_and_abort_drops_them),
        TEST(a_completed_rollout_can_still_be_rolled_back),
        TEST(resume_after_a_rollback_begins_anew),
        TEST(commands_that_mean_nothing_are_refused_and_done_ones_ignored),
        TEST(a_command_is_taken_once),
        TEST(suspend_stops_and_its_end_continues),
        TEST(suspend_refuses_what_moves_forward_and_lets_people_roll_back),
        TEST(a_suspended_canary_does_not_begin),
        TEST(weights_of_a_suspended_canary_are_its_owners),
        TEST(on_failure_hold_waits_for_people),
        TEST(on_failure_hold_outlives_a_mild_fail),
        TEST(an_abort_that_a_human_undid_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
