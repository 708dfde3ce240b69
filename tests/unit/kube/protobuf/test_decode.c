/* SPDX-License-Identifier: Apache-2.0 */
/* test_decode.c: each type and shape of field, by a table of the test's own that even holds itself. */
#include "unit/kube/protobuf/support.h"

#include "kube/protobuf/decode.h"

static const struct message_field inner[] = {{1, "a", TEXT}, {2, "b", INT}, {0}};
static const struct message_field tree[] = {
    {1, "text", TEXT},
    {2, "given", TEXT, OMIT},
    {3, "count", INT, OMIT},
    {4, "flag", BOOL, OMIT},
    {5, "numbers", INT, LIST},
    {6, "child", MESSAGE, ONE, tree},
    {7, "children", MESSAGE, LIST, tree},
    {8, "byName", MESSAGE, MAP, inner},
    {9, "weights", INT, MAP},
    {10, NULL, MESSAGE, INLINED, inner},
    {11, "when", TIME},
    {12, "exact", MICRO_TIME},
    {13, "size", QUANTITY},
    {14, "port", INT_OR_STRING},
    {15, "fields", FIELDS_V1},
    {16, "words", TEXT_LIST},
    {17, "data", BASE64},
    {18, "times", TIME, LIST},
    {0},
};

/* Decodes what is in `message` (emptied): NULL with the error, or the tree. */
static json_t *decode(struct buffer *message, char error[200])
{
    json_t *object = json_object();
    struct bytes body = buffer_bytes(message);
    if (!decode_message(tree, body, body, object, error)) {
        json_decref(object);
        object = NULL;
    }
    buffer_deinit(message);
    return object;
}

static void assert_decodes(struct buffer *message, const char *expected)
{
    char error[200] = "";
    json_t *object = decode(message, error);
    json_t *wanted = json_loads(expected, 0, NULL);
    assert_string_equal(error, "");
    assert_non_null(wanted);
    if (!json_equal(object, wanted)) {
        char *text = json_dumps(object, JSON_SORT_KEYS);
        fail_msg("%s instead of %s", text, expected);
    }
    json_decref(object);
    json_decref(wanted);
}

static void assert_refused(struct buffer *message, const char *expected)
{
    char error[200] = "";
    assert_null(decode(message, error));
    assert_string_equal(error, expected);
}

static void nothing_is_an_empty_object(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_decodes(&out, "{}");
}

static void zeros_stay_unless_json_omits_them(void **state)
{
    (void)state;
    struct buffer out = {0};
    put_bytes(&out, 1, BYTES(""));
    put_bytes(&out, 2, BYTES(""));
    put_integer(&out, 3, 0);
    put_integer(&out, 4, 0);
    assert_decodes(&out, "{\"text\": \"\"}");
}

static void of_a_field_that_comes_twice_the_last_stands(void **state)
{
    (void)state;
    struct buffer out = {0}, first = {0}, second = {0};
    put_bytes(&out, 1, BYTES("one"));
    put_bytes(&out, 1, BYTES("two"));
    put_integer(&out, 3, 7);
    put_integer(&out, 3, 0);
    put_bytes(&first, 1, BYTES("merged"));
    put_integer(&second, 3, 9);
    put_message(&out, 6, &first);
    put_message(&out, 6, &second);
    assert_decodes(&out, "{\"text\": \"two\", \"child\": {\"text\": \"merged\", \"count\": 9}}");
}

static void unknown_numbers_of_every_wire_type_are_skipped(void **state)
{
    (void)state;
    struct buffer out = {0};
    put_integer(&out, 500, 1);
    put_bytes(&out, 501, BYTES("\xff\xff"));
    put_varint(&out, 502 << 3 | 1);
    buffer_append_str(&out, "12345678");
    put_varint(&out, 503 << 3 | 5);
    buffer_append_str(&out, "1234");
    put_bytes(&out, 1, BYTES("x"));
    assert_decodes(&out, "{\"text\": \"x\"}");
}

static void integers_are_signed(void **state)
{
    (void)state;
    struct buffer out = {0};
    put_integer(&out, 3, (uint64_t)-1);
    put_integer(&out, 5, (uint64_t)INT64_MIN);
    put_integer(&out, 5, INT64_MAX);
    assert_decodes(&out, "{\"count\": -1, \"numbers\": [-9223372036854775808, 9223372036854775807]}");
}

static void numbers_may_be_packed_or_not_or_both(void **state)
{
    (void)state;
    struct buffer out = {0}, packed = {0};
    put_varint(&packed, 300);
    put_varint(&packed, 0);
    put_integer(&out, 5, 1);
    put_message(&out, 5, &packed);
    put_integer(&out, 5, 2);
    assert_decodes(&out, "{\"numbers\": [1, 300, 0, 2]}");
    put_bytes(&out, 5, BYTES("\x01\x80"));
    assert_refused(&out, "cannot read protobuf: the end in the middle of a field at byte 0, in numbers");
}

static void map_entries_may_lack_key_or_value(void **state)
{
    (void)state;
    struct buffer out = {0}, entry = {0}, value = {0};
    put_bytes(&out, 8, BYTES(""));
    put_bytes(&value, 1, BYTES("v"));
    put_message(&entry, 2, &value);
    put_bytes(&entry, 1, BYTES("k"));
    put_message(&out, 8, &entry);
    put_bytes(&entry, 1, BYTES("n"));
    put_message(&out, 9, &entry);
    put_bytes(&entry, 1, BYTES("n"));
    put_integer(&entry, 2, 3);
    put_integer(&entry, 3, 4); /* no part of an entry */
    put_message(&out, 9, &entry);
    assert_decodes(&out, "{\"byName\": {\"\": {}, \"k\": {\"a\": \"v\"}}, \"weights\": {\"n\": 3}}");
}

static void inlined_fields_move_up(void **state)
{
    (void)state;
    struct buffer out = {0}, message = {0};
    put_bytes(&message, 1, BYTES("up"));
    put_integer(&message, 2, 0);
    put_message(&out, 10, &message);
    assert_decodes(&out, "{\"a\": \"up\", \"b\": 0}");
}

static void put_time(struct buffer *out, uint64_t number, int64_t seconds, int64_t nanos)
{
    struct buffer message = {0};
    put_integer(&message, 1, (uint64_t)seconds);
    put_integer(&message, 2, (uint64_t)nanos);
    put_message(out, number, &message);
}

static void times_are_rfc_3339(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        int64_t seconds;
        int64_t nanos;
        const char *expected;
    } cases[] = {
        {11, 1767323045, 999999999, "{\"when\": \"2026-01-02T03:04:05Z\"}"},
        {11, 0, 0, "{\"when\": \"1970-01-01T00:00:00Z\"}"},
        {11, -1, 0, "{\"when\": \"1969-12-31T23:59:59Z\"}"},
        {11, -62135596799, 0, "{\"when\": \"0001-01-01T00:00:01Z\"}"},
        {11, 253402300799, 0, "{\"when\": \"9999-12-31T23:59:59Z\"}"},
        {11, -62135596800, 0, "{}"},
        {12, 1767323045, 6999, "{\"exact\": \"2026-01-02T03:04:05.000006Z\"}"},
        {12, 1767323045, 999999999, "{\"exact\": \"2026-01-02T03:04:05.999999Z\"}"},
        {12, -62135596800, 0, "{}"},
        {12, -62135596800, 1000, "{\"exact\": \"0001-01-01T00:00:00.000001Z\"}"},
        {18, -62135596800, 0, "{\"times\": [null]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer out = {0};
        put_time(&out, cases[i].number, cases[i].seconds, cases[i].nanos);
        assert_decodes(&out, cases[i].expected);
    }
}

static void an_empty_time_is_no_time_even_after_one(void **state)
{
    (void)state;
    struct buffer out = {0};
    put_time(&out, 11, 5, 0);
    put_bytes(&out, 11, BYTES(""));
    put_bytes(&out, 12, BYTES(""));
    assert_decodes(&out, "{}");
}

static void times_that_have_no_text_are_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int64_t nanos;
    } cases[] = {{INT64_MAX, 0}, {INT64_MIN, 0}, {253402300800, 0}, {-62135596801, 0}, {1, 1000000000}, {1, -1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer out = {0};
        put_time(&out, 12, cases[i].seconds, cases[i].nanos);
        assert_refused(&out, "cannot read protobuf: a time outside the years 1 to 9999 at byte 0, in exact");
    }
}

static void small_messages_have_json_of_their_own(void **state)
{
    (void)state;
    struct buffer out = {0}, part = {0};
    put_bytes(&part, 1, BYTES("2Gi"));
    put_message(&out, 13, &part);
    put_integer(&part, 1, 1);
    put_integer(&part, 2, 9);
    put_bytes(&part, 3, BYTES("http"));
    put_message(&out, 14, &part);
    put_bytes(&part, 1, BYTES("a"));
    put_bytes(&part, 1, BYTES(""));
    put_message(&out, 16, &part);
    assert_decodes(&out, "{\"size\": \"2Gi\", \"port\": \"http\", \"words\": [\"a\", \"\"]}");
    put_integer(&part, 2, (uint64_t)-80);
    put_bytes(&part, 3, BYTES("ignored"));
    put_message(&out, 14, &part);
    assert_decodes(&out, "{\"port\": -80}");
    put_bytes(&out, 13, BYTES(""));
    put_bytes(&out, 14, BYTES(""));
    put_bytes(&out, 15, BYTES(""));
    put_bytes(&out, 16, BYTES(""));
    assert_decodes(&out, "{\"size\": \"0\", \"port\": 0, \"words\": []}");
    put_integer(&part, 1, 2);
    put_message(&out, 14, &part);
    assert_refused(&out, "cannot read protobuf: neither an integer nor a string at byte 0, in port");
}

static void bytes_become_base64(void **state)
{
    (void)state;
    static const struct {
        struct bytes content;
        const char *expected;
    } cases[] = {
        {BYTES(""), "{\"data\": \"\"}"},
        {BYTES("f"), "{\"data\": \"Zg==\"}"},
        {BYTES("fo"), "{\"data\": \"Zm8=\"}"},
        {BYTES("foo"), "{\"data\": \"Zm9v\"}"},
        {BYTES("foob"), "{\"data\": \"Zm9vYg==\"}"},
        {BYTES("\xfb\xff\xfe\x00"), "{\"data\": \"+//+AA==\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer out = {0};
        put_bytes(&out, 17, cases[i].content);
        assert_decodes(&out, cases[i].expected);
    }
}

static void put_fields(struct buffer *out, struct bytes json)
{
    struct buffer part = {0};
    put_bytes(&part, 1, json);
    put_message(out, 15, &part);
}

static void json_inside_is_read_and_bounded(void **state)
{
    (void)state;
    static const struct {
        struct bytes json;
        const char *wrong;
    } bad[] = {
        {BYTES("{\"a\":"), "fields that are no JSON object"},
        {BYTES("[1]"), "fields that are no JSON object"},
        {BYTES("null"), "fields that are no JSON object"},
        {BYTES("{\"a\":\"\xff\"}"), "fields that are no JSON object"},
        {BYTES("\"\\"), "fields that are no JSON object"},
        {BYTES("]]]}}}"), "fields that are no JSON object"},
    };
    struct buffer out = {0}, deep = {0};
    put_fields(&out, BYTES("{\"f:a\": {\".\": {}, \"b\\\"[[\": [1, null]}}"));
    assert_decodes(&out, "{\"fields\": {\"f:a\": {\".\": {}, \"b\\\"[[\": [1, null]}}}");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char expected[200];
        snprintf(expected, sizeof expected, "cannot read protobuf: %s at byte 0, in fields", bad[i].wrong);
        put_fields(&out, bad[i].json);
        assert_refused(&out, expected);
    }
    for (int i = 0; i < 91; i++)
        buffer_append_str(&deep, "{\"\":");
    put_fields(&out, buffer_bytes(&deep));
    assert_refused(&out, "cannot read protobuf: JSON nested too deeply at byte 0, in fields");
    buffer_clear(&deep);
    for (int i = 0; i < DECODE_VALUES_MAX; i++)
        buffer_append_str(&deep, ",");
    put_fields(&out, buffer_bytes(&deep));
    assert_refused(&out, "cannot read protobuf: too many values at byte 0, in fields");
    buffer_deinit(&deep);
}

static void texts_that_json_cannot_hold_are_refused(void **state)
{
    (void)state;
    struct buffer out = {0}, entry = {0};
    put_integer(&out, 3, 1);
    put_bytes(&out, 1, BYTES("\xc3\x28"));
    assert_refused(&out, "cannot read protobuf: a text that is not UTF-8 at byte 2, in text");
    put_bytes(&out, 1, BYTES("a\0b"));
    assert_refused(&out, "cannot read protobuf: a text with a NUL at byte 0, in text");
    put_bytes(&entry, 1, BYTES("\0"));
    put_message(&out, 9, &entry);
    assert_refused(&out, "cannot read protobuf: a text with a NUL at byte 0, in weights");
    put_bytes(&entry, 1, BYTES("\xff"));
    put_message(&out, 16, &entry);
    assert_refused(&out, "cannot read protobuf: a text that is not UTF-8 at byte 0, in words");
}

static void wrong_wire_types_are_refused(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 18; number++) {
        bool is_number = number == 3 || number == 4;
        struct buffer out = {0};
        char error[200] = "";
        if (is_number)
            put_bytes(&out, number, BYTES(""));
        else if (number != 5) /* numbers may be packed, so only a fixed one is wrong */
            put_integer(&out, number, 1);
        if (number == 5) {
            put_varint(&out, number << 3 | 5);
            buffer_append_str(&out, "1234");
        }
        assert_null(decode(&out, error));
        assert_non_null(strstr(error, "the wrong wire type at byte 0"));
    }
}

static void errors_name_the_place(void **state)
{
    (void)state;
    struct buffer out = {0}, child = {0}, grandchild = {0}, part = {0};
    put_bytes(&part, 1, BYTES("\x80"));
    put_message(&grandchild, 10, &part); /* inlined: no step of the path */
    put_message(&child, 7, &grandchild);
    put_integer(&out, 3, 1);
    put_message(&out, 6, &child);
    assert_refused(&out, "cannot read protobuf: a text that is not UTF-8 at byte 8, in child.children.a");
}

static void deep_messages_are_refused(void **state)
{
    (void)state;
    for (int levels = DECODE_DEEPEST - 1; levels <= DECODE_DEEPEST; levels++) {
        struct buffer message = {0};
        for (int i = 0; i < levels; i++) {
            struct buffer outer = {0};
            put_message(&outer, 6, &message);
            message = outer;
        }
        char error[200] = "";
        json_t *object = decode(&message, error);
        assert_true((object != NULL) == (levels < DECODE_DEEPEST));
        if (object == NULL)
            assert_non_null(strstr(error, "messages nested too deeply"));
        json_decref(object);
    }
}

/* Two bytes make an object of some hundred: what a body may cost is counted. */
static void many_values_are_refused(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {5, 7, 8, 9}; /* items and entries of every shape */
    for (size_t n = 0; n < ARRAY_LEN(numbers); n++) {
        struct buffer out = {0};
        for (int i = 0; i <= DECODE_VALUES_MAX; i++) {
            if (numbers[n] == 5)
                put_integer(&out, 5, 1);
            else
                put_bytes(&out, numbers[n], BYTES(""));
        }
        char error[200] = "";
        assert_null(decode(&out, error));
        assert_non_null(strstr(error, "too many values"));
    }
    struct buffer out = {0}, packed = {0};
    for (int i = 0; i <= DECODE_VALUES_MAX; i++)
        put_varint(&packed, 1);
    put_message(&out, 5, &packed);
    assert_refused(&out, "cannot read protobuf: too many values at byte 0, in numbers");
    for (int i = 0; i <= DECODE_VALUES_MAX; i++)
        put_bytes(&packed, 1, BYTES(""));
    put_message(&out, 16, &packed);
    assert_refused(&out, "cannot read protobuf: too many values at byte 0, in words");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_an_empty_object),
        cmocka_unit_test(zeros_stay_unless_json_omits_them),
        cmocka_unit_test(of_a_field_that_comes_twice_the_last_stands),
        cmocka_unit_test(unknown_numbers_of_every_wire_type_are_skipped),
        cmocka_unit_test(integers_are_signed),
        cmocka_unit_test(numbers_may_be_packed_or_not_or_both),
        cmocka_unit_test(map_entries_may_lack_key_or_value),
        cmocka_unit_test(inlined_fields_move_up),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(an_empty_time_is_no_time_even_after_one),
        cmocka_unit_test(times_that_have_no_text_are_refused),
        cmocka_unit_test(small_messages_have_json_of_their_own),
        cmocka_unit_test(bytes_become_base64),
        cmocka_unit_test(json_inside_is_read_and_bounded),
        cmocka_unit_test(texts_that_json_cannot_hold_are_refused),
        cmocka_unit_test(wrong_wire_types_are_refused),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(deep_messages_are_refused),
        cmocka_unit_test(many_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
