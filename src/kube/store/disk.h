/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h: what the store needs of durable memory.  SQLite fills it (sqlite_disk.c); tests fill it with one that fails
 * on demand.
 *
 * load() is called once, before the thread starts; commit() from the store's thread only. */
#ifndef KUBE_STORE_DISK_H
#define KUBE_STORE_DISK_H

#include <stdint.h>

#include "base/bytes.h"

struct store_disk;

/* One change: text empty = the object is removed. */
struct disk_change {
    const char *kind; /* "httproutes.gateway.networking.k8s.io"; core: "services" */
    const char *namespace_;
    const char *name;
    uint64_t version;
    struct bytes text; /* the whole object as JSON */
};

struct store_disk_ops {
    /* Every object, in any order, and the newest version ever given (0 at first).  0 or -errno with a sentence. */
    int (*load)(struct store_disk *disk, void (*on_object)(void *context, struct bytes text), void *context,
                uint64_t *ret_version, char error[300]);
    /* All or nothing, on stable storage when it returns.  version: the newest of the changes.  0, -ENOSPC, -EIO. */
    int (*commit)(struct store_disk *disk, const struct disk_change *changes, unsigned count, uint64_t version);
    uint64_t (*size_bytes)(struct store_disk *disk);
    void (*close)(struct store_disk *disk);
};

struct store_disk {
    const struct store_disk_ops *ops;
};

/* <path> in WAL mode with synchronous=FULL; made when missing, its schema version is checked.  NULL with a sentence in
 * error. */
struct store_disk *sqlite_disk_open(const char *path, char error[300]);

#endif
