/* SPDX-License-Identifier: Apache-2.0 */
/* Body buffers between two requests: which one is used again, and that they stay few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/spare_bodies.h"

static void give(struct spare_bodies *spare, size_t bytes)
{
    struct buffer body = {0};
    buffer_reserve(&body, bytes);
    spare_bodies_give(spare, &body, NULL);
    assert_int_equal(body.capacity, 0);
}

static void the_smallest_that_is_large_enough_is_taken(void **state)
{
    (void)state;
    struct spare_bodies spare = {0};
    struct buffer body = {0};
    give(&spare, 100000);
    give(&spare, 20000);
    give(&spare, 60000);
    assert_true(spare_bodies_take(&spare, 50000, &body));
    assert_in_range(body.capacity, 60000, 99999);
    assert_false(spare_bodies_take(&spare, 200000, &body));
    /* Ten times what is wanted is no bargain. */
    assert_false(spare_bodies_take(&spare, 5000, &body));
    assert_int_equal(spare.count, 2);
    spare_bodies_free(&spare);
    assert_int_equal(spare.bytes, 0);
    buffer_deinit(&body);
}

static void the_oldest_goes_when_there_are_too_many_or_they_are_too_large(void **state)
{
    (void)state;
    struct spare_bodies spare = {0};
    for (unsigned i = 0; i < 3 * SPARE_BODIES; i++)
        give(&spare, 5000);
    assert_int_equal(spare.count, SPARE_BODIES);
    for (unsigned i = 0; i < 20; i++)
        give(&spare, 1 << 20);
    assert_in_range(spare.bytes, 1 << 20, 16 << 20);
    assert_true(spare.items[spare.count - 1].capacity >= 1 << 20);
    give(&spare, 2 << 20);
    assert_true(spare.items[spare.count - 1].capacity < 2 << 20);
    spare_bodies_free(&spare);
}

static void nothing_is_kept_where_memory_is_short(void **state)
{
    (void)state;
    struct memory_budget budget = {.limit_bytes = 100, .held_bytes = 51};
    struct spare_bodies spare = {0};
    struct buffer body = {0};
    buffer_reserve(&body, 5000);
    spare_bodies_give(&spare, &body, &budget);
    assert_int_equal(spare.count, 0);
    assert_int_equal(body.capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_that_is_large_enough_is_taken),
        cmocka_unit_test(the_oldest_goes_when_there_are_too_many_or_they_are_too_large),
        cmocka_unit_test(nothing_is_kept_where_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
