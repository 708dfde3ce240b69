/* SPDX-License-Identifier: Apache-2.0 */
/* warmup.c: counts endpoints; keeps a load per endpoint that lacks the adapter. */
#include "control/canaries/warmup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/log.h"
#include "control/canaries/adapter_load.h"

/* Adapters come from object stores: minutes, not seconds. */
enum { LOAD_TIMEOUT_MS = 300000, RETRY_MS = 5000, LISTED_MS = 10000, MAX_LOADS = 64 };

/* One endpoint that lacks the adapter. */
struct load {
    struct list link;
    struct warmup *warmup;
    struct endpoint *endpoint; /* counted */
    struct adapter_load call;
    uint64_t not_before_ms;
    bool has_failed;
};

struct warmup {
    struct reactor *reactor;
    struct list loads;
    unsigned load_count;
    char adapter[254];           /* that the loads are for */
    char error[WARMUP_TEXT_MAX]; /* the latest; "" */
};

struct warmup *warmup_new(struct reactor *reactor)
{
    struct warmup *warmup = must(calloc(1, sizeof *warmup));
    warmup->reactor = reactor;
    list_init(&warmup->loads);
    return warmup;
}

static void drop(struct load *load)
{
    list_remove(&load->link);
    load->warmup->load_count--;
    adapter_load_deinit(&load->call);
    endpoint_give_back(load->endpoint);
    free(load);
}

static void drop_all(struct warmup *warmup)
{
    while (!list_is_empty(&warmup->loads))
        drop(LIST_ENTRY(warmup->loads.next, struct load, link));
}

void warmup_free(struct warmup *warmup)
{
    if (warmup == NULL)
        return;
    drop_all(warmup);
    free(warmup);
}

/* Its list of models is read every two seconds: until then it is not asked again. */
static void on_loaded(struct adapter_load *call, const char *error)
{
    struct load *load = container_of(call, struct load, call);
    struct warmup *warmup = load->warmup;
    load->has_failed = error != NULL;
    load->not_before_ms = reactor_now_ms(warmup->reactor) + (error != NULL ? RETRY_MS : LISTED_MS);
    if (error == NULL) {
        log_info(load->endpoint->text, "loaded the adapter \"%s\"", warmup->adapter);
        warmup->error[0] = '\0';
        return;
    }
    snprintf(warmup->error, sizeof warmup->error, "%s: %s", load->endpoint->text, error);
    log_warn(load->endpoint->text, "cannot load the adapter \"%s\": %s", warmup->adapter, error);
}

static struct load *find_load(struct warmup *warmup, const struct endpoint *endpoint)
{
    for (struct list *at = warmup->loads.next; at != &warmup->loads; at = at->next) {
        struct load *load = LIST_ENTRY(at, struct load, link);
        if (load->endpoint == endpoint)
            return load;
    }
    return NULL;
}

static struct load *make_load(struct warmup *warmup, struct endpoint *endpoint)
{
    struct load *load = must(calloc(1, sizeof *load));
    load->warmup = warmup;
    load->endpoint = endpoint_take(endpoint);
    adapter_load_init(&load->call, warmup->reactor, on_loaded);
    list_push(&warmup->loads, &load->link);
    warmup->load_count++;
    return load;
}

static void ask_to_load(struct warmup *warmup, const struct warmup_wish *wish, struct endpoint *endpoint,
                        uint64_t now_ms)
{
    struct load *load = find_load(warmup, endpoint);
    if (load == NULL && warmup->load_count < MAX_LOADS)
        load = make_load(warmup, endpoint);
    if (load == NULL || adapter_load_is_running(&load->call) || now_ms < load->not_before_ms)
        return;
    adapter_load_start(&load->call, &endpoint->address, wish->adapter, wish->path, LOAD_TIMEOUT_MS);
}

/* The usable endpoints, counted, in the arena. */
static struct endpoint **take_usable(struct pool *pool, struct arena *arena, unsigned *ret_count)
{
    *ret_count = 0;
    pthread_mutex_lock(&pool->lock);
    struct endpoint **usable = ARENA_ARRAY(arena, struct endpoint *, pool->member_count + 1);
    for (unsigned i = 0; i < pool->member_count; i++) {
        if (endpoint_is_usable(pool->members[i]))
            usable[(*ret_count)++] = endpoint_take(pool->members[i]);
    }
    pthread_mutex_unlock(&pool->lock);
    return usable;
}

static void drop_removed(struct warmup *warmup)
{
    for (struct list *at = warmup->loads.next, *next; at != &warmup->loads; at = next) {
        struct load *load = LIST_ENTRY(at, struct load, link);
        next = at->next;
        if (atomic_load(&load->endpoint->load.is_removed))
            drop(load);
    }
}

static bool check_adapter(struct warmup *warmup, const struct warmup_wish *wish, bool may_load, uint64_t now_ms,
                          char text[WARMUP_TEXT_MAX])
{
    struct arena *arena = arena_new(0);
    unsigned count, resident = 0;
    struct endpoint **usable = take_usable(wish->pool, arena, &count);
    unsigned needed = wish->endpoints > 0 ? wish->endpoints : count > 0 ? count : 1;
    if (strcmp(warmup->adapter, wish->adapter) != 0) {
        drop_all(warmup);
        warmup->error[0] = '\0';
        snprintf(warmup->adapter, sizeof warmup->adapter, "%s", wish->adapter);
    }
    drop_removed(warmup);
    for (unsigned i = 0; i < count; i++)
        resident += endpoint_lists_model(usable[i], bytes_of(wish->adapter));
    unsigned wanted = resident < needed ? needed - resident : 0;
    for (unsigned i = 0; i < count; i++) {
        if (may_load && wanted > 0 && !endpoint_lists_model(usable[i], bytes_of(wish->adapter))) {
            ask_to_load(warmup, wish, usable[i], now_ms);
            wanted--;
        }
        endpoint_give_back(usable[i]);
    }
    snprintf(text, WARMUP_TEXT_MAX, "adapter \"%.80s\" is loaded on %u of %u endpoints%s%.120s", wish->adapter,
             resident, needed, warmup->error[0] != '\0' ? "; " : "", warmup->error);
    arena_free(arena);
    return resident >= needed;
}

static bool check_pool(const struct warmup_wish *wish, char text[WARMUP_TEXT_MAX])
{
    unsigned usable = pool_usable_count(wish->pool), needed = wish->endpoints > 0 ? wish->endpoints : 1;
    snprintf(text, WARMUP_TEXT_MAX, "pool \"%.80s\" has %u ready endpoints, %u are needed", wish->pool->name, usable,
             needed);
    return usable >= needed;
}

bool warmup_check(struct warmup *warmup, const struct warmup_wish *wish, bool may_load, uint64_t now_ms,
                  char text[WARMUP_TEXT_MAX])
{
    if (wish->pool == NULL) {
        snprintf(text, WARMUP_TEXT_MAX, "the canary's pool is not there yet");
        return false;
    }
    return wish->adapter != NULL ? check_adapter(warmup, wish, may_load, now_ms, text) : check_pool(wish, text);
}
