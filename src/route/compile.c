/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c: runs the steps of a compile in order and holds what they share.  Control thread. */
#include "route/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "route/compile_internal.h"

#define DEFAULT_CONTROLLER "serin.dev/gateway-controller"

static int older_first(const void *left, const void *right)
{
    const struct kube_object *a = *(const struct kube_object *const *)left;
    const struct kube_object *b = *(const struct kube_object *const *)right;
    if (a->created_ms != b->created_ms)
        return a->created_ms < b->created_ms ? -1 : 1;
    int order = strcmp(a->namespace_, b->namespace_);
    return order != 0 ? order : strcmp(a->name, b->name);
}

const struct kube_object **compile_by_age(struct compile *compile, enum kube_kind kind, unsigned *ret_count)
{
    const struct object_cache *cache = compile->input->cache;
    size_t count = object_cache_count(cache, kind);
    const struct kube_object **objects = ARENA_ARRAY(compile->scratch, const struct kube_object *, count);
    size_t cursor = 0, len = 0;
    const struct kube_object *object;
    while (len < count && (object = object_cache_next(cache, kind, &cursor)) != NULL)
        objects[len++] = object;
    qsort(objects, len, sizeof(const struct kube_object *), older_first);
    *ret_count = (unsigned)len;
    return objects;
}

static void release_map(void *map)
{
    hashmap_free(map);
}

void compile_own_map(struct compile *compile, struct hashmap *map)
{
    route_snapshot_own(compile->snapshot, release_map, map);
}

struct hashmap *compile_snapshot_map(struct compile *compile)
{
    struct hashmap *map = hashmap_new();
    compile_own_map(compile, map);
    return map;
}

const char *compile_text(struct compile *compile, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_strdup(compile->scratch, text);
}

struct route_snapshot *route_compile(const struct compile_input *input, struct arena *report_arena,
                                     struct status_report **ret_report)
{
    struct route_snapshot *snapshot = route_snapshot_new(input->generation);
    const char *controller = input->controller_name != NULL ? input->controller_name : DEFAULT_CONTROLLER;
    struct compile compile = {
        .input = input,
        .snapshot = snapshot,
        .arena = snapshot->arena,
        .scratch = arena_new(0),
        .report = status_report_new(report_arena, controller),
        .pools = hashmap_new(),
        .client_policies = hashmap_new(),
        .backend_policies = hashmap_new(),
    };
    compile_classes(&compile);
    compile_policies(&compile);
    compile_gateways(&compile);
    compile_pools(&compile);
    compile_models(&compile);
    compile_objectives(&compile);
    compile_routes(&compile);
    compile_tables(&compile);
    compile_gateway_statuses(&compile);
    compile_pool_statuses(&compile);
    compile_policy_statuses(&compile);
    hashmap_free(compile.pools);
    hashmap_free(compile.client_policies);
    hashmap_free(compile.backend_policies);
    arena_free(compile.scratch);
    *ret_report = compile.report;
    return snapshot;
}
