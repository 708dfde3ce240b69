/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: counted pools, their registry and their members.
 *
 * The registry and all changes of members belong to the control thread; picks on other threads read the member list
 * under pool->lock.  A removed endpoint is marked and lives on until its last exchange gives it back. */
#include "inference/pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hashmap.h"

struct pool_registry {
    struct hashmap *by_key;
    struct prefix_index *prefixes;
};

struct pool_registry *pool_registry_new(void)
{
    struct pool_registry *registry = must(calloc(1, sizeof *registry));
    registry->by_key = hashmap_new();
    registry->prefixes = prefix_index_new(POOL_PREFIX_OWNERS, POOL_PREFIX_ENTRIES);
    return registry;
}

/* Its number in the prefix index may go to another endpoint while exchanges still hold this one: a prompt that is noted
 * under the wrong endpoint costs a hint, no more. */
static void drop_endpoint(struct pool *pool, struct endpoint *endpoint)
{
    if (endpoint->prefix_owner != PREFIX_NO_OWNER)
        prefix_index_remove_owner(pool->prefixes, endpoint->prefix_owner);
    atomic_store_explicit(&endpoint->load.is_removed, true, memory_order_release);
    endpoint_give_back(endpoint);
}

static void pool_free(struct pool *pool)
{
    for (unsigned i = 0; i < pool->member_count; i++)
        drop_endpoint(pool, pool->members[i]);
    free(pool->members);
    if (pool->schedule != NULL)
        pool->schedule_free(pool->schedule);
    if (pool->gate != NULL)
        pool->gate_free(pool->gate);
    pthread_mutex_destroy(&pool->lock);
    free(pool->key);
    free(pool->namespace_);
    free(pool->name);
    free(pool);
}

void pool_registry_free(struct pool_registry *registry)
{
    if (registry == NULL)
        return;
    size_t cursor = 0;
    for (struct pool *pool; (pool = pool_registry_next(registry, &cursor)) != NULL;)
        pool_free(pool);
    hashmap_free(registry->by_key);
    prefix_index_free(registry->prefixes);
    free(registry);
}

static struct pool *pool_new(char *key, bool is_service, const char *namespace_, const char *name)
{
    struct pool *pool = must(calloc(1, sizeof *pool));
    pool->key = key;
    pool->namespace_ = must(strdup(namespace_));
    pool->name = must(strdup(name));
    pool->is_service = is_service;
    atomic_init(&pool->users, 0);
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

static char *pool_key(bool is_service, const char *namespace_, const char *name, uint16_t service_port)
{
    char *key = NULL;
    int len = is_service ? asprintf(&key, "service/%s/%s:%u", namespace_, name, (unsigned)service_port)
                         : asprintf(&key, "pool/%s/%s", namespace_, name);
    if (len < 0)
        abort();
    return key;
}

struct pool *pool_registry_take(struct pool_registry *registry, bool is_service, const char *namespace_,
                                const char *name, uint16_t service_port)
{
    char *key = pool_key(is_service, namespace_, name, service_port);
    struct pool *pool = hashmap_get(registry->by_key, bytes_of(key));
    if (pool == NULL) {
        pool = pool_new(key, is_service, namespace_, name);
        pool->service_port = service_port;
        pool->prefixes = registry->prefixes;
        hashmap_put(registry->by_key, bytes_of(pool->key), pool);
    } else {
        free(key);
    }
    pool_take(pool);
    return pool;
}

void pool_take(struct pool *pool)
{
    atomic_fetch_add_explicit(&pool->users, 1, memory_order_relaxed);
}

void pool_give_back(struct pool *pool)
{
    unsigned former = atomic_fetch_sub_explicit(&pool->users, 1, memory_order_release);
    assert(former > 0);
    (void)former;
}

/* A pool at 0 users stays there: only the control thread, which is here now, can find it again. */
static struct pool *find_unused(const struct pool_registry *registry)
{
    size_t cursor = 0;
    for (struct pool *pool; (pool = pool_registry_next(registry, &cursor)) != NULL;)
        if (atomic_load_explicit(&pool->users, memory_order_acquire) == 0)
            return pool;
    return NULL;
}

void pool_registry_sweep(struct pool_registry *registry)
{
    for (struct pool *pool; (pool = find_unused(registry)) != NULL;) {
        hashmap_remove(registry->by_key, bytes_of(pool->key));
        pool_free(pool);
    }
}

struct pool *pool_registry_next(const struct pool_registry *registry, size_t *cursor)
{
    struct bytes key;
    void *value;
    return hashmap_next(registry->by_key, cursor, &key, &value) ? value : NULL;
}

/* Who it is: the address, and the pod behind it.  Another pod on a reused address is another server: what was measured
 * of the former one says nothing about it. */
static bool is_same(const struct endpoint *endpoint, const struct address *address, const struct pool_member *member)
{
    return address_equal(&endpoint->address, address) && endpoint->is_checked == member->is_checked &&
           strcmp(endpoint->pod, member->pod != NULL ? member->pod : "") == 0;
}

static struct endpoint *find_same(const struct pool *pool, const struct address *address,
                                  const struct pool_member *member)
{
    for (unsigned i = 0; i < pool->member_count; i++)
        if (is_same(pool->members[i], address, member))
            return pool->members[i];
    return NULL;
}

static bool contains(struct endpoint *const *list, unsigned count, const struct endpoint *endpoint)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i] == endpoint)
            return true;
    return false;
}

static bool has_address(struct endpoint *const *list, unsigned count, const struct address *address)
{
    for (unsigned i = 0; i < count; i++)
        if (address_equal(&list[i]->address, address))
            return true;
    return false;
}

/* Labels may change while a pod runs, and picks read them. */
static void set_labels(struct pool *pool, struct endpoint *endpoint, const char *labels)
{
    const char *wanted = labels != NULL ? labels : "", *former = endpoint->labels != NULL ? endpoint->labels : "";
    if (strcmp(wanted, former) == 0)
        return;
    char *copy = must(strdup(wanted));
    pthread_mutex_lock(&pool->lock);
    char *old = endpoint->labels;
    endpoint->labels = copy;
    pthread_mutex_unlock(&pool->lock);
    free(old);
}

/* The next member list: known endpoints moved over, others made.  Addresses that are none or stand twice are left out.
 */
static unsigned collect(struct pool *pool, const struct pool_member *members, unsigned count,
                        struct endpoint **ret_list)
{
    unsigned len = 0;
    for (unsigned i = 0; i < count; i++) {
        struct address address;
        if (!address_make(&address, bytes_of(members[i].ip), members[i].port) || has_address(ret_list, len, &address))
            continue;
        struct endpoint *endpoint = find_same(pool, &address, &members[i]);
        if (endpoint == NULL) {
            endpoint = must(endpoint_new(members[i].ip, members[i].port, members[i].pod, members[i].is_checked));
            endpoint_set_revision(endpoint, members[i].revision);
            endpoint->prefixes = pool->prefixes;
            if (!pool->is_service)
                endpoint->prefix_owner = prefix_index_add_owner(pool->prefixes, POOL_PREFIX_CAPACITY);
        }
        set_labels(pool, endpoint, members[i].labels);
        atomic_store_explicit(&endpoint->load.is_ready, members[i].is_ready, memory_order_relaxed);
        ret_list[len++] = endpoint;
    }
    return len;
}

/* Only the control thread changes the list, so it may read it without the lock. */
void pool_set_members(struct pool *pool, const struct pool_member *members, unsigned count,
                      const struct pool_change *change)
{
    struct endpoint **former = pool->members;
    unsigned former_count = pool->member_count;
    struct endpoint **list = must(calloc(count + 1u, sizeof(struct endpoint *)));
    unsigned len = collect(pool, members, count, list);

    pthread_mutex_lock(&pool->lock);
    pool->members = list;
    pool->member_count = len;
    pthread_mutex_unlock(&pool->lock);

    for (unsigned i = 0; i < len && change != NULL && change->on_added != NULL; i++)
        if (!contains(former, former_count, list[i]))
            change->on_added(change->context, pool, list[i]);
    for (unsigned i = 0; i < former_count; i++)
        if (!contains(list, len, former[i]))
            drop_endpoint(pool, former[i]);
    free(former);
}

bool pool_lists_model(struct pool *pool, struct bytes model)
{
    bool lists = false;
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count && !lists; i++)
        lists = endpoint_lists_model(pool->members[i], model);
    pthread_mutex_unlock(&pool->lock);
    return lists;
}

unsigned pool_usable_count(struct pool *pool)
{
    unsigned usable = 0;
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count; i++)
        usable += endpoint_is_usable(pool->members[i]) ? 1 : 0;
    pthread_mutex_unlock(&pool->lock);
    return usable;
}
