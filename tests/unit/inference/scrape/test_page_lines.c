/* SPDX-License-Identifier: Apache-2.0 */
/* test_page_lines.c: line starts as a search byte by byte finds them, whatever the lengths. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/random.h"
#include "inference/scrape/page_lines.h"

enum { TEXT_MAX = 5000 };

static void check(struct bytes page)
{
    static struct page_lines lines;
    page_lines_init(&lines, page);
    size_t expected = 0;
    while (page_lines_next(&lines))
        for (unsigned i = 0; i < lines.count; i++) {
            assert_int_equal(lines.starts[i], expected);
            expected += bytes_find(bytes_skip(page, expected), '\n') + 1;
        }
    assert_true(expected >= page.len);
}

static void lines_of_any_length_are_found(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    struct random_state random;
    random_seed(&random, 7);
    for (unsigned round = 0; round < 2000; round++) {
        size_t len = random_next(&random) % TEXT_MAX;
        uint64_t mean = 1 + random_next(&random) % 120;
        for (size_t i = 0; i < len; i++)
            text[i] = random_next(&random) % mean == 0 ? '\n' : 'x';
        check(bytes_make(text, len));
    }
}

static void ends_of_a_page(void **state)
{
    (void)state;
    static char text[3 * PAGE_LINES_BLOCK];
    check(bytes_make(text, 0));
    for (size_t len = 1; len <= sizeof text; len++) {
        memset(text, 'x', sizeof text);
        check(bytes_make(text, len));
        text[len - 1] = '\n'; /* begins no line */
        check(bytes_make(text, len));
        memset(text, '\n', sizeof text);
        check(bytes_make(text, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_any_length_are_found),
        cmocka_unit_test(ends_of_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
