/* SPDX-License-Identifier: Apache-2.0 */
/* test_picking.c: what the proxy tells the scheduler of a request, and when it takes it back. */
#include "inference/flow/pool_gate.h"
#include "inference/schedule/scheduler.h"
#include "unit/proxy/proxy_harness.h"

static struct endpoint *member(const struct world *world, unsigned index)
{
    return pool_of(world, "p")->members[index];
}

/* A prompt of 2,000 letters behind a name. */
static const char *prompt(const char *name, const char *more)
{
    static char body[4096];
    char letters[2001];
    memset(letters, 'a', 2000);
    letters[2000] = '\0';
    snprintf(body, sizeof body, "{\"model\":\"m\",\"prompt\":\"%s%s\"%s}", name, letters, more);
    return body;
}

static bool is_asked(const struct origin *origin)
{
    return has_text(&origin->got, "aaa\"}") || has_text(&origin->got, "true}");
}

/* Which origin the request went to; it is answered there. */
static unsigned asked(struct world *world)
{
    until(world, is_asked(&world->origins[0]) || is_asked(&world->origins[1]));
    unsigned index = is_asked(&world->origins[0]) ? 0 : 1;
    buffer_clear(&world->got);
    origin_send(&world->origins[index], HELLO);
    until(world, has_text(&world->got, "\r\n\r\nhello"));
    buffer_clear(&world->origins[index].got);
    return index;
}

/* So many that a coin would hardly ever send them all one way, or twice the same way. */
enum { PROMPTS = 24 };

static void a_prompt_returns_to_where_its_head_is(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 2);
    unsigned places[PROMPTS], seen[2] = {0};
    char name[16];
    for (unsigned i = 0; i < PROMPTS; i++) {
        snprintf(name, sizeof name, "prompt %u", i);
        client_post(&world, "", prompt(name, ""));
        places[i] = asked(&world);
        seen[places[i]]++;
    }
    assert_true(seen[0] > 0 && seen[1] > 0);
    for (unsigned i = 0; i < PROMPTS; i++) {
        snprintf(name, sizeof name, "prompt %u", i);
        client_post(&world, "", prompt(name, ""));
        assert_int_equal(asked(&world), places[i]);
    }
    world_stop(&world);
}

/* 2,001 letters and two quotes: 500 tokens, of which none is known anywhere. */
static void prompts_are_hashed_only_for_pickers_that_look_at_them(void **state)
{
    (void)state;
    struct world world;
    struct profile profile = {.scorer_count = 1};
    profile.scorers[0] = plugin_default(plugin_find(BYTES("queue-scorer")));
    profile.picker = plugin_default(plugin_find(BYTES("max-score-picker")));
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 2);
    struct pool *pool = pool_of(&world, "p");
    schedule_set_profile(pool, &profile);
    client_post(&world, "", prompt("one", ""));
    asked(&world);
    assert_int_equal(prefix_index_entries(pool->prefixes), 0);
    schedule_set_profile(pool, NULL);
    client_post(&world, "", prompt("two", ""));
    asked(&world);
    assert_true(prefix_index_entries(pool->prefixes) > 0);
    world_stop(&world);
}

static void a_prompt_is_charged_until_the_first_token_and_the_exchange_until_its_end(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    const struct endpoint *endpoint = member(&world, 0);
    client_post(&world, "", prompt("x", ",\"stream\":true"));
    until(&world, is_asked(&world.origins[0]));
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 1);
    assert_int_equal(atomic_load(&endpoint->work.prefilling), 1);
    assert_int_equal(atomic_load(&endpoint->work.prefill_tokens), 500);
    assert_int_equal(atomic_load(&endpoint->work.prompt_tokens), 500);
    origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    until(&world, has_text(&world.got, "data: 1"));
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 1);
    assert_int_equal(atomic_load(&endpoint->work.prefilling), 0);
    assert_int_equal(atomic_load(&endpoint->work.prefill_tokens), 0);
    assert_int_equal(atomic_load(&endpoint->work.prompt_tokens), 500);
    origin_send(&world.origins[0], "0\r\n\r\n");
    until(&world, atomic_load(&endpoint->load.in_flight) == 0);
    assert_int_equal(atomic_load(&endpoint->work.prompt_tokens), 0);
    world_stop(&world);
}

/* The gate. */

static void set_gate(const struct world *world, bool has_queue, uint64_t ttl_ms)
{
    struct gate_settings settings = gate_settings_default;
    settings.has_queue = has_queue;
    settings.limits.ttl_ms = ttl_ms;
    pool_gate_set(pool_of(world, "p"), &settings);
}

static void set_waiting(const struct world *world, unsigned waiting)
{
    atomic_store(&member(world, 0)->load.waiting, waiting);
}

static struct gate_figures figures_of(const struct world *world)
{
    struct gate_figures figures;
    pool_gate_figures(pool_of(world, "p"), &figures);
    return figures;
}

static void a_request_waits_before_a_saturated_pool_and_goes_when_there_is_room(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    set_gate(&world, true, 60000);
    set_waiting(&world, 5);
    client_post(&world, "", prompt("x", ""));
    until(&world, figures_of(&world).queued == 1);
    assert_int_equal(atomic_load(&member(&world, 0)->load.in_flight), 0);
    set_waiting(&world, 0);
    assert_int_equal(asked(&world), 0);
    assert_int_equal(figures_of(&world).queued, 0);
    world_stop(&world);
}

static void who_waits_too_long_gets_429_and_who_leaves_is_forgotten(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    set_gate(&world, true, 1);
    set_waiting(&world, 5);
    client_post(&world, "", prompt("x", ""));
    until(&world, has_text(&world.got, "}}"));
    assert_true(has_text(&world.got, "HTTP/1.1 429 ") && has_text(&world.got, "x-serin-reason: queue_timeout\r\n"));
    assert_true(has_text(&world.got, "Retry-After: 1\r\n"));
    assert_true(has_text(&world.got, "x-llm-d-request-dropped-reason: rejected-ttl-expired\r\n"));
    buffer_clear(&world.got);
    set_gate(&world, true, 60000);
    client_post(&world, "", prompt("x", ""));
    until(&world, figures_of(&world).queued == 1);
    close(world.fd);
    world.fd = -1;
    until(&world, figures_of(&world).queued == 0);
    world_stop(&world);
}

/* Its pool's model is sheddable, by an InferenceModel. */
static void a_sheddable_request_is_refused_while_the_pool_is_saturated(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL MODEL("m", "{modelName: m, criticality: Sheddable, poolRef: {name: p}}"));
    set_origins(&world, "p", 0, 1);
    set_waiting(&world, 5);
    client_post(&world, "", prompt("x", ""));
    expect_error(&world, 429, "shed");
    set_waiting(&world, 4);
    client_post(&world, "", prompt("x", ""));
    assert_int_equal(asked(&world), 0);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_returns_to_where_its_head_is),
        cmocka_unit_test(prompts_are_hashed_only_for_pickers_that_look_at_them),
        cmocka_unit_test(a_prompt_is_charged_until_the_first_token_and_the_exchange_until_its_end),
        cmocka_unit_test(a_request_waits_before_a_saturated_pool_and_goes_when_there_is_room),
        cmocka_unit_test(who_waits_too_long_gets_429_and_who_leaves_is_forgotten),
        cmocka_unit_test(a_sheddable_request_is_refused_while_the_pool_is_saturated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
