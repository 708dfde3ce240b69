/* SPDX-License-Identifier: Apache-2.0 */
/* test_lease.c: when a lease lets its snapshot go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route/lease.h"

static void note_death(void *object)
{
    *(bool *)object = true;
}

static struct route_lease *lease_of(bool *is_dead)
{
    struct route_snapshot *snapshot = route_snapshot_new(1);
    route_snapshot_own(snapshot, note_death, is_dead);
    return route_lease_new(snapshot);
}

static void a_lease_without_users_dies_when_it_is_retired(void **state)
{
    (void)state;
    bool is_dead = false;
    struct route_lease *lease = lease_of(&is_dead);
    route_lease_take(lease);
    route_lease_give_back(lease);
    assert_false(is_dead);
    route_lease_retire(lease);
    assert_true(is_dead);
}

static void a_retired_lease_dies_with_its_last_user(void **state)
{
    (void)state;
    bool is_dead = false;
    struct route_lease *lease = lease_of(&is_dead);
    assert_ptr_equal(route_lease_take(lease), lease);
    route_lease_take(lease);
    route_lease_retire(lease);
    route_lease_give_back(lease);
    assert_false(is_dead);
    route_lease_give_back(lease);
    assert_true(is_dead);
}

static void a_snapshot_lives_until_all_workers_let_go(void **state)
{
    (void)state;
    bool is_dead = false;
    struct route_lease *one = lease_of(&is_dead);
    route_snapshot_take(one->snapshot);
    struct route_lease *two = route_lease_new(one->snapshot);
    route_lease_retire(one);
    assert_false(is_dead);
    route_lease_retire(two);
    assert_true(is_dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_without_users_dies_when_it_is_retired),
        cmocka_unit_test(a_retired_lease_dies_with_its_last_user),
        cmocka_unit_test(a_snapshot_lives_until_all_workers_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
