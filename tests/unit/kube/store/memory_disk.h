/* SPDX-License-Identifier: Apache-2.0 */
/* memory_disk.h: a disk for tests: rows in memory that outlive the store, commits that can be held and made to fail.
 *
 * Everything is under the lock: the store's thread commits, the test looks and steers. */
#ifndef TESTS_UNIT_KUBE_STORE_MEMORY_DISK_H
#define TESTS_UNIT_KUBE_STORE_MEMORY_DISK_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "kube/store/disk.h"

struct memory_row {
    char *key; /* "kind/namespace/name" */
    char *text;
};

struct memory_disk {
    struct store_disk disk;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct memory_row *rows;
    size_t row_count;
    uint64_t version;
    unsigned entered;    /* commits that began */
    unsigned last_count; /* changes in the newest of them */
    bool is_held;        /* a commit waits until it is let go */
    unsigned let_go;
    unsigned left; /* commits that ended */
    int error;     /* of the commits that end from now on */
    int load_error;
    bool is_closed;
};

static inline struct memory_disk *memory_disk_of(struct store_disk *disk)
{
    return container_of(disk, struct memory_disk, disk);
}

static inline struct memory_row *memory_disk_find(struct memory_disk *disk, const char *key)
{
    for (size_t i = 0; i < disk->row_count; i++) {
        if (strcmp(disk->rows[i].key, key) == 0)
            return &disk->rows[i];
    }
    return NULL;
}

static inline void memory_disk_put(struct memory_disk *disk, const char *key, struct bytes text)
{
    struct memory_row *row = memory_disk_find(disk, key);
    if (row == NULL) {
        disk->rows = must(realloc(disk->rows, (disk->row_count + 1) * sizeof *disk->rows));
        row = &disk->rows[disk->row_count++];
        *row = (struct memory_row){.key = must(strdup(key))};
    }
    free(row->text);
    row->text = must(strndup(text.data, text.len));
}

static inline void memory_disk_remove(struct memory_disk *disk, const char *key)
{
    struct memory_row *row = memory_disk_find(disk, key);
    if (row == NULL)
        return;
    free(row->key);
    free(row->text);
    *row = disk->rows[--disk->row_count];
}

static inline int memory_disk_load(struct store_disk *store_disk, void (*on_object)(void *context, struct bytes text),
                                   void *context, uint64_t *ret_version, char error[300])
{
    struct memory_disk *disk = memory_disk_of(store_disk);
    if (disk->load_error != 0) {
        snprintf(error, 300, "the memory is damaged");
        return disk->load_error;
    }
    for (size_t i = 0; i < disk->row_count; i++)
        on_object(context, bytes_of(disk->rows[i].text));
    *ret_version = disk->version;
    return 0;
}

static inline void memory_disk_apply(struct memory_disk *disk, const struct disk_change *changes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char key[600];
        snprintf(key, sizeof key, "%s/%s/%s", changes[i].kind, changes[i].namespace_, changes[i].name);
        if (changes[i].text.len > 0)
            memory_disk_put(disk, key, changes[i].text);
        else
            memory_disk_remove(disk, key);
    }
}

static inline int memory_disk_commit(struct store_disk *store_disk, const struct disk_change *changes, unsigned count,
                                     uint64_t version)
{
    struct memory_disk *disk = memory_disk_of(store_disk);
    pthread_mutex_lock(&disk->lock);
    disk->entered++;
    disk->last_count = count;
    pthread_cond_broadcast(&disk->changed);
    while (disk->is_held && disk->let_go == 0)
        pthread_cond_wait(&disk->changed, &disk->lock);
    if (disk->is_held)
        disk->let_go--;
    int error = disk->error;
    if (error == 0) {
        memory_disk_apply(disk, changes, count);
        disk->version = version;
    }
    disk->left++;
    pthread_cond_broadcast(&disk->changed);
    pthread_mutex_unlock(&disk->lock);
    return error;
}

static inline uint64_t memory_disk_size_bytes(struct store_disk *store_disk)
{
    struct memory_disk *disk = memory_disk_of(store_disk);
    uint64_t size = 0;
    pthread_mutex_lock(&disk->lock);
    for (size_t i = 0; i < disk->row_count; i++)
        size += strlen(disk->rows[i].text);
    pthread_mutex_unlock(&disk->lock);
    return size;
}

static inline void memory_disk_close(struct store_disk *store_disk)
{
    memory_disk_of(store_disk)->is_closed = true;
}

static inline void memory_disk_init(struct memory_disk *disk)
{
    static const struct store_disk_ops ops = {.load = memory_disk_load,
                                              .commit = memory_disk_commit,
                                              .size_bytes = memory_disk_size_bytes,
                                              .close = memory_disk_close};
    *disk = (struct memory_disk){.disk.ops = &ops};
    if (pthread_mutex_init(&disk->lock, NULL) != 0 || pthread_cond_init(&disk->changed, NULL) != 0)
        abort();
}

static inline void memory_disk_deinit(struct memory_disk *disk)
{
    while (disk->row_count > 0)
        memory_disk_remove(disk, disk->rows[0].key);
    free(disk->rows);
    pthread_cond_destroy(&disk->changed);
    pthread_mutex_destroy(&disk->lock);
}

/* From now on a commit waits in the middle. */
static inline void memory_disk_hold(struct memory_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    disk->is_held = true;
    pthread_mutex_unlock(&disk->lock);
}

/* Until that many commits have begun since the start.  Returns how many changes the newest has. */
static inline unsigned memory_disk_await_commit(struct memory_disk *disk, unsigned entered)
{
    pthread_mutex_lock(&disk->lock);
    while (disk->entered < entered)
        pthread_cond_wait(&disk->changed, &disk->lock);
    unsigned count = disk->last_count;
    pthread_mutex_unlock(&disk->lock);
    return count;
}

/* Lets the commit that is held go, with this result, and waits for its end; the next one is held again. */
static inline void memory_disk_let_go(struct memory_disk *disk, int error)
{
    pthread_mutex_lock(&disk->lock);
    disk->error = error;
    disk->let_go++;
    pthread_cond_broadcast(&disk->changed);
    for (unsigned left = disk->left; disk->left == left;)
        pthread_cond_wait(&disk->changed, &disk->lock);
    pthread_mutex_unlock(&disk->lock);
}

/* No commit waits any more; all have this result. */
static inline void memory_disk_release(struct memory_disk *disk, int error)
{
    pthread_mutex_lock(&disk->lock);
    disk->error = error;
    disk->is_held = false;
    disk->let_go = 0;
    pthread_cond_broadcast(&disk->changed);
    pthread_mutex_unlock(&disk->lock);
}

#endif
