/* SPDX-License-Identifier: Apache-2.0 */
/* test_tap.c: what workers pour in comes out once; counts, cuts and warm-up; under ThreadSanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/compiler.h"
#include "canary/tap.h"

enum { WORKERS = 4, EACH = 5000, ENDPOINTS = 20 };

static struct canary_taps *taps_new(unsigned shards)
{
    struct strata_options options;
    strata_default_options(&options);
    options.warmup_requests = 0;
    options.warmup_ms = 0;
    return canary_taps_new(shards, &options);
}

static void strata_start(struct strata *strata)
{
    struct strata_options options;
    strata_default_options(&options);
    options.warmup_requests = 0;
    options.warmup_ms = 0;
    strata_init(strata, &options);
}

static struct observation answered(enum arm_role arm)
{
    return (struct observation){.arm = arm,
                                .outcome = OUTCOME_OK,
                                .prompt_tokens = 100,
                                .output_tokens = 7,
                                .ttft_us = 1000,
                                .tpot_us = 100,
                                .total_us = 5000,
                                .queue_us = OBSERVATION_UNKNOWN,
                                .cost_micros = OBSERVATION_UNKNOWN};
}

struct worker {
    struct canary_tap *tap;
    unsigned shard;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    for (unsigned i = 0; i < EACH; i++) {
        struct observation observation = answered(i % 2 == 0 ? ARM_STABLE : ARM_CANARY);
        canary_tap_begin(worker->tap, observation.arm);
        canary_tap_warm_up(worker->tap, 1000 + i % ENDPOINTS * 7, 5, 10, &observation);
        canary_tap_add(worker->tap, worker->shard, &observation);
        canary_tap_end(worker->tap, observation.arm);
    }
    return NULL;
}

static void nothing_is_lost_or_counted_twice_while_workers_add(void **state)
{
    (void)state;
    struct canary_taps *taps = taps_new(WORKERS);
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS];
    struct strata sum;
    strata_start(&sum);
    struct canary_tap *tap = canary_taps_take(taps, "default/c");
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){tap, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 50; i++)
        canary_tap_drain(tap, &sum);
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    canary_tap_drain(tap, &sum);
    canary_tap_drain(tap, &sum); /* empty by now */
    assert_int_equal(sum.tallies[ARM_STABLE].seen, WORKERS * EACH / 2);
    assert_int_equal(sum.tallies[ARM_CANARY].seen, WORKERS * EACH / 2);
    assert_int_equal(sum.tallies[ARM_CANARY].output_tokens, 7 * WORKERS * EACH / 2);
    assert_int_equal(canary_tap_in_flight(tap, ARM_STABLE), 0);
    /* Each endpoint of an arm has served its part: an even step visits each arm's endpoints alike. */
    struct observation next = answered(ARM_CANARY);
    canary_tap_warm_up(tap, 1000 + 7, 5, 10, &next);
    assert_int_equal(next.endpoint_served, WORKERS * EACH / ENDPOINTS);
    canary_tap_give_back(tap);
    strata_deinit(&sum);
    canary_taps_free(taps);
}

static void each_arm_is_counted_at_its_own_price(void **state)
{
    (void)state;
    struct canary_taps *taps = taps_new(1);
    struct canary_tap *tap = canary_taps_take(taps, "default/c");
    struct observation stable = answered(ARM_STABLE), canary = answered(ARM_CANARY);
    canary_tap_price(tap, &stable);
    assert_true(stable.cost_micros == OBSERVATION_UNKNOWN);
    canary_tap_set_price(tap, ARM_CANARY, &(struct token_price){1000000, 0, 10000000});
    canary_tap_price(tap, &stable);
    canary_tap_price(tap, &canary);
    assert_true(stable.cost_micros == OBSERVATION_UNKNOWN);
    assert_int_equal(canary.cost_micros, 100 + 70);
    canary_tap_set_price(tap, ARM_CANARY, NULL);
    canary_tap_price(tap, &canary);
    assert_true(canary.cost_micros == OBSERVATION_UNKNOWN);
    canary_tap_give_back(tap);
    canary_taps_free(taps);
}

static void a_tap_is_found_by_name_until_nobody_holds_it(void **state)
{
    (void)state;
    struct canary_taps *taps = taps_new(1);
    struct canary_tap *a = canary_taps_take(taps, "default/a"), *b = canary_taps_take(taps, "default/b");
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(canary_taps_take(taps, "default/a"), a);
    assert_string_equal(canary_tap_name(a), "default/a");
    canary_tap_give_back(a);
    struct observation observation = answered(ARM_STABLE);
    canary_tap_add(a, 0, &observation);
    canary_taps_sweep(taps); /* still held once */
    canary_tap_give_back(b);
    canary_taps_sweep(taps);
    struct strata sum;
    strata_start(&sum);
    canary_tap_drain(a, &sum);
    assert_int_equal(sum.tallies[ARM_STABLE].seen, 1);
    canary_tap_give_back(a);
    canary_taps_sweep(taps);
    a = canary_taps_take(taps, "default/a"); /* a new one: empty */
    canary_tap_drain(a, &sum);
    assert_int_equal(sum.tallies[ARM_STABLE].seen, 1);
    canary_tap_give_back(a);
    strata_deinit(&sum);
    canary_taps_free(taps);
}

static void in_flight_and_cuts_are_per_arm(void **state)
{
    (void)state;
    struct canary_taps *taps = taps_new(1);
    struct canary_tap *tap = canary_taps_take(taps, "default/a");
    unsigned stable = canary_tap_begin(tap, ARM_STABLE), canary = canary_tap_begin(tap, ARM_CANARY);
    canary_tap_begin(tap, ARM_CANARY);
    assert_int_equal(canary_tap_in_flight(tap, ARM_STABLE), 1);
    assert_int_equal(canary_tap_in_flight(tap, ARM_CANARY), 2);
    canary_tap_cut(tap, ARM_CANARY);
    assert_int_not_equal(canary_tap_cuts(tap, ARM_CANARY), canary);
    assert_int_equal(canary_tap_cuts(tap, ARM_STABLE), stable);
    /* What begins afterwards is not cut. */
    assert_int_equal(canary_tap_begin(tap, ARM_CANARY), canary_tap_cuts(tap, ARM_CANARY));
    canary_tap_end(tap, ARM_STABLE);
    assert_int_equal(canary_tap_in_flight(tap, ARM_STABLE), 0);
    canary_tap_give_back(tap);
    canary_taps_free(taps);
}

static void an_endpoint_warms_up_for_each_arm(void **state)
{
    (void)state;
    struct canary_taps *taps = taps_new(1);
    struct canary_tap *tap = canary_taps_take(taps, "default/a");
    struct observation first = answered(ARM_CANARY), second = first, other = answered(ARM_STABLE);
    canary_tap_warm_up(tap, 42, 1000, 1500, &first);
    canary_tap_warm_up(tap, 42, 1200, 3000, &second);
    canary_tap_warm_up(tap, 42, 2000, 2000, &other);
    assert_int_equal(first.endpoint_served, 0);
    assert_int_equal(first.endpoint_age_ms, 500);
    assert_int_equal(second.endpoint_served, 1);
    assert_int_equal(second.endpoint_age_ms, 2000);
    assert_int_equal(other.endpoint_served, 0);
    assert_int_equal(other.endpoint_age_ms, 0);
    /* More endpoints than there is room for count as warm. */
    unsigned warm = 0;
    for (uint64_t id = 1; id <= 3000; id++) {
        struct observation observation = answered(ARM_STABLE);
        canary_tap_warm_up(tap, id * 8, 0, 0, &observation);
        warm += observation.endpoint_served == UINT32_MAX && observation.endpoint_age_ms == UINT64_MAX;
    }
    assert_true(warm > 2000);
    canary_tap_give_back(tap);
    canary_taps_free(taps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_counted_twice_while_workers_add),
        cmocka_unit_test(each_arm_is_counted_at_its_own_price),
        cmocka_unit_test(a_tap_is_found_by_name_until_nobody_holds_it),
        cmocka_unit_test(in_flight_and_cuts_are_per_arm),
        cmocka_unit_test(an_endpoint_warms_up_for_each_arm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
