/* SPDX-License-Identifier: Apache-2.0 */
/* store_feed.c: which kinds matter to routing, and how.  The cache holds those and no others. */
#include "control/store_feed.h"

#include <string.h>

#include "kube/api/canary.h"
#include "route/compile.h"

enum role { ROLE_NONE, ROLE_CONFIG, ROLE_MEMBERS };

/* Deployments and ReplicaSets are read by their controllers, from the store. */
static enum role role_of(enum kube_kind kind)
{
    static const enum role roles[KUBE_KIND_COUNT] = {
        [KUBE_POD] = ROLE_MEMBERS,
        [KUBE_ENDPOINT_SLICE] = ROLE_MEMBERS,
        [KUBE_CONFIG_MAP] = ROLE_MEMBERS, /* a pool's picker configuration; no route's */
        [KUBE_NAMESPACE] = ROLE_CONFIG,   /* its labels: allowedRoutes.namespaces.selector */
        [KUBE_SERVICE] = ROLE_CONFIG,
        [KUBE_GATEWAY_CLASS] = ROLE_CONFIG,
        [KUBE_GATEWAY] = ROLE_CONFIG,
        [KUBE_HTTP_ROUTE] = ROLE_CONFIG,
        [KUBE_REFERENCE_GRANT] = ROLE_CONFIG,
        [KUBE_INFERENCE_POOL] = ROLE_CONFIG,
        [KUBE_INFERENCE_POOL_X] = ROLE_CONFIG,
        [KUBE_INFERENCE_MODEL] = ROLE_CONFIG,
        [KUBE_SECRET] = ROLE_CONFIG, /* tokens of pins */
        [KUBE_MODEL_REWRITE_X] = ROLE_CONFIG,
        [KUBE_MODEL_REWRITE] = ROLE_CONFIG,
        [KUBE_OBJECTIVE_X] = ROLE_CONFIG,
        [KUBE_OBJECTIVE] = ROLE_CONFIG,
        [KUBE_CLIENT_TRAFFIC_POLICY] = ROLE_CONFIG,
        [KUBE_BACKEND_TRAFFIC_POLICY] = ROLE_CONFIG,
        [KUBE_CANARY] = ROLE_CONFIG,
    };
    return roles[kind];
}

static void load(struct store_feed *feed)
{
    for (unsigned i = 0; i < KUBE_KIND_COUNT; i++) {
        enum kube_kind kind = (enum kube_kind)i;
        if (role_of(kind) == ROLE_NONE)
            continue;
        struct store_cursor cursor = store_cursor_at(feed->store, kind, "", "", "");
        const struct stored *stored;
        while ((stored = store_next(feed->store, kind, &cursor)) != NULL)
            (void)object_cache_put(feed->cache, kube_object_take(stored->object));
    }
}

static enum object_change apply(struct store_feed *feed, const struct store_event *event)
{
    const struct kube_object *object = event->now->object;
    if (event->type == STORE_DELETED)
        return object_cache_remove(feed->cache, object->kind, object->namespace_, object->name);
    return object_cache_put(feed->cache, kube_object_take(object));
}

/* The one thing in a status that changes routes. */
static bool is_aborted(const struct stored *stored)
{
    return stored != NULL && stored->object->kind == KUBE_CANARY && canary_is_aborted(stored->object);
}

/* Of Secrets only the tokens of pins matter. */
static bool is_used(const struct store_feed *feed, const struct kube_object *object)
{
    size_t cursor = 0;
    const struct kube_object *canary;
    if (object->kind != KUBE_SECRET)
        return true;
    while ((canary = object_cache_next(feed->cache, KUBE_CANARY, &cursor)) != NULL) {
        const struct canary_spec *spec = canary->spec;
        if (spec->pin.header[0] != '\0' && strcmp(spec->pin.secret_name, object->name) == 0 &&
            strcmp(canary->namespace_, object->namespace_) == 0)
            return true;
    }
    return false;
}

static void take(struct store_feed *feed, const struct store_event *event, struct store_news *news)
{
    enum role role = role_of(event->now->object->kind);
    if (role == ROLE_NONE)
        return;
    bool is_abort_new = is_aborted(event->now) != is_aborted(event->before);
    enum object_change change = apply(feed, event);
    /* Statuses of routes and what they refer to are our own words; those of Pods say where they are and how. */
    if (role == ROLE_MEMBERS)
        news->is_members = news->is_members || change != OBJECT_UNCHANGED;
    else if (is_used(feed, event->now->object))
        news->is_config =
            news->is_config || is_abort_new || (change != OBJECT_UNCHANGED && change != OBJECT_STATUS_CHANGED);
}

static void on_events(struct store_watcher *watcher)
{
    struct store_feed *feed = container_of(watcher, struct store_feed, watcher);
    struct store_news news = {0};
    const struct store_event *event;
    /* The log keeps a batch until its watchers were told, whatever its limits: nothing can be missing. */
    while ((event = store_event_after(feed->store, feed->version)) != NULL) {
        take(feed, event, &news);
        feed->version = event->version;
    }
    feed->on_news(feed->context, news);
}

void store_feed_init(struct store_feed *feed, struct store *store, void (*on_news)(void *context, struct store_news),
                     void *context)
{
    *feed = (struct store_feed){.store = store, .cache = object_cache_new(), .on_news = on_news, .context = context};
    load(feed);
    feed->version = store_version(store);
    feed->watcher.on_events = on_events;
    store_watch(store, &feed->watcher);
}

void store_feed_deinit(struct store_feed *feed)
{
    if (feed->store == NULL)
        return;
    store_unwatch(&feed->watcher);
    object_cache_free(feed->cache);
    *feed = (struct store_feed){0};
}
