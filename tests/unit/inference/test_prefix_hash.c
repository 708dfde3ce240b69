/* SPDX-License-Identifier: Apache-2.0 */
/* test_prefix_hash.c: chained hashes are the same wherever the prompt is cut, and differ where they must. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <xxhash.h>

#include "base/compiler.h"
#include "base/random.h"
#include "inference/block_hash.h"
#include "inference/prefix_hash.h"

enum { BLOCK = PREFIX_SMALL_BYTES, LARGE = PREFIX_SMALL_BYTES * PREFIX_LARGE_UNITS, HASHES = 80 };

static unsigned hash(const char *model, uint64_t salt, struct bytes text, uint64_t *ret_hashes)
{
    struct prefix_hasher hasher;
    prefix_hasher_init(&hasher, bytes_of(model), salt, ret_hashes, HASHES);
    prefix_hasher_feed(&hasher, text);
    return hasher.count;
}

static void fill(char *text, size_t len)
{
    struct random_state random;
    random_seed(&random, 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)random_next(&random);
}

static void only_whole_blocks_are_hashed(void **state)
{
    (void)state;
    char text[3 * BLOCK];
    uint64_t hashes[HASHES];
    fill(text, sizeof text);
    assert_int_equal(hash("m", 0, bytes_make(text, 0), hashes), 0);
    assert_int_equal(hash("m", 0, bytes_make(text, BLOCK - 1), hashes), 0);
    assert_int_equal(hash("m", 0, bytes_make(text, BLOCK), hashes), 1);
    assert_int_equal(hash("m", 0, bytes_make(text, 3 * BLOCK - 1), hashes), 2);
    assert_int_equal(hash("m", 0, bytes_make(text, 3 * BLOCK), hashes), 3);
}

static void the_hashes_survive_every_split(void **state)
{
    (void)state;
    char text[4 * BLOCK + 10];
    uint64_t whole[HASHES], pieces[HASHES];
    fill(text, sizeof text);
    assert_int_equal(hash("m", 0, bytes_make(text, sizeof text), whole), 4);
    for (size_t first = 0; first <= sizeof text; first += 3)
        for (size_t second = first; second <= sizeof text; second += 77) {
            struct prefix_hasher hasher;
            prefix_hasher_init(&hasher, BYTES("m"), 0, pieces, HASHES);
            prefix_hasher_feed(&hasher, bytes_make(text, first));
            prefix_hasher_feed(&hasher, bytes_make(text + first, second - first));
            prefix_hasher_feed(&hasher, bytes_make(text + second, sizeof text - second));
            assert_int_equal(hasher.count, 4);
            assert_memory_equal(pieces, whole, 4 * sizeof whole[0]);
        }
}

static void a_changed_byte_changes_its_block_and_all_later_ones(void **state)
{
    (void)state;
    char text[8 * BLOCK];
    uint64_t before[HASHES], after[HASHES];
    fill(text, sizeof text);
    hash("m", 0, bytes_make(text, sizeof text), before);
    text[3 * BLOCK + 5] ^= 1;
    hash("m", 0, bytes_make(text, sizeof text), after);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(before[i] == after[i], i < 3);
}

#ifdef __x86_64__
static void check_hashes(uint64_t (*hash_blocks)(const char *, size_t, unsigned, uint64_t, uint64_t *))
{
    static const size_t sizes[] = {BLOCK, LARGE, 241, 3 * LARGE - 1};
    char text[9 * LARGE + 1];
    fill(text, sizeof text);
    for (unsigned i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
        size_t len = sizes[i / 2];
        const char *data = text + i % 2; /* aligned and not */
        uint64_t hashes[3], before = 5;
        assert_int_equal(hash_blocks(data, len, 0, before, hashes), before);
        uint64_t last = hash_blocks(data, len, 3, before, hashes);
        for (unsigned j = 0; j < 3; j++) {
            before = block_chain(before, XXH3_64bits(data + j * len, len));
            assert_int_equal(hashes[j], before);
        }
        assert_int_equal(last, before);
    }
}
#endif

/* What wider vectors compute is the same hash. */
static void a_block_has_one_hash_on_all_processors(void **state)
{
    (void)state;
#ifdef __x86_64__
    if (!__builtin_cpu_supports("avx2"))
        skip();
    check_hashes(block_hashes_avx2);
    if (__builtin_cpu_supports("avx512f"))
        check_hashes(block_hashes_avx512);
#endif
}

static void models_and_salts_do_not_share(void **state)
{
    (void)state;
    char text[BLOCK];
    uint64_t base[HASHES], other[HASHES];
    fill(text, sizeof text);
    hash("m", 0, bytes_make(text, BLOCK), base);
    hash("m-adapter", 0, bytes_make(text, BLOCK), other);
    assert_true(base[0] != other[0]);
    hash("m", 1, bytes_make(text, BLOCK), other);
    assert_true(base[0] != other[0]);
    hash("m", 0, bytes_make(text, BLOCK), other);
    assert_true(base[0] == other[0]);
}

static void later_blocks_are_large(void **state)
{
    (void)state;
    static char text[PREFIX_SMALL_BLOCKS * BLOCK + 3 * LARGE];
    uint64_t hashes[HASHES], pieces[HASHES];
    size_t small = PREFIX_SMALL_BLOCKS * BLOCK;
    fill(text, sizeof text);
    assert_int_equal(hash("m", 0, bytes_make(text, small), hashes), PREFIX_SMALL_BLOCKS);
    assert_int_equal(hash("m", 0, bytes_make(text, small + LARGE - 1), hashes), PREFIX_SMALL_BLOCKS);
    assert_int_equal(hash("m", 0, bytes_make(text, sizeof text), hashes), PREFIX_SMALL_BLOCKS + 3);
    struct prefix_hasher hasher;
    prefix_hasher_init(&hasher, BYTES("m"), 0, pieces, HASHES);
    for (size_t at = 0; at < sizeof text; at += 1000)
        prefix_hasher_feed(&hasher, bytes_make(text + at, sizeof text - at < 1000 ? sizeof text - at : 1000));
    assert_int_equal(hasher.count, PREFIX_SMALL_BLOCKS + 3);
    assert_memory_equal(pieces, hashes, hasher.count * sizeof hashes[0]);
}

static void blocks_and_units_are_told_from_each_other(void **state)
{
    (void)state;
    assert_int_equal(prefix_units(10), 10);
    assert_int_equal(prefix_units(64), 64);
    assert_int_equal(prefix_units(66), 80);
    assert_int_equal(prefix_blocks(10), 10);
    assert_int_equal(prefix_blocks(79), 65);
    for (unsigned count = 0; count < 300; count++)
        assert_int_equal(prefix_blocks(prefix_units(count)), count);
}

static void of_a_long_prompt_the_head_is_hashed(void **state)
{
    (void)state;
    static char text[HASHES * LARGE];
    uint64_t hashes[HASHES + 1] = {0};
    struct prefix_hasher hasher;
    fill(text, sizeof text);
    prefix_hasher_init(&hasher, BYTES(""), 0, hashes, HASHES);
    for (size_t at = 0; at < sizeof text; at += 37)
        prefix_hasher_feed(&hasher, bytes_make(text + at, sizeof text - at < 37 ? sizeof text - at : 37));
    assert_int_equal(hasher.count, HASHES);
    assert_int_equal(hashes[HASHES], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_blocks_are_hashed),
        cmocka_unit_test(the_hashes_survive_every_split),
        cmocka_unit_test(a_changed_byte_changes_its_block_and_all_later_ones),
        cmocka_unit_test(a_block_has_one_hash_on_all_processors),
        cmocka_unit_test(models_and_salts_do_not_share),
        cmocka_unit_test(later_blocks_are_large),
        cmocka_unit_test(blocks_and_units_are_told_from_each_other),
        cmocka_unit_test(of_a_long_prompt_the_head_is_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
