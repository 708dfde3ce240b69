/* SPDX-License-Identifier: Apache-2.0 */
/* test_histogram.c: quantiles and tails against sorted values, merged shards against one, and the ends of the range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/random.h"
#include "canary/histogram.h"

enum { VALUES = 20000 };

static struct histogram empty;

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Heavy-tailed: from microseconds to minutes. */
static void draw(uint64_t values[VALUES], uint64_t seed)
{
    struct random_state random;
    random_seed(&random, seed);
    for (unsigned i = 0; i < VALUES; i++)
        values[i] = (uint64_t)exp(10 + 2 * random_normal(&random));
}

static void quantiles_are_within_two_percent(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct histogram histogram = empty;
        draw(values, seed);
        for (unsigned i = 0; i < VALUES; i++)
            histogram_add(&histogram, values[i]);
        qsort(values, VALUES, sizeof values[0], compare);
        for (double q = 0.01; q < 0.995; q += 0.01) {
            double exact = (double)values[(unsigned)(q * VALUES)];
            assert_true(fabs(histogram_quantile(&histogram, q) / exact - 1) < 0.02);
        }
    }
}

static void tails_are_counted_as_they_are(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    struct histogram histogram = empty;
    draw(values, 7);
    for (unsigned i = 0; i < VALUES; i++)
        histogram_add(&histogram, values[i]);
    qsort(values, VALUES, sizeof values[0], compare);
    for (unsigned at = 100; at < VALUES; at += 100) {
        double above = histogram_above(&histogram, (double)values[at]);
        assert_true(fabs(above - (VALUES - 1 - at)) < 0.01 * VALUES);
    }
}

static void small_numbers_are_exact(void **state)
{
    (void)state;
    struct histogram histogram = empty;
    for (uint64_t value = 0; value < 32; value++)
        histogram_add(&histogram, value);
    for (unsigned value = 0; value < 32; value++) {
        assert_true(histogram_above(&histogram, value) == 31 - value);
        assert_true(histogram_quantile(&histogram, (value + 1) / 32.0) == value);
    }
    assert_true(histogram_mean(&histogram) == 15.5);
    assert_true(histogram_above(&histogram, -1) == 32);
}

static void shards_merge_into_what_one_would_have_counted(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    struct histogram whole = empty, shards[4] = {empty, empty, empty, empty}, merged = empty;
    draw(values, 9);
    for (unsigned i = 0; i < VALUES; i++) {
        histogram_add(&whole, values[i]);
        histogram_add(&shards[i % 4], values[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        histogram_merge(&merged, &shards[i]);
    assert_int_equal(merged.count, whole.count);
    assert_memory_equal(merged.buckets, whole.buckets, sizeof whole.buckets);
    assert_memory_equal(merged.used, whole.used, sizeof whole.used);
}

static void an_emptied_histogram_is_as_new(void **state)
{
    (void)state;
    struct histogram histogram = empty;
    histogram_add(&histogram, 5);
    histogram_add(&histogram, 123456789);
    histogram_reset(&histogram);
    assert_memory_equal(&histogram, &empty, sizeof empty);
    assert_true(histogram_quantile(&histogram, 0.5) == 0);
    assert_true(histogram_mean(&histogram) == 0);
    assert_true(histogram_above(&histogram, 0) == 0);
}

static void halving_keeps_the_thin_tail(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    struct histogram histogram = empty;
    draw(values, 11);
    for (unsigned i = 0; i < VALUES; i++)
        histogram_add(&histogram, values[i]);
    double p50 = histogram_quantile(&histogram, 0.5), p99 = histogram_quantile(&histogram, 0.99);
    double mean = histogram_mean(&histogram);
    histogram_halve(&histogram);
    histogram_halve(&histogram);
    assert_true(histogram.count >= VALUES / 4 - 2 && histogram.count <= VALUES / 4);
    assert_true(fabs(histogram_quantile(&histogram, 0.5) / p50 - 1) < 0.02);
    assert_true(fabs(histogram_quantile(&histogram, 0.99) / p99 - 1) < 0.03);
    assert_true(fabs(histogram_mean(&histogram) / mean - 1) < 1e-9);
}

static void huge_values_count_as_the_largest(void **state)
{
    (void)state;
    struct histogram histogram = empty;
    histogram_add(&histogram, UINT64_MAX);
    histogram_add(&histogram, UINT64_C(1) << 36);
    assert_true(histogram_above(&histogram, 0x1p35) == 2);
    assert_true(histogram_quantile(&histogram, 1) <= 0x1p36);
    assert_true(histogram_above(&histogram, 1e300) <= 2);
}

static void a_full_bucket_stays_full(void **state)
{
    (void)state;
    struct histogram histogram = empty, other = empty;
    histogram_add(&histogram, 3);
    histogram.buckets[3] = UINT32_MAX;
    histogram_add(&histogram, 3);
    assert_int_equal(histogram.buckets[3], UINT32_MAX);
    histogram_add(&other, 3);
    histogram_merge(&histogram, &other);
    assert_int_equal(histogram.buckets[3], UINT32_MAX);
}

static void a_capped_sum_counts_long_values_as_one(void **state)
{
    (void)state;
    struct histogram histogram = empty;
    histogram_add(&histogram, 10);
    histogram_add(&histogram, 20);
    histogram_add(&histogram, 1000000);
    assert_true(fabs(histogram_capped_sum(&histogram, 20) - 2.5) < 1e-9);
}

static void weights_mix_histograms(void **state)
{
    (void)state;
    struct histogram low = empty, high = empty;
    const struct histogram *both[] = {&low, &high};
    for (unsigned i = 0; i < 100; i++) {
        histogram_add(&low, 10);
        histogram_add(&high, 20);
    }
    assert_true(histogram_weighted_quantile(both, (double[]){9, 1}, 2, 0.89) == 10);
    assert_true(histogram_weighted_quantile(both, (double[]){9, 1}, 2, 0.91) == 20);
    assert_true(histogram_weighted_quantile(both, (double[]){1, 9}, 2, 0.11) == 20);
    assert_true(isnan(histogram_weighted_quantile(both, (double[]){0, 0}, 0, 0.5)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_two_percent),
        cmocka_unit_test(tails_are_counted_as_they_are),
        cmocka_unit_test(small_numbers_are_exact),
        cmocka_unit_test(shards_merge_into_what_one_would_have_counted),
        cmocka_unit_test(an_emptied_histogram_is_as_new),
        cmocka_unit_test(halving_keeps_the_thin_tail),
        cmocka_unit_test(huge_values_count_as_the_largest),
        cmocka_unit_test(a_full_bucket_stays_full),
        cmocka_unit_test(a_capped_sum_counts_long_values_as_one),
        cmocka_unit_test(weights_mix_histograms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
