/* SPDX-License-Identifier: Apache-2.0 */
/* test_spares.c: memory that is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/spares.h"

struct thing {
    char bytes[100];
};

static void what_went_back_last_is_taken_first(void **state)
{
    (void)state;
    struct spares spares = SPARES(struct thing, 8);
    struct thing *first = spares_take(&spares), *second = spares_take(&spares);
    spares_give_back(&spares, first);
    spares_give_back(&spares, second);
    assert_ptr_equal(spares_take(&spares), second);
    assert_ptr_equal(spares_take(&spares), first);
    assert_int_equal(spares.count, 0);
    spares_give_back(&spares, first);
    spares_give_back(&spares, second);
    spares_deinit(&spares);
    assert_int_equal(spares.count, 0);
}

static void no_more_than_the_limit_is_kept(void **state)
{
    (void)state;
    struct spares spares = SPARES(struct thing, 1);
    struct thing *first = spares_take(&spares), *second = spares_take(&spares);
    spares_give_back(&spares, NULL);
    assert_int_equal(spares.count, 0);
    spares_give_back(&spares, first);
    spares_give_back(&spares, second);
    assert_int_equal(spares.count, 1);
    spares_deinit(&spares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_back_last_is_taken_first),
        cmocka_unit_test(no_more_than_the_limit_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
