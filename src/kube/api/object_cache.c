/* SPDX-License-Identifier: Apache-2.0 */
/* object_cache.c: per kind one array in order of namespace and name; looked up by halving, walked in order.
 *
 * Holds one count of each object. */
#include "kube/api/object_cache.h"

#include <stdlib.h>
#include <string.h>

struct kind_list {
    struct kube_object **objects;
    size_t len;
    size_t capacity;
};

struct object_cache {
    struct kind_list kinds[KUBE_KIND_COUNT];
};

struct object_cache *object_cache_new(void)
{
    struct object_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        abort();
    return cache;
}

void object_cache_free(struct object_cache *cache)
{
    if (cache == NULL)
        return;
    for (unsigned kind = 0; kind < KUBE_KIND_COUNT; kind++) {
        struct kind_list *list = &cache->kinds[kind];
        for (size_t i = 0; i < list->len; i++)
            kube_object_give_back(list->objects[i]);
        free(list->objects);
    }
    free(cache);
}

/* Where the object is (true), or where it would have to be (false). */
static bool find_position(const struct kind_list *list, const char *namespace_, const char *name, size_t *ret_position)
{
    size_t low = 0, high = list->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(list->objects[middle]->namespace_, namespace_);
        if (order == 0)
            order = strcmp(list->objects[middle]->name, name);
        if (order == 0) {
            *ret_position = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_position = low;
    return false;
}

static void insert_at(struct kind_list *list, size_t position, struct kube_object *object)
{
    if (list->len == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        list->objects = realloc(list->objects, list->capacity * sizeof(struct kube_object *));
        if (list->objects == NULL)
            abort();
    }
    memmove(&list->objects[position + 1], &list->objects[position],
            (list->len - position) * sizeof(struct kube_object *));
    list->objects[position] = object;
    list->len++;
}

static bool is_spec_field(const char *name)
{
    return strcmp(name, "metadata") != 0 && strcmp(name, "status") != 0;
}

/* Every field of a that belongs to the spec is the same in b. */
static bool spec_is_within(json_t *a, json_t *b)
{
    const char *name;
    json_t *value;
    json_object_foreach(a, name, value)
    {
        if (is_spec_field(name) && !json_equal(value, json_object_get(b, name)))
            return false;
    }
    return true;
}

static bool is_same_spec(const struct kube_object *a, const struct kube_object *b)
{
    return spec_is_within(a->tree, b->tree) && spec_is_within(b->tree, a->tree);
}

static bool is_same_map(const struct kube_labels *a, const struct kube_labels *b)
{
    if (a->len != b->len)
        return false;
    for (unsigned i = 0; i < a->len; i++) { /* both are sorted */
        if (strcmp(a->items[i].key, b->items[i].key) != 0 || strcmp(a->items[i].value, b->items[i].value) != 0)
            return false;
    }
    return true;
}

static enum object_change compare(const struct kube_object *older, const struct kube_object *newer)
{
    if (older == newer || json_equal(older->tree, newer->tree))
        return OBJECT_UNCHANGED;
    bool is_same = older->generation == newer->generation && strcmp(older->uid, newer->uid) == 0 &&
                   is_same_map(&older->labels, &newer->labels) &&
                   is_same_map(&older->annotations, &newer->annotations) && is_same_spec(older, newer);
    return is_same ? OBJECT_STATUS_CHANGED : OBJECT_CHANGED;
}

enum object_change object_cache_put(struct object_cache *cache, struct kube_object *object)
{
    struct kind_list *list = &cache->kinds[object->kind];
    size_t position;
    if (!find_position(list, object->namespace_, object->name, &position)) {
        insert_at(list, position, object);
        return OBJECT_ADDED;
    }
    struct kube_object *older = list->objects[position];
    enum object_change change = compare(older, object);
    /* The newer one also when they are equal: what else holds it (the store) need not keep both. */
    list->objects[position] = object;
    kube_object_give_back(older);
    return change;
}

enum object_change object_cache_remove(struct object_cache *cache, enum kube_kind kind, const char *namespace_,
                                       const char *name)
{
    struct kind_list *list = &cache->kinds[kind];
    size_t position;
    if (!find_position(list, namespace_, name, &position))
        return OBJECT_UNCHANGED;
    struct kube_object *object = list->objects[position];
    list->len--;
    memmove(&list->objects[position], &list->objects[position + 1],
            (list->len - position) * sizeof(struct kube_object *));
    kube_object_give_back(object);
    return OBJECT_REMOVED;
}

const struct kube_object *object_cache_get(const struct object_cache *cache, enum kube_kind kind,
                                           const char *namespace_, const char *name)
{
    size_t position;
    const struct kind_list *list = &cache->kinds[kind];
    return find_position(list, namespace_, name, &position) ? list->objects[position] : NULL;
}

const struct kube_object *object_cache_next(const struct object_cache *cache, enum kube_kind kind, size_t *cursor)
{
    const struct kind_list *list = &cache->kinds[kind];
    return *cursor < list->len ? list->objects[(*cursor)++] : NULL;
}

size_t object_cache_count(const struct object_cache *cache, enum kube_kind kind)
{
    return cache->kinds[kind].len;
}
