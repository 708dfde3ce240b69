/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_patch.c: RFC 6902, its appendix, and the limits. */
#include "unit/kube/patch/support.h"

#include <stdio.h>

#include "base/buffer.h"
#include "kube/patch/json_patch.h"

static void check_result(const char *target_text, const char *patch_text, const char *expected)
{
    struct guarded target = guard(target_text), patch = guard(patch_text);
    char error[300] = "";
    json_t *result = json_patch(target.tree, patch.tree, error);
    if (result == NULL)
        fail_msg("%s: %s", patch_text, error);
    assert_tree(result, expected);
    json_decref(result);
    unguard(&target);
    unguard(&patch);
}

static void check_error(const char *target_text, const char *patch_text, const char *expected)
{
    struct guarded target = guard(target_text), patch = guard(patch_text);
    char error[300] = "";
    assert_null(json_patch(target.tree, patch.tree, error));
    assert_string_equal(error, expected);
    unguard(&target);
    unguard(&patch);
}

static void the_examples_of_the_rfc_hold(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux'}]", "{'baz':'qux','foo':'bar'}"},
        {"{'foo':['bar','baz']}", "[{'op':'add','path':'/foo/1','value':'qux'}]", "{'foo':['bar','qux','baz']}"},
        {"{'baz':'qux','foo':'bar'}", "[{'op':'remove','path':'/baz'}]", "{'foo':'bar'}"},
        {"{'foo':['bar','qux','baz']}", "[{'op':'remove','path':'/foo/1'}]", "{'foo':['bar','baz']}"},
        {"{'baz':'qux','foo':'bar'}", "[{'op':'replace','path':'/baz','value':'boo'}]", "{'baz':'boo','foo':'bar'}"},
        {"{'foo':{'bar':'baz','waldo':'fred'},'qux':{'corge':'grault'}}",
         "[{'op':'move','from':'/foo/waldo','path':'/qux/thud'}]",
         "{'foo':{'bar':'baz'},'qux':{'corge':'grault','thud':'fred'}}"},
        {"{'foo':['all','grass','cows','eat']}", "[{'op':'move','from':'/foo/1','path':'/foo/3'}]",
         "{'foo':['all','cows','eat','grass']}"},
        {"{'baz':'qux','foo':['a',2,'c']}",
         "[{'op':'test','path':'/baz','value':'qux'},{'op':'test','path':'/foo/1','value':2}]",
         "{'baz':'qux','foo':['a',2,'c']}"},
        {"{'foo':'bar'}", "[{'op':'add','path':'/child','value':{'grandchild':{}}}]",
         "{'foo':'bar','child':{'grandchild':{}}}"},
        {"{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux','xyz':123}]", "{'foo':'bar','baz':'qux'}"},
        {"{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':10}]", "{'/':9,'~1':10}"},
        {"{'foo':['bar']}", "[{'op':'add','path':'/foo/-','value':['abc','def']}]", "{'foo':['bar',['abc','def']]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_result(cases[i][0], cases[i][1], cases[i][2]);
}

static void paths_reach_odd_names(void **state)
{
    (void)state;
    check_result("{'a/b':1,'m~n':2,'':3}",
                 "[{'op':'replace','path':'/a~1b','value':4},{'op':'replace','path':'/m~0n','value':5},"
                 "{'op':'replace','path':'/','value':6}]",
                 "{'a/b':4,'m~n':5,'':6}");
    check_result("{'metadata':{'annotations':{}}}",
                 "[{'op':'add','path':'/metadata/annotations/example.com~1a','value':'x'}]",
                 "{'metadata':{'annotations':{'example.com/a':'x'}}}");
    check_result("{'0':{'-':1}}", "[{'op':'replace','path':'/0/-','value':2}]", "{'0':{'-':2}}");
}

static void the_whole_document_can_be_replaced_moved_into_and_tested(void **state)
{
    (void)state;
    check_result("{'a':1}", "[{'op':'replace','path':'','value':{'b':2}}]", "{'b':2}");
    check_result("{'a':1}", "[{'op':'add','path':'','value':[1]}]", "[1]");
    check_result("{'a':{'b':1}}", "[{'op':'move','from':'/a','path':''}]", "{'b':1}");
    check_result("{'a':{'b':1}}", "[{'op':'copy','from':'','path':'/c'}]", "{'a':{'b':1},'c':{'a':{'b':1}}}");
    check_result("{'a':1}", "[{'op':'test','path':'','value':{'a':1}}]", "{'a':1}");
}

static void operations_follow_each_other(void **state)
{
    (void)state;
    check_result("{'list':[]}",
                 "[{'op':'add','path':'/list/0','value':'b'},{'op':'add','path':'/list/0','value':'a'},"
                 "{'op':'add','path':'/list/2','value':'c'},{'op':'copy','from':'/list/1','path':'/list/-'},"
                 "{'op':'move','from':'/list/0','path':'/list/-'},{'op':'remove','path':'/list/1'}]",
                 "{'list':['b','b','a']}");
    check_result("{'a':{}}",
                 "[{'op':'add','path':'/a/b','value':{'c':1}},{'op':'copy','from':'/a/b','path':'/d'},"
                 "{'op':'replace','path':'/d/c','value':2},{'op':'move','from':'/a','path':'/a'}]",
                 "{'a':{'b':{'c':1}},'d':{'c':2}}");
    check_result("{'a':1}", "[]", "{'a':1}");
}

/* A weight that is its default is not stored; shifting it by `kubectl patch --type=json` must work all the same. */
static void replacing_a_member_that_is_missing_adds_it(void **state)
{
    (void)state;
    check_result("{'rules':[{'backendRefs':[{'name':'a'}]}]}",
                 "[{'op':'replace','path':'/rules/0/backendRefs/0/weight','value':90}]",
                 "{'rules':[{'backendRefs':[{'name':'a','weight':90}]}]}");
}

static void the_migration_of_kubectl_works(void **state)
{
    (void)state;
    check_result("{'metadata':{'resourceVersion':'5','managedFields':[{'manager':'a'}]}}",
                 "[{'op':'replace','path':'/metadata/managedFields','value':[{'manager':'b'}]},"
                 "{'op':'replace','path':'/metadata/resourceVersion','value':'5'}]",
                 "{'metadata':{'resourceVersion':'5','managedFields':[{'manager':'b'}]}}");
}

static void tests_compare_values_not_texts(void **state)
{
    (void)state;
    check_result("{'a':1,'b':{'x':1,'y':[1.0,null]}}",
                 "[{'op':'test','path':'/a','value':1.0},{'op':'test','path':'/b','value':{'y':[1,null],'x':1}}]",
                 "{'a':1,'b':{'x':1,'y':[1.0,null]}}");
    static const char *const wrong[] = {"'1'", "2", "true", "null", "[1]", "{}", "1.5"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char patch[100];
        snprintf(patch, sizeof patch, "[{'op':'test','path':'/a','value':%s}]", wrong[i]);
        check_error("{'a':1}", patch, "operation 1 (test \"/a\"): the test failed: the value is another");
    }
    check_error("{'a':{'x':1}}", "[{'op':'test','path':'/a','value':{'x':1,'y':1}}]",
                "operation 1 (test \"/a\"): the test failed: the value is another");
    check_error("{'a':[1,2]}", "[{'op':'test','path':'/a','value':[1]}]",
                "operation 1 (test \"/a\"): the test failed: the value is another");
}

static void numbers_keep_their_kind(void **state)
{
    (void)state;
    json_t *target = tree_of("{'port':8000,'share':2.0}"), *patch = tree_of("[{'op':'add','path':'/n','value':10}]");
    char error[300];
    json_t *result = json_patch(target, patch, error);
    char *text = json_dumps(result, JSON_COMPACT);
    assert_string_equal(text, "{\"port\":8000,\"share\":2.0,\"n\":10}");
    free(text);
    json_decref(result);
    json_decref(target);
    json_decref(patch);
}

static void failures_name_operation_and_path(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{'foo':'bar'}", "[{'op':'add','path':'/baz/bat','value':'qux'}]",
         "operation 1 (add \"/baz/bat\"): there is no \"baz\""},
        {"{'a':1}", "[{'op':'test','path':'/a','value':1},{'op':'remove','path':'/b'}]",
         "operation 2 (remove \"/b\"): there is no \"b\""},
        {"{'a':1}", "[{'op':'replace','path':'/spec/x','value':1}]",
         "operation 1 (replace \"/spec/x\"): there is no \"spec\""},
        {"{'a':[1]}", "[{'op':'add','path':'/a/2','value':1}]",
         "operation 1 (add \"/a/2\"): 2 is beyond the end of the list"},
        {"{'a':[1]}", "[{'op':'replace','path':'/a/1','value':1}]",
         "operation 1 (replace \"/a/1\"): there is no \"1\""},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/-'}]", "operation 1 (remove \"/a/-\"): there is no \"-\""},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/00'}]",
         "operation 1 (remove \"/a/00\"): \"00\" is no index of a list"},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/-1'}]",
         "operation 1 (remove \"/a/-1\"): \"-1\" is no index of a list"},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/99999999999999999999999'}]",
         "operation 1 (remove \"/a/99999999999999999999999\"): \"99999999999999999999999\" is no index of a list"},
        {"{'a':1}", "[{'op':'add','path':'/a/b','value':1}]",
         "operation 1 (add \"/a/b\"): \"b\" is looked for in something that is neither an object nor a list"},
        {"{'a':1}", "[{'op':'add','path':'a','value':1}]",
         "operation 1 (add \"a\"): \"a\" does not start with a slash"},
        {"{'a':1}", "[{'op':'add','path':'/a~2','value':1}]",
         "operation 1 (add \"/a~2\"): \"/a~2\": a tilde is written ~0, a slash ~1"},
        {"{'a':1}", "[{'op':'add','path':'/a~','value':1}]",
         "operation 1 (add \"/a~\"): \"/a~\": a tilde is written ~0, a slash ~1"},
        {"{'a':1}", "[{'op':'add','path':'/b'}]", "operation 1 (add \"/b\"): \"value\" is missing"},
        {"{'a':1}", "[{'op':'move','path':'/b'}]", "operation 1 (move \"/b\"): \"from\" is missing or no string"},
        {"{'a':1}", "[{'op':'copy','path':'/b','from':'/c'}]", "operation 1 (copy \"/b\"): there is no \"c\""},
        {"{'a':{'b':{}}}", "[{'op':'move','from':'/a','path':'/a/b/c'}]",
         "operation 1 (move \"/a/b/c\"): \"/a\" cannot be moved into itself"},
        {"{'a':1}", "[{'op':'remove','path':''}]", "operation 1 (remove \"\"): the whole document cannot be removed"},
        {"{'a':1}", "[{'op':'spam','path':'/a'}]",
         "operation 1 (spam \"/a\"): \"op\" must be add, remove, replace, move, copy or test"},
        {"{'a':1}", "[{'path':'/a'}]", "operation 1 (? \"/a\"): \"op\" is missing or no string"},
        {"{'a':1}", "[{'op':'add'}]", "operation 1 (add \"?\"): \"path\" is missing or no string"},
        {"{'a':1}", "[7]", "operation 1 (? \"?\"): an operation is an object"},
        {"{'a':1}", "{'op':'add','path':'/b','value':1}", "a JSON patch is a list of operations"},
        {"{'a':1}", "[{'op':'remove','path':'/x\\ny'}]", "operation 1 (remove \"/x?y\"): there is no \"x?y\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_error(cases[i][0], cases[i][1], cases[i][2]);
}

/* A pair of braces per level; free() the result. */
static char *nested(unsigned levels)
{
    struct buffer text;
    buffer_init(&text);
    for (unsigned i = 1; i < levels; i++)
        buffer_append_str(&text, "{'a':");
    buffer_append_str(&text, "{}");
    for (unsigned i = 1; i < levels; i++)
        buffer_append_char(&text, '}');
    buffer_append_char(&text, '\0');
    return text.data;
}

static void nothing_gets_deeper_than_the_limit(void **state)
{
    (void)state;
    char *fitting = nested(JSON_PATCH_MAX_DEPTH - 1), *deep = nested(JSON_PATCH_MAX_DEPTH);
    char patch[2000], error[300];
    snprintf(patch, sizeof patch, "[{'op':'add','path':'/x','value':%s}]", fitting);
    json_t *target = tree_of("{}"), *good = tree_of(patch);
    json_t *result = json_patch(target, good, error);
    assert_non_null(result);
    snprintf(patch, sizeof patch, "[{'op':'add','path':'/x','value':%s}]", deep);
    check_error("{}", patch, "operation 1 (add \"/x\"): the result is nested deeper than 100 levels");
    /* One level more by moving, by copying. */
    static const char *const ways[] = {"move", "copy"};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        snprintf(patch, sizeof patch, "[{'op':'add','path':'/y','value':{}},{'op':'%s','from':'/x','path':'/y/x'}]",
                 ways[i]);
        json_t *bad = tree_of(patch);
        assert_null(json_patch(result, bad, error));
        assert_non_null(strstr(error, "the result is nested deeper than 100 levels"));
        json_decref(bad);
    }
    json_decref(result);
    json_decref(target);
    json_decref(good);
    free(fitting);
    free(deep);
}

static json_t *operations_of(const char *operation, size_t count)
{
    json_t *one = tree_of(operation), *patch = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(patch, one);
    json_decref(one);
    return patch;
}

static void a_copy_bomb_ends_at_the_budget(void **state)
{
    (void)state;
    json_t *target = tree_of("{'a':['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']}");
    json_t *bomb = operations_of("{'op':'copy','from':'/a','path':'/a/-'}", 60);
    char error[300];
    assert_null(json_patch(target, bomb, error));
    assert_non_null(strstr(error, "copies and moves more than 4194304 bytes"));
    json_decref(bomb);
    json_decref(target);
}

static void there_are_at_most_ten_thousand_operations(void **state)
{
    (void)state;
    json_t *target = tree_of("{'a':[]}");
    json_t *most = operations_of("{'op':'add','path':'/a/0','value':1}", JSON_PATCH_MAX_OPERATIONS);
    char error[300];
    json_t *result = json_patch(target, most, error);
    assert_int_equal(json_array_size(json_object_get(result, "a")), JSON_PATCH_MAX_OPERATIONS);
    json_decref(result);
    json_array_append_new(most, json_object());
    assert_null(json_patch(target, most, error));
    assert_string_equal(error, "a JSON patch has at most 10000 operations");
    json_decref(most);
    json_decref(target);
}

static void shifting_a_long_list_again_and_again_has_a_budget(void **state)
{
    (void)state;
    json_t *target = json_object(), *list = json_array();
    for (unsigned i = 0; i < 20000; i++)
        json_array_append_new(list, json_null());
    json_object_set_new(target, "a", list);
    json_t *patch = operations_of("{'op':'add','path':'/a/0','value':1}", 5000);
    char error[300];
    assert_null(json_patch(target, patch, error));
    assert_non_null(strstr(error, "shifts more than 50000000 list items"));
    json_decref(patch);
    json_decref(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_hold),
        cmocka_unit_test(paths_reach_odd_names),
        cmocka_unit_test(the_whole_document_can_be_replaced_moved_into_and_tested),
        cmocka_unit_test(operations_follow_each_other),
        cmocka_unit_test(replacing_a_member_that_is_missing_adds_it),
        cmocka_unit_test(the_migration_of_kubectl_works),
        cmocka_unit_test(tests_compare_values_not_texts),
        cmocka_unit_test(numbers_keep_their_kind),
        cmocka_unit_test(failures_name_operation_and_path),
        cmocka_unit_test(nothing_gets_deeper_than_the_limit),
        cmocka_unit_test(a_copy_bomb_ends_at_the_budget),
        cmocka_unit_test(there_are_at_most_ten_thousand_operations),
        cmocka_unit_test(shifting_a_long_list_again_and_again_has_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
