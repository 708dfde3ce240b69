/* SPDX-License-Identifier: Apache-2.0 */
/* events_view.c: renames the fields of an Event.  Pure; any thread that owns the tree. */
#include "kube/apiserver/events_view.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"

static const struct field_names {
    const char *core, *events;
} renamed[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
};

static const char *new_name(const char *name, bool to_core)
{
    for (size_t i = 0; i < ARRAY_LEN(renamed); i++) {
        if (strcmp(name, to_core ? renamed[i].events : renamed[i].core) == 0)
            return to_core ? renamed[i].core : renamed[i].events;
    }
    return name;
}

/* The members in their order under their new names. */
static json_t *rename_all(const json_t *event, const char *api_version, bool to_core)
{
    const char *name;
    json_t *value;
    if (!json_is_object(event))
        return NULL;
    json_t *view = must(json_object());
    json_object_foreach((json_t *)event, name, value)
    {
        bool is_version = strcmp(name, "apiVersion") == 0;
        json_t *copy = must(is_version ? json_string(api_version) : json_deep_copy(value));
        json_object_set_new(view, new_name(name, to_core), copy);
    }
    return view;
}

static bool is_given(const json_t *event, const char *name)
{
    return json_string_length(json_object_get(event, name)) > 0;
}

json_t *events_view_from_core(const json_t *event)
{
    json_t *view = rename_all(event, "events.k8s.io/v1", false);
    /* Old recorders name only the source; here the controller is the field that readers look at. */
    const json_t *component = json_object_get(json_object_get(event, "source"), "component");
    if (!is_given(view, "reportingController") && json_string_length(component) > 0)
        json_object_set_new(view, "reportingController", must(json_string(json_string_value(component))));
    return view;
}

json_t *events_view_to_core(const json_t *event)
{
    return rename_all(event, "v1", true);
}
