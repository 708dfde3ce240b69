/* SPDX-License-Identifier: Apache-2.0 */
/* test_scheduler.c: the order of endpoints as tables; picks from small pools; threads that pick while members change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "inference/schedule/scheduler.h"

enum { MEMBERS_MAX = 16 };

struct fixture {
    struct pool_registry *registry;
    struct pool *pool;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.registry = pool_registry_new();
    fixture.pool = pool_registry_take(fixture.registry, false, "default", "pool", 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    pool_give_back(fixture->pool);
    pool_registry_free(fixture->registry);
    return 0;
}

static void fill(struct pool *pool, unsigned count)
{
    static char ips[MEMBERS_MAX][32];
    struct pool_member members[MEMBERS_MAX];
    for (unsigned i = 0; i < count; i++) {
        snprintf(ips[i], sizeof ips[i], "127.0.0.%u", i + 1);
        members[i] = (struct pool_member){.ip = ips[i], .port = 8000, .pod = "default/p", .is_ready = true};
    }
    pool_set_members(pool, members, count, NULL);
}

static struct endpoint *pick_with(struct pool *pool, const struct pick_request *request)
{
    struct endpoint *endpoint = schedule_pick(pool, request);
    if (endpoint != NULL) {
        schedule_release(endpoint);
        endpoint_give_back(endpoint); /* the pool still holds it */
    }
    return endpoint;
}

static struct endpoint *pick(struct pool *pool)
{
    return pick_with(pool, &(struct pick_request){.now_ms = 1000});
}

static void earlier_rows_are_better_than_later_ones(void **state)
{
    (void)state;
    static const struct pick_score order[] = {
        {.is_usable = true, .has_lora = true},
        {.is_usable = true, .has_lora = true, .kv_permille = 1},
        {.is_usable = true, .has_lora = true, .running = 1},
        {.is_usable = true, .has_lora = true, .running = 1, .in_flight = 1},
        {.is_usable = true, .has_lora = true, .in_flight = 3, .kv_permille = 1},
        {.is_usable = true, .has_lora = true, .waiting = 1},
        {.is_usable = true, .has_lora = true, .waiting = 2, .running = 4000000000u, .in_flight = 4000000000u},
        {.is_usable = true, .has_lora = true, .waiting = 100, .running = 50, .kv_permille = 1000},
        {.is_usable = true},
        {.is_usable = true, .waiting = 5},
        {.is_usable = true, .is_avoided = true, .has_lora = true},
        {.is_usable = true, .is_avoided = true},
        {.has_lora = true},
        {.is_avoided = true},
    };
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        for (size_t j = 0; j < ARRAY_LEN(order); j++) {
            int result = schedule_compare(&order[i], &order[j]);
            assert_int_equal((result > 0) - (result < 0), (i > j) - (i < j));
        }
}

static void running_and_in_flight_count_together(void **state)
{
    (void)state;
    struct pick_score a = {.running = 3, .in_flight = 1}, b = {.running = 1, .in_flight = 3};
    assert_int_equal(schedule_compare(&a, &b), 0);
}

static void an_empty_pool_gives_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_null(pick(fixture->pool));
}

static void only_ready_and_healthy_endpoints_are_picked(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 3);
    atomic_store(&fixture->pool->members[0]->load.is_ready, false);
    atomic_store(&fixture->pool->members[1]->load.is_healthy, false);
    for (unsigned i = 0; i < 20; i++)
        assert_ptr_equal(pick(fixture->pool), fixture->pool->members[2]);
    atomic_store(&fixture->pool->members[2]->load.is_ready, false);
    assert_null(pick(fixture->pool));
}

static void a_pick_counts_the_endpoint_and_raises_in_flight(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 1);
    struct endpoint *endpoint = schedule_pick(fixture->pool, &(struct pick_request){0});
    assert_int_equal(atomic_load(&endpoint->users), 2);
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 1);
    schedule_release(endpoint);
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 0);
    endpoint_give_back(endpoint);
}

static void a_picked_endpoint_outlives_its_pool_membership(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 1);
    struct endpoint *endpoint = schedule_pick(fixture->pool, &(struct pick_request){0});
    fill(fixture->pool, 0);
    assert_true(atomic_load(&endpoint->load.is_removed));
    assert_string_equal(endpoint->text, "127.0.0.1:8000");
    schedule_release(endpoint);
    endpoint_give_back(endpoint);
}

static void simultaneous_picks_spread_evenly(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 8);
    struct endpoint *picked[64];
    for (unsigned i = 0; i < ARRAY_LEN(picked); i++)
        picked[i] = schedule_pick(fixture->pool, &(struct pick_request){.random = 42});
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(atomic_load(&fixture->pool->members[i]->load.in_flight), 8);
    for (unsigned i = 0; i < ARRAY_LEN(picked); i++) {
        schedule_release(picked[i]);
        endpoint_give_back(picked[i]);
    }
}

static void ties_are_drawn_fairly(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 5);
    /* Two that lose stand between those that tie. */
    atomic_store(&fixture->pool->members[1]->load.waiting, 1);
    atomic_store(&fixture->pool->members[2]->load.waiting, 1);
    unsigned counts[5] = {0};
    struct random_state random;
    random_seed(&random, 3);
    for (unsigned i = 0; i < 9000; i++) {
        struct pick_request request = {.random = random_next(&random)};
        struct endpoint *endpoint = pick_with(fixture->pool, &request);
        for (unsigned j = 0; j < 5; j++)
            counts[j] += endpoint == fixture->pool->members[j];
    }
    assert_int_equal(counts[1] + counts[2], 0);
    assert_in_range(counts[0], 2800, 3200);
    assert_in_range(counts[3], 2800, 3200);
    assert_in_range(counts[4], 2800, 3200);
}

static void the_least_loaded_endpoint_wins(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 3);
    struct endpoint **members = fixture->pool->members;
    atomic_store(&members[0]->load.waiting, 1);
    atomic_store(&members[1]->load.running, 4);
    atomic_store(&members[2]->load.running, 3);
    assert_ptr_equal(pick(fixture->pool), members[2]);
    atomic_store(&members[2]->load.in_flight, 1);
    atomic_store(&members[2]->load.kv_permille, 900);
    assert_ptr_equal(pick(fixture->pool), members[1]);
    atomic_store(&members[1]->load.waiting, 2);
    atomic_store(&members[2]->load.waiting, 2);
    assert_ptr_equal(pick(fixture->pool), members[0]);
    atomic_store(&members[2]->load.in_flight, 0);
}

static void a_resident_adapter_is_preferred_even_under_load(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 3);
    struct endpoint **members = fixture->pool->members;
    endpoint_set_loras(members[1], BYTES("travel-v1, travel-v2"), BYTES(""));
    endpoint_set_loras(members[2], BYTES("other"), BYTES("travel-v3"));
    atomic_store(&members[1]->load.waiting, 10);
    struct pick_request request = {.target_model = BYTES("travel-v2")};
    assert_ptr_equal(pick_with(fixture->pool, &request), members[1]);
    request.target_model = BYTES("travel-v3");
    assert_ptr_equal(pick_with(fixture->pool, &request), members[2]);
    request.target_model = BYTES("travel");
    assert_ptr_not_equal(pick_with(fixture->pool, &request), members[1]);
    request.target_model = BYTES("");
    assert_ptr_not_equal(pick_with(fixture->pool, &request), members[1]);
}

static void excluded_endpoints_are_not_picked_again(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 3);
    struct pick_request request = {0};
    for (unsigned left = 3; left > 0; left--) {
        struct endpoint *endpoint = pick_with(fixture->pool, &request);
        for (unsigned i = 0; i < request.excluded_count; i++)
            assert_ptr_not_equal(endpoint, request.excluded[i]);
        request.excluded[request.excluded_count++] = endpoint;
    }
    assert_null(pick_with(fixture->pool, &request));
}

static void avoided_endpoints_are_the_last_resort(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 2);
    struct endpoint **members = fixture->pool->members;
    atomic_store(&members[0]->load.avoid_until_ms, 2000);
    atomic_store(&members[1]->load.waiting, 100);
    struct pick_request request = {.now_ms = 1999};
    assert_ptr_equal(pick_with(fixture->pool, &request), members[1]);
    request.now_ms = 2000;
    assert_ptr_equal(pick_with(fixture->pool, &request), members[0]);
    request = (struct pick_request){.now_ms = 1999, .excluded = {members[1]}, .excluded_count = 1};
    assert_ptr_equal(pick_with(fixture->pool, &request), members[0]);
}

static void a_score_tells_what_a_pick_weighs(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 1);
    struct endpoint *endpoint = fixture->pool->members[0];
    endpoint_set_loras(endpoint, BYTES("a"), BYTES(""));
    atomic_store(&endpoint->load.waiting, 1);
    atomic_store(&endpoint->load.running, 2);
    atomic_store(&endpoint->load.in_flight, 3);
    atomic_store(&endpoint->load.kv_permille, 4);
    atomic_store(&endpoint->load.avoid_until_ms, 11);
    struct pick_score score;
    schedule_score(endpoint, BYTES("a"), 10, &score);
    assert_ptr_equal(score.endpoint, endpoint);
    assert_true(score.is_usable && score.is_avoided && score.has_lora);
    assert_int_equal(score.waiting * 1000 + score.running * 100 + score.in_flight * 10 + score.kv_permille, 1234);
    atomic_store(&endpoint->load.in_flight, 0);
}

/* Threads. */

struct picker {
    pthread_t thread;
    struct pool *pool;
    unsigned picks;
};

static void *pick_many(void *argument)
{
    struct picker *picker = argument;
    struct random_state random;
    random_seed(&random, (uintptr_t)picker);
    for (unsigned i = 0; i < 20000; i++) {
        struct pick_request request = {.target_model = BYTES("a"), .now_ms = i, .random = random_next(&random)};
        struct endpoint *endpoint = schedule_pick(picker->pool, &request);
        if (endpoint == NULL)
            continue;
        picker->picks++;
        if (i % 64 == 0)
            atomic_store_explicit(&endpoint->load.avoid_until_ms, i + 10, memory_order_relaxed);
        schedule_release(endpoint);
        endpoint_give_back(endpoint);
    }
    return NULL;
}

static void picks_and_changes_of_members_may_run_together(void **state)
{
    struct fixture *fixture = *state;
    struct picker pickers[4];
    fill(fixture->pool, 4);
    for (unsigned i = 0; i < ARRAY_LEN(pickers); i++) {
        pickers[i] = (struct picker){.pool = fixture->pool};
        assert_int_equal(pthread_create(&pickers[i].thread, NULL, pick_many, &pickers[i]), 0);
    }
    for (unsigned round = 0; round < 2000; round++) {
        fill(fixture->pool, 1 + round % 7);
        struct endpoint *endpoint = fixture->pool->members[0];
        endpoint_set_loras(endpoint, round % 2 == 0 ? BYTES("a,b") : BYTES("c"), BYTES("d"));
        endpoint_set_models(endpoint, (struct bytes[]){BYTES("m"), BYTES("a")}, 1 + round % 2);
        assert_true(pool_lists_model(fixture->pool, BYTES("m")));
        assert_int_equal(pool_usable_count(fixture->pool), 1 + round % 7);
    }
    unsigned picks = 0;
    for (unsigned i = 0; i < ARRAY_LEN(pickers); i++) {
        pthread_join(pickers[i].thread, NULL);
        picks += pickers[i].picks;
    }
    assert_int_equal(picks, 4 * 20000);
    for (unsigned i = 0; i < fixture->pool->member_count; i++) {
        assert_int_equal(atomic_load(&fixture->pool->members[i]->load.in_flight), 0);
        assert_int_equal(atomic_load(&fixture->pool->members[i]->users), 1);
    }
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earlier_rows_are_better_than_later_ones),
        cmocka_unit_test(running_and_in_flight_count_together),
        POOL_TEST(an_empty_pool_gives_nothing),
        POOL_TEST(only_ready_and_healthy_endpoints_are_picked),
        POOL_TEST(a_pick_counts_the_endpoint_and_raises_in_flight),
        POOL_TEST(a_picked_endpoint_outlives_its_pool_membership),
        POOL_TEST(simultaneous_picks_spread_evenly),
        POOL_TEST(ties_are_drawn_fairly),
        POOL_TEST(the_least_loaded_endpoint_wins),
        POOL_TEST(a_resident_adapter_is_preferred_even_under_load),
        POOL_TEST(excluded_endpoints_are_not_picked_again),
        POOL_TEST(avoided_endpoints_are_the_last_resort),
        POOL_TEST(a_score_tells_what_a_pick_weighs),
        POOL_TEST(picks_and_changes_of_members_may_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
