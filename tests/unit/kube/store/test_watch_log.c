/* SPDX-License-Identifier: Apache-2.0 */
/* test_watch_log.c: the ring of changes: finding, growing, trimming, and what it keeps alive. */
#include "kube/store/watch_log.h"

#include "kube/store/stored.h"
#include "unit/kube/store/fixture.h"

enum { FLOOR = 100, NOW_MS = 1000000, LOG_MS = 300000 };

static struct stored *version_of(const char *value, uint64_t version)
{
    return stored_new(config_of("a", value), version);
}

static void add(struct watch_log *log, uint64_t version)
{
    watch_log_add(log, STORE_ADDED, version_of("1", version), NULL, NOW_MS);
}

static void trim(struct watch_log *log, unsigned max_events, size_t max_bytes)
{
    struct store_limits limits = {.log_events = max_events, .log_bytes = max_bytes, .log_ms = LOG_MS};
    watch_log_trim(log, &limits, NOW_MS);
}

static uint64_t version_after(const struct watch_log *log, uint64_t version)
{
    const struct store_event *event = watch_log_after(log, version);
    return event != NULL ? event->version : 0;
}

static void an_empty_log_has_nothing_after_anything(void **state)
{
    (void)state;
    struct watch_log log;
    watch_log_init(&log, FLOOR);
    assert_int_equal(log.floor, FLOOR);
    assert_null(watch_log_after(&log, 0));
    assert_null(watch_log_after(&log, FLOOR));
    trim(&log, 0, 0);
    assert_int_equal(log.floor, FLOOR);
    watch_log_deinit(&log);
}

static void the_first_event_after_a_version_is_found_between_gaps(void **state)
{
    (void)state;
    static const uint64_t versions[] = {103, 104, 110, 120};
    struct watch_log log;
    watch_log_init(&log, FLOOR);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        add(&log, versions[i]);
    assert_int_equal(version_after(&log, FLOOR), 103);
    assert_int_equal(version_after(&log, 102), 103);
    assert_int_equal(version_after(&log, 103), 104);
    assert_int_equal(version_after(&log, 105), 110);
    assert_int_equal(version_after(&log, 119), 120);
    assert_int_equal(version_after(&log, 120), 0);
    assert_int_equal(version_after(&log, UINT64_MAX), 0);
    watch_log_deinit(&log);
}

/* The ring wraps and grows in every position, and events stay where they are. */
static void a_log_that_wraps_and_grows_loses_nothing(void **state)
{
    (void)state;
    for (unsigned dropped = 0; dropped < 70; dropped++) {
        struct watch_log log;
        watch_log_init(&log, FLOOR);
        uint64_t version = FLOOR;
        for (unsigned i = 0; i <= dropped; i++) {
            add(&log, ++version);
            trim(&log, 1, SIZE_MAX);
        }
        assert_int_equal(log.len, 1);
        const struct store_event *kept = watch_log_after(&log, log.floor);
        for (unsigned i = 0; i < 200; i++)
            add(&log, ++version);
        assert_ptr_equal(watch_log_after(&log, log.floor), kept);
        for (uint64_t at = log.floor; at < version; at++)
            assert_int_equal(version_after(&log, at), at + 1);
        watch_log_deinit(&log);
    }
}

static void trimming_by_count_moves_the_floor(void **state)
{
    (void)state;
    struct watch_log log;
    watch_log_init(&log, FLOOR);
    for (uint64_t version = 101; version <= 110; version++)
        add(&log, version);
    trim(&log, 10, SIZE_MAX);
    assert_int_equal(log.floor, FLOOR);
    trim(&log, 4, SIZE_MAX);
    assert_int_equal(log.len, 4);
    assert_int_equal(log.floor, 106);
    assert_int_equal(version_after(&log, 106), 107);
    trim(&log, 0, SIZE_MAX);
    assert_int_equal(log.len, 1);
    assert_int_equal(version_after(&log, 109), 110);
    watch_log_deinit(&log);
}

static void trimming_by_bytes_counts_both_states_of_a_change(void **state)
{
    (void)state;
    struct watch_log log;
    watch_log_init(&log, FLOOR);
    struct stored *first = version_of("a rather long value", 101), *second = version_of("1", 102);
    size_t first_len = first->text.len, second_len = second->text.len;
    watch_log_add(&log, STORE_ADDED, first, NULL, NOW_MS);
    watch_log_add(&log, STORE_MODIFIED, second, stored_take(first), NOW_MS);
    assert_int_equal(log.bytes, 2 * first_len + second_len);
    trim(&log, 100, 2 * first_len + second_len);
    assert_int_equal(log.len, 2);
    trim(&log, 100, 2 * first_len + second_len - 1);
    assert_int_equal(log.len, 1);
    assert_int_equal(log.bytes, first_len + second_len);
    trim(&log, 100, 0); /* too large, but the newest */
    assert_int_equal(log.len, 1);
    watch_log_deinit(&log);
}

static void trimming_by_age_keeps_what_is_young_and_the_newest(void **state)
{
    (void)state;
    struct watch_log log;
    const struct store_limits limits = {.log_events = 100, .log_bytes = SIZE_MAX, .log_ms = LOG_MS};
    watch_log_init(&log, FLOOR);
    for (uint64_t version = 101; version <= 105; version++)
        watch_log_add(&log, STORE_ADDED, version_of("1", version), NULL, version * 1000);
    watch_log_trim(&log, &limits, 101 * 1000 + LOG_MS);
    assert_int_equal(log.len, 5);
    watch_log_trim(&log, &limits, 103 * 1000 + LOG_MS);
    assert_int_equal(log.floor, 102);
    assert_int_equal(version_after(&log, 102), 103);
    watch_log_trim(&log, &limits, UINT64_MAX);
    assert_int_equal(log.len, 1);
    assert_int_equal(log.floor, 104);
    watch_log_deinit(&log);
}

static void the_log_holds_its_versions_and_lets_them_go(void **state)
{
    (void)state;
    struct watch_log log;
    watch_log_init(&log, FLOOR);
    struct stored *first = version_of("1", 101), *gone = version_of("1", 102), *last = version_of("2", 103);
    watch_log_add(&log, STORE_ADDED, stored_take(first), NULL, NOW_MS);
    watch_log_add(&log, STORE_DELETED, stored_take(gone), stored_take(first), NOW_MS);
    watch_log_add(&log, STORE_ADDED, stored_take(last), NULL, NOW_MS);
    assert_int_equal(first->users, 3);
    trim(&log, 2, SIZE_MAX);
    assert_int_equal(first->users, 2);
    trim(&log, 1, SIZE_MAX);
    assert_int_equal(first->users, 1);
    assert_int_equal(gone->users, 1);
    assert_int_equal(last->users, 2);
    watch_log_deinit(&log);
    assert_int_equal(last->users, 1);
    stored_give_back(first);
    stored_give_back(gone);
    stored_give_back(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_log_has_nothing_after_anything),
        cmocka_unit_test(the_first_event_after_a_version_is_found_between_gaps),
        cmocka_unit_test(a_log_that_wraps_and_grows_loses_nothing),
        cmocka_unit_test(trimming_by_count_moves_the_floor),
        cmocka_unit_test(trimming_by_bytes_counts_both_states_of_a_change),
        cmocka_unit_test(trimming_by_age_keeps_what_is_young_and_the_newest),
        cmocka_unit_test(the_log_holds_its_versions_and_lets_them_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
