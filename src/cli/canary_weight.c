/* SPDX-License-Identifier: Apache-2.0 */
/* canary_weight.c: finds the list of arms in the target and writes weights into it, as a person with an editor would.
 *
 * An HTTPRoute keeps an arm without share at weight 0; models and rewrites, whose weights begin at 1, do not list it.
 */
#include "cli/canary_weight.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ALL_BP = 10000, WEIGHT_MAX = 1000000 };

/* The list of arms, and how an arm is named in it. */
struct arms {
    const struct canary_spec *spec;
    json_t *list;
    const char *member; /* "name", "modelRewrite" */
    const char *stable;
    bool lists_zero; /* an arm may have weight 0 */
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
    const char *name = json_string_value(json_object_get(item, arms->member));
    return name != NULL ? name : "";
}

static unsigned count_arm(const struct arms *arms, const char *name)
{
    unsigned count = 0;
    for (size_t i = 0; i < json_array_size(arms->list); i++)
        count += strcmp(name_of(arms, json_array_get(arms->list, i)), name) == 0;
    return count;
}

/* The API server lets no others in; sums stay small whatever it is that answered. */
static json_int_t weight_of(const json_t *item)
{
    const json_t *given = json_object_get(item, "weight");
    json_int_t weight = json_is_integer(given) ? json_integer_value(given) : 1;
    return weight < 0 ? 0 : weight > WEIGHT_MAX ? WEIGHT_MAX : weight;
}

/* ---- the list ---- */

/* By name, or by an index in digits; NULL. */
static json_t *rule_named(const json_t *rules, const char *wanted)
{
    size_t i;
    json_t *rule;
    json_array_foreach((json_t *)(uintptr_t)rules, i, rule)
    {
        const char *name = json_string_value(json_object_get(rule, "name"));
        if (name != NULL && strcmp(name, wanted) == 0)
            return rule;
    }
    if (wanted[0] == '\0' || strspn(wanted, "0123456789") != strlen(wanted) || strlen(wanted) > 3)
        return NULL;
    unsigned index = 0;
    (void)sscanf(wanted, "%u", &index);
    return json_array_get(rules, index);
}

static bool find_rule(struct arms *arms, const json_t *target, const char *list_name)
{
    const struct canary_target *ref = &arms->spec->target;
    const json_t *rules = json_object_get(json_object_get(target, "spec"), "rules");
    json_t *rule = ref->rule[0] != '\0' ? rule_named(rules, ref->rule) : json_array_get(rules, 0);
    if (rule == NULL && ref->rule[0] != '\0')
        return refuse(arms->error, "%s has no rule %s", ref->name, ref->rule);
    if (ref->rule[0] == '\0' && json_array_size(rules) > 1)
        return refuse(arms->error, "%s has %zu rules, and the Canary's spec.targetRef.rule does not say which",
                      ref->name, json_array_size(rules));
    arms->list = json_object_get(rule, list_name);
    if (!json_is_array(arms->list))
        return refuse(arms->error, "%s has no %s", ref->name, list_name);
    return true;
}

/* A model without targets is its own only target. */
static void find_model_targets(struct arms *arms, json_t *target)
{
    json_t *spec = json_object_get(target, "spec");
    arms->list = json_object_get(spec, "targetModels");
    if (json_array_size(arms->list) > 0)
        return;
    json_object_set_new(spec, "targetModels", json_array());
    arms->list = json_object_get(spec, "targetModels");
    json_t *itself = json_object();
    json_object_set(itself, "name", json_object_get(spec, "modelName"));
    json_array_append_new(arms->list, itself);
}

static bool find_list(struct arms *arms, json_t *target)
{
    arms->member = "name";
    switch (arms->spec->target.kind) {
    case CANARY_HTTP_ROUTE:
        arms->lists_zero = true;
        return find_rule(arms, target, "backendRefs");
    case CANARY_MODEL_REWRITE:
        arms->member = "modelRewrite";
        return find_rule(arms, target, "targets");
    case CANARY_INFERENCE_MODEL:
        if (!json_is_object(json_object_get(target, "spec")))
            return refuse(arms->error, "%s has no spec", arms->spec->target.name);
        find_model_targets(arms, target);
        return true;
    }
    return false;
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
    if (arms->lists_zero)
        return refuse(arms->error, "%s has no arm %s", arms->spec->target.name, name);
    json_t *item = json_object();
    json_object_set_new(item, arms->member, json_string(name));
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
        json_int_t weight = weight_of(item);
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
            set_weight(item, is_pair(arms, item) ? total - canary : weight_of(item) * factor);
    }
    return true;
}

static void drop_zero(struct arms *arms)
{
    for (size_t i = json_array_size(arms->list); !arms->lists_zero && i > 0; i--) {
        if (weight_of(json_array_get(arms->list, i - 1)) == 0)
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
