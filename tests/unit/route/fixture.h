/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h: objects from YAML, compiled, and requests against the result.  For the tests of route/. */
#ifndef TESTS_UNIT_ROUTE_FIXTURE_H
#define TESTS_UNIT_ROUTE_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kube/api/manifest.h"
#include "route/compile.h"
#include "route/explain.h"
#include "route/match.h"
#include "route/split.h"

#define UNUSED_OK __attribute__((unused))

struct fixture {
    struct object_cache *cache;
    struct pool_registry *pools;
    struct split_registry *splits;
    const struct arm_memories *memories; /* NULL: nothing is remembered */
    struct canary_taps *taps;            /* NULL: nothing is measured for Canaries; the test's to free */
    struct arena *arena;                 /* of the report and of requests */
    struct status_report *report;
    struct route_snapshot *snapshot;
    const char *addresses[4];
    unsigned address_count;
    const char *controller_name;
    uint16_t taken_port; /* binding it fails */
    int next_id;
    uint64_t now_ms;
};

#define CLASS                                                                                                          \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: GatewayClass\n"                                                                                             \
    "metadata: {name: c}\n"                                                                                            \
    "spec: {controllerName: example.com/any}\n"                                                                        \
    "---\n"
#define GATEWAY_HEAD(name)                                                                                             \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: Gateway\n"                                                                                                  \
    "metadata: {name: " name "}\n"
/* One listener "http" on port 80 for any host. */
#define GATEWAY                                                                                                        \
    GATEWAY_HEAD("g")                                                                                                  \
    "spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP}]}\n"                               \
    "---\n"
#define SERVICE(name)                                                                                                  \
    "apiVersion: v1\n"                                                                                                 \
    "kind: Service\n"                                                                                                  \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {ports: [{port: 80}]}\n"                                                                                    \
    "---\n"
#define POOL_X(name)                                                                                                   \
    "apiVersion: inference.networking.x-k8s.io/v1alpha2\n"                                                             \
    "kind: InferencePool\n"                                                                                            \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {selector: {app: x}, targetPortNumber: 8000, extensionRef: {name: picker}}\n"                               \
    "---\n"
#define POOL_V1(name)                                                                                                  \
    "apiVersion: inference.networking.k8s.io/v1\n"                                                                     \
    "kind: InferencePool\n"                                                                                            \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {selector: {matchLabels: {app: x}}, targetPorts: [{number: 8000}],\n"                                       \
    "  endpointPickerRef: {name: picker, port: {number: 9002}}}\n"                                                     \
    "---\n"
#define ROUTE(name, spec)                                                                                              \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: HTTPRoute\n"                                                                                                \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: " spec "\n"                                                                                                 \
    "---\n"
#define MODEL(name, spec)                                                                                              \
    "apiVersion: inference.networking.x-k8s.io/v1alpha2\n"                                                             \
    "kind: InferenceModel\n"                                                                                           \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: " spec "\n"                                                                                                 \
    "---\n"

static UNUSED_OK struct fixture *fixture_new(void)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->cache = object_cache_new();
    fixture->pools = pool_registry_new();
    fixture->splits = split_registry_new();
    fixture->arena = arena_new(0);
    fixture->addresses[0] = "127.0.0.1";
    fixture->address_count = 1;
    fixture->now_ms = 1000;
    return fixture;
}

static UNUSED_OK void fixture_drop_result(struct fixture *fixture)
{
    if (fixture->snapshot != NULL)
        route_snapshot_give_back(fixture->snapshot);
    if (fixture->report != NULL)
        status_report_deinit(fixture->report);
    fixture->snapshot = NULL;
    fixture->report = NULL;
}

static UNUSED_OK void fixture_free(struct fixture *fixture)
{
    fixture_drop_result(fixture);
    object_cache_free(fixture->cache);
    split_registry_free(fixture->splits);
    pool_registry_free(fixture->pools);
    arena_free(fixture->arena);
    free(fixture);
}

/* Every call is a millisecond later than the one before: objects of later texts are younger. */
static UNUSED_OK void fixture_apply(struct fixture *fixture, const char *yaml)
{
    struct manifest manifest;
    struct problems problems;
    manifest_init(&manifest);
    problems_init(&problems, fixture->arena);
    manifest_add(&manifest, "test.yaml", bytes_of(yaml), &problems);
    for (const struct problem *problem = problems.first; problem != NULL; problem = problem->next)
        fail_msg("%s", problem_text(problem, fixture->arena));
    for (unsigned i = 0; i < manifest.len; i++) {
        struct kube_object *object = kube_object_take(manifest.objects[i]);
        const struct kube_object *older =
            object_cache_get(fixture->cache, object->kind, object->namespace_, object->name);
        if (object->created_ms == 0)
            object->created_ms = older != NULL ? older->created_ms : fixture->now_ms;
        object_cache_put(fixture->cache, object);
    }
    fixture->now_ms++;
    manifest_deinit(&manifest);
}

static UNUSED_OK int fixture_bind(void *context, const char *ip, uint16_t port)
{
    struct fixture *fixture = context;
    (void)ip;
    return port == fixture->taken_port ? -EADDRINUSE : fixture->next_id++;
}

static UNUSED_OK struct route_snapshot *fixture_compile(struct fixture *fixture)
{
    struct compile_input input = {.cache = fixture->cache,
                                  .pools = fixture->pools,
                                  .splits = fixture->splits,

                                  .taps = fixture->taps,
                                  .addresses = fixture->addresses,
                                  .address_count = fixture->address_count,
                                  .bind = fixture_bind,
                                  .context = fixture,
                                  .controller_name = fixture->controller_name,
                                  .default_buffer_limit_bytes = 64 << 20,
                                  .generation = 7};
    struct status_report *report;
    fixture->next_id = 0;
    struct route_snapshot *snapshot = route_compile(&input, fixture->arena, &report);
    fixture_drop_result(fixture);
    fixture->snapshot = snapshot;
    fixture->report = report;
    return snapshot;
}

/* "name=value" pairs, NULL at the end. */
static UNUSED_OK bool fixture_header(void *context, struct bytes name, struct bytes *ret_value)
{
    for (const char *const *header = context; header != NULL && *header != NULL; header++) {
        size_t equals = bytes_find(bytes_of(*header), '=');
        if (bytes_equal_nocase(bytes_make(*header, equals), name)) {
            *ret_value = bytes_of(*header + equals + 1);
            return true;
        }
    }
    return false;
}

struct asked {
    unsigned socket_id;
    const char *method; /* GET */
    const char *host;   /* a.example.com */
    const char *path;   /* / */
    const char *query;
    const char *headers[4];
};

static UNUSED_OK struct route_request fixture_request(struct fixture *fixture, const struct asked *asked)
{
    return (struct route_request){.socket_id = asked->socket_id,
                                  .host = bytes_of(asked->host != NULL ? asked->host : "a.example.com"),
                                  .path = bytes_of(asked->path != NULL ? asked->path : "/"),
                                  .query = bytes_of(asked->query != NULL ? asked->query : ""),
                                  .method = bytes_of(asked->method != NULL ? asked->method : "GET"),
                                  .header = fixture_header,
                                  .context = (void *)(uintptr_t)asked->headers,
                                  .arena = fixture->arena};
}

static UNUSED_OK struct route_match fixture_match(struct fixture *fixture, const struct asked *asked)
{
    struct route_request request = fixture_request(fixture, asked);
    struct route_match match;
    route_match(fixture->snapshot, &request, &match);
    return match;
}

/* What a draw looks at besides the rule; absent members are "". */
struct turn {
    const char *model;
    const char *key; /* in x-session-id, in the place of headers */
    const char *headers[4];
    const char *body; /* scanned, with its messages */
    const char *path;
    uint64_t now_ms;
};

static UNUSED_OK struct split_request fixture_turn(struct fixture *fixture, const struct turn *turn)
{
    struct openai_scan *scan = ARENA_NEW(fixture->arena, struct openai_scan);
    struct conversation_scan *conversation = ARENA_NEW(fixture->arena, struct conversation_scan);
    const char **headers = ARENA_ARRAY(fixture->arena, const char *, 4);
    memcpy(headers, turn->headers, sizeof turn->headers);
    if (turn->key != NULL && turn->key[0] != '\0')
        headers[0] = arena_printf(fixture->arena, "x-session-id=%s", turn->key);
    openai_scan_init(scan);
    conversation_scan_init(conversation);
    scan->conversation = conversation;
    if (turn->body != NULL && (!openai_scan_feed(scan, bytes_of(turn->body)) || !openai_scan_finish(scan)))
        fail_msg("%s: %s", turn->body, scan_error_message(scan->error));
    return (struct split_request){.model = turn->model != NULL ? bytes_of(turn->model) : openai_scan_model(scan),
                                  .facts = {.header = fixture_header,
                                            .context = (void *)(uintptr_t)headers,
                                            .path = bytes_of(turn->path != NULL ? turn->path : "/v1/chat/completions"),
                                            .scan = scan,
                                            .conversation = conversation,
                                            .arena = fixture->arena},
                                  .memories = fixture->memories,
                                  .now_ms = turn->now_ms};
}

static UNUSED_OK struct split_choice fixture_draw(struct fixture *fixture, const struct route_rule *rule,
                                                  const struct turn *turn)
{
    struct split_request request = fixture_turn(fixture, turn);
    struct split_choice choice;
    route_split(rule, &request, &choice);
    return choice;
}

#define DRAW(fixture, rule, ...) fixture_draw((fixture), (rule), &(struct turn){__VA_ARGS__})

/* "default/r rules[0]", "no listener" or "no match". */
static UNUSED_OK const char *fixture_winner(struct fixture *fixture, const struct asked *asked)
{
    struct route_match match = fixture_match(fixture, asked);
    if (match.outcome == ROUTE_NO_LISTENER)
        return "no listener";
    if (match.outcome == ROUTE_NO_MATCH)
        return "no match";
    return arena_printf(fixture->arena, "%s %s", match.rule->route, match.rule->rule_name);
}

#define WINNER(fixture, ...) fixture_winner((fixture), &(struct asked){__VA_ARGS__})

static UNUSED_OK const char *condition_words(struct fixture *fixture, const struct condition *condition)
{
    return condition == NULL
               ? "absent"
               : arena_printf(fixture->arena, "%s/%s", condition_status_text(condition->status), condition->reason);
}

/* "False/NoMatchingParent" of an object in namespace default (or of the cluster); ref NULL: its own condition. */
static UNUSED_OK const char *fixture_condition(struct fixture *fixture, enum kube_kind kind, const char *name,
                                               const char *ref, const char *type)
{
    const char *namespace_ = kube_kind_info(kind)->is_namespaced ? "default" : "";
    const struct object_status *status = status_report_find(fixture->report, kind, namespace_, name);
    return status == NULL ? "no status" : condition_words(fixture, object_status_condition(status, ref, type));
}

static UNUSED_OK const struct status_listener *fixture_listener(struct fixture *fixture, const char *gateway,
                                                                const char *name)
{
    const struct object_status *status = status_report_find(fixture->report, KUBE_GATEWAY, "default", gateway);
    assert_non_null(status);
    for (unsigned i = 0; i < status->listener_count; i++) {
        if (strcmp(status->listeners[i].name, name) == 0)
            return &status->listeners[i];
    }
    fail_msg("no listener %s", name);
    return NULL;
}

static UNUSED_OK const char *fixture_listener_condition(struct fixture *fixture, const char *gateway, const char *name,
                                                        const char *type)
{
    const struct status_listener *listener = fixture_listener(fixture, gateway, name);
    for (unsigned i = 0; i < listener->condition_count; i++) {
        if (strcmp(listener->conditions[i].type, type) == 0)
            return condition_words(fixture, &listener->conditions[i]);
    }
    return "absent";
}

static UNUSED_OK int fixture_setup(void **state)
{
    *state = fixture_new();
    return 0;
}

static UNUSED_OK int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

#endif
