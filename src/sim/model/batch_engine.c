/* SPDX-License-Identifier: Apache-2.0 */
/* batch_engine.c: steps.  A step is planned when it begins (blocks for the next tokens, admissions, chunks), takes the
 * time that its work costs, and has its effects when it ends.
 *
 * All decoding sequences advance together, so that a step touches only those that need a block or end with it: a
 * sequence's phase is the step, modulo the block size, at which its last block is full.  Invariants: `running` is in
 * the order of admission; a running sequence prefills, decodes or is paused, and is on the list that says so; its lease
 * covers all tokens that are computed or planned.  One owner, one thread. */
#include "sim/model/batch_engine.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/model/batch_queue.h"

struct batch_engine {
    struct batch_config config;
    struct kv_blocks *blocks;
    struct lora_slots loras;
    struct batch_queue queue;
    struct list running;    /* the newest last */
    struct list prefilling; /* in the same order */
    struct list joining;    /* decode from the next step on */
    struct list *phases;    /* decoding; [config.block_tokens] */
    struct heap ends;       /* of decoding ones */
    uint32_t running_count;
    uint64_t step;           /* number of the one in progress, or of the next */
    uint64_t decoding_count; /* in the step */
    uint64_t context_tokens; /* that it decodes */
    uint64_t step_end_ns;    /* UINT64_MAX: no step in progress */
    uint64_t load_end_ns;    /* the first end of a load that somebody waits for; UINT64_MAX: none */
    struct batch_page page;  /* its waiting part is taken when a step begins: the scheduler has not seen later ones */
};

const struct batch_config batch_config_defaults = {
    .cost =
        {
            .step_ns = 6000000,
            .prefill_token_ns = 40000,
            .sequence_ns = 30000,
            .context_token_ns = 20,
            .slowdown_permille = 1000,
        },
    .lora = {.slots = 4, .host = 32, .host_ns = 800000000, .disk_ns = 4000000000},
    .block_tokens = 16,
    .block_count = 16384,
    .max_sequences = 256,
    .prefill_budget = 8192,
};

struct batch_engine *batch_engine_new(const struct batch_config *config)
{
    struct batch_engine *engine = must(calloc(1, sizeof *engine));
    engine->config = *config;
    engine->blocks = kv_blocks_new(config->block_count);
    lora_slots_init(&engine->loras, &config->lora);
    batch_queue_init(&engine->queue);
    list_init(&engine->running);
    list_init(&engine->prefilling);
    list_init(&engine->joining);
    engine->phases = must(calloc(config->block_tokens, sizeof *engine->phases));
    for (uint32_t i = 0; i < config->block_tokens; i++)
        list_init(&engine->phases[i]);
    heap_init(&engine->ends);
    engine->step_end_ns = engine->load_end_ns = UINT64_MAX;
    return engine;
}

void batch_engine_free(struct batch_engine *engine)
{
    if (engine == NULL)
        return;
    batch_queue_deinit(&engine->queue);
    kv_blocks_free(engine->blocks);
    heap_deinit(&engine->ends);
    free(engine->phases);
    free(engine);
}

static uint32_t blocks_for(const struct batch_engine *engine, uint32_t tokens)
{
    return (tokens + engine->config.block_tokens - 1) / engine->config.block_tokens;
}

static bool is_prefilling(const struct batch_sequence *sequence)
{
    return sequence->computed < sequence->target;
}

/* Names the blocks that are whole with so many tokens. */
static void name_blocks(struct batch_engine *engine, struct batch_sequence *sequence, uint32_t tokens)
{
    uint32_t whole = tokens / engine->config.block_tokens, named = sequence->lease.named;
    uint32_t end = whole < sequence->hash_count ? whole : sequence->hash_count;
    if (named < end)
        kv_blocks_name(engine->blocks, &sequence->lease, &sequence->hashes[named], end - named);
}

/* Decoding. */

static void start_decoding(struct batch_engine *engine, struct batch_sequence *sequence)
{
    uint32_t block_tokens = engine->config.block_tokens;
    uint32_t in_block = sequence->computed % block_tokens;
    sequence->is_decoding = true;
    sequence->joined_step = engine->step;
    list_remove(&sequence->work);
    list_push(&engine->phases[(engine->step + block_tokens - in_block) % block_tokens], &sequence->work);
    heap_push(&engine->ends, &sequence->end, engine->step + sequence->answer_tokens - sequence->generated - 1);
    engine->decoding_count++;
    engine->context_tokens += sequence->computed + 1;
}

uint32_t batch_engine_generated(const struct batch_engine *engine, const struct batch_sequence *sequence)
{
    return sequence->generated + (sequence->is_decoding ? (uint32_t)(engine->step - sequence->joined_step) : 0);
}

/* Brings its counts up to date and takes it out of the step.  The blocks of an answer get their names only now: nobody
 * asks for them before. */
static void stop_decoding(struct batch_engine *engine, struct batch_sequence *sequence)
{
    list_remove(&sequence->work);
    if (!sequence->is_decoding)
        return;
    uint32_t steps = (uint32_t)(engine->step - sequence->joined_step);
    sequence->generated += steps;
    sequence->computed += steps;
    sequence->is_decoding = false;
    heap_remove(&engine->ends, &sequence->end);
    engine->decoding_count--;
    engine->context_tokens -= sequence->computed + 1;
    name_blocks(engine, sequence, sequence->computed);
}

static void leave_slot(struct batch_sequence *sequence, uint64_t now_ns)
{
    if (sequence->slot == NULL)
        return;
    sequence->slot->running -= sequence->state == BATCH_RUNNING;
    lora_slots_give_back(sequence->slot, now_ns);
    sequence->slot = NULL;
}

/* Out of its place, with what it holds. */
static void leave(struct batch_engine *engine, struct batch_sequence *sequence, enum batch_state state, uint64_t now_ns)
{
    if (sequence->state == BATCH_RUNNING) {
        stop_decoding(engine, sequence);
        engine->running_count--;
        list_remove(&sequence->link);
    } else {
        batch_queue_remove(&engine->queue, sequence);
    }
    kv_blocks_give_back(engine->blocks, &sequence->lease);
    leave_slot(sequence, now_ns);
    sequence->state = state;
}

/* Beginning a step. */

/* Back to the head of the queue; what was computed is lost, but for what the cache keeps. */
static void preempt(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    leave(engine, sequence, BATCH_WAITING, now_ns);
    sequence->target = sequence->prompt_tokens + sequence->generated;
    sequence->computed = sequence->chunk = 0;
    sequence->preemptions++;
    batch_queue_put(&engine->queue, sequence, true);
}

/* A block for a sequence whose last one is full; the newest ones leave for it, in the end itself. */
static bool extend(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    bool had_room = true;
    while (!kv_blocks_extend(engine->blocks, &sequence->lease)) {
        struct batch_sequence *newest = LIST_ENTRY(engine->running.prev, struct batch_sequence, link);
        preempt(engine, newest, now_ns);
        had_room = false;
        if (newest == sequence)
            break;
    }
    return had_room;
}

/* False: somebody was preempted. */
static bool extend_phase(struct batch_engine *engine, uint64_t now_ns)
{
    struct list *phase = &engine->phases[engine->step % engine->config.block_tokens];
    struct list todo; /* preemptions may take others out of the list */
    list_init(&todo);
    bool had_room = true;
    while (!list_is_empty(phase))
        list_push(&todo, list_pop(phase));
    while (!list_is_empty(&todo)) {
        struct batch_sequence *sequence = LIST_ENTRY(list_pop(&todo), struct batch_sequence, work);
        list_push(phase, &sequence->work);
        had_room = extend(engine, sequence, now_ns) && had_room;
    }
    return had_room;
}

/* The next part of the prompt; what it computes can be found by others from now on, as in vLLM. */
static uint32_t plan_chunk(struct batch_engine *engine, struct batch_sequence *sequence, uint32_t budget)
{
    uint32_t left = sequence->target - sequence->computed;
    sequence->chunk = left < budget ? left : budget;
    name_blocks(engine, sequence, sequence->computed + sequence->chunk);
    return sequence->chunk;
}

/* False while it loads, and while all slots serve other adapters. */
static bool is_adapter_ready(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    if (sequence->adapter == 0)
        return true;
    if (sequence->slot == NULL)
        sequence->slot = lora_slots_take(&engine->loras, sequence->adapter, now_ns);
    if (sequence->slot == NULL || sequence->slot->ready_ns <= now_ns)
        return sequence->slot != NULL;
    if (sequence->slot->ready_ns < engine->load_end_ns)
        engine->load_end_ns = sequence->slot->ready_ns;
    return false;
}

/* The prompt's blocks, cached ones as far as they go; the last token is computed in any case, because it makes the
 * next one. */
static bool take_blocks(struct batch_engine *engine, struct batch_sequence *sequence)
{
    uint32_t findable = (sequence->target - 1) / engine->config.block_tokens;
    if (!kv_blocks_take(engine->blocks, &sequence->lease, sequence->hashes,
                        findable < sequence->hash_count ? findable : sequence->hash_count,
                        blocks_for(engine, sequence->target)))
        return false;
    sequence->computed = sequence->lease.named * engine->config.block_tokens;
    if (sequence->preemptions == 0)
        sequence->cached_tokens = sequence->computed;
    return true;
}

static void admit(struct batch_engine *engine, struct batch_sequence *sequence)
{
    batch_queue_remove(&engine->queue, sequence);
    list_push(&engine->running, &sequence->link);
    engine->running_count++;
    sequence->state = BATCH_RUNNING;
    if (sequence->slot != NULL)
        sequence->slot->running++;
    if (!sequence->is_paused)
        list_push(&engine->prefilling, &sequence->work);
}

/* First come, first served, but those that wait for an adapter are passed over. */
static void admit_waiting(struct batch_engine *engine, uint32_t budget, uint64_t now_ns)
{
    struct batch_lane *lane = NULL;
    struct batch_sequence *sequence;
    batch_queue_open(&engine->queue);
    while ((sequence = batch_queue_first(&engine->queue, &lane)) != NULL) {
        if (engine->running_count == engine->config.max_sequences ||
            (budget == 0 && engine->config.admits_within_budget))
            return;
        if (!is_adapter_ready(engine, sequence, now_ns)) {
            batch_queue_close(&engine->queue, lane);
            continue;
        }
        if (!take_blocks(engine, sequence))
            return;
        admit(engine, sequence);
        if (!sequence->is_paused)
            budget -= plan_chunk(engine, sequence, budget);
    }
}

static void note_waiting(struct batch_engine *engine)
{
    struct batch_page *page = &engine->page;
    page->waiting = engine->queue.count;
    page->waiting_adapter_count = batch_queue_adapters(&engine->queue, page->waiting_adapters, LORA_SLOTS_MAX);
}

static void note_running(struct batch_engine *engine)
{
    struct batch_page *page = &engine->page;
    double count = kv_blocks_count(engine->blocks);
    page->running = engine->running_count;
    page->kv_usage = (count - kv_blocks_unused(engine->blocks)) / count;
    page->running_adapter_count = 0;
    for (uint32_t i = 0; i < engine->loras.config.slots; i++)
        if (engine->loras.slot[i].running > 0)
            page->running_adapters[page->running_adapter_count++] = engine->loras.slot[i].adapter;
}

static uint64_t step_duration_ns(const struct batch_engine *engine, uint64_t prefill_tokens)
{
    const struct batch_cost *cost = &engine->config.cost;
    uint64_t ns = cost->step_ns + cost->prefill_token_ns * prefill_tokens + cost->sequence_ns * engine->decoding_count +
                  cost->context_token_ns * engine->context_tokens;
    return ns * cost->slowdown_permille / 1000;
}

static uint64_t planned_prefill_tokens(const struct batch_engine *engine)
{
    uint64_t tokens = 0;
    LIST_FOR_EACH (node, &engine->prefilling)
        tokens += LIST_ENTRY(node, struct batch_sequence, work)->chunk;
    return tokens;
}

static void begin_step(struct batch_engine *engine, uint64_t now_ns)
{
    engine->load_end_ns = UINT64_MAX;
    while (!list_is_empty(&engine->joining))
        start_decoding(engine, LIST_ENTRY(engine->joining.next, struct batch_sequence, work));
    bool had_room = extend_phase(engine, now_ns);
    uint32_t budget = engine->config.prefill_budget;
    LIST_FOR_EACH (node, &engine->prefilling)
        budget -= plan_chunk(engine, LIST_ENTRY(node, struct batch_sequence, work), budget);
    if (had_room)
        admit_waiting(engine, budget, now_ns);
    uint64_t prefill_tokens = planned_prefill_tokens(engine);
    bool has_work = prefill_tokens + engine->decoding_count > 0;
    engine->step_end_ns = has_work ? now_ns + step_duration_ns(engine, prefill_tokens) : UINT64_MAX;
    note_waiting(engine);
    if (!has_work)
        note_running(engine);
}

/* Ending a step. */

static void tell(struct batch_engine *engine, struct batch_sequence *sequence, enum batch_event event, uint64_t at_ns)
{
    if (engine->config.on_event != NULL)
        engine->config.on_event(sequence, event, at_ns, engine->config.context);
}

static void finish(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    sequence->last_token_ns = now_ns;
    leave(engine, sequence, BATCH_FINISHED, now_ns);
    tell(engine, sequence, BATCH_EVENT_FINISHED, now_ns);
}

/* The prompt's last chunk ran: a token came out. */
static void end_prefill(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    bool is_first = sequence->generated++ == 0;
    sequence->last_token_ns = now_ns;
    if (is_first)
        sequence->first_token_ns = now_ns;
    list_remove(&sequence->work);
    list_push(&engine->joining, &sequence->work);
    if (is_first)
        tell(engine, sequence, BATCH_EVENT_FIRST_TOKEN, now_ns);
    else if (engine->config.tells_every_token)
        tell(engine, sequence, BATCH_EVENT_TOKEN, now_ns);
    if (sequence->generated == sequence->answer_tokens)
        finish(engine, sequence, now_ns);
}

static void end_chunks(struct batch_engine *engine, uint64_t now_ns)
{
    LIST_FOR_EACH_SAFE (node, &engine->prefilling) {
        struct batch_sequence *sequence = LIST_ENTRY(node, struct batch_sequence, work);
        sequence->computed += sequence->chunk;
        bool has_ended = sequence->chunk > 0 && !is_prefilling(sequence);
        sequence->chunk = 0;
        if (has_ended)
            end_prefill(engine, sequence, now_ns);
    }
}

/* To those that decoded in the step and go on. */
static void tell_tokens(struct batch_engine *engine, uint64_t now_ns)
{
    LIST_FOR_EACH_SAFE (node, &engine->running) {
        struct batch_sequence *sequence = LIST_ENTRY(node, struct batch_sequence, link);
        if (!sequence->is_decoding)
            continue;
        sequence->last_token_ns = now_ns;
        tell(engine, sequence, BATCH_EVENT_TOKEN, now_ns);
    }
}

static void end_step(struct batch_engine *engine, uint64_t now_ns)
{
    engine->context_tokens += engine->decoding_count;
    engine->step++;
    for (struct heap_node *node; (node = heap_peek(&engine->ends)) != NULL && node->key < engine->step;) {
        struct batch_sequence *sequence = container_of(node, struct batch_sequence, end);
        if (engine->config.tells_every_token)
            tell(engine, sequence, BATCH_EVENT_TOKEN, now_ns);
        finish(engine, sequence, now_ns);
    }
    if (engine->config.tells_every_token)
        tell_tokens(engine, now_ns);
    end_chunks(engine, now_ns);
    engine->step_end_ns = UINT64_MAX;
    note_running(engine);
}

/* The life of a sequence. */

static void wake(struct batch_engine *engine, uint64_t now_ns)
{
    if (engine->step_end_ns == UINT64_MAX)
        begin_step(engine, now_ns);
}

bool batch_engine_submit(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    assert(sequence->state == BATCH_NEW && sequence->prompt_tokens > 0 && sequence->answer_tokens > 0);
    uint64_t tokens = (uint64_t)sequence->prompt_tokens + sequence->answer_tokens;
    if (tokens > (uint64_t)engine->config.block_count * engine->config.block_tokens ||
        (sequence->adapter != 0 && engine->loras.config.slots == 0))
        return false;
    sequence->state = BATCH_WAITING;
    sequence->submitted_ns = now_ns;
    sequence->target = sequence->prompt_tokens;
    list_init(&sequence->work);
    batch_queue_put(&engine->queue, sequence, false);
    wake(engine, now_ns);
    return true;
}

void batch_engine_abort(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    if (sequence->state != BATCH_WAITING && sequence->state != BATCH_RUNNING)
        return;
    leave(engine, sequence, BATCH_ABORTED, now_ns);
    wake(engine, now_ns);
}

void batch_engine_pause(struct batch_engine *engine, struct batch_sequence *sequence)
{
    if (sequence->state == BATCH_RUNNING)
        stop_decoding(engine, sequence);
    sequence->chunk = 0;
    sequence->is_paused = true;
}

void batch_engine_resume(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns)
{
    if (!sequence->is_paused)
        return;
    sequence->is_paused = false;
    if (sequence->state == BATCH_RUNNING)
        list_push(is_prefilling(sequence) ? &engine->prefilling : &engine->joining, &sequence->work);
    wake(engine, now_ns);
}

uint64_t batch_engine_next_ns(const struct batch_engine *engine)
{
    return engine->step_end_ns != UINT64_MAX ? engine->step_end_ns : engine->load_end_ns;
}

void batch_engine_advance(struct batch_engine *engine, uint64_t now_ns)
{
    for (uint64_t at_ns; (at_ns = batch_engine_next_ns(engine)) <= now_ns && at_ns != UINT64_MAX;) {
        if (engine->step_end_ns != UINT64_MAX)
            end_step(engine, at_ns);
        begin_step(engine, at_ns);
    }
}

uint32_t batch_engine_running(const struct batch_engine *engine)
{
    return engine->running_count;
}

uint32_t batch_engine_waiting(const struct batch_engine *engine)
{
    return engine->queue.count;
}

const struct batch_page *batch_engine_page(const struct batch_engine *engine)
{
    return &engine->page;
}
