/* SPDX-License-Identifier: Apache-2.0 */
/* policy_serin.c: the product's own scheduler on a pool of endpoints that nobody connects to: what the scraper would
 * store is stored here, what the proxy would tell is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inference/prefix_hash.h"
#include "inference/schedule/scheduler.h"
#include "policy.h"

enum { HASHES_MAX = 4096, UNIT_BLOCKS = PREFIX_UNIT_TOKENS / TRACE_BLOCK_TOKENS };

struct serin {
    unsigned endpoints;
    struct blindness blind;
    struct pool_registry *registry;
    struct pool *pool;
    struct random_state random;
    uint64_t applied_ns[64];
    struct batch_page applied[64];
    uint64_t hashes[HASHES_MAX];
};

static void *serin_new(const struct policy_setup *setup)
{
    struct serin *serin = must(calloc(1, sizeof *serin));
    struct pool_member members[64];
    char ips[64][16];
    serin->endpoints = setup->endpoints;
    serin->blind = setup->blind;
    random_seed(&serin->random, setup->seed * 31 + 7);
    serin->registry = pool_registry_new();
    serin->pool = pool_registry_take(serin->registry, false, "default", "bench", 0);
    for (unsigned i = 0; i < setup->endpoints; i++) {
        snprintf(ips[i], sizeof ips[i], "127.0.0.%u", i + 1);
        members[i] = (struct pool_member){.ip = ips[i], .port = 8000, .pod = "default/p", .is_ready = true};
    }
    pool_set_members(serin->pool, members, setup->endpoints, NULL);
    schedule_set_profile(serin->pool, setup->profile);
    for (unsigned i = 0; i < setup->endpoints; i++) {
        const struct batch_config *engine = &setup->engines[i];
        endpoint_set_kv_tokens(serin->pool->members[i], (uint64_t)engine->block_count * engine->block_tokens);
        atomic_store(&serin->pool->members[i]->load.max_loras, engine->lora.slots);
    }
    return serin;
}

static void serin_free(void *state)
{
    struct serin *serin = state;
    pool_give_back(serin->pool);
    pool_registry_free(serin->registry);
    free(serin);
}

static struct bytes adapter_names(const uint64_t *adapters, unsigned count, char *text, size_t size)
{
    size_t len = 0;
    for (unsigned i = 0; i < count && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%sadapter-%u", i > 0 ? "," : "", (unsigned)adapters[i]);
    return bytes_make(text, len);
}

static bool has_same_adapters(const struct batch_page *a, const struct batch_page *b)
{
    return a->running_adapter_count == b->running_adapter_count &&
           a->waiting_adapter_count == b->waiting_adapter_count &&
           memcmp(a->running_adapters, b->running_adapters, a->running_adapter_count * sizeof(uint64_t)) == 0 &&
           memcmp(a->waiting_adapters, b->waiting_adapters, a->waiting_adapter_count * sizeof(uint64_t)) == 0;
}

static void apply(struct serin *serin, unsigned i, const struct view *view)
{
    struct endpoint *endpoint = serin->pool->members[i];
    const struct batch_page *page = &view->page;
    char running[LORA_SLOTS_MAX * 20], waiting[LORA_SLOTS_MAX * 20];
    if (serin->applied_ns[i] == view->scraped_ns)
        return;
    serin->applied_ns[i] = view->scraped_ns;
    atomic_store(&endpoint->load.scraped_ms, view->scraped_ns / 1000000 + 1);
    atomic_store(&endpoint->load.waiting, page->waiting);
    atomic_store(&endpoint->load.running, page->running);
    atomic_store(&endpoint->load.kv_permille, (unsigned)(page->kv_usage * 1000 + 0.5));
    if (has_same_adapters(page, &serin->applied[i]))
        return;
    serin->applied[i] = *page;
    endpoint_set_loras(endpoint,
                       adapter_names(page->running_adapters, page->running_adapter_count, running, sizeof running),
                       adapter_names(page->waiting_adapters, page->waiting_adapter_count, waiting, sizeof waiting));
}

static uint64_t to_ms(uint64_t ns)
{
    return ns / 1000000;
}

static unsigned serin_pick(void *state, struct call *call, const struct view *const *views, uint64_t now_ns)
{
    struct serin *serin = state;
    const struct batch_sequence *sequence = &call->sequence;
    unsigned blocks = prefix_blocks(sequence->prompt_tokens / PREFIX_UNIT_TOKENS);
    blocks = blocks < HASHES_MAX ? blocks : HASHES_MAX;
    char model[32] = "base";
    if (sequence->adapter != 0)
        snprintf(model, sizeof model, "adapter-%u", (unsigned)sequence->adapter);
    for (unsigned i = 0; i < blocks; i++)
        serin->hashes[i] = sequence->hashes[prefix_units(i + 1) * UNIT_BLOCKS - 1] ^ sequence->adapter << 1;
    for (unsigned i = 0; i < serin->endpoints; i++)
        apply(serin, i, views[i]);
    struct pick_request request = {
        .target_model = bytes_of(model),
        .prefix_hashes = serin->hashes,
        .prefix_count = serin->blind.prefix ? 0 : blocks,
        .prompt_tokens = sequence->prompt_tokens,
        .now_ms = to_ms(now_ns),
        .random = random_next(&serin->random),
    };
    struct pick_ticket *ticket = must(malloc(sizeof *ticket));
    struct endpoint *endpoint = schedule_pick(serin->pool, &request, ticket);
    call->ticket = ticket;
    if (serin->blind.pending)
        schedule_first_token(ticket, to_ms(now_ns));
    unsigned picked = 0;
    while (serin->pool->members[picked] != endpoint)
        picked++;
    return picked;
}

static void serin_first_token(void *state, struct call *call, uint64_t now_ns)
{
    (void)state;
    schedule_first_token(call->ticket, to_ms(now_ns));
}

static void serin_finished(void *state, struct call *call, uint64_t now_ns)
{
    struct serin *serin = state;
    schedule_release(call->ticket, to_ms(now_ns), call->sequence.generated);
    endpoint_give_back(serin->pool->members[call->endpoint]);
    free(call->ticket);
}

const struct policy policy_serin = {
    .name = "serin",
    .new = serin_new,
    .free = serin_free,
    .pick = serin_pick,
    .on_first_token = serin_first_token,
    .on_finished = serin_finished,
};
