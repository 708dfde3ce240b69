/* SPDX-License-Identifier: Apache-2.0 */
/* managed_entries.c: reading, changing and writing the entries of managedFields.
 *
 * An entry that nothing happened to is written as it was read, and entries keep their places, so a write that changes
 * nothing yields an equal list.  Any thread; owns nothing. */
#include "kube/patch/managed_entries.h"

#include <string.h>

#include "kube/patch/field_set.h"
#include "kube/patch/tree.h"

/* Where Update entries go that are too many. */
static const char ancient_manager[] = "ancient-changes";

static const char *text_of(json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));
    return text != NULL ? text : "";
}

static bool read_entry(struct managed_entry *entry, json_t *source)
{
    const char *operation = text_of(source, "operation");
    json_t *fields = json_object_get(source, "fieldsV1");
    *entry = (struct managed_entry){
        .manager = text_of(source, "manager"),
        .is_apply = strcmp(operation, "Apply") == 0,
        .api_version = text_of(source, "apiVersion"),
        .time = text_of(source, "time"),
        .subresource = text_of(source, "subresource"),
        .source = source,
    };
    if (!(entry->is_apply || strcmp(operation, "Update") == 0) ||
        strcmp(text_of(source, "fieldsType"), "FieldsV1") != 0)
        return false;
    if (!json_is_object(fields))
        return false;
    entry->fields = json_object_size(fields) > 0 ? json_incref(fields) : NULL;
    return true;
}

bool managed_entries_read(struct managed_entries *entries, struct arena *arena, json_t *list)
{
    size_t i;
    json_t *source;
    entries->items = ARENA_ARRAY(arena, struct managed_entry, MANAGED_FIELDS_MAX + 1);
    entries->len = 0;
    bool is_valid = json_is_array(list) && json_array_size(list) <= MANAGED_FIELDS_MAX;
    for (i = 0; is_valid && i < json_array_size(list); i++) {
        source = json_array_get(list, i);
        is_valid = read_entry(&entries->items[i], source);
        entries->len += is_valid;
    }
    if (!is_valid)
        managed_entries_deinit(entries);
    return is_valid;
}

void managed_entries_deinit(struct managed_entries *entries)
{
    for (size_t i = 0; i < entries->len; i++)
        json_decref(entries->items[i].fields);
    entries->len = 0;
}

static const char *subresource_of(const struct apply_request *request)
{
    return request->subresource != NULL ? request->subresource : "";
}

struct managed_entry *managed_entries_find(const struct managed_entries *entries, const struct apply_request *request,
                                           bool is_apply)
{
    for (size_t i = 0; i < entries->len; i++) {
        struct managed_entry *entry = &entries->items[i];
        if (entry->is_apply == is_apply && strcmp(entry->manager, request->manager) == 0 &&
            strcmp(entry->subresource, subresource_of(request)) == 0 &&
            (is_apply || strcmp(entry->api_version, request->api_version) == 0))
            return entry;
    }
    return NULL;
}

struct managed_entry *managed_entries_add(struct managed_entries *entries, const struct apply_request *request,
                                          bool is_apply)
{
    struct managed_entry *entry = &entries->items[entries->len++];
    *entry = (struct managed_entry){
        .manager = request->manager,
        .is_apply = is_apply,
        .api_version = request->api_version,
        .time = request->time,
        .subresource = subresource_of(request),
    };
    return entry;
}

void managed_entry_set_fields(struct managed_entry *entry, json_t *fields)
{
    bool is_same =
        fields == entry->fields || (fields != NULL && entry->fields != NULL && json_equal(fields, entry->fields));
    if (is_same) {
        json_decref(fields);
        return;
    }
    json_decref(entry->fields);
    entry->fields = fields;
    entry->source = NULL;
}

void managed_entry_stamp(struct managed_entry *entry, const struct apply_request *request)
{
    entry->api_version = request->api_version;
    entry->time = request->time;
    entry->source = NULL;
}

/* ---- limits ---- */

static void remove_entry(struct managed_entries *entries, struct managed_entry *entry)
{
    json_decref(entry->fields);
    entries->len--;
    size_t after = (size_t)(&entries->items[entries->len] - entry);
    memmove(entry, entry + 1, after * sizeof *entry);
}

/* Of the Update entries that are not ancient already; RFC 3339 in UTC compares as text.  NULL: there is none. */
static struct managed_entry *oldest_update(const struct managed_entries *entries)
{
    struct managed_entry *oldest = NULL;
    for (size_t i = 0; i < entries->len; i++) {
        struct managed_entry *entry = &entries->items[i];
        if (entry->is_apply || strcmp(entry->manager, ancient_manager) == 0)
            continue;
        if (oldest == NULL || strcmp(entry->time, oldest->time) < 0)
            oldest = entry;
    }
    return oldest;
}

static struct managed_entry *find_ancient(const struct managed_entries *entries, const char *subresource)
{
    for (size_t i = 0; i < entries->len; i++) {
        struct managed_entry *entry = &entries->items[i];
        if (!entry->is_apply && strcmp(entry->manager, ancient_manager) == 0 &&
            strcmp(entry->subresource, subresource) == 0)
            return entry;
    }
    return NULL;
}

static void make_ancient(struct managed_entries *entries, struct managed_entry *entry)
{
    struct managed_entry *ancient = find_ancient(entries, entry->subresource);
    if (ancient == NULL) {
        entry->manager = ancient_manager;
        entry->source = NULL;
        return;
    }
    managed_entry_set_fields(ancient, field_set_union(ancient->fields, entry->fields));
    ancient->api_version = entry->api_version;
    ancient->time = entry->time;
    ancient->source = NULL;
    remove_entry(entries, entry);
}

/* The last Update entry; NULL: there is none. */
static struct managed_entry *last_update(const struct managed_entries *entries)
{
    for (size_t i = entries->len; i > 0; i--) {
        if (!entries->items[i - 1].is_apply)
            return &entries->items[i - 1];
    }
    return NULL;
}

bool managed_entries_trim(struct managed_entries *entries)
{
    for (size_t i = entries->len; i > 0; i--) {
        if (entries->items[i - 1].fields == NULL)
            remove_entry(entries, &entries->items[i - 1]);
    }
    while (entries->len > MANAGED_FIELDS_MAX) {
        struct managed_entry *oldest = oldest_update(entries), *last = last_update(entries);
        if (last == NULL)
            return false;
        if (oldest != NULL)
            make_ancient(entries, oldest);
        else
            remove_entry(entries, last); /* nearly all are Apply entries: these fields are nobody's from now on */
    }
    return true;
}

/* ---- writing ---- */

/* A text that is no UTF-8 cannot be written: callers are asked not to pass one. */
static json_t *text_tree(const char *text)
{
    json_t *tree = json_string(text);
    return tree != NULL ? tree : must(json_string("unknown"));
}

static json_t *entry_tree(const struct managed_entry *entry)
{
    if (entry->source != NULL)
        return json_incref(entry->source);
    json_t *tree = must(json_object());
    tree_set(tree, "manager", text_tree(entry->manager));
    tree_set(tree, "operation", text_tree(entry->is_apply ? "Apply" : "Update"));
    tree_set(tree, "apiVersion", text_tree(entry->api_version));
    if (entry->time[0] != '\0')
        tree_set(tree, "time", text_tree(entry->time));
    tree_set(tree, "fieldsType", text_tree("FieldsV1"));
    tree_set(tree, "fieldsV1", json_incref(entry->fields));
    if (entry->subresource[0] != '\0')
        tree_set(tree, "subresource", text_tree(entry->subresource));
    return tree;
}

json_t *managed_entries_write(const struct managed_entries *entries, json_t *object)
{
    json_t *list = must(json_array());
    for (size_t i = 0; i < entries->len; i++)
        tree_append(list, entry_tree(&entries->items[i]));
    json_t *present = json_object_get(json_object_get(object, "metadata"), "managedFields");
    bool is_empty = entries->len == 0;
    if (is_empty ? present == NULL : json_equal(present, list) != 0) {
        json_decref(list);
        return json_incref(object);
    }
    json_t *result = must(json_copy(object));
    if (!json_is_object(json_object_get(result, "metadata")))
        tree_set(result, "metadata", must(json_object()));
    else
        tree_own_metadata(result);
    json_t *metadata = json_object_get(result, "metadata");
    if (is_empty)
        json_object_del(metadata, "managedFields");
    else
        tree_set(metadata, "managedFields", json_incref(list));
    json_decref(list);
    return result;
}
