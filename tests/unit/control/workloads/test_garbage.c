/* SPDX-License-Identifier: Apache-2.0 */
/* Owner references: the three ways of deleting an owner, and what is not deleted. */
#include "unit/control/workloads/world.h"

/* A ConfigMap whose owners are other ConfigMaps (comma-separated; "!" in front: does not block). */
static void make(struct world *world, const char *name, const char *owners)
{
    json_t *references = json_array();
    while (*owners != '\0') {
        char owner[32];
        size_t len = strcspn(owners, ",");
        bool is_blocking = *owners != '!';
        snprintf(owner, sizeof owner, "%.*s", (int)(len - !is_blocking), owners + !is_blocking);
        json_t *reference = metadata_owner_reference(world_get(world, KUBE_CONFIG_MAP, owner));
        json_object_set_new(reference, "blockOwnerDeletion", json_boolean(is_blocking));
        json_object_set_new(reference, "controller", json_false());
        json_array_append_new(references, reference);
        owners += len + (owners[len] == ',');
    }
    struct stored *stored = object_create(world->store, KUBE_CONFIG_MAP,
                                          json_pack("{s:{s:s, s:s, s:o}}", "metadata", "name", name, "namespace",
                                                    "default", "ownerReferences", references),
                                          world->now_ms);
    assert_non_null(stored);
    stored_give_back(stored);
}

static bool has(const struct world *world, const char *name)
{
    return world_get(world, KUBE_CONFIG_MAP, name) != NULL;
}

/* How many passes it takes until nothing changes. */
static unsigned collect(struct world *world)
{
    for (unsigned passes = 0; passes < 20; passes++) {
        world_pass(world, garbage_sync);
        if (world->writes == 0)
            return passes;
    }
    fail_msg("the collector does not end");
    return 0;
}

static size_t owners_of(const struct world *world, const char *name)
{
    return json_array_size(json_object_get(metadata_of(world_get(world, KUBE_CONFIG_MAP, name)), "ownerReferences"));
}

WORLD_TEST(in_the_background_the_owner_goes_at_once_and_its_dependents_follow)
{
    make(world, "a", "");
    make(world, "b", "a");
    make(world, "c", "b");
    make(world, "other", "");
    assert_int_equal(collect(world), 0);
    world_delete(world, KUBE_CONFIG_MAP, "a", "Background");
    assert_false(has(world, "a"));
    collect(world);
    assert_false(has(world, "b") || has(world, "c"));
    assert_true(has(world, "other"));
}

WORLD_TEST(in_the_foreground_the_owner_goes_last)
{
    make(world, "a", "");
    make(world, "b", "a");
    make(world, "c", "b");
    world_delete(world, KUBE_CONFIG_MAP, "a", "Foreground");
    assert_true(has(world, "a"));
    world_pass(world, garbage_sync);
    assert_true(has(world, "a")); /* it sees in the next pass that b, which waited for c itself, is gone */
    collect(world);
    assert_false(has(world, "a") || has(world, "b") || has(world, "c"));
}

WORLD_TEST(a_dependent_with_a_finalizer_holds_its_owner_only_when_it_blocks)
{
    make(world, "a", "");
    make(world, "b", "a");
    make(world, "x", "");
    make(world, "y", "!x");
    static const char *const held[] = {"b", "y"};
    for (unsigned i = 0; i < 2; i++) {
        json_t *tree = tree_edit(world_get(world, KUBE_CONFIG_MAP, held[i]));
        json_object_set_new(json_object_get(tree, "metadata"), "finalizers", json_pack("[s]", "example.com/hold"));
        stored_give_back(object_update(world->store, KUBE_CONFIG_MAP, "default", held[i], tree, world->now_ms));
    }
    world_delete(world, KUBE_CONFIG_MAP, "a", "Foreground");
    world_delete(world, KUBE_CONFIG_MAP, "x", "Foreground");
    collect(world);
    assert_true(has(world, "a") && has(world, "b"));
    assert_false(has(world, "x"));
    assert_true(has(world, "y"));
    json_t *tree = tree_edit(world_get(world, KUBE_CONFIG_MAP, "b"));
    tree_drop_finalizer(tree, "example.com/hold");
    stored_give_back(object_update(world->store, KUBE_CONFIG_MAP, "default", "b", tree, world->now_ms));
    collect(world);
    assert_false(has(world, "a") || has(world, "b"));
}

WORLD_TEST(orphans_stay_without_their_owner)
{
    make(world, "a", "");
    make(world, "b", "a");
    make(world, "c", "b");
    world_delete(world, KUBE_CONFIG_MAP, "a", "Orphan");
    collect(world);
    assert_false(has(world, "a"));
    assert_true(has(world, "b") && has(world, "c"));
    assert_int_equal(owners_of(world, "b"), 0);
    assert_int_equal(owners_of(world, "c"), 1);
}

WORLD_TEST(an_object_stays_while_one_of_its_owners_does)
{
    make(world, "a", "");
    make(world, "b", "");
    make(world, "c", "a,b");
    world_delete(world, KUBE_CONFIG_MAP, "a", "Foreground");
    collect(world);
    assert_false(has(world, "a"));
    assert_true(has(world, "c"));
    assert_int_equal(owners_of(world, "c"), 1);
    world_delete(world, KUBE_CONFIG_MAP, "b", "Background");
    collect(world);
    assert_false(has(world, "c"));
}

WORLD_TEST(another_object_of_the_owners_name_is_not_the_owner)
{
    make(world, "a", "");
    make(world, "b", "a");
    world_delete(world, KUBE_CONFIG_MAP, "a", "Background");
    make(world, "a", "");
    collect(world);
    assert_true(has(world, "a"));
    assert_false(has(world, "b"));
}

WORLD_TEST(owners_that_cannot_be_looked_up_count_as_there)
{
    world_apply(world, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  ownerReferences:\n"
                       "  - {apiVersion: example.com/v1, kind: Thing, name: t, uid: u}\n");
    collect(world);
    assert_true(has(world, "x"));
}

WORLD_TEST(a_namespaced_object_may_be_owned_by_a_cluster_scoped_one)
{
    world_apply(world, "apiVersion: v1\nkind: Namespace\nmetadata: {name: owner}\n");
    json_t *reference = metadata_owner_reference(world_get(world, KUBE_NAMESPACE, "owner"));
    stored_give_back(object_create(world->store, KUBE_CONFIG_MAP,
                                   json_pack("{s:{s:s, s:s, s:[o]}}", "metadata", "name", "x", "namespace", "default",
                                             "ownerReferences", reference),
                                   world->now_ms));
    collect(world);
    assert_true(has(world, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_background_the_owner_goes_at_once_and_its_dependents_follow),
        cmocka_unit_test(in_the_foreground_the_owner_goes_last),
        cmocka_unit_test(a_dependent_with_a_finalizer_holds_its_owner_only_when_it_blocks),
        cmocka_unit_test(orphans_stay_without_their_owner),
        cmocka_unit_test(an_object_stays_while_one_of_its_owners_does),
        cmocka_unit_test(another_object_of_the_owners_name_is_not_the_owner),
        cmocka_unit_test(owners_that_cannot_be_looked_up_count_as_there),
        cmocka_unit_test(a_namespaced_object_may_be_owned_by_a_cluster_scoped_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
