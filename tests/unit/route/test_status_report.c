/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_report.c: statuses as JSON in Kubernetes' shape and as problems for people; the snapshot as JSON. */
#include "fixture.h"

#include "base/json_read.h"

#define ROUTE_TEXT                                                                                                     \
    ROUTE("r", "{parentRefs: [{name: g, sectionName: http}], hostnames: [a.example.com], rules: [{matches: [{path: "   \
               "{type: Exact, value: /v1}, method: POST, headers: [{name: h, value: v}]}], backendRefs: [{group: "     \
               "inference.networking.x-k8s.io, kind: InferencePool, name: p}]}]}")

static json_t *written(struct buffer *out)
{
    char error[200];
    json_t *tree = json_read(buffer_bytes(out), error);
    if (tree == NULL)
        fail_msg("%s in %.*s", error, BYTES_ARG(buffer_bytes(out)));
    buffer_deinit(out);
    return tree;
}

static json_t *report_tree(struct fixture *fixture)
{
    struct buffer out = {0};
    struct json_writer writer;
    jw_init(&writer, &out);
    status_report_write(fixture->report, &writer);
    return written(&out);
}

static json_t *status_of(json_t *report, const char *kind)
{
    size_t index;
    json_t *item;
    json_array_foreach(report, index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "kind")), kind) == 0)
            return json_object_get(item, "status");
    }
    fail_msg("no %s", kind);
    return NULL;
}

static const char *text(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void statuses_have_the_shape_of_their_kinds(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") ROUTE_TEXT);
    fixture_compile(fixture);
    json_t *report = report_tree(fixture);
    json_t *gateway = status_of(report, "Gateway");
    assert_string_equal(text(json_array_get(json_object_get(gateway, "addresses"), 0), "value"), "127.0.0.1");
    assert_int_equal(json_array_size(json_object_get(gateway, "conditions")), 2);
    json_t *listener = json_array_get(json_object_get(gateway, "listeners"), 0);
    assert_int_equal(json_integer_value(json_object_get(listener, "attachedRoutes")), 1);
    assert_string_equal(text(json_array_get(json_object_get(listener, "supportedKinds"), 0), "kind"), "HTTPRoute");
    json_t *parent = json_array_get(json_object_get(status_of(report, "HTTPRoute"), "parents"), 0);
    assert_string_equal(text(json_object_get(parent, "parentRef"), "sectionName"), "http");
    assert_null(json_object_get(json_object_get(parent, "parentRef"), "namespace"));
    assert_non_null(text(parent, "controllerName"));
    json_t *pool = json_array_get(json_object_get(status_of(report, "InferencePool"), "parent"), 0);
    assert_string_equal(text(json_object_get(pool, "parentRef"), "namespace"), "default");
    assert_string_equal(text(json_array_get(json_object_get(pool, "conditions"), 0), "type"), "Accepted");
    assert_string_equal(
        text(json_array_get(json_object_get(status_of(report, "GatewayClass"), "conditions"), 0), "status"), "True");
    json_decref(report);
}

static void a_fault_is_one_problem_even_when_it_turns_several_conditions(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY_HEAD("g") "spec: {gatewayClassName: c, listeners: [{name: a, port: 80, "
                                                   "protocol: HTTP}, {name: b, port: 81, protocol: UDP}]}\n---\n" ROUTE(
                                                       "r", "{parentRefs: [{name: g, sectionName: a}], rules: "
                                                            "[{backendRefs: [{name: none, port: 80}]}]}"));
    fixture_compile(fixture);
    struct problems problems;
    problems_init(&problems, fixture->arena);
    status_report_problems(fixture->report, &problems);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.first->object, "HTTPRoute default/r");
    assert_string_equal(problems.first->reason, "BackendNotFound");
    assert_string_equal(problems.first->message, "spec.rules[0].backendRefs[0]: Service default/none does not exist");
    assert_string_equal(problems.first->next->object, "Gateway default/g");
    assert_string_equal(problems.first->next->field, "spec.listeners[1]");
    assert_string_equal(problems.first->next->reason, "UnsupportedProtocol");
}

static void a_sound_configuration_has_no_problem(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") ROUTE_TEXT MODEL("m", "{modelName: m, poolRef: {name: p}}"));
    fixture_compile(fixture);
    struct problems problems;
    problems_init(&problems, fixture->arena);
    status_report_problems(fixture->report, &problems);
    assert_int_equal(problems.count, 0);
}

static void the_snapshot_shows_sockets_listeners_matches_and_arms(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") ROUTE_TEXT MODEL("m", "{modelName: m, poolRef: {name: p}}"));
    fixture_compile(fixture);
    struct buffer out = {0};
    struct json_writer writer;
    jw_init(&writer, &out);
    route_snapshot_write(fixture->snapshot, &writer);
    json_t *tree = written(&out);
    json_t *socket = json_array_get(json_object_get(tree, "sockets"), 0);
    assert_string_equal(text(socket, "address"), "127.0.0.1");
    json_t *listener = json_array_get(json_object_get(socket, "listeners"), 0);
    assert_string_equal(text(listener, "gateway"), "default/g");
    json_t *match = json_array_get(json_object_get(listener, "matches"), 0);
    assert_string_equal(text(match, "hostname"), "a.example.com");
    assert_string_equal(text(match, "pathType"), "Exact");
    assert_string_equal(text(match, "path"), "/v1");
    assert_string_equal(text(match, "method"), "POST");
    json_t *arm = json_array_get(json_object_get(match, "arms"), 0);
    assert_string_equal(text(arm, "id"), "pool/default/p");
    assert_string_equal(text(json_array_get(json_object_get(arm, "models"), 0), "object"), "InferenceModel default/m");
    json_decref(tree);
}

static void an_empty_cache_gives_an_empty_snapshot_and_report(void **state)
{
    struct fixture *fixture = *state;
    fixture_compile(fixture);
    assert_int_equal(fixture->report->len, 0);
    assert_int_equal(fixture->snapshot->port_count, 0);
    assert_true(status_report_is_programmed(fixture->report));
    assert_string_equal(WINNER(fixture, .path = "/"), "no listener");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(statuses_have_the_shape_of_their_kinds),
        FIXTURE_TEST(a_fault_is_one_problem_even_when_it_turns_several_conditions),
        FIXTURE_TEST(a_sound_configuration_has_no_problem),
        FIXTURE_TEST(the_snapshot_shows_sockets_listeners_matches_and_arms),
        FIXTURE_TEST(an_empty_cache_gives_an_empty_snapshot_and_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
