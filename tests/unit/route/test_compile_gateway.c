/* SPDX-License-Identifier: Apache-2.0 */
/* test_compile_gateway.c: addresses, sockets and conditions of GatewayClasses, Gateways and listeners. */
#include "fixture.h"

#define LISTENERS(list)  "spec: {gatewayClassName: c, listeners: [" list "]}\n---\n"
#define HTTP(name, port) "{name: " name ", port: " port ", protocol: HTTP}"

static const char *gateway(struct fixture *fixture, const char *name, const char *type)
{
    return fixture_condition(fixture, KUBE_GATEWAY, name, NULL, type);
}

static const char *address(struct fixture *fixture, const char *name)
{
    const struct object_status *status = status_report_find(fixture->report, KUBE_GATEWAY, "default", name);
    return status->address != NULL ? status->address : "none";
}

static const char *message(struct fixture *fixture, const char *name, const char *type)
{
    const struct object_status *status = status_report_find(fixture->report, KUBE_GATEWAY, "default", name);
    return object_status_condition(status, NULL, type)->message;
}

static void a_valid_gateway_is_accepted_and_programmed(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY);
    struct route_snapshot *snapshot = fixture_compile(fixture);
    assert_string_equal(fixture_condition(fixture, KUBE_GATEWAY_CLASS, "c", NULL, "Accepted"), "True/Accepted");
    assert_string_equal(gateway(fixture, "g", "Accepted"), "True/Accepted");
    assert_string_equal(gateway(fixture, "g", "Programmed"), "True/Programmed");
    assert_string_equal(address(fixture, "g"), "127.0.0.1");
    assert_string_equal(fixture_listener_condition(fixture, "g", "http", "Accepted"), "True/Accepted");
    assert_string_equal(fixture_listener_condition(fixture, "g", "http", "Conflicted"), "False/NoConflicts");
    assert_string_equal(fixture_listener_condition(fixture, "g", "http", "ResolvedRefs"), "True/ResolvedRefs");
    assert_string_equal(fixture_listener_condition(fixture, "g", "http", "Programmed"), "True/Programmed");
    assert_true(fixture_listener(fixture, "g", "http")->supports_http_route);
    assert_true(status_report_is_programmed(fixture->report));
    assert_int_equal(snapshot->generation, 7);
    assert_int_equal(snapshot->port_count, 1);
}

static void a_gateway_without_its_class_is_refused_and_not_served(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, GATEWAY);
    struct route_snapshot *snapshot = fixture_compile(fixture);
    assert_string_equal(gateway(fixture, "g", "Accepted"), "False/NotReconciled");
    assert_string_equal(message(fixture, "g", "Accepted"), "GatewayClass c does not exist");
    assert_string_equal(gateway(fixture, "g", "Programmed"), "False/Invalid");
    assert_false(status_report_is_programmed(fixture->report));
    assert_int_equal(snapshot->port_count, 0);
}

static void with_a_controller_name_other_classes_are_left_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY);
    fixture->controller_name = "example.com/other";
    fixture_compile(fixture);
    assert_int_equal(fixture->report->len, 0);
    fixture->controller_name = "example.com/any";
    fixture_compile(fixture);
    assert_string_equal(gateway(fixture, "g", "Programmed"), "True/Programmed");
}

static void an_unsupported_protocol_refuses_its_listener_only(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY_HEAD("mixed")
                               LISTENERS(HTTP("http", "80") ", {name: bad, port: 81, protocol: INVALID}"));
    fixture_apply(fixture, GATEWAY_HEAD("only") LISTENERS("{name: bad, port: 82, protocol: UDP}"));
    fixture_compile(fixture);
    assert_string_equal(gateway(fixture, "mixed", "Accepted"), "True/ListenersNotValid");
    assert_string_equal(gateway(fixture, "mixed", "Programmed"), "True/Programmed");
    assert_string_equal(fixture_listener_condition(fixture, "mixed", "bad", "Accepted"), "False/UnsupportedProtocol");
    assert_string_equal(fixture_listener_condition(fixture, "mixed", "bad", "Programmed"), "False/Invalid");
    assert_false(fixture_listener(fixture, "mixed", "bad")->supports_http_route);
    assert_string_equal(fixture_listener_condition(fixture, "mixed", "http", "Accepted"), "True/Accepted");
    assert_string_equal(gateway(fixture, "only", "Accepted"), "False/ListenersNotValid");
    assert_string_equal(gateway(fixture, "only", "Programmed"), "False/Invalid");
}

static void one_port_with_two_protocols_conflicts_for_both(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(
        fixture,
        CLASS GATEWAY_HEAD("g") LISTENERS(
            HTTP("a", "80") ", {name: b, port: 80, protocol: HTTPS, tls: {certificateRefs: [{name: x}]}}, " HTTP(
                "c", "81")));
    fixture_compile(fixture);
    assert_string_equal(fixture_listener_condition(fixture, "g", "a", "Conflicted"), "True/ProtocolConflict");
    assert_string_equal(fixture_listener_condition(fixture, "g", "a", "Accepted"), "False/ProtocolConflict");
    assert_string_equal(fixture_listener_condition(fixture, "g", "a", "Programmed"), "False/Invalid");
    assert_string_equal(fixture_listener_condition(fixture, "g", "b", "Conflicted"), "True/ProtocolConflict");
    assert_string_equal(fixture_listener_condition(fixture, "g", "b", "Accepted"), "False/UnsupportedProtocol");
    assert_string_equal(fixture_listener_condition(fixture, "g", "c", "Programmed"), "True/Programmed");
    assert_string_equal(gateway(fixture, "g", "Accepted"), "True/ListenersNotValid");
}

static void unknown_route_kinds_are_reported_and_the_known_one_is_kept(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture,
                  CLASS GATEWAY_HEAD("g") LISTENERS(
                      "{name: none, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: InvalidRoute}]}}, "
                      "{name: some, port: 81, protocol: HTTP, allowedRoutes: {kinds: [{kind: InvalidRoute}, {kind: "
                      "HTTPRoute}]}}"));
    fixture_compile(fixture);
    assert_string_equal(fixture_listener_condition(fixture, "g", "none", "ResolvedRefs"), "False/InvalidRouteKinds");
    assert_string_equal(fixture_listener_condition(fixture, "g", "none", "Programmed"), "False/Invalid");
    assert_false(fixture_listener(fixture, "g", "none")->supports_http_route);
    assert_string_equal(fixture_listener_condition(fixture, "g", "some", "ResolvedRefs"), "False/InvalidRouteKinds");
    assert_string_equal(fixture_listener_condition(fixture, "g", "some", "Programmed"), "True/Programmed");
    assert_true(fixture_listener(fixture, "g", "some")->supports_http_route);
}

static void parameters_are_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY_HEAD(
                               "g") "spec: {gatewayClassName: c, listeners: [{name: a, port: 80, protocol: HTTP}],\n"
                                    "  infrastructure: {parametersRef: {group: invalid.io, kind: P, name: p}}}\n");
    fixture_compile(fixture);
    assert_string_equal(gateway(fixture, "g", "Accepted"), "False/InvalidParameters");
}

static void each_gateway_gets_the_first_address_where_its_ports_are_free(void **state)
{
    struct fixture *fixture = *state;
    fixture->addresses[1] = "127.0.0.2";
    fixture->address_count = 2;
    fixture_apply(fixture, CLASS GATEWAY_HEAD("first") LISTENERS(HTTP("a", "80")));
    fixture_apply(fixture, GATEWAY_HEAD("clash") LISTENERS(HTTP("a", "81") ", " HTTP("b", "80")));
    fixture_apply(fixture, GATEWAY_HEAD("beside") LISTENERS(HTTP("a", "82")));
    fixture_apply(fixture, GATEWAY_HEAD("late") LISTENERS(HTTP("a", "80")));
    fixture_compile(fixture);
    assert_string_equal(address(fixture, "first"), "127.0.0.1");
    assert_string_equal(address(fixture, "clash"), "127.0.0.2");
    assert_string_equal(address(fixture, "beside"), "127.0.0.1");
    assert_string_equal(address(fixture, "late"), "none");
    assert_string_equal(gateway(fixture, "late", "Accepted"), "True/Accepted");
    assert_string_equal(gateway(fixture, "late", "Programmed"), "False/AddressNotAssigned");
    assert_string_equal(fixture_listener_condition(fixture, "late", "a", "Programmed"), "False/Invalid");
}

#define ADDRESSED(name, addresses)                                                                                     \
    GATEWAY_HEAD(name)                                                                                                 \
    "spec: {gatewayClassName: c, addresses: " addresses ", listeners: [{name: a, port: 80, protocol: HTTP}]}\n---\n"

static void requested_addresses_are_honoured_or_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture->addresses[1] = "127.0.0.2";
    fixture->address_count = 2;
    fixture_apply(fixture, CLASS ADDRESSED("wanted", "[{value: 127.0.0.2}]"));
    fixture_apply(fixture, ADDRESSED("foreign", "[{value: 127.0.0.9}, {value: 127.0.0.1}]"));
    fixture_apply(fixture, ADDRESSED("typed", "[{type: test/fake, value: x}]"));
    fixture_apply(fixture, ADDRESSED("owned", "[{type: IPAddress, value: 127.0.0.2}]"));
    fixture_apply(fixture, ADDRESSED("any", "[{type: IPAddress}]"));
    fixture_compile(fixture);
    assert_string_equal(address(fixture, "wanted"), "127.0.0.2");
    assert_string_equal(gateway(fixture, "foreign", "Accepted"), "True/Accepted");
    assert_string_equal(gateway(fixture, "foreign", "Programmed"), "False/AddressNotUsable");
    assert_string_equal(address(fixture, "foreign"), "none");
    assert_string_equal(gateway(fixture, "typed", "Accepted"), "False/UnsupportedAddress");
    assert_string_equal(gateway(fixture, "owned", "Programmed"), "False/AddressNotUsable");
    assert_string_equal(address(fixture, "any"), "127.0.0.1");
}

static void a_port_that_cannot_be_bound_costs_its_listener(void **state)
{
    struct fixture *fixture = *state;
    fixture->taken_port = 81;
    fixture_apply(fixture, CLASS GATEWAY_HEAD("g") LISTENERS(HTTP("a", "80") ", " HTTP("b", "81")));
    struct route_snapshot *snapshot = fixture_compile(fixture);
    assert_string_equal(gateway(fixture, "g", "Programmed"), "True/Programmed");
    assert_string_equal(fixture_listener_condition(fixture, "g", "a", "Programmed"), "True/Programmed");
    assert_string_equal(fixture_listener_condition(fixture, "g", "b", "Programmed"), "False/Invalid");
    assert_int_equal(snapshot->port_count, 1);
}

static void a_gateway_without_any_port_is_not_programmed_and_says_why(void **state)
{
    struct fixture *fixture = *state;
    fixture->taken_port = 80;
    fixture_apply(fixture, CLASS GATEWAY);
    fixture_compile(fixture);
    assert_string_equal(gateway(fixture, "g", "Accepted"), "True/Accepted");
    assert_string_equal(gateway(fixture, "g", "Programmed"), "False/AddressNotUsable");
    assert_string_equal(message(fixture, "g", "Programmed"),
                        "cannot listen on 127.0.0.1 port 80: Address already in use");
    assert_string_equal(address(fixture, "g"), "none");
    assert_false(status_report_is_programmed(fixture->report));
}

static void conditions_carry_the_generation_of_their_object(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
                                 "metadata: {name: g, generation: 2}\n" LISTENERS(HTTP("http", "81")));
    fixture_compile(fixture);
    const struct object_status *status = status_report_find(fixture->report, KUBE_GATEWAY, "default", "g");
    assert_int_equal(object_status_condition(status, NULL, "Accepted")->observed_generation, 2);
    assert_int_equal(status->listeners[0].conditions[0].observed_generation, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_valid_gateway_is_accepted_and_programmed),
        FIXTURE_TEST(a_gateway_without_its_class_is_refused_and_not_served),
        FIXTURE_TEST(with_a_controller_name_other_classes_are_left_alone),
        FIXTURE_TEST(an_unsupported_protocol_refuses_its_listener_only),
        FIXTURE_TEST(one_port_with_two_protocols_conflicts_for_both),
        FIXTURE_TEST(unknown_route_kinds_are_reported_and_the_known_one_is_kept),
        FIXTURE_TEST(parameters_are_refused),
        FIXTURE_TEST(each_gateway_gets_the_first_address_where_its_ports_are_free),
        FIXTURE_TEST(requested_addresses_are_honoured_or_refused),
        FIXTURE_TEST(a_port_that_cannot_be_bound_costs_its_listener),
        FIXTURE_TEST(a_gateway_without_any_port_is_not_programmed_and_says_why),
        FIXTURE_TEST(conditions_carry_the_generation_of_their_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
