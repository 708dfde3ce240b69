/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c: series, shards, the bound on labels, the written page, and several threads at once. */
#include "observe/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "observe/prometheus_parse.h"

enum { SHARDS = 3, MAX_SERIES = 4 };

#define VALUES(...) ((const char *const[]){__VA_ARGS__})

static int set_up(void **state)
{
    *state = metrics_new(SHARDS, MAX_SERIES);
    return 0;
}

static int tear_down(void **state)
{
    metrics_free(*state);
    return 0;
}

/* The page ends in a NUL; the caller frees the buffer. */
static const char *page_of(struct metrics *metrics, struct buffer *out)
{
    metrics_write(metrics, out);
    buffer_append_char(out, '\0');
    return out->data + out->head;
}

static void expect_line(struct metrics *metrics, const char *line)
{
    struct buffer out = {0};
    if (strstr(page_of(metrics, &out), line) == NULL)
        fail_msg("missing: %s", line);
    buffer_deinit(&out);
}

static void the_same_labels_give_the_same_series_and_other_shards_another(void **state)
{
    struct metric_series *first = metrics_series(*state, 0, METRIC_REQUESTS, VALUES("p/m", "200"));
    assert_ptr_equal(metrics_series(*state, 0, METRIC_REQUESTS, VALUES("p/m", "200")), first);
    assert_ptr_not_equal(metrics_series(*state, 1, METRIC_REQUESTS, VALUES("p/m", "200")), first);
    assert_ptr_not_equal(metrics_series(*state, 0, METRIC_REQUESTS, VALUES("p/m", "404")), first);
}

static void a_counter_is_summed_over_its_shards(void **state)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        metric_add(metrics_series(*state, shard, METRIC_REQUESTS, VALUES("p/m", "200")), 10 + shard);
    assert_int_equal(metrics_value(*state, METRIC_REQUESTS, VALUES("p/m", "200")), 33);
    assert_int_equal(metrics_value(*state, METRIC_REQUESTS, VALUES("p/m", "500")), 0);
    expect_line(*state, "\n# TYPE serin_requests_total counter\n");
    expect_line(*state, "\nserin_requests_total{arm=\"p/m\",code=\"200\"} 33\n");
}

static void a_gauge_goes_up_and_down_and_may_be_set(void **state)
{
    struct metric_series *open = metrics_series(*state, 0, METRIC_CONNECTIONS_OPEN, NULL);
    metric_add(open, 5);
    metric_add(open, -2);
    metric_add(metrics_series(*state, 1, METRIC_CONNECTIONS_OPEN, NULL), -1);
    assert_int_equal(metrics_value(*state, METRIC_CONNECTIONS_OPEN, NULL), 2);
    metric_set(open, 7);
    assert_int_equal(metrics_value(*state, METRIC_CONNECTIONS_OPEN, NULL), 6);
}

static void a_histogram_has_cumulative_buckets_a_sum_in_seconds_and_a_count(void **state)
{
    struct metric_series *first = metrics_series(*state, 0, METRIC_FIRST_BYTE, VALUES("a"));
    struct metric_series *second = metrics_series(*state, 2, METRIC_FIRST_BYTE, VALUES("a"));
    metric_observe_us(first, 0);
    metric_observe_us(first, 1000); /* a bucket includes its limit */
    metric_observe_us(first, 1001);
    metric_observe_us(second, 300000000);
    metric_observe_us(second, 300000001);
    expect_line(*state, "\nserin_time_to_first_byte_seconds_bucket{arm=\"a\",le=\"0.001\"} 2\n");
    expect_line(*state, "\nserin_time_to_first_byte_seconds_bucket{arm=\"a\",le=\"0.002\"} 3\n");
    expect_line(*state, "\nserin_time_to_first_byte_seconds_bucket{arm=\"a\",le=\"300\"} 4\n");
    expect_line(*state, "\nserin_time_to_first_byte_seconds_bucket{arm=\"a\",le=\"+Inf\"} 5\n");
    expect_line(*state, "\nserin_time_to_first_byte_seconds_sum{arm=\"a\"} 600.002002\n");
    expect_line(*state, "\nserin_time_to_first_byte_seconds_count{arm=\"a\"} 5\n");
    assert_int_equal(metrics_value(*state, METRIC_FIRST_BYTE, VALUES("a")), 5);
}

static void times_of_counters_and_gauges_are_written_in_seconds(void **state)
{
    metric_add(metrics_series(*state, 0, METRIC_STORE_COMMIT_TIME, NULL), 1500000);
    metric_add(metrics_series(*state, 1, METRIC_STORE_COMMIT_TIME, NULL), 1);
    metric_set(metrics_series(*state, 0, METRIC_STORE_COMMIT_MAX, NULL), 20);
    expect_line(*state, "\n# TYPE serin_store_commit_seconds_total counter\n");
    expect_line(*state, "\nserin_store_commit_seconds_total 1.500001\n");
    expect_line(*state, "\n# TYPE serin_store_commit_seconds_max gauge\n");
    expect_line(*state, "\nserin_store_commit_seconds_max 0.000020\n");
    assert_int_equal(metrics_value(*state, METRIC_STORE_COMMIT_TIME, NULL), 1500001);
}

static void combinations_beyond_the_limit_share_a_series_named_other(void **state)
{
    char code[8];
    for (unsigned i = 0; i < MAX_SERIES + 3; i++) {
        snprintf(code, sizeof(code), "%u", 200 + i);
        metric_add(metrics_series(*state, 0, METRIC_REQUESTS, VALUES("p", code)), 1);
    }
    assert_int_equal(metrics_value(*state, METRIC_REQUESTS, VALUES("other", "other")), 3);
    assert_int_equal(metrics_value(*state, METRIC_REQUESTS, VALUES("p", "204")), 0);
    metric_add(metrics_series(*state, 0, METRIC_REQUESTS, VALUES("p", "200")), 1); /* the old ones go on */
    assert_int_equal(metrics_value(*state, METRIC_REQUESTS, VALUES("p", "200")), 2);
    /* Another metric has its own limit. */
    metric_add(metrics_series(*state, 0, METRIC_RELOADS, VALUES("ok")), 1);
    assert_int_equal(metrics_value(*state, METRIC_RELOADS, VALUES("ok")), 1);
}

static void a_cleared_gauge_has_no_series_and_takes_new_ones_up_to_the_limit(void **state)
{
    char endpoint[16];
    for (unsigned round = 0; round < 3; round++) {
        metrics_clear(*state, METRIC_ENDPOINT_RUNNING);
        for (unsigned i = 0; i <= MAX_SERIES; i++) {
            snprintf(endpoint, sizeof endpoint, "%u-%u", round, i);
            metric_set(metrics_series(*state, 0, METRIC_ENDPOINT_RUNNING, VALUES("p", endpoint)), 7);
        }
        snprintf(endpoint, sizeof endpoint, "%u-0", round);
        assert_int_equal(metrics_value(*state, METRIC_ENDPOINT_RUNNING, VALUES("p", endpoint)), 7);
        assert_int_equal(metrics_value(*state, METRIC_ENDPOINT_RUNNING, VALUES("other", "other")), 7);
    }
    assert_int_equal(metrics_value(*state, METRIC_ENDPOINT_RUNNING, VALUES("p", "1-0")), 0);
    struct buffer out = {0};
    assert_null(strstr(page_of(*state, &out), "\"1-0\""));
    buffer_deinit(&out);
}

static void label_values_cannot_be_confused_by_their_content(void **state)
{
    metric_add(metrics_series(*state, 0, METRIC_REQUESTS, VALUES("a\",code=\"b", "c")), 1);
    assert_int_equal(metrics_value(*state, METRIC_REQUESTS, VALUES("a", "b\",code=\"c")), 0);
    expect_line(*state, "\nserin_requests_total{arm=\"a\\\",code=\\\"b\",code=\"c\"} 1\n");
}

static void an_untouched_registry_writes_zero_for_what_has_no_labels(void **state)
{
    expect_line(*state, "\nserin_requests_active 0\n");
    expect_line(*state, "\n# TYPE serin_request_duration_seconds histogram\n");
}

static void sizes_are_counted_in_powers_of_two_and_summed_as_they_are(void **state)
{
    struct metric_series *series = metrics_series(*state, 0, METRIC_EPP_INPUT, VALUES("m", "t", "0"));
    metric_observe(series, 0);
    metric_observe(series, 1025);
    metric_observe(series, 5000000);
#define OF "{model_name=\"m\",target_model_name=\"t\",priority=\"0\""
    expect_line(*state, "\nllm_d_epp_request_input_tokens_bucket" OF ",le=\"1\"} 1\n");
    expect_line(*state, "\nllm_d_epp_request_input_tokens_bucket" OF ",le=\"1024\"} 1\n");
    expect_line(*state, "\nllm_d_epp_request_input_tokens_bucket" OF ",le=\"2048\"} 2\n");
    expect_line(*state, "\nllm_d_epp_request_input_tokens_bucket" OF ",le=\"+Inf\"} 3\n");
    expect_line(*state, "\nllm_d_epp_request_input_tokens_sum" OF "} 5001025\n");
    assert_int_equal(metrics_value(*state, METRIC_EPP_INPUT, VALUES("m", "t", "0")), 3);
    /* once more under its former name */
    expect_line(*state, "\n# TYPE inference_objective_input_tokens histogram\n");
    expect_line(*state, "\ninference_objective_input_tokens_sum" OF "} 5001025\n");
#undef OF
}

static void short_times_have_finer_buckets(void **state)
{
    struct metric_series *series = metrics_series(*state, 0, METRIC_EPP_PICK_TIME, NULL);
    metric_observe_us(series, 7);
    metric_observe_us(series, 150);
    expect_line(*state, "\ninference_extension_scheduler_e2e_duration_seconds_bucket{le=\"0.0001\"} 1\n");
    expect_line(*state, "\nllm_d_epp_scheduler_e2e_duration_seconds_bucket{le=\"0.0002\"} 2\n");
    expect_line(*state, "\nllm_d_epp_scheduler_e2e_duration_seconds_sum 0.000157\n");
}

enum {
    ALIAS_COUNT = 0
#define X(id, name) +1
#include "observe/metric_aliases.def"
#undef X
};

static void no_name_stands_twice(void **state)
{
    struct buffer out = {0};
    const char *page = page_of(*state, &out);
    for (const char *at = page; (at = strstr(at, "\n# TYPE ")) != NULL;) {
        char name[160];
        at += strlen("\n# TYPE ");
        snprintf(name, sizeof name, "\n# TYPE %.*s ", (int)strcspn(at, " "), at);
        assert_null(strstr(at, name));
    }
    buffer_deinit(&out);
}

static void the_page_has_a_help_and_a_type_for_every_metric_and_parses(void **state)
{
    struct buffer out = {0};
    metric_observe_us(metrics_series(*state, 0, METRIC_REQUEST_DURATION, VALUES("a")), 5);
    const char *page = page_of(*state, &out);
    unsigned helps = 0, types = 0, lines = 0, comments = 0, samples = 0;
    for (const char *line = page; *line != '\0'; line = strchr(line, '\n') + 1, lines++) {
        helps += strncmp(line, "# HELP ", 7) == 0;
        types += strncmp(line, "# TYPE ", 7) == 0;
        comments += *line == '#';
    }
    assert_int_equal(helps, METRIC_COUNT + ALIAS_COUNT);
    assert_int_equal(types, METRIC_COUNT + ALIAS_COUNT);
    struct prometheus_sample sample;
    for (size_t cursor = 0; prometheus_next(bytes_of(page), &cursor, &sample);)
        samples++;
    assert_int_equal(samples, lines - comments);
    buffer_deinit(&out);
}

struct writer {
    pthread_t thread;
    struct metrics *metrics;
    unsigned shard;
    atomic_uint *running;
};
enum { ROUNDS = 2000 };

static void *add_many(void *argument)
{
    struct writer *writer = argument;
    struct metric_series *active = metrics_series(writer->metrics, writer->shard, METRIC_REQUESTS_ACTIVE, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char code[8];
        snprintf(code, sizeof(code), "%u", 200 + i % 7);
        metric_add(active, 1);
        metric_add(metrics_series(writer->metrics, writer->shard, METRIC_REQUESTS, VALUES("p", code)), 1);
        metric_observe_us(metrics_series(writer->metrics, writer->shard, METRIC_FIRST_BYTE, VALUES("p")), i);
        metric_add(active, -1);
    }
    atomic_fetch_sub(writer->running, 1);
    return NULL;
}

static void threads_may_add_while_another_writes_the_page(void **state)
{
    struct writer writers[SHARDS];
    atomic_uint running = SHARDS;
    for (unsigned i = 0; i < SHARDS; i++) {
        writers[i] = (struct writer){.metrics = *state, .shard = i, .running = &running};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, add_many, &writers[i]), 0);
    }
    struct buffer out = {0};
    do {
        buffer_clear(&out);
        metrics_write(*state, &out);
    } while (atomic_load(&running) > 0);
    buffer_deinit(&out);
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_join(writers[i].thread, NULL);
    assert_int_equal(metrics_value(*state, METRIC_REQUESTS_ACTIVE, NULL), 0);
    assert_int_equal(metrics_value(*state, METRIC_FIRST_BYTE, VALUES("p")), SHARDS * ROUNDS);
    int64_t requests = metrics_value(*state, METRIC_REQUESTS, VALUES("other", "other"));
    for (unsigned code = 200; code < 207; code++) {
        char text[8];
        snprintf(text, sizeof(text), "%u", code);
        requests += metrics_value(*state, METRIC_REQUESTS, VALUES("p", text));
    }
    assert_int_equal(requests, SHARDS * ROUNDS);
}

#define METRICS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        METRICS_TEST(the_same_labels_give_the_same_series_and_other_shards_another),
        METRICS_TEST(a_counter_is_summed_over_its_shards),
        METRICS_TEST(a_gauge_goes_up_and_down_and_may_be_set),
        METRICS_TEST(a_histogram_has_cumulative_buckets_a_sum_in_seconds_and_a_count),
        METRICS_TEST(times_of_counters_and_gauges_are_written_in_seconds),
        METRICS_TEST(combinations_beyond_the_limit_share_a_series_named_other),
        METRICS_TEST(a_cleared_gauge_has_no_series_and_takes_new_ones_up_to_the_limit),
        METRICS_TEST(label_values_cannot_be_confused_by_their_content),
        METRICS_TEST(an_untouched_registry_writes_zero_for_what_has_no_labels),
        METRICS_TEST(sizes_are_counted_in_powers_of_two_and_summed_as_they_are),
        METRICS_TEST(short_times_have_finer_buckets),
        METRICS_TEST(no_name_stands_twice),
        METRICS_TEST(the_page_has_a_help_and_a_type_for_every_metric_and_parses),
        METRICS_TEST(threads_may_add_while_another_writes_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
