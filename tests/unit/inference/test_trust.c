/* SPDX-License-Identifier: Apache-2.0 */
/* test_trust.c: endpoints that fail, are busy or lack a model, with time by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inference/trust.h"

static struct endpoint *endpoint;

static int set_up(void **state)
{
    (void)state;
    endpoint = endpoint_new("127.0.0.1", 80, "default/p", false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    endpoint_give_back(endpoint);
    return 0;
}

static void fail_times(unsigned times, uint64_t now_ms)
{
    for (unsigned i = 0; i < times; i++)
        trust_note(endpoint, TRUST_BAD, 0, now_ms);
}

static void statuses_are_good_busy_or_bad(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        bool has_retry_after;
        enum trust_sign sign;
    } rows[] = {
        {200, false, TRUST_GOOD}, {400, false, TRUST_GOOD}, {404, false, TRUST_GOOD},
        {429, false, TRUST_BUSY}, {503, true, TRUST_BUSY},  {503, false, TRUST_BAD},
        {529, false, TRUST_BUSY}, {500, true, TRUST_BAD},   {502, false, TRUST_BAD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(trust_sign_of(rows[i].status, rows[i].has_retry_after), rows[i].sign);
}

static void failures_in_a_row_eject_and_a_good_answer_breaks_the_row(void **state)
{
    (void)state;
    fail_times(TRUST_FAILURES - 1, 1000);
    trust_note(endpoint, TRUST_GOOD, 0, 1000);
    fail_times(TRUST_FAILURES - 1, 1000);
    assert_false(trust_is_avoided(endpoint, 1000));
    fail_times(1, 1000);
    assert_true(trust_is_avoided(endpoint, 1000));
    assert_true(trust_is_avoided(endpoint, 1999));
    assert_false(trust_is_avoided(endpoint, 2000));
}

static void one_request_tries_it_before_others_come_back(void **state)
{
    (void)state;
    fail_times(TRUST_FAILURES, 1000);
    trust_begin(endpoint, 1500); /* a last resort: no probe yet */
    assert_false(trust_is_avoided(endpoint, 2000));
    trust_begin(endpoint, 2000);
    assert_true(trust_is_avoided(endpoint, 2001));
    trust_note(endpoint, TRUST_GOOD, 0, 2100);
    assert_false(trust_is_avoided(endpoint, 2100));
    fail_times(TRUST_FAILURES, 3000); /* all is forgiven: 1 s again */
    assert_false(trust_is_avoided(endpoint, 4000));
}

static void a_failed_probe_ejects_for_twice_as_long_up_to_a_limit(void **state)
{
    (void)state;
    uint64_t now_ms = 1000, away_ms = 1000;
    fail_times(TRUST_FAILURES, now_ms);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(trust_is_avoided(endpoint, now_ms + away_ms - 1));
        now_ms += away_ms;
        assert_false(trust_is_avoided(endpoint, now_ms));
        trust_begin(endpoint, now_ms);
        fail_times(1, now_ms);
        away_ms = away_ms * 2 < TRUST_EJECT_MAX_MS ? away_ms * 2 : TRUST_EJECT_MAX_MS;
    }
}

static void a_probe_whose_client_left_does_not_lock_it_out(void **state)
{
    (void)state;
    fail_times(TRUST_FAILURES, 1000);
    trust_begin(endpoint, 2000);
    assert_true(trust_is_avoided(endpoint, 2000 + TRUST_PROBE_MS - 1));
    assert_false(trust_is_avoided(endpoint, 2000 + TRUST_PROBE_MS));
}

static void a_busy_one_is_left_alone_for_as_long_as_it_says(void **state)
{
    (void)state;
    trust_note(endpoint, TRUST_BUSY, 2500, 1000);
    trust_note(endpoint, TRUST_BUSY, 0, 1000); /* shorter: no matter */
    assert_true(trust_is_avoided(endpoint, 3499));
    assert_false(trust_is_avoided(endpoint, 3500));
    trust_note(endpoint, TRUST_BUSY, 86400000, 5000);
    assert_false(trust_is_avoided(endpoint, 5000 + TRUST_BUSY_MAX_MS));
    trust_note(endpoint, TRUST_BUSY, 0, 50000);
    assert_true(trust_is_avoided(endpoint, 50999));
    assert_false(trust_is_avoided(endpoint, 51000));
}

static void a_missing_model_is_remembered_for_a_while(void **state)
{
    (void)state;
    assert_false(trust_lacks_model(endpoint, 7, 1000));
    trust_miss_model(endpoint, 7, 1000);
    assert_true(trust_lacks_model(endpoint, 7, 1000 + TRUST_MISSING_MS - 1));
    assert_false(trust_lacks_model(endpoint, 8, 1000));
    assert_false(trust_lacks_model(endpoint, 7, 1000 + TRUST_MISSING_MS));
    trust_find_model(endpoint, 8);
    assert_true(trust_lacks_model(endpoint, 7, 1000));
    trust_find_model(endpoint, 7);
    assert_false(trust_lacks_model(endpoint, 7, 1000));
    for (uint64_t model = 100; model < 100 + TRUST_MISSING_MAX; model++)
        trust_miss_model(endpoint, model, 1000);
    assert_false(trust_lacks_model(endpoint, 7, 1000));
    assert_true(trust_lacks_model(endpoint, 100, 1000));
}

#define ENDPOINT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_are_good_busy_or_bad),
        ENDPOINT_TEST(failures_in_a_row_eject_and_a_good_answer_breaks_the_row),
        ENDPOINT_TEST(one_request_tries_it_before_others_come_back),
        ENDPOINT_TEST(a_failed_probe_ejects_for_twice_as_long_up_to_a_limit),
        ENDPOINT_TEST(a_probe_whose_client_left_does_not_lock_it_out),
        ENDPOINT_TEST(a_busy_one_is_left_alone_for_as_long_as_it_says),
        ENDPOINT_TEST(a_missing_model_is_remembered_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
