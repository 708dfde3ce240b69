/* SPDX-License-Identifier: Apache-2.0 */
/* test_hashmap.c: the map against a plain array that says what must be in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/hashmap.h"
#include "base/random.h"

enum { KEYS = 500 };

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct hashmap *map = hashmap_new();
    size_t cursor = 0;
    struct bytes key;
    void *value;
    assert_null(hashmap_get(map, BYTES("a")));
    assert_null(hashmap_remove(map, BYTES("a")));
    assert_false(hashmap_next(map, &cursor, &key, &value));
    assert_int_equal(hashmap_len(map), 0);
    hashmap_free(map);
    hashmap_free(NULL);
}

static void putting_again_replaces_and_tells_the_old_value(void **state)
{
    (void)state;
    struct hashmap *map = hashmap_new();
    int one, two;
    assert_null(hashmap_put(map, BYTES("a"), &one));
    assert_ptr_equal(hashmap_put(map, BYTES("a"), &two), &one);
    assert_ptr_equal(hashmap_get(map, BYTES("a")), &two);
    assert_int_equal(hashmap_len(map), 1);
    assert_ptr_equal(hashmap_remove(map, BYTES("a")), &two);
    assert_null(hashmap_get(map, BYTES("a")));
    hashmap_free(map);
}

static void the_stored_key_is_the_last_one_put(void **state)
{
    (void)state;
    struct hashmap *map = hashmap_new();
    char first[] = "key", second[] = "key";
    int value;
    hashmap_put(map, bytes_of(first), &value);
    hashmap_put(map, bytes_of(second), &value);
    memset(first, 'x', 3);
    assert_ptr_equal(hashmap_get(map, BYTES("key")), &value);
    hashmap_free(map);
}

static void keys_are_bytes_of_any_kind(void **state)
{
    (void)state;
    struct hashmap *map = hashmap_new();
    int empty, nul, other;
    hashmap_put(map, bytes_make(NULL, 0), &empty);
    hashmap_put(map, bytes_make("a\0b", 3), &nul);
    hashmap_put(map, bytes_make("a\0c", 3), &other);
    assert_ptr_equal(hashmap_get(map, BYTES("")), &empty);
    assert_ptr_equal(hashmap_get(map, bytes_make("a\0b", 3)), &nul);
    assert_ptr_equal(hashmap_get(map, bytes_make("a\0c", 3)), &other);
    hashmap_free(map);
}

static size_t count_by_walking(const struct hashmap *map)
{
    size_t cursor = 0, count = 0;
    struct bytes key;
    void *value;
    while (hashmap_next(map, &cursor, &key, &value)) {
        assert_ptr_equal(hashmap_get(map, key), value);
        count++;
    }
    return count;
}

static void random_puts_and_removes_agree_with_a_plain_array(void **state)
{
    (void)state;
    static char names[KEYS][16];
    bool is_present[KEYS] = {false};
    size_t present = 0;
    struct random_state random;
    struct hashmap *map = hashmap_new();
    random_seed(&random, 1);
    for (size_t i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof(names[i]), "key-%zu", i);
    for (int step = 0; step < 50000; step++) {
        size_t i = (size_t)random_below(&random, KEYS);
        struct bytes key = bytes_of(names[i]);
        assert_ptr_equal(hashmap_get(map, key), is_present[i] ? names[i] : NULL);
        if (random_below(&random, 2) == 0)
            assert_ptr_equal(hashmap_put(map, key, names[i]), is_present[i] ? names[i] : NULL);
        else
            assert_ptr_equal(hashmap_remove(map, key), is_present[i] ? names[i] : NULL);
        present -= is_present[i];
        is_present[i] = hashmap_get(map, key) != NULL;
        present += is_present[i];
        assert_int_equal(hashmap_len(map), present);
    }
    assert_int_equal(count_by_walking(map), present);
    hashmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(putting_again_replaces_and_tells_the_old_value),
        cmocka_unit_test(the_stored_key_is_the_last_one_put),
        cmocka_unit_test(keys_are_bytes_of_any_kind),
        cmocka_unit_test(random_puts_and_removes_agree_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
