/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_write.c: written heads and chunks, byte for byte, and read again. */
#include "codec_test.h"

#include "http/codec/h1_write.h"

static void test_a_request_head_is_written(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out);
    h1_write_request_line(&out, BYTES("POST"), BYTES("/v1/models?x"));
    h1_write_field(&out, BYTES("Host"), BYTES("a:80"));
    h1_write_field(&out, BYTES("X-Empty"), BYTES(""));
    h1_write_field_u64(&out, BYTES("Content-Length"), UINT64_MAX);
    h1_write_field_u64(&out, BYTES("X-Zero"), 0);
    h1_write_end_of_head(&out);
    assert_text(buffer_bytes(&out), "POST /v1/models?x HTTP/1.1\r\nHost: a:80\r\nX-Empty: \r\n"
                                    "Content-Length: 18446744073709551615\r\nX-Zero: 0\r\n\r\n");
    buffer_deinit(&out);
}

static void test_status_lines_carry_the_registered_phrase(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out);
    h1_write_status_line(&out, 200);
    h1_write_status_line(&out, 431);
    h1_write_status_line(&out, 599);
    assert_text(buffer_bytes(&out), "HTTP/1.1 200 OK\r\nHTTP/1.1 431 Request Header Fields Too Large\r\n"
                                    "HTTP/1.1 599 Status\r\n");
    buffer_deinit(&out);
}

static void test_chunks_that_are_written_are_read_again(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 15, 16, 255, 4096, 70000};
    char *zeros = calloc(1, 70000);
    assert_non_null(zeros);
    struct buffer out;
    buffer_init(&out);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        h1_write_chunk_size(&out, sizes[i]);
        buffer_append(&out, bytes_make(zeros, sizes[i]));
        buffer_append(&out, H1_CHUNK_END);
    }
    buffer_append(&out, H1_LAST_CHUNK);

    struct h1_body body;
    struct bytes input = buffer_bytes(&out);
    struct bytes data;
    h1_body_init(&body, HTTP_BODY_CHUNKED, 0, &h1_default_limits);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(h1_body_next(&body, &input, &data), H1_BODY_DATA);
        assert_int_equal(data.len, sizes[i]);
    }
    assert_int_equal(h1_body_next(&body, &input, &data), H1_BODY_END);
    assert_int_equal(input.len, 0);
    buffer_deinit(&out);
    free(zeros);
}

static void test_a_chunk_size_is_lower_case_hex(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out);
    h1_write_chunk_size(&out, 0x1f);
    h1_write_chunk_size(&out, SIZE_MAX);
    assert_text(buffer_bytes(&out), "1f\r\nffffffffffffffff\r\n");
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_head_is_written),
        cmocka_unit_test(test_status_lines_carry_the_registered_phrase),
        cmocka_unit_test(test_chunks_that_are_written_are_read_again),
        cmocka_unit_test(test_a_chunk_size_is_lower_case_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
