/* SPDX-License-Identifier: Apache-2.0 */
/* label_selector.c: a walk over the lines of a selector. */
#include "inference/schedule/label_selector.h"

bool endpoint_label_find(const char *labels, struct bytes key, struct bytes *ret_value)
{
    for (const char *line = labels; *line == '\n' && line[1] != '\0';) {
        const char *name = line + 1, *end = strchr(name, '\n');
        if (end == NULL)
            return false;
        if ((size_t)(end - name) > key.len && memcmp(name, key.data, key.len) == 0 && name[key.len] == '=') {
            *ret_value = bytes_make(name + key.len + 1, (size_t)(end - name) - key.len - 1);
            return true;
        }
        line = end;
    }
    return false;
}

bool endpoint_label_is_among(struct bytes value, struct bytes values)
{
    for (struct bytes rest = bytes_skip(values, values.len > 0); rest.len > 0;) {
        size_t end = bytes_find(rest, ' ');
        if (bytes_equal(bytes_make(rest.data, end), value))
            return true;
        rest = bytes_skip(rest, end < rest.len ? end + 1 : end);
    }
    return false;
}

static bool holds(struct bytes requirement, const char *labels)
{
    struct bytes text = bytes_skip(requirement, 1), value = {0};
    struct bytes key = bytes_make(text.data, bytes_find(text, ' '));
    struct bytes values = bytes_skip(text, key.len);
    bool is_there = endpoint_label_find(labels, key, &value);
    switch ((enum select_operator)requirement.data[0]) {
    case SELECT_IN:
        return is_there && endpoint_label_is_among(value, values);
    case SELECT_NOT_IN: /* as Kubernetes means it: also where the label is absent */
        return !is_there || !endpoint_label_is_among(value, values);
    case SELECT_EXISTS:
        return is_there;
    case SELECT_ABSENT:
        break;
    }
    return !is_there;
}

bool endpoint_selector_matches(const char *selector, const char *labels)
{
    for (struct bytes rest = bytes_of(selector); rest.len > 0;) {
        size_t end = bytes_find(rest, '\n');
        if (end > 0 && !holds(bytes_make(rest.data, end), labels))
            return false;
        rest = bytes_skip(rest, end < rest.len ? end + 1 : end);
    }
    return true;
}
