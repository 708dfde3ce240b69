/* SPDX-License-Identifier: Apache-2.0 */
/* test_random.c: sequences that repeat for a seed, and rough shapes of the distributions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/random.h"

static void a_seed_gives_the_same_sequence_for_ever(void **state)
{
    (void)state;
    struct random_state random;
    random_seed(&random, 0);
    /* The first word of the state is the first output of SplitMix64 for seed 0. */
    assert_true(random.word[0] == 0xe220a8397b1dcdafu);
    uint64_t first = random_next(&random);
    uint64_t second = random_next(&random);
    assert_true(first == 0x99ec5f36cb75f2b4u);
    assert_true(second == 0xbf6e1f784956452au);
}

static void kernel_seeds_differ(void **state)
{
    (void)state;
    struct random_state a, b;
    random_seed_from_kernel(&a);
    random_seed_from_kernel(&b);
    assert_memory_not_equal(&a, &b, sizeof(a));
}

static void fill_writes_every_byte(void **state)
{
    (void)state;
    unsigned char seen[1000] = {0}, data[1000];
    for (int round = 0; round < 8; round++) {
        random_fill(data, sizeof(data));
        for (size_t i = 0; i < sizeof(data); i++)
            seen[i] |= data[i];
    }
    for (size_t i = 0; i < sizeof(seen); i++)
        assert_int_not_equal(seen[i], 0);
}

static void below_reaches_each_value_about_as_often(void **state)
{
    (void)state;
    struct random_state random;
    int counts[7] = {0};
    random_seed(&random, 4);
    for (int i = 0; i < 70000; i++)
        counts[random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    assert_true(random_below(&random, 1) == 0);
    for (int i = 0; i < 1000; i++)
        assert_true(random_below(&random, UINT64_MAX / 2 + 2) < UINT64_MAX / 2 + 2);
}

static void unit_stays_in_its_interval(void **state)
{
    (void)state;
    struct random_state random;
    double sum = 0;
    random_seed(&random, 5);
    for (int i = 0; i < 100000; i++) {
        double value = random_unit(&random);
        assert_true(value >= 0 && value < 1);
        sum += value;
    }
    assert_true(sum > 49500 && sum < 50500);
}

static void normal_has_mean_zero_and_deviation_one(void **state)
{
    (void)state;
    struct random_state random;
    double sum = 0, squares = 0;
    random_seed(&random, 6);
    for (int i = 0; i < 100000; i++) {
        double value = random_normal(&random);
        sum += value;
        squares += value * value;
    }
    assert_true(sum > -1500 && sum < 1500);
    assert_true(squares > 98000 && squares < 102000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_sequence_for_ever),
        cmocka_unit_test(kernel_seeds_differ),
        cmocka_unit_test(fill_writes_every_byte),
        cmocka_unit_test(below_reaches_each_value_about_as_often),
        cmocka_unit_test(unit_stays_in_its_interval),
        cmocka_unit_test(normal_has_mean_zero_and_deviation_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
