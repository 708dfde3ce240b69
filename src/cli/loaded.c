/* SPDX-License-Identifier: Apache-2.0 */
/* loaded.c: the controller's path from files to snapshot, with sockets that nobody opens. */
#include "cli/loaded.h"

#include "control/pool_settings.h"

static int bind_nothing(void *context, const char *ip, uint16_t port)
{
    (void)ip, (void)port;
    return (int)((struct loaded *)context)->sockets++;
}

static void compile(struct loaded *loaded)
{
    /* Enough addresses that no Gateway lacks one for its ports. */
    static const char *const addresses[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4",
                                            "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8"};
    for (unsigned i = 0; i < loaded->manifest.len; i++)
        object_cache_put(loaded->cache, kube_object_take(loaded->manifest.objects[i]));
    struct compile_input input = {
        .cache = loaded->cache,
        .pools = loaded->pools,
        .splits = loaded->splits,
        .addresses = addresses,
        .address_count = ARRAY_LEN(addresses),
        .bind = bind_nothing,
        .context = loaded,
        .default_buffer_limit_bytes = 64ull << 20,
        .generation = 1,
    };
    loaded->snapshot = route_compile(&input, loaded->arena, &loaded->report);
}

void loaded_init(struct loaded *loaded, const char *const *files, unsigned count)
{
    *loaded = (struct loaded){.arena = arena_new(0)};
    problems_init(&loaded->problems, loaded->arena);
    manifest_init(&loaded->manifest);
    loaded->cache = object_cache_new();
    loaded->pools = pool_registry_new();
    loaded->splits = split_registry_new();
    struct file_source *source = file_source_new(files, count);
    file_source_read(source, &loaded->manifest, &loaded->problems);
    file_source_free(source);
    if (loaded->problems.count == 0) {
        compile(loaded);
        pool_settings_check(loaded->cache, &loaded->problems);
    }
}

void loaded_deinit(struct loaded *loaded)
{
    if (loaded->report != NULL)
        status_report_deinit(loaded->report);
    if (loaded->snapshot != NULL)
        route_snapshot_give_back(loaded->snapshot);
    split_registry_free(loaded->splits);
    pool_registry_free(loaded->pools);
    object_cache_free(loaded->cache);
    manifest_deinit(&loaded->manifest);
    arena_free(loaded->arena);
}
