/* SPDX-License-Identifier: Apache-2.0 */
/* test_fields.c: names to ids, lookups, joined values; names of methods. */
#include "codec_test.h"

static void test_every_known_name_is_found_in_any_case(void **state)
{
    (void)state;
    for (unsigned id = 1; id < HTTP_FIELD_COUNT; id++) {
        const char *name = http_field_name((enum http_field_id)id);
        char upper[64];
        size_t len = strlen(name);
        for (size_t i = 0; i < len; i++)
            upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
        assert_int_equal(http_field_id_of(bytes_of(name)), id);
        assert_int_equal(http_field_id_of(bytes_make(upper, len)), id);
        for (size_t i = 0; i < len; i++) { /* one byte changed: another name */
            upper[i]++;
            assert_int_not_equal(http_field_id_of(bytes_make(upper, len)), id);
            upper[i]--;
        }
    }
}

static void test_other_names_have_no_id(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "x",
                                        "hos",
                                        "hostx",
                                        "session\x7fid",
                                        "content\rlength",
                                        "session=id",
                                        "a-name-longer-than-any-in-the-table"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(http_field_id_of(bytes_of(names[i])), HTTP_FIELD_OTHER);
    assert_string_equal(http_field_name(HTTP_FIELD_OTHER), "");
}

static void test_fields_are_found_and_joined(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct http_fields fields = {0};
    struct bytes value = BYTES("untouched");
    http_fields_add(&fields, arena, BYTES("Accept"), BYTES("a"));
    http_fields_add(&fields, arena, BYTES("X-Own"), BYTES("1"));
    http_fields_add(&fields, arena, BYTES("ACCEPT"), BYTES(""));
    http_fields_add(&fields, arena, BYTES("x-own"), BYTES("2"));
    http_fields_add(&fields, arena, BYTES("accept"), BYTES("c"));
    http_fields_add_id(&fields, arena, HTTP_FIELD_VIA, BYTES("1.1 s"));

    assert_text(http_fields_find(&fields, HTTP_FIELD_ACCEPT)->value, "a");
    assert_text(http_fields_find(&fields, HTTP_FIELD_VIA)->name, "via");
    assert_null(http_fields_find(&fields, HTTP_FIELD_HOST));
    assert_text(http_fields_find_name(&fields, BYTES("X-OWN"))->value, "1");
    assert_text(http_fields_find_name(&fields, BYTES("aCCept"))->value, "a");
    assert_null(http_fields_find_name(&fields, BYTES("X-Owns")));

    assert_false(http_fields_joined(&fields, BYTES("host"), arena, &value));
    assert_text(value, "untouched");
    assert_true(http_fields_joined(&fields, BYTES("Accept"), arena, &value));
    assert_text(value, "a,,c");
    assert_true(http_fields_joined(&fields, BYTES("x-own"), arena, &value));
    assert_text(value, "1,2");
    assert_true(http_fields_joined(&fields, BYTES("VIA"), arena, &value));
    assert_text(value, "1.1 s");
    arena_free(arena);
}

static void test_the_list_grows(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct http_fields fields = {0};
    for (unsigned i = 0; i < 1000; i++)
        http_fields_add(&fields, arena, bytes_of(arena_printf(arena, "x-%u", i)), BYTES("v"));
    assert_int_equal(fields.len, 1000);
    assert_ptr_equal(http_fields_find_name(&fields, BYTES("X-999")), &fields.items[999]);
    assert_ptr_equal(http_fields_find_name(&fields, BYTES("X-0")), &fields.items[0]);
    arena_free(arena);
}

static void test_methods_are_case_sensitive(void **state)
{
    (void)state;
    for (unsigned method = 0; method < HTTP_METHOD_OTHER; method++)
        assert_int_equal(http_method_of(bytes_of(http_method_name((enum http_method)method))), method);
    static const char *const others[] = {"", "get", "GETS", "POS", "PATCHY", "PO", "X"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(http_method_of(bytes_of(others[i])), HTTP_METHOD_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_known_name_is_found_in_any_case),
        cmocka_unit_test(test_other_names_have_no_id),
        cmocka_unit_test(test_fields_are_found_and_joined),
        cmocka_unit_test(test_the_list_grows),
        cmocka_unit_test(test_methods_are_case_sensitive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
