/* SPDX-License-Identifier: Apache-2.0 */
/* test_arena.c: alignment, growth, limits and reuse of arenas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"

static void every_piece_is_aligned_and_separate(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64);
    char *last = NULL;
    for (size_t size = 0; size < 300; size++) {
        char *piece = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)piece % 16, 0);
        assert_ptr_not_equal(piece, last);
        memset(piece, (int)size, size);
        last = piece;
    }
    arena_free(arena);
}

static void zalloc_clears_memory_that_was_used_before(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    memset(arena_alloc(arena, 200), 0xff, 200);
    arena_reset(arena);
    const char *piece = arena_zalloc(arena, 200);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(piece[i], 0);
    arena_free(arena);
}

static void reset_keeps_the_first_chunk_and_gives_the_rest_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    size_t fresh = arena_size(arena);
    void *first = arena_alloc(arena, 16);
    for (int i = 0; i < 100; i++)
        arena_alloc(arena, 1000);
    assert_true(arena_size(arena) >= 100000);
    arena_reset(arena);
    assert_int_equal(arena_size(arena), fresh);
    assert_ptr_equal(arena_alloc(arena, 16), first);
    arena_free(arena);
}

static void chunks_double_so_that_many_small_pieces_need_few_of_them(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64);
    size_t steps = 0, size = arena_size(arena);
    for (int i = 0; i < 4096; i++) {
        arena_alloc(arena, 16);
        steps += arena_size(arena) != size;
        size = arena_size(arena);
    }
    assert_true(steps <= 12);
    assert_true(size < 3 * 65536);
    arena_free(arena);
}

static void a_large_piece_does_not_waste_the_chunk_in_use(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    char *before = arena_alloc(arena, 16);
    memset(arena_alloc(arena, 1000000), 1, 1000000);
    char *after = arena_alloc(arena, 16);
    assert_ptr_equal(after, before + 16);
    arena_free(arena);
}

static void try_alloc_stops_at_the_limit_but_uses_what_there_is(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    size_t limit = arena_size(arena) + 2048;
    assert_non_null(arena_try_alloc(arena, 1024, 0)); /* fits the first chunk: takes nothing from the system */
    assert_null(arena_try_alloc(arena, 4096, limit));
    assert_non_null(arena_try_alloc(arena, 1900, limit)); /* no room for a doubled chunk, but for the need */
    assert_true(arena_size(arena) <= limit);
    assert_null(arena_try_alloc(arena, 1900, limit));
    assert_null(arena_try_alloc(arena, SIZE_MAX, SIZE_MAX));
    assert_null(arena_try_alloc(arena, SIZE_MAX - 8, SIZE_MAX));
    arena_free(arena);
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct bytes copy = arena_copy(arena, bytes_make("abcdef", 3));
    assert_int_equal(copy.len, 3);
    assert_string_equal(copy.data, "abc");
    assert_string_equal(arena_strdup(arena, "text"), "text");
    assert_string_equal(arena_strndup(arena, bytes_make(NULL, 0)), "");
    assert_string_equal(arena_printf(arena, "%s-%d", "n", 42), "n-42");
    arena_free(arena);
}

static void free_accepts_null(void **state)
{
    (void)state;
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_aligned_and_separate),
        cmocka_unit_test(zalloc_clears_memory_that_was_used_before),
        cmocka_unit_test(reset_keeps_the_first_chunk_and_gives_the_rest_back),
        cmocka_unit_test(chunks_double_so_that_many_small_pieces_need_few_of_them),
        cmocka_unit_test(a_large_piece_does_not_waste_the_chunk_in_use),
        cmocka_unit_test(try_alloc_stops_at_the_limit_but_uses_what_there_is),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(free_accepts_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
