/* SPDX-License-Identifier: Apache-2.0 */
/* test_wire.c: fields off the wire, and what is no field. */
#include "unit/kube/protobuf/support.h"

#include "kube/protobuf/wire.h"

static void numbers_of_every_length_are_read(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t written = bits == 0 ? 0 : UINT64_MAX >> (64 - bits), read = 1;
        struct buffer out = {0};
        put_varint(&out, written);
        buffer_append_str(&out, "rest");
        struct bytes rest = buffer_bytes(&out);
        assert_null(wire_take_varint(&rest, &read));
        assert_true(read == written);
        assert_true(bytes_equal_str(rest, "rest"));
        buffer_deinit(&out);
    }
}

static void a_number_may_have_bytes_it_does_not_need(void **state)
{
    (void)state;
    struct bytes rest = BYTES("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00");
    uint64_t value = 0;
    assert_null(wire_take_varint(&rest, &value));
    assert_true(value == 1 && rest.len == 0);
}

static void fields_of_every_wire_type_are_taken(void **state)
{
    (void)state;
    struct bytes rest = BYTES("\x08\x96\x01"
                              "\x11"
                              "12345678"
                              "\x1a\x03"
                              "abc"
                              "\x25"
                              "1234"
                              "\xfa\xff\xff\xff\x0f\x00");
    struct wire_field field;
    assert_null(wire_next(&rest, &field));
    assert_true(field.number == 1 && field.type == WIRE_VARINT && field.varint == 150);
    assert_null(wire_next(&rest, &field));
    assert_true(field.number == 2 && field.type == WIRE_FIXED64);
    assert_null(wire_next(&rest, &field));
    assert_true(field.number == 3 && field.type == WIRE_LENGTH && bytes_equal_str(field.content, "abc"));
    assert_null(wire_next(&rest, &field));
    assert_true(field.number == 4 && field.type == WIRE_FIXED32);
    assert_null(wire_next(&rest, &field));
    assert_true(field.number == (1u << 29) - 1 && field.type == WIRE_LENGTH && field.content.len == 0);
    assert_int_equal(rest.len, 0);
}

static void what_is_no_field_is_refused_and_left_where_it_is(void **state)
{
    (void)state;
    static const struct {
        struct bytes text;
        const char *wrong;
    } cases[] = {
        {BYTES("\x00\x01"), "a field number that cannot be"},
        {BYTES("\x02\x00"), "a field number that cannot be"},
        {BYTES("\x80\x80\x80\x80\x10\x00"), "a field number that cannot be"},
        {BYTES("\x0b\x0c"), "a wire type that does not exist"},
        {BYTES("\x0c"), "a wire type that does not exist"},
        {BYTES("\x0e"), "a wire type that does not exist"},
        {BYTES("\x0f"), "a wire type that does not exist"},
        {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "a number of more than 64 bits"},
        {BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), "a number of more than 64 bits"},
        {BYTES("\x0a\x04"
               "abc"),
         "the end in the middle of a field"},
        {BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
               "abc"),
         "the end in the middle of a field"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes rest = cases[i].text;
        struct wire_field field = {.number = 77};
        assert_string_equal(wire_next(&rest, &field), cases[i].wrong);
        assert_true(rest.data == cases[i].text.data && rest.len == cases[i].text.len && field.number == 77);
    }
}

static void a_field_cut_anywhere_is_refused(void **state)
{
    (void)state;
    static const struct bytes whole[] = {
        BYTES("\x88\x01\x96\x01"),
        BYTES("\x09"
              "12345678"),
        BYTES("\x0d"
              "1234"),
        BYTES("\x8a\x01\x03"
              "abc"),
    };
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        struct wire_field field;
        struct bytes rest = whole[i];
        assert_null(wire_next(&rest, &field));
        for (size_t len = 0; len < whole[i].len; len++) {
            rest = bytes_make(whole[i].data, len);
            assert_string_equal(wire_next(&rest, &field), "the end in the middle of a field");
        }
    }
}

static void slots_take_their_numbers_and_skip_others(void **state)
{
    (void)state;
    struct buffer out = {0};
    put_integer(&out, 1, 5);
    put_bytes(&out, 3, BYTES("skipped"));
    put_integer(&out, 1, 6);
    put_bytes(&out, 2, BYTES("text"));
    struct wire_field slots[2] = {{0}, {0}};
    assert_null(wire_read_slots(buffer_bytes(&out), "it", slots));
    assert_true(slots[0].varint == 6 && bytes_equal_str(slots[1].content, "text"));
    assert_ptr_equal(wire_read_slots(buffer_bytes(&out), "tt", slots), wire_wrong_type);
    assert_ptr_equal(wire_read_slots(buffer_bytes(&out), "ii", slots), wire_wrong_type);
    buffer_deinit(&out);
    slots[1].content = BYTES("stays");
    assert_null(wire_read_slots(BYTES(""), "it", slots));
    assert_true(bytes_equal_str(slots[1].content, "stays"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_length_are_read),
        cmocka_unit_test(a_number_may_have_bytes_it_does_not_need),
        cmocka_unit_test(fields_of_every_wire_type_are_taken),
        cmocka_unit_test(what_is_no_field_is_refused_and_left_where_it_is),
        cmocka_unit_test(a_field_cut_anywhere_is_refused),
        cmocka_unit_test(slots_take_their_numbers_and_skip_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
