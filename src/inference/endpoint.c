/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c: counted endpoints and their name lists.  Any thread; lists are built outside the lock and swapped in
 * whole, so that a pick waits for a few pointer writes at most.  Knows nothing of pools or of HTTP. */
#include "inference/endpoint.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "inference/prefix_hash.h"
#include "inference/prefix_index.h"

static void name_list_free(struct name_list *list)
{
    for (unsigned i = 0; i < list->len; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct name_list){0};
}

static void name_list_add(struct name_list *list, struct bytes name)
{
    list->names = must(reallocarray(list->names, list->len + 1u, sizeof *list->names));
    list->names[list->len++] = must(strndup(name.data, name.len));
}

static struct name_list name_list_of_csv(struct bytes csv)
{
    struct name_list list = {0};
    while (csv.len > 0) {
        size_t comma = bytes_find(csv, ',');
        struct bytes name = bytes_trim(bytes_make(csv.data, comma));
        if (name.len > 0)
            name_list_add(&list, name);
        csv = bytes_skip(csv, comma < csv.len ? comma + 1 : comma);
    }
    return list;
}

static bool name_list_has(const struct name_list *list, struct bytes name)
{
    for (unsigned i = 0; i < list->len; i++)
        if (bytes_equal_str(name, list->names[i]))
            return true;
    return false;
}

struct endpoint *endpoint_new(const char *ip, uint16_t port, const char *pod, bool is_checked)
{
    struct address address;
    if (!address_make(&address, bytes_of(ip), port))
        return NULL;
    struct endpoint *endpoint = must(aligned_alloc(_Alignof(struct endpoint), sizeof *endpoint));
    *endpoint = (struct endpoint){.address = address, .is_checked = is_checked, .prefix_owner = PREFIX_NO_OWNER};
    char text[ADDRESS_TEXT_SIZE];
    address_text(&address, text);
    endpoint->text = must(strdup(text));
    endpoint->pod = must(strdup(pod != NULL ? pod : ""));
    endpoint->identity = XXH64(endpoint->pod, strlen(endpoint->pod), XXH64(endpoint->text, strlen(endpoint->text), 0));
    atomic_init(&endpoint->load.is_healthy, true);
    atomic_init(&endpoint->users, 1);
    pthread_mutex_init(&endpoint->lock, NULL);
    return endpoint;
}

struct endpoint *endpoint_take(struct endpoint *endpoint)
{
    unsigned former = atomic_fetch_add_explicit(&endpoint->users, 1, memory_order_relaxed);
    assert(former > 0);
    (void)former;
    return endpoint;
}

void endpoint_give_back(struct endpoint *endpoint)
{
    /* Release: what this thread did with it comes before its end; acquire: and is seen by who ends it. */
    unsigned former = atomic_fetch_sub_explicit(&endpoint->users, 1, memory_order_acq_rel);
    assert(former > 0);
    if (former > 1)
        return;
    name_list_free(&endpoint->running_loras);
    name_list_free(&endpoint->waiting_loras);
    name_list_free(&endpoint->models);
    pthread_mutex_destroy(&endpoint->lock);
    free(endpoint->metric_names);
    free(endpoint->text);
    free(endpoint->pod);
    free(endpoint->labels);
    free(endpoint);
}

void endpoint_set_revision(struct endpoint *endpoint, const char *revision)
{
    snprintf(endpoint->revision, sizeof endpoint->revision, "%s", revision != NULL ? revision : "");
}

bool endpoint_is_usable(const struct endpoint *endpoint)
{
    return atomic_load_explicit(&endpoint->load.is_ready, memory_order_relaxed) &&
           atomic_load_explicit(&endpoint->load.is_healthy, memory_order_relaxed);
}

uint64_t adapter_hash(struct bytes name)
{
    return XXH3_64bits(name.data, name.len) | 1;
}

/* A reader beside this may see some of the old names and some of the new ones: for one pick it does not matter. */
static void set_names(struct adapter_names *names, const struct name_list *list)
{
    unsigned count = list->len < ADAPTER_NAMES_MAX ? list->len : ADAPTER_NAMES_MAX;
    for (unsigned i = 0; i < count; i++)
        atomic_store_explicit(&names->hashes[i], adapter_hash(bytes_of(list->names[i])), memory_order_relaxed);
    atomic_store_explicit(&names->count, count, memory_order_relaxed);
}

bool adapter_names_have(const struct adapter_names *names, uint64_t hash)
{
    unsigned count = atomic_load_explicit(&names->count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        if (atomic_load_explicit(&names->hashes[i], memory_order_relaxed) == hash)
            return true;
    return false;
}

void endpoint_set_loras(struct endpoint *endpoint, struct bytes running_csv, struct bytes waiting_csv)
{
    struct name_list running = name_list_of_csv(running_csv);
    struct name_list waiting = name_list_of_csv(waiting_csv);
    set_names(&endpoint->adapters.running, &running);
    set_names(&endpoint->adapters.waiting, &waiting);
    pthread_mutex_lock(&endpoint->lock);
    struct name_list former_running = endpoint->running_loras;
    struct name_list former_waiting = endpoint->waiting_loras;
    endpoint->running_loras = running;
    endpoint->waiting_loras = waiting;
    pthread_mutex_unlock(&endpoint->lock);
    name_list_free(&former_running);
    name_list_free(&former_waiting);
}

void endpoint_set_models(struct endpoint *endpoint, const struct bytes *names, unsigned count)
{
    struct name_list models = {0};
    for (unsigned i = 0; i < count; i++)
        name_list_add(&models, names[i]);
    pthread_mutex_lock(&endpoint->lock);
    struct name_list former = endpoint->models;
    endpoint->models = models;
    pthread_mutex_unlock(&endpoint->lock);
    name_list_free(&former);
}

void endpoint_set_metric_names(struct endpoint *endpoint, const char *text)
{
    bool has_any = text != NULL && text[0] != '\0';
    pthread_mutex_lock(&endpoint->lock);
    bool is_same = has_any ? endpoint->metric_names != NULL && strcmp(endpoint->metric_names, text) == 0
                           : endpoint->metric_names == NULL;
    if (!is_same) {
        free(endpoint->metric_names);
        endpoint->metric_names = has_any ? must(strdup(text)) : NULL;
        atomic_fetch_add_explicit(&endpoint->metric_names_changes, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&endpoint->lock);
}

static void set_prefix_capacity(struct endpoint *endpoint)
{
    uint64_t tokens = atomic_load_explicit(&endpoint->fixed_prefix_tokens, memory_order_relaxed);
    if (tokens == 0)
        tokens = atomic_load_explicit(&endpoint->load.kv_tokens, memory_order_relaxed);
    uint64_t units = tokens / PREFIX_UNIT_TOKENS;
    if (endpoint->prefix_owner != PREFIX_NO_OWNER && units > 0)
        prefix_index_set_capacity(endpoint->prefixes, endpoint->prefix_owner,
                                  units < UINT32_MAX ? (uint32_t)units : UINT32_MAX);
}

void endpoint_set_kv_tokens(struct endpoint *endpoint, uint64_t tokens)
{
    if (atomic_exchange_explicit(&endpoint->load.kv_tokens, tokens, memory_order_relaxed) != tokens)
        set_prefix_capacity(endpoint);
}

void endpoint_fix_prefix_tokens(struct endpoint *endpoint, uint64_t tokens)
{
    if (atomic_exchange_explicit(&endpoint->fixed_prefix_tokens, tokens, memory_order_relaxed) != tokens)
        set_prefix_capacity(endpoint);
}

void endpoint_forget_prefixes(struct endpoint *endpoint)
{
    if (endpoint->prefix_owner != PREFIX_NO_OWNER)
        prefix_index_forget(endpoint->prefixes, endpoint->prefix_owner);
    atomic_store_explicit(&endpoint->work.taken_in, 0, memory_order_relaxed);
}

bool endpoint_has_lora(struct endpoint *endpoint, struct bytes name)
{
    pthread_mutex_lock(&endpoint->lock);
    bool has = name_list_has(&endpoint->running_loras, name) || name_list_has(&endpoint->waiting_loras, name);
    pthread_mutex_unlock(&endpoint->lock);
    return has;
}

bool endpoint_lists_model(struct endpoint *endpoint, struct bytes name)
{
    pthread_mutex_lock(&endpoint->lock);
    bool lists = name_list_has(&endpoint->models, name);
    pthread_mutex_unlock(&endpoint->lock);
    return lists;
}
