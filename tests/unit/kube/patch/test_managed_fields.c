/* SPDX-License-Identifier: Apache-2.0 */
/* test_managed_fields.c: field sets, and who owns what after writes that are no apply. */
#include "unit/kube/patch/support.h"

#include "kube/patch/field_changes.h"
#include "kube/patch/field_set.h"
#include "kube/patch/managed_fields.h"

/* ---- field sets ---- */

static void check_fields(const char *kind, const char *subresource, const char *object_text, const char *expected)
{
    struct guarded object = guard(object_text);
    json_t *fields = field_set_of(object.tree, NULL, kind, subresource);
    if (expected == NULL)
        assert_null(fields);
    else
        assert_tree(fields, expected);
    json_decref(fields);
    unguard(&object);
}

static void fields_follow_maps_and_keyed_lists(void **state)
{
    (void)state;
    check_fields("HTTPRoute", NULL,
                 "{'apiVersion':'v1','kind':'HTTPRoute','metadata':{'name':'a','namespace':'b','uid':'1',"
                 "'resourceVersion':'1','generation':1,'creationTimestamp':'x','managedFields':[],'labels':{'l':'1'},"
                 "'finalizers':['f']},'spec':{'hostnames':['h'],'rules':[{'name':'x'}],'timeout':null,'empty':{}},"
                 "'status':{'parents':[]}}",
                 "{'f:metadata':{'f:labels':{'f:l':{}},'f:finalizers':{'v:\\\"f\\\"':{}}},"
                 "'f:spec':{'f:hostnames':{},'f:rules':{},'f:empty':{}}}");
    check_fields("Gateway", "",
                 "{'metadata':{'name':'g'},'spec':{'listeners':[{'name':'http','port':80,'allowedRoutes':{'namespaces':"
                 "{'selector':{'matchLabels':{'a':'b'}}}}}],'addresses':[{'value':'1'}]}}",
                 "{'f:spec':{'f:listeners':{'k:{\\\"name\\\":\\\"http\\\"}':{'.':{},'f:name':{},'f:port':{},"
                 "'f:allowedRoutes':{'f:namespaces':{'f:selector':{}}}}},'f:addresses':{}}}");
    check_fields("Service", NULL, "{'spec':{'ports':[{'port':80},{'port':53,'protocol':'UDP'}],'selector':{'a':'b'}}}",
                 "{'f:spec':{'f:ports':{'k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}':{'.':{},'f:port':{}},"
                 "'k:{\\\"port\\\":53,\\\"protocol\\\":\\\"UDP\\\"}':{'.':{},'f:port':{},'f:protocol':{}}},"
                 "'f:selector':{}}}");
    check_fields(
        "Deployment", NULL,
        "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'name':'n'},'spec':{'containers':"
        "[{'name':'c','env':[{'name':'E','valueFrom':{'fieldRef':{'fieldPath':'x'}}}],'args':['1'],"
        "'ports':[{'containerPort':1}]}]}}}}",
        "{'f:spec':{'f:selector':{},'f:template':{'f:metadata':{'f:name':{}},'f:spec':{'f:containers':{"
        "'k:{\\\"name\\\":\\\"c\\\"}':{'.':{},'f:name':{},'f:env':{'k:{\\\"name\\\":\\\"E\\\"}':{'.':{},"
        "'f:name':{},'f:valueFrom':{'f:fieldRef':{}}}},'f:args':{},'f:ports':{"
        "'k:{\\\"containerPort\\\":1,\\\"protocol\\\":\\\"TCP\\\"}':{'.':{},'f:containerPort':{}}}}}}}}}");
}

static void the_status_is_a_subresource_of_its_own(void **state)
{
    (void)state;
    static const char object[] = "{'metadata':{'name':'a','labels':{'l':'1'}},'spec':{'x':1},"
                                 "'status':{'conditions':[{'type':'A','status':'True'}]}}";
    check_fields("Gateway", "status", object,
                 "{'f:status':{'f:conditions':{'k:{\\\"type\\\":\\\"A\\\"}':{'.':{},'f:type':{},'f:status':{}}}}}");
    check_fields("Gateway", NULL, object, "{'f:metadata':{'f:labels':{'f:l':{}}},'f:spec':{'f:x':{}}}");
    check_fields("Gateway", NULL, "{'apiVersion':'v1','metadata':{'name':'a'},'status':{'x':1}}", NULL);
}

/* Nobody checks what other kinds of writes store. */
static void a_list_with_an_item_without_key_is_one_value(void **state)
{
    (void)state;
    check_fields("Service", NULL, "{'spec':{'ports':[{'port':80},{'name':'x'}]}}", "{'f:spec':{'f:ports':{}}}");
    check_fields("Service", NULL, "{'spec':{'ports':[80]}}", "{'f:spec':{'f:ports':{}}}");
    check_fields("Service", NULL, "{'spec':{'ports':[]}}", "{'f:spec':{'f:ports':{}}}");
    check_fields("Service", NULL, "{'spec':{'ports':{'x':1}}}", "{'f:spec':{'f:ports':{'f:x':{}}}}");
    check_fields("Service", NULL, "{'metadata':{'finalizers':[{}]}}", "{'f:metadata':{'f:finalizers':{}}}");
}

static void check_algebra(json_t *(*operation)(json_t *, json_t *), const char *a_text, const char *b_text,
                          const char *expected)
{
    struct guarded a = guard(a_text), b = guard(b_text);
    json_t *result = operation(a.tree, b.tree);
    if (expected == NULL)
        assert_null(result);
    else
        assert_tree(result, expected);
    json_decref(result);
    unguard(&a);
    unguard(&b);
}

static void sets_unite(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{'f:a':{}}", "{'f:b':{}}", "{'f:a':{},'f:b':{}}"},
        {"{'f:a':{}}", "{'f:a':{'f:b':{}}}", "{'f:a':{'.':{},'f:b':{}}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{}}", "{'f:a':{'.':{},'f:b':{}}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{'f:c':{}}}", "{'f:a':{'f:b':{},'f:c':{}}}"},
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{'.':{},'f:b':{}}}"},
        {"{'f:a':{}}", "{'f:a':{}}", "{'f:a':{}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_algebra(field_set_union, cases[i][0], cases[i][1], cases[i][2]);
    assert_null(field_set_union(NULL, NULL));
}

static void sets_are_subtracted(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{'f:a':{},'f:b':{}}", "{'f:b':{}}", "{'f:a':{}}"},
        {"{'f:a':{}}", "{'f:a':{}}", NULL},
        /* An empty node takes all below it along. */
        {"{'f:a':{'f:b':{},'.':{}},'f:c':{}}", "{'f:a':{}}", "{'f:c':{}}"},
        {"{'f:a':{'f:b':{},'f:c':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{'f:c':{}}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{'f:b':{}}}", NULL},
        /* The map itself stays although nothing in it does. */
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{}}"},
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{'.':{},'f:c':{}}}", "{'f:a':{'f:b':{}}}"},
        {"{'f:a':{}}", "{'f:a':{'f:b':{}}}", "{'f:a':{}}"},
        {"{'f:a':{}}", "{'f:a':{'.':{},'f:b':{}}}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_algebra(field_set_subtract, cases[i][0], cases[i][1], cases[i][2]);
    assert_null(field_set_subtract(NULL, NULL));
}

static void collect_path(void *context, const char *path)
{
    char *paths = context;
    strncat(paths, path, 200);
    strncat(paths, " ", 2);
}

static void check_meeting(const char *set_text, const char *changed_text, const char *excepted_text,
                          const char *expected)
{
    struct guarded set = guard(set_text), changed = guard(changed_text), excepted = guard(excepted_text);
    char paths[1000] = "";
    field_set_meet(set.tree, changed.tree, json_is_null(excepted.tree) ? NULL : excepted.tree, collect_path, paths);
    assert_string_equal(paths, expected);
    unguard(&set);
    unguard(&changed);
    unguard(&excepted);
}

static void meetings_are_reported_by_path(void **state)
{
    (void)state;
    check_meeting("{'f:spec':{'f:rules':{},'f:x':{}}}", "{'f:spec':{'f:rules':{},'f:y':{}}}", "null", ".spec.rules ");
    check_meeting("{'f:spec':{'f:ports':{'k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}':{'f:x':{}}}}}",
                  "{'f:spec':{'f:ports':{'k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}':{'.':{},'f:x':{}}}}}",
                  "null", ".spec.ports[port=80,protocol=\"TCP\"].x ");
    check_meeting("{'f:m':{'v:\\\"a\\\"':{}}}", "{'f:m':{'v:\\\"a\\\"':{}}}", "null", ".m[=\"a\"] ");
    check_meeting("{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{'.':{},'f:b':{}}}", "null", ".a .a.b ");
    check_meeting("{'f:a':{'f:b':{},'f:c':{}}}", "{'f:a':{}}", "null", ".a ");
    check_meeting("{'f:a':{}}", "{'f:a':{'f:b':{}}}", "null", "");
    check_meeting("{'f:a':{},'f:b':{}}", "{'f:a':{},'f:b':{}}", "{'f:a':{}}", ".b ");
    check_meeting("{'x':{'k:[':{'i:0':{}}}}", "{'x':{'k:[':{'i:0':{}}}}", "null", "[x][k:[][i:0] ");
}

/* ---- differences ---- */

static void check_changes(const char *before_text, const char *after_text, const char *written, const char *removed)
{
    struct guarded before = guard(before_text), after = guard(after_text);
    struct field_changes changes;
    field_changes_between(before.tree, after.tree, NULL, "Service", NULL, &changes);
    json_t *both =
        json_pack("{s:o*,s:o*}", "written", json_incref(changes.written), "removed", json_incref(changes.removed));
    char expected[1000];
    snprintf(expected, sizeof expected, "{%s%s%s%s%s}", written != NULL ? "'written':" : "",
             written != NULL ? written : "", written != NULL && removed != NULL ? "," : "",
             removed != NULL ? "'removed':" : "", removed != NULL ? removed : "");
    assert_tree(both, expected);
    json_decref(both);
    field_changes_deinit(&changes);
    unguard(&before);
    unguard(&after);
}

static void changes_are_found_where_they_are(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {"{'spec':{'a':1,'b':2}}", "{'spec':{'b':2,'a':1}}", NULL, NULL},
        {"{'spec':{'a':1}}", "{'spec':{'a':1,'b':{'c':1}}}", "{'f:spec':{'f:b':{'.':{},'f:c':{}}}}", NULL},
        {"{'spec':{'a':1,'b':{'c':1}}}", "{'spec':{'a':1}}", NULL, "{'f:spec':{'f:b':{}}}"},
        {"{'spec':{}}", "{'spec':{'a':{'b':null}}}", "{'f:spec':{'f:a':{}}}", NULL},
        {"{'spec':{'a':1}}", "{'spec':{'a':null}}", NULL, "{'f:spec':{'f:a':{}}}"},
        {"{'spec':{'a':null}}", "{'spec':{}}", NULL, NULL},
        {"{'spec':{'a':1}}", "{'spec':{'a':2}}", "{'f:spec':{'f:a':{}}}", "{'f:spec':{'f:a':{}}}"},
        {"{'spec':{'a':1}}", "{'spec':{'a':1.0}}", "{'f:spec':{'f:a':{}}}", "{'f:spec':{'f:a':{}}}"},
        {"{'spec':{'a':{'b':1}}}", "{'spec':{'a':'s'}}", "{'f:spec':{'f:a':{}}}", "{'f:spec':{'f:a':{}}}"},
        {"{'spec':{'a':'s'}}", "{'spec':{'a':{'b':1}}}", "{'f:spec':{'f:a':{'.':{},'f:b':{}}}}",
         "{'f:spec':{'f:a':{}}}"},
        {"{'spec':{'l':[1]}}", "{'spec':{'l':[1,2]}}", "{'f:spec':{'f:l':{}}}", "{'f:spec':{'f:l':{}}}"},
        /* Keyed lists: item by item, whatever their order. */
        {"{'spec':{'ports':[{'port':1},{'port':2,'x':1},{'port':3}]}}",
         "{'spec':{'ports':[{'port':2,'x':2},{'port':1},{'port':4}]}}",
         "{'f:spec':{'f:ports':{'k:{\\\"port\\\":2,\\\"protocol\\\":\\\"TCP\\\"}':{'f:x':{}},"
         "'k:{\\\"port\\\":4,\\\"protocol\\\":\\\"TCP\\\"}':{'.':{},'f:port':{}}}}}",
         "{'f:spec':{'f:ports':{'k:{\\\"port\\\":2,\\\"protocol\\\":\\\"TCP\\\"}':{'f:x':{}},"
         "'k:{\\\"port\\\":3,\\\"protocol\\\":\\\"TCP\\\"}':{}}}}"},
        {"{'metadata':{'finalizers':['a','b']}}", "{'metadata':{'finalizers':['c','b']}}",
         "{'f:metadata':{'f:finalizers':{'v:\\\"c\\\"':{}}}}", "{'f:metadata':{'f:finalizers':{'v:\\\"a\\\"':{}}}}"},
        {"{'metadata':{'ownerReferences':[{'uid':'1','name':'a'}]}}",
         "{'metadata':{'ownerReferences':[{'uid':'1','name':'b'}]}}",
         "{'f:metadata':{'f:ownerReferences':{'k:{\\\"uid\\\":\\\"1\\\"}':{}}}}",
         "{'f:metadata':{'f:ownerReferences':{'k:{\\\"uid\\\":\\\"1\\\"}':{}}}}"},
        /* Atomic maps: as one. */
        {"{'spec':{'selector':{'a':'1','b':'1'}}}", "{'spec':{'selector':{'a':'2','b':'1'}}}",
         "{'f:spec':{'f:selector':{}}}", "{'f:spec':{'f:selector':{}}}"},
        /* What the server sets, and the status, are nobody's. */
        {"{'metadata':{'name':'a','resourceVersion':'1'},'status':{'x':1}}",
         "{'metadata':{'name':'b','resourceVersion':'2','generation':2},'status':{'x':2},'kind':'X'}", NULL, NULL},
        {"{}", "{'metadata':{'labels':{'a':'b'}}}", "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}}}", NULL},
        {"{'metadata':{'labels':{'a':'b'}}}", "{}", NULL, "{'f:metadata':{'f:labels':{}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_changes(cases[i][0], cases[i][1], cases[i][2], cases[i][3]);
}

/* ---- updates ---- */

static struct apply_request request_of(const char *manager, const char *time)
{
    return (struct apply_request){.manager = manager, .api_version = "v1", .time = time, .kind = "Service"};
}

#define ENTRY(manager, operation, time, fields)                                                                        \
    "{'manager':'" manager "','operation':'" operation "','apiVersion':'v1','time':'" time                             \
    "','fieldsType':'FieldsV1','fieldsV1':" fields "}"

/* Takes over before, which may be NULL. */
static json_t *update(json_t *before, const char *after_text, struct apply_request request)
{
    json_t *copy = json_deep_copy(before);
    struct guarded after = guard(after_text);
    json_t *result = managed_fields_update(before, after.tree, &request);
    unguard(&after);
    if (before != NULL)
        assert_equal_trees(before, copy);
    json_decref(copy);
    json_decref(before);
    return result;
}

static void check_managed(json_t *object, const char *expected)
{
    json_t *list = json_object_get(json_object_get(object, "metadata"), "managedFields");
    if (expected == NULL)
        assert_null(list);
    else
        assert_tree(list, expected);
}

static void a_creation_belongs_to_its_writer(void **state)
{
    (void)state;
    json_t *object = update(NULL, "{'metadata':{'name':'a','labels':{'l':'1'}},'spec':{'type':'ClusterIP'}}",
                            request_of("kubectl-create", "T1"));
    assert_tree(object,
                "{'metadata':{'name':'a','labels':{'l':'1'},'managedFields':[" ENTRY(
                    "kubectl-create", "Update", "T1",
                    "{'f:metadata':{'f:labels':{'.':{},'f:l':{}}},'f:spec':{'.':{},'f:type':{}}}") "]},"
                                                                                                   "'spec':{'type':'"
                                                                                                   "ClusterIP'}}");
    json_decref(object);
    object = update(NULL, "{'metadata':{'name':'a'}}", request_of("m", "T1"));
    check_managed(object, NULL);
    json_decref(object);
}

static void a_changed_field_moves_to_who_changed_it(void **state)
{
    (void)state;
    json_t *object = update(NULL, "{'metadata':{'name':'a'},'spec':{'a':1,'b':1}}", request_of("one", "T1"));
    object = update(object, "{'metadata':{'name':'a'},'spec':{'a':2,'b':1,'c':1}}", request_of("two", "T2"));
    check_managed(object, "[" ENTRY("one", "Update", "T1", "{'f:spec':{'.':{},'f:b':{}}}") "," ENTRY(
                              "two", "Update", "T2", "{'f:spec':{'f:a':{},'f:c':{}}}") "]");
    object = update(object, "{'metadata':{'name':'a'},'spec':{'a':3,'b':2,'c':1}}", request_of("one", "T3"));
    check_managed(object, "[" ENTRY("one", "Update", "T3", "{'f:spec':{'.':{},'f:a':{},'f:b':{}}}") "," ENTRY(
                              "two", "Update", "T2", "{'f:spec':{'f:c':{}}}") "]");
    json_decref(object);
}

static void a_removed_field_leaves_everybody(void **state)
{
    (void)state;
    json_t *object = update(NULL, "{'metadata':{'name':'a'},'spec':{'a':{'x':1}}}", request_of("one", "T1"));
    object = update(object, "{'metadata':{'name':'a'},'spec':{'a':{'x':1,'y':1}}}", request_of("two", "T2"));
    object = update(object, "{'metadata':{'name':'a'},'spec':{}}", request_of("three", "T3"));
    check_managed(object, "[" ENTRY("one", "Update", "T1", "{'f:spec':{}}") "]");
    object = update(object, "{'metadata':{'name':'a'}}", request_of("three", "T4"));
    check_managed(object, NULL);
    json_decref(object);
}

static void a_write_of_the_same_changes_no_entry(void **state)
{
    (void)state;
    static const char text[] = "{'metadata':{'name':'a'},'spec':{'a':1,'ports':[{'port':1},{'port':2}]}}";
    json_t *first = update(NULL, text, request_of("one", "T1"));
    json_t *second = update(json_incref(first), text, request_of("two", "T2"));
    assert_equal_trees(second, first);
    struct apply_request request = request_of("one", "T3");
    json_t *third = managed_fields_update(second, second, &request);
    assert_ptr_equal(third, second);
    json_decref(third);
    json_decref(second);
    json_decref(first);
}

static void versions_and_subresources_have_entries_of_their_own(void **state)
{
    (void)state;
    struct apply_request request = request_of("m", "T1");
    json_t *object = update(NULL, "{'metadata':{'name':'a'},'spec':{'a':1}}", request);
    request.subresource = "status";
    object = update(object, "{'metadata':{'name':'a'},'spec':{'a':1},'status':{'s':1}}", request);
    request.subresource = "";
    request.api_version = "v2";
    object = update(object, "{'metadata':{'name':'a'},'spec':{'a':1,'b':1},'status':{'s':1}}", request);
    check_managed(
        object,
        "[" ENTRY("m", "Update", "T1",
                  "{'f:spec':{'.':{},'f:a':{}}}") ","
                                                  "{'manager':'m','operation':'Update','apiVersion':'v1','time':'T1','"
                                                  "fieldsType':'FieldsV1',"
                                                  "'fieldsV1':{'f:status':{'.':{},'f:s':{}}},'subresource':'status'},"
                                                  "{'manager':'m','operation':'Update','apiVersion':'v2','time':'T1','"
                                                  "fieldsType':'FieldsV1',"
                                                  "'fieldsV1':{'f:spec':{'f:b':{}}}}]");
    json_decref(object);
}

static void a_client_may_rewrite_the_list(void **state)
{
    (void)state;
    static const char own[] = "{'metadata':{'name':'a','managedFields':[" ENTRY(
        "other", "Apply", "T0", "{'f:spec':{'f:a':{}}}") "]},"
                                                         "'spec':{'a':1}}";
    json_t *object = update(NULL, "{'metadata':{'name':'a'},'spec':{'a':1}}", request_of("one", "T1"));
    object = update(object, own, request_of("two", "T2"));
    check_managed(object, "[" ENTRY("other", "Apply", "T0", "{'f:spec':{'f:a':{}}}") "]");
    /* The value of what it moved: now it is the writer's. */
    static const char changed[] = "{'metadata':{'name':'a','managedFields':[" ENTRY(
        "other", "Apply", "T0", "{'f:spec':{'f:a':{}}}") "]},"
                                                         "'spec':{'a':2}}";
    object = update(object, changed, request_of("two", "T3"));
    check_managed(object, "[" ENTRY("two", "Update", "T3", "{'f:spec':{'f:a':{}}}") "]");
    json_decref(object);
}

static void a_client_may_forget_the_list(void **state)
{
    (void)state;
    static const char *const resets[] = {"[]", "[{}]"};
    for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
        char text[200];
        snprintf(text, sizeof text, "{'metadata':{'name':'a','managedFields':%s},'spec':{'a':1}}", resets[i]);
        json_t *object = update(NULL, "{'metadata':{'name':'a'},'spec':{'a':1}}", request_of("one", "T1"));
        object = update(object, text, request_of("two", "T2"));
        check_managed(object, NULL);
        json_decref(object);
    }
}

static void a_list_that_is_none_does_not_count(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "null",
        "{}",
        "'x'",
        "[1]",
        "[{'manager':'x'}]",
        "[{'manager':'x','operation':'Patch','fieldsType':'FieldsV1','fieldsV1':{}}]",
        "[{'manager':'x','operation':'Update','fieldsType':'FieldsV2','fieldsV1':{}}]",
        "[{'manager':'x','operation':'Update','fieldsType':'FieldsV1','fieldsV1':[]}]",
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        char text[300];
        snprintf(text, sizeof text, "{'metadata':{'name':'a','managedFields':%s},'spec':{'a':1}}", lists[i]);
        json_t *object = update(NULL, "{'metadata':{'name':'a'},'spec':{'a':1}}", request_of("one", "T1"));
        object = update(object, text, request_of("two", "T2"));
        check_managed(object, "[" ENTRY("one", "Update", "T1", "{'f:spec':{'.':{},'f:a':{}}}") "]");
        json_decref(object);
    }
}

static void the_oldest_updates_become_one(void **state)
{
    (void)state;
    enum { WRITERS = MANAGED_FIELDS_MAX + 5 };
    json_t *before = NULL, *after = tree_of("{'metadata':{'name':'a'},'spec':{}}");
    for (int i = 0; i < WRITERS; i++) {
        char manager[20], time[20];
        snprintf(manager, sizeof manager, "m%02d", i);
        snprintf(time, sizeof time, "T%02d", i);
        json_object_set_new(json_object_get(after, "spec"), manager, json_integer(i));
        struct apply_request request = request_of(manager, time);
        json_t *copy = json_deep_copy(after);
        json_t *result = managed_fields_update(before, copy, &request);
        json_decref(copy);
        json_decref(before);
        before = result;
    }
    json_t *list = json_object_get(json_object_get(before, "metadata"), "managedFields");
    assert_int_equal(json_array_size(list), MANAGED_FIELDS_MAX);
    assert_tree(json_array_get(list, 0), ENTRY("ancient-changes", "Update", "T05",
                                               "{'f:spec':{'.':{},'f:m00':{},'f:m01':{},'f:m02':{},'f:m03':{},"
                                               "'f:m04':{},'f:m05':{}}}"));
    assert_tree(json_array_get(list, 1), ENTRY("m06", "Update", "T06", "{'f:spec':{'f:m06':{}}}"));
    json_decref(before);
    json_decref(after);
}

static void the_result_is_not_written_through_to_the_inputs(void **state)
{
    (void)state;
    struct guarded before = guard("{'metadata':{'name':'a','labels':{'x':'y'}}}");
    json_t *after = json_copy(before.tree); /* shares the metadata, as patches do */
    json_object_set_new(after, "spec", tree_of("{'a':1}"));
    struct apply_request request = request_of("one", "T1");
    json_t *result = managed_fields_update(before.tree, after, &request);
    json_object_set_new(json_object_get(result, "metadata"), "resourceVersion", json_string("7"));
    json_decref(result);
    json_decref(after);
    unguard(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_follow_maps_and_keyed_lists),
        cmocka_unit_test(the_status_is_a_subresource_of_its_own),
        cmocka_unit_test(a_list_with_an_item_without_key_is_one_value),
        cmocka_unit_test(sets_unite),
        cmocka_unit_test(sets_are_subtracted),
        cmocka_unit_test(meetings_are_reported_by_path),
        cmocka_unit_test(changes_are_found_where_they_are),
        cmocka_unit_test(a_creation_belongs_to_its_writer),
        cmocka_unit_test(a_changed_field_moves_to_who_changed_it),
        cmocka_unit_test(a_removed_field_leaves_everybody),
        cmocka_unit_test(a_write_of_the_same_changes_no_entry),
        cmocka_unit_test(versions_and_subresources_have_entries_of_their_own),
        cmocka_unit_test(a_client_may_rewrite_the_list),
        cmocka_unit_test(a_client_may_forget_the_list),
        cmocka_unit_test(a_list_that_is_none_does_not_count),
        cmocka_unit_test(the_oldest_updates_become_one),
        cmocka_unit_test(the_result_is_not_written_through_to_the_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
