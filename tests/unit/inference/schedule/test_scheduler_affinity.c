/* SPDX-License-Identifier: Apache-2.0 */
/* test_scheduler_affinity.c: picks that follow prompts, adapters and sessions to where they were before. */
#include "unit/inference/schedule/pool_fixture.h"

static void a_prompt_goes_back_to_where_its_head_is(void **state)
{
    struct fixture *fixture = *state;
    uint64_t hashes[20];
    struct pick_request request = {.prefix_hashes = hashes, .prefix_count = 20, .prompt_tokens = 1300};
    fill(fixture->pool, 4);
    for (uint64_t name = 0; name < 50; name++) {
        make_prompt(name, hashes, 20);
        request.random = name;
        struct endpoint *first = pick_with(fixture->pool, &request);
        for (unsigned i = 0; i < 5; i++) {
            request.random++;
            assert_ptr_equal(pick_with(fixture->pool, &request), first);
        }
    }
}

static void a_prompt_leaves_a_busy_endpoint_once_the_detour_is_cheaper(void **state)
{
    struct fixture *fixture = *state;
    uint64_t hashes[20];
    struct pick_request request = {.prefix_hashes = hashes, .prefix_count = 20, .prompt_tokens = 1280};
    fill(fixture->pool, 2);
    make_prompt(1, hashes, 20);
    struct endpoint *cached = pick_with(fixture->pool, &request);
    atomic_store(&cached->work.prefill_tokens, 1200); /* less than the 1,280 that would be computed again */
    assert_ptr_equal(pick_with(fixture->pool, &request), cached);
    atomic_store(&cached->work.prefill_tokens, 1400);
    assert_ptr_not_equal(pick_with(fixture->pool, &request), cached);
    atomic_store(&cached->work.prefill_tokens, 0);
}

/* Two endpoints whose caches are small for what they are sent, again and again. */
static void sessions_are_not_moved_where_they_push_out_others(void **state)
{
    struct fixture *fixture = *state;
    uint64_t hashes[20];
    struct pick_request request = {.prefix_hashes = hashes, .prefix_count = 20, .prompt_tokens = 1280};
    fill(fixture->pool, 2);
    for (unsigned i = 0; i < 2; i++)
        endpoint_set_kv_tokens(fixture->pool->members[i], 8192);
    for (uint64_t name = 1; name <= 12; name++) {
        make_prompt(name, hashes, 20);
        pick_with(fixture->pool, &request);
        pick_with(fixture->pool, &request);
    }
    struct endpoint *cached = pick_with(fixture->pool, &request);
    atomic_store(&cached->work.prefill_tokens, 1400); /* more than it would take to compute it again elsewhere */
    assert_ptr_equal(pick_with(fixture->pool, &request), cached);
    request.now_ms = 600000; /* nothing was pushed out for long */
    assert_ptr_not_equal(pick_with(fixture->pool, &request), cached);
    atomic_store(&cached->work.prefill_tokens, 0);
}

static void an_uncached_prompt_is_charged_in_full_and_a_cached_one_is_not(void **state)
{
    struct fixture *fixture = *state;
    uint64_t hashes[66];
    struct pick_ticket ticket;
    struct pick_request request = {.prefix_hashes = hashes, .prefix_count = 66, .prompt_tokens = 6000};
    fill(fixture->pool, 1);
    make_prompt(1, hashes, 66);
    start(fixture->pool, &request, &ticket);
    assert_int_equal(ticket.uncached_tokens, 6000);
    end(&ticket, 0);
    start(fixture->pool, &request, &ticket);
    assert_int_equal(ticket.uncached_tokens, 6000 - 64 * 64 - 2 * 512);
    end(&ticket, 0);
}

static void a_new_pod_on_a_known_address_has_no_prefixes(void **state)
{
    struct fixture *fixture = *state;
    uint64_t hashes[20];
    struct pick_ticket ticket;
    struct pick_request request = {.prefix_hashes = hashes, .prefix_count = 20, .prompt_tokens = 1280};
    struct pool_member member = {.ip = "127.0.0.1", .port = 8000, .pod = "default/new", .is_ready = true};
    fill(fixture->pool, 1);
    make_prompt(1, hashes, 20);
    pick_with(fixture->pool, &request);
    pool_set_members(fixture->pool, &member, 1, NULL);
    start(fixture->pool, &request, &ticket);
    assert_int_equal(ticket.uncached_tokens, 1280);
    end(&ticket, 0);
}

/* Adapters: two slots each. */
static void serve_adapters(struct pool *pool)
{
    for (unsigned i = 0; i < pool->member_count; i++)
        atomic_store(&pool->members[i]->load.max_loras, 2);
}

static void a_resident_adapter_is_preferred_to_loading_it(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 3);
    serve_adapters(fixture->pool);
    struct endpoint **members = fixture->pool->members;
    endpoint_set_loras(members[1], BYTES("travel-v1, travel-v2"), BYTES(""));
    atomic_store(&members[1]->load.running, 50);
    struct pick_request request = {.target_model = BYTES("travel-v2")};
    assert_ptr_equal(pick_with(fixture->pool, &request), members[1]);
    request.target_model = BYTES("travel"); /* the base model */
    assert_ptr_not_equal(pick_with(fixture->pool, &request), members[1]);
    request.target_model = BYTES("");
    assert_ptr_not_equal(pick_with(fixture->pool, &request), members[1]);
}

static void an_adapter_goes_to_an_idle_slot_before_it_waits_for_a_busy_one(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 2);
    serve_adapters(fixture->pool);
    struct endpoint **members = fixture->pool->members;
    endpoint_set_loras(members[0], BYTES("a,b"), BYTES("c"));
    endpoint_set_loras(members[1], BYTES("a"), BYTES(""));
    atomic_store(&members[1]->load.running, 100);
    struct pick_request request = {.target_model = BYTES("c")};
    assert_ptr_equal(pick_with(fixture->pool, &request), members[1]);
}

static void own_requests_keep_an_adapter_where_it_was_sent(void **state)
{
    struct fixture *fixture = *state;
    struct pick_ticket ticket;
    struct pick_request request = {.target_model = BYTES("a")};
    fill(fixture->pool, 4);
    serve_adapters(fixture->pool);
    endpoint_set_loras(fixture->pool->members[0], BYTES(""), BYTES("a")); /* now it is known as an adapter */
    struct endpoint *first = start(fixture->pool, &request, &ticket);
    endpoint_set_loras(fixture->pool->members[0], BYTES(""), BYTES(""));
    schedule_first_token(&ticket, 10);
    for (unsigned i = 0; i < 8; i++) {
        request.random = i;
        assert_ptr_equal(pick_with(fixture->pool, &request), first); /* in flight, though no page shows it */
    }
    end(&ticket, 20);
    for (unsigned i = 0; i < 8; i++) {
        request.random = i;
        assert_ptr_equal(pick_with(fixture->pool, &request), first); /* idle, but still in its slot */
    }
    assert_int_equal(atomic_load(&first->adapters.uses[0].in_flight), 0);
}

static void sessions_return_when_the_profile_asks_for_it(void **state)
{
    struct fixture *fixture = *state;
    struct profile profile;
    profile_init_default(&profile);
    profile.scorers[0] = plugin_default(plugin_find(BYTES("session-affinity-scorer")));
    fill(fixture->pool, 8);
    schedule_set_profile(fixture->pool, &profile);
    struct pick_request request = {.session_key = BYTES("ann")};
    struct endpoint *first = pick_with(fixture->pool, &request);
    for (unsigned i = 0; i < 30; i++) {
        request.random = i;
        assert_ptr_equal(pick_with(fixture->pool, &request), first);
    }
    request.now_ms = 300000; /* forgotten */
    unsigned elsewhere = 0;
    for (unsigned i = 0; i < 30; i++) {
        request.session_key = bytes_make("abcdefghijklmnopqrstuvwxyzABCDEF" + i, 1);
        request.random = i;
        elsewhere += pick_with(fixture->pool, &request) != first;
    }
    assert_true(elsewhere > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_prompt_goes_back_to_where_its_head_is),
        POOL_TEST(a_prompt_leaves_a_busy_endpoint_once_the_detour_is_cheaper),
        POOL_TEST(sessions_are_not_moved_where_they_push_out_others),
        POOL_TEST(an_uncached_prompt_is_charged_in_full_and_a_cached_one_is_not),
        POOL_TEST(a_new_pod_on_a_known_address_has_no_prefixes),
        POOL_TEST(a_resident_adapter_is_preferred_to_loading_it),
        POOL_TEST(an_adapter_goes_to_an_idle_slot_before_it_waits_for_a_busy_one),
        POOL_TEST(own_requests_keep_an_adapter_where_it_was_sent),
        POOL_TEST(sessions_return_when_the_profile_asks_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
