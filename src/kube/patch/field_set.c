/* SPDX-License-Identifier: Apache-2.0 */
/* field_set.c: union, difference and meeting of field sets, and how their paths are written.  Any thread; owns nothing.
 * Sets may come from clients: a node that is no object counts as an empty one, an unknown step is a step. */
#include "kube/patch/field_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_read.h"
#include "kube/patch/tree.h"

static bool is_self(const char *step)
{
    return strcmp(step, ".") == 0;
}

static bool is_leaf(json_t *node)
{
    return json_object_size(node) == 0;
}

bool field_set_has_self(json_t *node)
{
    return node != NULL && (is_leaf(node) || json_object_get(node, ".") != NULL);
}

/* A node under construction: with ".", which is dropped again when it stays alone. */
static json_t *new_node(bool has_self)
{
    json_t *node = must(json_object());
    if (has_self)
        tree_set(node, ".", must(json_object()));
    return node;
}

/* A finished node: NULL when it says nothing. */
static json_t *finish_node(json_t *node, bool has_self)
{
    if (has_self && json_object_size(node) == 1)
        json_object_clear(node);
    else if (json_object_size(node) == 0) {
        json_decref(node);
        return NULL;
    }
    return node;
}

json_t *field_set_union(json_t *a, json_t *b)
{
    if (a == NULL || b == NULL || a == b)
        return json_incref(a != NULL ? a : b);
    bool has_self = field_set_has_self(a) || field_set_has_self(b);
    json_t *result = new_node(has_self);
    const char *step;
    json_t *node;
    json_object_foreach(a, step, node)
    {
        if (!is_self(step))
            tree_set(result, step, field_set_union(node, json_object_get(b, step)));
    }
    json_object_foreach(b, step, node)
    {
        if (!is_self(step) && json_object_get(a, step) == NULL)
            tree_set(result, step, json_incref(node));
    }
    return finish_node(result, has_self);
}

json_t *field_set_subtract(json_t *set, json_t *gone)
{
    if (set == NULL || gone == NULL)
        return json_incref(set);
    if (is_leaf(gone))
        return NULL;
    bool has_self = field_set_has_self(set) && json_object_get(gone, ".") == NULL;
    json_t *result = new_node(has_self);
    const char *step;
    json_t *node;
    json_object_foreach(set, step, node)
    {
        json_t *rest = is_self(step) ? NULL : field_set_subtract(node, json_object_get(gone, step));
        if (rest != NULL)
            tree_set(result, step, rest);
    }
    return finish_node(result, has_self);
}

/* ---- paths ---- */

/* k:{"name":"a","port":1} is written [name="a",port=1]; false when it is no such JSON. */
static bool append_keys(struct buffer *out, const char *json)
{
    char error[200];
    json_t *keys = json_read(bytes_of(json), error);
    const char *name;
    json_t *value;
    bool is_first = true;
    if (!json_is_object(keys)) {
        json_decref(keys);
        return false;
    }
    json_object_foreach(keys, name, value)
    {
        char *text = must(json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));
        buffer_printf(out, "%s%s=%s", is_first ? "[" : ",", name, text);
        free(text);
        is_first = false;
    }
    buffer_append_str(out, is_first ? "[]" : "]");
    json_decref(keys);
    return true;
}

static void append_step(struct buffer *out, const char *step)
{
    if (strncmp(step, "f:", 2) == 0)
        buffer_printf(out, ".%s", step + 2);
    else if (strncmp(step, "v:", 2) == 0)
        buffer_printf(out, "[=%s]", step + 2);
    else if (strncmp(step, "k:", 2) != 0 || !append_keys(out, step + 2))
        buffer_printf(out, "[%s]", step);
}

struct meeting {
    struct buffer path;
    field_set_visit_fn visit;
    void *context;
};

static void report(struct meeting *meeting)
{
    buffer_append_char(&meeting->path, '\0');
    char *text = meeting->path.data + meeting->path.head;
    tree_make_printable(text);
    meeting->visit(meeting->context, text);
    meeting->path.tail--;
}

static void meet(struct meeting *meeting, json_t *set, json_t *changed, json_t *excepted)
{
    const char *step;
    json_t *node;
    if (is_leaf(changed) || (field_set_has_self(set) && field_set_has_self(changed))) {
        if (!field_set_has_self(excepted))
            report(meeting);
        if (is_leaf(changed))
            return;
    }
    json_object_foreach(changed, step, node)
    {
        json_t *other = is_self(step) ? NULL : json_object_get(set, step);
        if (other == NULL)
            continue;
        size_t len = buffer_len(&meeting->path);
        append_step(&meeting->path, step);
        meet(meeting, other, node, json_object_get(excepted, step));
        meeting->path.tail = meeting->path.head + len;
    }
}

void field_set_meet(json_t *set, json_t *changed, json_t *excepted, field_set_visit_fn visit, void *context)
{
    if (set == NULL || changed == NULL)
        return;
    struct meeting meeting = {.visit = visit, .context = context};
    meet(&meeting, set, changed, excepted);
    buffer_deinit(&meeting.path);
}
