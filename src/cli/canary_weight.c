/* SPDX-License-Identifier: Apache-2.0 */
/* canary_weight.c: finds the list of arms in the target and writes weights into it, as a person with an editor would.
 *
 * An HTTPRoute keeps an arm without share at weight 0; models and rewrites, whose weights begin at 1, do not list it.
 */
#include "cli/canary_weight.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kube/api/canary_arms.h"

enum { ALL_BP = 10000, WEIGHT_MAX = 1000000 };

/* The list of arms, and what is to happen in it. */
struct arms {
    const struct canary_spec *spec;
    const struct arm_shape *shape;
    json_t *list;
    const char *stable;
    char *error;
};

static bool refuse(char *error, const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, CANARY_WEIGHT_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

static const char *name_of(const struct arms *arms, const json_t *item)
{
    return arm_name(arms->shape, item);
}

static unsigned count_arm(const struct arms *arms, const char *name)
{
    unsigned count = 0;
    for (size_t i = 0; i < json_array_size(arms->list); i++)
        count += strcmp(name_of(arms, json_array_get(arms->list, i)), name) == 0;
    return count;
}

/* ---- the list ---- */

static bool find_rule(struct arms *arms, const json_t *target, size_t *ret_rule)
{
    const struct canary_target *ref = &arms->spec->target;
    enum arm_rule found = arm_rule_find(arms->shape, target, ref->rule, ret_rule);
    if (found == ARM_RULE_UNKNOWN)
        return refuse(arms->error, "%s has no rule %s", ref->name, ref->rule);
    if (found == ARM_RULE_UNCLEAR && arm_rule_count(arms->shape, target) > 1)
        return refuse(arms->error, "%s has %zu rules, and the Canary's spec.targetRef.rule does not say which",
                      ref->name, arm_rule_count(arms->shape, target));
    return true;
}

/* A model without targets is its own only target. */
static void list_model_itself(struct arms *arms, json_t *spec)
{
    json_t *itself = json_object();
    json_object_set(itself, "name", json_object_get(spec, "modelName"));
    json_object_set_new(spec, arms->shape->arms, json_array());
    json_array_append_new(json_object_get(spec, arms->shape->arms), itself);
}

static bool find_list(struct arms *arms, json_t *target)
{
    const char *name = arms->spec->target.name;
    bool is_model = arms->spec->target.kind == CANARY_INFERENCE_MODEL;
    size_t rule;
    arms->shape = arm_shape_of(canary_target_kinds(arms->spec->target.kind)[0]);
    if (!find_rule(arms, target, &rule))
        return false;
    json_t *owner = arm_owner(arms->shape, target, rule);
    if (is_model && !json_is_object(owner))
        return refuse(arms->error, "%s has no spec", name);
    if (is_model && json_array_size(arm_list(arms->shape, target, rule)) == 0)
        list_model_itself(arms, owner);
    arms->list = arm_list(arms->shape, target, rule);
    return json_is_array(arms->list) || refuse(arms->error, "%s has no %s", name, arms->shape->arms);
}

static bool find_stable(struct arms *arms)
{
    arms->stable = arms->spec->stable;
    if (arms->stable[0] != '\0')
        return true;
    size_t others = 0;
    for (size_t i = 0; i < json_array_size(arms->list); i++) {
        const char *name = name_of(arms, json_array_get(arms->list, i));
        if (strcmp(name, arms->spec->canary) == 0)
            continue;
        arms->stable = name;
        others++;
    }
    return others == 1 || refuse(arms->error, "the Canary names no stable arm, and %s has %zu arms that could be it",
                                 arms->spec->target.name, others);
}

/* ---- the weights ---- */

/* An arm without share that is not listed comes back with weight 0. */
static bool list_arm(struct arms *arms, const char *name)
{
    unsigned count = count_arm(arms, name);
    if (count > 1)
        return refuse(arms->error, "%s has %u arms named %s", arms->spec->target.name, count, name);
    if (count == 1)
        return true;
    if (arms->shape->has_zero)
        return refuse(arms->error, "%s has no arm %s", arms->spec->target.name, name);
    json_t *item = json_object();
    json_object_set_new(item, arms->shape->name, json_string(name));
    json_object_set_new(item, "weight", json_integer(0));
    return json_array_append_new(arms->list, item) == 0;
}

static bool is_pair(const struct arms *arms, const json_t *item)
{
    const char *name = name_of(arms, item);
    return strcmp(name, arms->stable) == 0 || strcmp(name, arms->spec->canary) == 0;
}

struct sums {
    json_int_t pair, others, largest;
};

static struct sums sum_up(const struct arms *arms)
{
    struct sums sums = {0};
    for (size_t i = 0; i < json_array_size(arms->list); i++) {
        const json_t *item = json_array_get(arms->list, i);
        json_int_t weight = (json_int_t)arm_weight(item);
        if (is_pair(arms, item))
            sums.pair += weight;
        else
            sums.others += weight;
        sums.largest = weight > sums.largest ? weight : sums.largest;
    }
    return sums;
}

static json_int_t greatest_common_divisor(json_int_t a, json_int_t b)
{
    while (b != 0) {
        json_int_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void set_weight(json_t *item, json_int_t weight)
{
    json_object_set_new(item, "weight", json_integer(weight));
}

/* With others, all weights grow by the factor that makes the pair's exact; alone, they are percents or basis points. */
static bool write_weights(struct arms *arms, unsigned bp)
{
    struct sums sums = sum_up(arms);
    json_int_t total = bp % 100 == 0 ? 100 : ALL_BP, factor = 1;
    if (sums.others > 0) {
        if (sums.pair == 0)
            return refuse(arms->error, "neither %s nor %s has any share that could be moved", arms->stable,
                          arms->spec->canary);
        factor = ALL_BP / greatest_common_divisor(ALL_BP, sums.pair * bp % ALL_BP);
        total = sums.pair * factor;
        if (total > WEIGHT_MAX || sums.largest * factor > WEIGHT_MAX)
            return refuse(arms->error, "the weights of %s are too large to be divided that finely",
                          arms->spec->target.name);
    }
    json_int_t canary = total * bp / ALL_BP;
    for (size_t i = 0; i < json_array_size(arms->list); i++) {
        json_t *item = json_array_get(arms->list, i);
        if (strcmp(name_of(arms, item), arms->spec->canary) == 0)
            set_weight(item, canary);
        else
            set_weight(item, is_pair(arms, item) ? total - canary : (json_int_t)arm_weight(item) * factor);
    }
    return true;
}

static void drop_zero(struct arms *arms)
{
    for (size_t i = json_array_size(arms->list); !arms->shape->has_zero && i > 0; i--) {
        if ((json_int_t)arm_weight(json_array_get(arms->list, i - 1)) == 0)
            json_array_remove(arms->list, i - 1);
    }
}

bool canary_weight_set(json_t *target, const struct canary_spec *spec, unsigned bp,
                       char error[CANARY_WEIGHT_ERROR_SIZE])
{
    struct arms arms = {.spec = spec, .error = error};
    if (!find_list(&arms, target) || !find_stable(&arms) || !list_arm(&arms, arms.stable) ||
        !list_arm(&arms, spec->canary) || !write_weights(&arms, bp))
        return false;
    drop_zero(&arms);
    return true;
}
