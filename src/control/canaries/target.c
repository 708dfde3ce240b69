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
#include "kube/api/canary_arms.h"

/* The decoder of Canary takes no other kinds. */
static const struct arm_shape *shape_of(enum kube_kind kind)
{
    return must((void *)(uintptr_t)arm_shape_of(kind));
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

/* An InferenceModel without targets is its own only arm. */
static const char *implied_arm(enum kube_kind kind, const json_t *tree, const json_t *arms)
{
    return kind == KUBE_INFERENCE_MODEL && json_array_size(arms) == 0 ? tree_text(tree, "spec.modelName") : "";
}

/* An arm that is absent has no share. */
static uint64_t weight_of(const json_t *arm)
{
    return arm != NULL ? arm_weight(arm) : 0;
}

static bool find_rule(const struct arm_shape *shape, const json_t *tree, const struct target_wish *wish,
                      struct target_view *view)
{
    enum arm_rule found = arm_rule_find(shape, tree, wish->rule, &view->rule);
    if (found == ARM_RULE_UNKNOWN)
        set_problem(view, "it has no rule \"%s\"", wish->rule);
    else if (found == ARM_RULE_UNCLEAR)
        set_problem(view, "it has %zu rules: spec.targetRef.rule must say which", arm_rule_count(shape, tree));
    return found == ARM_RULE_FOUND;
}

static bool find_stable(const struct arm_shape *shape, const json_t *tree, const json_t *arms,
                        const struct target_wish *wish, struct target_view *view)
{
    const char *stable = wish->stable[0] != '\0' ? wish->stable : wish->known_stable;
    unsigned others = 0;
    for (size_t i = 0; i < json_array_size(arms); i++) {
        const char *name = arm_name(shape, json_array_get(arms, i));
        if (strcmp(name, wish->canary) == 0 || (stable[0] != '\0' && strcmp(name, stable) == 0))
            continue;
        others += weight_of(json_array_get(arms, i)) > 0 || stable[0] == '\0';
        if (wish->stable[0] == '\0' && wish->known_stable[0] == '\0')
            stable = name;
    }
    if (stable[0] == '\0')
        stable = implied_arm(wish->kind, tree, arms);
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

static void read_pool(const struct arm_shape *shape, const struct kube_object *object, const json_t *arms,
                      const struct target_wish *wish, struct target_view *view)
{
    const char *namespace_ = object->namespace_;
    if (wish->kind == KUBE_HTTP_ROUTE) {
        const json_t *arm = arm_find(shape, arms, wish->canary);
        arm = arm != NULL ? arm : arm_find(shape, arms, view->stable); /* what target_write() would add is its like */
        view->is_pool = strcmp(tree_member_text(arm, "kind"), "InferencePool") == 0;
        if (tree_member_text(arm, "namespace")[0] != '\0')
            namespace_ = tree_member_text(arm, "namespace");
    } else {
        snprintf(view->pool, sizeof view->pool, "%s", tree_text(object->tree, "spec.poolRef.name"));
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
    const struct arm_shape *shape = shape_of(wish->kind);
    if (!find_rule(shape, object->tree, wish, ret_view))
        return;
    const json_t *arms = arm_list(shape, object->tree, ret_view->rule);
    if (!find_stable(shape, object->tree, arms, wish, ret_view))
        return;
    const json_t *stable_arm = arm_find(shape, arms, ret_view->stable);
    uint64_t canary = weight_of(arm_find(shape, arms, wish->canary)), stable = weight_of(stable_arm);
    if (stable_arm == NULL && implied_arm(wish->kind, object->tree, arms)[0] != '\0')
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
static void set_arm(const struct arm_shape *shape, json_t *arms, const char *name, const char *like, unsigned weight)
{
    json_t *arm = arm_find(shape, arms, name);
    if (weight == 0 && !shape->has_zero) {
        for (size_t i = json_array_size(arms); i-- > 0;) {
            if (json_array_get(arms, i) == arm)
                json_array_remove(arms, i);
        }
        return;
    }
    if (arm == NULL) {
        json_t *sibling = arm_find(shape, arms, like);
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
    const struct arm_shape *shape = shape_of(wish->kind);
    json_t *tree = json_deep_copy(object->tree);
    json_t *owner = arm_owner(shape, tree, view->rule);
    json_t *arms = arm_list(shape, tree, view->rule);
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

uint64_t target_arms_hash(enum kube_kind kind, const json_t *tree)
{
    const struct arm_shape *shape = arm_shape_of(kind);
    uint64_t hash = 1;
    for (size_t i = 0; shape != NULL && i < arm_rule_count(shape, tree); i++) {
        const json_t *arms = arm_list(shape, tree, i);
        char *text = arms != NULL ? json_dumps(arms, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        hash = text != NULL ? XXH64(text, strlen(text), hash) : hash + 1;
        free(text);
    }
    return shape != NULL ? hash : 0;
}

void target_keep_arms(enum kube_kind kind, json_t *asked, const json_t *present)
{
    const struct arm_shape *shape = arm_shape_of(kind);
    const json_t *annotations = json_object_get(json_object_get(present, "metadata"), "annotations");
    if (shape == NULL || tree_member_text(annotations, CANARY_MOVE_ANNOTATION)[0] == '\0')
        return;
    for (size_t i = 0; i < arm_rule_count(shape, asked); i++) {
        json_t *moved = arm_list(shape, present, i);
        if (moved != NULL)
            json_object_set_new(arm_owner(shape, asked, i), shape->arms, json_deep_copy(moved));
    }
}
