/* SPDX-License-Identifier: Apache-2.0 */
/* test_flow_queue.c: who goes next, who waits too long and who does not get in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "inference/flow/flow_queue.h"

enum { ITEMS_MAX = 64 };

struct scene {
    struct flow_limits limits;
    struct flow_queue *queue;
    struct flow_item items[ITEMS_MAX];
    unsigned count;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.limits = {.max_requests = 8, .max_bytes = 1000, .ttl_ms = 50}};
    scene.queue = flow_queue_new(&scene.limits);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    flow_queue_free(((struct scene *)*state)->queue);
    return 0;
}

static struct flow_item *make(struct scene *scene, int32_t priority, uint64_t flow)
{
    struct flow_item *item = &scene->items[scene->count++];
    *item = (struct flow_item){.priority = priority, .flow = flow, .bytes = 10};
    return item;
}

static struct flow_item *put(struct scene *scene, int32_t priority, uint64_t flow)
{
    struct flow_item *item = make(scene, priority, flow);
    assert_true(flow_queue_put(scene->queue, item, 100));
    assert_true(flow_item_is_queued(item));
    return item;
}

static void expect_order(struct scene *scene, struct flow_item *const *wanted, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct flow_item *item = flow_queue_take(scene->queue);
        assert_ptr_equal(item, wanted[i]);
        assert_false(flow_item_is_queued(item));
    }
    assert_null(flow_queue_take(scene->queue));
    assert_int_equal(flow_queue_len(scene->queue), 0);
    assert_int_equal(flow_queue_bytes(scene->queue), 0);
}

static void bands_are_strict_and_flows_take_turns(void **state)
{
    struct scene *scene = *state;
    struct flow_item *low = put(scene, -1, 1), *a1 = put(scene, 0, 1), *a2 = put(scene, 0, 1), *a3 = put(scene, 0, 1);
    struct flow_item *b1 = put(scene, 0, 2), *high = put(scene, 7, 3), *b2 = put(scene, 0, 2);
    assert_int_equal(flow_queue_len(scene->queue), 7);
    assert_int_equal(flow_queue_bytes(scene->queue), 70);
    expect_order(scene, (struct flow_item *[]){high, a1, b1, a2, b2, a3, low}, 7);
}

static void the_earliest_deadline_goes_first_and_none_last(void **state)
{
    struct scene *scene = *state;
    scene->limits.order = FLOW_DEADLINE;
    flow_queue_set_limits(scene->queue, &scene->limits);
    struct flow_item *items[4];
    static const uint64_t deadlines[] = {0, 900, 500, 900};
    for (unsigned i = 0; i < 4; i++) {
        items[i] = make(scene, 0, 1);
        items[i]->deadline_ms = deadlines[i];
        assert_true(flow_queue_put(scene->queue, items[i], 100));
    }
    expect_order(scene, (struct flow_item *[]){items[2], items[1], items[3], items[0]}, 4);
}

static void limits_are_exact_and_of_a_band(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < 8; i++)
        put(scene, 0, i);
    assert_false(flow_queue_put(scene->queue, make(scene, 0, 1), 100));
    put(scene, 1, 1); /* another band */
    flow_queue_remove(scene->queue, &scene->items[3]);
    put(scene, 0, 1);
    struct flow_item *big = make(scene, 2, 1);
    big->bytes = 1001;
    assert_false(flow_queue_put(scene->queue, big, 100));
    big->bytes = 1000;
    assert_true(flow_queue_put(scene->queue, big, 100));
    assert_false(flow_queue_put(scene->queue, make(scene, 2, 1), 100));
    assert_int_equal(flow_queue_len(scene->queue), 10);
}

static void who_waits_too_long_is_taken_out(void **state)
{
    struct scene *scene = *state;
    struct flow_item *first = put(scene, 0, 1), *second = put(scene, 3, 1);
    assert_null(flow_queue_take_expired(scene->queue, 149));
    assert_ptr_equal(flow_queue_take_expired(scene->queue, 150), first);
    assert_ptr_equal(flow_queue_take_expired(scene->queue, 150), second);
    assert_null(flow_queue_take_expired(scene->queue, 150));
    assert_int_equal(flow_queue_len(scene->queue), 0);
    flow_queue_remove(scene->queue, first); /* harmless */
}

/* Against a plain list: every item that got in comes out exactly once, the highest band first, and an item gets in
 * exactly while there is room. */
static void random_loads_lose_nobody(void **state)
{
    struct scene *scene = *state;
    struct random_state random;
    bool is_in[ITEMS_MAX] = {false};
    uint64_t put_ms[ITEMS_MAX];
    random_seed(&random, 5);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = (unsigned)random_below(&random, ITEMS_MAX);
        struct flow_item *item = &scene->items[i], *out;
        unsigned in_band = 0, len = 0;
        uint64_t band_bytes = 0;
        int32_t highest = INT32_MIN;
        for (unsigned j = 0; j < ITEMS_MAX; j++) {
            len += is_in[j];
            highest = is_in[j] && scene->items[j].priority > highest ? scene->items[j].priority : highest;
        }
        assert_int_equal(flow_queue_len(scene->queue), len);
        switch (random_below(&random, 4)) {
        case 0:
            if (is_in[i])
                break;
            *item = (struct flow_item){.priority = (int32_t)random_below(&random, 2) - 1,
                                       .flow = random_below(&random, 3),
                                       .bytes = random_below(&random, 240)};
            for (unsigned j = 0; j < ITEMS_MAX; j++) {
                bool is_beside = is_in[j] && scene->items[j].priority == item->priority;
                in_band += is_beside;
                band_bytes += is_beside ? scene->items[j].bytes : 0;
            }
            is_in[i] = flow_queue_put(scene->queue, item, round);
            put_ms[i] = round;
            assert_int_equal(is_in[i], in_band < scene->limits.max_requests &&
                                           band_bytes + item->bytes <= scene->limits.max_bytes);
            break;
        case 1:
            flow_queue_remove(scene->queue, item);
            is_in[i] = false;
            break;
        case 2:
            out = flow_queue_take(scene->queue);
            assert_true((out == NULL) == (len == 0));
            if (out != NULL) {
                assert_true(is_in[out - scene->items]);
                assert_int_equal(out->priority, highest);
                is_in[out - scene->items] = false;
            }
            break;
        default:
            while ((out = flow_queue_take_expired(scene->queue, round)) != NULL) {
                assert_true(is_in[out - scene->items] && put_ms[out - scene->items] + 50 <= round);
                is_in[out - scene->items] = false;
            }
            for (unsigned j = 0; j < ITEMS_MAX; j++)
                assert_false(is_in[j] && put_ms[j] + 50 <= round);
        }
    }
}

enum { FLOWS = 6 };

static unsigned count_flow(const struct scene *scene, uint64_t flow)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ITEMS_MAX; i++)
        count += flow_item_is_queued(&scene->items[i]) && scene->items[i].flow == flow;
    return count;
}

/* However much the first flow sends: whoever has k of its own in front waits for k + 1 turns of each flow at most. */
static void nobody_starves_within_a_band(void **state)
{
    struct scene *scene = *state;
    struct random_state random;
    unsigned ahead[ITEMS_MAX] = {0}, put_at[ITEMS_MAX] = {0}, takes = 0, longest = 0;
    scene->limits.max_requests = ITEMS_MAX;
    scene->limits.max_bytes = UINT64_MAX;
    flow_queue_set_limits(scene->queue, &scene->limits);
    random_seed(&random, 7);
    for (unsigned round = 0; round < 50000; round++) {
        unsigned i = (unsigned)random_below(&random, ITEMS_MAX);
        struct flow_item *item = &scene->items[i];
        if (random_below(&random, 3) > 0 && !flow_item_is_queued(item)) {
            *item = (struct flow_item){.flow = random_below(&random, 3) > 0 ? 0 : random_below(&random, FLOWS)};
            ahead[i] = count_flow(scene, item->flow);
            put_at[i] = takes;
            assert_true(flow_queue_put(scene->queue, item, round));
        } else if (random_below(&random, 8) == 0) {
            flow_queue_remove(scene->queue, item);
        } else if ((item = flow_queue_take(scene->queue)) != NULL) {
            unsigned waited = ++takes - put_at[item - scene->items];
            assert_true(waited <= (ahead[item - scene->items] + 1) * FLOWS);
            longest = waited > longest ? waited : longest;
        }
    }
    assert_true(takes > 10000 && longest > FLOWS);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(bands_are_strict_and_flows_take_turns),
        SCENE_TEST(the_earliest_deadline_goes_first_and_none_last),
        SCENE_TEST(limits_are_exact_and_of_a_band),
        SCENE_TEST(who_waits_too_long_is_taken_out),
        SCENE_TEST(random_loads_lose_nobody),
        SCENE_TEST(nobody_starves_within_a_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
