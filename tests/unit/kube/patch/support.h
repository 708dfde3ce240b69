/* SPDX-License-Identifier: Apache-2.0 */
/* support.h: trees written as JSON with single quotes, and how they are compared. */
#ifndef TESTS_UNIT_KUBE_PATCH_SUPPORT_H
#define TESTS_UNIT_KUBE_PATCH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

/* A new tree; any JSON value, ' for ". */
static inline json_t *tree_of(const char *text)
{
    char *copy = must(strdup(text));
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_error_t error;
    json_t *tree = json_loads(copy, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (tree == NULL)
        fail_msg("%s: %s", error.text, copy);
    free(copy);
    return tree;
}

static inline void assert_equal_trees(json_t *actual, json_t *expected)
{
    if (json_equal(actual, expected))
        return;
    char *actual_text = json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT);
    char *expected_text = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
    fail_msg("\n  is     %s\n  not    %s", actual_text, expected_text);
}

static inline void assert_tree(json_t *actual, const char *expected_text)
{
    json_t *expected = tree_of(expected_text);
    assert_equal_trees(actual, expected);
    json_decref(expected);
}

/* A tree and a copy of it from before, to see whether it was touched. */
struct guarded {
    json_t *tree;
    json_t *copy;
};

static inline struct guarded guard(const char *text)
{
    json_t *tree = tree_of(text);
    return (struct guarded){tree, json_deep_copy(tree)};
}

static inline void unguard(struct guarded *guarded)
{
    assert_equal_trees(guarded->tree, guarded->copy);
    json_decref(guarded->tree);
    json_decref(guarded->copy);
}

#endif
