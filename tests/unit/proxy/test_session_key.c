/* SPDX-License-Identifier: Apache-2.0 */
/* Where the key of a sticky split comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proxy/session_key.h"

struct key_case {
    const char *fields[4]; /* name, value, name, value */
    const char *body;
    const char *key;
};

static const struct key_case cases[] = {
    {{0}, "{}", ""},
    {{"X-Claude-Code-Session-Id", "a"}, "{}", "a"},
    {{"session-id", "a"}, "{}", "a"},
    {{"Session_Id", "a"}, "{}", "a"},
    {{"x-session-id", "a"}, "{}", "a"},
    {{"x-session-affinity", "a"}, "{}", "a"},
    /* the order of the chain, not that of the fields */
    {{"x-session-id", "b", "session-id", "a"}, "{}", "a"},
    {{"x-session-affinity", "b", "x-session-id", "a"}, "{\"prompt_cache_key\":\"c\"}", "a"},
    /* an empty field is none */
    {{"x-session-id", "", "x-session-affinity", "a"}, "{}", "a"},
    {{"x-session-id", ""}, "{\"prompt_cache_key\":\"c\"}", "c"},
    {{0}, "{\"conversation\":\"k\"}", "k"},
    {{0}, "{\"conversation\":{\"id\":\"k\"}}", "k"},
    {{0}, "{\"conversation\":\"k\",\"prompt_cache_key\":\"c\"}", "c"},
    /* names a person or a turn, not a session */
    {{0}, "{\"user\":\"u\",\"previous_response_id\":\"r\"}", ""},
    {{"authorization", "Bearer x", "cookie", "session-id=1"}, "{}", ""},
};

static void the_chain_finds_the_first_explicit_key(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        struct openai_scan *scan = ARENA_NEW(arena, struct openai_scan);
        struct http_fields fields = {0};
        for (unsigned f = 0; f < 4 && cases[i].fields[f] != NULL; f += 2)
            http_fields_add(&fields, arena, bytes_of(cases[i].fields[f]), bytes_of(cases[i].fields[f + 1]));
        openai_scan_init(scan);
        assert_true(openai_scan_feed(scan, bytes_of(cases[i].body)) && openai_scan_finish(scan));
        struct bytes key = session_key(&fields, scan);
        if (!bytes_equal_str(key, cases[i].key))
            fail_msg("case %u: %.*s", i, BYTES_ARG(key));
        arena_free(arena);
    }
}

static void a_long_key_counts_the_same_in_a_header_and_in_the_body(void **state)
{
    (void)state;
    char text[SCAN_KEY_BYTES + 100], body[SCAN_KEY_BYTES + 200];
    memset(text, 'k', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    snprintf(body, sizeof body, "{\"prompt_cache_key\":\"%s\"}", text);
    struct arena *arena = arena_new(0);
    struct openai_scan *scan = ARENA_NEW(arena, struct openai_scan);
    struct http_fields fields = {0};
    openai_scan_init(scan);
    assert_true(openai_scan_feed(scan, bytes_of(body)) && openai_scan_finish(scan));
    struct bytes in_body = session_key(&fields, scan);
    http_fields_add(&fields, arena, BYTES("x-session-id"), bytes_of(text));
    assert_true(bytes_equal(session_key(&fields, scan), in_body));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_finds_the_first_explicit_key),
        cmocka_unit_test(a_long_key_counts_the_same_in_a_header_and_in_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
