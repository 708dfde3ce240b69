/* SPDX-License-Identifier: Apache-2.0 */
/* test_sim_metrics.c: the metrics text of a simulated server. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/sim_metrics.h"

struct fixture {
    struct behaviour behaviour;
    struct engine *engine;
    struct models *models;
    struct sim_metrics *metrics;
    struct buffer out;
};

static void on_progress(struct sequence *sequence, void *context)
{
    (void)sequence;
    (void)context;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    fixture.behaviour = behaviour_defaults;
    struct engine_config config = {
        .behaviour = &fixture.behaviour, .max_num_seqs = 2, .max_loras = 2, .on_progress = on_progress};
    const struct bytes name = BYTES("my\"model");
    fixture.engine = engine_new(&config);
    fixture.models = models_new(BYTES("m"), &name, 1);
    fixture.metrics = sim_metrics_new(name, 2, true);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    engine_free(fixture->engine);
    models_free(fixture->models);
    sim_metrics_free(fixture->metrics);
    buffer_deinit(&fixture->out);
    return 0;
}

static void expect_line(struct fixture *fixture, const char *line)
{
    buffer_clear(&fixture->out);
    sim_metrics_write(fixture->metrics, fixture->engine, fixture->models, 1500, 100, &fixture->out);
    buffer_append_char(&fixture->out, '\0');
    const char *at = strstr(fixture->out.data, line);
    if (at == NULL || at[strlen(line)] != '\n')
        fail_msg("no line \"%s\" in:\n%s", line, fixture->out.data);
}

static void gauges_show_the_engine(void **state)
{
    struct fixture *fixture = *state;
    struct sequence sequences[3] = {
        {.total_tokens = 1, .prompt_tokens = 400}, {.total_tokens = 1, .prompt_tokens = 400}, {.total_tokens = 1}};
    fixture->behaviour.kv_blocks = 100;
    for (unsigned i = 0; i < 3; i++)
        engine_submit(fixture->engine, &sequences[i], 0);
    expect_line(fixture, "vllm:num_requests_running{model_name=\"my\\\"model\"} 2");
    expect_line(fixture, "vllm:num_requests_waiting{model_name=\"my\\\"model\"} 1");
    expect_line(fixture, "vllm:kv_cache_usage_perc{model_name=\"my\\\"model\"} 0.5");
    expect_line(fixture, "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\"} 1");
}

static void adapters_in_use_are_labels(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(models_load_adapter(fixture->models, BYTES("a"), BYTES("/a")), MODELS_OK);
    struct sequence sequence = {.total_tokens = 1, .adapter = &models_find(fixture->models, BYTES("a"))->use};
    engine_submit(fixture->engine, &sequence, 0);
    expect_line(fixture, "vllm:lora_requests_info{max_lora=\"2\",running_lora_adapters=\"a\",waiting_lora_adapters="
                         "\"\"} 1.500");
}

static void a_finished_sequence_is_counted(void **state)
{
    struct fixture *fixture = *state;
    struct sequence sequence = {.prompt_tokens = 7,
                                .generated = 3,
                                .arrived_us = 0,
                                .started_us = 100000,
                                .first_token_us = 150000,
                                .last_token_us = 170000};
    sim_metrics_add_first_token(fixture->metrics, 150000);
    sim_metrics_add_tokens(fixture->metrics, 2, 20000);
    sim_metrics_add_finished(fixture->metrics, &sequence, "length", 3, 170000);
    expect_line(fixture, "vllm:prompt_tokens_total{model_name=\"my\\\"model\"} 7");
    expect_line(fixture, "vllm:generation_tokens_total{model_name=\"my\\\"model\"} 3");
    expect_line(fixture, "vllm:request_success_total{model_name=\"my\\\"model\",finished_reason=\"length\"} 1");
    expect_line(fixture, "vllm:time_to_first_token_seconds_bucket{model_name=\"my\\\"model\",le=\"0.1\"} 0");
    expect_line(fixture, "vllm:time_to_first_token_seconds_bucket{model_name=\"my\\\"model\",le=\"0.25\"} 1");
    expect_line(fixture, "vllm:inter_token_latency_seconds_bucket{model_name=\"my\\\"model\",le=\"0.01\"} 2");
    expect_line(fixture, "vllm:inter_token_latency_seconds_count{model_name=\"my\\\"model\"} 2");
    expect_line(fixture, "vllm:e2e_request_latency_seconds_sum{model_name=\"my\\\"model\"} 0.17");
}

static bool fake(struct fixture *fixture, const char *text)
{
    char error[200] = "";
    json_t *root = json_loads(text, JSON_DECODE_ANY, NULL);
    bool ok = sim_metrics_fake(fixture->metrics, root, error);
    assert_int_equal(ok, error[0] == '\0');
    json_decref(root);
    return ok;
}

static void fake_values_cover_the_true_ones_until_they_end(void **state)
{
    struct fixture *fixture = *state;
    assert_true(fake(fixture, "{\"waiting\":9,\"kv\":0.25,\"running-lora-adapters\":\"x,y\"}"));
    expect_line(fixture, "vllm:num_requests_waiting{model_name=\"my\\\"model\"} 9");
    expect_line(fixture, "vllm:num_requests_running{model_name=\"my\\\"model\"} 0");
    expect_line(fixture, "vllm:kv_cache_usage_perc{model_name=\"my\\\"model\"} 0.25");
    expect_line(fixture, "vllm:lora_requests_info{max_lora=\"2\",running_lora_adapters=\"x,y\",waiting_lora_adapters="
                         "\"\"} 1.500");
    assert_true(fake(fixture, "null"));
    expect_line(fixture, "vllm:num_requests_waiting{model_name=\"my\\\"model\"} 0");
}

static void bad_fakes_are_refused(void **state)
{
    assert_false(fake(*state, "5"));
    assert_false(fake(*state, "{\"waiting\":\"x\"}"));
    assert_false(fake(*state, "{\"running\":-1}"));
    assert_false(fake(*state, "{\"running-lora-adapters\":\"x\",\"what\":1}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gauges_show_the_engine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(adapters_in_use_are_labels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_finished_sequence_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fake_values_cover_the_true_ones_until_they_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_fakes_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
