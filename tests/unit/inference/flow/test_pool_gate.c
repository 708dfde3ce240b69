/* SPDX-License-Identifier: Apache-2.0 */
/* test_pool_gate.c: saturation by hand, who passes, waits and is refused; threads that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inference/flow/pool_gate.h"

struct scene {
    struct pool_registry *registry;
    struct pool *pool;
    struct gate_settings settings;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.registry = pool_registry_new(), .settings = gate_settings_default};
    scene.pool = pool_registry_take(scene.registry, false, "default", "p", 0);
    static const struct pool_member members[] = {
        {.ip = "127.0.0.1", .port = 80, .is_ready = true},
        {.ip = "127.0.0.2", .port = 80, .is_ready = true},
        {.ip = "127.0.0.3", .port = 80, .is_ready = true},
    };
    pool_set_members(scene.pool, members, 3, NULL);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    pool_give_back(scene->pool);
    pool_registry_free(scene->registry);
    return 0;
}

static void set_load(struct scene *scene, unsigned index, unsigned waiting, unsigned kv_permille)
{
    atomic_store(&scene->pool->members[index]->load.waiting, waiting);
    atomic_store(&scene->pool->members[index]->load.kv_permille, kv_permille);
}

static void saturate(struct scene *scene, bool is_saturated)
{
    for (unsigned i = 0; i < scene->pool->member_count; i++)
        set_load(scene, i, is_saturated ? 5 : 0, 0);
}

static void use_queue(struct scene *scene)
{
    scene->settings.has_queue = true;
    scene->settings.limits.ttl_ms = 100;
    pool_gate_set(scene->pool, &scene->settings);
}

static enum gate_state enter(struct scene *scene, struct gate_ticket *ticket, int32_t priority)
{
    *ticket = (struct gate_ticket){.item = {.priority = priority, .flow = 1, .bytes = 1}};
    return pool_gate_enter(scene->pool, ticket, 1000);
}

/* Waiting 0, 4 and 8; KV use 0.2, 0.5 and 0.9: (0.25 + 0.8 + 1.6) / 3. */
static void saturation_is_the_mean_of_the_fuller_of_queue_and_cache(void **state)
{
    struct scene *scene = *state;
    set_load(scene, 0, 0, 200);
    set_load(scene, 1, 4, 500);
    set_load(scene, 2, 8, 900);
    double saturation = pool_saturation(scene->pool, &scene->settings);
    assert_true(saturation > 0.8833 && saturation < 0.8834);
    atomic_store(&scene->pool->members[2]->load.is_ready, false);
    saturation = pool_saturation(scene->pool, &scene->settings);
    assert_true(saturation > 0.5249 && saturation < 0.5251);
    /* Two were sent since the last scrape. */
    atomic_store(&scene->pool->members[0]->load.in_flight, 5);
    atomic_store(&scene->pool->members[0]->load.in_flight_scraped, 3);
    saturation = pool_saturation(scene->pool, &scene->settings);
    assert_true(saturation > 0.5999 && saturation < 0.6001);
    pool_set_members(scene->pool, NULL, 0, NULL);
    assert_true(pool_saturation(scene->pool, &scene->settings) == 1);
}

static void without_a_queue_only_sheddable_requests_are_refused(void **state)
{
    struct scene *scene = *state;
    struct gate_ticket ticket;
    saturate(scene, true);
    assert_int_equal(enter(scene, &ticket, -1), GATE_SHED);
    assert_int_equal(enter(scene, &ticket, 0), GATE_PASSED);
    saturate(scene, false);
    assert_int_equal(enter(scene, &ticket, -1), GATE_PASSED);
    pool_gate_leave(&ticket);
}

/* What passes whatever the load is spares both locks. */
static void only_sheddable_requests_and_those_before_a_queue_need_to_ask(void **state)
{
    struct scene *scene = *state;
    assert_false(pool_gate_asks(scene->pool, 0));
    assert_false(pool_gate_asks(scene->pool, 1));
    assert_true(pool_gate_asks(scene->pool, -1));
    use_queue(scene);
    assert_true(pool_gate_asks(scene->pool, 1));
    scene->settings.has_queue = false;
    pool_gate_set(scene->pool, &scene->settings);
    assert_false(pool_gate_asks(scene->pool, 1));
}

static void with_a_queue_all_wait_until_there_is_room_and_the_highest_goes_first(void **state)
{
    struct scene *scene = *state;
    struct gate_ticket low, high, shed;
    use_queue(scene);
    saturate(scene, true);
    assert_int_equal(enter(scene, &low, 0), GATE_WAITING);
    assert_int_equal(enter(scene, &high, 1), GATE_WAITING);
    assert_int_equal(enter(scene, &shed, -1), GATE_SHED);
    assert_int_equal(pool_gate_poll(&low, 1001), GATE_WAITING);
    set_load(scene, 0, 4, 0); /* room for one: (4 + 5 + 5 + 1) / 15 is full again */
    assert_int_equal(pool_gate_poll(&low, 1002), GATE_WAITING);
    assert_int_equal(pool_gate_poll(&high, 1002), GATE_PASSED);
    pool_gate_leave(&high); /* as if it had been sent, and had ended */
    assert_int_equal(pool_gate_poll(&low, 1003), GATE_PASSED);
    pool_gate_leave(&low);
    pool_gate_leave(&low);
    pool_gate_leave(&shed);
    struct gate_figures figures;
    pool_gate_figures(scene->pool, &figures);
    assert_int_equal(figures.queued, 0);
}

static void nobody_overtakes_who_waits(void **state)
{
    struct scene *scene = *state;
    struct gate_ticket first, second;
    use_queue(scene);
    saturate(scene, true);
    assert_int_equal(enter(scene, &first, 0), GATE_WAITING);
    set_load(scene, 0, 4, 0);
    assert_int_equal(enter(scene, &second, 0), GATE_WAITING); /* the room is the first one's */
    assert_int_equal(pool_gate_poll(&first, 1000), GATE_PASSED);
    pool_gate_leave(&first);
    pool_gate_leave(&second);
}

static void who_waits_too_long_is_told_so_and_who_leaves_is_forgotten(void **state)
{
    struct scene *scene = *state;
    struct gate_ticket late, gone;
    use_queue(scene);
    saturate(scene, true);
    assert_int_equal(enter(scene, &late, 0), GATE_WAITING);
    assert_int_equal(enter(scene, &gone, 0), GATE_WAITING);
    pool_gate_leave(&gone);
    assert_int_equal(pool_gate_poll(&late, 1099), GATE_WAITING);
    assert_int_equal(pool_gate_poll(&late, 1100), GATE_EXPIRED);
    pool_gate_leave(&late);
}

static void a_full_band_refuses(void **state)
{
    struct scene *scene = *state;
    struct gate_ticket tickets[3];
    scene->settings.limits.max_requests = 2;
    use_queue(scene);
    saturate(scene, true);
    assert_int_equal(enter(scene, &tickets[0], 0), GATE_WAITING);
    assert_int_equal(enter(scene, &tickets[1], 0), GATE_WAITING);
    assert_int_equal(enter(scene, &tickets[2], 0), GATE_FULL);
    for (unsigned i = 0; i < 3; i++)
        pool_gate_leave(&tickets[i]);
}

/* There is nothing to wait for. */
static void an_empty_pool_and_a_queue_that_is_switched_off_let_all_pass(void **state)
{
    struct scene *scene = *state;
    struct gate_ticket ticket, other;
    use_queue(scene);
    saturate(scene, true);
    assert_int_equal(enter(scene, &ticket, 0), GATE_WAITING);
    pool_gate_set(scene->pool, &gate_settings_default);
    assert_int_equal(pool_gate_poll(&ticket, 1000), GATE_PASSED);
    pool_gate_leave(&ticket);
    use_queue(scene);
    assert_int_equal(enter(scene, &ticket, 0), GATE_WAITING);
    pool_set_members(scene->pool, NULL, 0, NULL);
    assert_int_equal(enter(scene, &other, 0), GATE_PASSED);
    assert_int_equal(pool_gate_poll(&ticket, 1000), GATE_PASSED);
    pool_gate_leave(&ticket);
    pool_gate_leave(&other);
}

/* Threads: each request ends exactly once, and nothing is left. */

struct visitor {
    pthread_t thread;
    struct pool *pool;
    unsigned counts[GATE_EXPIRED + 1];
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    for (unsigned i = 0; i < 2000; i++) {
        struct gate_ticket ticket = {.item = {.priority = (int32_t)(i % 3) - 1, .flow = i % 5, .bytes = 1}};
        struct endpoint *endpoint = visitor->pool->members[i % 3];
        enum gate_state state = pool_gate_enter(visitor->pool, &ticket, i);
        for (unsigned turns = 0; state == GATE_WAITING && turns < i % 7; turns++)
            state = pool_gate_poll(&ticket, i + turns);
        visitor->counts[state]++;
        bool is_sent = state == GATE_PASSED;
        if (is_sent)
            atomic_fetch_add(&endpoint->load.in_flight, 1);
        pool_gate_leave(&ticket);
        if (is_sent)
            atomic_fetch_sub(&endpoint->load.in_flight, 1);
    }
    return NULL;
}

static void many_threads_leave_nothing_behind(void **state)
{
    struct scene *scene = *state;
    struct visitor visitors[4];
    scene->settings.queue_depth = 0.5; /* one in flight fills an endpoint twice */
    use_queue(scene);
    for (unsigned i = 0; i < 4; i++) {
        visitors[i] = (struct visitor){.pool = scene->pool};
        assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(visitors[i].thread, NULL);
        unsigned sum = 0;
        for (unsigned j = 0; j <= GATE_EXPIRED; j++)
            sum += visitors[i].counts[j];
        assert_int_equal(sum, 2000);
    }
    struct gate_figures figures;
    pool_gate_figures(scene->pool, &figures);
    assert_int_equal(figures.queued, 0);
    assert_true(figures.saturation == 0);
    struct gate_ticket ticket;
    assert_int_equal(enter(scene, &ticket, 0), GATE_PASSED); /* no charge was forgotten */
    pool_gate_leave(&ticket);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(saturation_is_the_mean_of_the_fuller_of_queue_and_cache),
        SCENE_TEST(without_a_queue_only_sheddable_requests_are_refused),
        SCENE_TEST(only_sheddable_requests_and_those_before_a_queue_need_to_ask),
        SCENE_TEST(with_a_queue_all_wait_until_there_is_room_and_the_highest_goes_first),
        SCENE_TEST(nobody_overtakes_who_waits),
        SCENE_TEST(who_waits_too_long_is_told_so_and_who_leaves_is_forgotten),
        SCENE_TEST(a_full_band_refuses),
        SCENE_TEST(an_empty_pool_and_a_queue_that_is_switched_off_let_all_pass),
        SCENE_TEST(many_threads_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
