/* SPDX-License-Identifier: Apache-2.0 */
/* strategic_list.c: lists whose items merge by a key, or as a set of scalars.
 *
 * The order of the result: items that the patch names come in the order of $setElementOrder, without it in the order of
 * the patch; the others keep theirs.  Both are woven together by the order of the original list; an item that was not
 * there comes before what it is compared with.  So an order that was reached once is reached again.
 *
 * Two items of the original with the same key (port 53 over TCP and UDP) cannot be told apart here: the patch meets the
 * first.  That is the public behaviour.  Runs inside strategic_patch(); owns nothing. */
#include <stdint.h>
#include <stdlib.h>

#include "kube/patch/list_index.h"
#include "kube/patch/strategic_internal.h"

static const size_t nowhere = SIZE_MAX;

/* An item of the result. */
struct slot {
    json_t *value;    /* owned */
    struct bytes key; /* data NULL: an original item that has none */
    size_t original;  /* its index there, or nowhere */
    size_t rank;      /* in the order that the patch asks for, or nowhere */
};

struct list_merge {
    struct strategic_run *run;
    const struct place *place;
    const struct patch_field *field;
    struct slot *slots; /* those of the original list, then new ones */
    size_t len;
    struct list_index by_key; /* the first slot with a key */
    struct list_index ranks;  /* key -> position in the wanted order + 1, as a pointer */
};

static void add_slot(struct list_merge *merge, json_t *value, struct bytes key, size_t original)
{
    struct slot *slot = &merge->slots[merge->len++];
    *slot = (struct slot){value, key, original, nowhere};
    if (key.data != NULL)
        list_index_add(&merge->by_key, key, slot);
}

/* The patch's `$patch` items: collects the keys to delete; true when the whole list is to be replaced. */
static bool read_directives(struct list_merge *merge, json_t *patch, struct list_index *deleted)
{
    bool is_replaced = false;
    size_t i;
    json_t *item;
    json_array_foreach(patch, i, item)
    {
        struct place at = place_item(merge->place, i);
        enum strategic_directive directive = strategic_directive_of(merge->run, &at, item);
        is_replaced = is_replaced || directive == DIRECTIVE_REPLACE;
        if (directive == DIRECTIVE_DELETE) {
            struct bytes key = strategic_key(merge->run, &at, merge->field, item);
            if (key.data != NULL)
                list_index_add(deleted, key, item);
        }
        if (merge->run->has_failed)
            break;
    }
    return is_replaced;
}

/* deleted may be NULL: nothing is. */
static void load_original(struct list_merge *merge, json_t *original, const struct list_index *deleted)
{
    size_t i;
    json_t *item;
    json_array_foreach(original, i, item)
    {
        struct bytes key = strategic_key_try(merge->run, merge->field, item);
        if (deleted == NULL || list_index_get(deleted, key) == NULL)
            add_slot(merge, json_incref(item), key, i);
    }
}

/* A `$patch: delete` item does not merge; false. */
static bool is_merged(json_t *item)
{
    json_t *directive = json_object_get(item, "$patch");
    return directive == NULL || strcmp(json_string_value(directive), "merge") == 0;
}

static void merge_item(struct list_merge *merge, const struct place *place, json_t *item)
{
    struct bytes key = strategic_key(merge->run, place, merge->field, item);
    if (key.data == NULL)
        return;
    struct slot *slot = list_index_get(&merge->by_key, key);
    if (slot == NULL) {
        json_t *plain = json_is_object(item) ? strategic_object(merge->run, place, merge->field->type, NULL, item)
                                             : json_incref(item);
        if (plain != NULL)
            add_slot(merge, plain, key, nowhere);
    } else if (json_is_object(item)) {
        json_t *merged = strategic_object(merge->run, place, merge->field->type, slot->value, item);
        if (merged != NULL) {
            json_decref(slot->value);
            slot->value = merged;
        }
    }
}

static void merge_items(struct list_merge *merge, json_t *patch)
{
    size_t i;
    json_t *item;
    json_array_foreach(patch, i, item)
    {
        struct place at = place_item(merge->place, i);
        if (is_merged(item))
            merge_item(merge, &at, item);
        if (merge->run->has_failed)
            return;
    }
}

/* order is a list of keys ({"name":"a"}) or of whole items. */
static void rank_slots(struct list_merge *merge, json_t *order)
{
    size_t i;
    json_t *item;
    json_array_foreach(order, i, item)
    {
        struct place at = place_item(merge->place, i);
        struct bytes key = strategic_key(merge->run, &at, merge->field, item);
        if (key.data == NULL)
            return;
        list_index_add(&merge->ranks, key, (void *)(uintptr_t)(i + 1));
    }
    for (size_t s = 0; s < merge->len; s++) {
        struct slot *slot = &merge->slots[s];
        void *rank = list_index_get(&merge->ranks, slot->key);
        if (rank != NULL)
            slot->rank = (uintptr_t)rank - 1;
    }
}

/* What the patch merges must be in the order that it asks for. */
static void check_order(struct list_merge *merge, json_t *patch)
{
    size_t i;
    json_t *item;
    json_array_foreach(patch, i, item)
    {
        struct bytes key = strategic_key_try(merge->run, merge->field, item);
        struct place at = place_item(merge->place, i);
        if (is_merged(item) && list_index_get(&merge->ranks, key) == NULL) {
            strategic_fail(merge->run, &at, "%s%s does not list this item", STRATEGIC_ORDER_PREFIX, merge->field->name);
            return;
        }
    }
}

/* By rank; items with the same key stay as they were. */
static int by_rank(const void *a, const void *b)
{
    const struct slot *first = *(struct slot *const *)a, *second = *(struct slot *const *)b;
    if (first->rank != second->rank)
        return first->rank < second->rank ? -1 : 1;
    return first < second ? -1 : 1;
}

static json_t *weave(struct list_merge *merge)
{
    struct slot **ranked = ARENA_ARRAY(merge->run->arena, struct slot *, merge->len + 1);
    struct slot **others = ARENA_ARRAY(merge->run->arena, struct slot *, merge->len + 1);
    size_t ranked_len = 0, others_len = 0, r = 0, o = 0;
    for (size_t s = 0; s < merge->len; s++) {
        struct slot *slot = &merge->slots[s];
        if (slot->rank != nowhere)
            ranked[ranked_len++] = slot;
        else
            others[others_len++] = slot;
    }
    if (ranked_len > 1)
        qsort(ranked, ranked_len, sizeof ranked[0], by_rank);

    json_t *result = must(json_array());
    while (r < ranked_len || o < others_len) {
        bool is_other = r == ranked_len ||
                        (o < others_len && ranked[r]->original != nowhere && others[o]->original < ranked[r]->original);
        tree_append(result, json_incref((is_other ? others[o++] : ranked[r++])->value));
    }
    return result;
}

static json_t *in_order(struct list_merge *merge, json_t *patch, json_t *order)
{
    if (!merge->run->has_failed)
        rank_slots(merge, order != NULL ? order : patch);
    if (!merge->run->has_failed && order != NULL)
        check_order(merge, patch);
    return merge->run->has_failed ? NULL : weave(merge);
}

/* A list that is new: its items, twins too, in the order that the patch asks for. */
static json_t *new_list(struct list_merge *merge, json_t *patch, json_t *order)
{
    json_t *plain = strategic_plain_list(merge->run, merge->place, merge->field, patch);
    if (plain == NULL || order == NULL)
        return plain;
    load_original(merge, plain, NULL);
    json_decref(plain);
    return in_order(merge, patch, order);
}

static json_t *merge_list(struct list_merge *merge, json_t *original, json_t *patch, json_t *order,
                          struct list_index *deleted)
{
    if (original == NULL)
        return new_list(merge, patch, order);
    bool is_replaced = read_directives(merge, patch, deleted);
    if (merge->run->has_failed)
        return NULL;
    if (is_replaced)
        return new_list(merge, patch, order);
    load_original(merge, original, deleted);
    merge_items(merge, patch);
    return in_order(merge, patch, order);
}

json_t *strategic_list(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                       json_t *original, json_t *patch, json_t *order)
{
    size_t most = json_array_size(original) + json_array_size(patch);
    struct list_merge merge = {
        .run = run,
        .place = place,
        .field = field,
        .slots = ARENA_ARRAY(run->arena, struct slot, most + 1),
    };
    struct list_index deleted;
    list_index_init(&merge.by_key, run->arena, most);
    list_index_init(&merge.ranks, run->arena, json_array_size(order != NULL ? order : patch));
    list_index_init(&deleted, run->arena, json_array_size(patch));
    json_t *result = merge_list(&merge, original, patch, order, &deleted);
    list_index_deinit(&deleted);
    for (size_t s = 0; s < merge.len; s++)
        json_decref(merge.slots[s].value);
    list_index_deinit(&merge.by_key);
    list_index_deinit(&merge.ranks);
    return result;
}
