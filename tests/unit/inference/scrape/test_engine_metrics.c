/* SPDX-License-Identifier: Apache-2.0 */
/* test_engine_metrics.c: lines of metrics pages and what is read from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "inference/scrape/engine_metrics.h"

static struct engine_metrics read_page(const char *page)
{
    struct engine_metrics metrics;
    engine_metrics_read(bytes_of(page), NULL, &metrics);
    return metrics;
}

static void reads_the_gauges_of_a_page(void **state)
{
    (void)state;
    struct engine_metrics metrics = read_page("# HELP vllm:num_requests_running Number of requests.\n"
                                              "# TYPE vllm:num_requests_running gauge\n"
                                              "vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n"
                                              "vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 2.0\n"
                                              "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.2504\n"
                                              "vllm:prompt_tokens_total{engine=\"0\"} 99.0\n");
    assert_true(metrics.has_running && metrics.has_waiting && metrics.has_kv);
    assert_false(metrics.has_loras);
    assert_int_equal(metrics.running, 3);
    assert_int_equal(metrics.waiting, 2);
    assert_int_equal(metrics.kv_permille, 250);
}

static void an_empty_page_has_nothing(void **state)
{
    (void)state;
    struct engine_metrics metrics = read_page("");
    assert_false(metrics.has_running || metrics.has_waiting || metrics.has_kv || metrics.has_loras);
    assert_string_equal(metrics.running_loras, "");
}

/* A line with num_requests_waiting and what it says; -1: nothing. */
static void lines_are_read_in_all_their_forms(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int waiting;
    } rows[] = {
        {"vllm:num_requests_waiting 7", 7},
        {"vllm:num_requests_waiting\t7\r\n", 7},
        {"vllm:num_requests_waiting  7 1700000000000\n", 7},
        {"vllm:num_requests_waiting{} 7\n", 7},
        {"vllm:num_requests_waiting{a=\"b\",} 7 # {x=\"y\"} 3\n", 7},
        {"vllm:num_requests_waiting{a=\"}\\\"\\\\\\n\"}7\n", 7},
        {"vllm:num_requests_waiting 7e2\n", 700},
        {"vllm:num_requests_waiting 7.9\n", 7},
        {"vllm:num_requests_waiting 1e30\n", 1000000000},
        {"vllm:num_requests_waiting 1\nvllm:num_requests_waiting nonsense\n", 1},
        {"vllm:num_requests_waiting_total 7\n", -1},
        {"vllm:num_requests_waiting", -1},
        {"vllm:num_requests_waiting \n", -1},
        {"vllm:num_requests_waiting{a=\"b\" 7\n", -1},
        {"vllm:num_requests_waiting NaN\n", -1},
        {"vllm:num_requests_waiting +Inf\n", -1},
        {"vllm:num_requests_waiting -1\n", -1},
        {"num_requests_waiting 7\n", -1},
        {"x vllm:num_requests_waiting 7\n", -1},
        {"#vllm:num_requests_waiting 7\n", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct engine_metrics metrics = read_page(rows[i].line);
        if (metrics.has_waiting != (rows[i].waiting >= 0) ||
            (metrics.has_waiting && (int)metrics.waiting != rows[i].waiting))
            fail_msg("%s: %d %u", rows[i].line, metrics.has_waiting, metrics.waiting);
    }
}

static void ranks_are_summed_and_shares_averaged(void **state)
{
    (void)state;
    struct engine_metrics metrics = read_page("vllm:num_requests_running{engine=\"0\"} 1\n"
                                              "vllm:num_requests_running{engine=\"1\"} 2\n"
                                              "vllm:kv_cache_usage_perc{engine=\"0\"} 0.9\n"
                                              "vllm:kv_cache_usage_perc{engine=\"1\"} 0.7\n");
    assert_int_equal(metrics.running, 3);
    assert_int_equal(metrics.kv_permille, 800);
}

static void the_old_name_of_kv_use_counts_when_the_new_one_is_missing(void **state)
{
    (void)state;
    assert_int_equal(read_page("vllm:gpu_cache_usage_perc 0.4\n").kv_permille, 400);
    assert_int_equal(read_page("vllm:gpu_cache_usage_perc 0.4\nvllm:kv_cache_usage_perc 0.5\n").kv_permille, 500);
    assert_int_equal(read_page("vllm:kv_cache_usage_perc 1.5\n").kv_permille, 1000);
}

static void the_newest_series_tells_the_adapters(void **state)
{
    (void)state;
    struct engine_metrics metrics = read_page(
        "vllm:lora_requests_info{max_lora=\"4\",running_lora_adapters=\"a\",waiting_lora_adapters=\"\"} 1.7000001e+09\n"
        "vllm:lora_requests_info{waiting_lora_adapters=\"c\", running_lora_adapters=\"a,b\",max_lora=\"5\"} "
        "1.7000003e+09\n"
        "vllm:lora_requests_info{max_lora=\"6\",running_lora_adapters=\"x\",waiting_lora_adapters=\"y\"} "
        "1.7000002e+09\n");
    assert_true(metrics.has_loras);
    assert_int_equal(metrics.max_loras, 5);
    assert_string_equal(metrics.running_loras, "a,b");
    assert_string_equal(metrics.waiting_loras, "c");
}

static void label_escapes_are_resolved(void **state)
{
    (void)state;
    struct engine_metrics metrics = read_page(
        "vllm:lora_requests_info{x=\"running_lora_adapters=\\\"no\\\"\",running_lora_adapters=\"a\\\"b\\\\c\"} 1\n");
    assert_string_equal(metrics.running_loras, "a\"b\\c");
    assert_int_equal(metrics.max_loras, 0);
}

static void a_list_that_is_too_long_ends_after_a_whole_name(void **state)
{
    (void)state;
    struct buffer page = {0};
    buffer_append_str(&page, "vllm:lora_requests_info{running_lora_adapters=\"");
    for (unsigned i = 0; i < 1000; i++)
        buffer_printf(&page, "%sname-%u", i > 0 ? "," : "", i);
    buffer_append_str(&page, "\"} 1\n");
    struct engine_metrics metrics;
    engine_metrics_read(buffer_bytes(&page), NULL, &metrics);
    size_t len = strlen(metrics.running_loras);
    assert_in_range(len, 4080, 4095);
    struct bytes whole = bytes_skip(buffer_bytes(&page), strlen("vllm:lora_requests_info{running_lora_adapters=\""));
    assert_memory_equal(metrics.running_loras, whole.data, len);
    assert_int_equal(whole.data[len], ',');
    buffer_deinit(&page);
}

/* One page per engine: 3 running, 2 waiting, half of the cache in use. */
static void engines_are_told_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *page;
        unsigned long long kv_tokens;
    } rows[] = {
        {"vllm:num_requests_running 3\nvllm:num_requests_waiting 2\nvllm:kv_cache_usage_perc 0.5\n"
         "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"1000\",x=\"y\"} 1\n",
         16000},
        {"sglang:num_running_reqs{model_name=\"m\"} 3\nsglang:num_queue_reqs 2\nsglang:token_usage 0.5\n"
         "sglang:cache_config_info{page_size=\"8\",num_pages=\"100\"} 1\n",
         800},
        {"trtllm_num_requests_running 3\ntrtllm_num_requests_waiting 2\ntrtllm_kv_cache_utilization 0.5\n"
         "trtllm_kv_cache_tokens_per_block 64\ntrtllm_kv_cache_max_blocks 10\n",
         640},
        {"nv_trt_llm_request_metrics{model=\"m\",request_type=\"waiting\",version=\"1\"} 2\n"
         "nv_trt_llm_request_metrics{model=\"m\",request_type=\"scheduled\",version=\"1\"} 3\n"
         "nv_trt_llm_request_metrics{model=\"m\",request_type=\"max\",version=\"1\"} 512\n"
         "nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"fraction\"} 0.5\n"
         "nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"tokens_per\"} 64\n"
         "nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"max\"} 5\n",
         320},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct engine_metrics metrics = read_page(rows[i].page);
        assert_true(metrics.has_running && metrics.has_waiting && metrics.has_kv);
        assert_int_equal(metrics.running, 3);
        assert_int_equal(metrics.waiting, 2);
        assert_int_equal(metrics.kv_permille, 500);
        assert_int_equal(metrics.kv_tokens, rows[i].kv_tokens);
    }
    assert_int_equal(read_page("nv_inference_pending_request_count{model=\"m\"} 4\n").waiting, 4);
    assert_true(read_page("process_start_time_seconds 1.7e9\n").started_s == 1.7e9);
}

static bool parse_names(const char *text, struct metric_names *ret_names)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    bool is_good = metric_names_parse(bytes_of(text), "x", &problems, ret_names);
    assert_int_equal(problems.count, is_good ? 0 : 1);
    arena_free(arena);
    return is_good;
}

static void an_operators_names_come_first(void **state)
{
    (void)state;
    struct metric_names names;
    struct engine_metrics metrics;
    static const char page[] = "my_queue{kind=\"a\"} 7\nmy_queue{kind=\"b\"} 5\nbusy 9\nbusy{x=\"y\"} 1\n"
                               "vllm:num_requests_waiting 2\nvllm:num_requests_running 3\n";
    assert_true(parse_names(" waiting=my_queue{kind=\"b\"}, running=busy ", &names));
    engine_metrics_read(bytes_of(page), &names, &metrics);
    assert_int_equal(metrics.waiting, 5);
    assert_int_equal(metrics.running, 10);
    assert_false(metrics.has_kv);
    assert_true(parse_names("waiting=q", &names)); /* shorter than any other */
    engine_metrics_read(bytes_of("q 5\nq_more_of_it 7\n"), &names, &metrics);
    assert_int_equal(metrics.waiting, 5);
    assert_true(parse_names("kv=vllm:num_requests_waiting", &names));
    engine_metrics_read(bytes_of("vllm:num_requests_waiting 0.25\n"), &names, &metrics);
    assert_int_equal(metrics.kv_permille, 250);
    assert_true(metrics.has_waiting);
}

static void names_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "waiting",
        "waiting=",
        "waiting=1x",
        "other=x",
        "waiting=a,",
        "waiting=a b",
        "waiting=a,waiting=b",
        "waiting=a{b}",
        "waiting=a{b=\"c\"",
        "waiting=a{b=\"c\\n\"}",
    };
    struct metric_names names;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (parse_names(texts[i], &names))
            fail_msg("accepted: %s", texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_gauges_of_a_page),
        cmocka_unit_test(an_empty_page_has_nothing),
        cmocka_unit_test(lines_are_read_in_all_their_forms),
        cmocka_unit_test(ranks_are_summed_and_shares_averaged),
        cmocka_unit_test(the_old_name_of_kv_use_counts_when_the_new_one_is_missing),
        cmocka_unit_test(the_newest_series_tells_the_adapters),
        cmocka_unit_test(label_escapes_are_resolved),
        cmocka_unit_test(a_list_that_is_too_long_ends_after_a_whole_name),
        cmocka_unit_test(engines_are_told_by_their_names),
        cmocka_unit_test(an_operators_names_come_first),
        cmocka_unit_test(names_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
