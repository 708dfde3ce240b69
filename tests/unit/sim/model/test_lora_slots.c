/* SPDX-License-Identifier: Apache-2.0 */
/* test_lora_slots.c: which adapters are resident, and how long they take to become so. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/model/lora_slots.h"

static const struct lora_config config = {.slots = 2, .host = 3, .host_ns = 10, .disk_ns = 100};

static uint64_t ready_ns(struct lora_slots *slots, uint64_t adapter, uint64_t now_ns)
{
    struct lora_slot *slot = lora_slots_take(slots, adapter, now_ns);
    assert_non_null(slot);
    assert_true(slot->adapter == adapter);
    lora_slots_give_back(slot, now_ns);
    return slot->ready_ns;
}

static void the_first_load_is_from_disk_and_later_ones_from_the_host(void **state)
{
    (void)state;
    struct lora_slots slots;
    lora_slots_init(&slots, &config);
    assert_int_equal(ready_ns(&slots, 1, 1000), 1100);
    assert_int_equal(ready_ns(&slots, 2, 2000), 2100);
    assert_int_equal(ready_ns(&slots, 1, 3000), 1100); /* resident all the time */
    assert_int_equal(ready_ns(&slots, 3, 4000), 4100); /* in the place of 2, idle longest */
    assert_int_equal(ready_ns(&slots, 1, 5000), 1100);
    assert_int_equal(ready_ns(&slots, 2, 6000), 6010);
}

static void the_host_forgets_what_was_loaded_longest_ago(void **state)
{
    (void)state;
    struct lora_slots slots;
    lora_slots_init(&slots, &config);
    for (uint64_t adapter = 1; adapter <= 4; adapter++)
        ready_ns(&slots, adapter, adapter * 1000); /* the host has 2, 3 and 4 */
    assert_int_equal(ready_ns(&slots, 2, 5000), 5010);
    assert_int_equal(ready_ns(&slots, 1, 6000), 6100);
    assert_int_equal(ready_ns(&slots, 3, 7000), 7100); /* 1 displaced it */
}

static void slots_in_use_are_not_given_away(void **state)
{
    (void)state;
    struct lora_slots slots;
    lora_slots_init(&slots, &config);
    struct lora_slot *first = lora_slots_take(&slots, 1, 0), *second = lora_slots_take(&slots, 2, 0);
    assert_null(lora_slots_take(&slots, 3, 5));
    assert_ptr_equal(lora_slots_take(&slots, 2, 5), second);
    lora_slots_give_back(second, 6);
    assert_null(lora_slots_take(&slots, 3, 7));
    lora_slots_give_back(second, 8);
    assert_ptr_equal(lora_slots_take(&slots, 3, 9), second);
    assert_int_equal(first->users, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_load_is_from_disk_and_later_ones_from_the_host),
        cmocka_unit_test(the_host_forgets_what_was_loaded_longest_ago),
        cmocka_unit_test(slots_in_use_are_not_given_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
