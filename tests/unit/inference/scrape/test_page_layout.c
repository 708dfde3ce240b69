/* SPDX-License-Identifier: Apache-2.0 */
/* test_page_layout.c: the next pages of a server, read where the last one had its families.  What tells that only those
 * places were read: the size of the cache is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/random.h"
#include "inference/scrape/engine_metrics.h"

#define TOKENS               "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"10\"} 1\n"
#define LORAS(running, time) "vllm:lora_requests_info{running_lora_adapters=\"" running "\"} " time "\n"

static struct page_layout layout;

static struct engine_metrics read_next(const char *page)
{
    struct engine_metrics metrics;
    engine_metrics_read_next(bytes_of(page), NULL, &layout, &metrics);
    return metrics;
}

static int forget(void **state)
{
    (void)state;
    layout = (struct page_layout){0};
    return 0;
}

static const char first_page[] = "# TYPE vllm:num_requests_running gauge\n"
                                 "vllm:num_requests_running 3\n"
                                 "vllm:prompt_tokens_total 99\n"
                                 "vllm:num_requests_waiting 2\n" TOKENS LORAS("a", "1");

static void a_page_is_read_where_the_last_one_had_its_families(void **state)
{
    (void)state;
    assert_int_equal(read_next(first_page).kv_tokens, 160);
    struct engine_metrics metrics = read_next("# TYPE vllm:num_requests_running gauge\n"
                                              "vllm:num_requests_running 17\n"
                                              "vllm:prompt_tokens_total 100000\n"
                                              "vllm:num_requests_waiting 5\n" TOKENS LORAS("b", "1"));
    assert_int_equal(metrics.kv_tokens, 0);
    assert_true(metrics.has_running && metrics.has_waiting && metrics.has_loras);
    assert_int_equal(metrics.running, 17);
    assert_int_equal(metrics.waiting, 5);
    assert_string_equal(metrics.running_loras, "b");
}

static void series_come_and_go_within_their_family(void **state)
{
    (void)state;
    read_next(first_page);
    struct engine_metrics metrics =
        read_next("# TYPE vllm:num_requests_running gauge\n"
                  "vllm:num_requests_running{engine=\"0\"} 17\n"
                  "vllm:num_requests_running{engine=\"1\"} nonsense\n"
                  "vllm:num_requests_running{engine=\"2\"} 3\n"
                  "vllm:num_requests_waiting 5\n" LORAS("c", "1") LORAS("d", "3") LORAS("e", "2"));
    assert_int_equal(metrics.kv_tokens, 0);
    assert_int_equal(metrics.running, 20);
    assert_string_equal(metrics.running_loras, "d");
    assert_int_equal(read_next(first_page).running, 3);
}

static void a_page_without_one_of_the_families_is_read_as_a_whole(void **state)
{
    (void)state;
    read_next(first_page);
    struct engine_metrics metrics = read_next("vllm:num_requests_running 4\n" TOKENS LORAS("a", "1"));
    assert_int_equal(metrics.kv_tokens, 160);
    assert_int_equal(metrics.running, 4);
    assert_false(metrics.has_waiting);
    assert_int_equal(read_next("vllm:num_requests_running 5\n" LORAS("a", "1")).running, 5);
    assert_false(read_next("").has_running);
    assert_int_equal(read_next("vllm:num_requests_running 6\n" TOKENS).kv_tokens, 160);
}

/* Names that only begin so, comments and other places of the name are no lines of the family. */
static void near_names_are_not_taken(void **state)
{
    (void)state;
    read_next("vllm:num_requests_running 1\n");
    struct engine_metrics metrics = read_next("# HELP vllm:num_requests_running Of them.\n"
                                              "vllm:num_requests_running_total 8\n"
                                              "x vllm:num_requests_running 9\n"
                                              "vllm:num_requests_running 2\n"
                                              "vllm:num_requests_running_created 7\n" TOKENS);
    assert_int_equal(metrics.running, 2);
    assert_int_equal(metrics.kv_tokens, 0);
    assert_false(read_next("vllm:num_requests_running_total 8\n").has_running);
}

static void page_with_gap(struct buffer *page, size_t gap)
{
    buffer_clear(page);
    buffer_append_str(page, TOKENS "#");
    for (size_t i = 0; i < gap; i++)
        buffer_append_str(page, ".");
    buffer_append_str(page, "\nvllm:num_requests_running 1\n");
}

static void a_family_is_looked_for_nearby(void **state)
{
    (void)state;
    static const struct {
        size_t gap;
        bool is_near;
    } rows[] = {{1000, true}, {1000 + PAGE_LAYOUT_DRIFT, true},
                {1000, true}, {1000 + PAGE_LAYOUT_DRIFT + 1, false},
                {1001, true}, {1000, true},
                {0, false},   {1, true},
                {5000, false}};
    struct buffer page = {0};
    struct engine_metrics metrics;
    page_with_gap(&page, 1000);
    engine_metrics_read_next(buffer_bytes(&page), NULL, &layout, &metrics);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        page_with_gap(&page, rows[i].gap);
        engine_metrics_read_next(buffer_bytes(&page), NULL, &layout, &metrics);
        assert_int_equal(metrics.running, 1);
        if ((metrics.kv_tokens == 0) != rows[i].is_near)
            fail_msg("row %zu: %llu", i, metrics.kv_tokens);
    }
    buffer_deinit(&page);
}

static void a_family_moves_with_those_before_it(void **state)
{
    (void)state;
    char page[4000];
    struct engine_metrics metrics;
    for (int gap = 1; gap < 1000; gap += PAGE_LAYOUT_DRIFT) {
        snprintf(page, sizeof page,
                 TOKENS "#%*d\nvllm:num_requests_running 1\n#%*d\nvllm:num_requests_waiting 2\n#%*d\n"
                        "vllm:kv_cache_usage_perc 0.3\n",
                 gap, 1, gap, 1, gap, 1);
        metrics = read_next(page);
        assert_int_equal(metrics.running, 1);
        assert_int_equal(metrics.waiting, 2);
        assert_int_equal(metrics.kv_permille, 300);
        assert_int_equal(metrics.kv_tokens, gap == 1 ? 160 : 0);
    }
}

/* Another line in front of the first one, as long as it. */
static void a_family_is_not_entered_in_its_middle(void **state)
{
    (void)state;
    struct buffer page = {0};
    struct engine_metrics metrics;
    for (unsigned count = 20; count <= 60; count += 40) {
        buffer_clear(&page);
        buffer_append_str(&page, TOKENS);
        for (unsigned i = 0; i < count; i++)
            buffer_append_str(&page, "vllm:num_requests_running{engine=\"0\"} 1\n");
        engine_metrics_read_next(buffer_bytes(&page), NULL, &layout, &metrics);
        assert_int_equal(metrics.running, count);
    }
    layout.groups[0].at += 20 * sizeof "vllm:num_requests_running{engine=\"0\"} 1";
    engine_metrics_read_next(buffer_bytes(&page), NULL, &layout, &metrics);
    assert_int_equal(metrics.running, 60);
    assert_int_equal(metrics.kv_tokens, 160);
    buffer_deinit(&page);
}

static void a_page_of_too_many_places_is_always_read_as_a_whole(void **state)
{
    (void)state;
    struct buffer page = {0};
    struct engine_metrics metrics;
    for (unsigned i = 0; i <= PAGE_LAYOUT_GROUPS; i++)
        buffer_printf(&page, "vllm:num_requests_running 1\nother 1\n");
    buffer_append_str(&page, TOKENS);
    for (unsigned i = 0; i < 3; i++) {
        engine_metrics_read_next(buffer_bytes(&page), NULL, &layout, &metrics);
        assert_int_equal(metrics.running, PAGE_LAYOUT_GROUPS + 1);
        assert_int_equal(metrics.kv_tokens, 160);
    }
    buffer_deinit(&page);
}

/* Pages of a server: the same families, all numbers new, series that come and go. */
static void write_page(struct buffer *page, struct random_state *random)
{
    static const struct {
        const char *name;
        bool is_wanted; /* has a series at least */
    } families[] = {
        {"process_start_time_seconds", true},
        {"vllm:num_requests_running", true},
        {"vllm:a", false},
        {"vllm:bb_total", false},
        {"vllm:kv_cache_usage_perc", true},
        {"vllm:num_requests", false},
        {"vllm:num_requests_waiting", true},
    };
    buffer_clear(page);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        uint64_t series = random_below(random, 3) + families[i].is_wanted;
        for (uint64_t j = 0; j < series; j++)
            buffer_printf(page, "%s{engine=\"%u\"} %u\n", families[i].name, (unsigned)j,
                          (unsigned)random_below(random, 1u << random_below(random, 20)));
    }
}

static void readings_are_those_of_whole_pages(void **state)
{
    (void)state;
    struct random_state random;
    random_seed(&random, 1);
    struct buffer page = {0};
    struct engine_metrics metrics, whole;
    for (unsigned i = 0; i < 2000; i++) {
        write_page(&page, &random);
        engine_metrics_read_next(buffer_bytes(&page), NULL, &layout, &metrics);
        engine_metrics_read(buffer_bytes(&page), NULL, &whole);
        assert_int_equal(metrics.running, whole.running);
        assert_int_equal(metrics.waiting, whole.waiting);
        assert_int_equal(metrics.kv_permille, whole.kv_permille);
        assert_true(metrics.started_s == whole.started_s);
    }
    buffer_deinit(&page);
}

#define TEST(name) cmocka_unit_test_setup(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_read_where_the_last_one_had_its_families),
        TEST(series_come_and_go_within_their_family),
        TEST(a_page_without_one_of_the_families_is_read_as_a_whole),
        TEST(near_names_are_not_taken),
        TEST(a_family_is_looked_for_nearby),
        TEST(a_family_moves_with_those_before_it),
        TEST(a_family_is_not_entered_in_its_middle),
        TEST(a_page_of_too_many_places_is_always_read_as_a_whole),
        TEST(readings_are_those_of_whole_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
