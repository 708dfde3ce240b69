/* SPDX-License-Identifier: Apache-2.0 */
/* test_sticky.c: what a proxy remembers of answers, and pins, on real connections. */
#include "proxy_harness.h"

#include "base/compiler.h"

#define REF(name, weight)                                                                                              \
    "{group: inference.networking.x-k8s.io, kind: InferencePool, name: " name ", weight: " weight "}"
#define ROUTED(annotation, first, second)                                                                              \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: HTTPRoute\n"                                                                                                \
    "metadata: {name: r, annotations: {serin.dev/stickiness: \"" annotation "\"}}\n"                                   \
    "spec: {parentRefs: [{name: g}], rules: [{backendRefs: [" REF("a", first) ", " REF("b", second) "]}]}\n"           \
                                                                                                    "---\n"

static struct arm_memories memories;

/* Pool a is origin 0, pool b is origin 1. */
static void start(struct world *world, const char *objects)
{
    struct proxy_config config = proxy_defaults;
    memories.responses = arm_memory_new(1000);
    memories.conversations = arm_memory_new(1000);
    config.memories = &memories;
    world_start_with(world, CLASS GATEWAY POOL_X("a") POOL_X("b"), &config);
    add_objects(world, objects);
    set_origins(world, "a", 0, 1);
    set_origins(world, "b", 1, 1);
}

static void stop(struct world *world)
{
    world_stop(world);
    arm_memory_free(memories.responses);
    arm_memory_free(memories.conversations);
}

static void post(struct world *world, const char *path, const char *fields, const char *body)
{
    struct buffer request = {0};
    buffer_clear(&world->got);
    buffer_printf(&request, "POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s", path, fields,
                  strlen(body), body);
    send_all(world->fd, buffer_bytes(&request));
    buffer_deinit(&request);
}

/* The request came to the origin; it answers. */
static void answer(struct world *world, unsigned index, const char *body, const char *answer)
{
    struct origin *origin = &world->origins[index];
    struct buffer response = {0};
    until(world, has_text(&origin->got, body));
    buffer_clear(&origin->got);
    buffer_printf(&response, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                  strlen(answer), answer);
    send_all(origin->fd, buffer_bytes(&response));
    buffer_deinit(&response);
    until(world, has_text(&world->got, answer));
}

#define HELLO_RESPONSE                                                                                                 \
    "{\"id\":\"resp_1\",\"object\":\"response\",\"output\":[{\"type\":\"message\",\"role\":\"assistant\",\"content\":" \
    "[{\"type\":\"output_text\",\"text\":\"hello\"}]}]}"

static void a_response_is_gone_on_with_at_its_arm(void **state)
{
    (void)state;
    struct world world;
    start(&world, ROUTED("", "0", "1"));
    post(&world, "/v1/responses", "", "{\"input\":\"a\"}");
    answer(&world, 1, "\"a\"}", HELLO_RESPONSE);
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "responses", NULL), 1);
    add_objects(&world, ROUTED("", "1", "0"));
    post(&world, "/v1/responses", "", "{\"input\":\"b\",\"previous_response_id\":\"resp_1\"}");
    answer(&world, 1, "\"resp_1\"}", HELLO_RESPONSE);
    assert_int_equal(metric(&world, METRIC_DRAWS, "response", NULL), 1);
    post(&world, "/v1/responses", "", "{\"input\":\"c\"}");
    answer(&world, 0, "\"c\"}", "{}");
    stop(&world);
}

/* Two servers in the only pool: ten times in a row by chance is one time in a thousand. */
static void a_response_is_gone_on_with_at_the_server_that_made_it(void **state)
{
    (void)state;
    struct world world;
    start(&world, ROUTED("", "1", "0"));
    memories.owners = arm_memory_new(1000);
    set_origins(&world, "a", 0, 2);
    post(&world, "/v1/responses", "", "{\"input\":\"a\"}");
    until(&world, has_text(&world.origins[0].got, "\"a\"}") || has_text(&world.origins[1].got, "\"a\"}"));
    unsigned owner = has_text(&world.origins[1].got, "\"a\"}");
    answer(&world, owner, "\"a\"}", HELLO_RESPONSE);
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "owners", NULL), 1);
    for (unsigned i = 0; i < 10; i++) {
        post(&world, "/v1/responses", "", "{\"input\":\"b\",\"previous_response_id\":\"resp_1\"}");
        answer(&world, owner, "\"resp_1\"}", HELLO_RESPONSE);
    }
    stop(&world);
    arm_memory_free(memories.owners);
    memories.owners = NULL;
}

static void what_is_no_response_leaves_nothing(void **state)
{
    (void)state;
    struct world world;
    start(&world, ROUTED("", "0", "1"));
    post(&world, "/v1/chat/completions", "", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    answer(&world, 1, "\"a\"}", "{\"id\":\"chatcmpl-1\",\"choices\":[{\"message\":{\"content\":\"b\"}}]}");
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "responses", NULL), 0);
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "conversations", NULL), 0);
    stop(&world);
}

#define FIRST "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
#define SECOND                                                                                                         \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b \\u00e9\"},{"        \
    "\"role\":\"user\",\"content\":\"c\"}]}"

/* An event in a chunk of its own. */
static void send_event(struct origin *origin, const char *data)
{
    struct buffer chunk = {0};
    buffer_printf(&chunk, "%zx\r\ndata: %s\n\n\r\n", strlen(data) + 8, data);
    send_all(origin->fd, buffer_bytes(&chunk));
    buffer_deinit(&chunk);
}

static void a_streamed_reply_is_found_in_the_next_turn(void **state)
{
    (void)state;
    struct world world;
    start(&world, ROUTED("new-conversations", "0", "1"));
    post(&world, "/v1/chat/completions", "", FIRST);
    until(&world, has_text(&world.origins[1].got, FIRST));
    origin_send(&world.origins[1],
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    send_event(&world.origins[1], "{\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}");
    send_event(&world.origins[1], "{\"choices\":[{\"delta\":{\"content\":\"b \"}}]}");
    send_event(&world.origins[1], "{\"choices\":[{\"delta\":{\"content\":\"\\u00e9\"}}]}");
    send_event(&world.origins[1], "[DONE]");
    origin_send(&world.origins[1], "0\r\n\r\n");
    until(&world, has_text(&world.got, "0\r\n\r\n"));
    buffer_clear(&world.origins[1].got);
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "conversations", NULL), 1);
    add_objects(&world, ROUTED("new-conversations", "1", "0"));
    post(&world, "/v1/chat/completions", "", SECOND);
    answer(&world, 1, SECOND, "{\"choices\":[{\"message\":{\"content\":\"d\"}}]}");
    assert_int_equal(metric(&world, METRIC_DRAWS, "conversation", NULL), 1);
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "conversations", NULL), 2);
    stop(&world);
}

static void a_streamed_response_is_gone_on_with_at_its_arm(void **state)
{
    (void)state;
    struct world world;
    start(&world, ROUTED("", "0", "1"));
    post(&world, "/v1/responses", "", "{\"stream\":true,\"input\":\"a\"}");
    until(&world, has_text(&world.origins[1].got, "\"a\"}"));
    origin_send(&world.origins[1],
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    send_event(&world.origins[1], "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}");
    origin_send(&world.origins[1], "0\r\n\r\n");
    until(&world, has_text(&world.got, "0\r\n\r\n"));
    buffer_clear(&world.origins[1].got);
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "responses", NULL), 1);
    add_objects(&world, ROUTED("", "1", "0"));
    post(&world, "/v1/responses", "", "{\"input\":\"b\",\"previous_response_id\":\"resp_1\"}");
    answer(&world, 1, "\"resp_1\"}", HELLO_RESPONSE);
    stop(&world);
}

static void a_failed_answer_leaves_nothing(void **state)
{
    (void)state;
    struct world world;
    start(&world, ROUTED("new-conversations", "0", "1"));
    post(&world, "/v1/chat/completions", "", FIRST);
    until(&world, has_text(&world.origins[1].got, FIRST));
    origin_send(&world.origins[1], "HTTP/1.1 500 Oops\r\nContent-Length: 38\r\n\r\n"
                                   "{\"choices\":[{\"text\":\"hello, hello!\"}]}");
    until(&world, has_text(&world.got, "hello!\"}]}"));
    assert_int_equal(metric(&world, METRIC_ARM_MEMORY_ENTRIES, "conversations", NULL), 0);
    stop(&world);
}

#define PINS                                                                                                           \
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: open}\n---\n"                              \
    "apiVersion: serin.dev/v1alpha1\nkind: Canary\nmetadata: {name: c}\n"                                              \
    "spec: {targetRef: {kind: HTTPRoute, name: r}, stable: a, canary: b,\n"                                            \
    "  stickiness: {pin: {header: X-Try, secretRef: {name: s, key: token}}}}\n---\n"

static void a_pin_chooses_the_arm_and_goes_no_further(void **state)
{
    (void)state;
    struct world world;
    start(&world, PINS ROUTED("", "1", "0"));
    post(&world, "/v1/chat/completions", "x-try: canary open\r\n", FIRST);
    until(&world, has_text(&world.origins[1].got, FIRST));
    assert_false(has_text(&world.origins[1].got, "open"));
    answer(&world, 1, FIRST, "{}");
    post(&world, "/v1/chat/completions", "x-try: canary opens\r\n", FIRST);
    until(&world, has_text(&world.origins[0].got, FIRST));
    assert_false(has_text(&world.origins[0].got, "open"));
    answer(&world, 0, FIRST, "{}");
    assert_int_equal(metric(&world, METRIC_PINS_REFUSED, NULL, NULL), 1);
    assert_int_equal(metric(&world, METRIC_DRAWS, "pin", NULL), 1);
    stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_is_gone_on_with_at_its_arm),
        cmocka_unit_test(a_response_is_gone_on_with_at_the_server_that_made_it),
        cmocka_unit_test(what_is_no_response_leaves_nothing),
        cmocka_unit_test(a_streamed_reply_is_found_in_the_next_turn),
        cmocka_unit_test(a_streamed_response_is_gone_on_with_at_its_arm),
        cmocka_unit_test(a_failed_answer_leaves_nothing),
        cmocka_unit_test(a_pin_chooses_the_arm_and_goes_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
