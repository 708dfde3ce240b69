/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of rollouts: single steps as a table, and whole rollouts whose pods become ready in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "control/workloads/rollout_plan.h"

static struct deployment_spec spec_of_limits(unsigned surge, bool surge_percent, unsigned unavailable,
                                             bool unavailable_percent)
{
    return (struct deployment_spec){.max_surge = {surge, surge_percent},
                                    .max_unavailable = {unavailable, unavailable_percent}};
}

static void percentages_round_surge_up_and_unavailable_down(void **state)
{
    (void)state;
    static const struct {
        unsigned desired, surge, unavailable;
        bool is_percent;
        unsigned want_surge, want_unavailable;
    } cases[] = {
        {1, 25, 25, true, 1, 0},  {2, 25, 25, true, 1, 0},   {4, 25, 25, true, 1, 1},     {10, 25, 25, true, 3, 2},
        {10, 0, 1, true, 0, 1}, /* both would be 0: one pod may be missing */
        {10, 0, 99, true, 0, 9},  {10, 100, 0, true, 10, 0}, {10, 300, 0, true, 10, 0},   {3, 2, 1, false, 2, 1},
        {3, 50, 50, false, 3, 3}, {0, 25, 25, true, 0, 0},   {256, 25, 25, true, 64, 64},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct deployment_spec spec =
            spec_of_limits(cases[i].surge, cases[i].is_percent, cases[i].unavailable, cases[i].is_percent);
        struct rollout_limits limits;
        rollout_limits_of(&spec, cases[i].desired, &limits);
        if (limits.surge != cases[i].want_surge || limits.unavailable != cases[i].want_unavailable)
            fail_msg("case %zu: %u, %u", i, limits.surge, limits.unavailable);
    }
}

static void a_step_adds_new_pods_first_and_then_takes_old_ones(void **state)
{
    (void)state;
    static const struct {
        struct rollout_limits limits;
        struct rollout_set newest, olds[2];
        unsigned want_new, want_old[2];
    } cases[] = {
        /* the first pod of a new revision beyond the old ones */
        {{1, 1, 0}, {0, 0}, {{1, 1}, {0, 0}}, 1, {1, 0}},
        /* it is not available yet: nothing more happens */
        {{1, 1, 0}, {1, 0}, {{1, 1}, {0, 0}}, 1, {1, 0}},
        {{1, 1, 0}, {1, 1}, {{1, 1}, {0, 0}}, 1, {0, 0}},
        {{4, 1, 1}, {0, 0}, {{4, 4}, {0, 0}}, 1, {4, 0}},
        {{4, 1, 1}, {1, 0}, {{4, 4}, {0, 0}}, 1, {3, 0}},
        /* one old pod fewer makes room for a new one */
        {{4, 1, 1}, {1, 0}, {{3, 3}, {0, 0}}, 2, {3, 0}},
        /* unhealthy old pods go first, whatever set they are of */
        {{4, 1, 1}, {1, 1}, {{2, 2}, {2, 0}}, 1, {2, 0}},
        /* all old ones at once when that is allowed */
        {{4, 0, 4}, {0, 0}, {{4, 4}, {0, 0}}, 0, {0, 0}},
        /* too many new ones after a scale-down */
        {{2, 1, 0}, {4, 4}, {{0, 0}, {0, 0}}, 2, {0, 0}},
        /* what a set says of before it was scaled does not count */
        {{4, 1, 1}, {2, 2}, {{1, 4}, {0, 0}}, 4, {1, 0}},
        {{0, 0, 0}, {0, 0}, {{3, 3}, {0, 0}}, 0, {0, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rollout_set newest = cases[i].newest, olds[2] = {cases[i].olds[0], cases[i].olds[1]};
        bool is_changed = rollout_step(&cases[i].limits, &newest, olds, 2);
        bool is_wanted = newest.replicas == cases[i].want_new && olds[0].replicas == cases[i].want_old[0] &&
                         olds[1].replicas == cases[i].want_old[1];
        bool was_changed = newest.replicas != cases[i].newest.replicas ||
                           olds[0].replicas != cases[i].olds[0].replicas ||
                           olds[1].replicas != cases[i].olds[1].replicas;
        if (!is_wanted || is_changed != was_changed)
            fail_msg("case %zu: %u; %u %u", i, newest.replicas, olds[0].replicas, olds[1].replicas);
    }
}

static unsigned available_of(const struct rollout_set *set)
{
    return set->available < set->replicas ? set->available : set->replicas;
}

/* Pods become ready one by one, now and then one is lost; a set that shrinks loses its unready pods first. */
static void roll(unsigned desired, unsigned surge, unsigned unavailable, struct random_state *random)
{
    struct rollout_limits limits = {desired, surge, unavailable};
    struct rollout_set newest = {0}, olds[2] = {{.replicas = desired, .available = desired}, {0}};
    for (unsigned turn = 0; turn < 2000; turn++) {
        unsigned alive = available_of(&newest) + available_of(&olds[0]) + available_of(&olds[1]);
        rollout_step(&limits, &newest, olds, 2);
        unsigned total = newest.replicas + olds[0].replicas + olds[1].replicas;
        unsigned left = available_of(&newest) + available_of(&olds[0]) + available_of(&olds[1]);
        if (total > desired + surge)
            fail_msg("%u+%u-%u: %u pods", desired, surge, unavailable, total);
        if (left < alive && left + unavailable < desired)
            fail_msg("%u+%u-%u: %u of %u left", desired, surge, unavailable, left, alive);
        for (unsigned i = 0; i < 3; i++) {
            struct rollout_set *set = i == 0 ? &newest : &olds[i - 1];
            set->available = available_of(set);
        }
        if (newest.available < newest.replicas && random_below(random, 2) == 0)
            newest.available++;
        if (olds[0].available > 0 && random_below(random, 20) == 0)
            olds[0].available--; /* a node is lost */
        if (newest.replicas == desired && newest.available == desired && total == desired)
            return;
    }
    fail_msg("%u+%u-%u does not end", desired, surge, unavailable);
}

static void a_rollout_never_has_too_many_pods_nor_takes_too_many_away_and_it_ends(void **state)
{
    (void)state;
    struct random_state random;
    random_seed(&random, 7);
    for (unsigned desired = 1; desired <= 8; desired++)
        for (unsigned surge = 0; surge <= desired; surge++)
            for (unsigned unavailable = surge == 0; unavailable <= desired; unavailable++)
                for (unsigned repeat = 0; repeat < 5; repeat++)
                    roll(desired, surge, unavailable, &random);
}

static void recreate_waits_for_the_end_of_the_old_pods(void **state)
{
    (void)state;
    struct rollout_limits limits = {.desired = 3};
    struct rollout_set newest = {0}, old = {.replicas = 3, .available = 3};
    assert_true(rollout_recreate(&limits, &newest, &old, 1, true));
    assert_int_equal(old.replicas, 0);
    assert_int_equal(newest.replicas, 0);
    assert_false(rollout_recreate(&limits, &newest, &old, 1, true));
    assert_true(rollout_recreate(&limits, &newest, &old, 1, false));
    assert_int_equal(newest.replicas, 3);
    assert_false(rollout_recreate(&limits, &newest, &old, 1, false));
}

static void a_change_of_size_goes_to_the_only_active_set(void **state)
{
    (void)state;
    struct rollout_limits limits = {5, 2, 1};
    struct rollout_set sets[3] = {{0}, {.replicas = 3, .available = 3}, {0}};
    rollout_scale(&limits, false, true, sets, 3, 2);
    assert_int_equal(sets[1].replicas, 5);
    assert_int_equal(sets[2].replicas, 0);
    struct rollout_set idle[2] = {{0}, {0}};
    rollout_scale(&limits, false, false, idle, 2, 1);
    assert_int_equal(idle[1].replicas, 5);
    assert_int_equal(idle[0].replicas, 0);
}

static void a_change_of_size_in_the_middle_of_a_rollout_keeps_its_proportions(void **state)
{
    (void)state;
    struct rollout_limits limits = {.desired = 15, .surge = 3};
    struct rollout_set sets[2] = {{.replicas = 8, .available = 8, .most_before = 13},
                                  {.replicas = 5, .available = 0, .most_before = 13}};
    rollout_scale(&limits, false, true, sets, 2, 1);
    assert_int_equal(sets[0].replicas + sets[1].replicas, 18);
    assert_int_equal(sets[0].replicas, 11);
    limits = (struct rollout_limits){.desired = 5, .surge = 1};
    sets[0].most_before = sets[1].most_before = 18;
    rollout_scale(&limits, false, true, sets, 2, 1);
    assert_int_equal(sets[0].replicas + sets[1].replicas, 6);
    assert_int_equal(sets[0].replicas, 4);
    /* paused, and nothing changed: nothing moves */
    rollout_scale(&limits, false, false, sets, 2, 1);
    assert_int_equal(sets[0].replicas, 4);
    limits = (struct rollout_limits){0};
    rollout_scale(&limits, false, true, sets, 2, 1);
    assert_int_equal(sets[0].replicas + sets[1].replicas, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentages_round_surge_up_and_unavailable_down),
        cmocka_unit_test(a_step_adds_new_pods_first_and_then_takes_old_ones),
        cmocka_unit_test(a_rollout_never_has_too_many_pods_nor_takes_too_many_away_and_it_ends),
        cmocka_unit_test(recreate_waits_for_the_end_of_the_old_pods),
        cmocka_unit_test(a_change_of_size_goes_to_the_only_active_set),
        cmocka_unit_test(a_change_of_size_in_the_middle_of_a_rollout_keeps_its_proportions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
