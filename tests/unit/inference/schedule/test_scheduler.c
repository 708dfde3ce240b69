/* SPDX-License-Identifier: Apache-2.0 */
/* test_scheduler.c: picks from small pools, what they charge and give back; threads that pick while members change. */
#include "unit/inference/schedule/pool_fixture.h"

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

static void a_pick_charges_the_endpoint_until_it_is_released(void **state)
{
    struct fixture *fixture = *state;
    struct pick_ticket ticket;
    fill(fixture->pool, 1);
    struct endpoint *endpoint = start(fixture->pool, &(struct pick_request){.prompt_tokens = 100}, &ticket);
    const struct endpoint_work *work = &endpoint->work;
    assert_int_equal(atomic_load(&endpoint->users), 2);
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 1);
    assert_int_equal(atomic_load(&work->prefilling), 1);
    assert_int_equal(atomic_load(&work->prefill_tokens), 100);
    assert_int_equal(atomic_load(&work->prompt_tokens), 100);
    schedule_first_token(&ticket, 40);
    schedule_first_token(&ticket, 50); /* once is enough */
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 1);
    assert_int_equal(atomic_load(&work->prefilling), 0);
    assert_int_equal(atomic_load(&work->prefill_tokens), 0);
    assert_int_equal(atomic_load(&work->prompt_tokens), 100);
    schedule_release(&ticket, 60, 5);
    schedule_release(&ticket, 60, 5);
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 0);
    assert_int_equal(atomic_load(&work->prompt_tokens), 0);
    assert_true(atomic_load(&work->ttft_ms) == 40);
    assert_true(atomic_load(&work->token_ms) == 5);
    endpoint_give_back(endpoint);
}

static void an_answer_without_a_first_token_gives_everything_back(void **state)
{
    struct fixture *fixture = *state;
    struct pick_ticket ticket;
    fill(fixture->pool, 1);
    struct endpoint *endpoint = start(fixture->pool, &(struct pick_request){.prompt_tokens = 100}, &ticket);
    end(&ticket, 10);
    assert_int_equal(atomic_load(&endpoint->work.prefilling), 0);
    assert_int_equal(atomic_load(&endpoint->work.prefill_tokens), 0);
    assert_int_equal(atomic_load(&endpoint->work.prompt_tokens), 0);
    assert_true(atomic_load(&endpoint->work.ttft_ms) == 0);
}

static void a_picked_endpoint_outlives_its_pool_membership(void **state)
{
    struct fixture *fixture = *state;
    struct pick_ticket ticket;
    fill(fixture->pool, 1);
    struct endpoint *endpoint = start(fixture->pool, &(struct pick_request){0}, &ticket);
    fill(fixture->pool, 0);
    assert_true(atomic_load(&endpoint->load.is_removed));
    assert_string_equal(endpoint->text, "127.0.0.1:8000");
    end(&ticket, 0);
}

/* Whatever is known of the prompts, and though no metrics change in between. */
static void simultaneous_picks_spread_evenly(void **state)
{
    struct fixture *fixture = *state;
    static const uint32_t prompts[] = {0, 10, 5000};
    fill(fixture->pool, 8);
    for (unsigned kind = 0; kind < ARRAY_LEN(prompts); kind++) {
        struct pick_request request = {.prompt_tokens = prompts[kind], .random = 42};
        struct pick_ticket tickets[64];
        for (unsigned i = 0; i < ARRAY_LEN(tickets); i++)
            start(fixture->pool, &request, &tickets[i]);
        for (unsigned i = 0; i < 8; i++)
            assert_int_equal(atomic_load(&fixture->pool->members[i]->load.in_flight), 8);
        for (unsigned i = 0; i < ARRAY_LEN(tickets); i++)
            end(&tickets[i], 0);
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

static void only_the_subset_is_picked_from(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 4);
    struct address subset[2];
    assert_true(address_make(&subset[0], BYTES("127.0.0.3"), 8000));
    assert_true(address_make(&subset[1], BYTES("127.0.0.9"), 8000));
    struct pick_request request = {.subset = subset, .subset_count = 2};
    for (unsigned i = 0; i < 20; i++) {
        request.random = i;
        assert_ptr_equal(pick_with(fixture->pool, &request), fixture->pool->members[2]);
    }
    request.subset++;
    request.subset_count = 1;
    assert_null(pick_with(fixture->pool, &request));
}

static bool find_test_header(void *context, struct bytes name, struct bytes *ret_value)
{
    *ret_value = bytes_of(context);
    return bytes_equal_str(name, "test-epp-endpoint-selection");
}

/* The one that is asked for is to be avoided: better than nobody. */
static void who_is_named_is_picked_even_when_it_is_to_be_avoided(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 3);
    struct profile profile;
    profile_init_default(&profile);
    profile.filters[profile.filter_count++] = plugin_default(plugin_find(BYTES("header-based-testing-filter")));
    schedule_set_profile(fixture->pool, &profile);
    struct endpoint *named = fixture->pool->members[1];
    atomic_store(&named->load.avoid_until_ms, 1000);
    char address[] = "127.0.0.2";
    struct pick_request request = {.header = find_test_header, .header_context = address, .now_ms = 10};
    assert_ptr_equal(pick_with(fixture->pool, &request), named);
    request.only_trusted = true;
    assert_null(pick_with(fixture->pool, &request));
    address[strlen(address) - 1] = '9';
    request.only_trusted = false;
    assert_null(pick_with(fixture->pool, &request));
}

static void a_slow_endpoint_gets_fewer_prompts(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 2);
    for (unsigned i = 0; i < 200; i++) { /* the second takes three times as long */
        struct pick_ticket ticket;
        struct pick_request request = {.prompt_tokens = 1000, .now_ms = 1000 * i, .random = i};
        struct endpoint *endpoint = start(fixture->pool, &request, &ticket);
        schedule_first_token(&ticket, request.now_ms + (endpoint == fixture->pool->members[1] ? 120 : 40));
        end(&ticket, request.now_ms + 200);
    }
    unsigned counts[2] = {0};
    struct pick_ticket tickets[60];
    for (unsigned i = 0; i < ARRAY_LEN(tickets); i++) {
        struct pick_request request = {.prompt_tokens = 2000, .now_ms = 1000000, .random = i};
        counts[start(fixture->pool, &request, &tickets[i]) == fixture->pool->members[1]]++;
    }
    for (unsigned i = 0; i < ARRAY_LEN(tickets); i++)
        end(&tickets[i], 1000000);
    assert_in_range(counts[1], 10, 22);
}

struct heard {
    unsigned scores, totals;
    double sum;
};

static void on_score(void *context, const struct plugin *scorer, const struct candidate *candidate, double score)
{
    struct heard *heard = context;
    (void)candidate;
    heard->scores += scorer != NULL;
    heard->totals += scorer == NULL;
    heard->sum += scorer == NULL ? score : 0;
}

static void explaining_tells_all_scores_and_charges_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct heard heard = {0};
    fill(fixture->pool, 3);
    atomic_store(&fixture->pool->members[0]->load.is_ready, false);
    struct profile_listener listener = {on_score, &heard};
    assert_int_equal(schedule_explain(fixture->pool, &(struct pick_request){0}, &listener), 2);
    assert_int_equal(heard.scores, 2);
    assert_int_equal(heard.totals, 2);
    assert_true(heard.sum == 2); /* both as good as the best */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(atomic_load(&fixture->pool->members[i]->load.in_flight), 0);
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

/* Of two, the first one was last scraped at 1,000 ms and looked better then. */
static struct endpoint *pick_with_a_stale_one(struct pool *pool, enum stale_action action, uint64_t now_ms)
{
    struct profile profile = {.scorer_count = 1, .scorers = {plugin_default(plugin_find(BYTES("queue-scorer")))}};
    profile.picker = plugin_default(plugin_find(BYTES("max-score-picker")));
    schedule_set_profile(pool, &profile);
    schedule_set_stale_policy(pool, &(struct stale_policy){.action = action, .after_ms = 2000});
    atomic_store(&pool->members[0]->load.scraped_ms, 1000);
    atomic_store(&pool->members[1]->load.scraped_ms, now_ms);
    atomic_store(&pool->members[0]->load.waiting, 1);
    atomic_store(&pool->members[1]->load.waiting, 2);
    return pick_with(pool, &(struct pick_request){.now_ms = now_ms});
}

static void values_count_as_scraped_until_they_are_old(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 2);
    struct endpoint **members = fixture->pool->members;
    assert_ptr_equal(pick_with_a_stale_one(fixture->pool, STALE_OWN_COUNTS, 3000), members[0]);
    assert_ptr_equal(pick_with_a_stale_one(fixture->pool, STALE_EXCLUDE, 3000), members[0]);
    assert_ptr_equal(pick_with_a_stale_one(fixture->pool, STALE_EXCLUDE, 3001), members[1]);
    assert_ptr_equal(pick_with_a_stale_one(fixture->pool, STALE_KEEP, 3001), members[0]);
}

/* It has three requests from here that wait for their first token. */
static void own_counts_stand_in_for_old_values(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 2);
    struct endpoint **members = fixture->pool->members;
    atomic_store(&members[0]->work.prefilling, 3);
    atomic_store(&members[0]->load.in_flight, 3);
    assert_ptr_equal(pick_with_a_stale_one(fixture->pool, STALE_OWN_COUNTS, 3000), members[0]);
    assert_ptr_equal(pick_with_a_stale_one(fixture->pool, STALE_OWN_COUNTS, 3001), members[1]);
    atomic_store(&members[0]->work.prefilling, 1);
    assert_ptr_equal(pick_with_a_stale_one(fixture->pool, STALE_OWN_COUNTS, 3001), members[0]);
}

static void when_all_values_are_old_somebody_is_picked_still(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture->pool, 1);
    schedule_set_stale_policy(fixture->pool, &(struct stale_policy){.action = STALE_EXCLUDE, .after_ms = 2000});
    atomic_store(&fixture->pool->members[0]->load.scraped_ms, 1);
    assert_non_null(pick_with(fixture->pool, &(struct pick_request){.now_ms = 100000}));
}

/* Whatever the load, the profile and the request: never one that is not ready, healthy, allowed and in the pool. */
static void no_unusable_endpoint_is_ever_picked(void **state)
{
    struct fixture *fixture = *state;
    struct random_state random;
    struct profile profile;
    uint64_t hashes[8];
    random_seed(&random, 11);
    for (unsigned round = 0; round < 4000; round++) {
        profile_init_default(&profile);
        const struct plugin_kind *kind = plugin_at((unsigned)random_below(&random, 26));
        if (kind->role == PLUGIN_SCORER)
            profile.scorers[profile.scorer_count++] = plugin_default(kind);
        else if (kind->role == PLUGIN_FILTER)
            profile.filters[profile.filter_count++] = plugin_default(kind);
        else
            profile.picker = plugin_default(kind);
        schedule_set_profile(fixture->pool, &profile);
        fill(fixture->pool, 1 + (unsigned)random_below(&random, 10));
        for (unsigned i = 0; i < fixture->pool->member_count; i++) {
            struct endpoint_load *load = &fixture->pool->members[i]->load;
            atomic_store(&load->is_ready, random_below(&random, 3) > 0);
            atomic_store(&load->is_healthy, random_below(&random, 5) > 0);
            atomic_store(&load->waiting, (unsigned)random_below(&random, 10));
            atomic_store(&load->kv_permille, (unsigned)random_below(&random, 1001));
            atomic_store(&load->avoid_until_ms, random_below(&random, 2) * 10);
        }
        make_prompt(random_below(&random, 5), hashes, 8);
        struct pick_request request = {
            .prefix_hashes = hashes,
            .prefix_count = (unsigned)random_below(&random, 9),
            .prompt_tokens = (uint32_t)random_below(&random, 2000),
            .session_key = random_below(&random, 2) == 0 ? BYTES("s") : BYTES(""),
            .excluded = {fixture->pool->members[0]},
            .excluded_count = (unsigned)random_below(&random, 2),
            .now_ms = 5,
            .random = random_next(&random),
        };
        unsigned usable = pool_usable_count(fixture->pool);
        bool excludes_one = request.excluded_count == 1 && endpoint_is_usable(request.excluded[0]);
        struct endpoint *endpoint = pick_with(fixture->pool, &request);
        if (endpoint == NULL) {
            assert_true(usable - excludes_one == 0 || kind->filter == filter_label); /* which knows no valid label */
            continue;
        }
        assert_true(endpoint_is_usable(endpoint));
        assert_true(request.excluded_count == 0 || endpoint != request.excluded[0]);
    }
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
        struct pick_ticket ticket;
        uint64_t hashes[4];
        make_prompt(i % 7, hashes, 4);
        request.prefix_hashes = hashes;
        request.prefix_count = 4;
        request.prompt_tokens = 300;
        struct endpoint *endpoint = schedule_pick(picker->pool, &request, &ticket);
        if (endpoint == NULL)
            continue;
        picker->picks++;
        if (i % 64 == 0)
            atomic_store_explicit(&endpoint->load.avoid_until_ms, i + 10, memory_order_relaxed);
        if (i % 3 > 0)
            schedule_first_token(&ticket, i + 5);
        schedule_release(&ticket, i + 9, i % 5);
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
        atomic_store(&endpoint->load.max_loras, 2);
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
        const struct endpoint *endpoint = fixture->pool->members[i];
        assert_int_equal(atomic_load(&endpoint->load.in_flight), 0);
        assert_int_equal(atomic_load(&endpoint->work.prefilling), 0);
        assert_int_equal(atomic_load(&endpoint->work.prefill_tokens), 0);
        assert_int_equal(atomic_load(&endpoint->work.prompt_tokens), 0);
        assert_int_equal(atomic_load(&endpoint->users), 1);
        for (unsigned j = 0; j < ADAPTER_USES_MAX; j++)
            assert_int_equal(atomic_load(&endpoint->adapters.uses[j].in_flight), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(an_empty_pool_gives_nothing),
        POOL_TEST(only_ready_and_healthy_endpoints_are_picked),
        POOL_TEST(a_pick_charges_the_endpoint_until_it_is_released),
        POOL_TEST(an_answer_without_a_first_token_gives_everything_back),
        POOL_TEST(a_picked_endpoint_outlives_its_pool_membership),
        POOL_TEST(simultaneous_picks_spread_evenly),
        POOL_TEST(ties_are_drawn_fairly),
        POOL_TEST(the_least_loaded_endpoint_wins),
        POOL_TEST(only_the_subset_is_picked_from),
        POOL_TEST(who_is_named_is_picked_even_when_it_is_to_be_avoided),
        POOL_TEST(a_slow_endpoint_gets_fewer_prompts),
        POOL_TEST(explaining_tells_all_scores_and_charges_nothing),
        POOL_TEST(excluded_endpoints_are_not_picked_again),
        POOL_TEST(avoided_endpoints_are_the_last_resort),
        POOL_TEST(a_score_tells_what_a_pick_weighs),
        POOL_TEST(values_count_as_scraped_until_they_are_old),
        POOL_TEST(own_counts_stand_in_for_old_values),
        POOL_TEST(when_all_values_are_old_somebody_is_picked_still),
        POOL_TEST(no_unusable_endpoint_is_ever_picked),
        POOL_TEST(picks_and_changes_of_members_may_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
