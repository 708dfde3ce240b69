/* SPDX-License-Identifier: Apache-2.0 */
/* list.h: intrusive doubly linked list with a sentinel.  A linked node knows how to leave; the list owns nothing. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>

#include "base/compiler.h"

struct list {
    struct list *next;
    struct list *prev;
};

static inline void list_init(struct list *list)
{
    list->next = list->prev = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

/* At the tail. */
static inline void list_push(struct list *list, struct list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void list_push_front(struct list *list, struct list *node)
{
    list_push(list->next, node);
}

/* Leaves the node as an empty list, so that removing twice is harmless. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* From the head; the list must not be empty. */
static inline struct list *list_pop(struct list *list)
{
    struct list *node = list->next;
    list_remove(node);
    return node;
}

#define LIST_ENTRY(node, type, member) container_of(node, type, member)
#define LIST_FOR_EACH(node, head)      for (struct list *node = (head)->next; node != (head); node = node->next)
/* The node may be removed in the body. */
#define LIST_FOR_EACH_SAFE(node, head)                                                                                 \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);                                  \
         node = node##_next, node##_next = node->next)

#endif
