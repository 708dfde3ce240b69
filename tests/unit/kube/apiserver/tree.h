/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h: JSON in tests of the API server: written with single quotes, looked into by a path, compared as text. */
#ifndef TESTS_UNIT_KUBE_APISERVER_TREE_H
#define TESTS_UNIT_KUBE_APISERVER_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buffer.h"

/* From a text in which ' stands for ". */
static inline json_t *tree_of(const char *text)
{
    json_error_t error;
    char *copy = strdup(text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *tree = json_loads(copy, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (tree == NULL)
        fail_msg("%s: %s", error.text, copy);
    free(copy);
    return tree;
}

/* What was written, which must be one JSON document without duplicate keys; empties the buffer. */
static inline json_t *tree_written(struct buffer *out)
{
    json_error_t error;
    json_t *tree = json_loadb(buffer_bytes(out).data, buffer_len(out), JSON_REJECT_DUPLICATES, &error);
    if (tree == NULL)
        fail_msg("%s: %.*s", error.text, (int)buffer_len(out), buffer_bytes(out).data);
    buffer_deinit(out);
    return tree;
}

/* Steps are separated by blanks: names of members (they may have dots), numbers of items. NULL when there is nothing.
 */
static inline json_t *tree_at(const json_t *tree, const char *path)
{
    while (tree != NULL && *path != '\0') {
        size_t len = strcspn(path, " ");
        char step[160];
        snprintf(step, sizeof step, "%.*s", (int)len, path);
        tree = json_is_array(tree) ? json_array_get(tree, strtoul(step, NULL, 10)) : json_object_get(tree, step);
        path += len + (path[len] == ' ');
    }
    return (json_t *)(uintptr_t)tree;
}

/* The subtree is what the text (as in tree_of) says; order of members does not count. */
static inline void expect_at(const json_t *tree, const char *path, const char *expected)
{
    json_t *found = tree_at(tree, path);
    json_t *wanted = tree_of(expected);
    if (found == NULL || !json_equal(found, wanted)) {
        char *text = found != NULL ? json_dumps(found, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        fail_msg("%s: expected %s, found %s", path, expected, text != NULL ? text : "nothing");
    }
    json_decref(wanted);
}

static inline void expect_nothing_at(const json_t *tree, const char *path)
{
    if (tree_at(tree, path) != NULL)
        fail_msg("%s: expected nothing", path);
}

/* The item of a list whose member has this text; NULL when there is none. */
static inline json_t *tree_item(const json_t *list, const char *member, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        const char *value = json_string_value(json_object_get(item, member));
        if (value != NULL && strcmp(value, text) == 0)
            return item;
    }
    return NULL;
}

#endif
