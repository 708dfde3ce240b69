/* SPDX-License-Identifier: Apache-2.0 */
/* test_kv_blocks.c: leases, sharing and forgetting, by hand and against a plain list of blocks. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/random.h"
#include "sim/model/kv_blocks.h"

/* Takes `total` blocks of the chain and names them all. */
static void take_chain(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t total)
{
    assert_true(kv_blocks_take(blocks, lease, hashes, total, total));
    while (lease->anonymous > 0)
        kv_blocks_name(blocks, lease, &hashes[lease->named], 1);
}

static void blocks_are_taken_and_given_back(void **state)
{
    (void)state;
    struct kv_blocks *blocks = kv_blocks_new(4);
    struct kv_lease lease = {0}, other = {0};
    assert_true(kv_blocks_take(blocks, &lease, NULL, 0, 3));
    assert_int_equal(kv_blocks_unused(blocks), 1);
    assert_false(kv_blocks_take(blocks, &other, NULL, 0, 2));
    assert_int_equal(kv_blocks_unused(blocks), 1);
    assert_true(kv_blocks_extend(blocks, &lease));
    assert_false(kv_blocks_extend(blocks, &lease));
    kv_blocks_give_back(blocks, &lease);
    assert_int_equal(kv_blocks_unused(blocks), 4);
    assert_int_equal(lease.anonymous, 0);
    kv_blocks_free(blocks);
}

static void a_shared_prefix_is_held_once(void **state)
{
    (void)state;
    static const uint64_t one[] = {11, 12, 13}, two[] = {11, 12, 23};
    struct kv_blocks *blocks = kv_blocks_new(8);
    struct kv_lease first = {0}, second = {0};
    take_chain(blocks, &first, one, 3);
    assert_true(kv_blocks_take(blocks, &second, two, 3, 4));
    assert_int_equal(second.named, 2);
    assert_int_equal(second.anonymous, 2);
    assert_int_equal(kv_blocks_unused(blocks), 8 - 3 - 2);
    kv_blocks_give_back(blocks, &first);
    assert_int_equal(kv_blocks_unused(blocks), 8 - 2 - 2);
    kv_blocks_give_back(blocks, &second);
    assert_int_equal(kv_blocks_unused(blocks), 8);
    kv_blocks_free(blocks);
}

static void unused_blocks_are_found_until_they_are_needed(void **state)
{
    (void)state;
    static const uint64_t chain[] = {1, 2, 3, 4};
    struct kv_blocks *blocks = kv_blocks_new(4);
    struct kv_lease lease = {0}, other = {0};
    take_chain(blocks, &lease, chain, 4);
    kv_blocks_give_back(blocks, &lease);
    assert_true(kv_blocks_take(blocks, &other, NULL, 0, 1)); /* at the cost of the tail */
    assert_true(kv_blocks_take(blocks, &lease, chain, 4, 3));
    assert_int_equal(lease.named, 3);
    kv_blocks_give_back(blocks, &lease);
    kv_blocks_give_back(blocks, &other);
    assert_true(kv_blocks_take(blocks, &other, NULL, 0, 4));
    kv_blocks_give_back(blocks, &other);
    assert_true(kv_blocks_take(blocks, &lease, chain, 4, 4));
    assert_int_equal(lease.named, 0);
    kv_blocks_free(blocks);
}

static void what_was_used_longest_ago_goes_first(void **state)
{
    (void)state;
    static const uint64_t old[] = {1, 2}, young[] = {5, 6};
    struct kv_blocks *blocks = kv_blocks_new(4);
    struct kv_lease lease = {0}, other = {0};
    take_chain(blocks, &lease, old, 2);
    kv_blocks_give_back(blocks, &lease);
    take_chain(blocks, &lease, young, 2);
    kv_blocks_give_back(blocks, &lease);
    take_chain(blocks, &lease, old, 2); /* now the younger use */
    kv_blocks_give_back(blocks, &lease);
    assert_true(kv_blocks_take(blocks, &other, NULL, 0, 2));
    assert_true(kv_blocks_take(blocks, &lease, old, 2, 2));
    assert_int_equal(lease.named, 2);
    kv_blocks_free(blocks);
}

static void of_two_equal_blocks_the_first_is_kept(void **state)
{
    (void)state;
    static const uint64_t chain[] = {7, 8};
    struct kv_blocks *blocks = kv_blocks_new(4);
    struct kv_lease first = {0}, second = {0};
    assert_true(kv_blocks_take(blocks, &first, chain, 2, 2));
    assert_true(kv_blocks_take(blocks, &second, chain, 2, 2));
    assert_int_equal(kv_blocks_unused(blocks), 0);
    for (unsigned i = 0; i < 2; i++) {
        kv_blocks_name(blocks, &first, &chain[i], 1);
        kv_blocks_name(blocks, &second, &chain[i], 1);
    }
    assert_int_equal(first.tail, second.tail);
    assert_int_equal(kv_blocks_unused(blocks), 2);
    kv_blocks_give_back(blocks, &first);
    assert_int_equal(kv_blocks_unused(blocks), 2);
    kv_blocks_give_back(blocks, &second);
    assert_int_equal(kv_blocks_unused(blocks), 4);
    kv_blocks_free(blocks);
}

/* A plain model of the cache: every block with its users and the time of its last use. */
enum { MODEL_BLOCKS = 24, MODEL_LEASES = 6, MODEL_CHAIN = 8 };

struct model_block {
    uint64_t hash;
    unsigned users;
    uint64_t unused_since;
};

struct model {
    struct model_block blocks[MODEL_BLOCKS]; /* named ones; hash 0: none */
    unsigned anonymous;
    uint64_t clock;
};

static struct model_block *model_find(struct model *model, uint64_t hash)
{
    for (unsigned i = 0; i < MODEL_BLOCKS; i++)
        if (model->blocks[i].hash == hash)
            return &model->blocks[i];
    return NULL;
}

static unsigned model_in_use(const struct model *model)
{
    unsigned count = model->anonymous;
    for (unsigned i = 0; i < MODEL_BLOCKS; i++)
        count += model->blocks[i].hash != 0 && model->blocks[i].users > 0;
    return count;
}

static void model_make_room(struct model *model)
{
    for (;;) {
        struct model_block *oldest = NULL;
        unsigned named = 0;
        for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
            struct model_block *block = &model->blocks[i];
            named += block->hash != 0;
            if (block->hash != 0 && block->users == 0 && (oldest == NULL || block->unused_since < oldest->unused_since))
                oldest = block;
        }
        if (named + model->anonymous <= MODEL_BLOCKS)
            return;
        oldest->hash = 0;
    }
}

static unsigned model_match(struct model *model, const uint64_t *hashes, unsigned count)
{
    unsigned matched = 0;
    while (matched < count && model_find(model, hashes[matched]) != NULL)
        matched++;
    return matched;
}

static void model_use(struct model *model, const uint64_t *hashes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        model_find(model, hashes[i])->users++;
}

static void model_unuse(struct model *model, const uint64_t *hashes, unsigned count)
{
    while (count-- > 0) {
        struct model_block *block = model_find(model, hashes[count]);
        if (--block->users == 0)
            block->unused_since = ++model->clock;
    }
}

struct holder {
    struct kv_lease lease;
    uint64_t hashes[MODEL_CHAIN];
    unsigned total;
};

static void holder_take(struct kv_blocks *blocks, struct model *model, struct holder *holder,
                        struct random_state *random)
{
    uint64_t chain = random_below(random, 3) + 1;
    holder->total = (unsigned)random_below(random, MODEL_CHAIN) + 1;
    for (unsigned i = 0; i < MODEL_CHAIN; i++) /* chains share heads: each link goes one of two ways */
        holder->hashes[i] = chain = chain * 31 + random_below(random, 2) + 1;
    unsigned matched = model_match(model, holder->hashes, holder->total);
    unsigned newly = 0;
    for (unsigned i = 0; i < matched; i++)
        newly += model_find(model, holder->hashes[i])->users == 0;
    bool fits = model_in_use(model) + newly + holder->total - matched <= MODEL_BLOCKS;
    assert_int_equal(kv_blocks_take(blocks, &holder->lease, holder->hashes, MODEL_CHAIN, holder->total), fits);
    if (!fits) {
        holder->total = 0;
        return;
    }
    assert_int_equal(holder->lease.named, matched);
    model_use(model, holder->hashes, matched);
    model->anonymous += holder->total - matched;
    model_make_room(model);
}

static void model_name(struct model *model, uint64_t hash)
{
    model->anonymous--;
    struct model_block *block = model_find(model, hash);
    if (block == NULL) {
        block = model_find(model, 0);
        *block = (struct model_block){.hash = hash};
    }
    block->users++;
}

/* Some of its anonymous blocks, in one go. */
static void holder_name(struct kv_blocks *blocks, struct model *model, struct holder *holder,
                        struct random_state *random)
{
    unsigned first = holder->lease.named, count = 1 + (unsigned)random_below(random, holder->lease.anonymous);
    kv_blocks_name(blocks, &holder->lease, &holder->hashes[first], count);
    assert_int_equal(holder->lease.named, first + count);
    for (unsigned i = 0; i < count; i++)
        model_name(model, holder->hashes[first + i]);
}

static void holder_give_back(struct kv_blocks *blocks, struct model *model, struct holder *holder)
{
    model->anonymous -= holder->lease.anonymous;
    model_unuse(model, holder->hashes, holder->lease.named);
    kv_blocks_give_back(blocks, &holder->lease);
    holder->total = 0;
}

static void the_forest_does_what_a_plain_list_does(void **state)
{
    (void)state;
    struct random_state random;
    struct kv_blocks *blocks = kv_blocks_new(MODEL_BLOCKS);
    struct model model = {0};
    struct holder holders[MODEL_LEASES] = {0};
    random_seed(&random, 5);
    for (unsigned round = 0; round < 200000; round++) {
        struct holder *holder = &holders[random_below(&random, MODEL_LEASES)];
        if (holder->total == 0)
            holder_take(blocks, &model, holder, &random);
        else if (holder->lease.anonymous > 0 && random_below(&random, 3) > 0)
            holder_name(blocks, &model, holder, &random);
        else
            holder_give_back(blocks, &model, holder);
        assert_int_equal(kv_blocks_unused(blocks), MODEL_BLOCKS - model_in_use(&model));
    }
    kv_blocks_free(blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_taken_and_given_back),
        cmocka_unit_test(a_shared_prefix_is_held_once),
        cmocka_unit_test(unused_blocks_are_found_until_they_are_needed),
        cmocka_unit_test(what_was_used_longest_ago_goes_first),
        cmocka_unit_test(of_two_equal_blocks_the_first_is_kept),
        cmocka_unit_test(the_forest_does_what_a_plain_list_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
