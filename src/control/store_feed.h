/* SPDX-License-Identifier: Apache-2.0 */
/* store_feed.h: the store's durable objects as the cache that compiles read, kept up to date.  Control thread. */
#ifndef CONTROL_STORE_FEED_H
#define CONTROL_STORE_FEED_H

#include "kube/api/object_cache.h"
#include "kube/store/store.h"

/* What a batch of changes touches. */
struct store_news {
    bool is_config;  /* routes, or what they refer to: a new snapshot is needed */
    bool is_members; /* Pods, EndpointSlices: endpoints of pools come, go or change */
};

struct store_feed {
    struct store *store;
    struct object_cache *cache;
    uint64_t version; /* the newest change that is in the cache */
    struct store_watcher watcher;
    /* After each batch that became durable, also when it touches nothing of the above. */
    void (*on_news)(void *context, struct store_news news);
    void *context;
};

/* Everything that is durable is in the cache at once.  The store is borrowed. */
void store_feed_init(struct store_feed *feed, struct store *store, void (*on_news)(void *context, struct store_news),
                     void *context);
void store_feed_deinit(struct store_feed *feed);

#endif
