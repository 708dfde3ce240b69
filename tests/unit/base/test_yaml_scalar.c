/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml_scalar.c: what a scalar means, plain, quoted and tagged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/compiler.h"
#include "base/yaml_scalar.h"

struct scalar_case {
    const char *text;
    const char *json; /* NULL: refused */
};

static void check(struct bytes text, const char *tag, bool is_plain, const char *expected)
{
    const char *problem = NULL;
    json_t *value = yaml_scalar_value(text, tag, is_plain, &problem);
    if (expected == NULL) {
        if (value != NULL)
            fail_msg("%.*s is not refused", BYTES_ARG(text));
        assert_non_null(problem);
        return;
    }
    if (value == NULL)
        fail_msg("%.*s: %s", BYTES_ARG(text), problem);
    char *json = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (strcmp(json, expected) != 0)
        fail_msg("%.*s: %s, not %s", BYTES_ARG(text), json, expected);
    free(json);
    json_decref(value);
}

static void check_plain(const struct scalar_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(bytes_of(cases[i].text), NULL, true, cases[i].json);
}

static void words_for_null_and_booleans_are_known(void **state)
{
    (void)state;
    static const struct scalar_case cases[] = {
        {"", "null"},           {"~", "null"},      {"null", "null"},     {"Null", "null"},     {"NULL", "null"},
        {"true", "true"},       {"True", "true"},   {"TRUE", "true"},     {"yes", "true"},      {"Yes", "true"},
        {"YES", "true"},        {"on", "true"},     {"On", "true"},       {"ON", "true"},       {"false", "false"},
        {"False", "false"},     {"FALSE", "false"}, {"no", "false"},      {"No", "false"},      {"NO", "false"},
        {"off", "false"},       {"Off", "false"},   {"OFF", "false"},     {"y", "\"y\""},       {"n", "\"n\""},
        {"Y", "\"Y\""},         {"N", "\"N\""},     {"nUll", "\"nUll\""}, {"tRUE", "\"tRUE\""}, {"yEs", "\"yEs\""},
        {"nulls", "\"nulls\""},
    };
    check_plain(cases, ARRAY_LEN(cases));
}

static void integers_come_in_four_bases(void **state)
{
    (void)state;
    static const struct scalar_case cases[] = {
        {"0", "0"},
        {"8000", "8000"},
        {"+12", "12"},
        {"-12", "-12"},
        {"-0", "0"},
        {"1_000_000", "1000000"},
        {"0x1F", "31"},
        {"0Xff", "255"},
        {"-0x10", "-16"},
        {"0x_f_f", "255"},
        {"0o17", "15"},
        {"0644", "420"},
        {"-017", "-15"},
        {"00", "0"},
        {"0b101", "5"},
        {"-0b11", "-3"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", "9.22337203685478e18"},
        {"-9223372036854775809", "-9.22337203685478e18"},
        {"0xffffffffffffffff", "\"0xffffffffffffffff\""},
        {"0x", "\"0x\""},
        {"0xg", "\"0xg\""},
        {"0o8", "\"0o8\""},
        {"0b2", "\"0b2\""},
        {"08", "8"}, /* no octal number, so it is read as a real, which is whole */
        {"_1", "\"_1\""},
        {"1a", "\"1a\""},
        {"--1", "\"--1\""},
        {"+", "\"+\""},
        {"-", "\"-\""},
        {"1 2", "\"1 2\""},
        {"1,000", "\"1,000\""},
    };
    check_plain(cases, ARRAY_LEN(cases));
}

static void reals_are_reals_unless_they_are_whole(void **state)
{
    (void)state;
    static const struct scalar_case cases[] = {
        {"1.5", "1.5"},
        {"-0.25", "-0.25"},
        {".5", "0.5"},
        {"+.5", "0.5"},
        {"5.", "5"},
        {"1.0", "1"},
        {"1e3", "1000"},
        {"1E+3", "1000"},
        {"25e-2", "0.25"},
        {"1e300", "1e300"},
        {"1e400", "\"1e400\""},
        {".", "\".\""},
        {"+.", "\"+.\""},
        {"1e", "\"1e\""},
        {"1e+", "\"1e+\""},
        {"e3", "\"e3\""},
        {"1.2.3", "\"1.2.3\""},
        {"10.0.0.1", "\"10.0.0.1\""},
        {"12:30:45", "\"12:30:45\""},
        {"2026-01-02", "\"2026-01-02\""},
        {"2026-01-02T03:04:05Z", "\"2026-01-02T03:04:05Z\""},
        {"100m", "\"100m\""},
        {"1Gi", "\"1Gi\""},
        {"0x1p3", "\"0x1p3\""},
        {"inf", "\"inf\""},
        {"nan", "\"nan\""},
        {"infinity", "\"infinity\""},
        {"-inf", "\"-inf\""},
        {".inf", NULL},
        {"-.Inf", NULL},
        {"+.INF", NULL},
        {".nan", NULL},
        {".NaN", NULL},
    };
    check_plain(cases, ARRAY_LEN(cases));
}

static void a_very_long_number_is_text(void **state)
{
    (void)state;
    char digits[400], json[410];
    memset(digits, '1', sizeof(digits));
    digits[sizeof(digits) - 1] = '\0';
    json[0] = '"';
    strcpy(json + 1, digits);
    strcat(json, "\"");
    check(bytes_of(digits), NULL, true, json);
}

static void what_is_quoted_stays_a_string(void **state)
{
    (void)state;
    static const struct scalar_case cases[] = {{"8000", "\"8000\""}, {"true", "\"true\""}, {"", "\"\""},
                                               {"null", "\"null\""}, {".inf", "\".inf\""}, {"0x1F", "\"0x1F\""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(bytes_of(cases[i].text), NULL, false, cases[i].json);
}

static void core_tags_are_honoured_and_must_fit(void **state)
{
    (void)state;
    static const struct {
        const char *tag;
        const char *text;
        const char *json;
    } cases[] = {
        {"tag:yaml.org,2002:str", "8000", "\"8000\""},
        {"tag:yaml.org,2002:str", "", "\"\""},
        {"!", "8000", "\"8000\""},
        {"tag:yaml.org,2002:int", "8000", "8000"},
        {"tag:yaml.org,2002:int", "1.5", NULL},
        {"tag:yaml.org,2002:int", "x", NULL},
        {"tag:yaml.org,2002:float", "1.5", "1.5"},
        {"tag:yaml.org,2002:float", "1", "1"},
        {"tag:yaml.org,2002:float", ".inf", NULL},
        {"tag:yaml.org,2002:bool", "yes", "true"},
        {"tag:yaml.org,2002:bool", "1", NULL},
        {"tag:yaml.org,2002:null", "", "null"},
        {"tag:yaml.org,2002:null", "x", NULL},
        {"tag:yaml.org,2002:binary", "aGk=", NULL},
        {"tag:yaml.org,2002:timestamp", "2026-01-02", NULL},
        {"tag:yaml.org,2002:map", "x", NULL},
        {"!secret", "x", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check(bytes_of(cases[i].text), cases[i].tag, true, cases[i].json);
        check(bytes_of(cases[i].text), cases[i].tag, false, cases[i].json);
    }
}

static void strings_with_nul_or_broken_utf8_are_refused(void **state)
{
    (void)state;
    check(BYTES("a\0b"), NULL, false, NULL);
    check(BYTES("a\xff"), NULL, false, NULL);
    check(BYTES("1\0"), "tag:yaml.org,2002:int", false, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_for_null_and_booleans_are_known),
        cmocka_unit_test(integers_come_in_four_bases),
        cmocka_unit_test(reals_are_reals_unless_they_are_whole),
        cmocka_unit_test(a_very_long_number_is_text),
        cmocka_unit_test(what_is_quoted_stays_a_string),
        cmocka_unit_test(core_tags_are_honoured_and_must_fit),
        cmocka_unit_test(strings_with_nul_or_broken_utf8_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
