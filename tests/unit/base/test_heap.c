/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap.c: the intrusive min-heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/heap.h"
#include "base/random.h"

enum { NODES = 1000 };

static void nodes_come_out_in_order_of_their_keys(void **state)
{
    (void)state;
    static struct heap_node nodes[NODES];
    struct heap heap;
    struct random_state random;
    heap_init(&heap);
    random_seed(&random, 2);
    for (size_t i = 0; i < NODES; i++)
        heap_push(&heap, &nodes[i], random_below(&random, 300));
    uint64_t last = 0;
    for (size_t i = 0; i < NODES; i++) {
        struct heap_node *peeked = heap_peek(&heap);
        struct heap_node *node = heap_pop(&heap);
        assert_ptr_equal(node, peeked);
        assert_true(node->key >= last);
        assert_int_equal(node->index, 0);
        last = node->key;
    }
    assert_null(heap_peek(&heap));
    assert_null(heap_pop(&heap));
    heap_deinit(&heap);
}

static void any_node_can_leave_at_any_time(void **state)
{
    (void)state;
    static struct heap_node nodes[NODES];
    struct heap heap;
    struct random_state random;
    heap_init(&heap);
    random_seed(&random, 3);
    for (int step = 0; step < 20000; step++) {
        struct heap_node *node = &nodes[random_below(&random, NODES)];
        if (node->index == 0)
            heap_push(&heap, node, random_next(&random));
        else
            heap_remove(&heap, node);
    }
    for (size_t i = 0; i < NODES; i += 2)
        heap_remove(&heap, &nodes[i]);
    uint64_t last = 0;
    struct heap_node *node;
    while ((node = heap_pop(&heap)) != NULL) {
        assert_true(node->key >= last);
        assert_int_equal((node - nodes) % 2, 1);
        last = node->key;
    }
    heap_deinit(&heap);
}

static void removing_a_node_that_is_in_no_heap_is_harmless(void **state)
{
    (void)state;
    struct heap heap;
    struct heap_node node = {0};
    heap_init(&heap);
    heap_remove(&heap, &node);
    heap_push(&heap, &node, 1);
    heap_remove(&heap, &node);
    heap_remove(&heap, &node);
    assert_null(heap_peek(&heap));
    heap_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_out_in_order_of_their_keys),
        cmocka_unit_test(any_node_can_leave_at_any_time),
        cmocka_unit_test(removing_a_node_that_is_in_no_heap_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
