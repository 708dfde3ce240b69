/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_manifest.c: any bytes as a manifest: no crash, no leak, and objects only where there is no problem with them. */
/* uses: kube_api base */
#include <stdint.h>
#include <stdlib.h>

#include "kube/api/manifest.h"
#include "kube/api/object_cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct manifest manifest;
    struct object_cache *cache = object_cache_new();
    problems_init(&problems, arena);
    manifest_init(&manifest);
    manifest_add(&manifest, "fuzz.yaml", bytes_make((const char *)data, size), &problems);
    for (const struct problem *problem = problems.first; problem != NULL; problem = problem->next)
        (void)problem_text(problem, arena);
    for (unsigned i = 0; i < manifest.len; i++) {
        const struct kube_object *object = manifest.objects[i];
        if (object->name[0] == '\0')
            abort();
        (void)object_cache_put(cache, kube_object_take(object));
    }
    object_cache_free(cache);
    manifest_deinit(&manifest);
    arena_free(arena);
    return 0;
}
