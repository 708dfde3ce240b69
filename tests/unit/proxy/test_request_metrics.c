/* SPDX-License-Identifier: Apache-2.0 */
/* test_request_metrics.c: what is counted under llm-d's names, and that its labels stay few. */
#include "inference/flow/pool_gate.h"
#include "unit/proxy/proxy_harness.h"

#define POOL_AND_MODELS                                                                                                \
    ONE_POOL MODEL("m", "{modelName: known, criticality: Critical, poolRef: {name: p}, "                               \
                        "targetModels: [{name: target}]}") "apiVersion: llm-d.ai/v1alpha2\n"                           \
                                                           "kind: InferenceModelRewrite\n"                             \
                                                           "metadata: {name: w}\n"                                     \
                                                           "spec: {poolRef: {name: p}, rules: [{matches: [{model: "    \
                                                           "{value: old}}], targets: [{modelRewrite: new}]}]}\n"       \
                                                           "---\n"

/* "true": of what tells streams apart. */
static int64_t count(const struct world *world, enum metric_id id, const char *model, const char *target,
                     const char *priority)
{
    return metrics_value(world->metrics, id, (const char *[]){model, target, priority, "true"});
}

/* Answered by the first origin. */
static void ask(struct world *world, const char *model, const char *answer)
{
    char body[200];
    snprintf(body, sizeof body, "{\"model\":\"%s\",\"prompt\":\"x\"}", model);
    client_post(world, "", body);
    until(world, has_text(&world->origins[0].got, "\"x\"}"));
    buffer_clear(&world->origins[0].got);
    buffer_clear(&world->got);
    origin_send(&world->origins[0], answer);
    until(world, metric(world, METRIC_REQUESTS_ACTIVE, NULL, NULL) == 0);
}

#define USAGE                                                                                                          \
    "{\"choices\":[{\"text\":\"a\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13}}"
#define REFUSED "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"

static void requests_are_counted_by_model_target_and_priority(void **state)
{
    (void)state;
    struct world world;
    char answer[400];
    world_start(&world, POOL_AND_MODELS);
    set_origins(&world, "p", 0, 1);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(USAGE),
             USAGE);
    ask(&world, "known", answer);
    ask(&world, "known", REFUSED);
    ask(&world, "old", HELLO);
    assert_int_equal(count(&world, METRIC_EPP_REQUESTS, "known", "target", "1"), 2);
    assert_int_equal(count(&world, METRIC_EPP_ACTIVE, "known", "target", "1"), 0);
    assert_int_equal(count(&world, METRIC_EPP_DURATION, "known", "target", "1"), 1);
    assert_int_equal(count(&world, METRIC_EPP_REQUEST_BYTES, "known", "target", "1"), 2);
    assert_int_equal(count(&world, METRIC_EPP_OUTPUT, "known", "target", "1"), 1);
    assert_int_equal(count(&world, METRIC_EPP_NTPOT, "known", "target", "1"), 1);
    assert_int_equal(count(&world, METRIC_EPP_TTFT, "known", "target", "1"), 0);
    const char *error[] = {"known", "target", "1", "ModelServerError"};
    assert_int_equal(metrics_value(world.metrics, METRIC_EPP_ERRORS, error), 1);
    assert_int_equal(count(&world, METRIC_EPP_REWRITES, "w", "old", "new"), 1);
    assert_int_equal(metrics_value(world.metrics, METRIC_EPP_PICK_TIME, NULL), 3);
    world_stop(&world);
}

static void a_model_has_a_name_once_a_server_has_answered_for_it(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, POOL_AND_MODELS);
    set_origins(&world, "p", 0, 1);
    for (unsigned i = 0; i < 10; i++) {
        char model[16];
        snprintf(model, sizeof model, "random-%u", i);
        ask(&world, model, REFUSED);
    }
    assert_int_equal(count(&world, METRIC_EPP_REQUESTS, "other", "other", "other"), 10);
    assert_int_equal(count(&world, METRIC_EPP_ACTIVE, "other", "other", "other"), 0);
    ask(&world, "random-3", HELLO);
    ask(&world, "random-3", REFUSED);
    assert_int_equal(count(&world, METRIC_EPP_REQUESTS, "random-3", "random-3", "0"), 2);
    assert_int_equal(count(&world, METRIC_EPP_REQUESTS, "other", "other", "other"), 10);
    world_stop(&world);
}

static void what_waits_and_is_refused_is_counted_with_its_outcome(void **state)
{
    (void)state;
    struct world world;
    struct gate_settings settings = gate_settings_default;
    world_start(&world, POOL_AND_MODELS);
    set_origins(&world, "p", 0, 1);
    settings.has_queue = true;
    settings.limits.ttl_ms = 1;
    pool_gate_set(pool_of(&world, "p"), &settings);
    atomic_store(&pool_of(&world, "p")->members[0]->load.waiting, 5);
    client_post(&world, "", "{\"model\":\"known\"}");
    expect_error(&world, 429, "queue_timeout");
    assert_int_equal(count(&world, METRIC_EPP_QUEUE_TIME, "1", "EvictedTTL", "p"), 1);
    const char *error[] = {"known", "target", "1", "ResourceExhausted"};
    assert_int_equal(metrics_value(world.metrics, METRIC_EPP_ERRORS, error), 1);
    assert_int_equal(count(&world, METRIC_EPP_ACTIVE, "known", "target", "1"), 0);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_counted_by_model_target_and_priority),
        cmocka_unit_test(a_model_has_a_name_once_a_server_has_answered_for_it),
        cmocka_unit_test(what_waits_and_is_refused_is_counted_with_its_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
