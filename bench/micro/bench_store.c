/* SPDX-License-Identifier: Apache-2.0 */
/* bench_store.c: the store over SQLite: durable writes per second by the number of writers that wait at once, and the
 * time to load 10,000 objects of about 2 KB.  The disk is that of the folder in which it is run.
 *
 * Build and run from the top folder:
 *   gcc -std=gnu17 -O2 -D_GNU_SOURCE -Isrc -o build/bench_store bench/micro/bench_store.c src/kube/store/[a-z]*.c \
 *       src/kube/api/[a-z]*.c src/base/[a-z]*.c src/net/reactor.c src/net/mailbox.c src/net/timer_wheel.c \
 *       -ljansson -lyaml -lxxhash -lsqlite3 -lm -pthread && build/bench_store */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "kube/store/store.h"

#define FILE_NAME "bench_store.db"

enum { MAX_WRITERS = 64, LOADED = 10000, SECONDS = 3 };

static char padding[1700];

struct bench {
    struct reactor *reactor;
    struct store *store;
    uint64_t end_us;
    unsigned running;
    unsigned puts;
};

struct writer {
    struct store_write write;
    struct bench *bench;
    unsigned number;
};

static struct kube_object *object_of(const char *name, unsigned round)
{
    json_t *tree = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s, s:s}}, s:{s:s, s:s, s:i}}", "apiVersion", "v1", "kind",
                             "ConfigMap", "metadata", "name", name, "namespace", "default", "labels", "app", "bench",
                             "team", "a", "data", "padding", padding, "more", "of it", "round", (int)round);
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    struct kube_object *object = kube_object_decode(must(tree), &problems);
    arena_free(arena);
    json_decref(tree);
    return must(object);
}

static void put(struct writer *writer)
{
    char name[32];
    snprintf(name, sizeof name, "writer-%u", writer->number);
    if (store_put(writer->bench->store, object_of(name, writer->bench->puts), &writer->write, NULL) != 0)
        abort();
}

static void on_done(struct store_write *write, int error)
{
    struct writer *writer = container_of(write, struct writer, write);
    if (error != 0)
        abort();
    writer->bench->puts++;
    if (clock_now_us() < writer->bench->end_us)
        put(writer);
    else
        writer->bench->running--;
}

static void open_store(struct bench *bench)
{
    char error[300];
    struct store_disk *disk = sqlite_disk_open(FILE_NAME, error);
    bench->store = disk != NULL ? store_open(bench->reactor, disk, NULL, error) : NULL;
    if (bench->store == NULL) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
}

static void measure_writers(struct bench *bench, unsigned count)
{
    struct writer writers[MAX_WRITERS];
    struct store_figures before, after;
    store_figures(bench->store, &before);
    uint64_t start_us = clock_now_us();
    bench->end_us = start_us + SECONDS * 1000000;
    bench->puts = 0;
    bench->running = count;
    for (unsigned i = 0; i < count; i++) {
        writers[i] = (struct writer){.write.on_done = on_done, .bench = bench, .number = i};
        put(&writers[i]);
    }
    while (bench->running > 0)
        reactor_turn(bench->reactor, -1);
    double seconds = (double)(clock_now_us() - start_us) / 1e6;
    store_figures(bench->store, &after);
    double commits = (double)(after.commits - before.commits);
    printf("%2u writers: %7.0f puts/s, %5.1f puts a commit, %7.3f ms a commit\n", count, bench->puts / seconds,
           bench->puts / commits, (double)(after.commit_us_sum - before.commit_us_sum) / commits / 1000);
}

static void fill(struct bench *bench)
{
    struct store_figures figures = {.pending = 0};
    uint64_t start_us = clock_now_us();
    for (unsigned i = 0; i < LOADED; i++) {
        char name[32];
        snprintf(name, sizeof name, "object-%u", i * 7919 % LOADED);
        if (store_put(bench->store, object_of(name, i), NULL, NULL) != 0)
            abort();
    }
    for (store_figures(bench->store, &figures); figures.pending > 0; store_figures(bench->store, &figures))
        reactor_turn(bench->reactor, -1);
    printf("%u objects stored in %.0f ms\n", LOADED, (double)(clock_now_us() - start_us) / 1000);
}

static void measure_load(struct bench *bench)
{
    size_t heap_before = mallinfo2().uordblks;
    uint64_t start_us = clock_now_us();
    open_store(bench);
    double took_ms = (double)(clock_now_us() - start_us) / 1000;
    size_t count = store_count(bench->store, KUBE_CONFIG_MAP);
    size_t text_len = store_get(bench->store, KUBE_CONFIG_MAP, "default", "object-1")->text.len;
    printf("%zu objects of %zu bytes loaded in %.0f ms, %zu bytes of memory each\n", count, text_len, took_ms,
           (mallinfo2().uordblks - heap_before) / count);
}

static void measure_reading(struct bench *bench)
{
    enum { ROUNDS = 1000000 };
    char name[32];
    uint64_t start_us = clock_now_us();
    for (unsigned i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "object-%u", i % LOADED);
        if (store_get(bench->store, KUBE_CONFIG_MAP, "default", name) == NULL)
            abort();
    }
    printf("a lookup among them: %.0f ns\n", (double)(clock_now_us() - start_us) * 1000 / ROUNDS);
}

static void remove_files(void)
{
    unlink(FILE_NAME);
    unlink(FILE_NAME "-wal");
    unlink(FILE_NAME "-shm");
}

int main(void)
{
    struct bench bench = {.reactor = reactor_new("bench")};
    memset(padding, 'x', sizeof padding - 1);
    remove_files();
    open_store(&bench);
    measure_writers(&bench, 1);
    measure_writers(&bench, 8);
    measure_writers(&bench, 64);
    store_close(bench.store);
    remove_files();
    open_store(&bench);
    fill(&bench);
    store_close(bench.store);
    measure_load(&bench);
    measure_reading(&bench);
    store_close(bench.store);
    reactor_free(bench.reactor);
    remove_files();
    return 0;
}
