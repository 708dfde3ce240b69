/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: fields, their paths and their problems; objects, lists and what is unknown in them.  The scalar types are
 * in decode_scalar.c.  Runs on the thread of the caller, owns nothing. */
#include "kube/api/decode.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_NAME_MAX = 80, SUGGESTED_NAME_MAX = 40, SUGGESTION_DISTANCE = 2 };

struct field decode_root(struct decoder *decoder, json_t *tree)
{
    return (struct field){.decoder = decoder, .value = json_is_object(tree) ? tree : NULL};
}

static bool is_plain_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool is_plain =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '_';
        if (!is_plain)
            return false;
    }
    return *name != '\0';
}

const char *decode_shown_name(struct arena *arena, const char *name)
{
    struct bytes text = bytes_make(name, strnlen(name, SHOWN_NAME_MAX));
    char *copy = arena_strndup(arena, text);
    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    return copy;
}

static const char *path_join(struct arena *arena, const char *path, const char *name)
{
    if (!is_plain_name(name))
        return arena_printf(arena, "%s[%s]", path, decode_shown_name(arena, name));
    return arena_printf(arena, "%s%s%s", path, path[0] == '\0' ? "" : ".", decode_shown_name(arena, name));
}

static const char *field_path(const struct field *field, struct arena *arena)
{
    if (field->parent == NULL)
        return "";
    const char *parent = field_path(field->parent, arena);
    if (field->name == NULL)
        return arena_printf(arena, "%s[%zu]", parent, field->index);
    return path_join(arena, parent, field->name);
}

void field_problem(const struct field *field, const char *name, const char *reason, const char *format, ...)
{
    struct problems *problems = field->decoder->problems;
    const char *path = field_path(field, problems->arena);
    if (name != NULL)
        path = path_join(problems->arena, path, name);
    va_list args;
    va_start(args, format);
    char message[512];
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    problems_add(problems, path, reason, "%s", message);
}

static json_t *field_get(struct field *parent, const char *name)
{
    assert(parent->known_count < FIELD_KNOWN_MAX);
    parent->known[parent->known_count++] = name;
    json_t *value = parent->value != NULL ? json_object_get(parent->value, name) : NULL;
    return value == NULL || json_is_null(value) ? NULL : value;
}

bool field_has(struct field *parent, const char *name)
{
    return field_get(parent, name) != NULL;
}

/* The child field with its value, whatever type it has; reports only a required one that is missing. */
static struct field field_child(struct field *parent, const char *name, enum presence presence)
{
    struct field child = {.decoder = parent->decoder, .parent = parent, .name = name};
    child.value = field_get(parent, name);
    if (child.value == NULL && presence == REQUIRED && parent->value != NULL)
        field_problem(parent, name, "Required", "required");
    return child;
}

struct field decode_object(struct field *parent, const char *name, enum presence presence)
{
    struct field child = field_child(parent, name, presence);
    if (child.value != NULL && !json_is_object(child.value)) {
        field_problem(&child, NULL, "TypeMismatch", "must be an object");
        child.value = NULL;
    }
    return child;
}

struct field decode_list(struct field *parent, const char *name, enum presence presence, size_t min, size_t max)
{
    struct field child = field_child(parent, name, presence);
    if (child.value == NULL)
        return child;
    if (!json_is_array(child.value)) {
        field_problem(&child, NULL, "TypeMismatch", "must be a list");
        child.value = NULL;
        return child;
    }
    child.len = json_array_size(child.value);
    if (child.len < min && max == SIZE_MAX)
        field_problem(&child, NULL, "Invalid", "must have at least %zu item%s", min, min == 1 ? "" : "s");
    else if (child.len < min)
        field_problem(&child, NULL, "Invalid", "must have %zu..%zu items", min, max);
    if (child.len > max) {
        field_problem(&child, NULL, "Invalid", "must have at most %zu items", max);
        child.len = max;
    }
    return child;
}

struct field decode_item(const struct field *list, size_t index)
{
    struct field item = {.decoder = list->decoder, .parent = list, .index = index};
    item.value = json_array_get(list->value, index);
    if (!json_is_object(item.value)) {
        field_problem(&item, NULL, "TypeMismatch", "must be an object");
        item.value = NULL;
    }
    return item;
}

/* Levenshtein's distance without regard to case, for short names. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[SUGGESTED_NAME_MAX + 1];
    size_t b_len = strlen(b);
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_len; j++) {
            unsigned replaced = diagonal + (strncasecmp(&a[i], &b[j], 1) != 0);
            unsigned inserted = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < inserted ? replaced : inserted;
        }
    }
    return row[b_len];
}

/* The known name that the user may have meant, or NULL. */
static const char *nearest_known(const struct field *object, const char *name)
{
    const char *nearest = NULL;
    unsigned best = SUGGESTION_DISTANCE + 1;
    if (strlen(name) > SUGGESTED_NAME_MAX)
        return NULL;
    for (unsigned i = 0; i < object->known_count; i++) {
        if (strlen(object->known[i]) > SUGGESTED_NAME_MAX)
            continue;
        unsigned distance = edit_distance(name, object->known[i]);
        if (distance < best && distance < strlen(name)) {
            best = distance;
            nearest = object->known[i];
        }
    }
    return nearest;
}

static bool is_known(const struct field *object, const char *name)
{
    for (unsigned i = 0; i < object->known_count; i++) {
        if (strcmp(object->known[i], name) == 0)
            return true;
    }
    return false;
}

void decode_end(const struct field *object)
{
    const char *name;
    json_t *value;
    if (object->value == NULL || !object->decoder->is_strict)
        return;
    json_object_foreach(object->value, name, value)
    {
        if (is_known(object, name))
            continue;
        const char *nearest = nearest_known(object, name);
        if (nearest != NULL)
            field_problem(object, name, "UnknownField", "unknown field; did you mean \"%s\"?", nearest);
        else
            field_problem(object, name, "UnknownField", "unknown field");
    }
}

void decode_kept(struct field *parent, const char *const *names)
{
    for (; *names != NULL; names++)
        (void)field_has(parent, *names);
}

void decode_unsupported(struct field *parent, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (field_has(parent, *names))
            field_problem(parent, *names, "NotSupported", "not supported yet");
    }
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct kube_label *)a)->key, ((const struct kube_label *)b)->key);
}

bool decode_check_text(const struct field *field, const char *name, struct bytes text, const struct text_syntax *syntax)
{
    size_t max_len = 0;
    const char *complaint = syntax_complaint(syntax, text, &max_len);
    if (complaint == NULL)
        return true;
    if (complaint[0] == '\0')
        field_problem(field, name, "Invalid", "must be at most %zu characters", max_len);
    else
        field_problem(field, name, "Invalid", "%s", complaint);
    return false;
}

static struct kube_labels decode_map(struct field *map, const struct text_syntax *value_syntax)
{
    struct kube_labels labels = {NULL, 0};
    const char *key;
    json_t *value;
    if (map->value == NULL)
        return labels;
    labels.items = ARENA_ARRAY(map->decoder->arena, struct kube_label, json_object_size(map->value));
    json_object_foreach(map->value, key, value)
    {
        (void)decode_check_text(map, key, bytes_of(key), &syntax_label_key);
        if (!json_is_string(value)) {
            field_problem(map, key, "TypeMismatch", "must be a string; put it in quotes");
            continue;
        }
        (void)decode_check_text(map, key, bytes_make(json_string_value(value), json_string_length(value)),
                                value_syntax);
        labels.items[labels.len++] = (struct kube_label){key, json_string_value(value)};
    }
    if (labels.len > 1)
        qsort(labels.items, labels.len, sizeof labels.items[0], by_key);
    return labels;
}

struct kube_labels decode_labels(struct field *parent, const char *name, enum presence presence, size_t min, size_t max)
{
    struct field map = decode_object(parent, name, presence);
    struct kube_labels labels = decode_map(&map, &syntax_label_value);
    if (map.value != NULL && (json_object_size(map.value) < min || json_object_size(map.value) > max)) {
        if (max == SIZE_MAX)
            field_problem(&map, NULL, "Invalid", "must have at least %zu label%s", min, min == 1 ? "" : "s");
        else
            field_problem(&map, NULL, "Invalid", "must have %zu..%zu labels", min, max);
    }
    return labels;
}

struct kube_labels decode_annotations(struct field *parent, const char *name)
{
    enum { ANNOTATIONS_MAX_BYTES = 256 * 1024 };
    struct field map = decode_object(parent, name, OPTIONAL);
    struct kube_labels annotations = decode_map(&map, &syntax_any);
    size_t size = 0;
    for (unsigned i = 0; i < annotations.len; i++)
        size += strlen(annotations.items[i].key) + strlen(annotations.items[i].value);
    if (size > ANNOTATIONS_MAX_BYTES)
        field_problem(&map, NULL, "Invalid", "must be at most %d bytes in total", ANNOTATIONS_MAX_BYTES);
    return annotations;
}

static void decode_selector_term(struct field *item, struct label_selector_term *term)
{
    static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
    term->key = decode_text(item, "key", REQUIRED, &syntax_label_key);
    int op = decode_enum(item, "operator", REQUIRED, operators, -1);
    term->values = decode_texts(item, "values", SIZE_MAX, &syntax_label_value, &term->value_count);
    if (op == SELECTOR_IN || op == SELECTOR_NOT_IN) {
        if (term->value_count == 0)
            field_problem(item, "values", "Required", "required with operator %s", operators[op]);
    } else if (op >= 0 && term->value_count > 0) {
        field_problem(item, "values", "Invalid", "must be empty with operator %s", operators[op]);
    }
    term->op = op < 0 ? SELECTOR_EXISTS : (unsigned)op;
    decode_end(item);
}

struct label_selector decode_selector(struct field *parent, const char *name, enum presence presence)
{
    struct field object = decode_object(parent, name, presence);
    struct arena *arena = parent->decoder->arena;
    struct label_selector selector = {NULL, 0};
    struct kube_labels labels = decode_labels(&object, "matchLabels", OPTIONAL, 0, SIZE_MAX);
    struct field list = decode_list(&object, "matchExpressions", OPTIONAL, 0, SIZE_MAX);
    selector.terms = ARENA_ARRAY(arena, struct label_selector_term, labels.len + list.len);
    for (unsigned i = 0; i < labels.len; i++) {
        struct label_selector_term *term = &selector.terms[selector.len++];
        const char **values = ARENA_ARRAY(arena, const char *, 2);
        values[0] = labels.items[i].value;
        *term = (struct label_selector_term){.key = labels.items[i].key, .op = SELECTOR_IN, values, 1};
    }
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_selector_term(&item, &selector.terms[selector.len++]);
    }
    decode_end(&object);
    return selector;
}
