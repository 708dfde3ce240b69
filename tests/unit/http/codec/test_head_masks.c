/* SPDX-License-Identifier: Apache-2.0 */
/* test_head_masks.c: the bits of every byte by each version, against their definitions; where a head ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "http/codec/head_masks.h"

typedef void (*make_fn)(const char *data, size_t len, struct head_masks *ret_masks);

static unsigned versions(make_fn made[static 3])
{
    unsigned count = 0;
    made[count++] = head_masks_make;
#ifdef __x86_64__
    made[count++] = head_masks_make_sse2;
    if (__builtin_cpu_supports("avx2"))
        made[count++] = head_masks_make_avx2;
#endif
    return count;
}

static bool has_bit(const uint64_t *words, size_t at)
{
    return words[at / 64] >> (at % 64) & 1;
}

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_other(unsigned char c)
{
    unsigned char lower = c | 0x20;
    return !((lower >= 'a' && lower <= 'z' && c < 0x80) || (c >= '0' && c <= '9') || c == '-' || c == '_');
}

static size_t end_of_head(const char *data, size_t len)
{
    for (size_t at = 0; at + 4 <= len; at++)
        if (memcmp(data + at, "\r\n\r\n", 4) == 0)
            return at + 4;
    return 0;
}

static void check(const char *data, size_t len)
{
    make_fn made[3];
    size_t end = end_of_head(data, len);
    for (unsigned i = versions(made); i-- > 0;) {
        struct head_masks masks;
        unsigned returns = 0;
        made[i](data, len, &masks);
        if (masks.head_bytes == 0 && end > HEAD_MASKS_BYTES)
            continue;
        assert_int_equal(masks.head_bytes, end);
        for (size_t at = 0; at + 1 < end; at++) {
            assert_int_equal(has_bit(masks.controls, at), is_control((unsigned char)data[at]));
            assert_int_equal(has_bit(masks.others, at), is_other((unsigned char)data[at]));
            returns += data[at] == '\r';
        }
        if (end > 0)
            assert_int_equal(masks.returns, returns);
    }
}

static void every_byte_has_its_bits(void **state)
{
    (void)state;
    char data[256 + 4];
    for (unsigned c = 0; c < 256; c++)
        data[c] = (char)c;
    memcpy(data + 256, "\r\n\r\n", 4);
    check(data, sizeof data);
}

static void a_head_may_end_anywhere(void **state)
{
    (void)state;
    char data[300];
    for (size_t end = 4; end <= 200; end++) {
        memset(data, 'a', sizeof data);
        memcpy(data + end - 4, "\r\n\r\n", 4);
        check(data, sizeof data);
        for (size_t missing = 0; missing < 4; missing++)
            check(data, end - missing);
    }
}

static void what_is_too_long_has_no_masks(void **state)
{
    (void)state;
    static char data[HEAD_MASKS_BYTES + 100];
    memset(data, 'a', sizeof data);
    memcpy(data + HEAD_MASKS_BYTES - 4, "\r\n\r\n", 4);
    check(data, sizeof data);
    memset(data + HEAD_MASKS_BYTES - 4, 'a', 4);
    memcpy(data + HEAD_MASKS_BYTES + 64, "\r\n\r\n", 4);
    struct head_masks masks;
    head_masks_make(data, sizeof data, &masks);
    assert_int_equal(masks.head_bytes, 0);
}

/* Of few different bytes, so that line ends stand close together. */
static void random_bytes_have_their_bits(void **state)
{
    (void)state;
    static const char bytes[] = "\r\n\r\n\r\na:_ \t\x7f\x80-Z9@[`{";
    struct random_state random;
    random_seed(&random, 7);
    for (unsigned run = 0; run < 20000; run++) {
        char data[200];
        size_t len = random_next(&random) % sizeof data;
        for (size_t i = 0; i < len; i++)
            data[i] = bytes[random_next(&random) % (sizeof bytes - 1)];
        check(data, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_has_its_bits),
        cmocka_unit_test(a_head_may_end_anywhere),
        cmocka_unit_test(what_is_too_long_has_no_masks),
        cmocka_unit_test(random_bytes_have_their_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
