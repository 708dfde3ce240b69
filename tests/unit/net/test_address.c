/* SPDX-License-Identifier: Apache-2.0 */
/* test_address.c: text forms that are taken and refused, and back. */
#include "net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/compiler.h"

static void texts_come_back_as_they_were_read(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[2001:db8::7]:443"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct address address;
        char text[ADDRESS_TEXT_SIZE];
        assert_true(address_parse(&address, bytes_of(texts[i])));
        address_text(&address, text);
        assert_string_equal(text, texts[i]);
    }
}

static void malformed_texts_are_refused_and_leave_the_result_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "localhost:80",
        "::1",
        "::1:80",
        "[::1]",
        "[127.0.0.1]:80",
        "127.0.0:80",
        "[::1%lo]:80",
        "[]:80",
        "1.2.3.4:80 ",
        "01.2.3.4.5:80",
        "[::1:80",
        "[fe80::1:2:3:4:5:6:7:8:9:a:b:c:d]:1",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct address address = {.len = 77};
        if (address_parse(&address, bytes_of(texts[i])))
            fail_msg("taken: %s", texts[i]);
        assert_int_equal(address.len, 77);
    }
}

static void an_ip_is_made_with_or_without_brackets(void **state)
{
    (void)state;
    struct address plain, bracketed;
    assert_true(address_make(&plain, BYTES("::1"), 80));
    assert_true(address_make(&bracketed, BYTES("[::1]"), 80));
    assert_true(address_equal(&plain, &bracketed));
    assert_int_equal(address_port(&plain), 80);
    assert_int_equal(plain.len, sizeof(struct sockaddr_in6));
}

static void an_ip_with_a_nul_inside_is_refused(void **state)
{
    (void)state;
    struct address address;
    assert_false(address_make(&address, bytes_make("127.0.0.1\0x", 11), 80));
}

static void the_ip_text_has_neither_port_nor_brackets(void **state)
{
    (void)state;
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    assert_true(address_parse(&address, BYTES("[::1]:80")));
    address_ip_text(&address, text);
    assert_string_equal(text, "::1");
    assert_true(address_parse(&address, BYTES("10.0.0.1:80")));
    address_ip_text(&address, text);
    assert_string_equal(text, "10.0.0.1");
}

static void every_number_of_an_ipv4_address_is_written_plainly(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        char expected[64], text[ADDRESS_TEXT_SIZE];
        struct address address;
        snprintf(expected, sizeof expected, "%u.%u.%u.%u", i, 255 - i, i ^ 0x55, i / 3);
        assert_true(address_make(&address, bytes_of(expected), 80));
        address_ip_text(&address, text);
        assert_string_equal(text, expected);
    }
}

static void addresses_differ_by_family_ip_and_port(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:80", "127.0.0.1:81", "127.0.0.2:80",
                                        "[::1]:80",     "[::1]:81",     "[::2]:80"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t j = 0; j < ARRAY_LEN(texts); j++) {
            struct address a, b;
            assert_true(address_parse(&a, bytes_of(texts[i])));
            assert_true(address_parse(&b, bytes_of(texts[j])));
            assert_int_equal(address_equal(&a, &b), i == j);
        }
    }
}

static void no_address_has_a_text_and_equals_only_no_address(void **state)
{
    (void)state;
    struct address none = {.len = 0}, other = {.len = 0}, some;
    char text[ADDRESS_TEXT_SIZE];
    address_text(&none, text);
    assert_string_equal(text, "none");
    assert_int_equal(address_port(&none), 0);
    assert_true(address_make(&some, BYTES("127.0.0.1"), 1));
    assert_true(address_equal(&none, &other));
    assert_false(address_equal(&none, &some));
}

static void wildcards_are_known_in_both_families(void **state)
{
    (void)state;
    static const struct {
        struct bytes text;
        bool is_wildcard;
    } cases[] = {{BYTES("0.0.0.0:80"), true},
                 {BYTES("[::]:80"), true},
                 {BYTES("0.0.0.1:80"), false},
                 {BYTES("127.0.0.1:0"), false},
                 {BYTES("[::1]:80"), false}};
    struct address address = {.len = 0};
    assert_false(address_is_wildcard(&address));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(address_parse(&address, cases[i].text));
        assert_int_equal(address_is_wildcard(&address), cases[i].is_wildcard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back_as_they_were_read),
        cmocka_unit_test(malformed_texts_are_refused_and_leave_the_result_alone),
        cmocka_unit_test(an_ip_is_made_with_or_without_brackets),
        cmocka_unit_test(an_ip_with_a_nul_inside_is_refused),
        cmocka_unit_test(the_ip_text_has_neither_port_nor_brackets),
        cmocka_unit_test(every_number_of_an_ipv4_address_is_written_plainly),
        cmocka_unit_test(addresses_differ_by_family_ip_and_port),
        cmocka_unit_test(no_address_has_a_text_and_equals_only_no_address),
        cmocka_unit_test(wildcards_are_known_in_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
