/* SPDX-License-Identifier: Apache-2.0 */
/* test_match.c: which rule takes a request: paths, hostnames, isolation, conditions and the order of precedence. */
#include "fixture.h"

static void routes(struct fixture *fixture, const char *yaml)
{
    fixture_apply(fixture, CLASS GATEWAY SERVICE("s"));
    fixture_apply(fixture, yaml);
    fixture_compile(fixture);
}

#define BACKEND     "backendRefs: [{name: s, port: 80}]"
#define RULE(match) "{matches: [" match "], " BACKEND "}"
#define PARENT      "parentRefs: [{name: g}], "

static void a_prefix_takes_whole_path_elements(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [" RULE("{path: {value: /v1/}}") "]}"));
    assert_string_equal(WINNER(fixture, .path = "/v1"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/v1/"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/v1/chat/completions"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/v1example"), "no match");
    assert_string_equal(WINNER(fixture, .path = "/V1"), "no match");
    assert_string_equal(WINNER(fixture, .path = "/"), "no match");
    assert_string_equal(WINNER(fixture, .path = ""), "no match");
}

static void the_default_match_takes_everything(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [{" BACKEND "}]}"));
    assert_string_equal(WINNER(fixture, .path = "/"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/x/y", .method = "POST"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "*", .method = "OPTIONS"), "default/r rules[0]");
}

static void an_exact_path_is_compared_byte_by_byte(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [" RULE("{path: {type: Exact, value: /two}}") "]}"));
    assert_string_equal(WINNER(fixture, .path = "/two"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/two/"), "no match");
    assert_string_equal(WINNER(fixture, .path = "/Two"), "no match");
    assert_string_equal(WINNER(fixture, .path = "/two/more"), "no match");
}

static void a_regular_expression_has_to_match_the_whole_path(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture,
           ROUTE("r", "{" PARENT "rules: [" RULE("{path: {type: RegularExpression, value: '/v[0-9]+/.*|/x'}}") "]}"));
    assert_string_equal(WINNER(fixture, .path = "/v1/chat"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/x"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/xy"), "no match");
    assert_string_equal(WINNER(fixture, .path = "/a/v1/chat"), "no match");
    assert_string_equal(WINNER(fixture, .path = "/x\n"), "no match");
}

static void a_pattern_that_backtracks_without_end_finds_nothing(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [" RULE("{path: {type: RegularExpression, value: '/(a+)+b'}}") "]}"));
    char path[4002] = "/";
    memset(path + 1, 'a', sizeof path - 2);
    path[sizeof path - 1] = '\0';
    assert_string_equal(WINNER(fixture, .path = path), "no match");
    assert_string_equal(WINNER(fixture, .path = "/aaab"), "default/r rules[0]");
}

/* Each line beats all lines below it for the request that fits them all. */
static void precedence_is_path_then_method_then_headers_then_parameters(void **state)
{
    struct fixture *fixture = *state;
    static const char *const matches[] = {
        "{path: {type: Exact, value: /v1/chat}}",
        "{path: {type: RegularExpression, value: '/v1/.*'}}",
        "{path: {value: /v1/chat}, method: POST}",
        "{path: {value: /v1/chat}, headers: [{name: a, value: \"1\"}, {name: b, value: \"1\"}]}",
        "{path: {value: /v1/chat}, headers: [{name: a, value: \"1\"}], queryParams: [{name: q, value: \"1\"}]}",
        "{path: {value: /v1/chat}, headers: [{name: b, value: \"1\"}]}",
        "{path: {value: /v1/chat}, queryParams: [{name: q, value: \"1\"}, {name: p, value: \"1\"}]}",
        "{path: {value: /v1/chat}, queryParams: [{name: q, value: \"1\"}]}",
        "{path: {value: /v1/chat}}",
        "{path: {value: /v1}, method: POST, headers: [{name: a, value: \"1\"}, {name: b, value: \"1\"}]}",
        "{path: {value: /}}",
    };
    fixture_apply(fixture, CLASS GATEWAY SERVICE("s"));
    /* From the weakest (and oldest) to the strongest, so age cannot help. */
    for (size_t i = ARRAY_LEN(matches); i-- > 0;) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml, ROUTE("r%02zu", "{" PARENT "rules: [" RULE("%s") "]}"), i, matches[i]);
        fixture_apply(fixture, yaml);
    }
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        char name[32], expected[64];
        fixture_compile(fixture);
        snprintf(expected, sizeof expected, "default/r%02zu rules[0]", i);
        assert_string_equal(
            WINNER(fixture, .path = "/v1/chat", .method = "POST", .query = "p=1&q=1", .headers = {"a=1", "b=1"}),
            expected);
        snprintf(name, sizeof name, "r%02zu", i);
        object_cache_remove(fixture->cache, KUBE_HTTP_ROUTE, "default", name);
    }
}

static void equal_matches_go_to_the_oldest_route_then_to_the_first_name(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY SERVICE("s"));
    fixture_apply(fixture, ROUTE("z", "{" PARENT "rules: [{" BACKEND "}]}"));
    fixture_apply(fixture,
                  ROUTE("b", "{" PARENT "rules: [{" BACKEND "}]}") ROUTE("a", "{" PARENT "rules: [{" BACKEND "}]}"));
    fixture_compile(fixture);
    assert_string_equal(WINNER(fixture, .path = "/"), "default/z rules[0]");
    object_cache_remove(fixture->cache, KUBE_HTTP_ROUTE, "default", "z");
    fixture_compile(fixture);
    assert_string_equal(WINNER(fixture, .path = "/"), "default/a rules[0]");
}

static void within_a_route_the_first_rule_wins(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [{name: one, " BACKEND "}, {name: two, " BACKEND "}]}"));
    assert_string_equal(WINNER(fixture, .path = "/"), "default/r one");
}

static void matches_of_a_rule_are_alternatives_and_fields_of_a_match_add_up(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [" RULE(
                                   "{path: {value: /a}, method: GET}, {headers: [{name: X-Y, value: one}]}") "]}"));
    assert_string_equal(WINNER(fixture, .path = "/a"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/a", .method = "HEAD"), "no match");
    assert_string_equal(WINNER(fixture, .path = "/b", .headers = {"x-y=one"}), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/b", .headers = {"x-y=One"}), "no match");
    assert_string_equal(WINNER(fixture, .path = "/b", .headers = {"x-y=one,one"}), "no match");
}

static void a_header_may_be_matched_by_pattern(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT
                               "rules: [" RULE("{headers: [{type: RegularExpression, name: v, value: 'a|bc'}]}") "]}"));
    assert_string_equal(WINNER(fixture, .headers = {"v=bc"}), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .headers = {"v=b"}), "no match");
    assert_string_equal(WINNER(fixture, .headers = {"v="}), "no match");
}

static void of_conditions_on_one_header_only_the_first_counts(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture,
           ROUTE("r", "{" PARENT "rules: [" RULE("{headers: [{name: v, value: a}, {name: V, value: b}]}") "]}"));
    assert_string_equal(WINNER(fixture, .headers = {"v=a"}), "default/r rules[0]");
}

static void query_parameters_are_decoded_and_the_first_of_a_name_counts(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [" RULE("{queryParams: [{name: q, value: a b}]}") ", " RULE(
                                   "{queryParams: [{type: RegularExpression, name: re, value: 'x.z'}]}") "]}"));
    assert_string_equal(WINNER(fixture, .query = "q=a+b"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .query = "x=1&%71=a%20b&q=c"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .query = "q=c&q=a+b"), "no match");
    assert_string_equal(WINNER(fixture, .query = "Q=a+b"), "no match");
    assert_string_equal(WINNER(fixture, .query = "q"), "no match");
    assert_string_equal(WINNER(fixture, .query = "q=%zz&re=x%79z"), "default/r rules[1]");
    assert_string_equal(WINNER(fixture, .query = "&&=&%"), "no match");
}

static void an_exact_path_that_fails_its_conditions_leaves_the_prefix(void **state)
{
    struct fixture *fixture = *state;
    routes(
        fixture,
        ROUTE("r",
              "{" PARENT "rules: [" RULE("{path: {type: Exact, value: /a}, method: POST}") ", " RULE(
                  "{path: {type: Exact, value: "
                  "/a}, headers: [{name: h, "
                  "value: v}]}") ", " RULE("{path: {type: Exact, value: /b}}") ", " RULE("{path: {value: /}}") "]}"));
    assert_string_equal(WINNER(fixture, .path = "/a", .method = "POST"), "default/r rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/a", .headers = {"h=v"}), "default/r rules[1]");
    assert_string_equal(WINNER(fixture, .path = "/b"), "default/r rules[2]");
    assert_string_equal(WINNER(fixture, .path = "/a"), "default/r rules[3]");
}

static void the_most_specific_hostname_of_routes_comes_first(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture,
           ROUTE("any", "{" PARENT "rules: [" RULE("{path: {type: Exact, value: /exact}}") "]}")
               ROUTE("wild", "{" PARENT "hostnames: ['*.example.com'], rules: [{" BACKEND
                             "}]}") ROUTE("deep", "{" PARENT "hostnames: ['*.b.example.com'], rules: [{" BACKEND "}]}")
                   ROUTE("exact", "{" PARENT "hostnames: [a.example.com], rules: [" RULE("{path: {value: /a}}") "]}"));
    assert_string_equal(WINNER(fixture, .path = "/a"), "default/exact rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/a", .host = "A.Example.COM"), "default/exact rules[0]");
    /* The exact hostname has no such path: the next one is asked. */
    assert_string_equal(WINNER(fixture, .path = "/exact"), "default/wild rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/", .host = "x.b.example.com"), "default/deep rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/exact", .host = "example.com"), "default/any rules[0]");
    assert_string_equal(WINNER(fixture, .path = "/", .host = "example.com"), "no match");
}

static void a_host_longer_than_any_name_reaches_only_routes_for_any_host(void **state)
{
    struct fixture *fixture = *state;
    char host[400];
    memset(host, 'a', sizeof host);
    memcpy(host + sizeof host - 13, ".example.com", 13);
    routes(fixture, ROUTE("wild", "{" PARENT "hostnames: ['*.example.com'], rules: [{" BACKEND "}]}")
                        ROUTE("any", "{" PARENT "rules: [{" BACKEND "}]}"));
    assert_string_equal(WINNER(fixture, .host = host), "default/any rules[0]");
}

#define LISTENER(name, host) "{name: " name ", port: 80, protocol: HTTP, hostname: '" host "'}"

static void isolated(struct fixture *fixture)
{
    fixture_apply(fixture,
                  CLASS SERVICE("s") GATEWAY_HEAD(
                      "g") "spec: {gatewayClassName: c, listeners: [{name: empty, port: 80, protocol: "
                           "HTTP}, " LISTENER("wild", "*.example.com") ", " LISTENER(
                               "deep", "*.foo.example.com") ", " LISTENER("exact", "abc.foo.example.com") "]}\n");
}

static void a_request_reaches_only_routes_of_the_most_specific_listener(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"empty", "wild", "deep", "exact"};
    isolated(fixture);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml,
                 ROUTE("%s", "{parentRefs: [{name: g, sectionName: %s}], rules: [" RULE("{path: {value: /%s}}") "]}"),
                 names[i], names[i], names[i]);
        fixture_apply(fixture, yaml);
    }
    fixture_compile(fixture);
    static const char *const hosts[] = {"bar.com", "bar.example.com", "bar.foo.example.com", "abc.foo.example.com"};
    for (size_t host = 0; host < ARRAY_LEN(hosts); host++) {
        for (size_t name = 0; name < ARRAY_LEN(names); name++) {
            char path[32], expected[64];
            snprintf(path, sizeof path, "/%s", names[name]);
            snprintf(expected, sizeof expected, "default/%s rules[0]", names[name]);
            assert_string_equal(WINNER(fixture, .host = hosts[host], .path = path),
                                host == name ? expected : "no match");
        }
    }
}

static void hostnames_of_listener_and_route_are_intersected(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS SERVICE("s") GATEWAY_HEAD("g") "spec: {gatewayClassName: c, listeners: [" LISTENER(
                               "exact", "very.specific.com") ", " LISTENER("wild", "*.wildcard.io") "]}\n");
    fixture_apply(
        fixture,
        ROUTE("star", "{" PARENT "hostnames: ['*.specific.com', a.b.wildcard.io, other.org], rules: [{" BACKEND "}]}"));
    fixture_apply(fixture, ROUTE("all", "{" PARENT "rules: [{" BACKEND "}]}"));
    fixture_compile(fixture);
    /* Both come down to very.specific.com; the route that names a host is more specific than the one that names none.
     */
    assert_string_equal(WINNER(fixture, .host = "very.specific.com"), "default/star rules[0]");
    assert_string_equal(WINNER(fixture, .host = "non.specific.com"), "no listener");
    assert_string_equal(WINNER(fixture, .host = "a.b.wildcard.io"), "default/star rules[0]");
    assert_string_equal(WINNER(fixture, .host = "x.wildcard.io"), "default/all rules[0]");
    assert_string_equal(WINNER(fixture, .host = "wildcard.io"), "no listener");
    assert_string_equal(WINNER(fixture, .host = "other.org"), "no listener");
}

static void an_unknown_socket_has_no_listener(void **state)
{
    struct fixture *fixture = *state;
    routes(fixture, ROUTE("r", "{" PARENT "rules: [{" BACKEND "}]}"));
    assert_string_equal(WINNER(fixture, .socket_id = 1), "no listener");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_prefix_takes_whole_path_elements),
        FIXTURE_TEST(the_default_match_takes_everything),
        FIXTURE_TEST(an_exact_path_is_compared_byte_by_byte),
        FIXTURE_TEST(a_regular_expression_has_to_match_the_whole_path),
        FIXTURE_TEST(a_pattern_that_backtracks_without_end_finds_nothing),
        FIXTURE_TEST(precedence_is_path_then_method_then_headers_then_parameters),
        FIXTURE_TEST(equal_matches_go_to_the_oldest_route_then_to_the_first_name),
        FIXTURE_TEST(within_a_route_the_first_rule_wins),
        FIXTURE_TEST(matches_of_a_rule_are_alternatives_and_fields_of_a_match_add_up),
        FIXTURE_TEST(a_header_may_be_matched_by_pattern),
        FIXTURE_TEST(of_conditions_on_one_header_only_the_first_counts),
        FIXTURE_TEST(query_parameters_are_decoded_and_the_first_of_a_name_counts),
        FIXTURE_TEST(an_exact_path_that_fails_its_conditions_leaves_the_prefix),
        FIXTURE_TEST(the_most_specific_hostname_of_routes_comes_first),
        FIXTURE_TEST(a_host_longer_than_any_name_reaches_only_routes_for_any_host),
        FIXTURE_TEST(a_request_reaches_only_routes_of_the_most_specific_listener),
        FIXTURE_TEST(hostnames_of_listener_and_route_are_intersected),
        FIXTURE_TEST(an_unknown_socket_has_no_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
