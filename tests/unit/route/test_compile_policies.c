/* SPDX-License-Identifier: Apache-2.0 */
/* test_compile_policies.c: which policy applies where, and the policies' statuses. */
#include "fixture.h"

#define BUFFER(name, target, limit)                                                                                    \
    "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: ClientTrafficPolicy\n"                                          \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, " target                                    \
    "}], connection: {bufferLimit: " limit "}}\n---\n"
#define TIMEOUT(name, target, timeout)                                                                                 \
    "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n"                                         \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {targetRef: {group: gateway.networking.k8s.io, " target "}, timeout: {http: {requestTimeout: " timeout      \
    "}}}\n---\n"
#define BASE                                                                                                           \
    CLASS SERVICE("s")                                                                                                 \
        GATEWAY_HEAD("g") "spec: {gatewayClassName: c, listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, "    \
                          "port: 81, protocol: "                                                                       \
                          "HTTP}]}\n---\n" ROUTE(                                                                      \
                              "r",                                                                                     \
                              "{parentRefs: [{name: g}], rules: [{name: one}, {matches: [{path: {value: /own}}], "     \
                              "timeouts: {request: 3s, backendRequest: 2s}}, {matches: [{path: {value: /off}}], "      \
                              "timeouts: {request: 0s}}]}")

static uint64_t buffer_limit(struct fixture *fixture, unsigned socket_id)
{
    return fixture_match(fixture, &(struct asked){.socket_id = socket_id}).buffer_limit_bytes;
}

static uint64_t timeout_ms(struct fixture *fixture, unsigned socket_id, const char *path)
{
    return fixture_match(fixture, &(struct asked){.socket_id = socket_id, .path = path}).rule->request_timeout_ms;
}

static const char *client(struct fixture *fixture, const char *name, const char *ref)
{
    return fixture_condition(fixture, KUBE_CLIENT_TRAFFIC_POLICY, name, ref, "Accepted");
}

static const char *backend(struct fixture *fixture, const char *name, const char *ref)
{
    return fixture_condition(fixture, KUBE_BACKEND_TRAFFIC_POLICY, name, ref, "Accepted");
}

static void without_policies_the_defaults_hold(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, BASE);
    fixture_compile(fixture);
    assert_int_equal(buffer_limit(fixture, 0), 64 << 20);
    assert_int_equal(timeout_ms(fixture, 0, "/"), 0);
    assert_int_equal(timeout_ms(fixture, 0, "/own"), 3000);
    assert_int_equal(fixture_match(fixture, &(struct asked){.path = "/own"}).rule->backend_timeout_ms, 2000);
}

static void a_buffer_limit_applies_to_its_gateway_or_listener(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, BASE BUFFER("all", "name: g", "20Mi"));
    fixture_compile(fixture);
    assert_int_equal(buffer_limit(fixture, 0), 20 << 20);
    assert_int_equal(buffer_limit(fixture, 1), 20 << 20);
    fixture_apply(fixture, BUFFER("one", "name: g, sectionName: b", "1Mi"));
    fixture_compile(fixture);
    assert_int_equal(buffer_limit(fixture, 0), 20 << 20);
    assert_int_equal(buffer_limit(fixture, 1), 1 << 20);
    assert_string_equal(client(fixture, "all", "g"), "True/Accepted");
    assert_string_equal(client(fixture, "one", "g"), "True/Accepted");
}

static void the_most_specific_timeout_wins(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, BASE TIMEOUT("gateway", "kind: Gateway, name: g", "24h"));
    fixture_compile(fixture);
    assert_int_equal(timeout_ms(fixture, 0, "/"), 86400000);
    assert_int_equal(timeout_ms(fixture, 0, "/own"), 3000);
    assert_int_equal(timeout_ms(fixture, 0, "/off"), 0);
    fixture_apply(fixture, TIMEOUT("listener", "kind: Gateway, name: g, sectionName: b", "1h"));
    fixture_compile(fixture);
    assert_int_equal(timeout_ms(fixture, 0, "/"), 86400000);
    assert_int_equal(timeout_ms(fixture, 1, "/"), 3600000);
    fixture_apply(fixture, TIMEOUT("route", "kind: HTTPRoute, name: r", "10s"));
    fixture_compile(fixture);
    assert_int_equal(timeout_ms(fixture, 1, "/"), 10000);
    fixture_apply(fixture, TIMEOUT("rule", "kind: HTTPRoute, name: r, sectionName: one", "5s"));
    fixture_compile(fixture);
    assert_int_equal(timeout_ms(fixture, 1, "/"), 5000);
    assert_int_equal(timeout_ms(fixture, 1, "/own"), 3000);
    assert_string_equal(backend(fixture, "gateway", "g"), "True/Accepted");
    assert_string_equal(backend(fixture, "route", "g"), "True/Accepted");
    assert_string_equal(backend(fixture, "rule", "g"), "True/Accepted");
}

static void of_two_policies_on_one_target_the_older_wins(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, BASE BUFFER("z-old", "name: g", "20Mi") TIMEOUT("z-old", "kind: HTTPRoute, name: r", "2s"));
    fixture_apply(fixture, BUFFER("a-new", "name: g", "1Mi") TIMEOUT("a-new", "kind: HTTPRoute, name: r", "1s"));
    fixture_compile(fixture);
    assert_int_equal(buffer_limit(fixture, 0), 20 << 20);
    assert_int_equal(timeout_ms(fixture, 0, "/"), 2000);
    assert_string_equal(client(fixture, "z-old", "g"), "True/Accepted");
    assert_string_equal(client(fixture, "a-new", "g"), "False/Conflicted");
    assert_string_equal(backend(fixture, "a-new", "g"), "False/Conflicted");
}

static void a_missing_section_or_target_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture,
                  BASE BUFFER("section", "name: g, sectionName: none", "1Mi") BUFFER("target", "name: none", "1Mi")
                      TIMEOUT("rule", "kind: HTTPRoute, name: r, sectionName: none", "1s")
                          TIMEOUT("route", "kind: HTTPRoute, name: none", "1s"));
    fixture_compile(fixture);
    assert_string_equal(client(fixture, "section", "g"), "False/TargetNotFound");
    assert_string_equal(client(fixture, "target", "none"), "False/TargetNotFound");
    assert_string_equal(backend(fixture, "rule", "g"), "False/TargetNotFound");
    assert_string_equal(backend(fixture, "route", "none"), "False/TargetNotFound");
    /* In a cluster the target may be another controller's. */
    fixture->controller_name = "example.com/any";
    fixture_compile(fixture);
    assert_string_equal(client(fixture, "section", "g"), "False/TargetNotFound");
    assert_string_equal(client(fixture, "target", "none"), "absent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(without_policies_the_defaults_hold),
        FIXTURE_TEST(a_buffer_limit_applies_to_its_gateway_or_listener),
        FIXTURE_TEST(the_most_specific_timeout_wins),
        FIXTURE_TEST(of_two_policies_on_one_target_the_older_wins),
        FIXTURE_TEST(a_missing_section_or_target_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
