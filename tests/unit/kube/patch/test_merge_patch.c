/* SPDX-License-Identifier: Apache-2.0 */
/* test_merge_patch.c: RFC 7386, its appendix and what the API server relies on beyond it. */
#include "unit/kube/patch/support.h"

#include "kube/patch/merge_patch.h"

static void check_case(const char *target_text, const char *patch_text, const char *expected)
{
    struct guarded target = guard(target_text), patch = guard(patch_text);
    json_t *result = merge_patch(target.tree, patch.tree);
    assert_tree(result, expected);
    json_decref(result);
    unguard(&target);
    unguard(&patch);
}

static void the_examples_of_the_rfc_hold(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{'a':'b'}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}"},
        {"{'a':'b'}", "{'a':null}", "{}"},
        {"{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}"},
        {"{'a':['b']}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'c'}", "{'a':['b']}", "{'a':['b']}"},
        {"{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}"},
        {"{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}"},
        {"['a','b']", "['c','d']", "['c','d']"},
        {"{'a':'b'}", "['c']", "['c']"},
        {"{'a':'foo'}", "null", "null"},
        {"{'a':'foo'}", "'bar'", "'bar'"},
        {"{'e':null}", "{'a':1}", "{'e':null,'a':1}"},
        {"[1,2]", "{'a':'b','c':null}", "{'a':'b'}"},
        {"{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_case(cases[i][0], cases[i][1], cases[i][2]);
}

static void nulls_in_lists_are_values(void **state)
{
    (void)state;
    check_case("{'a':[1]}", "{'a':[null,{'b':null}]}", "{'a':[null,{'b':null}]}");
}

static void numbers_keep_their_kind(void **state)
{
    (void)state;
    struct guarded target = guard("{'port':8000,'share':0.5}"), patch = guard("{'port':9000,'weight':1.0}");
    json_t *result = merge_patch(target.tree, patch.tree);
    char *text = json_dumps(result, JSON_COMPACT);
    assert_string_equal(text, "{\"port\":9000,\"share\":0.5,\"weight\":1.0}");
    free(text);
    json_decref(result);
    unguard(&target);
    unguard(&patch);
}

static void without_a_target_the_patch_is_the_document_without_nulls(void **state)
{
    (void)state;
    struct guarded patch = guard("{'a':1,'b':null,'c':{'d':null}}");
    json_t *result = merge_patch(NULL, patch.tree);
    assert_tree(result, "{'a':1,'c':{}}");
    json_decref(result);
    unguard(&patch);
}

/* The server writes into the metadata of what it stores. */
static void metadata_is_the_results_own_even_when_the_patch_leaves_it_alone(void **state)
{
    (void)state;
    struct guarded target = guard("{'metadata':{'name':'a'},'spec':{'x':1}}"), patch = guard("{'spec':{'x':2}}");
    json_t *result = merge_patch(target.tree, patch.tree);
    json_object_set_new(json_object_get(result, "metadata"), "resourceVersion", json_string("7"));
    assert_tree(result, "{'metadata':{'name':'a','resourceVersion':'7'},'spec':{'x':2}}");
    json_decref(result);
    unguard(&target);
    unguard(&patch);
}

static void what_does_not_change_is_shared(void **state)
{
    (void)state;
    struct guarded target = guard("{'spec':{'a':{'x':[1]},'b':1}}"), patch = guard("{'spec':{'b':2}}");
    json_t *result = merge_patch(target.tree, patch.tree);
    assert_ptr_equal(json_object_get(json_object_get(result, "spec"), "a"),
                     json_object_get(json_object_get(target.tree, "spec"), "a"));
    json_decref(result);
    unguard(&target);
    unguard(&patch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_hold),
        cmocka_unit_test(nulls_in_lists_are_values),
        cmocka_unit_test(numbers_keep_their_kind),
        cmocka_unit_test(without_a_target_the_patch_is_the_document_without_nulls),
        cmocka_unit_test(metadata_is_the_results_own_even_when_the_patch_leaves_it_alone),
        cmocka_unit_test(what_does_not_change_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
