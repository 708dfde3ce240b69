/* SPDX-License-Identifier: Apache-2.0 */
/* test_events_view.c: an Event in the words of core/v1 and of events.k8s.io/v1. */
#include "unit/kube/apiserver/tree.h"

#include "base/compiler.h"
#include "kube/apiserver/events_view.h"

static const char core_event[] =
    "{'apiVersion':'v1','kind':'Event','metadata':{'name':'qwen.17','namespace':'default'},"
    "'involvedObject':{'kind':'Deployment','name':'qwen'},'reason':'Scaled','message':'up','type':'Normal','count':4,"
    "'firstTimestamp':'2026-01-02T03:04:05Z','lastTimestamp':'2026-01-02T03:05:05Z','eventTime':null,"
    "'source':{'component':'deployment-controller','host':'n1'},'reportingComponent':'dc','reportingInstance':'dc-1',"
    "'action':'Scale','series':{'count':2},'related':{'name':'x'},'other':1}";
static const char events_event[] =
    "{'apiVersion':'events.k8s.io/v1','kind':'Event','metadata':{'name':'qwen.17','namespace':'default'},"
    "'regarding':{'kind':'Deployment','name':'qwen'},'reason':'Scaled','note':'up','type':'Normal','deprecatedCount':4,"
    "'deprecatedFirstTimestamp':'2026-01-02T03:04:05Z','deprecatedLastTimestamp':'2026-01-02T03:05:05Z',"
    "'eventTime':null,'deprecatedSource':{'component':'deployment-controller','host':'n1'},"
    "'reportingController':'dc','reportingInstance':'dc-1','action':'Scale','series':{'count':2},"
    "'related':{'name':'x'},'other':1}";

static void every_field_has_its_name_in_both_vocabularies(void **state)
{
    (void)state;
    json_t *core = tree_of(core_event), *events = tree_of(events_event);
    json_t *view = events_view_from_core(core), *back = events_view_to_core(events);
    assert_true(json_equal(view, events));
    assert_true(json_equal(back, core));
    json_decref(view);
    json_decref(back);
    json_decref(core);
    json_decref(events);
}

static void an_old_recorder_is_the_controller_of_the_view(void **state)
{
    (void)state;
    static const char *const events[] = {"{'source':{'component':'kubelet'}}",
                                         "{'source':{'component':'kubelet'},'reportingComponent':''}"};
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        json_t *core = tree_of(events[i]);
        json_t *view = events_view_from_core(core);
        expect_at(view, "reportingController", "'kubelet'");
        expect_at(view, "deprecatedSource", "{'component':'kubelet'}");
        json_decref(view);
        json_decref(core);
    }
}

static void nothing_is_shared_with_the_first_tree(void **state)
{
    (void)state;
    json_t *core = tree_of(core_event);
    json_t *view = events_view_from_core(core);
    json_object_set_new(json_object_get(view, "metadata"), "resourceVersion", json_string("7"));
    expect_nothing_at(core, "metadata resourceVersion");
    json_decref(view);
    json_decref(core);
}

static void what_is_no_object_has_no_view(void **state)
{
    (void)state;
    json_t *list = tree_of("[]");
    assert_null(events_view_from_core(list));
    assert_null(events_view_to_core(list));
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_its_name_in_both_vocabularies),
        cmocka_unit_test(an_old_recorder_is_the_controller_of_the_view),
        cmocka_unit_test(nothing_is_shared_with_the_first_tree),
        cmocka_unit_test(what_is_no_object_has_no_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
