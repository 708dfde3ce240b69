/* SPDX-License-Identifier: Apache-2.0 */
/* test_apply_patch.c: server-side apply, as a story of managers who want things of one object. */
#include "unit/kube/patch/support.h"

#include "kube/patch/apply_patch.h"
#include "kube/patch/json_patch.h"

/* One object and who writes to it. */
struct story {
    struct arena *arena;
    json_t *object; /* NULL until the first write */
    struct apply_request request;
    struct apply_conflict *conflicts; /* of the last apply */
    char error[300];
};

static struct story story_of(const char *group, const char *kind)
{
    return (struct story){
        .arena = arena_new(0),
        .request = {.api_version = "v1", .time = "T1", .kind = kind, .group = group},
    };
}

static void story_end(struct story *story)
{
    json_decref(story->object);
    arena_free(story->arena);
}

/* The result, or NULL; inputs must stay as they were. */
static json_t *try_apply(struct story *story, const char *manager, const char *config_text)
{
    struct guarded config = guard(config_text);
    json_t *copy = json_deep_copy(story->object);
    story->request.manager = manager;
    story->error[0] = '\0';
    json_t *result =
        apply_patch(story->object, config.tree, &story->request, story->arena, &story->conflicts, story->error);
    if (copy != NULL)
        assert_equal_trees(story->object, copy);
    json_decref(copy);
    unguard(&config);
    return result;
}

static void apply(struct story *story, const char *manager, const char *config_text)
{
    json_t *result = try_apply(story, manager, config_text);
    if (result == NULL)
        fail_msg("%s: %s", config_text, story->error);
    json_decref(story->object);
    story->object = result;
}

static void update(struct story *story, const char *manager, const char *object_text)
{
    json_t *after = tree_of(object_text);
    story->request.manager = manager;
    json_t *result = managed_fields_update(story->object, after, &story->request);
    json_decref(after);
    json_decref(story->object);
    story->object = result;
}

/* The object without its list of managers. */
static void expect_object(struct story *story, const char *expected)
{
    json_t *copy = json_deep_copy(story->object);
    json_object_del(json_object_get(copy, "metadata"), "managedFields");
    assert_tree(copy, expected);
    json_decref(copy);
}

/* fieldsV1 of a manager's entry; NULL: there is none. */
static void expect_fields(struct story *story, const char *manager, const char *operation, const char *expected)
{
    json_t *list = json_object_get(json_object_get(story->object, "metadata"), "managedFields"), *entry;
    size_t i;
    json_array_foreach(list, i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "manager")), manager) != 0 ||
            strcmp(json_string_value(json_object_get(entry, "operation")), operation) != 0)
            continue;
        if (expected == NULL)
            fail_msg("%s still has an entry", manager);
        assert_tree(json_object_get(entry, "fieldsV1"), expected);
        return;
    }
    if (expected != NULL)
        fail_msg("%s has no entry", manager);
}

static void expect_conflict(struct story *story, const char *manager, const char *config, const char *message)
{
    assert_null(try_apply(story, manager, config));
    struct buffer text;
    buffer_init(&text);
    apply_conflicts_message(story->conflicts, &text);
    buffer_append_char(&text, '\0');
    assert_string_equal(buffer_bytes(&text).data, message);
    buffer_deinit(&text);
}

/* ---- the first apply, the same again, another ---- */

static void the_first_apply_makes_the_object(void **state)
{
    (void)state;
    struct story story = story_of("gateway.networking.k8s.io", "HTTPRoute");
    apply(&story, "kubectl",
          "{'apiVersion':'gateway.networking.k8s.io/v1','kind':'HTTPRoute','metadata':{'name':'a','namespace':'d',"
          "'uid':'mine','labels':{'l':'1'},'annotations':null},'spec':{'hostnames':['h'],'rules':[{'name':'r'}]},"
          "'status':{'parents':[]}}");
    assert_tree(
        story.object,
        "{'apiVersion':'gateway.networking.k8s.io/v1','kind':'HTTPRoute','metadata':{'name':'a','namespace':'d',"
        "'labels':{'l':'1'},'managedFields':[{'manager':'kubectl','operation':'Apply','apiVersion':'v1',"
        "'time':'T1','fieldsType':'FieldsV1','fieldsV1':{'f:metadata':{'f:labels':{'f:l':{}}},"
        "'f:spec':{'f:hostnames':{},'f:rules':{}}}}]},'spec':{'hostnames':['h'],'rules':[{'name':'r'}]}}");
    story_end(&story);
}

static void the_same_apply_is_no_write(void **state)
{
    (void)state;
    static const char config[] =
        "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a','finalizers':['f']},'spec':{'containers':["
        "{'name':'c','ports':[{'containerPort':1}],'args':['x']}],'volumes':[{'name':'v','emptyDir':{}}]}}";
    struct story story = story_of("", "Pod");
    apply(&story, "m", config);
    story.request.time = "T2";
    json_t *again = try_apply(&story, "m", config);
    assert_ptr_equal(again, story.object);
    json_decref(again);
    story.request.force = true;
    again = try_apply(&story, "m", config);
    assert_ptr_equal(again, story.object);
    json_decref(again);
    story_end(&story);
}

static void a_manager_changes_its_own_fields(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'rules':[1],'x':1}}");
    story.request.time = "T2";
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'rules':[2],'x':1}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'rules':[2],'x':1}}");
    json_t *entry = json_array_get(json_object_get(json_object_get(story.object, "metadata"), "managedFields"), 0);
    assert_string_equal(json_string_value(json_object_get(entry, "time")), "T2");
    story_end(&story);
}

/* ---- what config no longer has ---- */

static void dropped_fields_go_when_nobody_else_owns_them(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    apply(&story, "one",
          "{'metadata':{'name':'a','labels':{'x':'1','y':'1'}},'spec':{'a':1,'b':{'c':1,'d':2},'e':[1]}}");
    apply(&story, "two", "{'metadata':{'name':'a','labels':{'y':'1'}},'spec':{'b':{'d':2}}}");
    apply(&story, "one", "{'metadata':{'name':'a'},'spec':{'a':1}}");
    expect_object(&story, "{'metadata':{'name':'a','labels':{'y':'1'}},'spec':{'a':1,'b':{'d':2}}}");
    expect_fields(&story, "one", "Apply", "{'f:spec':{'f:a':{}}}");
    expect_fields(&story, "two", "Apply", "{'f:metadata':{'f:labels':{'f:y':{}}},'f:spec':{'f:b':{'f:d':{}}}}");
    apply(&story, "two", "{'metadata':{'name':'a'}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'a':1}}");
    expect_fields(&story, "two", "Apply", NULL);
    story_end(&story);
}

static void what_nobody_owns_stays(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    story.object = tree_of("{'metadata':{'name':'a','annotations':{'x':'y'}},'spec':{'a':1,'m':{'n':1}}}");
    apply(&story, "m", "{'metadata':{'name':'a','annotations':{'z':'1'}},'spec':{'m':{'o':1},'b':1}}");
    expect_object(&story, "{'metadata':{'name':'a','annotations':{'x':'y','z':'1'}},"
                          "'spec':{'a':1,'m':{'n':1,'o':1},'b':1}}");
    apply(&story, "m", "{'metadata':{'name':'a'}}");
    expect_object(&story, "{'metadata':{'name':'a','annotations':{'x':'y'}},'spec':{'a':1,'m':{'n':1}}}");
    story_end(&story);
}

static void an_empty_map_is_a_value(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "Pod");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'volumes':[{'name':'v','emptyDir':{'sizeLimit':'1Gi'}}]}}");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'volumes':[{'name':'v'}]}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'volumes':[{'name':'v'}]}}");
    story_end(&story);
}

/* Somebody else emptied the map since. */
static void an_empty_map_of_nobody_stays(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    story.object = tree_of("{'metadata':{'name':'a','managedFields':[{'manager':'m','operation':'Apply','apiVersion':"
                           "'v1','fieldsType':'FieldsV1','fieldsV1':{'f:spec':{'f:m':{'f:o':{}},'f:x':{}}}}]},"
                           "'spec':{'m':{},'x':1}}");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'x':1}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'m':{},'x':1}}");
    story_end(&story);

    story = story_of(NULL, "HTTPRoute");
    story.object = tree_of("{'metadata':{'name':'a','managedFields':[{'manager':'m','operation':'Apply','apiVersion':"
                           "'v1','fieldsType':'FieldsV1','fieldsV1':{'f:spec':{'f:m':{'f:o':{}}}}}]},"
                           "'spec':{'m':'a text by now'}}");
    apply(&story, "m", "{'metadata':{'name':'a'}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'m':'a text by now'}}");
    story_end(&story);
}

static void a_null_counts_as_absent(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    apply(&story, "one", "{'metadata':{'name':'a'},'spec':{'a':1,'b':1}}");
    apply(&story, "two", "{'metadata':{'name':'a'},'spec':{'b':null,'c':null}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'a':1,'b':1}}");
    apply(&story, "one", "{'metadata':{'name':'a'},'spec':{'a':1,'b':null}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'a':1}}");
    story_end(&story);
}

/* ---- conflicts ---- */

static void a_field_of_another_manager_conflicts(void **state)
{
    (void)state;
    struct story story = story_of("gateway.networking.k8s.io", "HTTPRoute");
    story.request.api_version = "gateway.networking.k8s.io/v1";
    story.request.time = "2026-01-02T03:04:05Z";
    update(&story, "kubectl-edit", "{'metadata':{'name':'a'},'spec':{'rules':[1],'x':1}}");
    expect_conflict(
        &story, "m", "{'metadata':{'name':'a'},'spec':{'rules':[2],'x':1}}",
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using gateway.networking.k8s.io/v1 at "
        "2026-01-02T03:04:05Z: .spec.rules");
    assert_string_equal(story.error, "Apply failed with 1 conflict");
    assert_string_equal(story.conflicts->path, ".spec.rules");
    assert_null(story.conflicts->next);
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'rules':[1]}}");
    expect_conflict(&story, "n", "{'metadata':{'name':'a'},'spec':{'rules':[2],'x':2}}",
                    "Apply failed with 3 conflicts: conflicts with \"kubectl-edit\" using gateway.networking.k8s.io/v1 "
                    "at 2026-01-02T03:04:05Z:\n- .spec.rules\n- .spec.x\nconflicts with \"m\":\n- .spec.rules");
    story_end(&story);
}

static void force_takes_the_field(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    update(&story, "edit", "{'metadata':{'name':'a'},'spec':{'rules':[1],'x':1}}");
    apply(&story, "one", "{'metadata':{'name':'a'},'spec':{'rules':[1]}}");
    story.request.force = true;
    apply(&story, "two", "{'metadata':{'name':'a'},'spec':{'rules':[2]}}");
    assert_null(story.conflicts);
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'rules':[2],'x':1}}");
    expect_fields(&story, "edit", "Update", "{'f:spec':{'.':{},'f:x':{}}}");
    expect_fields(&story, "one", "Apply", NULL);
    expect_fields(&story, "two", "Apply", "{'f:spec':{'f:rules':{}}}");
    story_end(&story);
}

static void the_same_value_is_owned_together(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    apply(&story, "one", "{'metadata':{'name':'a'},'spec':{'x':1}}");
    apply(&story, "two", "{'metadata':{'name':'a'},'spec':{'x':1}}");
    apply(&story, "one", "{'metadata':{'name':'a'}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'x':1}}");
    apply(&story, "two", "{'metadata':{'name':'a'},'spec':{'x':2}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'x':2}}");
    story_end(&story);
}

static void an_update_of_the_same_manager_is_another_manager(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    update(&story, "m", "{'metadata':{'name':'a'},'spec':{'x':1}}");
    expect_conflict(&story, "m", "{'metadata':{'name':'a'},'spec':{'x':2}}",
                    "Apply failed with 1 conflict: conflict with \"m\" using v1 at T1: .spec.x");
    story_end(&story);
}

static void conflicts_reach_into_keyed_lists(void **state)
{
    (void)state;
    struct story story = story_of("apps", "Deployment");
    update(&story, "set-image",
           "{'metadata':{'name':'a'},'spec':{'template':{'spec':{'containers':[{'name':'c','image':'1'}]}}}}");
    expect_conflict(
        &story, "m",
        "{'metadata':{'name':'a'},'spec':{'template':{'spec':{'containers':[{'name':'c','image':'2','tty':true}]}}}}",
        "Apply failed with 1 conflict: conflict with \"set-image\" using v1 at T1: "
        ".spec.template.spec.containers[name=\"c\"].image");
    story_end(&story);
}

/* ---- lists ---- */

static void keyed_lists_merge_item_by_item(void **state)
{
    (void)state;
    struct story story = story_of("", "Service");
    apply(&story, "one",
          "{'metadata':{'name':'s'},'spec':{'ports':[{'port':53,'protocol':'UDP'},{'port':53,"
          "'protocol':'TCP'},{'port':80,'name':'http'}]}}");
    apply(&story, "two", "{'metadata':{'name':'s'},'spec':{'ports':[{'port':80,'targetPort':8000},{'port':9}]}}");
    expect_object(&story, "{'metadata':{'name':'s'},'spec':{'ports':[{'port':53,'protocol':'UDP'},{'port':53,"
                          "'protocol':'TCP'},{'port':80,'name':'http','targetPort':8000},{'port':9}]}}");
    /* The item stays while somebody wants it; only one's fields in it go. */
    apply(&story, "one", "{'metadata':{'name':'s'},'spec':{'ports':[{'port':53,'protocol':'TCP'}]}}");
    expect_object(&story, "{'metadata':{'name':'s'},'spec':{'ports':[{'port':53,'protocol':'TCP'},{'port':80,"
                          "'targetPort':8000},{'port':9}]}}");
    apply(&story, "two", "{'metadata':{'name':'s'}}");
    expect_object(&story, "{'metadata':{'name':'s'},'spec':{'ports':[{'port':53,'protocol':'TCP'}]}}");
    apply(&story, "one", "{'metadata':{'name':'s'}}");
    expect_object(&story, "{'metadata':{'name':'s'}}");
    story_end(&story);
}

static void an_item_takes_along_what_others_wrote_into_it(void **state)
{
    (void)state;
    struct story story = story_of("", "Pod");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'containers':[{'name':'c'},{'name':'d'}]}}");
    json_t *with_image = json_deep_copy(story.object);
    json_t *containers = json_object_get(json_object_get(with_image, "spec"), "containers");
    json_object_set_new(json_array_get(containers, 0), "image", json_string("x"));
    story.request.manager = "set-image";
    json_t *updated = managed_fields_update(story.object, with_image, &story.request);
    json_decref(with_image);
    json_decref(story.object);
    story.object = updated;
    expect_fields(&story, "set-image", "Update",
                  "{'f:spec':{'f:containers':{'k:{\\\"name\\\":\\\"c\\\"}':{'f:image':{}}}}}");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'containers':[{'name':'d'}]}}");
    expect_object(&story, "{'metadata':{'name':'a'},'spec':{'containers':[{'name':'d'}]}}");
    expect_fields(&story, "set-image", "Update", NULL);
    story_end(&story);
}

static void config_decides_the_order_of_its_items(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"[{'name':'a'},{'name':'b'}]", "[{'name':'b'},{'name':'a'}]", "[{'name':'b'},{'name':'a'}]"},
        {"[{'name':'a'},{'name':'x'},{'name':'b'}]", "[{'name':'b'},{'name':'a'}]",
         "[{'name':'b'},{'name':'a'},{'name':'x'}]"},
        {"[{'name':'x'},{'name':'a'},{'name':'y'}]", "[{'name':'n'},{'name':'a'}]",
         "[{'name':'x'},{'name':'n'},{'name':'a'},{'name':'y'}]"},
        {"[{'name':'x'}]", "[{'name':'n'}]", "[{'name':'x'},{'name':'n'}]"},
        {"[]", "[{'name':'n'}]", "[{'name':'n'}]"},
        {"[{'name':'x'}]", "[]", "[{'name':'x'}]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char live[300], config[300], expected[300];
        struct story story = story_of(NULL, "Gateway");
        snprintf(live, sizeof live, "{'metadata':{'name':'g'},'spec':{'listeners':%s}}", cases[i][0]);
        snprintf(config, sizeof config, "{'metadata':{'name':'g'},'spec':{'listeners':%s}}", cases[i][1]);
        snprintf(expected, sizeof expected, "{'metadata':{'name':'g'},'spec':{'listeners':%s}}", cases[i][2]);
        story.object = tree_of(live);
        apply(&story, "m", config);
        expect_object(&story, expected);
        json_t *again = try_apply(&story, "m", config);
        assert_ptr_equal(again, story.object);
        json_decref(again);
        story_end(&story);
    }
}

static void finalizers_are_owned_one_by_one(void **state)
{
    (void)state;
    struct story story = story_of("", "Secret");
    apply(&story, "one", "{'metadata':{'name':'s','finalizers':['a','b']}}");
    apply(&story, "two", "{'metadata':{'name':'s','finalizers':['b','c']}}");
    expect_object(&story, "{'metadata':{'name':'s','finalizers':['a','b','c']}}");
    apply(&story, "one", "{'metadata':{'name':'s'}}");
    expect_object(&story, "{'metadata':{'name':'s','finalizers':['b','c']}}");
    story_end(&story);
}

static void atomic_values_are_replaced_whole(void **state)
{
    (void)state;
    struct story story = story_of("", "Service");
    apply(&story, "m", "{'metadata':{'name':'s'},'spec':{'selector':{'a':'1','b':'2'},'externalIPs':['1','2']}}");
    apply(&story, "m", "{'metadata':{'name':'s'},'spec':{'selector':{'b':'3'},'externalIPs':['2']}}");
    expect_object(&story, "{'metadata':{'name':'s'},'spec':{'selector':{'b':'3'},'externalIPs':['2']}}");
    story_end(&story);
}

/* Another kind of write left a list that has no keys. */
static void a_list_without_keys_is_replaced(void **state)
{
    (void)state;
    struct story story = story_of("", "Service");
    story.object = tree_of("{'metadata':{'name':'s'},'spec':{'ports':[{'port':1},{'name':'x'}]}}");
    apply(&story, "m", "{'metadata':{'name':'s'},'spec':{'ports':[{'port':2}]}}");
    expect_object(&story, "{'metadata':{'name':'s'},'spec':{'ports':[{'port':2}]}}");
    story_end(&story);
}

/* ---- the status ---- */

static void the_status_is_applied_through_its_subresource_alone(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "Gateway");
    apply(&story, "m", "{'metadata':{'name':'g'},'spec':{'x':1},'status':{'conditions':[{'type':'A','status':'1'}]}}");
    expect_object(&story, "{'metadata':{'name':'g'},'spec':{'x':1}}");
    story.request.subresource = "status";
    apply(&story, "m",
          "{'metadata':{'name':'g','labels':{'l':'1'}},'spec':{'x':2},"
          "'status':{'conditions':[{'type':'A','status':'1'}]}}");
    expect_object(&story,
                  "{'metadata':{'name':'g'},'spec':{'x':1},'status':{'conditions':[{'type':'A','status':'1'}]}}");
    apply(&story, "n", "{'metadata':{'name':'g'},'status':{'conditions':[{'type':'B','status':'1'}]}}");
    expect_conflict(&story, "n",
                    "{'metadata':{'name':'g'},'status':{'conditions':[{'type':'B','status':'1'},{'type':'A','status':"
                    "'2'}]}}",
                    "Apply failed with 1 conflict: conflict with \"m\" with subresource \"status\": "
                    ".status.conditions[type=\"A\"].status");
    apply(&story, "m", "{'metadata':{'name':'g'}}");
    expect_object(&story,
                  "{'metadata':{'name':'g'},'spec':{'x':1},'status':{'conditions':[{'type':'B','status':'1'}]}}");
    story_end(&story);
}

/* ---- what the server sets ---- */

static void the_servers_own_fields_are_neither_set_nor_owned(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    story.object = tree_of("{'apiVersion':'v1','kind':'HTTPRoute','metadata':{'name':'a','uid':'1','resourceVersion':"
                           "'5','generation':2,'creationTimestamp':'x'},'spec':{'x':1}}");
    apply(&story, "m",
          "{'apiVersion':'v1beta1','kind':'HTTPRoute','metadata':{'name':'a','uid':'2','resourceVersion':"
          "'5','generation':9,'creationTimestamp':null,'managedFields':[]},'spec':{'x':1}}");
    expect_object(&story, "{'apiVersion':'v1','kind':'HTTPRoute','metadata':{'name':'a','uid':'1','resourceVersion':"
                          "'5','generation':2,'creationTimestamp':'x'},'spec':{'x':1}}");
    expect_fields(&story, "m", "Apply", "{'f:spec':{'f:x':{}}}");
    story_end(&story);
}

static void numbers_and_texts_stay_as_they_are(void **state)
{
    (void)state;
    struct story story = story_of("", "Service");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'ports':[{'port':8000}],'x':1.0,'memory':'30Gi'}}");
    char *text = json_dumps(json_object_get(story.object, "spec"), JSON_COMPACT);
    assert_string_equal(text, "{\"ports\":[{\"port\":8000}],\"x\":1.0,\"memory\":\"30Gi\"}");
    free(text);
    story_end(&story);
}

static void the_result_can_be_stamped_without_touching_the_target(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'x':1}}");
    json_t *copy = json_deep_copy(story.object);
    json_t *result = try_apply(&story, "m", "{'metadata':{'name':'a'},'spec':{'x':2}}"); /* in the same second */
    json_object_set_new(json_object_get(result, "metadata"), "resourceVersion", json_string("7"));
    assert_equal_trees(story.object, copy);
    json_decref(result);
    json_decref(copy);
    story_end(&story);
}

/* ---- moving from client-side apply ---- */

static const char client_side[] =
    "{'metadata':{'name':'a','annotations':{'kubectl.kubernetes.io/last-applied-configuration':"
    "'{\\\"metadata\\\":{\\\"name\\\":\\\"a\\\"},\\\"spec\\\":{\\\"x\\\":1,\\\"y\\\":1}}\\n'}},'spec':{'x':1,'y':1}}";

static void kubectl_does_not_conflict_with_its_client_side_self(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    update(&story, "kubectl-client-side-apply", client_side);
    expect_conflict(
        &story, "other", "{'metadata':{'name':'a'},'spec':{'x':2}}",
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using v1 at T1: .spec.x");
    apply(&story, "kubectl", "{'metadata':{'name':'a'},'spec':{'x':2,'y':1}}");
    expect_fields(&story, "kubectl", "Apply", "{'f:spec':{'f:x':{},'f:y':{}}}");
    expect_fields(&story, "kubectl-client-side-apply", "Update",
                  "{'f:metadata':{'f:annotations':{'.':{},'f:kubectl.kubernetes.io/last-applied-configuration':{}}},"
                  "'f:spec':{'.':{},'f:y':{}}}");
    story_end(&story);
}

static void kubectl_conflicts_where_somebody_edited_since(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    update(&story, "kubectl-client-side-apply", client_side);
    json_t *edited = json_deep_copy(story.object);
    json_object_set_new(json_object_get(edited, "spec"), "x", json_integer(5));
    story.request.manager = "kubectl-edit";
    json_t *updated = managed_fields_update(story.object, edited, &story.request);
    json_decref(edited);
    json_decref(story.object);
    story.object = updated;
    expect_conflict(&story, "kubectl", "{'metadata':{'name':'a'},'spec':{'x':2,'y':2}}",
                    "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using v1 at T1: .spec.x");
    story_end(&story);
}

/* The four requests of `kubectl apply --server-side` on an object that was applied on the client's side. */
static void the_migration_of_kubectl_ends_without_the_old_manager(void **state)
{
    (void)state;
    static const char config[] = "{'metadata':{'name':'a'},'spec':{'x':1}}";
    struct story story = story_of(NULL, "HTTPRoute");
    update(&story, "kubectl-client-side-apply", client_side);
    apply(&story, "kubectl", config);
    expect_object(&story, client_side);
    story.request.force = true;
    apply(&story, "kubectl-last-applied",
          "{'metadata':{'name':'a','annotations':{'kubectl.kubernetes.io/last-applied-configuration':"
          "'{\\\"metadata\\\":{\\\"name\\\":\\\"a\\\"},\\\"spec\\\":{\\\"x\\\":1,\\\"y\\\":1}}\\n'}}}");
    story.request.force = false;

    json_t *list = json_deep_copy(json_object_get(json_object_get(story.object, "metadata"), "managedFields"));
    json_t *moved = json_object_get(json_array_get(list, 0), "fieldsV1");
    json_object_set(json_array_get(list, 1), "fieldsV1", moved); /* kubectl's union: all of the old entry */
    json_array_remove(list, 0);
    json_t *patch = json_pack("[{s:s,s:s,s:o}]", "op", "replace", "path", "/metadata/managedFields", "value", list);
    json_t *patched = json_patch(story.object, patch, story.error);
    assert_non_null(patched);
    json_decref(patch);
    story.request.manager = "kubectl";
    json_t *updated = managed_fields_update(story.object, patched, &story.request);
    json_decref(patched);
    json_decref(story.object);
    story.object = updated;
    expect_fields(&story, "kubectl-client-side-apply", "Update", NULL);

    apply(&story, "kubectl", config);
    expect_object(&story, "{'metadata':{'name':'a','annotations':{'kubectl.kubernetes.io/last-applied-configuration':"
                          "'{\\\"metadata\\\":{\\\"name\\\":\\\"a\\\"},\\\"spec\\\":{\\\"x\\\":1,\\\"y\\\":1}}\\n'}},"
                          "'spec':{'x':1}}");
    expect_fields(&story, "kubectl", "Apply", "{'f:spec':{'f:x':{}}}");
    json_t *again = try_apply(&story, "kubectl", config);
    assert_ptr_equal(again, story.object);
    json_decref(again);
    story_end(&story);
}

/* ---- mistakes ---- */

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *config, *error;
    } cases[] = {
        {"[]", "an applied configuration is an object"},
        {"{'metadata':[]}", "metadata: must be an object"},
        {"{'metadata':{'managedFields':[{}]}}", "metadata.managedFields: an applied configuration must not have it"},
        {"{'metadata':{'managedFields':'x'}}", "metadata.managedFields: an applied configuration must not have it"},
        {"{'spec':{'containers':[{'name':'a'},{'image':'x'}]}}", "spec.containers[1]: the key \"name\" is missing"},
        {"{'spec':{'containers':[{'name':null}]}}", "spec.containers[0]: the key \"name\" is missing"},
        {"{'spec':{'containers':['a']}}", "spec.containers[0]: the key \"name\" is missing"},
        {"{'spec':{'containers':[{'name':[]}]}}",
         "spec.containers[0]: a key of the item is no string, number or boolean"},
        {"{'spec':{'containers':[{'name':'a'},{'name':'a'}]}}",
         "spec.containers[1]: another item of the list has the same key {\"name\":\"a\"}"},
        {"{'spec':{'containers':[{'name':'a','ports':[{'containerPort':1},{'containerPort':1,'protocol':'TCP'}]}]}}",
         "spec.containers[0].ports[1]: another item of the list has the same key "
         "{\"containerPort\":1,\"protocol\":\"TCP\"}"},
        {"{'metadata':{'finalizers':['a','a']}}",
         "metadata.finalizers[1]: another item of the list has the same key \"a\""},
        {"{'metadata':{'finalizers':[{}]}}", "metadata.finalizers[0]: must be a string, a number or a boolean"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct story story = story_of("", "Pod");
        assert_null(try_apply(&story, "m", cases[i].config));
        assert_null(story.conflicts);
        assert_string_equal(story.error, cases[i].error);
        story_end(&story);
    }
}

static void a_manager_has_a_name(void **state)
{
    (void)state;
    char long_name[FIELD_MANAGER_MAX_LEN + 2];
    memset(long_name, 'm', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const bad[] = {"", "\xff", long_name};
    struct story story = story_of("", "Pod");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_null(try_apply(&story, bad[i], "{'metadata':{'name':'a'}}"));
        assert_string_equal(story.error, "fieldManager: must be 1..128 bytes of UTF-8");
    }
    apply(&story, long_name + 1, "{'metadata':{'name':'a'},'spec':{'x':1}}");
    /* An update has no way to refuse. */
    update(&story, "\xff", "{'metadata':{'name':'a'},'spec':{'x':2}}");
    expect_fields(&story, "unknown", "Update", "{'f:spec':{'f:x':{}}}");
    story_end(&story);
}

/* Time grows with the length of lists, not with its square. */
static void long_lists_apply_quickly(void **state)
{
    (void)state;
    enum { ITEMS = 20000 };
    json_t *ports = json_array();
    for (int i = 0; i < ITEMS; i++)
        json_array_append_new(ports, json_pack("{s:i}", "port", i));
    json_t *config = json_pack("{s:{s:s},s:{s:o}}", "metadata", "name", "a", "spec", "ports", ports);
    struct story story = story_of("", "Service");
    story.request.manager = "m";
    story.object = apply_patch(NULL, config, &story.request, story.arena, &story.conflicts, story.error);
    assert_non_null(story.object);
    json_array_remove(ports, 5);
    json_t *fewer = apply_patch(story.object, config, &story.request, story.arena, &story.conflicts, story.error);
    assert_int_equal(json_array_size(json_object_get(json_object_get(fewer, "spec"), "ports")), ITEMS - 1);
    json_decref(fewer);
    json_decref(config);
    story_end(&story);
}

static void there_are_only_so_many_managers(void **state)
{
    (void)state;
    struct story story = story_of(NULL, "HTTPRoute");
    char manager[20], config[100];
    for (int i = 0; i < MANAGED_FIELDS_MAX; i++) {
        snprintf(manager, sizeof manager, "m%d", i);
        snprintf(config, sizeof config, "{'metadata':{'name':'a'},'spec':{'f%d':1}}", i);
        apply(&story, manager, config);
    }
    assert_null(try_apply(&story, "one more", "{'metadata':{'name':'a'},'spec':{'x':1}}"));
    assert_string_equal(story.error, "metadata.managedFields: more than 30 managers apply this object");
    /* Those who are in go on. */
    apply(&story, "m7", "{'metadata':{'name':'a'},'spec':{'f7':2}}");
    /* An update has no place left: the field is nobody's, the list stays valid. */
    json_t *after = json_deep_copy(story.object);
    json_object_set_new(json_object_get(after, "spec"), "u", json_integer(1));
    story.request.manager = "u";
    json_t *updated = managed_fields_update(story.object, after, &story.request);
    json_decref(after);
    json_decref(story.object);
    story.object = updated;
    expect_fields(&story, "u", "Update", NULL);
    expect_fields(&story, "m7", "Apply", "{'f:spec':{'f:f7':{}}}");
    story_end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_apply_makes_the_object),
        cmocka_unit_test(the_same_apply_is_no_write),
        cmocka_unit_test(a_manager_changes_its_own_fields),
        cmocka_unit_test(dropped_fields_go_when_nobody_else_owns_them),
        cmocka_unit_test(what_nobody_owns_stays),
        cmocka_unit_test(an_empty_map_is_a_value),
        cmocka_unit_test(an_empty_map_of_nobody_stays),
        cmocka_unit_test(a_null_counts_as_absent),
        cmocka_unit_test(a_field_of_another_manager_conflicts),
        cmocka_unit_test(force_takes_the_field),
        cmocka_unit_test(the_same_value_is_owned_together),
        cmocka_unit_test(an_update_of_the_same_manager_is_another_manager),
        cmocka_unit_test(conflicts_reach_into_keyed_lists),
        cmocka_unit_test(keyed_lists_merge_item_by_item),
        cmocka_unit_test(an_item_takes_along_what_others_wrote_into_it),
        cmocka_unit_test(config_decides_the_order_of_its_items),
        cmocka_unit_test(finalizers_are_owned_one_by_one),
        cmocka_unit_test(atomic_values_are_replaced_whole),
        cmocka_unit_test(a_list_without_keys_is_replaced),
        cmocka_unit_test(the_status_is_applied_through_its_subresource_alone),
        cmocka_unit_test(the_servers_own_fields_are_neither_set_nor_owned),
        cmocka_unit_test(numbers_and_texts_stay_as_they_are),
        cmocka_unit_test(the_result_can_be_stamped_without_touching_the_target),
        cmocka_unit_test(kubectl_does_not_conflict_with_its_client_side_self),
        cmocka_unit_test(kubectl_conflicts_where_somebody_edited_since),
        cmocka_unit_test(the_migration_of_kubectl_ends_without_the_old_manager),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(a_manager_has_a_name),
        cmocka_unit_test(long_lists_apply_quickly),
        cmocka_unit_test(there_are_only_so_many_managers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
