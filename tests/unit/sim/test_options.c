/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c: command lines of real model servers, as `serin sim` reads them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "sim/options.h"

struct fixture {
    struct arena *arena;
    struct sim_options options;
    char *errors;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.arena = arena_new(0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    return 0;
}

/* Splits at spaces. */
static enum options_outcome parse(struct fixture *fixture, const char *line)
{
    char *argv[64], *errors = NULL;
    size_t errors_len = 0;
    int argc = 0;
    argv[argc++] = "sim";
    for (char *word = strtok(arena_strdup(fixture->arena, line), " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    FILE *out = open_memstream(&errors, &errors_len);
    enum options_outcome outcome = sim_options_parse(argc, argv, fixture->arena, out, &fixture->options);
    fclose(out);
    fixture->errors = arena_strdup(fixture->arena, errors);
    free(errors);
    return outcome;
}

static void a_full_vllm_command_line_is_taken_silently(void **state)
{
    struct fixture *fixture = *state;
    const struct sim_options *options = &fixture->options;
    assert_int_equal(parse(fixture, "vllm serve /models/Qwen-2.5-7B-Instruct --port 8001 --trust-remote-code "
                                    "--served-model-name mymodel --max-model-len 8192 --gpu-memory-utilization 0.95 "
                                    "--enforce-eager --enable-lora --max-loras 2 --max-cpu-loras 4 --lora-modules "
                                    "travel-helper-v1=/models/A travel-helper-v2=/models/B"),
                     OPTIONS_OK);
    assert_string_equal(fixture->errors, "");
    assert_true(bytes_equal_str(options->model, "/models/Qwen-2.5-7B-Instruct"));
    assert_int_equal(options->port, 8001);
    assert_int_equal(options->served_name_count, 1);
    assert_true(bytes_equal_str(options->served_names[0], "mymodel"));
    assert_int_equal(options->max_model_len, 8192);
    assert_true(options->enable_lora);
    assert_int_equal(options->max_loras, 2);
    assert_int_equal(options->max_cpu_loras, 4);
    assert_int_equal(options->adapter_count, 2);
    assert_true(bytes_equal_str(options->adapters[1].name, "travel-helper-v2"));
    assert_true(bytes_equal_str(options->adapters[1].path, "/models/B"));
}

static void equals_signs_underscores_and_many_names_are_read(void **state)
{
    struct fixture *fixture = *state;
    const struct sim_options *options = &fixture->options;
    assert_int_equal(parse(fixture, "serve m --served_model_name a b --max_model_len=8K --max-num-seqs=5 --seed 7 "
                                    "--sim=ttft=1ms,itl=2ms --sim-speed 30 --host=127.0.0.2 --grace 5 --parent-death "
                                    "--no-enable-prefix-caching -tp 2"),
                     OPTIONS_OK);
    assert_string_equal(fixture->errors, "");
    assert_int_equal(options->served_name_count, 2);
    assert_int_equal(options->max_model_len, 8192);
    assert_int_equal(options->max_num_seqs, 5);
    assert_int_equal(options->seed, 7);
    assert_int_equal(options->behaviour.ttft_us, 1000);
    assert_int_equal(options->behaviour.itl_us, 2000);
    assert_true(options->speed == 30);
    assert_string_equal(options->host, "127.0.0.2");
    assert_int_equal(options->grace_ms, 5000);
    assert_true(options->parent_death);
}

static void the_sglang_launcher_is_read(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(parse(fixture,
                           "python3 -m sglang.launch_server --model-path /m/Llama --served-model-name l --host "
                           "127.0.0.3 --port 30000 --mem-fraction-static 0.9 --lora-paths x=/a"),
                     OPTIONS_OK);
    assert_string_equal(fixture->errors, "");
    assert_true(bytes_equal_str(fixture->options.model, "/m/Llama"));
    assert_int_equal(fixture->options.port, 30000);
    assert_int_equal(fixture->options.adapter_count, 1);
    assert_true(fixture->options.enable_lora);
}

static void an_adapter_may_be_json(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(parse(fixture, "m --enable-lora --lora-modules {\"name\":\"x\",\"path\":\"/p\"} y=/q"),
                     OPTIONS_OK);
    assert_int_equal(fixture->options.adapter_count, 2);
    assert_true(bytes_equal_str(fixture->options.adapters[0].path, "/p"));
}

static void a_model_without_names_is_served_by_its_path(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(parse(fixture, "/models/x"), OPTIONS_OK);
    assert_int_equal(fixture->options.port, 8000);
    assert_true(bytes_equal_str(fixture->options.served_names[0], "/models/x"));
    assert_int_equal(fixture->options.behaviour.ttft_us, behaviour_defaults.ttft_us);
}

static void unknown_flags_are_dropped_with_a_warning(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(parse(fixture, "m --brand-new-flag 5 --other-new --port 1 --third=x"), OPTIONS_OK);
    assert_non_null(strstr(fixture->errors, "ignoring --brand-new-flag\n"));
    assert_non_null(strstr(fixture->errors, "ignoring --other-new\n"));
    assert_non_null(strstr(fixture->errors, "ignoring --third\n"));
    assert_int_equal(fixture->options.port, 1);
    assert_int_equal(parse(fixture, "--brand-new-flag m"), OPTIONS_OK);
    assert_true(bytes_equal_str(fixture->options.model, "m"));
}

static void help_is_asked_for(void **state)
{
    assert_int_equal(parse(*state, "--help"), OPTIONS_HELP);
    assert_int_equal(parse(*state, "serve m -h"), OPTIONS_HELP);
}

static void wrong_lines_are_told_in_one_line(void **state)
{
    struct fixture *fixture = *state;
    static const char *const bad[] = {
        "",
        "serve",
        "a b",
        "m --port",
        "m --port x",
        "m --port 65536",
        "m --port --host 1.2.3.4",
        "m --max-num-seqs 0",
        "m --max-model-len 8q",
        "m --max-model-len 99999999999999999999",
        "m --sim foo=1",
        "m --sim ttft=80",
        "m --sim-tpyo 5",
        "m --sim-speed 0",
        "m --sim-speed nan",
        "m --lora-modules a=b",
        "m --enable-lora --lora-modules a",
        "m --enable-lora --lora-modules {\"name\":\"x\"}",
        "m --enable-lora --lora-modules {\"name\":",
        "m --enable-lora=1",
        "m --served-model-name",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(fixture, bad[i]) != OPTIONS_BAD)
            fail_msg("\"%s\" was taken", bad[i]);
        const char *end = strchr(fixture->errors, '\n');
        assert_non_null(end);
        assert_int_equal(end[1], '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_vllm_command_line_is_taken_silently, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equals_signs_underscores_and_many_names_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_sglang_launcher_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_adapter_may_be_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_model_without_names_is_served_by_its_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_flags_are_dropped_with_a_warning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(help_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_lines_are_told_in_one_line, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
