/* SPDX-License-Identifier: Apache-2.0 */
/* test_sequential.c: that bets are fair is checked by enumerating every outcome of small blocks; error rates and power
 * are simulated with fixed seeds, the canary sitting exactly on its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/random.h"
#include "canary/sequential.h"

static const struct sequential_stakes bounded = {0.6931471805599453, 0.5}, unbounded = {INFINITY, 1};

static double binomial(unsigned n, unsigned k, double p)
{
    return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) + (n - k) * log1p(-p));
}

/* With what still waits for a later block. */
static double capital_of(const struct sequential *test, unsigned bet)
{
    return test->at_work[bet] + 1.0 / (test->blocks + 1);
}

/* The mean of each bet's capital after one block, over every outcome of both arms. */
static void mean_capitals(enum sequential_side side, const struct paired_cell *sizes, double p_canary, double p_stable,
                          double means[SEQUENTIAL_BETS])
{
    for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
        means[bet] = 0;
    for (unsigned i = 0; i <= sizes->canary_n; i++)
        for (unsigned j = 0; j <= sizes->stable_n; j++) {
            struct sequential test;
            struct paired_cell cell = *sizes;
            cell.canary_sum = i;
            cell.stable_sum = j;
            sequential_init(&test, side, unbounded);
            sequential_add(&test, &cell);
            sequential_end_block(&test);
            double chance =
                binomial((unsigned)cell.canary_n, i, p_canary) * binomial((unsigned)cell.stable_n, j, p_stable);
            for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
                means[bet] += chance * capital_of(&test, bet);
        }
}

/* Whatever stable's mean is, whatever was expected of it, and whatever the sizes: at the limit no bet gains. */
static void no_bet_gains_at_the_limit(void **state)
{
    (void)state;
    static const double rates[] = {0.002, 0.05, 0.3, 0.5, 0.8};
    static const double limits[][2] = {{1, 0}, {1, 0.01}, {1.5, 0.005}, {0.7, 0.3}, {0, 0.1}};
    static const unsigned sizes[][2] = {{1, 9}, {8, 8}, {10, 2}, {3, 20}};
    for (unsigned s = 0; s < 4; s++)
        for (unsigned l = 0; l < 5; l++)
            for (unsigned r = 0; r < 5; r++)
                for (unsigned e = 0; e < 5; e++) {
                    struct paired_cell cell = {.canary_n = sizes[s][0],
                                               .stable_n = sizes[s][1],
                                               .ratio = limits[l][0],
                                               .increase = limits[l][1],
                                               .expected = rates[e]};
                    double limit = cell.ratio * rates[r] + cell.increase, means[SEQUENTIAL_BETS];
                    if (limit >= 1)
                        continue;
                    for (unsigned side = SIDE_WORSE; side <= SIDE_WITHIN; side++) {
                        double inside = side == SIDE_WORSE ? limit * 0.8 : limit + (1 - limit) * 0.2;
                        mean_capitals((enum sequential_side)side, &cell, limit, rates[r], means);
                        for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
                            assert_true(means[bet] <= 1 + 1e-9);
                        mean_capitals((enum sequential_side)side, &cell, inside, rates[r], means);
                        for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
                            assert_true(means[bet] <= 1 + 1e-9);
                    }
                }
}

static void bets_gain_beyond_the_limit(void **state)
{
    (void)state;
    struct paired_cell cell = {.canary_n = 10, .stable_n = 20, .ratio = 1, .increase = 0.01, .expected = 0.1};
    double means[SEQUENTIAL_BETS], best = 0;
    mean_capitals(SIDE_WORSE, &cell, 0.5, 0.1, means);
    for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
        best = fmax(best, means[bet]);
    assert_true(best > 2);
    mean_capitals(SIDE_WITHIN, &cell, 0.01, 0.3, means);
    best = 0;
    for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
        best = fmax(best, means[bet]);
    assert_true(best > 1.2);
}

/* Values between 0 and 1, not only 0 or 1: halves with the same mean scatter less, so the price covers them too. */
static void shares_are_covered_as_well_as_events(void **state)
{
    (void)state;
    struct random_state random;
    random_seed(&random, 1);
    double sum[SEQUENTIAL_BETS] = {0};
    enum { ROUNDS = 40000 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct sequential test;
        struct paired_cell cell = {.canary_n = 4, .stable_n = 16, .ratio = 1, .expected = 0.5};
        for (unsigned i = 0; i < 4; i++)
            cell.canary_sum += random_unit(&random);
        for (unsigned i = 0; i < 16; i++)
            cell.stable_sum += random_unit(&random);
        sequential_init(&test, SIDE_WORSE, unbounded);
        sequential_add(&test, &cell);
        sequential_end_block(&test);
        for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
            sum[bet] += capital_of(&test, bet);
    }
    for (unsigned bet = 0; bet < SEQUENTIAL_BETS; bet++)
        assert_true(sum[bet] / ROUNDS < 1.01);
}

static double draw(struct random_state *random, unsigned n, double p)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += random_unit(random) < p;
    return sum;
}

struct stream {
    unsigned canary_n, stable_n, blocks;
    double stable, canary_ratio, canary_increase; /* what is true */
    double ratio, increase;                       /* what is allowed */
    double drift;                                 /* stable's mean swings by this share */
};

/* The highest evidence that a look after any block has seen. */
static double highest_evidence(const struct stream *stream, enum sequential_side side, uint64_t seed,
                               unsigned *ret_block)
{
    struct random_state random;
    struct sequential test;
    double highest = -INFINITY;
    random_seed(&random, seed);
    sequential_init(&test, side, bounded);
    for (unsigned block = 0; block < stream->blocks; block++) {
        double p = stream->stable * (1 + stream->drift * sin(block / 20.0));
        struct paired_cell cell = {
            .canary_n = stream->canary_n,
            .canary_sum = draw(&random, stream->canary_n, stream->canary_ratio * p + stream->canary_increase),
            .stable_n = stream->stable_n,
            .stable_sum = draw(&random, stream->stable_n, p),
            .ratio = stream->ratio,
            .increase = stream->increase,
            .expected = stream->stable};
        sequential_add(&test, &cell);
        sequential_end_block(&test);
        if (sequential_evidence(&test) > highest) {
            highest = sequential_evidence(&test);
            *ret_block = block;
        }
    }
    return highest;
}

static unsigned count_alarms(const struct stream *stream, enum sequential_side side, double alpha, unsigned runs)
{
    unsigned alarms = 0, block;
    for (unsigned run = 0; run < runs; run++)
        alarms += highest_evidence(stream, side, run + 1, &block) >= -log(alpha);
    return alarms;
}

/* Looked at after each of 100 blocks, 300 times over: at most 5 % at alpha 5 %, on both sides of the limit. */
static void looking_often_raises_no_false_alarms(void **state)
{
    (void)state;
    static const struct stream at_limit[] = {
        {20, 60, 100, 0.05, 1, 0, 1, 0, 0},        {20, 60, 100, 0.5, 1, 0, 1, 0, 0.5},
        {20, 60, 100, 0.005, 1, 0.01, 1, 0.01, 0}, {30, 30, 100, 0.05, 1.5, 0, 1.5, 0, 0.5},
        {20, 5, 100, 0.1, 1, 0, 1, 0, 0},
    };
    for (unsigned i = 0; i < sizeof at_limit / sizeof at_limit[0]; i++)
        for (unsigned side = SIDE_WORSE; side <= SIDE_WITHIN; side++)
            assert_true(count_alarms(&at_limit[i], (enum sequential_side)side, 0.05, 300) <= 15);
}

static void clear_differences_are_found_soon(void **state)
{
    (void)state;
    static const struct stream worse = {20, 60, 150, 0.05, 4, 0, 1, 0, 0};
    static const struct stream within = {20, 60, 200, 0.05, 0.2, 0, 1, 0, 0};
    unsigned block;
    assert_int_equal(count_alarms(&worse, SIDE_WORSE, 0.001, 50), 50);
    assert_int_equal(count_alarms(&worse, SIDE_WITHIN, 0.05, 50), 0);
    assert_int_equal(count_alarms(&within, SIDE_WITHIN, 0.05, 50), 50);
    assert_int_equal(count_alarms(&within, SIDE_WORSE, 0.05, 50), 0);
    struct stream short_one = worse;
    short_one.blocks = 60;
    assert_true(highest_evidence(&short_one, SIDE_WORSE, 5, &block) > -log(0.001));
}

static void one_block_moves_evidence_by_a_bounded_factor(void **state)
{
    (void)state;
    struct sequential test;
    struct paired_cell all = {.canary_n = 1e6, .canary_sum = 1e6, .stable_n = 1e6, .ratio = 1, .expected = 0.01};
    sequential_init(&test, SIDE_WORSE, bounded);
    sequential_add(&test, &all);
    sequential_end_block(&test);
    assert_true(sequential_evidence(&test) <= log(2) + 1e-9);
    struct paired_cell none = {.canary_n = 1e6, .stable_n = 1e6, .stable_sum = 1e6, .ratio = 1, .expected = 0.01};
    sequential_init(&test, SIDE_WORSE, bounded);
    sequential_add(&test, &none);
    sequential_end_block(&test);
    assert_true(sequential_evidence(&test) >= log(0.5) - 1e-9);
}

static void blocks_that_repeat_each_other_count_less(void **state)
{
    (void)state;
    struct sequential steady, waves;
    sequential_init(&steady, SIDE_WORSE, bounded);
    sequential_init(&waves, SIDE_WORSE, bounded);
    for (unsigned block = 0; block < 120; block++) {
        struct paired_cell cell = {.canary_n = 20, .stable_n = 180, .stable_sum = 9, .ratio = 1, .expected = 0.05};
        cell.canary_sum = block % 2 != 0 ? 4 : 6;
        sequential_add(&steady, &cell);
        sequential_end_block(&steady);
        cell.canary_sum = block % 20 < 10 ? 1 : 9;
        sequential_add(&waves, &cell);
        sequential_end_block(&waves);
    }
    assert_true(sequential_redundancy(&steady) < 1.2);
    assert_true(sequential_redundancy(&waves) > 4);
}

static void empty_cells_tell_nothing(void **state)
{
    (void)state;
    struct sequential test, untouched;
    sequential_init(&test, SIDE_WORSE, bounded);
    sequential_init(&untouched, SIDE_WORSE, bounded);
    sequential_add(&test, &(struct paired_cell){.stable_n = 50, .stable_sum = 50, .ratio = 1});
    sequential_add(&test, &(struct paired_cell){.canary_n = 50, .canary_sum = 50, .ratio = 1});
    sequential_end_block(&test);
    assert_memory_equal(&test, &untouched, sizeof test);
    assert_true(sequential_evidence(&test) == 0);
}

static void absolute_limits_need_no_stable_arm(void **state)
{
    (void)state;
    struct sequential test;
    sequential_init(&test, SIDE_WITHIN, bounded);
    for (unsigned block = 0; block < 40; block++) {
        sequential_add(&test, &(struct paired_cell){.canary_n = 30, .canary_sum = block % 10 == 0, .increase = 0.05});
        sequential_end_block(&test);
    }
    assert_int_equal(test.blocks, 40);
    assert_true(sequential_evidence(&test) > -log(0.05));
}

/* Sizes and means that no formula was written for still give finite evidence. */
static void extremes_stay_finite(void **state)
{
    (void)state;
    static const double values[] = {0, 1e-12, 0.5, 1};
    for (unsigned i = 0; i < 4 * 4 * 4 * 2; i++) {
        double expected = values[i % 4], ratio = values[i / 4 % 4] * 3, increase = values[i / 16 % 4] * 0.999;
        struct paired_cell cell = {.canary_n = 1e9,
                                   .canary_sum = 5e8,
                                   .stable_n = 1,
                                   .stable_sum = 1,
                                   .ratio = ratio,
                                   .increase = increase,
                                   .expected = expected};
        struct sequential test;
        sequential_init(&test, i / 64 != 0 ? SIDE_WORSE : SIDE_WITHIN, bounded);
        for (unsigned block = 0; block < 3; block++) {
            sequential_add(&test, &cell);
            sequential_end_block(&test);
        }
        assert_true(isfinite(sequential_evidence(&test)));
        assert_true(sequential_redundancy(&test) >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bet_gains_at_the_limit),
        cmocka_unit_test(bets_gain_beyond_the_limit),
        cmocka_unit_test(shares_are_covered_as_well_as_events),
        cmocka_unit_test(looking_often_raises_no_false_alarms),
        cmocka_unit_test(clear_differences_are_found_soon),
        cmocka_unit_test(one_block_moves_evidence_by_a_bounded_factor),
        cmocka_unit_test(blocks_that_repeat_each_other_count_less),
        cmocka_unit_test(empty_cells_tell_nothing),
        cmocka_unit_test(absolute_limits_need_no_stable_arm),
        cmocka_unit_test(extremes_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
