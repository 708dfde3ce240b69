/* SPDX-License-Identifier: Apache-2.0 */
/* test_split_counters.c: exact keyless shares in every window and over threads; keyed shares, and which keys move. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "route/split_counters.h"

static const struct bytes ids[] = {{"pool/d/v1", 9}, {"pool/d/v2", 9}, {"pool/d/v3", 9}};

static int setup(void **state)
{
    *state = split_registry_new();
    return 0;
}

static int teardown(void **state)
{
    split_registry_free(*state);
    return 0;
}

static struct split_counters *take(struct split_registry *registry, const uint32_t *weights, unsigned count)
{
    return split_registry_take(registry, "route/d/r/0", ids, weights, count);
}

static void any_window_of_ten_times_m_draws_holds_m_of_the_canary_give_or_take_one(void **state)
{
    enum { DRAWS = 5000 };
    struct split_counters *counters = take(*state, (uint32_t[]){90, 10}, 2);
    unsigned before[DRAWS + 1] = {0}; /* canaries among the first i draws */
    for (unsigned i = 0; i < DRAWS; i++)
        before[i + 1] = before[i] + split_draw(counters, SPLIT_ALL);
    for (unsigned len = 10; len <= DRAWS; len += 10) {
        for (unsigned start = 0; start + len <= DRAWS; start++) {
            unsigned canaries = before[start + len] - before[start];
            if (canaries + 1 < len / 10 || canaries > len / 10 + 1)
                fail_msg("%u canaries in %u draws from %u", canaries, len, start);
        }
    }
    split_counters_give_back(counters);
}

static void the_first_ten_draws_after_a_weight_change_are_a_whole_round(void **state)
{
    for (unsigned canary = 10; canary < 100; canary += 10) {
        struct split_counters *counters = take(*state, (uint32_t[]){100 - canary, canary}, 2);
        unsigned drawn = 0;
        for (unsigned i = 0; i < 10; i++)
            drawn += split_draw(counters, SPLIT_ALL);
        assert_int_equal(drawn, canary / 10);
        split_draw(counters, SPLIT_ALL); /* leaves a round begun */
        split_counters_give_back(counters);
    }
}

static void uneven_weights_are_exact_over_their_own_round(void **state)
{
    /* gcd 1: 7 slots make rounds of 14. */
    struct split_counters *counters = take(*state, (uint32_t[]){4, 2, 1}, 3);
    for (unsigned round = 0; round < 200; round++) {
        unsigned drawn[3] = {0};
        for (unsigned i = 0; i < 14; i++)
            drawn[split_draw(counters, SPLIT_ALL)]++;
        assert_int_equal(drawn[0], 8);
        assert_int_equal(drawn[1], 4);
        assert_int_equal(drawn[2], 2);
    }
    split_counters_give_back(counters);
}

static void the_place_of_the_canary_in_a_round_is_spread_evenly(void **state)
{
    enum { ROUNDS = 20000 };
    struct split_counters *counters = take(*state, (uint32_t[]){90, 10}, 2);
    unsigned at[10] = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < 10; i++)
            at[i] += split_draw(counters, SPLIT_ALL);
    }
    for (unsigned i = 0; i < 10; i++)
        assert_in_range(at[i], ROUNDS / 10 - 300, ROUNDS / 10 + 300); /* seven deviations */
    split_counters_give_back(counters);
}

static void runs_of_one_arm_occur_in_an_even_split(void **state)
{
    struct split_counters *counters = take(*state, (uint32_t[]){1, 1}, 2);
    unsigned run = 1, longest = 1, last = split_draw(counters, SPLIT_ALL);
    for (unsigned i = 0; i < 2000; i++) {
        unsigned arm = split_draw(counters, SPLIT_ALL);
        run = arm == last ? run + 1 : 1;
        longest = run > longest ? run : longest;
        last = arm;
    }
    assert_in_range(longest, 4, 10); /* a round of ten holds five of each */
    split_counters_give_back(counters);
}

static void two_counters_draw_in_different_orders(void **state)
{
    struct split_counters *one = split_registry_take(*state, "one", ids, (uint32_t[]){1, 1}, 2);
    struct split_counters *two = split_registry_take(*state, "two", ids, (uint32_t[]){1, 1}, 2);
    unsigned differ = 0;
    for (unsigned i = 0; i < 1000; i++)
        differ += split_draw(one, SPLIT_ALL) != split_draw(two, SPLIT_ALL);
    assert_in_range(differ, 300, 700);
    split_counters_give_back(one);
    split_counters_give_back(two);
}

static void weights_that_need_too_many_slots_are_drawn_at_random_in_proportion(void **state)
{
    enum { DRAWS = 200000 };
    struct split_counters *counters = take(*state, (uint32_t[]){700001, 299999}, 2);
    unsigned second = 0;
    for (unsigned i = 0; i < DRAWS; i++)
        second += split_draw(counters, SPLIT_ALL);
    assert_in_range(second, 59000, 61000);
    split_counters_give_back(counters);
}

static void an_arm_without_weight_or_not_eligible_is_never_drawn(void **state)
{
    struct split_counters *counters = take(*state, (uint32_t[]){5, 0, 5}, 3);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_not_equal(split_draw(counters, SPLIT_ALL), 1);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(split_draw(counters, 4), 2);
    split_counters_give_back(counters);
}

static void each_eligible_set_has_rounds_of_its_own(void **state)
{
    struct split_counters *counters = take(*state, (uint32_t[]){80, 10, 10}, 3);
    unsigned all[3] = {0}, canaries[3] = {0};
    for (unsigned i = 0; i < 100; i++) {
        all[split_draw(counters, SPLIT_ALL)]++;
        canaries[split_draw(counters, 6)]++;
    }
    assert_int_equal(all[0], 80);
    assert_int_equal(all[1], 10);
    assert_int_equal(canaries[0], 0);
    assert_int_equal(canaries[1], 50);
    split_counters_give_back(counters);
}

static void the_same_arms_keep_their_counter_and_others_get_a_new_one(void **state)
{
    struct split_counters *first = take(*state, (uint32_t[]){90, 10}, 2);
    struct split_counters *same = take(*state, (uint32_t[]){90, 10}, 2);
    struct split_counters *changed = take(*state, (uint32_t[]){80, 20}, 2);
    struct split_counters *back = take(*state, (uint32_t[]){90, 10}, 2);
    struct split_counters *more = take(*state, (uint32_t[]){90, 10, 0}, 3);
    assert_ptr_equal(first, same);
    assert_ptr_not_equal(first, changed);
    assert_ptr_not_equal(first, back);
    assert_ptr_not_equal(more, back);
    split_counters_give_back(first);
    split_counters_give_back(changed);
    split_counters_give_back(back);
    split_registry_sweep(*state);
    assert_int_equal(split_draw(same, 1), 0); /* one hold is left */
    split_counters_give_back(same);
    split_counters_give_back(more);
    split_registry_sweep(*state);
    split_registry_sweep(*state);
}

enum { THREADS = 4, DRAWS_EACH = 25000 };

static void *draw_many(void *counters)
{
    uintptr_t canaries = 0;
    for (unsigned i = 0; i < DRAWS_EACH; i++)
        canaries += split_draw(counters, i % 2 == 0 ? SPLIT_ALL : 3) == 1;
    return (void *)canaries;
}

static void threads_together_draw_exact_shares(void **state)
{
    struct split_counters *counters = take(*state, (uint32_t[]){80, 10, 10}, 3);
    pthread_t threads[THREADS];
    uintptr_t canaries = 0;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw_many, counters), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        canaries += (uintptr_t)result;
    }
    /* Half of the draws among all three arms (a tenth), half among two (a ninth, in rounds of 18). */
    unsigned half = THREADS * DRAWS_EACH / 2;
    assert_in_range(canaries, half / 10 + half / 9 - 1, half / 10 + half / 9 + 1);
    split_counters_give_back(counters);
}

static void threads_together_complete_each_round(void **state)
{
    struct split_counters *counters = take(*state, (uint32_t[]){90, 10}, 2);
    pthread_t threads[THREADS];
    uintptr_t canaries = 0;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw_many, counters), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        canaries += (uintptr_t)result;
    }
    assert_int_equal(canaries, THREADS * DRAWS_EACH / 10);
    split_counters_give_back(counters);
}

enum { KEYS = 100000 };

static int draw_keyed(const char *salt, struct bytes key, const struct bytes *arm_ids, const uint32_t *weights,
                      uint32_t eligible, unsigned count)
{
    uint64_t seeds[3];
    for (unsigned i = 0; i < count; i++)
        seeds[i] = split_seed(bytes_of(salt), arm_ids[i]);
    return split_keyed(key, seeds, weights, eligible, count);
}

static unsigned keyed(unsigned key, const uint32_t *weights, unsigned count)
{
    char text[32];
    int len = snprintf(text, sizeof text, "session-%u", key);
    int arm = draw_keyed("default/r", bytes_make(text, (size_t)len), ids, weights, SPLIT_ALL, count);
    assert_true(arm >= 0);
    return (unsigned)arm;
}

static void keyed_shares_are_within_half_a_point_over_many_keys(void **state)
{
    (void)state;
    static const uint32_t tables[][3] = {{90, 10, 0}, {50, 30, 20}, {1, 1, 1}, {700, 200, 100}};
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        unsigned drawn[3] = {0};
        double sum = (double)tables[t][0] + tables[t][1] + tables[t][2];
        for (unsigned i = 0; i < KEYS; i++)
            drawn[keyed(i, tables[t], 3)]++;
        for (unsigned i = 0; i < 3; i++) {
            double off = (double)drawn[i] / KEYS - tables[t][i] / sum;
            assert_true(off > -0.005 && off < 0.005);
        }
    }
}

static void a_larger_canary_only_gains_keys(void **state)
{
    (void)state;
    unsigned moved = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned before = keyed(i, (uint32_t[]){90, 10}, 2), after = keyed(i, (uint32_t[]){80, 20}, 2);
        assert_true(before == after || after == 1);
        moved += before != after;
    }
    assert_in_range(moved, 9000, 11000);
}

static void of_three_arms_a_key_moves_only_between_those_whose_ratio_changed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned before = keyed(i, (uint32_t[]){50, 30, 20}, 3), after = keyed(i, (uint32_t[]){50, 30, 40}, 3);
        /* Only the third arm changed against the others: 0 and 1 never exchange keys. */
        assert_true(before == after || after == 2);
    }
}

static void a_keyed_draw_needs_weight_and_eligibility(void **state)
{
    (void)state;
    const uint32_t none[] = {0, 0}, some[] = {1, 1};
    assert_int_equal(draw_keyed("s", BYTES("k"), ids, none, SPLIT_ALL, 2), -1);
    assert_int_equal(draw_keyed("s", BYTES("k"), ids, some, 2, 2), 1);
    assert_int_equal(draw_keyed("s", BYTES("k"), ids, some, 1, 2), 0);
}

static void a_keyed_draw_is_the_same_for_ever_and_whatever_the_order_of_arms(void **state)
{
    (void)state;
    const struct bytes turned[] = {ids[1], ids[0]};
    unsigned second = 0;
    for (unsigned i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        int arm = draw_keyed("s", bytes_of(key), ids, (uint32_t[]){3, 1}, SPLIT_ALL, 2);
        assert_int_equal(arm, 1 - draw_keyed("s", bytes_of(key), turned, (uint32_t[]){1, 3}, SPLIT_ALL, 2));
        second += (unsigned)arm;
    }
    /* Fixed by the hash: a change here would move every user's session at the next upgrade. */
    assert_int_equal(second, 244);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_window_of_ten_times_m_draws_holds_m_of_the_canary_give_or_take_one),
        TEST(the_first_ten_draws_after_a_weight_change_are_a_whole_round),
        TEST(uneven_weights_are_exact_over_their_own_round),
        TEST(the_place_of_the_canary_in_a_round_is_spread_evenly),
        TEST(runs_of_one_arm_occur_in_an_even_split),
        TEST(two_counters_draw_in_different_orders),
        TEST(weights_that_need_too_many_slots_are_drawn_at_random_in_proportion),
        TEST(an_arm_without_weight_or_not_eligible_is_never_drawn),
        TEST(each_eligible_set_has_rounds_of_its_own),
        TEST(the_same_arms_keep_their_counter_and_others_get_a_new_one),
        TEST(threads_together_draw_exact_shares),
        TEST(threads_together_complete_each_round),
        TEST(keyed_shares_are_within_half_a_point_over_many_keys),
        TEST(a_larger_canary_only_gains_keys),
        TEST(of_three_arms_a_key_moves_only_between_those_whose_ratio_changed),
        TEST(a_keyed_draw_needs_weight_and_eligibility),
        TEST(a_keyed_draw_is_the_same_for_ever_and_whatever_the_order_of_arms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
