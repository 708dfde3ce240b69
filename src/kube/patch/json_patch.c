/* SPDX-License-Identifier: Apache-2.0 */
/* json_patch.c: RFC 6902 on a deep copy that the operations change in place.
 *
 * What an operation costs is bounded by its own text, but for what copy and move touch and for the items of a list that
 * make room: these have budgets.  Depth is looked at before anything is put deeper, so recursion stays bounded.  Any
 * thread; owns nothing.  Paths are JSON pointers (RFC 6901); no negative indices. */
#include "kube/patch/json_patch.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_tree.h"
#include "kube/patch/tree.h"

/* One run over a document. */
struct patching {
    json_t *root; /* owned; changes in place */
    struct arena *arena;
    size_t copied;  /* of JSON_PATCH_MAX_COPIED */
    size_t shifted; /* of JSON_PATCH_MAX_SHIFTED */
    char *error;
    size_t number; /* of the operation, from 1 */
    const char *op;
    const char *path;
};

static bool fail(const struct patching *patching, const char *format, ...) PRINTF_LIKE(2, 3);

static bool fail(const struct patching *patching, const char *format, ...)
{
    int used = snprintf(patching->error, TREE_ERROR_SIZE, "operation %zu (%.20s \"%.140s\"): ", patching->number,
                        patching->op, patching->path);
    va_list args;
    va_start(args, format);
    vsnprintf(patching->error + used, TREE_ERROR_SIZE - (size_t)used, format, args);
    va_end(args);
    tree_make_printable(patching->error);
    return false;
}

/* ---- JSON pointers ---- */

/* Where a pointer leads: a place in a container, which need not be taken. */
struct target {
    json_t *container; /* NULL: the pointer is "", the whole document */
    const char *name;  /* the last token, unescaped */
    size_t index;      /* in a list; its size for "-" */
    json_t *value;     /* what is there now; NULL: nothing */
};

/* "~1" is a slash, "~0" a tilde.  false on any other tilde. */
static bool unescape(char *token)
{
    char *out = token;
    for (const char *in = token; *in != '\0'; in++, out++) {
        if (*in != '~') {
            *out = *in;
            continue;
        }
        in++;
        if (*in != '0' && *in != '1')
            return false;
        *out = *in == '0' ? '~' : '/';
    }
    *out = '\0';
    return true;
}

/* Decimal digits without leading zeros, or "-" for the place after the last item. */
static bool parse_index(const char *token, size_t size, size_t *ret_index)
{
    unsigned long long value;
    if (strcmp(token, "-") == 0) {
        *ret_index = size;
        return true;
    }
    if ((token[0] == '0' && token[1] != '\0') || !bytes_to_u64(bytes_of(token), SIZE_MAX, &value))
        return false;
    *ret_index = (size_t)value;
    return true;
}

/* One token further from container. */
static bool step(const struct patching *patching, json_t *container, const char *token, struct target *ret_target)
{
    *ret_target = (struct target){.container = container, .name = token};
    if (json_is_object(container)) {
        ret_target->value = json_object_get(container, token);
        return true;
    }
    if (!json_is_array(container))
        return fail(patching, "\"%.60s\" is looked for in something that is neither an object nor a list", token);
    if (!parse_index(token, json_array_size(container), &ret_target->index))
        return fail(patching, "\"%.60s\" is no index of a list", token);
    ret_target->value = json_array_get(container, ret_target->index);
    return true;
}

static bool resolve(const struct patching *patching, const char *pointer, struct target *ret_target)
{
    *ret_target = (struct target){.value = patching->root};
    if (pointer[0] == '\0')
        return true;
    if (pointer[0] != '/')
        return fail(patching, "\"%.60s\" does not start with a slash", pointer);
    char *rest = arena_strdup(patching->arena, pointer + 1);
    for (char *token; (token = strsep(&rest, "/")) != NULL;) {
        if (ret_target->value == NULL)
            return fail(patching, "there is no \"%.60s\"", ret_target->name);
        if (!unescape(token))
            return fail(patching, "\"%.60s\": a tilde is written ~0, a slash ~1", pointer);
        if (!step(patching, ret_target->value, token, ret_target))
            return false;
    }
    return true;
}

static bool resolve_existing(const struct patching *patching, const char *pointer, struct target *ret_target)
{
    if (!resolve(patching, pointer, ret_target))
        return false;
    if (ret_target->value == NULL)
        return fail(patching, "there is no \"%.60s\"", ret_target->name);
    return true;
}

/* ---- budgets ---- */

/* About the bytes of its text; counting stops beyond limit. */
static size_t text_size(json_t *value, size_t limit)
{
    size_t size = 8, i;
    const char *key;
    json_t *child;
    if (json_is_string(value))
        return size + json_string_length(value);
    if (size > limit)
        return size;
    json_object_foreach(value, key, child)
    {
        size += strlen(key);
        if (size <= limit)
            size += text_size(child, limit - size);
        if (size > limit)
            return size;
    }
    json_array_foreach(value, i, child)
    {
        size += text_size(child, limit - size);
        if (size > limit)
            return size;
    }
    return size;
}

static bool charge_copy(struct patching *patching, json_t *value)
{
    patching->copied += text_size(value, JSON_PATCH_MAX_COPIED - patching->copied);
    if (patching->copied > JSON_PATCH_MAX_COPIED)
        return fail(patching, "the patch copies and moves more than %d bytes", JSON_PATCH_MAX_COPIED);
    return true;
}

static bool charge_shift(struct patching *patching, const struct target *target)
{
    patching->shifted += json_array_size(target->container) - target->index;
    if (patching->shifted > JSON_PATCH_MAX_SHIFTED)
        return fail(patching, "the patch shifts more than %d list items", JSON_PATCH_MAX_SHIFTED);
    return true;
}

/* A value may be put where the operation's path leads: the tree does not get too deep. */
static bool check_depth(const struct patching *patching, json_t *value)
{
    unsigned levels = 0;
    for (const char *c = patching->path; *c != '\0' && levels <= JSON_PATCH_MAX_DEPTH; c++)
        levels += *c == '/';
    if (levels > JSON_PATCH_MAX_DEPTH || tree_is_deeper(value, JSON_PATCH_MAX_DEPTH - levels))
        return fail(patching, "the result is nested deeper than %d levels", JSON_PATCH_MAX_DEPTH);
    return true;
}

/* ---- the operations ---- */

/* RFC 6902 4.6: numbers are equal when their values are, whatever their text. */
static bool is_same(json_t *a, json_t *b)
{
    const char *key;
    size_t i;
    json_t *child;
    if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
        return json_number_value(a) == json_number_value(b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a)) {
        bool is_equal = json_object_size(a) == json_object_size(b);
        json_object_foreach(a, key, child)
        {
            json_t *other = is_equal ? json_object_get(b, key) : NULL;
            if (other == NULL || !is_same(child, other))
                return false;
        }
        return is_equal;
    }
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        json_array_foreach(a, i, child)
        {
            if (!is_same(child, json_array_get(b, i)))
                return false;
        }
        return true;
    }
    return json_equal(a, b) != 0;
}

static void put_root(struct patching *patching, json_t *value)
{
    json_decref(patching->root);
    patching->root = value;
}

/* Takes over value, also on failure. */
static bool add_at(struct patching *patching, const struct target *target, json_t *value)
{
    must(value);
    if (target->container == NULL) {
        put_root(patching, value);
        return true;
    }
    if (json_is_object(target->container)) {
        tree_set(target->container, target->name, value);
        return true;
    }
    size_t size = json_array_size(target->container);
    bool is_fitting = target->index <= size ? charge_shift(patching, target)
                                            : fail(patching, "%.20s is beyond the end of the list", target->name);
    if (!is_fitting) {
        json_decref(value);
        return false;
    }
    tree_insert(target->container, target->index, value);
    return true;
}

static bool remove_at(struct patching *patching, const struct target *target)
{
    if (target->container == NULL)
        return fail(patching, "the whole document cannot be removed");
    if (json_is_object(target->container))
        json_object_del(target->container, target->name);
    else if (charge_shift(patching, target))
        json_array_remove(target->container, target->index);
    else
        return false;
    return true;
}

/* The operation's value; NULL when it has none or one that does not fit. */
static json_t *operand(const struct patching *patching, json_t *operation)
{
    json_t *value = json_object_get(operation, "value");
    if (value == NULL)
        fail(patching, "\"value\" is missing");
    return value != NULL && check_depth(patching, value) ? value : NULL;
}

static bool run_add(struct patching *patching, json_t *operation)
{
    struct target target;
    json_t *value = operand(patching, operation);
    return value != NULL && resolve(patching, patching->path, &target) &&
           add_at(patching, &target, json_deep_copy(value));
}

static bool run_remove(struct patching *patching, json_t *operation)
{
    struct target target;
    (void)operation;
    return resolve_existing(patching, patching->path, &target) && remove_at(patching, &target);
}

/* A member that is missing is added, as the API server does: values may be defaults that were never stored. */
static bool run_replace(struct patching *patching, json_t *operation)
{
    struct target target;
    json_t *value = operand(patching, operation);
    if (value == NULL || !resolve(patching, patching->path, &target))
        return false;
    if (!json_is_array(target.container))
        return add_at(patching, &target, json_deep_copy(value));
    if (target.value == NULL)
        return fail(patching, "there is no \"%.60s\"", target.name);
    (void)json_array_set_new(target.container, target.index, must(json_deep_copy(value)));
    return true;
}

static const char *source_pointer(const struct patching *patching, json_t *operation)
{
    const char *from = json_string_value(json_object_get(operation, "from"));
    if (from == NULL)
        fail(patching, "\"from\" is missing or no string");
    return from;
}

static bool run_move(struct patching *patching, json_t *operation)
{
    struct target target;
    const char *from = source_pointer(patching, operation);
    if (from == NULL || !resolve_existing(patching, from, &target))
        return false;
    if (strcmp(from, patching->path) == 0)
        return true;
    if (!charge_copy(patching, target.value) || !check_depth(patching, target.value))
        return false;
    size_t len = strlen(from);
    if (strncmp(from, patching->path, len) == 0 && patching->path[len] == '/')
        return fail(patching, "\"%.60s\" cannot be moved into itself", from);
    json_t *value = json_incref(target.value);
    if (!remove_at(patching, &target) || !resolve(patching, patching->path, &target)) {
        json_decref(value);
        return false;
    }
    return add_at(patching, &target, value);
}

static bool run_copy(struct patching *patching, json_t *operation)
{
    struct target source, target;
    const char *from = source_pointer(patching, operation);
    if (from == NULL || !resolve_existing(patching, from, &source))
        return false;
    if (!charge_copy(patching, source.value) || !check_depth(patching, source.value))
        return false;
    return resolve(patching, patching->path, &target) && add_at(patching, &target, json_deep_copy(source.value));
}

static bool run_test(struct patching *patching, json_t *operation)
{
    struct target target;
    json_t *value = operand(patching, operation);
    if (value == NULL || !resolve_existing(patching, patching->path, &target))
        return false;
    return is_same(target.value, value) || fail(patching, "the test failed: the value is another");
}

static const struct {
    const char *op;
    bool (*run)(struct patching *patching, json_t *operation);
} operations[] = {
    {"add", run_add},   {"remove", run_remove}, {"replace", run_replace},
    {"move", run_move}, {"copy", run_copy},     {"test", run_test},
};

static bool run(struct patching *patching, json_t *operation)
{
    const char *op = json_string_value(json_object_get(operation, "op"));
    const char *path = json_string_value(json_object_get(operation, "path"));
    patching->op = op != NULL ? op : "?";
    patching->path = path != NULL ? path : "?";
    if (!json_is_object(operation))
        return fail(patching, "an operation is an object");
    if (op == NULL || path == NULL)
        return fail(patching, "\"%s\" is missing or no string", op == NULL ? "op" : "path");
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        if (strcmp(operations[i].op, op) == 0)
            return operations[i].run(patching, operation);
    }
    return fail(patching, "\"op\" must be add, remove, replace, move, copy or test");
}

static bool run_all(struct patching *patching, json_t *patch)
{
    json_t *operation;
    size_t i;
    json_array_foreach(patch, i, operation)
    {
        patching->number = i + 1;
        if (!run(patching, operation))
            return false;
        arena_reset(patching->arena);
    }
    return true;
}

json_t *json_patch(json_t *target, json_t *patch, char error[300])
{
    if (!json_is_array(patch)) {
        snprintf(error, TREE_ERROR_SIZE, "a JSON patch is a list of operations");
        return NULL;
    }
    if (json_array_size(patch) > JSON_PATCH_MAX_OPERATIONS) {
        snprintf(error, TREE_ERROR_SIZE, "a JSON patch has at most %d operations", JSON_PATCH_MAX_OPERATIONS);
        return NULL;
    }
    struct patching patching = {.root = must(json_deep_copy(target)), .arena = arena_new(0), .error = error};
    bool is_done = run_all(&patching, patch);
    arena_free(patching.arena);
    if (is_done)
        return patching.root;
    json_decref(patching.root);
    return NULL;
}
