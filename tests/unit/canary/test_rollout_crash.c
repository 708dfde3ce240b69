/* SPDX-License-Identifier: Apache-2.0 */
/* test_rollout_crash.c: the process dies between any two of its acts, once or twice in a rollout, and people interfere
 * right before any act: each decision is replayed with the state persisted or lost and the weight written or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "release.h"

/* What a rollout does besides going through its steps. */
struct story {
    const char *name;
    void (*interfere)(struct release *release); /* when step 2 of 3 is in force; NULL: nothing */
    enum rollout_phase end;
    unsigned weights[8]; /* in this order, and no others */
    unsigned weight_count;
    uint64_t slow_start_ms;
};

static void let_canary_fail(struct release *release)
{
    release->facts.verdict = VERDICT_FAIL;
    release->facts.severity = SEVERITY_ROLLBACK;
}

static void say(struct release *release, enum rollout_command command)
{
    release->facts.command = command;
    release->facts.command_id++;
}

static void command_rollback(struct release *release)
{
    say(release, COMMAND_ROLLBACK);
}

static void command_abort(struct release *release)
{
    say(release, COMMAND_ABORT);
}

static void command_promote_full(struct release *release)
{
    say(release, COMMAND_PROMOTE_FULL);
}

static void change_revision(struct release *release)
{
    release->plan.revision++;
}

static const struct story stories[] = {
    {"healthy", NULL, PHASE_COMPLETED, {100, 500, 2500, 10000}, 4},
    {"slow start", NULL, PHASE_COMPLETED, {25, 50, 75, 100, 500, 2500, 10000}, 7, .slow_start_ms = 60000},
    {"fails", let_canary_fail, PHASE_ROLLED_BACK, {100, 500, 0}, 3},
    {"rolled back", command_rollback, PHASE_ROLLED_BACK, {100, 500, 0}, 3},
    {"aborted", command_abort, PHASE_ABORTED, {100, 500, 0}, 3},
    {"promoted", command_promote_full, PHASE_COMPLETED, {100, 500, 10000}, 3},
    {"revised", change_revision, PHASE_COMPLETED, {100, 500, 0, 100, 500, 2500, 10000}, 7},
};

static bool is_in_second_step(const struct release *release)
{
    return release->facts.weight_bp == 500 && release->durable.phase == PHASE_PROGRESSING &&
           release->durable.step == 1 && !release->durable.is_moving;
}

static bool tell(struct release *release, const struct story *story)
{
    bool has_interfered = story->interfere == NULL;
    for (unsigned tick = 0; tick < 100; tick++) {
        if (!release_run(release, tick > 0))
            return false;
        if (!has_interfered && is_in_second_step(release)) {
            story->interfere(release);
            has_interfered = true;
        } else if (release->durable.phase == story->end) {
            return true;
        }
    }
    return false;
}

/* Writes by number of move, repetitions of the same left out. */
static void check_weights(const struct release *release, const struct story *story)
{
    unsigned count = 0;
    for (unsigned i = 0; i < release->write_count; i++) {
        const struct write *write = &release->writes[i];
        if (i > 0 && write->move == release->writes[i - 1].move) {
            assert_int_equal(write->weight_bp, release->writes[i - 1].weight_bp);
            continue;
        }
        assert_true(count < story->weight_count);
        assert_int_equal(write->weight_bp, story->weights[count]);
        assert_int_equal(write->move, count + 1);
        count++;
    }
    assert_int_equal(count, story->weight_count);
}

/* The first and the third step, 30 s each: a crash may lengthen them, never shorten. */
static void check_holds(const struct release *release)
{
    for (unsigned i = 0; i + 1 < release->write_count; i++) {
        const struct write *write = &release->writes[i], *next = &release->writes[i + 1];
        if (write->move != next->move && next->weight_bp > write->weight_bp && write->weight_bp != 500 &&
            write->weight_bp >= 100)
            assert_true(next->at_ms - write->at_ms >= 30000);
    }
}

static unsigned play(const struct story *story, unsigned first_death, unsigned second_death)
{
    struct release release;
    release_init(&release);
    release.plan.slow_start_ms = story->slow_start_ms;
    release.dies_at[0] = first_death;
    release.dies_at[1] = second_death;
    assert_true(tell(&release, story));
    assert_int_equal(release.durable.phase, story->end);
    assert_int_equal(release.facts.weight_bp, story->weights[story->weight_count - 1]);
    assert_int_equal(release.durable.confirmed_bp, release.facts.weight_bp);
    assert_false(release.durable.is_moving);
    check_weights(&release, story);
    check_holds(&release);
    return release.acts;
}

static void dying_once_at_any_point_repeats_no_step(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        unsigned acts = play(&stories[i], 0, 0);
        assert_true(acts > 30);
        for (unsigned death = 1; death <= acts; death++)
            play(&stories[i], death, 0);
    }
}

static void dying_twice_at_any_two_points_repeats_no_step(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        unsigned acts = play(&stories[i], 0, 0);
        for (unsigned first = 1; first <= acts; first++)
            for (unsigned second = first + 1; second <= first + 12; second++)
                play(&stories[i], first, second);
    }
}

static void a_dead_process_leaves_its_count_but_not_its_evidence(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    release.plan.steps[1].hold_requests = 500;
    assert_true(release_run_until_step(&release, 1));
    unsigned epoch = release.durable.epoch;
    release.durable.step_requests = 400; /* a status was written */
    release.step_requests = 430;
    release.dies_at[0] = release.acts + 1;
    assert_true(release_settle(&release));
    assert_int_equal(release.deaths, 1);
    assert_int_equal(release.durable.epoch, epoch + 1);
    assert_true(release_run(&release, 1)); /* 50 more */
    assert_int_equal(release.facts.weight_bp, 500);
    assert_string_equal(release.decision.why, "step 2 of 3, 5 %: 450 of 500 canary requests judged");
    assert_true(release_run(&release, 1));
    assert_int_equal(release.facts.weight_bp, 2500);
}

static void epochs_that_the_analysis_began_are_persisted(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 1));
    release.epoch += 3; /* three windows ran out */
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.epoch, release.epoch);
}

/* An edit before any act, also between the decision and the write: the weight stays the human's. */
static void an_edit_at_any_point_is_never_overwritten(void **state)
{
    (void)state;
    unsigned acts = play(&stories[0], 0, 0), paused = 0;
    for (unsigned edit = 1; edit <= acts; edit++) {
        struct release release;
        release_init(&release);
        release.edited_at = edit;
        release.edited_to_bp = 1700;
        assert_true(release_run(&release, 40));
        if (release.edits == 0)
            continue;
        bool is_taken = release.durable.phase == PHASE_PAUSED;
        bool is_adopted = release.durable.phase == PHASE_COMPLETED; /* edited before the beginning or after the end */
        assert_true(is_taken || is_adopted);
        if (is_taken) {
            assert_int_equal(release.facts.weight_bp, 1700);
            assert_int_equal(release.decision.wait, WAIT_HUMAN_WEIGHT);
            assert_int_equal(release_count_events(&release, EVENT_WEIGHT_TAKEN), 1);
            paused++;
        }
    }
    assert_true(paused > acts / 2);
}

/* And when the process dies about then, too. */
static void an_edit_around_a_crash_is_never_overwritten(void **state)
{
    (void)state;
    unsigned acts = play(&stories[0], 0, 0);
    for (unsigned edit = 12; edit + 12 < acts; edit++)
        for (unsigned death = edit - 4; death <= edit + 4; death++) {
            struct release release;
            release_init(&release);
            release.edited_at = edit;
            release.edited_to_bp = 1700;
            release.dies_at[0] = death;
            assert_true(release_run(&release, 40));
            assert_int_equal(release.facts.weight_bp, 1700);
            assert_int_equal(release.durable.phase, PHASE_PAUSED);
        }
}

/* A command before any act, the process dying right after: it is carried out, and once. */
static void a_command_at_any_point_is_carried_out_once(void **state)
{
    (void)state;
    unsigned acts = play(&stories[0], 0, 0);
    for (unsigned at = 1; at < acts; at++)
        for (unsigned delay = 0; delay < 4; delay++) {
            struct release release;
            release_init(&release);
            while (release.acts < at)
                if (!release_turn(&release)) {
                    release.now_ms += TICK_MS;
                    release.step_requests += 50;
                }
            say(&release, COMMAND_ABORT);
            release.dies_at[0] = release.acts + delay;
            assert_true(release_run(&release, 5));
            assert_int_equal(release.durable.phase, PHASE_ABORTED);
            assert_int_equal(release.facts.weight_bp, 0);
            assert_int_equal(release.durable.last_command, 1);
            unsigned to_zero = 0;
            for (unsigned i = 1; i < release.write_count; i++)
                to_zero += release.writes[i].weight_bp == 0 && release.writes[i].move != release.writes[i - 1].move;
            assert_true(to_zero <= 1);
        }
}

/* Facts that lag behind the process's own write: a rollback overtakes the move that it does not see yet. */
static void a_move_seen_late_is_not_taken_for_a_human(void **state)
{
    (void)state;
    struct release release;
    release_init(&release);
    assert_true(release_run_until_step(&release, 0));
    release.now_ms += 30000;
    while (!release.decision.has_weight)
        release_turn(&release);
    assert_int_equal(release.facts.weight_bp, 500);
    struct rollout_facts written = release.facts;
    release.facts.weight_bp = release.facts.applied_bp = 100;
    release.facts.applied_move--;
    say(&release, COMMAND_ROLLBACK);
    release_turn(&release);
    assert_int_equal(release.durable.phase, PHASE_ROLLING_BACK);
    release.facts.weight_bp = written.weight_bp;
    release.facts.applied_bp = written.applied_bp;
    release.facts.applied_move = written.applied_move;
    assert_true(release_settle(&release));
    assert_int_equal(release.durable.phase, PHASE_ROLLED_BACK);
    assert_int_equal(release.facts.weight_bp, 0);
}

/* Every phase can be reached and left only as the table says: the machine asserts it, the table is sane. */
static void ends_are_left_by_people_only(void **state)
{
    (void)state;
    static const enum rollout_phase ends[] = {PHASE_COMPLETED, PHASE_ROLLED_BACK, PHASE_ABORTED};
    for (unsigned i = 0; i < 3; i++) {
        assert_false(rollout_phase_is_active(ends[i]));
        assert_true(rollout_may_follow(ends[i], PHASE_PENDING));
        assert_false(rollout_may_follow(ends[i], PHASE_PROGRESSING));
        assert_false(rollout_may_follow(ends[i], PHASE_PROMOTING));
        assert_false(rollout_may_follow(ends[i], ends[i]));
    }
    assert_false(rollout_may_follow(PHASE_PENDING, PHASE_PROMOTING));
    assert_false(rollout_may_follow(PHASE_ROLLING_BACK, PHASE_PROGRESSING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dying_once_at_any_point_repeats_no_step),
        cmocka_unit_test(dying_twice_at_any_two_points_repeats_no_step),
        cmocka_unit_test(a_dead_process_leaves_its_count_but_not_its_evidence),
        cmocka_unit_test(epochs_that_the_analysis_began_are_persisted),
        cmocka_unit_test(an_edit_at_any_point_is_never_overwritten),
        cmocka_unit_test(an_edit_around_a_crash_is_never_overwritten),
        cmocka_unit_test(a_command_at_any_point_is_carried_out_once),
        cmocka_unit_test(a_move_seen_late_is_not_taken_for_a_human),
        cmocka_unit_test(ends_are_left_by_people_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
