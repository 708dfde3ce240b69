/* SPDX-License-Identifier: Apache-2.0 */
/* test_observation.c: what counts as judged, failed and finished, and which values an exchange has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "canary/observation.h"

static void only_the_services_own_failures_are_failures(void **state)
{
    (void)state;
    static const enum outcome failures[] = {OUTCOME_SERVER_ERROR, OUTCOME_BROKEN, OUTCOME_TIMEOUT, OUTCOME_THROTTLED};
    for (unsigned i = 0; i < 4; i++)
        assert_true(outcome_is_judged(failures[i]) && outcome_is_failure(failures[i]));
    assert_true(outcome_is_judged(OUTCOME_OK));
    assert_false(outcome_is_failure(OUTCOME_OK));
    static const enum outcome excluded[] = {OUTCOME_CLIENT_ERROR, OUTCOME_CANCELLED, OUTCOME_MODEL_MISSING};
    for (unsigned i = 0; i < 3; i++)
        assert_false(outcome_is_judged(excluded[i]) || outcome_is_failure(excluded[i]));
}

static void names_differ(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(outcome_name((enum outcome)i), outcome_name((enum outcome)j));
    for (unsigned i = 0; i < FINISH_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(finish_name((enum finish)i), finish_name((enum finish)j));
    for (unsigned i = 0; i < VALUE_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(value_name((enum value)i), value_name((enum value)j));
}

static void statuses_at_the_edges_of_their_ranges(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum outcome outcome;
    } cases[] = {{200, OUTCOME_OK},           {399, OUTCOME_OK},           {400, OUTCOME_CLIENT_ERROR},
                 {428, OUTCOME_CLIENT_ERROR}, {429, OUTCOME_THROTTLED},    {499, OUTCOME_CLIENT_ERROR},
                 {500, OUTCOME_SERVER_ERROR}, {503, OUTCOME_SERVER_ERROR}, {504, OUTCOME_TIMEOUT},
                 {529, OUTCOME_THROTTLED},    {599, OUTCOME_SERVER_ERROR}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(outcome_of_status(cases[i].status, false), cases[i].outcome);
    assert_int_equal(outcome_of_status(429, true), OUTCOME_CLIENT_ERROR);
    assert_int_equal(outcome_of_status(503, true), OUTCOME_SERVER_ERROR);
}

static void words_of_all_dialects_mean_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum finish finish;
    } cases[] = {{"stop", FINISH_STOP},
                 {"end_turn", FINISH_STOP},
                 {"stop_sequence", FINISH_STOP},
                 {"completed", FINISH_STOP},
                 {"length", FINISH_LENGTH},
                 {"max_tokens", FINISH_LENGTH},
                 {"max_output_tokens", FINISH_LENGTH},
                 {"tool_calls", FINISH_TOOL_CALLS},
                 {"tool_use", FINISH_TOOL_CALLS},
                 {"function_call", FINISH_TOOL_CALLS},
                 {"content_filter", FINISH_CONTENT_FILTER},
                 {"refusal", FINISH_CONTENT_FILTER},
                 {"", FINISH_OTHER},
                 {"STOP", FINISH_OTHER}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(finish_of(cases[i].word), cases[i].finish);
    assert_int_equal(finish_of(NULL), FINISH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_services_own_failures_are_failures),
        cmocka_unit_test(names_differ),
        cmocka_unit_test(statuses_at_the_edges_of_their_ranges),
        cmocka_unit_test(words_of_all_dialects_mean_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
