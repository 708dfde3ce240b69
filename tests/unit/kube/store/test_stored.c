/* SPDX-License-Identifier: Apache-2.0 */
/* test_stored.c: the text of a version, its tree, and that older versions stay as they are. */
#include "kube/store/stored.h"

#include "unit/kube/store/fixture.h"

static const char slice_text[] = "{\"status\":{\"b\":1,\"a\":2},\"addressType\":\"IPv4\",\"kind\":\"EndpointSlice\","
                                 "\"metadata\":{\"name\":\"s\",\"namespace\":\"default\",\"resourceVersion\":\"1\","
                                 "\"labels\":{\"x\":\"y\"}},"
                                 "\"endpoints\":[{\"addresses\":[\"10.0.0.1\"]}],"
                                 "\"apiVersion\":\"discovery.k8s.io/v1\"}";

static void the_text_has_metadata_first_and_status_last(void **state)
{
    (void)state;
    struct stored *stored = stored_new(object_of(slice_text), 42);
    const char *expected = "\"metadata\":{\"name\":\"s\",\"namespace\":\"default\",\"resourceVersion\":\"42\","
                           "\"labels\":{\"x\":\"y\"}},"
                           "\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"10.0.0.1\"]}],"
                           "\"status\":{\"b\":1,\"a\":2}}";
    assert_int_equal(stored->text.len, strlen(expected));
    assert_memory_equal(stored->text.data, expected, stored->text.len);
    assert_int_equal(stored->version, 42);
    stored_give_back(stored);
}

static void spec_comes_before_other_fields(void **state)
{
    (void)state;
    struct stored *stored = stored_new(object_of("{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"reason\":\"R\","
                                                 "\"spec\":null,\"metadata\":{\"name\":\"e\"}}"),
                                       7);
    const char *expected = "\"metadata\":{\"name\":\"e\",\"resourceVersion\":\"7\"},\"spec\":null,\"reason\":\"R\"}";
    assert_int_equal(stored->text.len, strlen(expected));
    assert_memory_equal(stored->text.data, expected, stored->text.len);
    stored_give_back(stored);
}

static void the_whole_object_has_the_stored_version(void **state)
{
    (void)state;
    struct stored *stored =
        stored_new(object_of("{\"apiVersion\":\"gateway.networking.k8s.io/v1beta1\",\"kind\":\"GatewayClass\","
                             "\"metadata\":{\"name\":\"c\"},\"spec\":{\"controllerName\":\"example.com/c\"}}"),
                   7);
    const char *expected = "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"GatewayClass\","
                           "\"metadata\":{\"name\":\"c\",\"resourceVersion\":\"7\"},"
                           "\"spec\":{\"controllerName\":\"example.com/c\"}}";
    struct bytes whole = stored_whole(stored);
    assert_int_equal(whole.len, strlen(expected));
    assert_memory_equal(whole.data, expected, whole.len);
    stored_give_back(stored);

    stored = stored_new(config_of("a", "1"), 7);
    assert_true(bytes_starts_with(stored_whole(stored), BYTES("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"meta")));
    stored_give_back(stored);
}

static void numbers_and_strings_are_kept_as_they_are(void **state)
{
    (void)state;
    struct stored *stored = stored_new(
        object_of("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"annotations\":"
                  "{\"k\":\"\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x90\xa4 / \\u0001 \\\" \\\\ \\n \xe2\x80\xa8 <&>\"}},"
                  "\"data\":{},\"n\":9007199254740993,\"m\":-1,\"f\":0.5,\"t\":true}"),
        7);
    const char *expected =
        "\"metadata\":{\"name\":\"a\",\"annotations\":"
        "{\"k\":\"\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x90\xa4 / \\u0001 \\\" \\\\ \\n \xe2\x80\xa8 <&>\"},"
        "\"resourceVersion\":\"7\"},"
        "\"data\":{},\"n\":9007199254740993,\"m\":-1,\"f\":0.5,\"t\":true}";
    assert_int_equal(stored->text.len, strlen(expected));
    assert_memory_equal(stored->text.data, expected, stored->text.len);
    stored_give_back(stored);
}

static const char *tree_version(const struct stored *stored)
{
    return json_string_value(json_object_get(json_object_get(stored->object->tree, "metadata"), "resourceVersion"));
}

static void a_removal_is_the_last_state_under_a_new_version(void **state)
{
    (void)state;
    struct kube_object *object = object_of(slice_text);
    object->generation = 5;
    object->created_ms = 12345;
    object->uid = "an-uid";
    struct stored *last = stored_new(object, 42);
    struct stored *removed = stored_new_removed(last, 43);
    assert_string_equal(tree_version(last), "42");
    assert_string_equal(tree_version(removed), "43");
    assert_int_equal(removed->version, 43);
    assert_int_equal(removed->text.len, last->text.len);
    assert_non_null(memmem(last->text.data, last->text.len, "\"42\"", 4));
    assert_non_null(memmem(removed->text.data, removed->text.len, "\"43\"", 4));
    stored_give_back(last);
    assert_string_equal(removed->object->name, "s");
    assert_string_equal(removed->object->uid, "an-uid");
    assert_int_equal(removed->object->generation, 5);
    assert_int_equal(removed->object->created_ms, 12345);
    assert_string_equal(kube_labels_get(&removed->object->labels, "x"), "y");
    stored_give_back(removed);
}

/* A writer of a new status copies the top of the tree only. */
static void a_tree_that_shares_its_metadata_does_not_change_the_older_version(void **state)
{
    (void)state;
    struct stored *older = stored_new(object_of(slice_text), 42);
    json_t *tree = json_copy(older->object->tree);
    json_object_set_new(tree, "status", json_object());
    struct stored *newer = stored_new(object_of_tree(tree), 43);
    assert_string_equal(tree_version(older), "42");
    assert_string_equal(tree_version(newer), "43");
    stored_give_back(older);
    assert_string_equal(newer->object->name, "s");
    assert_string_equal(kube_labels_get(&newer->object->labels, "x"), "y");
    stored_give_back(newer);
}

static void the_object_stays_as_the_caller_made_it(void **state)
{
    (void)state;
    struct kube_object *object = object_of(slice_text);
    object->uid = "an-uid";
    object->generation = 3;
    struct stored *stored = stored_new(object, 42);
    assert_ptr_equal(stored->object, object);
    assert_string_equal(object->uid, "an-uid");
    assert_int_equal(object->generation, 3);
    assert_string_equal(object->name, "s");
    struct stored *second = stored_take(stored);
    assert_int_equal(stored->users, 2);
    stored_give_back(second);
    stored_give_back(stored);
    stored_give_back(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_has_metadata_first_and_status_last),
        cmocka_unit_test(spec_comes_before_other_fields),
        cmocka_unit_test(the_whole_object_has_the_stored_version),
        cmocka_unit_test(numbers_and_strings_are_kept_as_they_are),
        cmocka_unit_test(a_removal_is_the_last_state_under_a_new_version),
        cmocka_unit_test(a_tree_that_shares_its_metadata_does_not_change_the_older_version),
        cmocka_unit_test(the_object_stays_as_the_caller_made_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
