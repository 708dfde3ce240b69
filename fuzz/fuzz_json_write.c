/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json_write.c: any bytes as strings, and as a program of writer calls.  The result must be JSON for another
 * reader, and well-formed text must come back as it was. */
/* uses: base */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *must_read(const struct buffer *out)
{
    struct bytes text = buffer_bytes(out);
    json_t *root = json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (root == NULL)
        abort();
    return root;
}

static void check_string(struct bytes value)
{
    struct buffer out = {0};
    jw_append_quoted(&out, value);
    json_t *root = must_read(&out);
    struct bytes back = {json_string_value(root), json_string_length(root)};
    if (!utf8_is_valid(back) || (utf8_is_valid(value) && !bytes_equal(back, value)))
        abort();
    json_decref(root);
    buffer_deinit(&out);
}

/* One value per byte inside an array; '[' and ']' open and close levels. */
static void write_value(struct json_writer *writer, struct bytes rest)
{
    int64_t number = 0;
    double real = 0;
    memcpy(&number, rest.data, rest.len < sizeof(number) ? rest.len : sizeof(number));
    memcpy(&real, rest.data, rest.len < sizeof(real) ? rest.len : sizeof(real));
    switch (rest.data[0]) {
    case '[':
        if (writer->depth < 30)
            jw_begin_array(writer);
        break;
    case ']':
        if (writer->depth > 1)
            jw_end_array(writer);
        break;
    case 'd':
        jw_double(writer, real);
        break;
    case 'n':
        jw_null(writer);
        break;
    case 'o':
        jw_begin_object(writer);
        jw_member_i64(writer, "i", number);
        jw_member_string(writer, "s", rest);
        jw_end_object(writer);
        break;
    default:
        /* jansson has no integers above INT64_MAX. */
        jw_i64(writer, number);
    }
}

static void check_structure(struct bytes program)
{
    struct buffer out = {0};
    struct json_writer writer;
    jw_init(&writer, &out);
    jw_begin_array(&writer);
    for (; program.len > 0; program = bytes_skip(program, 1))
        write_value(&writer, program);
    while (writer.depth > 0)
        jw_end_array(&writer);
    json_decref(must_read(&out));
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {(const char *)data, size};
    check_string(input);
    check_structure(bytes_make(input.data, size < 512 ? size : 512));
    return 0;
}
