/* SPDX-License-Identifier: Apache-2.0 */
/* target.c: finds the list of arms, its rule, the two arms in it; makes the next list. */
#include "control/canaries/target.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json_tree.h"

/* Where a kind keeps its arms. */
struct shape {
    enum kube_kind kind;
    const char *rules; /* in spec; NULL: the arms stand in spec itself */
    const char *arms;
    const char *name;
    bool has_zero; /* a weight of 0 may be written; otherwise that arm is absent */
};

static const struct shape shapes[] = {
    {KUBE_HTTP_ROUTE, "rules", "backendRefs", "name", true},
    {KUBE_INFERENCE_MODEL, NULL, "targetModels", "name", false},
    {KUBE_MODEL_REWRITE, "rules", "targets", "modelRewrite", false},
    {KUBE_MODEL_REWRITE_X, "rules", "targets", "modelRewrite", false},
};

/* NULL for kinds that are no targets. */
static const struct shape *find_shape(enum kube_kind kind)
{
    for (unsigned i = 0; i < ARRAY_LEN(shapes); i++) {
        if (shapes[i].kind == kind)
            return &shapes[i];
    }
    return NULL;
}

static const struct shape *shape_of(enum kube_kind kind)
{
    return must((void *)(uintptr_t)find_shape(kind)); /* the decoder of Canary takes no other kinds */
}

static void set_problem(struct target_view *view, const char *format, ...) PRINTF_LIKE(2, 3);
static void set_problem(struct target_view *view, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(view->problem, sizeof view->problem, format, args);
    va_end(args);
}

/* Reading. */

/* A pool's name may be told in the tree of an object without a list of arms: the arm is then the model itself. */
static const char *implied_arm(const struct shape *shape, const json_t *spec, const json_t *arms)
{
    return shape->kind == KUBE_INFERENCE_MODEL && json_array_size(arms) == 0 ? tree_member_text(spec, "modelName") : "";
}

static json_t *arms_of(const struct shape *shape, const json_t *spec, size_t rule)
{
    const json_t *owner = shape->rules != NULL ? json_array_get(json_object_get(spec, shape->rules), rule) : spec;
    return json_object_get(owner, shape->arms);
}

static json_t *find_arm(const struct shape *shape, const json_t *arms, const char *name)
{
    for (size_t i = 0; i < json_array_size(arms); i++) {
        json_t *arm = json_array_get(arms, i);
        if (strcmp(tree_member_text(arm, shape->name), name) == 0)
            return arm;
    }
    return NULL;
}

/* A weight that is not given is 1, as all of a list. */
static uint64_t weight_of(const json_t *arm)
{
    const json_t *weight = json_object_get(arm, "weight");
    return arm == NULL ? 0 : weight == NULL ? 1 : (uint64_t)json_integer_value(weight);
}

static bool rule_is(const json_t *rule, size_t index, const char *wanted)
{
    char number[24];
    snprintf(number, sizeof number, "%zu", index);
    return strcmp(tree_member_text(rule, "name"), wanted) == 0 || strcmp(number, wanted) == 0;
}

static bool find_rule(const struct shape *shape, const json_t *spec, const struct target_wish *wish,
                      struct target_view *view)
{
    const json_t *rules = shape->rules != NULL ? json_object_get(spec, shape->rules) : NULL;
    size_t count = json_array_size(rules);
    view->rule = 0;
    if (shape->rules == NULL)
        return true;
    for (size_t i = 0; i < count && wish->rule[0] != '\0'; i++) {
        view->rule = i;
        if (rule_is(json_array_get(rules, i), i, wish->rule))
            return true;
    }
    if (wish->rule[0] != '\0') {
        set_problem(view, "it has no rule \"%s\"", wish->rule);
        return false;
    }
    if (count != 1)
        set_problem(view, "it has %zu rules: spec.targetRef.rule must say which", count);
    return count == 1;
}

static bool find_stable(const struct shape *shape, const json_t *spec, const json_t *arms,
                        const struct target_wish *wish, struct target_view *view)
{
    const char *stable = wish->stable[0] != '\0' ? wish->stable : wish->known_stable;
    unsigned others = 0;
    for (size_t i = 0; i < json_array_size(arms); i++) {
        const char *name = tree_member_text(json_array_get(arms, i), shape->name);
        if (strcmp(name, wish->canary) == 0 || (stable[0] != '\0' && strcmp(name, stable) == 0))
            continue;
        others += weight_of(json_array_get(arms, i)) > 0 || stable[0] == '\0';
        if (wish->stable[0] == '\0' && wish->known_stable[0] == '\0')
            stable = name;
    }
    if (stable[0] == '\0')
        stable = implied_arm(shape, spec, arms);
    bool is_clear = stable[0] != '\0' && others <= (wish->stable[0] == '\0' && wish->known_stable[0] == '\0');
    if (stable[0] == '\0')
        set_problem(view, "it has no arm beside \"%s\": spec.stable must name one", wish->canary);
    else if (!is_clear)
        set_problem(view, "it has arms beside \"%s\" and \"%s\" that take traffic: a Canary moves it between two",
                    stable, wish->canary);
    snprintf(view->stable, sizeof view->stable, "%s", stable);
    return is_clear;
}

/* How much of a uid tells one Canary from the one before. */
#define UID_LEN 8

/* "c/4/500/1a2b3c4d" at entry: true when it is the Canary's. */
static bool read_entry(const char *entry, const struct target_wish *wish, struct target_view *view)
{
    size_t len = strlen(wish->canary_object);
    if (strncmp(entry, wish->canary_object, len) != 0 || entry[len] != '/')
        return false;
    char *rest;
    uint64_t move = strtoull(entry + len + 1, &rest, 10);
    unsigned long weight_bp = *rest == '/' ? strtoul(rest + 1, &rest, 10) : 0;
    struct bytes uid = bytes_of(*rest == '/' ? rest + 1 : "");
    if (!bytes_equal(bytes_make(uid.data, bytes_find(uid, ' ')), bytes_make(wish->uid, strnlen(wish->uid, UID_LEN))))
        return true;
    view->applied_move = move;
    view->applied_bp = (unsigned)weight_bp;
    return true;
}

static void read_move(const struct kube_object *object, const struct target_wish *wish, struct target_view *view)
{
    const char *entry = kube_labels_get(&object->annotations, CANARY_MOVE_ANNOTATION);
    while (entry != NULL && *entry != '\0' && !read_entry(entry, wish, view)) {
        entry = strchr(entry, ' ');
        entry = entry != NULL ? entry + 1 : NULL;
    }
}

/* The latest writer that says who it is: whoever changed the weights, most likely. */
static void read_manager(const struct kube_object *object, struct target_view *view)
{
    const json_t *entries = json_object_get(json_object_get(object->tree, "metadata"), "managedFields");
    const char *latest = "";
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        if (strcmp(tree_member_text(entry, "subresource"), "status") == 0 ||
            strcmp(tree_member_text(entry, "time"), latest) < 0)
            continue;
        latest = tree_member_text(entry, "time");
        snprintf(view->weights_by, sizeof view->weights_by, "%s", tree_member_text(entry, "manager"));
    }
}

static void read_pool(const struct shape *shape, const struct kube_object *object, const json_t *arms,
                      const struct target_wish *wish, struct target_view *view)
{
    const json_t *spec = json_object_get(object->tree, "spec");
    const char *namespace_ = object->namespace_;
    if (shape->kind == KUBE_HTTP_ROUTE) {
        const json_t *arm = find_arm(shape, arms, wish->canary);
        arm = arm != NULL ? arm : find_arm(shape, arms, view->stable); /* what target_write() would add is its like */
        view->is_pool = strcmp(tree_member_text(arm, "kind"), "InferencePool") == 0;
        if (tree_member_text(arm, "namespace")[0] != '\0')
            namespace_ = tree_member_text(arm, "namespace");
    } else {
        snprintf(view->pool, sizeof view->pool, "%s", tree_member_text(json_object_get(spec, "poolRef"), "name"));
    }
    snprintf(view->pool_namespace, sizeof view->pool_namespace, "%s", namespace_);
}

void target_read(const struct kube_object *object, const struct target_wish *wish, struct target_view *ret_view)
{
    *ret_view = (struct target_view){0};
    if (object == NULL) {
        set_problem(ret_view, "it does not exist");
        return;
    }
    const struct shape *shape = shape_of(wish->kind);
    const json_t *spec = json_object_get(object->tree, "spec");
    if (!find_rule(shape, spec, wish, ret_view))
        return;
    const json_t *arms = arms_of(shape, spec, ret_view->rule);
    if (!find_stable(shape, spec, arms, wish, ret_view))
        return;
    const json_t *stable_arm = find_arm(shape, arms, ret_view->stable);
    uint64_t canary = weight_of(find_arm(shape, arms, wish->canary)), stable = weight_of(stable_arm);
    if (stable_arm == NULL && implied_arm(shape, spec, arms)[0] != '\0')
        stable = 1;
    ret_view->weight_bp =
        canary + stable > 0 ? (unsigned)((canary * 10000 + (canary + stable) / 2) / (canary + stable)) : 0;
    read_move(object, wish, ret_view);
    read_manager(object, ret_view);
    read_pool(shape, object, arms, wish, ret_view);
    ret_view->is_usable = true;
}

/* Writing. */

void target_weights(unsigned weight_bp, unsigned *ret_stable, unsigned *ret_canary)
{
    unsigned unit = weight_bp % 100 == 0 ? 100 : 1;
    *ret_canary = weight_bp / unit;
    *ret_stable = (10000 - weight_bp) / unit;
}

/* The arm's weight becomes this; one that is missing is made like its sibling. */
static void set_arm(const struct shape *shape, json_t *arms, const char *name, const char *like, unsigned weight)
{
    json_t *arm = find_arm(shape, arms, name);
    if (weight == 0 && !shape->has_zero) {
        for (size_t i = json_array_size(arms); i-- > 0;) {
            if (json_array_get(arms, i) == arm)
                json_array_remove(arms, i);
        }
        return;
    }
    if (arm == NULL) {
        json_t *sibling = find_arm(shape, arms, like);
        arm = sibling != NULL ? json_deep_copy(sibling) : json_object();
        json_object_set_new(arm, shape->name, json_string(name));
        json_array_append_new(arms, arm);
    }
    json_object_set_new(arm, "weight", json_integer(weight));
}

static void set_move(json_t *metadata, const struct target_wish *wish, uint64_t move, unsigned weight_bp)
{
    const char *canary_object = wish->canary_object;
    json_t *annotations = json_object_get(metadata, "annotations");
    struct buffer value = {0};
    char entry[320];
    size_t len = strlen(canary_object);
    if (!json_is_object(annotations)) {
        annotations = json_object();
        json_object_set_new(metadata, "annotations", annotations);
    }
    struct bytes rest = bytes_of(tree_member_text(annotations, CANARY_MOVE_ANNOTATION));
    while (rest.len > 0) {
        struct bytes one = bytes_make(rest.data, bytes_find(rest, ' '));
        rest = bytes_skip(rest, one.len < rest.len ? one.len + 1 : one.len);
        if (one.len > len && memcmp(one.data, canary_object, len) == 0 && one.data[len] == '/')
            continue;
        buffer_append(&value, one);
        buffer_append(&value, BYTES(" "));
    }
    snprintf(entry, sizeof entry, "%s/%" PRIu64 "/%u/%.*s", canary_object, move, weight_bp, UID_LEN, wish->uid);
    buffer_append(&value, bytes_of(entry));
    json_object_set_new(annotations, CANARY_MOVE_ANNOTATION,
                        json_stringn((const char *)buffer_bytes(&value).data, buffer_len(&value)));
    buffer_deinit(&value);
}

json_t *target_write(const struct kube_object *object, const struct target_wish *wish, const struct target_view *view,
                     unsigned weight_bp, uint64_t move)
{
    const struct shape *shape = shape_of(wish->kind);
    json_t *tree = json_deep_copy(object->tree);
    json_t *spec = json_object_get(tree, "spec");
    json_t *owner = shape->rules != NULL ? json_array_get(json_object_get(spec, shape->rules), view->rule) : spec;
    json_t *arms = json_object_get(owner, shape->arms);
    unsigned stable, canary;
    target_weights(weight_bp, &stable, &canary);
    if (!json_is_array(arms)) {
        arms = json_array();
        json_object_set_new(owner, shape->arms, arms);
    }
    /* The one that stays first: the other is made in its likeness before it may go. */
    set_arm(shape, arms, canary > 0 ? wish->canary : view->stable, canary > 0 ? view->stable : wish->canary,
            canary > 0 ? canary : stable);
    set_arm(shape, arms, canary > 0 ? view->stable : wish->canary, canary > 0 ? wish->canary : view->stable,
            canary > 0 ? stable : canary);
    set_move(json_object_get(tree, "metadata"), wish, move, weight_bp);
    return tree;
}

/* Files and moves. */

static size_t rule_count(const struct shape *shape, const json_t *tree)
{
    const json_t *spec = json_object_get(tree, "spec");
    return shape->rules != NULL ? json_array_size(json_object_get(spec, shape->rules)) : 1;
}

uint64_t target_arms_hash(enum kube_kind kind, const json_t *tree)
{
    const struct shape *shape = find_shape(kind);
    uint64_t hash = 1;
    for (size_t i = 0; shape != NULL && i < rule_count(shape, tree); i++) {
        const json_t *arms = arms_of(shape, json_object_get(tree, "spec"), i);
        char *text = arms != NULL ? json_dumps(arms, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        hash = text != NULL ? XXH64(text, strlen(text), hash) : hash + 1;
        free(text);
    }
    return shape != NULL ? hash : 0;
}

void target_keep_arms(enum kube_kind kind, json_t *asked, const json_t *present)
{
    const struct shape *shape = find_shape(kind);
    const json_t *annotations = json_object_get(json_object_get(present, "metadata"), "annotations");
    if (shape == NULL || tree_member_text(annotations, CANARY_MOVE_ANNOTATION)[0] == '\0')
        return;
    json_t *spec = json_object_get(asked, "spec");
    for (size_t i = 0; i < rule_count(shape, asked); i++) {
        json_t *owner = shape->rules != NULL ? json_array_get(json_object_get(spec, shape->rules), i) : spec;
        json_t *moved = arms_of(shape, json_object_get(present, "spec"), i);
        if (moved != NULL)
            json_object_set_new(owner, shape->arms, json_deep_copy(moved));
    }
}
