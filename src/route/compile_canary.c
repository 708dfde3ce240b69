/* SPDX-License-Identifier: Apache-2.0 */
/* compile_canary.c: what Canary objects and annotations make of rules and models: which keys make their draws sticky,
 * which arms a pin may name, which tap measures them.
 *
 * A Canary speaks for the rule or model that it targets, the oldest one where there are several; without one the
 * annotation of the HTTPRoute, or of the InferencePool for its models, counts; else the default key chain. */
#include <xxhash.h>

#include "kube/api/canary_pin.h"
#include "route/compile_internal.h"

static bool targets_object(const struct canary_spec *spec, enum canary_target_kind kind,
                           const struct kube_object *target)
{
    if (spec->target.kind != kind || strcmp(spec->target.name, target->name) != 0)
        return false;
    return spec->target.group[0] == '\0' || strcmp(spec->target.group, kube_kind_info(target->kind)->group) == 0;
}

static bool targets_rule(const struct canary_spec *spec, const char *rule, unsigned index, unsigned rule_count)
{
    unsigned long long wanted;
    const char *text = spec->target.rule;
    if (text[0] == '\0')
        return rule_count == 1;
    if (rule[0] != '\0' && strcmp(text, rule) == 0)
        return true;
    return bytes_to_u64(bytes_of(text), UINT32_MAX, &wanted) && wanted == index;
}

const struct kube_object *compile_find_canary(struct compile *compile, enum canary_target_kind kind,
                                              const struct kube_object *target, const char *rule, unsigned index,
                                              unsigned rule_count)
{
    const struct kube_object *oldest = NULL, *object;
    size_t cursor = 0;
    while ((object = object_cache_next(compile->input->cache, KUBE_CANARY, &cursor)) != NULL) {
        const struct canary_spec *spec = object->spec;
        if (strcmp(object->namespace_, target->namespace_) != 0 || !targets_object(spec, kind, target) ||
            !targets_rule(spec, rule, index, rule_count))
            continue;
        if (oldest == NULL || object->created_ms < oldest->created_ms)
            oldest = object;
    }
    return oldest;
}

/* Keys. */

static struct bytes keep_text(struct compile *compile, const char *text)
{
    return bytes_of(arena_strdup(compile->arena, text));
}

static struct stickiness *make_sticky(struct compile *compile, const struct canary_stickiness *spec,
                                      const struct kube_object *origin)
{
    struct stickiness *stickiness = ARENA_NEW(compile->arena, struct stickiness);
    *stickiness = (struct stickiness){
        .origin = kube_object_text(origin, compile->arena),
        .header = keep_text(compile, spec->header),
        .cookie = keep_text(compile, spec->cookie),
        .default_keys = spec->default_keys,
        .user = spec->user,
        .api_key = spec->api_key,
        .derived_key = spec->derived_key,
        .new_conversations_only = spec->new_conversations_only,
        .is_default_chain = spec->default_keys && spec->header[0] == '\0' && spec->cookie[0] == '\0' && !spec->user &&
                            !spec->api_key && !spec->derived_key,
        .pin = {.header = BYTES(""), .token = BYTES("")},
    };
    return stickiness;
}

const struct stickiness *compile_annotated(struct compile *compile, const struct kube_object *object,
                                           const char **ret_wrong)
{
    const char *text = kube_labels_get(&object->annotations, CANARY_STICKINESS_ANNOTATION);
    struct canary_stickiness spec;
    if (text == NULL)
        return NULL;
    const char *wrong = canary_stickiness_parse(text, compile->scratch, &spec);
    if (wrong == NULL)
        return make_sticky(compile, &spec, object);
    *ret_wrong = compile_text(compile, "its annotation %s is ignored: %s", CANARY_STICKINESS_ANNOTATION, wrong);
    return NULL;
}

const struct stickiness *compile_salted(struct compile *compile, const struct stickiness *stickiness, struct bytes salt)
{
    struct stickiness *salted = ARENA_NEW(compile->arena, struct stickiness);
    *salted = *stickiness;
    salted->salt = salt;
    return salted;
}

const struct stickiness *compile_default_stickiness(struct compile *compile, struct bytes salt)
{
    static const struct stickiness defaults = {.origin = "the default key chain",
                                               .header = {"", 0},
                                               .cookie = {"", 0},
                                               .default_keys = true,
                                               .is_default_chain = true,
                                               .pin = {.header = {"", 0}, .token = {"", 0}}};
    return compile_salted(compile, &defaults, salt);
}

/* Pins. */

static void make_pin(struct compile *compile, const struct kube_object *canary, const uint64_t arms[ARM_ROLES],
                     struct stickiness *stickiness)
{
    const struct canary_pin *spec = &((const struct canary_spec *)canary->spec)->pin;
    struct pin_rule *pin = &stickiness->pin;
    if (spec->header[0] == '\0')
        return;
    pin->header = keep_text(compile, spec->header);
    for (unsigned role = 0; role < ARM_ROLES; role++)
        pin->arms[role] = arms[role];
    const struct kube_object *secret =
        object_cache_get(compile->input->cache, KUBE_SECRET, canary->namespace_, spec->secret_name);
    pin->problem = canary_pin_read(canary, secret != NULL ? secret->tree : NULL, compile->arena, &pin->token);
}

static const json_t *status_of(const struct kube_object *canary)
{
    return json_object_get(canary->tree, "status");
}

bool canary_is_aborted(const struct kube_object *canary)
{
    const json_t *status = status_of(canary);
    const char *phase = json_string_value(json_object_get(status, "phase"));
    /* At once: the controller writes down that it aborts before it moves the weight. */
    return (phase != NULL && strcmp(phase, "Aborted") == 0) ||
           json_is_true(json_object_get(json_object_get(status, "state"), "aborting"));
}

const struct stickiness *compile_canary_stickiness(struct compile *compile, const struct kube_object *canary,
                                                   const uint64_t arms[ARM_ROLES])
{
    const struct canary_spec *spec = canary->spec;
    struct stickiness *stickiness = make_sticky(compile, &spec->stickiness, canary);
    stickiness->salt = keep_text(compile, spec->salt);
    stickiness->is_aborted = canary_is_aborted(canary);
    make_pin(compile, canary, arms, stickiness);
    return stickiness;
}

/* Arms. */

/* The name that the controller found out when both arms were still there. */
static const char *stable_in_status(const struct kube_object *canary)
{
    size_t i;
    json_t *arm;
    json_array_foreach(json_object_get(status_of(canary), "arms"), i, arm)
    {
        const char *role = json_string_value(json_object_get(arm, "role"));
        const char *name = json_string_value(json_object_get(arm, "name"));
        if (role != NULL && name != NULL && strcmp(role, "stable") == 0)
            return name;
    }
    return "";
}

struct canary_arms compile_canary_arms(struct compile *compile, const struct kube_object *canary,
                                       const struct bytes *names, unsigned count)
{
    const struct canary_spec *spec = canary->spec;
    struct canary_arms arms = {.names = {[ARM_STABLE] = spec->stable, [ARM_CANARY] = spec->canary}};
    struct bytes other = BYTES("");
    unsigned others = 0;
    if (spec->stable[0] != '\0')
        return arms;
    for (unsigned i = 0; i < count; i++) {
        if (bytes_equal_str(names[i], spec->canary))
            continue;
        other = names[i];
        others++;
    }
    if (others == 1)
        arms.names[ARM_STABLE] = compile_text(compile, "%.*s", BYTES_ARG(other));
    else if (others == 0)
        arms.names[ARM_STABLE] = stable_in_status(canary);
    return arms;
}

static void release_tap(void *tap)
{
    canary_tap_give_back(tap);
}

struct canary_tap *compile_tap(struct compile *compile, const struct kube_object *canary, struct split *split)
{
    for (unsigned role = 0; role < ARM_ROLES; role++)
        split->roles[role] = split->count;
    if (compile->input->taps == NULL)
        return NULL;
    struct canary_tap *tap =
        canary_taps_take(compile->input->taps, compile_text(compile, "%s/%s", canary->namespace_, canary->name));
    route_snapshot_own(compile->snapshot, release_tap, tap);
    split->tap = tap;
    return tap;
}

/* Splits. */

static void release_counters(void *counters)
{
    split_counters_give_back(counters);
}

void compile_split(struct compile *compile, struct split *split, const char *identity, struct bytes *ids,
                   uint32_t *weights, unsigned count)
{
    *split = (struct split){.count = count, .ids = ids, .weights = weights};
    split->identity = XXH3_64bits(identity, strlen(identity));
    split->hashes = ARENA_ARRAY(compile->arena, uint64_t, count);
    for (unsigned i = 0; i < count; i++) {
        split->hashes[i] = XXH3_64bits(ids[i].data, ids[i].len);
        split->hashes[i] += split->hashes[i] == 0;
        split->working |= UINT32_C(1) << i;
        split->weighted |= (uint32_t)(weights[i] > 0) << i;
    }
    split->counters = split_registry_take(compile->input->splits, identity, ids, weights, count);
    route_snapshot_own(compile->snapshot, release_counters, split->counters);
}

void compile_split_stick(struct compile *compile, struct split *split, const struct stickiness *stickiness)
{
    split->stickiness = stickiness;
    split->seeds = ARENA_ARRAY(compile->arena, uint64_t, split->count);
    for (unsigned i = 0; i < split->count; i++)
        split->seeds[i] = split_seed(stickiness->salt, split->ids[i]);
}

static void add_wants(struct route_rule *rule, const struct split *split, struct bytes *headers)
{
    const struct stickiness *stickiness = split->stickiness;
    if (split->count > 1 && (stickiness->new_conversations_only || stickiness->derived_key))
        rule->reads_conversation = true;
    bool is_new = stickiness->pin.header.len > 0;
    for (unsigned i = 0; i < rule->pin_header_count; i++)
        is_new = is_new && !bytes_equal_nocase(headers[i], stickiness->pin.header);
    if (is_new && rule->pin_header_count < ROUTE_MAX_PIN_HEADERS)
        headers[rule->pin_header_count++] = stickiness->pin.header;
}

void compile_rule_wants(struct compile *compile, struct route_rule *rule)
{
    struct bytes *headers = ARENA_ARRAY(compile->arena, struct bytes, ROUTE_MAX_PIN_HEADERS);
    rule->pin_headers = headers;
    add_wants(rule, &rule->split, headers);
    for (unsigned i = 0; i < rule->arm_count; i++) {
        size_t cursor = 0;
        void *model;
        while (rule->arms[i].models != NULL && hashmap_next(rule->arms[i].models, &cursor, NULL, &model))
            add_wants(rule, &((const struct model_rule *)model)->split, headers);
        if (rule->arms[i].any_model != NULL)
            add_wants(rule, &rule->arms[i].any_model->split, headers);
    }
}
