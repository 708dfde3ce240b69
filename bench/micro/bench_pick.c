/* SPDX-License-Identifier: Apache-2.0 */
/* bench_pick.c: what a whole pick costs in CPU time: hashing the prompt, looking it up, gathering, scoring, choosing,
 * charging, noting the prompt, and giving the ticket back; by profile, number of endpoints and size of the prompt, with
 * a prefix index in which every endpoint has as much as it may have.
 *
 * make bench-micro */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "inference/prefix_hash.h"
#include "inference/schedule/picker_config.h"
#include "inference/schedule/scheduler.h"
#include "rows.h"

enum { ROUNDS = 200, HASHES_MAX = 1024, ENDPOINTS_MAX = 1000, COLD_BYTES = 16 << 20 };

struct scene {
    unsigned endpoints;
    size_t prompt_bytes; /* 0: hashes are left out */
    bool is_known;       /* an endpoint has it */
    bool has_adapter;
};

static const struct scene scenes[] = {
    {100, 0, false, false},        {1000, 0, false, false},        {100, 0, false, true},
    {1000, 0, false, true},        {100, 1 << 10, true, false},    {100, 16 << 10, true, false},
    {100, 400 << 10, true, false}, {100, 400 << 10, false, false}, {1000, 400 << 10, true, false},
};

static const char reference_config[] = "apiVersion: llm-d.ai/v1alpha1\n"
                                       "kind: EndpointPickerConfig\n"
                                       "plugins: [{type: queue-scorer}, {type: kv-cache-utilization-scorer},\n"
                                       "          {type: prefix-cache-scorer}, {type: lora-affinity-scorer}]\n";

static char *cold;

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* With prompts of 64 KB that nobody asks for again. */
static void fill_index(struct pool *pool)
{
    enum { BLOCKS = PREFIX_SMALL_BLOCKS + 48 };
    struct random_state random;
    random_seed(&random, 2);
    for (unsigned i = 0; i < pool->member_count; i++)
        for (unsigned units = 0; units < POOL_PREFIX_CAPACITY; units += prefix_units(BLOCKS)) {
            uint64_t hashes[BLOCKS];
            for (unsigned j = 0; j < BLOCKS; j++)
                hashes[j] = random_next(&random);
            prefix_index_insert(pool->prefixes, pool->members[i]->prefix_owner, hashes, 0, BLOCKS);
        }
}

static struct pool *make_pool(struct pool_registry *registry, unsigned endpoints)
{
    static char ips[ENDPOINTS_MAX][16];
    static struct pool_member members[ENDPOINTS_MAX];
    struct pool *pool = pool_registry_take(registry, false, "default", "bench", 0);
    for (unsigned i = 0; i < endpoints; i++) {
        snprintf(ips[i], sizeof ips[i], "127.1.%u.%u", i / 250, i % 250 + 1);
        members[i] = (struct pool_member){.ip = ips[i], .port = 8000, .pod = "default/p", .is_ready = true};
    }
    pool_set_members(pool, members, endpoints, NULL);
    for (unsigned i = 0; i < endpoints; i++) {
        struct endpoint *endpoint = pool->members[i];
        atomic_store(&endpoint->load.running, i % 40);
        atomic_store(&endpoint->load.kv_permille, i * 7 % 1000);
        atomic_store(&endpoint->load.max_loras, 4);
        endpoint_set_loras(endpoint, i % 5 == 0 ? BYTES("adapter-1,adapter-2") : BYTES("adapter-3"), BYTES(""));
    }
    fill_index(pool);
    return pool;
}

static double pick(struct pool *pool, const struct scene *scene, struct bytes prompt, uint64_t random, bool is_cold)
{
    uint64_t hashes[HASHES_MAX];
    struct prefix_hasher hasher = {.count = 0};
    struct pick_ticket ticket;
    for (size_t i = 0; i < COLD_BYTES && is_cold; i += CACHE_LINE)
        cold[i]++;
    double start_us = cpu_us();
    if (scene->prompt_bytes > 0) {
        prefix_hasher_init(&hasher, BYTES("model"), 0, hashes, HASHES_MAX);
        prefix_hasher_feed(&hasher, prompt);
    }
    struct pick_request request = {
        .target_model = scene->has_adapter ? BYTES("adapter-1") : BYTES("model"),
        .prefix_hashes = hashes,
        .prefix_count = hasher.count,
        .prompt_tokens = (uint32_t)(prompt.len / 4),
        .now_ms = 1000,
        .random = random,
    };
    struct endpoint *endpoint = schedule_pick(pool, &request, &ticket);
    schedule_first_token(&ticket, 1040);
    schedule_release(&ticket, 2000, 100);
    double us = cpu_us() - start_us;
    endpoint_give_back(endpoint);
    return us;
}

static void run(const struct scene *scene, const char *name, const struct profile *profile)
{
    static double warm_us[ROUNDS], cold_us[ROUNDS];
    struct random_state random;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = make_pool(registry, scene->endpoints);
    size_t bytes = scene->prompt_bytes > 0 ? scene->prompt_bytes : 1;
    char *prompt = must(malloc(bytes));
    random_seed(&random, 1);
    for (size_t i = 0; i < bytes; i++)
        prompt[i] = (char)random_next(&random);
    schedule_set_profile(pool, profile);
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        bool is_cold = i >= ROUNDS;
        if (!scene->is_known)
            memcpy(prompt, &(uint64_t){random_next(&random)}, bytes < 8 ? bytes : 8);
        double us = pick(pool, scene, bytes_make(prompt, bytes), random_next(&random), is_cold);
        *(is_cold ? &cold_us[i - ROUNDS] : &warm_us[i]) = us;
    }
    qsort(warm_us, ROUNDS, sizeof warm_us[0], compare);
    qsort(cold_us, ROUNDS, sizeof cold_us[0], compare);
    char size[32];
    snprintf(size, sizeof size, scene->prompt_bytes > 0 ? "%zu KB" : "not hashed", scene->prompt_bytes >> 10);
    print_row(warm_us[ROUNDS / 2], cold_us[ROUNDS / 2], "us", "%s, %u endpoints, prompt %s%s%s", name, scene->endpoints,
              size,
              scene->prompt_bytes == 0 ? ""
              : scene->is_known        ? ", known"
                                       : ", new",
              scene->has_adapter ? ", adapter" : "");
    free(prompt);
    pool_give_back(pool);
    pool_registry_free(registry);
}

int main(void)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct picker_config config;
    problems_init(&problems, arena);
    if (!picker_config_parse(bytes_of(reference_config), &problems, &config))
        abort();
    cold = must(calloc(1, COLD_BYTES));
    for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
        run(&scenes[i], "default", NULL);
        run(&scenes[i], "reference", &config.profile);
    }
    free(cold);
    arena_free(arena);
    return 0;
}
