/* SPDX-License-Identifier: Apache-2.0 */
/* loaded.h: manifests read and compiled without a running gateway, for `check` and `explain`. */
#ifndef CLI_LOADED_H
#define CLI_LOADED_H

#include "control/file_source.h"
#include "route/compile.h"

struct loaded {
    struct arena *arena;
    struct problems problems; /* of reading and decoding, and of pools' settings */
    struct manifest manifest;
    struct object_cache *cache;
    struct pool_registry *pools;
    struct split_registry *splits;
    struct route_snapshot *snapshot; /* NULL when reading found problems */
    struct status_report *report;    /* the same */
    unsigned sockets;
};

void loaded_init(struct loaded *loaded, const char *const *files, unsigned count);
void loaded_deinit(struct loaded *loaded);

#endif
