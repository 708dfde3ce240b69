/* SPDX-License-Identifier: Apache-2.0 */
/* test_arm_memory.c: what is remembered, for how long, and how much of it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "route/arm_memory.h"

static void what_was_put_is_found(void **state)
{
    (void)state;
    struct arm_memory *memory = arm_memory_new(1000);
    assert_int_equal(arm_memory_find(memory, 7, 1), 0);
    assert_int_equal(arm_memory_put(memory, 7, 70, 1), ARM_MEMORY_ADDED);
    assert_int_equal(arm_memory_put(memory, 0, 71, 1), ARM_MEMORY_ADDED);
    assert_int_equal(arm_memory_find(memory, 7, 1), 70);
    assert_int_equal(arm_memory_find(memory, 0, 1), 71);
    assert_int_equal(arm_memory_put(memory, 7, 72, 2), ARM_MEMORY_RENEWED);
    assert_int_equal(arm_memory_find(memory, 7, 1), 72);
    arm_memory_free(memory);
}

static void it_never_holds_more_than_its_capacity(void **state)
{
    (void)state;
    struct arm_memory *memory = arm_memory_new(3000);
    size_t capacity = arm_memory_capacity(memory), added = 0, replaced = 0, found = 0;
    assert_true(capacity >= 3000 && capacity < 5000);
    for (uint64_t key = 1; key <= 20 * capacity; key++) {
        enum arm_memory_put result = arm_memory_put(memory, key, key, key);
        added += result == ARM_MEMORY_ADDED;
        replaced += result == ARM_MEMORY_REPLACED;
    }
    assert_int_equal(added, capacity);
    assert_int_equal(added + replaced, 20 * capacity);
    for (uint64_t key = 1; key <= 20 * capacity; key++)
        found += arm_memory_find(memory, key, 20 * capacity) == key;
    assert_int_equal(found, capacity);
    arm_memory_free(memory);
}

static void half_full_hardly_anything_is_forgotten(void **state)
{
    (void)state;
    struct arm_memory *memory = arm_memory_new(100000);
    size_t replaced = 0, half = arm_memory_capacity(memory) / 2;
    for (uint64_t key = 1; key <= half; key++)
        replaced += arm_memory_put(memory, key, 1, key) == ARM_MEMORY_REPLACED;
    assert_true(replaced < half / 200);
    arm_memory_free(memory);
}

static void what_is_used_stays(void **state)
{
    (void)state;
    struct arm_memory *memory = arm_memory_new(1);
    size_t capacity = arm_memory_capacity(memory);
    arm_memory_put(memory, 1, 11, 0);
    for (uint64_t key = 2; key < 10 * capacity; key++) {
        assert_int_equal(arm_memory_find(memory, 1, key), 11); /* used now */
        arm_memory_put(memory, key, 5, key);
    }
    arm_memory_free(memory);
}

static void owners_keep_their_keys_apart(void **state)
{
    (void)state;
    assert_true(arm_memory_key(1, 5) != arm_memory_key(2, 5));
    assert_true(arm_memory_key(1, 5) != arm_memory_key(1, 6));
    assert_true(arm_memory_id_key(1, BYTES("a")) != arm_memory_id_key(2, BYTES("a")));
    assert_int_equal(arm_memory_id_key(1, BYTES("a")), arm_memory_id_key(1, BYTES("a")));
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *hammer(void *context)
{
    struct arm_memory *memory = context;
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t key = i * 7919 % 5000, arm = arm_memory_find(memory, key, i);
        if (arm != 0 && arm != key + 1)
            return (void *)"another key's arm";
        arm_memory_put(memory, key, key + 1, i);
    }
    return NULL;
}

static void workers_share_it(void **state)
{
    (void)state;
    struct arm_memory *memory = arm_memory_new(2000);
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, memory), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    arm_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(it_never_holds_more_than_its_capacity),
        cmocka_unit_test(half_full_hardly_anything_is_forgotten),
        cmocka_unit_test(what_is_used_stays),
        cmocka_unit_test(owners_keep_their_keys_apart),
        cmocka_unit_test(workers_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
