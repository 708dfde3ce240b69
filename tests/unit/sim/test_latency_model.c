/* SPDX-License-Identifier: Apache-2.0 */
/* test_latency_model.c: how long tokens take. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/latency_model.h"

static const struct latency_load alone = {1, 256};

static void the_first_token_waits_for_the_prefill(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_defaults;
    struct random_state random;
    random_seed(&random, 1);
    assert_int_equal(latency_first_token_us(&behaviour, 100, alone, &random), 40000 + 100 * 200);
    assert_int_equal(latency_first_token_us(&behaviour, 1000000, alone, &random), 40000 + 5000000);
}

static void load_slows_down_in_a_straight_line(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_defaults;
    struct random_state random;
    random_seed(&random, 1);
    behaviour.load_factor = 3;
    assert_true(latency_factor(&behaviour, (struct latency_load){1, 5}) == 1);
    assert_true(latency_factor(&behaviour, (struct latency_load){3, 5}) == 2);
    assert_true(latency_factor(&behaviour, (struct latency_load){5, 5}) == 3);
    assert_true(latency_factor(&behaviour, (struct latency_load){1, 1}) == 1);
    assert_int_equal(latency_next_token_us(&behaviour, (struct latency_load){5, 5}, &random), 30000);
}

static void samples_stay_near_their_mean(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_defaults;
    struct random_state random;
    uint64_t sum = 0;
    random_seed(&random, 7);
    behaviour.itl_std_dev_us = 8000;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t gap = latency_next_token_us(&behaviour, alone, &random);
        assert_in_range(gap, 3000, 17000);
        sum += gap;
    }
    assert_in_range(sum / 10000, 9700, 10300);
}

static void no_latency_means_none(void **state)
{
    (void)state;
    struct behaviour behaviour = {.load_factor = 2, .itl_std_dev_us = 5};
    struct random_state random;
    random_seed(&random, 7);
    assert_int_equal(latency_first_token_us(&behaviour, 1000, alone, &random), 0);
    assert_int_equal(latency_next_token_us(&behaviour, alone, &random), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_token_waits_for_the_prefill),
        cmocka_unit_test(load_slows_down_in_a_straight_line),
        cmocka_unit_test(samples_stay_near_their_mean),
        cmocka_unit_test(no_latency_means_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
