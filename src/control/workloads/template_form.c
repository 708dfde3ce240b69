/* SPDX-License-Identifier: Apache-2.0 */
/* template_form.c: the common form of templates that mean the same. */
#include "control/workloads/template_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/compiler.h"
#include "kube/api/object.h"

/* What a Go struct leaves out when it is written. */
static bool is_empty(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) == 0;
    case JSON_ARRAY:
        return json_array_size(value) == 0;
    case JSON_STRING:
        return json_string_length(value) == 0;
    case JSON_INTEGER:
        return json_integer_value(value) == 0;
    case JSON_REAL:
        return false;
    case JSON_TRUE:
        return false;
    case JSON_FALSE:
    case JSON_NULL:
        return true;
    }
    return false;
}

static json_t *form_of(const json_t *value);

/* "1000m", 1 and "1" are one quantity. */
static json_t *quantity_form(const json_t *value)
{
    char text[24];
    uint64_t number = 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        number = (uint64_t)json_integer_value(value);
    else if (!json_is_string(value) || !kube_quantity(json_string_value(value), &number))
        return form_of(value);
    snprintf(text, sizeof text, "%" PRIu64, number);
    return json_string(text);
}

static json_t *quantities_form(const json_t *map)
{
    json_t *form = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        json_object_set_new(form, key, quantity_form(value));
    }
    return form;
}

static json_t *member_form(const char *key, const json_t *value)
{
    if (json_is_object(value) && (strcmp(key, "limits") == 0 || strcmp(key, "requests") == 0))
        return quantities_form(value);
    return strcmp(key, "sizeLimit") == 0 ? quantity_form(value) : form_of(value);
}

static json_t *form_of(const json_t *value)
{
    const char *key;
    json_t *member, *form;
    size_t index;
    if (json_is_array(value)) {
        form = json_array();
        json_array_foreach(value, index, member)
        {
            json_array_append_new(form, form_of(member));
        }
        return form;
    }
    if (!json_is_object(value))
        return json_incref((json_t *)(uintptr_t)value);
    form = json_object();
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        json_t *inner = member_form(key, member);
        if (is_empty(inner))
            json_decref(inner);
        else
            json_object_set_new(form, key, inner);
    }
    return form;
}

json_t *template_form(const json_t *template, const char *but_label)
{
    const json_t *metadata = json_object_get(template, "metadata");
    json_t *form = json_object();
    json_t *labels = json_copy(json_object_get(metadata, "labels"));
    json_t *annotations = json_copy(json_object_get(metadata, "annotations"));
    json_object_del(labels, but_label);
    json_object_set_new(form, "labels", labels != NULL ? labels : json_object());
    json_object_set_new(form, "annotations", annotations != NULL ? annotations : json_object());
    const json_t *spec = json_object_get(template, "spec");
    json_object_set_new(form, "spec", spec != NULL ? form_of(spec) : json_object());
    return form;
}

uint64_t template_form_hash(const json_t *form, uint64_t seed)
{
    char *text = must(json_dumps(form, JSON_SORT_KEYS | JSON_COMPACT));
    uint64_t hash = XXH3_64bits_withSeed(text, strlen(text), seed);
    free(text);
    return hash;
}
