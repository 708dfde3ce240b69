/* SPDX-License-Identifier: Apache-2.0 */
/* test_turnover.c: sums that fade, by a clock that is driven by hand. */
#include "inference/schedule/turnover.h"

#include <math.h>

#include "unit/inference/schedule/pool_fixture.h"

static void assert_near(double value, double expected)
{
    if (fabs(value - expected) > 1e-4 * fabs(expected))
        fail_msg("%g is not %g", value, expected);
}

/* What the endpoint has taken in, as of now. */
static double taken_in(struct turnover *turnover, struct pool *pool, unsigned member, uint64_t now_ms)
{
    double weight = turnover_weight(turnover, pool, now_ms);
    return atomic_load(&pool->members[member]->work.taken_in) / weight;
}

static void note(struct turnover *turnover, struct pool *pool, unsigned member, uint64_t now_ms, uint32_t fresh)
{
    turnover_note(turnover, pool->members[member], turnover_weight(turnover, pool, now_ms), fresh, 0);
}

static void what_was_taken_in_fades_within_a_minute(void **state)
{
    struct pool *pool = ((struct fixture *)*state)->pool;
    struct turnover turnover = {0};
    fill(pool, 2);
    note(&turnover, pool, 0, 5000000, 1000);
    assert_near(taken_in(&turnover, pool, 0, 5000000), 1000);
    assert_near(taken_in(&turnover, pool, 0, 5060000), 1000 / M_E);
    note(&turnover, pool, 0, 5060000, 500);
    assert_near(taken_in(&turnover, pool, 0, 5060000), 500 + 1000 / M_E);
    assert_near(taken_in(&turnover, pool, 0, 5120000), 500 / M_E + 1000 / M_E / M_E);
    assert_true(taken_in(&turnover, pool, 1, 5120000) == 0);
}

/* Hours of prompts, one a second: the weights begin anew many times. */
static void nothing_is_lost_when_weights_begin_anew(void **state)
{
    struct pool *pool = ((struct fixture *)*state)->pool;
    struct turnover turnover = {0};
    double expected = 0, fade = exp(-1 / 60.0);
    fill(pool, 1);
    for (uint64_t second = 1; second <= 10000; second++) {
        uint32_t fresh = (uint32_t)(second * 7919 % 5000);
        expected = expected * fade + fresh;
        note(&turnover, pool, 0, second * 1000, fresh);
        if (second % 97 == 0)
            assert_near(taken_in(&turnover, pool, 0, second * 1000), expected);
    }
    assert_true(taken_in(&turnover, pool, 0, 100000000000) == 0); /* years later */
}

static void a_clock_that_stands_or_goes_back_does_no_harm(void **state)
{
    struct pool *pool = ((struct fixture *)*state)->pool;
    struct turnover turnover = {0};
    fill(pool, 1);
    note(&turnover, pool, 0, 5000000, 100);
    note(&turnover, pool, 0, 4000000, 100);
    assert_near(taken_in(&turnover, pool, 0, 5000000), 200);
}

static void reuse_is_the_share_that_is_asked_for_again(void **state)
{
    struct pool *pool = ((struct fixture *)*state)->pool;
    struct turnover turnover = {0};
    fill(pool, 1);
    assert_true(turnover_reuse(&turnover) == 0);
    turnover_note(&turnover, pool->members[0], 1, 1000, 0);
    assert_true(turnover_reuse(&turnover) == 0);
    turnover_note(&turnover, pool->members[0], 1, 1000, 500);
    assert_near(turnover_reuse(&turnover), 0.25);
    turnover_note(&turnover, pool->members[0], 1, 0, 9000);
    assert_true(turnover_reuse(&turnover) == 1);
}

static void what_was_long_ago_counts_less_and_less(void **state)
{
    struct pool *pool = ((struct fixture *)*state)->pool;
    struct turnover turnover = {0};
    fill(pool, 1);
    for (unsigned i = 0; i < 10000; i++)
        turnover_note(&turnover, pool->members[0], 1, 10000, 10000);
    assert_near(turnover_reuse(&turnover), 1);
    for (unsigned i = 0; i < 10000; i++)
        turnover_note(&turnover, pool->members[0], 1, 10000, 1000);
    assert_true(turnover_reuse(&turnover) < 0.12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(what_was_taken_in_fades_within_a_minute),       POOL_TEST(nothing_is_lost_when_weights_begin_anew),
        POOL_TEST(a_clock_that_stands_or_goes_back_does_no_harm), POOL_TEST(reuse_is_the_share_that_is_asked_for_again),
        POOL_TEST(what_was_long_ago_counts_less_and_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
