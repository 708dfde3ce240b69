/* SPDX-License-Identifier: Apache-2.0 */
/* test_prefix_index.c: matches, forgetting and bounds by hand; random prompts against plain queues; readers beside
 * writers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/random.h"
#include "inference/prefix_index.h"

/* Block `i` of the conversation `name`. */
static uint64_t block(uint64_t name, uint64_t i)
{
    uint64_t x = name * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u + 1;
    x = (x ^ x >> 31) * 0x94d049bb133111ebu;
    return x ^ x >> 29;
}

static void make(uint64_t name, uint64_t *hashes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        hashes[i] = block(name, i);
}

static uint32_t match(const struct prefix_index *index, uint16_t owner, uint64_t name, unsigned count)
{
    uint64_t hashes[256];
    uint32_t matched[PREFIX_OWNERS_MAX], marked[PREFIX_OWNERS_MAX];
    make(name, hashes, count);
    prefix_index_match(index, hashes, count, matched, marked);
    return matched[owner];
}

static void insert(struct prefix_index *index, uint16_t owner, uint64_t name, unsigned count)
{
    uint64_t hashes[256];
    make(name, hashes, count);
    prefix_index_insert(index, owner, hashes, 0, count);
}

static void an_owner_matches_what_it_was_sent(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(4, 1024);
    uint16_t a = prefix_index_add_owner(index, 100), b = prefix_index_add_owner(index, 100);
    assert_true(a != b);
    assert_int_equal(match(index, a, 1, 10), 0);
    insert(index, a, 1, 10);
    insert(index, b, 1, 4);
    assert_int_equal(match(index, a, 1, 10), 10);
    assert_int_equal(match(index, a, 1, 7), 7);
    assert_int_equal(match(index, a, 1, 20), 10);
    assert_int_equal(match(index, b, 1, 20), 4);
    assert_int_equal(match(index, a, 2, 20), 0);
    assert_int_equal(match(index, a, 1, 0), 0);
    assert_int_equal(prefix_index_entries(index), 14);
    prefix_index_free(index);
}

static void a_match_ends_at_the_first_gap(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(2, 1024);
    uint16_t a = prefix_index_add_owner(index, 100), b = prefix_index_add_owner(index, 100);
    uint64_t hashes[10];
    uint32_t matched[2], marked[2];
    make(1, hashes, 10);
    prefix_index_insert(index, a, hashes, 0, 3);
    prefix_index_insert(index, a, hashes + 4, 0, 6); /* all but block 3 */
    prefix_index_insert(index, b, hashes + 1, 0, 9); /* all but block 0 */
    prefix_index_match(index, hashes, 10, matched, marked);
    assert_int_equal(matched[a], 3);
    assert_int_equal(matched[b], 0);
    prefix_index_free(index);
}

static void many_owners_of_a_block_are_told_apart(void **state)
{
    (void)state;
    enum { OWNERS = 200 };
    struct prefix_index *index = prefix_index_new(OWNERS, 1u << 16);
    uint64_t hashes[OWNERS];
    uint32_t matched[OWNERS], marked[OWNERS];
    make(1, hashes, OWNERS);
    for (unsigned i = 0; i < OWNERS; i++)
        assert_int_equal(prefix_index_add_owner(index, 2000), i);
    assert_int_equal(prefix_index_add_owner(index, 1000), PREFIX_NO_OWNER);
    for (unsigned i = 0; i < OWNERS; i++) /* block b has the owners b.. */
        prefix_index_insert(index, (uint16_t)((i * 77) % OWNERS), hashes, 0, (i * 77) % OWNERS + 1);
    prefix_index_match(index, hashes, OWNERS, matched, marked);
    for (unsigned i = 0; i < OWNERS; i++)
        assert_int_equal(matched[i], i + 1);
    for (unsigned i = 0; i < OWNERS; i += 2) /* sets shrink again */
        prefix_index_remove_owner(index, (uint16_t)i);
    prefix_index_match(index, hashes, OWNERS, matched, marked);
    for (unsigned i = 0; i < OWNERS; i++)
        assert_int_equal(matched[i], i % 2 == 0 ? 0 : i + 1);
    prefix_index_free(index);
}

static void a_full_owner_forgets_its_oldest_prompt_from_the_end(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(2, 1024);
    uint16_t a = prefix_index_add_owner(index, 20);
    insert(index, a, 1, 10);
    insert(index, a, 2, 10);
    insert(index, a, 3, 4);
    assert_int_equal(match(index, a, 1, 10), 6);
    assert_int_equal(match(index, a, 2, 10), 10);
    assert_int_equal(match(index, a, 3, 4), 4);
    assert_int_equal(prefix_index_entries(index), 20);
    prefix_index_free(index);
}

static void what_was_sent_again_gets_a_second_chance(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(2, 1024);
    uint16_t a = prefix_index_add_owner(index, 20);
    insert(index, a, 1, 10);
    insert(index, a, 2, 10);
    insert(index, a, 1, 10); /* again */
    insert(index, a, 3, 10);
    assert_int_equal(match(index, a, 1, 10), 10);
    assert_int_equal(match(index, a, 2, 10), 0);
    insert(index, a, 4, 10); /* the chance is used up: the older of the two goes */
    assert_int_equal(match(index, a, 1, 10), 0);
    assert_int_equal(match(index, a, 3, 10), 10);
    prefix_index_free(index);
}

/* Returns how many blocks the match found marked. */
static uint32_t match_and_insert(struct prefix_index *index, uint16_t owner, uint64_t name, unsigned count)
{
    uint64_t hashes[256];
    uint32_t matched[PREFIX_OWNERS_MAX], marked[PREFIX_OWNERS_MAX];
    make(name, hashes, count);
    prefix_index_match(index, hashes, count, matched, marked);
    prefix_index_insert(index, owner, hashes, marked[owner], count);
    return marked[owner];
}

static void what_is_marked_is_not_noted_again(void **state)
{
    (void)state;
    for (unsigned others = 0; others < 10; others += 9) { /* in the nodes, and in bitmaps */
        struct prefix_index *index = prefix_index_new(20, 1024);
        uint16_t a = prefix_index_add_owner(index, 20);
        for (unsigned i = 0; i < others; i++)
            insert(index, prefix_index_add_owner(index, 20), 1, 8);
        assert_int_equal(match_and_insert(index, a, 1, 4), 0);
        assert_int_equal(match_and_insert(index, a, 1, 4), 0); /* sent again: marked now */
        assert_int_equal(match_and_insert(index, a, 1, 6), 4);
        assert_int_equal(match_and_insert(index, a, 1, 8), 4);
        assert_int_equal(match_and_insert(index, a, 1, 8), 6);
        assert_int_equal(match_and_insert(index, a, 1, 8), 8);
        assert_int_equal(match(index, a, 1, 8), 8);
        insert(index, a, 2, 20); /* a chance, then none */
        insert(index, a, 3, 20);
        assert_int_equal(match_and_insert(index, a, 1, 8), 0);
        assert_int_equal(match(index, a, 1, 8), 8);
        prefix_index_free(index);
    }
}

static void a_prompt_longer_than_the_owner_keeps_its_head(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(1, 1024);
    uint16_t a = prefix_index_add_owner(index, 8);
    insert(index, a, 1, 200);
    assert_int_equal(match(index, a, 1, 200), 8);
    assert_int_equal(prefix_index_entries(index), 8);
    prefix_index_free(index);
}

static void large_blocks_count_as_eight(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(1, 1024);
    uint16_t a = prefix_index_add_owner(index, 144);
    insert(index, a, 1, 80);
    assert_int_equal(match(index, a, 1, 80), 74); /* 64 + 10 x 8 */
    insert(index, a, 2, 9);
    assert_int_equal(match(index, a, 2, 9), 9);
    assert_int_equal(match(index, a, 1, 80), 72); /* two of them made room */
    insert(index, a, 2, 16);
    assert_int_equal(match(index, a, 1, 80), 72);
    insert(index, a, 2, 17);
    assert_int_equal(match(index, a, 1, 80), 71);
    prefix_index_free(index);
}

static void a_smaller_capacity_holds_at_once(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(1, 1024);
    uint16_t a = prefix_index_add_owner(index, 100);
    insert(index, a, 1, 50);
    prefix_index_set_capacity(index, a, 10);
    assert_int_equal(prefix_index_entries(index), 10);
    assert_int_equal(match(index, a, 1, 50), 10);
    prefix_index_set_capacity(index, a, 30);
    insert(index, a, 1, 50);
    assert_int_equal(match(index, a, 1, 50), 30);
    prefix_index_free(index);
}

static void forgotten_and_removed_owners_match_nothing(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(2, 1024);
    uint16_t a = prefix_index_add_owner(index, 100), b = prefix_index_add_owner(index, 100);
    insert(index, a, 1, 10);
    insert(index, b, 1, 10);
    prefix_index_forget(index, a);
    assert_int_equal(match(index, a, 1, 10), 0);
    assert_int_equal(match(index, b, 1, 10), 10);
    insert(index, a, 1, 5);
    assert_int_equal(match(index, a, 1, 10), 5);
    prefix_index_remove_owner(index, b);
    insert(index, b, 1, 10); /* a late exchange: nothing happens */
    assert_int_equal(prefix_index_entries(index), 5);
    assert_int_equal(prefix_index_add_owner(index, 7), b);
    assert_int_equal(match(index, b, 1, 10), 0);
    prefix_index_free(index);
}

static void a_full_table_takes_from_the_greatest(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(4, 128);
    uint16_t a = prefix_index_add_owner(index, 1000), b = prefix_index_add_owner(index, 1000);
    insert(index, a, 1, 64);
    insert(index, a, 4, 64);
    assert_int_equal(match(index, a, 1, 64), 64);
    insert(index, b, 2, 30);
    assert_int_equal(match(index, b, 2, 30), 30);
    assert_in_range(match(index, a, 1, 64), 26, 34);
    insert(index, a, 3, 5); /* at its own cost */
    assert_int_equal(match(index, a, 3, 5), 5);
    assert_int_equal(match(index, b, 2, 30), 30);
    assert_in_range(prefix_index_entries(index), 110, 128);
    prefix_index_free(index);
}

static double bytes_per_entry(unsigned owners, uint32_t per_owner, unsigned share)
{
    struct prefix_index *index = prefix_index_new(owners, owners * per_owner);
    for (unsigned i = 0; i < owners; i++)
        prefix_index_add_owner(index, per_owner);
    uint64_t hashes[64];
    for (unsigned i = 0; i < owners; i++)
        for (uint32_t prompt = 0; prompt < per_owner / 64; prompt++) {
            make((uint64_t)(i / share) << 32 | prompt, hashes, 64);
            prefix_index_insert(index, (uint16_t)i, hashes, 0, 64);
        }
    double bytes = (double)prefix_index_bytes(index) / prefix_index_entries(index);
    assert_int_equal(prefix_index_entries(index), owners * per_owner);
    prefix_index_free(index);
    return bytes;
}

static void an_entry_costs_at_most_32_bytes(void **state)
{
    (void)state;
    assert_true(bytes_per_entry(64, 4096, 1) <= 32);
    assert_true(bytes_per_entry(128, 4096, 6) <= 32);
    assert_true(bytes_per_entry(128, 4096, 7) <= 32);
    assert_true(bytes_per_entry(256, 1024, 64) <= 32);
    assert_true(bytes_per_entry(512, 1024, 7) <= 32);
}

/* Plain queues in place of rings, with the same rule. */
enum { PLAIN_OWNERS = 12, PLAIN_CAPACITY = 40, PLAIN_NAMES = 20, PLAIN_BLOCKS = 16 };

struct plain_owner {
    uint64_t hashes[PLAIN_CAPACITY];
    bool marked[PLAIN_CAPACITY];
    unsigned count;
};

static int plain_find(const struct plain_owner *owner, uint64_t hash)
{
    for (unsigned i = 0; i < owner->count; i++)
        if (owner->hashes[i] == hash)
            return (int)i;
    return -1;
}

static void plain_drop_first(struct plain_owner *owner)
{
    owner->count--;
    memmove(owner->hashes, owner->hashes + 1, owner->count * sizeof owner->hashes[0]);
    memmove(owner->marked, owner->marked + 1, owner->count * sizeof owner->marked[0]);
}

static void plain_push(struct plain_owner *owner, uint64_t hash)
{
    owner->hashes[owner->count] = hash;
    owner->marked[owner->count++] = false;
}

static void plain_insert(struct plain_owner *owner, const uint64_t *hashes, unsigned count)
{
    while (count-- > 0) {
        int at = plain_find(owner, hashes[count]);
        if (at >= 0) {
            owner->marked[at] = true;
            continue;
        }
        while (owner->count == PLAIN_CAPACITY && owner->marked[0]) {
            uint64_t first = owner->hashes[0];
            plain_drop_first(owner);
            plain_push(owner, first);
        }
        if (owner->count == PLAIN_CAPACITY)
            plain_drop_first(owner);
        plain_push(owner, hashes[count]);
    }
}

static void random_prompts_are_matched_as_in_plain_queues(void **state)
{
    (void)state;
    struct prefix_index *index = prefix_index_new(PLAIN_OWNERS, PLAIN_OWNERS * PLAIN_CAPACITY);
    struct plain_owner plain[PLAIN_OWNERS] = {0};
    struct random_state random;
    uint64_t hashes[PLAIN_BLOCKS];
    uint32_t matched[PLAIN_OWNERS], marked[PLAIN_OWNERS];
    random_seed(&random, 3);
    for (unsigned i = 0; i < PLAIN_OWNERS; i++)
        prefix_index_add_owner(index, PLAIN_CAPACITY);
    for (unsigned round = 0; round < 40000; round++) {
        unsigned owner = (unsigned)random_below(&random, PLAIN_OWNERS);
        unsigned count = 1 + (unsigned)random_below(&random, PLAIN_BLOCKS);
        make(random_below(&random, PLAIN_NAMES), hashes, count);
        prefix_index_match(index, hashes, count, matched, marked);
        for (unsigned i = 0; i < PLAIN_OWNERS; i++) {
            unsigned expected = 0;
            while (expected < count && plain_find(&plain[i], hashes[expected]) >= 0)
                expected++;
            assert_int_equal(matched[i], expected);
        }
        if (random_below(&random, 500) == 0) {
            prefix_index_forget(index, (uint16_t)owner);
            plain[owner].count = 0;
        }
        prefix_index_insert(index, (uint16_t)owner, hashes, 0, count);
        plain_insert(&plain[owner], hashes, count);
    }
    prefix_index_free(index);
}

/* Threads. */

enum { SHARED_OWNERS = 40, SHARED_NAMES = 50, SHARED_ROUNDS = 3000 };

struct shared {
    struct prefix_index *index;
    atomic_bool is_over;
    atomic_uint matches;
};

static void *read_many(void *argument)
{
    struct shared *shared = argument;
    struct random_state random;
    uint64_t hashes[64];
    uint32_t matched[SHARED_OWNERS + 1], marked[SHARED_OWNERS + 1];
    random_seed_from_kernel(&random);
    while (!atomic_load_explicit(&shared->is_over, memory_order_relaxed)) {
        matched[SHARED_OWNERS] = 12345; /* what is past the end stays */
        make(random_below(&random, SHARED_NAMES), hashes, 64);
        prefix_index_match(shared->index, hashes, 64, matched, marked);
        for (unsigned i = 0; i < SHARED_OWNERS; i++)
            assert_true(matched[i] <= 64);
        assert_int_equal(matched[SHARED_OWNERS], 12345);
        for (unsigned i = 0; i < SHARED_OWNERS; i++)
            assert_true(marked[i] <= 64);
        atomic_fetch_add_explicit(&shared->matches, 1, memory_order_relaxed);
    }
    return NULL;
}

static void *write_many(void *argument)
{
    struct shared *shared = argument;
    struct random_state random;
    uint64_t hashes[64];
    random_seed_from_kernel(&random);
    for (unsigned round = 0; round < SHARED_ROUNDS; round++) {
        make(random_below(&random, SHARED_NAMES), hashes, 64);
        prefix_index_insert(shared->index, (uint16_t)random_below(&random, SHARED_OWNERS), hashes, 0,
                            1 + (unsigned)random_below(&random, 64));
    }
    return NULL;
}

static void readers_and_writers_may_run_together(void **state)
{
    (void)state;
    struct shared shared = {.index = prefix_index_new(SHARED_OWNERS, 8192)};
    pthread_t readers[2], writers[2];
    for (unsigned i = 0; i < SHARED_OWNERS; i++)
        prefix_index_add_owner(shared.index, 300);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_many, &shared), 0);
        assert_int_equal(pthread_create(&writers[i], NULL, write_many, &shared), 0);
    }
    for (unsigned round = 0; round < 300; round++) { /* endpoints come and go */
        uint16_t owner = (uint16_t)(round % SHARED_OWNERS);
        prefix_index_remove_owner(shared.index, owner);
        assert_int_equal(prefix_index_add_owner(shared.index, 100 + round), owner);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&shared.is_over, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    assert_true(atomic_load(&shared.matches) > 0);
    for (unsigned i = 0; i < SHARED_OWNERS; i++)
        prefix_index_forget(shared.index, (uint16_t)i);
    assert_int_equal(prefix_index_entries(shared.index), 0);
    for (unsigned name = 0; name < SHARED_NAMES; name++)
        for (unsigned i = 0; i < SHARED_OWNERS; i++)
            assert_int_equal(match(shared.index, (uint16_t)i, name, 64), 0);
    insert(shared.index, 3, 1, 64);
    assert_int_equal(match(shared.index, 3, 1, 64), 64);
    prefix_index_free(shared.index);
}

static void a_match_tells_how_many_owners_there_are(void **state)
{
    (void)state;
    enum { OWNERS = 200, ADDED = 70 };
    uint64_t hashes[] = {11, 22};
    uint32_t matched[OWNERS], marked[OWNERS];
    struct prefix_index *index = prefix_index_new(OWNERS, 1024);
    assert_int_equal(prefix_index_match(index, hashes, 2, matched, marked), 0);
    for (unsigned i = 0; i < ADDED; i++)
        prefix_index_add_owner(index, 100);
    prefix_index_insert(index, ADDED - 1, hashes, 0, 2);
    assert_int_equal(prefix_index_match(index, hashes, 2, matched, marked), ADDED);
    assert_int_equal(matched[ADDED - 1], 2);
    assert_int_equal(matched[0], 0);
    prefix_index_remove_owner(index, ADDED - 1); /* numbers are given out again: it stays what it was */
    assert_int_equal(prefix_index_match(index, hashes, 2, matched, marked), ADDED);
    assert_int_equal(matched[ADDED - 1], 0);
    prefix_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owner_matches_what_it_was_sent),
        cmocka_unit_test(a_match_ends_at_the_first_gap),
        cmocka_unit_test(many_owners_of_a_block_are_told_apart),
        cmocka_unit_test(a_full_owner_forgets_its_oldest_prompt_from_the_end),
        cmocka_unit_test(what_was_sent_again_gets_a_second_chance),
        cmocka_unit_test(what_is_marked_is_not_noted_again),
        cmocka_unit_test(a_prompt_longer_than_the_owner_keeps_its_head),
        cmocka_unit_test(large_blocks_count_as_eight),
        cmocka_unit_test(a_smaller_capacity_holds_at_once),
        cmocka_unit_test(forgotten_and_removed_owners_match_nothing),
        cmocka_unit_test(a_full_table_takes_from_the_greatest),
        cmocka_unit_test(an_entry_costs_at_most_32_bytes),
        cmocka_unit_test(random_prompts_are_matched_as_in_plain_queues),
        cmocka_unit_test(a_match_tells_how_many_owners_there_are),
        cmocka_unit_test(readers_and_writers_may_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
