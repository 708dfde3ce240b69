/* SPDX-License-Identifier: Apache-2.0 */
/* strategic_plain.c: reading directives, and lists of a patch that meet nothing to merge with: taken as they are,
 * without directives and nulls.  Runs inside strategic_patch(); owns nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kube/patch/list_key.h"
#include "kube/patch/strategic_internal.h"

void *strategic_fail(struct strategic_run *run, const struct place *place, const char *format, ...)
{
    char message[TREE_ERROR_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    tree_error(run->error, place, "%s", message);
    run->has_failed = true;
    return NULL;
}

enum strategic_directive strategic_directive_of(struct strategic_run *run, const struct place *place, json_t *value)
{
    static const struct {
        const char *name;
        enum strategic_directive directive;
    } directives[] = {{"merge", DIRECTIVE_MERGE}, {"replace", DIRECTIVE_REPLACE}, {"delete", DIRECTIVE_DELETE}};

    json_t *directive = json_object_get(value, "$patch");
    if (directive == NULL)
        return DIRECTIVE_NONE;
    const char *name = json_is_string(directive) ? json_string_value(directive) : "";
    for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
        if (strcmp(directives[i].name, name) == 0)
            return directives[i].directive;
    }
    strategic_fail(run, place, "$patch must be replace, merge or delete");
    return DIRECTIVE_BAD;
}

const char *strategic_field_of(const char *name)
{
    static const char *const prefixes[] = {STRATEGIC_ORDER_PREFIX, STRATEGIC_REMOVE_PREFIX};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t len = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], len) == 0 && name[len] != '\0')
            return name + len;
    }
    return NULL;
}

bool strategic_check_member(struct strategic_run *run, const struct place *place, const char *name, json_t *value)
{
    if (strcmp(name, "$patch") == 0)
        return true;
    if (strategic_field_of(name) == NULL && strcmp(name, STRATEGIC_RETAIN_KEYS) != 0)
        strategic_fail(run, place, "unknown directive \"%.60s\"", name);
    else if (!json_is_array(value))
        strategic_fail(run, place, "%.60s must be a list", name);
    return !run->has_failed;
}

struct bytes strategic_key_try(struct strategic_run *run, const struct patch_field *field, json_t *item)
{
    if (field->merge_key[0] == '\0')
        return list_key_of_scalar(run->arena, item);
    const struct patch_key keys[PATCH_KEYS_MAX] = {{field->merge_key, NULL}};
    return list_key_of_fields(run->arena, item, keys);
}

struct bytes strategic_key(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                           json_t *item)
{
    struct bytes key = strategic_key_try(run, field, item);
    if (key.data == NULL && field->merge_key[0] == '\0')
        strategic_fail(run, place, "must be a string, a number or a boolean");
    else if (key.data == NULL)
        strategic_fail(run, place, "the merge key \"%s\" is missing", field->merge_key);
    return key;
}

/* What stays of an item; NULL also when nothing does. */
static json_t *plain_item(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                          json_t *item)
{
    bool is_merging = field != NULL && field->merge_key != NULL;
    enum strategic_directive directive = strategic_directive_of(run, place, item);
    if (directive == DIRECTIVE_DELETE && !is_merging)
        return strategic_fail(run, place, "$patch: delete has no meaning here: this list is replaced whole");
    if (directive == DIRECTIVE_BAD || directive == DIRECTIVE_REPLACE)
        return NULL;
    if (is_merging && strategic_key(run, place, field, item).data == NULL)
        return NULL;
    if (json_is_array(item))
        return strategic_plain_list(run, place, NULL, item);
    if (!json_is_object(item))
        return json_incref(item);
    return strategic_object(run, place, patch_field_type(field), NULL, item);
}

json_t *strategic_plain_list(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                             json_t *list)
{
    json_t *result = must(json_array());
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        struct place at = place_item(place, i);
        json_t *plain = plain_item(run, &at, field, item);
        if (plain != NULL)
            tree_append(result, plain);
        if (run->has_failed) {
            json_decref(result);
            return NULL;
        }
    }
    return result;
}
