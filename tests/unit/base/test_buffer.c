/* SPDX-License-Identifier: Apache-2.0 */
/* test_buffer.c: the byte queue: adding, consuming, moving, growing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buffer.h"

static void bytes_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append(&buffer, BYTES("ab"));
    buffer_append_char(&buffer, 'c');
    buffer_append_str(&buffer, "de");
    buffer_append_u64(&buffer, 0);
    buffer_append_u64(&buffer, UINT64_MAX);
    buffer_printf(&buffer, "[%s]", "f");
    assert_true(bytes_equal_str(buffer_bytes(&buffer), "abcde018446744073709551615[f]"));
    buffer_consume(&buffer, 3);
    assert_true(bytes_starts_with(buffer_bytes(&buffer), BYTES("de")));
    buffer_deinit(&buffer);
    assert_true(buffer_is_empty(&buffer));
    assert_null(buffer.data);
}

static void an_emptied_buffer_starts_again_at_zero(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_append_str(&buffer, "abc");
    buffer_consume(&buffer, 3);
    assert_int_equal(buffer.head, 0);
    assert_int_equal(buffer.tail, 0);
    buffer_append_str(&buffer, "abc");
    size_t capacity = buffer.capacity;
    buffer_clear(&buffer);
    assert_true(buffer_is_empty(&buffer));
    assert_int_equal(buffer.capacity, capacity);
    buffer_deinit(&buffer);
}

static void reserve_and_commit_write_in_place(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    char *at = buffer_reserve(&buffer, 10);
    memcpy(at, "hello", 5);
    buffer_commit(&buffer, 5);
    assert_true(bytes_equal_str(buffer_bytes(&buffer), "hello"));
    assert_non_null(buffer_reserve(&buffer, 0));
    buffer_deinit(&buffer);
}

static void a_buffer_is_made_of_the_room_that_was_asked_for(void **state)
{
    struct buffer buffer = {0};
    (void)state;
    buffer_append(&buffer, BYTES("gone"));
    buffer_make(&buffer, 5000);
    assert_true(buffer_is_empty(&buffer));
    assert_int_equal(buffer.capacity, 5000);
    char *room = buffer_reserve(&buffer, 5000);
    memset(room, 'x', 5000);
    buffer_commit(&buffer, 5000);
    assert_ptr_equal(buffer_bytes(&buffer).data, room);
    buffer_append(&buffer, BYTES("y"));
    assert_int_equal(buffer_len(&buffer), 5001);
    buffer_deinit(&buffer);
}

static void a_stream_through_the_buffer_does_not_make_it_grow(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    unsigned char written = 0, expected = 0;
    buffer_append_char(&buffer, (char)written++);
    for (int i = 0; i < 100000; i++) {
        for (int j = 0; j < 7; j++)
            buffer_append_char(&buffer, (char)written++);
        for (int j = 0; j < 7; j++) {
            assert_int_equal((unsigned char)buffer_bytes(&buffer).data[0], expected++);
            buffer_consume(&buffer, 1);
        }
    }
    assert_true(buffer.capacity <= 256);
    buffer_deinit(&buffer);
}

static void growing_keeps_only_what_is_not_consumed(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    memset(buffer_reserve(&buffer, 200), 'a', 200);
    buffer_commit(&buffer, 200);
    buffer_consume(&buffer, 50);
    buffer_append_str(&buffer, "tail");
    memset(buffer_reserve(&buffer, 5000), 'b', 5000);
    buffer_commit(&buffer, 5000);
    assert_int_equal(buffer_len(&buffer), 5154);
    assert_int_equal(buffer.head, 0);
    assert_memory_equal(buffer_bytes(&buffer).data + 150, "tailb", 5);
    buffer_deinit(&buffer);
}

static void printf_writes_text_of_any_length(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_printf(&buffer, "%1000d", 7);
    assert_int_equal(buffer_len(&buffer), 1000);
    buffer_printf(&buffer, "%s", "");
    buffer_append(&buffer, bytes_make(NULL, 0));
    assert_int_equal(buffer_len(&buffer), 1000);
    buffer_deinit(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_as_they_went_in),
        cmocka_unit_test(an_emptied_buffer_starts_again_at_zero),
        cmocka_unit_test(reserve_and_commit_write_in_place),
        cmocka_unit_test(a_buffer_is_made_of_the_room_that_was_asked_for),
        cmocka_unit_test(a_stream_through_the_buffer_does_not_make_it_grow),
        cmocka_unit_test(growing_keeps_only_what_is_not_consumed),
        cmocka_unit_test(printf_writes_text_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
