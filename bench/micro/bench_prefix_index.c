/* SPDX-License-Identifier: Apache-2.0 */
/* bench_prefix_index.c: what a prompt costs in hashing, looking up over 100 endpoints and noting, in CPU time, warm and
 * with caches that hold none of it; and what an entry costs in memory.
 *
 * make bench-micro */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/compiler.h"
#include "base/random.h"
#include "inference/prefix_hash.h"
#include "inference/prefix_index.h"
#include "rows.h"

enum { ENDPOINTS = 100, PER_ENDPOINT = 8192, ROUNDS = 200, HASHES_MAX = 4096 };
enum { COLD_BYTES = 16 << 20 };

struct scene {
    const char *name;
    size_t prompt_bytes;
    unsigned owners; /* endpoints that have the prompt */
};

static const struct scene scenes[] = {
    {"1 KB, unknown", 1 << 10, 0},
    {"1 KB, at all endpoints", 1 << 10, ENDPOINTS},
    {"16 KB, at 3 endpoints", 16 << 10, 3},
    {"400 KB, unknown", 400 << 10, 0},
    {"400 KB, at 3 endpoints", 400 << 10, 3},
    {"400 KB, at all endpoints", 400 << 10, ENDPOINTS},
};

static char *cold;

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void empty_caches(void)
{
    for (size_t i = 0; i < COLD_BYTES; i += CACHE_LINE)
        cold[i]++;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

/* Every endpoint full of other prompts. */
static struct prefix_index *make_index(struct random_state *random)
{
    struct prefix_index *index = prefix_index_new(ENDPOINTS, 1 << 20);
    uint64_t hashes[64];
    for (unsigned i = 0; i < ENDPOINTS; i++) {
        uint16_t owner = prefix_index_add_owner(index, PER_ENDPOINT);
        for (unsigned prompt = 0; prompt < PER_ENDPOINT / 64; prompt++) {
            for (unsigned j = 0; j < 64; j++)
                hashes[j] = random_next(random);
            prefix_index_insert(index, owner, hashes, 0, 64);
        }
    }
    return index;
}

struct costs {
    double hash_us, match_us, note_us; /* medians */
};

static struct costs run(struct prefix_index *index, const struct scene *scene, struct random_state *random,
                        bool is_cold)
{
    static double hash_us[ROUNDS], match_us[ROUNDS], note_us[ROUNDS];
    static uint64_t hashes[HASHES_MAX];
    uint32_t matched[ENDPOINTS], marked[ENDPOINTS];
    struct prefix_hasher hasher;
    char *prompt = must(malloc(scene->prompt_bytes));
    for (size_t i = 0; i < scene->prompt_bytes; i++)
        prompt[i] = (char)random_next(random);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (scene->owners == 0)
            prompt[0] = (char)round, prompt[1] = (char)random_next(random);
        if (is_cold)
            empty_caches();
        double start = cpu_us();
        prefix_hasher_init(&hasher, BYTES("model"), 0, hashes, HASHES_MAX);
        prefix_hasher_feed(&hasher, bytes_make(prompt, scene->prompt_bytes));
        double hashed = cpu_us();
        prefix_index_match(index, hashes, hasher.count, matched, marked);
        double looked_up = cpu_us();
        uint16_t owner = (uint16_t)(round % (scene->owners > 0 ? scene->owners : ENDPOINTS));
        prefix_index_insert(index, owner, hashes, marked[owner], hasher.count);
        note_us[round] = cpu_us() - looked_up;
        match_us[round] = looked_up - hashed;
        hash_us[round] = hashed - start;
    }
    free(prompt);
    return (struct costs){median(hash_us), median(match_us), median(note_us)};
}

int main(void)
{
    struct random_state random;
    random_seed(&random, 1);
    cold = must(calloc(1, COLD_BYTES));
    struct prefix_index *index = make_index(&random);
    print_row((double)prefix_index_bytes(index) / prefix_index_entries(index), -1, "bytes",
              "a block, %u endpoints full", (unsigned)ENDPOINTS);
    for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
        const char *name = scenes[i].name;
        struct costs warm = run(index, &scenes[i], &random, false), cooled = run(index, &scenes[i], &random, true);
        print_row(warm.hash_us, cooled.hash_us, "us", "hash %s", name);
        print_row(warm.match_us, cooled.match_us, "us", "match %s", name);
        print_row(warm.note_us, cooled.note_us, "us", "note %s", name);
    }
    prefix_index_free(index);
    free(cold);
    return 0;
}
