/* SPDX-License-Identifier: Apache-2.0 */
/* test_values.c: durations, quantities, labels, selectors, conditions. */
#include "unit/kube/api/support.h"

#include "kube/api/condition.h"

static void durations_are_those_of_gep_2257(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } cases[] = {{"0s", 0},
                 {"500ms", 500},
                 {"1h30m", 5400000},
                 {"24h", 86400000},
                 {"1h1m1s1ms", 3661001},
                 {"10s30m1h", 5410000},
                 {"99999h", 359996400000},
                 {"", -1},
                 {"1", -1},
                 {"s", -1},
                 {"1.5s", -1},
                 {"-1s", -1},
                 {"1d", -1},
                 {"1s ", -1},
                 {"100000s", -1},
                 {"1h1h1h1h1h", -1},
                 {"1S", -1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ms = 77;
        bool is_good = kube_duration_ms(cases[i].text, &ms);
        if (is_good != (cases[i].ms >= 0))
            fail_msg("\"%s\"", cases[i].text);
        assert_int_equal(ms, is_good ? cases[i].ms : 77);
    }
}

static void quantities_are_whole_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        uint64_t value;
    } cases[] = {{"1", true, 1},           {"+2", true, 2},
                 {"20Mi", true, 20971520}, {"1500k", true, 1500000},
                 {"1.5Ki", true, 1536},    {"2000m", true, 2},
                 {"1e3", true, 1000},      {"1E", true, 1000000000000000000},
                 {"1E3", true, 1000},      {"15Ei", true, 15ull << 60},
                 {"16Ei", false, 0},       {"500m", false, 0},
                 {"0.1", false, 0},        {"1e-1", false, 0},
                 {"10e-1", true, 1},       {"", false, 0},
                 {".", false, 0},          {"Mi", false, 0},
                 {"-1", false, 0},         {"1KI", false, 0},
                 {"1e", false, 0},         {"1e99", false, 0},
                 {"1 Mi", false, 0},       {"1000000000000000000", false, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = 0;
        if (kube_quantity(cases[i].text, &value) != cases[i].is_good || value != cases[i].value)
            fail_msg("\"%s\" gave %llu", cases[i].text, (unsigned long long)value);
    }
}

static void labels_are_found_by_key(void **state)
{
    (void)state;
    struct kube_label items[] = {{"a", "1"}, {"b", "2"}, {"d", "4"}};
    struct kube_labels labels = {items, 3}, none = {NULL, 0};
    assert_string_equal(kube_labels_get(&labels, "a"), "1");
    assert_string_equal(kube_labels_get(&labels, "d"), "4");
    assert_null(kube_labels_get(&labels, "c"));
    assert_null(kube_labels_get(&none, "a"));
}

static void a_label_map_matches_when_all_of_it_is_there(void **state)
{
    (void)state;
    struct kube_label items[] = {{"a", "1"}, {"b", "2"}}, other[] = {{"a", "2"}};
    struct kube_labels labels = {items, 2}, first = {items, 1}, wrong = {other, 1}, none = {NULL, 0};
    assert_true(kube_labels_match(&first, &labels));
    assert_true(kube_labels_match(&none, &labels));
    assert_false(kube_labels_match(&labels, &first));
    assert_false(kube_labels_match(&wrong, &labels));
}

static void each_selector_operator_has_its_meaning(void **state)
{
    (void)state;
    struct kube_label items[] = {{"arm", "blue"}};
    struct kube_labels labels = {items, 1};
    const char *colours[] = {"green", "blue"};
    const char *green[] = {"green"};
    const struct {
        struct label_selector_term term;
        bool matches;
    } cases[] = {{{"arm", SELECTOR_IN, colours, 2}, true},          {{"arm", SELECTOR_IN, green, 1}, false},
                 {{"tier", SELECTOR_IN, green, 1}, false},          {{"arm", SELECTOR_NOT_IN, colours, 2}, false},
                 {{"tier", SELECTOR_NOT_IN, colours, 2}, true},     {{"arm", SELECTOR_EXISTS, NULL, 0}, true},
                 {{"tier", SELECTOR_EXISTS, NULL, 0}, false},       {{"arm", SELECTOR_DOES_NOT_EXIST, NULL, 0}, false},
                 {{"tier", SELECTOR_DOES_NOT_EXIST, NULL, 0}, true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct label_selector_term term = cases[i].term;
        struct label_selector selector = {&term, 1};
        assert_int_equal(label_selector_match(&selector, &labels), cases[i].matches);
    }
    struct label_selector everything = {NULL, 0};
    assert_true(label_selector_match(&everything, &labels));
}

static void a_condition_is_written_without_its_transition_time(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out);
    jw_init(&writer, &out);
    condition_write(&writer, &(struct condition){.type = "Accepted",
                                                 .status = CONDITION_UNKNOWN,
                                                 .reason = "Pending",
                                                 .message = "waiting",
                                                 .observed_generation = 3});
    assert_true(bytes_equal_str(buffer_bytes(&out), "{\"type\":\"Accepted\",\"status\":\"Unknown\",\"reason\":"
                                                    "\"Pending\",\"message\":\"waiting\",\"observedGeneration\":3}"));
    assert_string_equal(condition_status_text(CONDITION_TRUE), "True");
    assert_string_equal(condition_status_text(CONDITION_FALSE), "False");
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_those_of_gep_2257),
        cmocka_unit_test(quantities_are_whole_units),
        cmocka_unit_test(labels_are_found_by_key),
        cmocka_unit_test(a_label_map_matches_when_all_of_it_is_there),
        cmocka_unit_test(each_selector_operator_has_its_meaning),
        cmocka_unit_test(a_condition_is_written_without_its_transition_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
