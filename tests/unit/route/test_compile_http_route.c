/* SPDX-License-Identifier: Apache-2.0 */
/* test_compile_http_route.c: attachment of routes to listeners, their conditions, backends and permissions. */
#include "fixture.h"

#define BACKEND "backendRefs: [{name: s, port: 80}]"
#define RULES   "rules: [{" BACKEND "}]"
#define PARENT  "parentRefs: [{name: g}], "

static const char *route(struct fixture *fixture, const char *name, const char *type)
{
    return fixture_condition(fixture, KUBE_HTTP_ROUTE, name, "g", type);
}

static const char *message(struct fixture *fixture, const char *name, const char *type)
{
    const struct object_status *status = status_report_find(fixture->report, KUBE_HTTP_ROUTE, "default", name);
    return object_status_condition(status, "g", type)->message;
}

static void compile(struct fixture *fixture, const char *yaml)
{
    fixture_apply(fixture, CLASS GATEWAY SERVICE("s"));
    fixture_apply(fixture, yaml);
    fixture_compile(fixture);
}

static void a_route_is_accepted_and_counted(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, ROUTE("a", "{" PARENT RULES "}") ROUTE("b", "{" PARENT RULES "}"));
    assert_string_equal(route(fixture, "a", "Accepted"), "True/Accepted");
    assert_string_equal(route(fixture, "a", "ResolvedRefs"), "True/ResolvedRefs");
    assert_int_equal(fixture_listener(fixture, "g", "http")->attached_routes, 2);
}

static void a_reference_to_no_listener_matches_no_parent(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, ROUTE("section", "{parentRefs: [{name: g, sectionName: other}], " RULES "}")
                         ROUTE("port", "{parentRefs: [{name: g, port: 81}], " RULES "}")
                             ROUTE("both", "{parentRefs: [{name: g, sectionName: http, port: 81}], " RULES "}"));
    assert_string_equal(route(fixture, "section", "Accepted"), "False/NoMatchingParent");
    assert_string_equal(route(fixture, "port", "Accepted"), "False/NoMatchingParent");
    assert_string_equal(route(fixture, "both", "Accepted"), "False/NoMatchingParent");
    assert_string_equal(route(fixture, "both", "ResolvedRefs"), "True/ResolvedRefs");
    assert_int_equal(fixture_listener(fixture, "g", "http")->attached_routes, 0);
}

static void a_missing_gateway_is_named_stand_alone_only(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, ROUTE("r", "{parentRefs: [{name: g}, {name: other}], " RULES "}"));
    assert_string_equal(fixture_condition(fixture, KUBE_HTTP_ROUTE, "r", "other", "Accepted"),
                        "False/NoMatchingParent");
    fixture->controller_name = "example.com/any";
    fixture_compile(fixture);
    assert_string_equal(fixture_condition(fixture, KUBE_HTTP_ROUTE, "r", "other", "Accepted"), "absent");
    assert_string_equal(route(fixture, "r", "Accepted"), "True/Accepted");
}

static void a_parent_of_another_kind_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, ROUTE("r", "{parentRefs: [{group: '', kind: Service, name: s}], " RULES "}"));
    const struct object_status *status = status_report_find(fixture->report, KUBE_HTTP_ROUTE, "default", "r");
    assert_int_equal(status->parent_count, 0);
}

static void a_route_of_another_namespace_needs_the_listeners_leave(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                     "metadata: {name: r, namespace: other}\n"
                     "spec: {parentRefs: [{name: g, namespace: default}], rules: [{}]}\n");
    const struct object_status *status = status_report_find(fixture->report, KUBE_HTTP_ROUTE, "other", "r");
    assert_string_equal(object_status_condition(status, "g", "Accepted")->reason, "NotAllowedByListeners");
    assert_string_equal(object_status_condition(status, "g", "ResolvedRefs")->reason, "ResolvedRefs");
    assert_true(status->parents[0].namespace_given);
    static const char *const allowed[][2] = {
        {"{from: All}", "Accepted"},
        {"{from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: other}}}", "Accepted"},
        {"{from: Selector, selector: {matchLabels: {team: a}}}", "Accepted"},
        {"{from: Selector, selector: {matchLabels: {team: b}}}", "NotAllowedByListeners"},
        {"{from: None}", "NotAllowedByListeners"},
    };
    fixture_apply(fixture, "apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {team: a, app: x}}\n");
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml,
                 GATEWAY_HEAD("g") "spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP, "
                                   "allowedRoutes: {namespaces: %s}}]}\n",
                 allowed[i][0]);
        fixture_apply(fixture, yaml);
        fixture_compile(fixture);
        status = status_report_find(fixture->report, KUBE_HTTP_ROUTE, "other", "r");
        assert_string_equal(object_status_condition(status, "g", "Accepted")->reason, allowed[i][1]);
    }
}

static void hostnames_without_an_intersection_are_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS SERVICE("s")
                               GATEWAY_HEAD("g") "spec: {gatewayClassName: c, listeners: [{name: a, port: 80, "
                                                 "protocol: HTTP, hostname: foo.example.com},\n"
                                                 "  {name: b, port: 80, protocol: HTTP, hostname: '*.bar.com'}]}\n");
    fixture_apply(fixture, ROUTE("none", "{" PARENT "hostnames: [bar.com, x.org], " RULES "}")
                               ROUTE("one", "{" PARENT "hostnames: [x.org, '*.example.com'], " RULES "}")
                                   ROUTE("all", "{" PARENT RULES "}"));
    fixture_compile(fixture);
    assert_string_equal(route(fixture, "none", "Accepted"), "False/NoMatchingListenerHostname");
    assert_string_equal(route(fixture, "one", "Accepted"), "True/Accepted");
    assert_int_equal(fixture_listener(fixture, "g", "a")->attached_routes, 2);
    assert_int_equal(fixture_listener(fixture, "g", "b")->attached_routes, 1);
}

static void two_references_to_one_gateway_have_a_status_each_and_count_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture,
                  CLASS SERVICE("s")
                      GATEWAY_HEAD("g") "spec: {gatewayClassName: c, listeners: [{name: a, port: 80, protocol: HTTP},\n"
                                        "  {name: b, port: 81, protocol: HTTP}]}\n");
    fixture_apply(fixture,
                  ROUTE("r", "{parentRefs: [{name: g, sectionName: a}, {name: g, sectionName: b}], " RULES "}"));
    fixture_compile(fixture);
    const struct object_status *status = status_report_find(fixture->report, KUBE_HTTP_ROUTE, "default", "r");
    assert_int_equal(status->parent_count, 2);
    assert_string_equal(status->parents[1].ref_section, "b");
    assert_int_equal(fixture_listener(fixture, "g", "a")->attached_routes, 1);
    assert_int_equal(fixture_listener(fixture, "g", "b")->attached_routes, 1);
    assert_string_equal(WINNER(fixture, .socket_id = 1), "default/r rules[0]");
}

static void routes_count_on_a_listener_that_is_not_programmed(void **state)
{
    struct fixture *fixture = *state;
    fixture->taken_port = 80;
    compile(fixture, ROUTE("r", "{" PARENT RULES "}"));
    assert_string_equal(route(fixture, "r", "Accepted"), "True/Accepted");
    assert_int_equal(fixture_listener(fixture, "g", "http")->attached_routes, 1);
}

static void filters_keep_the_route_out_and_are_named(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, ROUTE("rule", "{" PARENT
                                   "rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: x.org}}]}]}")
                         ROUTE("backend", "{" PARENT "rules: [{backendRefs: [{name: s, port: 80, filters: [{type: "
                                          "RequestHeaderModifier, requestHeaderModifier: {remove: [x]}}]}]}]}"));
    assert_string_equal(route(fixture, "rule", "Accepted"), "False/UnsupportedValue");
    assert_string_equal(message(fixture, "rule", "Accepted"),
                        "spec.rules[0].filters[0]: RequestRedirect is not supported yet");
    assert_string_equal(route(fixture, "backend", "Accepted"), "False/UnsupportedValue");
    assert_int_equal(fixture_listener(fixture, "g", "http")->attached_routes, 0);
    assert_string_equal(WINNER(fixture, .path = "/"), "no match");
}

static void an_invalid_pattern_keeps_the_route_out_and_is_named(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture,
            ROUTE("path", "{" PARENT "rules: [{matches: [{path: {type: RegularExpression, value: '/(a'}}]}]}") ROUTE(
                "query",
                "{" PARENT "rules: [{matches: [{queryParams: [{type: RegularExpression, name: q, value: '*'}]}]}]}"));
    assert_string_equal(route(fixture, "path", "Accepted"), "False/UnsupportedValue");
    assert_non_null(strstr(message(fixture, "path", "Accepted"), "spec.rules[0].matches[0].path.value: "));
    assert_non_null(strstr(message(fixture, "query", "Accepted"), "spec.rules[0].matches[0].queryParams[0].value: "));
}

static const struct pool_arm *first_arm(struct fixture *fixture, const char *path)
{
    struct route_match match = fixture_match(fixture, &(struct asked){.path = path});
    assert_int_equal(match.outcome, ROUTE_MATCHED);
    return &match.rule->arms[0];
}

static void a_broken_backend_is_reported_and_keeps_its_share(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *ref, *reason;
    } cases[] = {
        {"{name: missing, port: 80}", "BackendNotFound"},
        {"{name: s, port: 81}", "BackendNotFound"},
        {"{name: outside, port: 80}", "BackendNotFound"},
        {"{group: inference.networking.k8s.io, kind: InferencePool, name: p}", "BackendNotFound"},
        {"{group: inference.networking.x-k8s.io, kind: InferencePool, name: missing}", "BackendNotFound"},
        {"{group: unknown.io, kind: Thing, name: x}", "InvalidKind"},
        {"{name: s, port: 80, namespace: other}", "RefNotPermitted"},
    };
    fixture_apply(fixture, CLASS GATEWAY SERVICE("s")
                               POOL_X("p") "apiVersion: v1\nkind: Service\nmetadata: {name: outside}\n"
                                           "spec: {type: ExternalName, externalName: x.org, ports: [{port: 80}]}\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml, ROUTE("r", "{" PARENT "rules: [{backendRefs: [%s, {name: s, port: 80}]}]}"),
                 cases[i].ref);
        fixture_apply(fixture, yaml);
        fixture_compile(fixture);
        assert_string_equal(route(fixture, "r", "Accepted"), "True/Accepted");
        assert_string_equal(route(fixture, "r", "ResolvedRefs") + strlen("False/"), cases[i].reason);
        const struct pool_arm *arm = first_arm(fixture, "/");
        assert_int_equal(arm->kind, POOL_ARM_INVALID);
        assert_string_equal(arm->invalid_reason, cases[i].reason);
        assert_int_equal(arm->weight, 1);
        assert_null(arm->pool);
    }
}

static void a_service_backend_becomes_a_pool_of_that_port(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, ROUTE("r", "{" PARENT RULES "}"));
    const struct pool_arm *arm = first_arm(fixture, "/");
    assert_int_equal(arm->kind, POOL_ARM_SERVICE);
    assert_string_equal(arm->pool->key, "service/default/s:80");
    assert_null(arm->models);
}

#define GRANT(from_group, from_kind, from_namespace, to_group, to_kind, to_rest)                                       \
    "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n"                                            \
    "metadata: {name: grant, namespace: other}\n"                                                                      \
    "spec: {from: [{group: '" from_group "', kind: " from_kind ", namespace: " from_namespace "}],\n"                  \
    "  to: [{group: '" to_group "', kind: " to_kind to_rest "}]}\n"

static void only_a_fitting_grant_permits_another_namespace(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *grant;
        const char *resolved;
    } cases[] = {
        {GRANT("gateway.networking.k8s.io", "HTTPRoute", "default", "", "Service", ""), "True/ResolvedRefs"},
        {GRANT("gateway.networking.k8s.io", "HTTPRoute", "default", "", "Service", ", name: s"), "True/ResolvedRefs"},
        {GRANT("gateway.networking.k8s.io", "HTTPRoute", "default", "", "Service", ", name: t"),
         "False/RefNotPermitted"},
        {GRANT("gateway.networking.k8s.io", "HTTPRoute", "default", "", "Secret", ""), "False/RefNotPermitted"},
        {GRANT("gateway.networking.k8s.io", "HTTPRoute", "default", "x.io", "Service", ""), "False/RefNotPermitted"},
        {GRANT("gateway.networking.k8s.io", "HTTPRoute", "third", "", "Service", ""), "False/RefNotPermitted"},
        {GRANT("gateway.networking.k8s.io", "GRPCRoute", "default", "", "Service", ""), "False/RefNotPermitted"},
        {GRANT("x.io", "HTTPRoute", "default", "", "Service", ""), "False/RefNotPermitted"},
    };
    compile(fixture,
            "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: other}\nspec: {ports: [{port: "
            "80}]}\n---\n" ROUTE("r", "{" PARENT "rules: [{backendRefs: [{name: s, namespace: other, port: 80}]}]}"));
    assert_string_equal(route(fixture, "r", "ResolvedRefs"), "False/RefNotPermitted");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_apply(fixture, cases[i].grant);
        fixture_compile(fixture);
        assert_string_equal(route(fixture, "r", "ResolvedRefs"), cases[i].resolved);
    }
    object_cache_remove(fixture->cache, KUBE_REFERENCE_GRANT, "other", "grant");
    fixture_compile(fixture);
    assert_string_equal(route(fixture, "r", "ResolvedRefs"), "False/RefNotPermitted");
}

static void a_route_without_backends_is_resolved_and_has_no_arm(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture, ROUTE("r", "{" PARENT "rules: [{}]}"));
    assert_string_equal(route(fixture, "r", "ResolvedRefs"), "True/ResolvedRefs");
    struct route_match match = fixture_match(fixture, &(struct asked){.path = "/"});
    struct split_choice choice = DRAW(fixture, match.rule, .model = "m");
    assert_int_equal(choice.outcome, SPLIT_NO_ARM);
    assert_null(choice.arm);
}

static void two_references_to_one_backend_are_one_arm(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture,
            ROUTE("r", "{" PARENT
                       "rules: [{backendRefs: [{name: s, port: 80, weight: 3}, {name: s, port: 80, weight: 4}]}]}"));
    struct route_match match = fixture_match(fixture, &(struct asked){.path = "/"});
    assert_int_equal(match.rule->arm_count, 1);
    assert_int_equal(match.rule->arms[0].weight, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_route_is_accepted_and_counted),
        FIXTURE_TEST(a_reference_to_no_listener_matches_no_parent),
        FIXTURE_TEST(a_missing_gateway_is_named_stand_alone_only),
        FIXTURE_TEST(a_parent_of_another_kind_is_left_alone),
        FIXTURE_TEST(a_route_of_another_namespace_needs_the_listeners_leave),
        FIXTURE_TEST(hostnames_without_an_intersection_are_refused),
        FIXTURE_TEST(two_references_to_one_gateway_have_a_status_each_and_count_once),
        FIXTURE_TEST(routes_count_on_a_listener_that_is_not_programmed),
        FIXTURE_TEST(filters_keep_the_route_out_and_are_named),
        FIXTURE_TEST(an_invalid_pattern_keeps_the_route_out_and_is_named),
        FIXTURE_TEST(a_broken_backend_is_reported_and_keeps_its_share),
        FIXTURE_TEST(a_service_backend_becomes_a_pool_of_that_port),
        FIXTURE_TEST(only_a_fitting_grant_permits_another_namespace),
        FIXTURE_TEST(a_route_without_backends_is_resolved_and_has_no_arm),
        FIXTURE_TEST(two_references_to_one_backend_are_one_arm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
