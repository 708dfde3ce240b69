/* SPDX-License-Identifier: Apache-2.0 */
/* test_pool.c: pools by key, their members over changes, and what endpoints know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inference/pool.h"

struct added {
    unsigned count;
    struct endpoint *last;
};

static void note_added(void *context, struct pool *pool, struct endpoint *endpoint)
{
    struct added *added = context;
    assert_true(pool->member_count > 0);
    added->count++;
    added->last = endpoint;
}

static struct pool_member member(const char *ip, uint16_t port, const char *pod, bool is_ready)
{
    return (struct pool_member){.ip = ip, .port = port, .pod = pod, .is_ready = is_ready};
}

static void pools_are_found_by_kind_namespace_name_and_port(void **state)
{
    (void)state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = pool_registry_take(registry, false, "default", "web", 0);
    struct pool *service = pool_registry_take(registry, true, "default", "web", 80);
    struct pool *other = pool_registry_take(registry, true, "default", "web", 81);
    assert_string_equal(pool->key, "pool/default/web");
    assert_string_equal(service->key, "service/default/web:80");
    assert_string_equal(service->name, "web");
    assert_true(service->is_service && !pool->is_service);
    assert_ptr_not_equal(service, other);
    assert_ptr_equal(pool_registry_take(registry, false, "default", "web", 0), pool);
    assert_int_equal(atomic_load(&pool->users), 2);
    pool_registry_free(registry);
}

static unsigned count_pools(const struct pool_registry *registry)
{
    unsigned count = 0;
    size_t cursor = 0;
    while (pool_registry_next(registry, &cursor) != NULL)
        count++;
    return count;
}

static void unused_pools_go_with_the_sweep_and_take_their_members(void **state)
{
    (void)state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *kept = pool_registry_take(registry, false, "default", "kept", 0);
    struct pool *gone = pool_registry_take(registry, false, "default", "gone", 0);
    pool_set_members(gone, (struct pool_member[]){member("127.0.0.1", 1, "p", true)}, 1, NULL);
    struct endpoint *endpoint = endpoint_take(gone->members[0]);
    pool_take(gone);
    pool_give_back(gone);
    pool_registry_sweep(registry);
    assert_int_equal(count_pools(registry), 2);
    pool_give_back(gone);
    assert_int_equal(count_pools(registry), 2);
    pool_registry_sweep(registry);
    assert_int_equal(count_pools(registry), 1);
    assert_true(atomic_load(&endpoint->load.is_removed));
    endpoint_give_back(endpoint);
    pool_give_back(kept);
    pool_registry_free(registry);
}

static void known_members_keep_their_load_and_others_come_and_go(void **state)
{
    (void)state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = pool_registry_take(registry, false, "default", "p", 0);
    struct added added = {0};
    struct pool_change change = {note_added, &added};
    struct pool_member two[] = {member("127.0.0.1", 1, "a", true), member("127.0.0.2", 1, "b", false)};
    pool_set_members(pool, two, 2, &change);
    assert_int_equal(added.count, 2);
    assert_int_equal(pool_usable_count(pool), 1);
    struct endpoint *first = pool->members[0], *second = endpoint_take(pool->members[1]);
    atomic_store(&first->load.waiting, 7);

    struct pool_member next[] = {member("127.0.0.3", 1, "c", true), member("127.0.0.1", 1, "a", false)};
    pool_set_members(pool, next, 2, &change);
    assert_int_equal(added.count, 3);
    assert_ptr_equal(added.last, pool->members[0]);
    assert_ptr_equal(pool->members[1], first);
    assert_int_equal(atomic_load(&first->load.waiting), 7);
    assert_false(atomic_load(&first->load.is_ready));
    assert_false(atomic_load(&first->load.is_removed));
    assert_true(atomic_load(&second->load.is_removed));
    endpoint_give_back(second);

    pool_set_members(pool, NULL, 0, &change);
    assert_int_equal(pool->member_count, 0);
    pool_registry_free(registry);
}

static void labels_of_a_known_member_follow_its_pod(void **state)
{
    (void)state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = pool_registry_take(registry, false, "default", "p", 0);
    struct pool_member one = member("127.0.0.1", 1, "a", true);
    one.labels = "\nzone=a\n";
    pool_set_members(pool, &one, 1, NULL);
    const struct endpoint *endpoint = pool->members[0];
    assert_string_equal(endpoint->labels, "\nzone=a\n");
    one.labels = "\nzone=b\n";
    pool_set_members(pool, &one, 1, NULL);
    assert_ptr_equal(pool->members[0], endpoint);
    assert_string_equal(endpoint->labels, "\nzone=b\n");
    one.labels = NULL;
    pool_set_members(pool, &one, 1, NULL);
    assert_string_equal(endpoint->labels, "");
    pool_registry_free(registry);
}

static void another_pod_on_the_same_address_is_a_new_endpoint(void **state)
{
    (void)state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = pool_registry_take(registry, false, "default", "p", 0);
    struct added added = {0};
    struct pool_change change = {note_added, &added};
    pool_set_members(pool, (struct pool_member[]){member("127.0.0.1", 1, "a", true)}, 1, &change);
    struct endpoint *former = endpoint_take(pool->members[0]);
    pool_set_members(pool, (struct pool_member[]){member("127.0.0.1", 1, "b", true)}, 1, &change);
    assert_int_equal(added.count, 2);
    assert_ptr_not_equal(pool->members[0], former);
    assert_true(atomic_load(&former->load.is_removed));
    endpoint_give_back(former);
    pool_registry_free(registry);
}

static void ports_are_endpoints_of_their_own_and_repeats_and_nonsense_are_left_out(void **state)
{
    (void)state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = pool_registry_take(registry, false, "default", "p", 0);
    struct pool_member members[] = {
        member("127.0.0.1", 1, "a", true), member("127.0.0.1", 2, "a", true), member("127.0.0.1", 1, "slice", true),
        member("pod.local", 1, "x", true), member("", 1, "x", true),          member("::1", 1, "a", true),
        member("::1", 1, NULL, true),      member("300.0.0.1", 1, "x", true),
    };
    pool_set_members(pool, members, ARRAY_LEN(members), NULL);
    assert_int_equal(pool->member_count, 3);
    assert_string_equal(pool->members[0]->text, "127.0.0.1:1");
    assert_string_equal(pool->members[0]->pod, "a");
    assert_string_equal(pool->members[1]->text, "127.0.0.1:2");
    assert_string_equal(pool->members[2]->text, "[::1]:1");
    pool_registry_free(registry);
}

static void an_endpoint_starts_healthy_and_not_ready(void **state)
{
    (void)state;
    assert_null(endpoint_new("nowhere", 1, "p", false));
    struct endpoint *endpoint = endpoint_new("127.0.0.1", 8000, "default/p", true);
    assert_false(endpoint_is_usable(endpoint));
    atomic_store(&endpoint->load.is_ready, true);
    assert_true(endpoint_is_usable(endpoint));
    atomic_store(&endpoint->load.is_healthy, false);
    assert_false(endpoint_is_usable(endpoint));
    assert_true(endpoint->is_checked);
    assert_int_equal((uintptr_t)endpoint % CACHE_LINE, 0);
    assert_true(offsetof(struct endpoint, text) >= CACHE_LINE);
    endpoint_give_back(endpoint);
}

/* What is measured of one server is not told of another. */
static void identities_differ_by_address_and_pod(void **state)
{
    (void)state;
    struct endpoint *endpoints[] = {
        endpoint_new("127.0.0.1", 8000, "default/p", false), endpoint_new("127.0.0.1", 8000, "default/p", true),
        endpoint_new("127.0.0.1", 8001, "default/p", false), endpoint_new("127.0.0.1", 8000, "default/q", false)};
    assert_true(endpoints[0]->identity == endpoints[1]->identity);
    assert_true(endpoints[0]->identity != endpoints[2]->identity);
    assert_true(endpoints[0]->identity != endpoints[3]->identity);
    assert_string_equal(endpoints[0]->revision, "");
    char longest[80];
    memset(longest, 'r', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    endpoint_set_revision(endpoints[0], longest);
    assert_int_equal(strlen(endpoints[0]->revision), 63);
    for (unsigned i = 0; i < ARRAY_LEN(endpoints); i++)
        endpoint_give_back(endpoints[i]);
}

static void adapters_are_read_from_comma_lists_and_replaced_whole(void **state)
{
    (void)state;
    struct endpoint *endpoint = endpoint_new("127.0.0.1", 8000, "p", false);
    endpoint_set_loras(endpoint, BYTES("a, b ,,c"), BYTES("d,"));
    assert_true(endpoint_has_lora(endpoint, BYTES("a")));
    assert_true(endpoint_has_lora(endpoint, BYTES("b")));
    assert_true(endpoint_has_lora(endpoint, BYTES("c")));
    assert_true(endpoint_has_lora(endpoint, BYTES("d")));
    assert_false(endpoint_has_lora(endpoint, BYTES("")));
    assert_false(endpoint_has_lora(endpoint, BYTES("a, b")));
    endpoint_set_loras(endpoint, BYTES(""), BYTES(""));
    assert_false(endpoint_has_lora(endpoint, BYTES("a")));
    endpoint_give_back(endpoint);
}

static void a_pool_lists_the_models_of_all_its_members(void **state)
{
    (void)state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = pool_registry_take(registry, false, "default", "p", 0);
    struct pool_member members[] = {member("127.0.0.1", 1, "a", true), member("127.0.0.2", 1, "b", true)};
    pool_set_members(pool, members, 2, NULL);
    endpoint_set_models(pool->members[0], (struct bytes[]){BYTES("base"), BYTES("lora")}, 2);
    endpoint_set_models(pool->members[1], (struct bytes[]){BYTES("other")}, 1);
    assert_true(pool_lists_model(pool, BYTES("lora")));
    assert_true(pool_lists_model(pool, BYTES("other")));
    assert_false(pool_lists_model(pool, BYTES("lor")));
    endpoint_set_models(pool->members[0], NULL, 0);
    assert_false(pool_lists_model(pool, BYTES("lora")));
    pool_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_found_by_kind_namespace_name_and_port),
        cmocka_unit_test(unused_pools_go_with_the_sweep_and_take_their_members),
        cmocka_unit_test(known_members_keep_their_load_and_others_come_and_go),
        cmocka_unit_test(labels_of_a_known_member_follow_its_pod),
        cmocka_unit_test(another_pod_on_the_same_address_is_a_new_endpoint),
        cmocka_unit_test(ports_are_endpoints_of_their_own_and_repeats_and_nonsense_are_left_out),
        cmocka_unit_test(an_endpoint_starts_healthy_and_not_ready),
        cmocka_unit_test(identities_differ_by_address_and_pod),
        cmocka_unit_test(adapters_are_read_from_comma_lists_and_replaced_whole),
        cmocka_unit_test(a_pool_lists_the_models_of_all_its_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
