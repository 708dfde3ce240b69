/* SPDX-License-Identifier: Apache-2.0 */
/* test_timer_wheel.c: its promises one by one, then long random runs against a naive model that sorts. */
#include "net/timer_wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"

enum { TIMERS = 200, MAX_RUNS = 4096 };

struct probe {
    struct wheel_timer timer;
    struct bench *bench;
    unsigned id;
    uint64_t rearm_in_ms;  /* 0: not */
    struct probe *cancels; /* NULL: nobody */
};

struct bench {
    struct timer_wheel *wheel;
    struct probe probes[TIMERS];
    unsigned ran[MAX_RUNS];
    unsigned runs;
};

static void note_run(struct wheel_timer *timer)
{
    struct probe *probe = container_of(timer, struct probe, timer);
    struct bench *bench = probe->bench;
    assert_false(wheel_timer_is_armed(timer));
    assert_true(bench->runs < MAX_RUNS);
    bench->ran[bench->runs++] = probe->id;
    if (probe->rearm_in_ms > 0)
        wheel_add(bench->wheel, timer, timer->due_ms + probe->rearm_in_ms);
    if (probe->cancels != NULL)
        wheel_cancel(bench->wheel, &probe->cancels->timer);
}

static struct bench bench;

static int set_up(void **state)
{
    bench = (struct bench){.wheel = wheel_new(1000)};
    for (unsigned i = 0; i < TIMERS; i++) {
        bench.probes[i].bench = &bench;
        bench.probes[i].id = i;
        wheel_timer_init(&bench.probes[i].timer, note_run);
    }
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wheel_free(bench.wheel);
    return 0;
}

static void add(unsigned id, uint64_t due_ms)
{
    wheel_add(bench.wheel, &bench.probes[id].timer, due_ms);
}

static void expect_runs(unsigned count, const unsigned *ids)
{
    assert_int_equal(bench.runs, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(bench.ran[i], ids[i]);
    bench.runs = 0;
}
#define EXPECT_RUNS(...)                                                                                               \
    expect_runs(sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned), (const unsigned[]){__VA_ARGS__})

static void a_timer_runs_once_at_its_due_time_and_not_before(void **state)
{
    (void)state;
    add(1, 1500);
    assert_true(wheel_timer_is_armed(&bench.probes[1].timer));
    wheel_advance(bench.wheel, 1499);
    expect_runs(0, NULL);
    wheel_advance(bench.wheel, 1500);
    EXPECT_RUNS(1);
    wheel_advance(bench.wheel, 9999);
    expect_runs(0, NULL);
}

static void timers_run_in_order_of_due_time_across_levels(void **state)
{
    (void)state;
    add(0, 1000000);
    add(1, 5000);
    add(2, 1001);
    add(3, 70000);
    add(4, 1064);
    add(5, UINT64_C(1) << 40);
    wheel_advance(bench.wheel, UINT64_C(1) << 41);
    EXPECT_RUNS(2, 4, 1, 3, 0, 5);
}

static void ties_run_in_order_of_arming_even_when_armed_on_different_levels(void **state)
{
    (void)state;
    add(3, 9000); /* far away: a high level */
    wheel_advance(bench.wheel, 8900);
    add(1, 9000); /* near */
    wheel_advance(bench.wheel, 8999);
    add(2, 9000); /* next */
    wheel_advance(bench.wheel, 9000);
    EXPECT_RUNS(3, 1, 2);
}

static void a_due_time_in_the_past_runs_at_the_next_advance_in_order(void **state)
{
    (void)state;
    add(0, 1000);
    add(1, 5);
    add(2, 999);
    add(3, 5);
    assert_int_equal(wheel_next_ms(bench.wheel), 5);
    wheel_advance(bench.wheel, 1000);
    EXPECT_RUNS(1, 3, 2, 0);
}

static void a_cancelled_timer_does_not_run(void **state)
{
    (void)state;
    add(0, 1100);
    add(1, 1100);
    wheel_cancel(bench.wheel, &bench.probes[0].timer);
    wheel_cancel(bench.wheel, &bench.probes[0].timer); /* harmless */
    wheel_advance(bench.wheel, 2000);
    EXPECT_RUNS(1);
}

static void cancelling_the_last_timer_leaves_nothing_to_wake_up_for(void **state)
{
    (void)state;
    add(0, 123456);
    add(1, 1);
    wheel_cancel(bench.wheel, &bench.probes[0].timer);
    wheel_cancel(bench.wheel, &bench.probes[1].timer);
    assert_true(wheel_next_ms(bench.wheel) == UINT64_MAX);
}

static void arming_again_moves_the_timer(void **state)
{
    (void)state;
    add(0, 1100);
    add(0, 1300);
    wheel_advance(bench.wheel, 1299);
    expect_runs(0, NULL);
    wheel_advance(bench.wheel, 1300);
    EXPECT_RUNS(0);
}

static void a_timer_may_arm_itself_and_catches_up_within_one_advance(void **state)
{
    (void)state;
    bench.probes[7].rearm_in_ms = 100;
    add(7, 1100);
    wheel_advance(bench.wheel, 1350);
    EXPECT_RUNS(7, 7, 7);
    wheel_cancel(bench.wheel, &bench.probes[7].timer);
}

static void a_timer_may_cancel_another_that_is_due_at_the_same_moment(void **state)
{
    (void)state;
    bench.probes[0].cancels = &bench.probes[1];
    add(0, 1200);
    add(1, 1200);
    add(2, 1200);
    wheel_advance(bench.wheel, 1200);
    EXPECT_RUNS(0, 2);
    bench.probes[0].cancels = &bench.probes[1];
    add(0, 1);
    add(1, 1);
    wheel_advance(bench.wheel, 1200);
    EXPECT_RUNS(0);
}

static void arm_for_now(struct wheel_timer *timer)
{
    struct probe *probe = container_of(timer, struct probe, timer);
    bench.ran[bench.runs++] = probe->id;
    wheel_add(bench.wheel, timer, timer->due_ms);
}

static void a_timer_that_arms_itself_for_now_waits_for_the_next_advance(void **state)
{
    (void)state;
    wheel_timer_init(&bench.probes[0].timer, arm_for_now);
    add(0, 1200);
    wheel_advance(bench.wheel, 1200);
    EXPECT_RUNS(0);
    wheel_advance(bench.wheel, 1200);
    EXPECT_RUNS(0);
    wheel_cancel(bench.wheel, &bench.probes[0].timer);
}

static void the_last_moment_of_time_can_be_asked_for(void **state)
{
    (void)state;
    add(0, UINT64_MAX);
    wheel_advance(bench.wheel, UINT64_MAX - 1);
    expect_runs(0, NULL);
    wheel_advance(bench.wheel, UINT64_MAX);
    EXPECT_RUNS(0);
}

static void following_next_reaches_a_far_timer_in_few_steps_and_exactly(void **state)
{
    (void)state;
    uint64_t due_ms = 1000 + 86400000; /* a day */
    add(0, due_ms);
    unsigned steps = 0;
    while (bench.runs == 0) {
        uint64_t next_ms = wheel_next_ms(bench.wheel);
        assert_true(next_ms <= due_ms);
        wheel_advance(bench.wheel, next_ms);
        assert_true(++steps <= 6);
    }
    assert_int_equal(wheel_next_ms(bench.wheel), UINT64_MAX);
}

static void freeing_the_wheel_disarms_its_timers(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_new(0);
    struct wheel_timer timer;
    wheel_timer_init(&timer, note_run);
    wheel_add(wheel, &timer, 5);
    wheel_free(wheel);
    assert_false(wheel_timer_is_armed(&timer));
}

/* The naive model: the armed ones in order of arming. */
struct model {
    uint64_t due_ms[TIMERS];
    uint64_t armed_at[TIMERS]; /* a sequence number; 0: not armed */
    uint64_t sequence;
};

static int model_first_due(const struct model *model, uint64_t now_ms)
{
    int best = -1;
    for (int i = 0; i < TIMERS; i++) {
        if (model->armed_at[i] == 0 || model->due_ms[i] > now_ms)
            continue;
        if (best < 0 || model->due_ms[i] < model->due_ms[best] ||
            (model->due_ms[i] == model->due_ms[best] && model->armed_at[i] < model->armed_at[best]))
            best = i;
    }
    return best;
}

static void model_advance_and_compare(struct model *model, uint64_t now_ms)
{
    wheel_advance(bench.wheel, now_ms);
    for (unsigned i = 0; i < bench.runs; i++) {
        int expected = model_first_due(model, now_ms);
        assert_int_equal(bench.ran[i], expected);
        model->armed_at[expected] = 0;
    }
    assert_int_equal(model_first_due(model, now_ms), -1);
    bench.runs = 0;
}

static void model_check_next(const struct model *model, uint64_t now_ms)
{
    uint64_t first_ms = UINT64_MAX;
    for (int i = 0; i < TIMERS; i++) {
        assert_int_equal(wheel_timer_is_armed(&bench.probes[i].timer), model->armed_at[i] != 0);
        if (model->armed_at[i] != 0 && model->due_ms[i] < first_ms)
            first_ms = model->due_ms[i];
    }
    uint64_t next_ms = wheel_next_ms(bench.wheel);
    assert_true(next_ms <= first_ms);
    assert_true(next_ms > now_ms || first_ms <= now_ms); /* never a spin */
    assert_true((next_ms == UINT64_MAX) == (first_ms == UINT64_MAX));
}

static uint64_t random_delay_ms(struct random_state *random)
{
    unsigned bits = (unsigned)random_below(random, 26);
    return random_below(random, UINT64_C(1) << bits);
}

static void random_run(uint64_t seed)
{
    struct random_state random;
    struct model model = {.sequence = 0};
    random_seed(&random, seed);
    uint64_t now_ms = 1000;
    for (unsigned step = 0; step < 4000; step++) {
        unsigned id = (unsigned)random_below(&random, TIMERS);
        uint64_t choice = random_below(&random, 10);
        if (choice < 6) {
            model.due_ms[id] = now_ms + random_delay_ms(&random) - random_below(&random, 3);
            model.armed_at[id] = ++model.sequence;
            add(id, model.due_ms[id]);
        } else if (choice < 8) {
            model.armed_at[id] = 0;
            wheel_cancel(bench.wheel, &bench.probes[id].timer);
        } else {
            uint64_t next_ms = wheel_next_ms(bench.wheel);
            now_ms =
                choice == 9 && next_ms != UINT64_MAX && next_ms > now_ms ? next_ms : now_ms + random_delay_ms(&random);
            model_advance_and_compare(&model, now_ms);
        }
        model_check_next(&model, now_ms);
    }
    model_advance_and_compare(&model, now_ms + (UINT64_C(1) << 30));
}

static void random_runs_agree_with_a_sorted_list(void **state)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        random_run(seed);
        tear_down(state);
        set_up(state);
    }
}

#define WHEEL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WHEEL_TEST(a_timer_runs_once_at_its_due_time_and_not_before),
        WHEEL_TEST(timers_run_in_order_of_due_time_across_levels),
        WHEEL_TEST(ties_run_in_order_of_arming_even_when_armed_on_different_levels),
        WHEEL_TEST(a_due_time_in_the_past_runs_at_the_next_advance_in_order),
        WHEEL_TEST(a_cancelled_timer_does_not_run),
        WHEEL_TEST(cancelling_the_last_timer_leaves_nothing_to_wake_up_for),
        WHEEL_TEST(arming_again_moves_the_timer),
        WHEEL_TEST(a_timer_may_arm_itself_and_catches_up_within_one_advance),
        WHEEL_TEST(a_timer_may_cancel_another_that_is_due_at_the_same_moment),
        WHEEL_TEST(a_timer_that_arms_itself_for_now_waits_for_the_next_advance),
        WHEEL_TEST(the_last_moment_of_time_can_be_asked_for),
        WHEEL_TEST(following_next_reaches_a_far_timer_in_few_steps_and_exactly),
        cmocka_unit_test(freeing_the_wheel_disarms_its_timers),
        WHEEL_TEST(random_runs_agree_with_a_sorted_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
