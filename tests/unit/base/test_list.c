/* SPDX-License-Identifier: Apache-2.0 */
/* test_list.c: the intrusive list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/list.h"

struct item {
    char name;
    struct list link;
};

/* The names in order. */
static const char *names_of(struct list *list, char text[8])
{
    size_t len = 0;
    LIST_FOR_EACH (node, list)
        text[len++] = LIST_ENTRY(node, struct item, link)->name;
    text[len] = '\0';
    return text;
}

static void nodes_keep_their_order(void **state)
{
    (void)state;
    struct list list;
    struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
    char text[8];
    list_init(&list);
    assert_true(list_is_empty(&list));
    list_push(&list, &a.link);
    list_push(&list, &b.link);
    list_push_front(&list, &c.link);
    assert_string_equal(names_of(&list, text), "cab");
    assert_ptr_equal(list_pop(&list), &c.link);
    assert_string_equal(names_of(&list, text), "ab");
}

static void removing_twice_is_harmless(void **state)
{
    (void)state;
    struct list list;
    struct item a = {.name = 'a'}, b = {.name = 'b'};
    char text[8];
    list_init(&list);
    list_push(&list, &a.link);
    list_push(&list, &b.link);
    list_remove(&a.link);
    list_remove(&a.link);
    assert_string_equal(names_of(&list, text), "b");
}

static void a_node_may_leave_during_the_safe_walk(void **state)
{
    (void)state;
    struct list list;
    struct item items[4] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    char text[8];
    list_init(&list);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        list_push(&list, &items[i].link);
    LIST_FOR_EACH_SAFE (node, &list) {
        if (strchr("ad", LIST_ENTRY(node, struct item, link)->name) != NULL)
            list_remove(node);
    }
    assert_string_equal(names_of(&list, text), "bc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_keep_their_order),
        cmocka_unit_test(removing_twice_is_harmless),
        cmocka_unit_test(a_node_may_leave_during_the_safe_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
