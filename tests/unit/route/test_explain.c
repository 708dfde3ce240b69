/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain.c: what people are told about a request. */
#include "fixture.h"

#define POOL_REF(name, weight)                                                                                         \
    "{group: inference.networking.x-k8s.io, kind: InferencePool, name: " name ", weight: " weight "}"
#define BACKENDS "backendRefs: [" POOL_REF("v1", "90") ", " POOL_REF("v2", "10") "]"

struct told {
    bool is_taken;
    const char *text;
};

static struct told explain(struct fixture *fixture, const struct asked *asked, const char *model, const char *key)
{
    struct buffer out = {0};
    struct route_request request = fixture_request(fixture, asked);
    struct split_request split = fixture_turn(fixture, &(struct turn){.model = model, .key = key});
    struct told told = {.is_taken = route_explain(fixture->snapshot, &request, &split, &out) != NULL};
    told.text = arena_strndup(fixture->arena, buffer_bytes(&out));
    buffer_deinit(&out);
    return told;
}

/* Some line holds both words. */
static void assert_line(const char *text, const char *first, const char *second)
{
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        char copy[1024];
        snprintf(copy, sizeof copy, "%.*s", (int)len, line);
        if (strstr(copy, first) != NULL && strstr(copy, second) != NULL)
            return;
        line += line[len] == '\n' ? len + 1 : len;
    }
    fail_msg("no line with \"%s\" and \"%s\" in:\n%s", first, second, text);
}

static void base(struct fixture *fixture)
{
    fixture_apply(fixture, CLASS POOL_X("v1") POOL_X("v2") GATEWAY_HEAD(
                               "g") "spec: {gatewayClassName: c, listeners: [{name: all, port: 80, protocol: HTTP},\n"
                                    "  {name: other, port: 80, protocol: HTTP, hostname: other.org}]}\n");
    fixture_apply(
        fixture,
        ROUTE("canary", "{parentRefs: [{name: g, sectionName: all}], rules: [{" BACKENDS "}]}")
            ROUTE("more", "{parentRefs: [{name: g, sectionName: all}], hostnames: [x.org], rules: [{}]}") ROUTE(
                "chat",
                "{parentRefs: [{name: g, sectionName: all}], rules: [{matches: [{path: {value: /v2}}, {method: POST},"
                "{headers: [{name: x-y, value: v}]}, {headers: [{name: h, value: v}]}, {queryParams: [{name: q, value: "
                "v}]}]}]}") ROUTE("isolated", "{parentRefs: [{name: g, sectionName: other}], rules: [{}]}")
                MODEL("lora", "{modelName: helper, poolRef: {name: v1}, targetModels: [{name: helper-1, weight: 90}, "
                              "{name: helper-2, weight: 10}]}"));
    fixture_compile(fixture);
}

static void every_listener_and_match_gets_a_verdict(void **state)
{
    struct fixture *fixture = *state;
    base(fixture);
    struct told told = explain(fixture, &(struct asked){.path = "/v1", .headers = {"h=w"}}, "", "");
    assert_true(told.is_taken);
    assert_line(told.text, "socket 127.0.0.1:80", "");
    assert_line(told.text, "listener default/g all", "takes the host");
    assert_line(told.text, "listener default/g other", "host differs");
    assert_line(told.text, "default/canary rules[0]", "taken");
    assert_line(told.text, "default/more rules[0]", "host differs: x.org");
    assert_line(told.text, "default/chat rules[0]", "path /v1 does not start with /v2");
    assert_line(told.text, "default/chat rules[0]", "method GET is not POST");
    assert_line(told.text, "default/chat rules[0]", "header x-y is absent");
    assert_line(told.text, "default/chat rules[0]", "header h is not \"v\"");
    assert_line(told.text, "default/chat rules[0]", "parameter q is absent");
    assert_line(told.text, "default/isolated rules[0]", "its listener does not take the request");
    assert_line(told.text, "v1", "90.00 %");
    assert_line(told.text, "v2", "10.00 %");
}

static void a_beaten_match_names_the_winner(void **state)
{
    struct fixture *fixture = *state;
    base(fixture);
    struct told told = explain(fixture, &(struct asked){.path = "/v2/x"}, "", "");
    assert_line(told.text, "default/chat rules[0]", "taken");
    assert_line(told.text, "default/canary rules[0]", "beaten by default/chat rules[0]");
    assert_line(told.text, "no backend has weight", "500");
}

static void a_more_specific_listener_is_named(void **state)
{
    struct fixture *fixture = *state;
    base(fixture);
    struct told told = explain(fixture, &(struct asked){.host = "other.org"}, "", "");
    assert_line(told.text, "listener default/g all", "listener other has a more specific hostname");
    assert_line(told.text, "default/isolated rules[0]", "taken");
}

static void shares_follow_the_model(void **state)
{
    struct fixture *fixture = *state;
    base(fixture);
    struct told told = explain(fixture, &(struct asked){.path = "/"}, "helper", "");
    assert_line(told.text, "pool    v1", "100.00 %");
    assert_line(told.text, "pool    v2", "left out: does not know the model, another pool does");
    assert_line(told.text, "model helper-1", "90.00 %");
    assert_line(told.text, "model helper-2", "10.00 %");
}

static void a_key_has_one_arm(void **state)
{
    struct fixture *fixture = *state;
    base(fixture);
    struct told told = explain(fixture, &(struct asked){.path = "/"}, "unknown", "user-1");
    struct route_match match = fixture_match(fixture, &(struct asked){.path = "/"});
    struct split_choice choice = DRAW(fixture, match.rule, .model = "unknown", .key = "user-1");
    assert_line(told.text, arena_strndup(fixture->arena, choice.arm->text), "100.00 %");
}

static void a_request_that_nobody_takes_is_a_404(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY);
    fixture_compile(fixture);
    struct told told = explain(fixture, &(struct asked){.path = "/"}, "", "");
    assert_false(told.is_taken);
    assert_line(told.text, "no route is attached", "");
    assert_line(told.text, "no rule takes the request", "404");
}

static void all_sockets_are_tried_when_none_is_named(void **state)
{
    struct fixture *fixture = *state;
    base(fixture);
    fixture_apply(fixture, GATEWAY_HEAD("second") "spec: {gatewayClassName: c, listeners: [{name: a, port: 81, "
                                                  "protocol: HTTP}]}\n---\n" ROUTE(
                                                      "second", "{parentRefs: [{name: second}], rules: [{}]}"));
    fixture_compile(fixture);
    struct told told = explain(fixture, &(struct asked){.socket_id = EXPLAIN_ALL_SOCKETS, .path = "/"}, "", "");
    assert_line(told.text, "socket 127.0.0.1:80", "");
    assert_line(told.text, "socket 127.0.0.1:81", "");
    assert_line(told.text, "default/second rules[0]", "taken");
    assert_line(told.text, "default/canary rules[0]:", "");
    told = explain(fixture, &(struct asked){.socket_id = 1, .path = "/"}, "", "");
    assert_null(strstr(told.text, "socket 127.0.0.1:80"));
    assert_line(told.text, "default/second rules[0]:", "");
    told = explain(fixture, &(struct asked){.socket_id = 9, .path = "/"}, "", "");
    assert_line(told.text, "no listener is open", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_listener_and_match_gets_a_verdict),
        FIXTURE_TEST(a_beaten_match_names_the_winner),
        FIXTURE_TEST(a_more_specific_listener_is_named),
        FIXTURE_TEST(shares_follow_the_model),
        FIXTURE_TEST(a_key_has_one_arm),
        FIXTURE_TEST(a_request_that_nobody_takes_is_a_404),
        FIXTURE_TEST(all_sockets_are_tried_when_none_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
