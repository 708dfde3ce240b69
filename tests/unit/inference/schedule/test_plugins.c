/* SPDX-License-Identifier: Apache-2.0 */
/* test_plugins.c: every filter, scorer and picker on cases that were computed by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "inference/schedule/plugins.h"

enum { MAX = 8 };

struct scene {
    struct request_facts request;
    struct candidate candidates[MAX];
    unsigned kept[MAX];
    uint64_t random;
    struct pick_state state;
};

static struct pick_state *make(struct scene *scene, unsigned count)
{
    scene->state = (struct pick_state){&scene->request, scene->candidates, scene->kept, count, &scene->random};
    for (unsigned i = 0; i < count; i++)
        scene->kept[i] = i;
    return &scene->state;
}

static struct plugin plugin(const char *type)
{
    const struct plugin_kind *kind = plugin_find(bytes_of(type));
    assert_non_null(kind);
    return plugin_default(kind);
}

static void set(struct plugin *plugin, const char *name, double value)
{
    for (unsigned i = 0; plugin->kind->syntax[i].name != NULL; i++)
        if (strcmp(plugin->kind->syntax[i].name, name) == 0) {
            plugin->values[i] = value;
            return;
        }
    fail_msg("no parameter %s", name);
}

static void check_with(const struct plugin *plugin, struct scene *scene, unsigned count, const double *expected)
{
    double scores[MAX];
    plugin->kind->score(plugin, make(scene, count), scores);
    for (unsigned i = 0; i < count; i++)
        if (fabs(scores[i] - expected[i]) > 1e-9)
            fail_msg("%s: score %u is %g, not %g", plugin->kind->type, i, scores[i], expected[i]);
}

static void check(const char *type, struct scene *scene, unsigned count, const double *expected)
{
    struct plugin scorer = plugin(type);
    check_with(&scorer, scene, count, expected);
}

#define EXPECT(...) ((const double[]){__VA_ARGS__})

static void queue_scores_lie_between_the_longest_and_the_shortest(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{.waiting = 0}, {.waiting = 4}, {.waiting = 8}}};
    check("queue-scorer", &scene, 3, EXPECT(1, 0.5, 0));
    struct scene equal = {.candidates = {{.waiting = 5}, {.waiting = 5}, {.waiting = 5}}};
    check("queue-scorer", &equal, 3, EXPECT(1, 1, 1));
    check("queue-scorer", &scene, 1, EXPECT(1));
}

static void running_scores_are_of_the_same_shape(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{.running = 10}, {.running = 2}, {.running = 4}}};
    check("running-requests-size-scorer", &scene, 3, EXPECT(0, 1, 0.75));
}

static void kv_cache_scores_are_what_is_free(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{.kv_usage = 0.2}, {.kv_usage = 0.5}, {.kv_usage = 0.9}}};
    check("kv-cache-utilization-scorer", &scene, 3, EXPECT(0.8, 0.5, 0.1));
}

static void prefix_scores_are_the_matched_share(void **state)
{
    (void)state;
    struct scene scene = {
        .request = {.prompt_tokens = 1050, .hashed_tokens = 1024},
        .candidates = {{0}, {.matched_tokens = 512}, {.matched_tokens = 1024}},
    };
    check("prefix-cache-scorer", &scene, 3, EXPECT(0, 0.5, 1));
    struct plugin mixed = plugin("prefix-cache-scorer");
    set(&mixed, "matchLengthWeight", 0.5);
    set(&mixed, "matchLengthScaleTokens", 1024);
    check_with(&mixed, &scene, 3, EXPECT(0, 0.5 * 0.5 + 0.5 * 0.25, 1));
    scene.request.hashed_tokens = 0;
    check("prefix-cache-scorer", &scene, 3, EXPECT(0, 0, 0));
}

static void adapter_scores_prefer_active_to_loadable_to_waiting(void **state)
{
    (void)state;
    struct scene scene = {
        .candidates =
            {
                {.adapters_max = 4, .adapters_running = 4, .runs_adapter = true},
                {.adapters_max = 4, .adapters_running = 2, .adapters_waiting = 1},
                {.adapters_max = 4, .adapters_running = 4, .adapters_waiting = 1, .awaits_adapter = true},
                {.adapters_max = 4, .adapters_running = 4},
                {.adapters_max = 0},
            },
    };
    check("lora-affinity-scorer", &scene, 5, EXPECT(1, 0.8, 0.6, 0, 0));
}

static void active_request_scores_count_own_requests(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{.in_flight = 0}, {.in_flight = 2}, {.in_flight = 8}}};
    check("active-request-scorer", &scene, 3, EXPECT(1, 0.75, 0));
    struct plugin lenient = plugin("active-request-scorer");
    set(&lenient, "idleThreshold", 2);
    set(&lenient, "maxBusyScore", 0.5);
    check_with(&lenient, &scene, 3, EXPECT(1, 1, 0));
    scene.candidates[1].in_flight = 4;
    check_with(&lenient, &scene, 3, EXPECT(1, 0.25, 0));
}

static void token_load_scores_fall_to_zero_at_the_threshold(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{0}, {.prompt_tokens = 250}, {.prompt_tokens = 5000}}};
    struct plugin scorer = plugin("token-load-scorer");
    set(&scorer, "queueThresholdTokens", 1000);
    check_with(&scorer, &scene, 3, EXPECT(1, 0.75, 0));
}

static void load_aware_scores_are_at_most_a_half(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{0}, {.waiting = 32}, {.waiting = 500}}};
    check("load-aware-scorer", &scene, 3, EXPECT(0.5, 0.375, 0));
}

static void session_scores_are_one_or_nothing(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{0}, {.is_session = true}}};
    check("session-affinity-scorer", &scene, 2, EXPECT(0, 1));
}

static void no_hit_scores_rank_by_the_last_cold_prompt(void **state)
{
    (void)state;
    struct scene scene = {.candidates = {{.cold_pick = 9}, {.cold_pick = 0}, {.cold_pick = 3}}};
    check("no-hit-lru-scorer", &scene, 3, EXPECT(0, 1, 0.5));
    scene.candidates[0].matched_tokens = 64;
    check("no-hit-lru-scorer", &scene, 3, EXPECT(0.5, 0.5, 0.5));
    scene.candidates[0].matched_tokens = 0;
    check("no-hit-lru-scorer", &scene, 1, EXPECT(1));
}

static void latency_scores_compare_with_the_best(void **state)
{
    (void)state;
    struct scene scene = {
        .candidates = {{.ttft_ms = 100, .token_ms = 20}, {.ttft_ms = 200, .token_ms = 10}, {0}},
    };
    check("least-latency-scorer", &scene, 3, EXPECT(0.8 + 0.2 * 0.5, 0.8 * 0.5 + 0.2, 1));
}

/* Costs: 32 x (150 + 0.75 x sequences + 0.0005 x context) + prefill in flight + own uncached tokens. */
static void prompt_cost_counts_what_is_before_a_request_and_what_it_brings(void **state)
{
    (void)state;
    struct scene scene = {
        .request = {.prompt_tokens = 1000},
        .candidates =
            {
                {.matched_tokens = 900},                           /* 4800 + 100 */
                {.prefill_tokens = 500},                           /* 4800 + 500 + 1000 */
                {.in_flight = 10, .prompt_tokens = 20000},         /* 4800 + 240 + 320 + 1000 */
                {.matched_tokens = 1000, .prefill_tokens = 100.0}, /* 4800 + 100 */
            },
    };
    check("prompt-cost-scorer", &scene, 4, EXPECT(1, 4900.0 / 6300, 4900.0 / 6360, 1));
}

static void prompt_cost_counts_the_work_of_others_from_the_page(void **state)
{
    (void)state;
    struct scene scene = {
        .candidates =
            {
                {.in_flight = 3, .running = 3},                  /* its own: 4800 + 72 */
                {.in_flight = 3, .running = 7},                  /* 4 more of others: 4800 + 168 */
                {.in_flight = 3, .prefilling = 3, .waiting = 5}, /* 2 wait that are not ours: 4872 + 1000 */
            },
    };
    check("prompt-cost-scorer", &scene, 3, EXPECT(1, 4872.0 / 4968, 4872.0 / 5872));
}

static void prompt_cost_shuns_a_full_cache_and_adapters_that_have_to_be_loaded(void **state)
{
    (void)state;
    struct scene scene = {
        .candidates =
            {
                {.kv_usage = 0.5, .adapter = ADAPTER_RESIDENT}, /* 4800 */
                {.kv_usage = 0.75},                             /* + 4000 x 0.5 x 0.5 */
                {.adapter = ADAPTER_LOADING},                   /* + 2500 */
                {.adapter = ADAPTER_LOADABLE},                  /* + 5000 */
                {.adapter = ADAPTER_FULL},                      /* + 105000 */
            },
    };
    check("prompt-cost-scorer", &scene, 5, EXPECT(1, 4800.0 / 5800, 4800.0 / 7300, 4800.0 / 9800, 4800.0 / 109800));
}

static void prompt_cost_weighs_prefill_by_the_pace_of_the_endpoint(void **state)
{
    (void)state;
    struct scene scene = {
        .request = {.prompt_tokens = 1000},
        .candidates = {{.pace = 0.04}, {.pace = 0.08}, {.pace = 0}},
    };
    /* The mean of the known ones is 0.06: relative 0.667, 1.333, unknown 1. */
    double first = 4800 + 1000 * 2 / 3.0;
    check("prompt-cost-scorer", &scene, 3, EXPECT(1, first / (4800 + 1000 * 4 / 3.0), first / 5800));
    scene.candidates[1].pace = 0.045; /* too little to tell from noise */
    check("prompt-cost-scorer", &scene, 2, EXPECT(1, 1));
}

static void prompt_cost_counts_what_a_prompt_pushes_out(void **state)
{
    (void)state;
    struct scene scene = {
        .request = {.prompt_tokens = 1000, .reuse = 0.5},
        .candidates =
            {
                {.matched_tokens = 1000, .taken_in_tokens = 4000, .cache_tokens = 1000}, /* 4800: nothing */
                {.taken_in_tokens = 4000, .cache_tokens = 1000}, /* + 1000, and 8 x 0.5 x 4/8 of it */
                {.taken_in_tokens = 4000, .cache_tokens = 3000}, /* + 1000, and 8 x 0.5 x 4/16 of it */
                {.taken_in_tokens = 4000},                       /* + 1000: its size is not known */
                {.cache_tokens = 1000},                          /* + 1000: it has room */
            },
    };
    check("prompt-cost-scorer", &scene, 5, EXPECT(1, 4800.0 / 7800, 4800.0 / 6800, 4800.0 / 5800, 4800.0 / 5800));
    scene.request.reuse = 0; /* nobody misses it */
    check("prompt-cost-scorer", &scene, 2, EXPECT(1, 4800.0 / 5800));
    struct plugin careless = plugin("prompt-cost-scorer");
    set(&careless, "evictionWeight", 0);
    scene.request.reuse = 0.5;
    check_with(&careless, &scene, 2, EXPECT(1, 4800.0 / 5800));
}

/* Filters. */

static void check_kept(const struct plugin *filter, struct scene *scene, unsigned count, const char *expected)
{
    char kept[MAX + 1] = "";
    filter->kind->filter(filter, make(scene, count));
    for (unsigned i = 0; i < scene->state.count; i++)
        kept[i] = (char)('0' + scene->kept[i]);
    assert_string_equal(kept, expected);
}

static void the_session_filter_keeps_the_session_or_all(void **state)
{
    (void)state;
    struct plugin filter = plugin("session-affinity-filter");
    struct scene scene = {.candidates = {{0}, {.is_session = true}, {0}}};
    check_kept(&filter, &scene, 3, "1");
    scene.candidates[1].is_session = false;
    check_kept(&filter, &scene, 3, "012");
}

/* Endpoints that differ by their labels and addresses. */
static void place(struct scene *scene, struct endpoint *endpoints, const char *const *labels, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char ip[16];
        static char texts[MAX][24];
        snprintf(ip, sizeof ip, "10.0.0.%u", i + 7);
        snprintf(texts[i], sizeof texts[i], "%s:8000", ip);
        endpoints[i].labels = (char *)(uintptr_t)labels[i];
        endpoints[i].text = texts[i];
        assert_true(address_make(&endpoints[i].address, bytes_of(ip), 8000));
        scene->candidates[i].endpoint = &endpoints[i];
    }
}

static void text(struct plugin *plugin, unsigned parameter, const char *value)
{
    assert_true(plugin_add_text(plugin, parameter, bytes_of(value)));
}

static const char *const some_labels[] = {"\nzone=a\ngpu=h100\n", "\nzone=b\ngpu=\n", "\nzones=a\n", NULL};

static void label_filters_keep_what_the_selector_says(void **state)
{
    (void)state;
    static const struct {
        const char *labels, *expressions, *kept;
    } cases[] = {
        {"", "", "0123"},
        {"=zone a \n", "", "0"},
        {"=zone a \n=gpu h100 \n", "", "0"},
        {"=zone a \n=gpu h200 \n", "", ""},
        {"", "=zone b a \n", "01"},
        {"", "=gpu  \n", "1"}, /* one value: "" */
        {"", "!zone a \n", "123"},
        {"", "+zone \n", "01"},
        {"", "-zone \n", "23"},
        {"=zone b \n", "+gpu \n-other \n", "1"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene scene = {0};
        struct endpoint endpoints[4] = {0};
        struct plugin filter = plugin("label-selector-filter");
        place(&scene, endpoints, some_labels, 4);
        text(&filter, 0, cases[i].labels);
        text(&filter, 1, cases[i].expressions);
        check_kept(&filter, &scene, 4, cases[i].kept);
    }
}

static void the_filter_by_one_label_may_let_those_pass_that_lack_it(void **state)
{
    (void)state;
    struct scene scene = {0};
    struct endpoint endpoints[4] = {0};
    struct plugin filter = plugin("by-label");
    place(&scene, endpoints, some_labels, 4);
    text(&filter, 0, "zone");
    text(&filter, 1, " b c ");
    check_kept(&filter, &scene, 4, "1");
    set(&filter, "allowsNoLabel", 1);
    check_kept(&filter, &scene, 4, "123");
}

static bool find_in_list(void *context, struct bytes name, struct bytes *ret_value)
{
    const char *const *pair = context;
    *ret_value = bytes_of(pair[1]);
    return pair[1] != NULL && bytes_equal_str(name, pair[0]);
}

static void a_header_names_the_endpoints_that_are_kept(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {NULL, "012"},         {"", ""},
        {"10.0.0.8", "1"},     {" 10.0.0.9:8000 ,10.0.0.7", "02"},
        {"10.0.0.9:8001", ""}, {"[10.0.0.8],,10.0.0.80", "1"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        const char *said[] = {"test-epp-endpoint-selection", cases[i][0]};
        struct scene scene = {.request = {.header = find_in_list, .header_context = said}};
        struct endpoint endpoints[3] = {0};
        struct plugin filter = plugin("header-based-testing-filter"), subset = plugin("subset-filter");
        place(&scene, endpoints, some_labels, 3);
        check_kept(&filter, &scene, 3, cases[i][1]);
        check_kept(&subset, &scene, 3, "012");
        said[0] = "x-gateway-destination-endpoint-subset";
        check_kept(&subset, &scene, 3, cases[i][1]);
        check_kept(&filter, &scene, 3, "012");
    }
}

static void a_header_prefers_the_endpoints_whose_label_it_is(void **state)
{
    (void)state;
    const char *said[] = {"x-zone", "a"};
    struct scene scene = {.request = {.header = find_in_list, .header_context = said}};
    struct endpoint endpoints[4] = {0};
    struct plugin scorer = plugin("header-label-affinity-scorer");
    assert_string_equal(plugin_lacks(&scorer), "headerName");
    place(&scene, endpoints, some_labels, 4);
    text(&scorer, 0, "x-zone");
    assert_string_equal(plugin_lacks(&scorer), "labelKey");
    text(&scorer, 1, "zone");
    assert_null(plugin_lacks(&scorer));
    check_with(&scorer, &scene, 4, EXPECT(1, 0, 0, 0));
    said[1] = NULL;
    check_with(&scorer, &scene, 4, EXPECT(0, 0, 0, 0));
}

static void the_utilization_filter_drops_saturated_endpoints_or_none(void **state)
{
    (void)state;
    struct plugin filter = plugin("utilization-detector");
    struct scene scene = {
        .candidates = {{.waiting = 4, .kv_usage = 0.79}, {.waiting = 5}, {.kv_usage = 0.8}, {.waiting = 0}}};
    check_kept(&filter, &scene, 4, "03");
    set(&filter, "headroom", 0.1);
    check_kept(&filter, &scene, 4, "0123");
    for (unsigned i = 0; i < 4; i++)
        scene.candidates[i].waiting = 100;
    check_kept(&filter, &scene, 4, "0123");
}

static void the_concurrency_filter_may_drop_all(void **state)
{
    (void)state;
    struct plugin filter = plugin("concurrency-detector");
    set(&filter, "maxConcurrency", 10);
    set(&filter, "maxTokenConcurrency", 1000);
    struct scene scene = {.candidates = {{.in_flight = 9}, {.in_flight = 10}, {.prompt_tokens = 1000}}};
    check_kept(&filter, &scene, 3, "0");
    scene.candidates[0].in_flight = 10;
    check_kept(&filter, &scene, 3, "");
}

static void the_prefix_filter_keeps_who_has_most_of_the_prompt(void **state)
{
    (void)state;
    struct plugin filter = plugin("prefix-cache-affinity-filter");
    struct scene scene = {
        .request = {.hashed_tokens = 1000},
        .candidates = {{.matched_tokens = 800}, {.matched_tokens = 799}, {.matched_tokens = 1000}, {0}},
    };
    check_kept(&filter, &scene, 4, "02");
    scene.candidates[0].prefill_tokens = scene.candidates[2].prefill_tokens = 15928.0 * 18.1; /* 18.1 s behind */
    check_kept(&filter, &scene, 4, "0123");
    scene.candidates[2].prefill_tokens = 0;
    set(&filter, "explorationProbability", 1);
    check_kept(&filter, &scene, 4, "0123");
    set(&filter, "explorationProbability", 0);
    set(&filter, "affinityThreshold", 1);
    scene.candidates[2].matched_tokens = 999;
    check_kept(&filter, &scene, 4, "0123"); /* nobody has all of it */
}

/* Pickers. */

static void count_picks(const char *type, const double *scores, unsigned count, unsigned picks, unsigned *ret_counts)
{
    struct plugin picker = plugin(type);
    struct scene scene = {.random = 77};
    make(&scene, count);
    memset(ret_counts, 0, MAX * sizeof *ret_counts);
    for (unsigned i = 0; i < picks; i++)
        ret_counts[picker.kind->pick(&picker, &scene.state, scores)]++;
}

static void the_best_wins_and_ties_are_drawn_fairly(void **state)
{
    (void)state;
    unsigned counts[MAX];
    count_picks("max-score-picker", EXPECT(0.2, 0.9, 0.5, 0.9, 0.9), 5, 9000, counts);
    assert_int_equal(counts[0] + counts[2], 0);
    assert_in_range(counts[1], 2800, 3200);
    assert_in_range(counts[3], 2800, 3200);
    assert_in_range(counts[4], 2800, 3200);
}

static void random_picks_ignore_scores(void **state)
{
    (void)state;
    unsigned counts[MAX];
    count_picks("random-picker", EXPECT(0, 1, 0, 0), 4, 8000, counts);
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(counts[i], 1850, 2150);
}

static void weighted_picks_follow_the_scores(void **state)
{
    (void)state;
    unsigned counts[MAX];
    count_picks("weighted-random-picker", EXPECT(0.1, 0, 0.3, 0.6), 4, 10000, counts);
    assert_in_range(counts[0], 880, 1120);
    assert_int_equal(counts[1], 0);
    assert_in_range(counts[2], 2850, 3150);
    assert_in_range(counts[3], 5850, 6150);
    count_picks("weighted-random-picker", EXPECT(0, 0), 2, 1000, counts);
    assert_in_range(counts[0], 430, 570);
}

/* The worst is never the better of two different ones; the best is in half of all pairs of four. */
static void of_two_drawn_the_better_wins(void **state)
{
    (void)state;
    unsigned counts[MAX];
    count_picks("power-of-two-picker", EXPECT(0.1, 0.2, 0.3, 0.4), 4, 12000, counts);
    assert_int_equal(counts[0], 0);
    assert_in_range(counts[1], 1850, 2150);
    assert_in_range(counts[2], 3800, 4200);
    assert_in_range(counts[3], 5800, 6200);
    count_picks("power-of-two-picker", EXPECT(0.1), 1, 10, counts);
    assert_int_equal(counts[0], 10);
}

static void the_table_has_no_doubles_and_no_gaps(void **state)
{
    (void)state;
    const struct plugin_kind *kind;
    for (unsigned i = 0; (kind = plugin_at(i)) != NULL; i++) {
        assert_ptr_equal(plugin_find(bytes_of(kind->type)), kind);
        assert_true(strlen(kind->type) < PLUGIN_NAME_BYTES);
        assert_int_equal(kind->filter != NULL, kind->role == PLUGIN_FILTER);
        assert_int_equal(kind->score != NULL, kind->role == PLUGIN_SCORER);
        assert_int_equal(kind->pick != NULL, kind->role == PLUGIN_PICKER);
        assert_int_equal(kind->note != NULL, kind->role == PLUGIN_MISSING);
        for (unsigned j = 0; kind->syntax != NULL && kind->syntax[j].name != NULL; j++) {
            assert_true(j + 1 < PLUGIN_PARAMETERS_MAX);
            bool is_number = kind->syntax[j].kind <= PARAMETER_INTEGER;
            assert_true(!is_number || (kind->syntax[j].fallback >= kind->syntax[j].min &&
                                       kind->syntax[j].fallback <= kind->syntax[j].max));
        }
    }
    assert_null(plugin_find(BYTES("queue-score")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_scores_lie_between_the_longest_and_the_shortest),
        cmocka_unit_test(running_scores_are_of_the_same_shape),
        cmocka_unit_test(kv_cache_scores_are_what_is_free),
        cmocka_unit_test(prefix_scores_are_the_matched_share),
        cmocka_unit_test(adapter_scores_prefer_active_to_loadable_to_waiting),
        cmocka_unit_test(active_request_scores_count_own_requests),
        cmocka_unit_test(token_load_scores_fall_to_zero_at_the_threshold),
        cmocka_unit_test(load_aware_scores_are_at_most_a_half),
        cmocka_unit_test(session_scores_are_one_or_nothing),
        cmocka_unit_test(no_hit_scores_rank_by_the_last_cold_prompt),
        cmocka_unit_test(latency_scores_compare_with_the_best),
        cmocka_unit_test(prompt_cost_counts_what_is_before_a_request_and_what_it_brings),
        cmocka_unit_test(prompt_cost_counts_the_work_of_others_from_the_page),
        cmocka_unit_test(prompt_cost_shuns_a_full_cache_and_adapters_that_have_to_be_loaded),
        cmocka_unit_test(prompt_cost_counts_what_a_prompt_pushes_out),
        cmocka_unit_test(prompt_cost_weighs_prefill_by_the_pace_of_the_endpoint),
        cmocka_unit_test(the_session_filter_keeps_the_session_or_all),
        cmocka_unit_test(label_filters_keep_what_the_selector_says),
        cmocka_unit_test(the_filter_by_one_label_may_let_those_pass_that_lack_it),
        cmocka_unit_test(a_header_names_the_endpoints_that_are_kept),
        cmocka_unit_test(a_header_prefers_the_endpoints_whose_label_it_is),
        cmocka_unit_test(the_utilization_filter_drops_saturated_endpoints_or_none),
        cmocka_unit_test(the_concurrency_filter_may_drop_all),
        cmocka_unit_test(the_prefix_filter_keeps_who_has_most_of_the_prompt),
        cmocka_unit_test(the_best_wins_and_ties_are_drawn_fairly),
        cmocka_unit_test(random_picks_ignore_scores),
        cmocka_unit_test(weighted_picks_follow_the_scores),
        cmocka_unit_test(of_two_drawn_the_better_wins),
        cmocka_unit_test(the_table_has_no_doubles_and_no_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
