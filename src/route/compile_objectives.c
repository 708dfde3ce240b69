/* SPDX-License-Identifier: Apache-2.0 */
/* compile_objectives.c: the InferenceObjectives of each pool, by their names and by the models that they name.
 *
 * Of two with one name (one in each group), and of two that name one model, the older counts. */
#include "route/compile_internal.h"

#define MODELS_ANNOTATION "serin.dev/models"

static struct objectives *objectives_of(struct compile *compile, struct pool_build *pool)
{
    if (pool->objectives == NULL) {
        pool->objectives = ARENA_NEW(compile->arena, struct objectives);
        pool->objectives->by_name = compile_snapshot_map(compile);
        pool->objectives->by_model = compile_snapshot_map(compile);
    }
    return pool->objectives;
}

/* A verdict about the last one that another objective has already. */
static struct verdict take_models(struct compile *compile, const struct kube_object *object, struct objective *made,
                                  struct objectives *objectives)
{
    const char *list = kube_labels_get(&object->annotations, MODELS_ANNOTATION);
    struct verdict refused = {0};
    for (struct bytes rest = bytes_of(list); rest.len > 0;) {
        size_t end = bytes_find(rest, ',');
        struct bytes model = bytes_trim(bytes_make(rest.data, end));
        rest = bytes_skip(rest, end < rest.len ? end + 1 : end);
        if (model.len == 0)
            continue;
        const struct objective *winner = hashmap_get(objectives->by_model, model);
        if (winner == NULL)
            hashmap_put(objectives->by_model, bytes_of(arena_strndup(compile->arena, model)), made);
        else if (winner != made)
            refused = (struct verdict){"ModelNameInUse", compile_text(compile,
                                                                      "metadata.annotations[" MODELS_ANNOTATION
                                                                      "]: the older %s names %.*s already",
                                                                      winner->object, BYTES_ARG(model))};
    }
    return refused;
}

static struct verdict try_objective(struct compile *compile, const struct kube_object *object)
{
    const struct inference_objective_spec *spec = object->spec;
    struct verdict refused = {0};
    struct pool_build *pool = compile_pool_of(compile, object, &spec->pool, &refused);
    if (pool == NULL)
        return refused;
    struct objectives *objectives = objectives_of(compile, pool);
    const struct objective *winner = hashmap_get(objectives->by_name, bytes_of(object->name));
    if (winner != NULL)
        return (struct verdict){"NameInUse", compile_text(compile,
                                                          "an older InferenceObjective of the other API group "
                                                          "has this name in pool %s",
                                                          spec->pool.name)};
    struct objective *made = ARENA_NEW(compile->arena, struct objective);
    made->name = bytes_of(arena_strdup(compile->arena, object->name));
    made->object = kube_object_text(object, compile->arena);
    made->priority = spec->priority;
    hashmap_put(objectives->by_name, made->name, made);
    return take_models(compile, object, made, objectives);
}

/* The older of both groups goes first, as everywhere. */
static const struct kube_object *next_by_age(const struct kube_object **const lists[2], const unsigned counts[2],
                                             unsigned places[2])
{
    unsigned from = 0;
    if (places[0] == counts[0] && places[1] == counts[1])
        return NULL;
    if (places[0] == counts[0] ||
        (places[1] < counts[1] && lists[1][places[1]]->created_ms < lists[0][places[0]]->created_ms))
        from = 1;
    return lists[from][places[from]++];
}

void compile_objectives(struct compile *compile)
{
    unsigned counts[2] = {0}, places[2] = {0};
    const struct kube_object **const lists[2] = {compile_by_age(compile, KUBE_OBJECTIVE_X, &counts[0]),
                                                 compile_by_age(compile, KUBE_OBJECTIVE, &counts[1])};
    const struct kube_object *object;
    while ((object = next_by_age(lists, counts, places)) != NULL)
        compile_accept(compile, object, try_objective(compile, object), "requests may name it");
}
