/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: admission first come first served, a slot per running sequence, a heap of due times.
 *
 * A sequence whose adapter finds no LoRA slot is stepped over: those behind it that can run do (as vLLM does). */
#include "sim/engine.h"

#include <assert.h>
#include <stdlib.h>

#include "base/random.h"
#include "sim/latency_model.h"

#define MAX_GATES        32 /* bits of sequence.passed_gates */
#define BLOCK_TOKENS     16
#define MAX_BATCH_BLOCKS (1 << 20) /* 32 bytes each */

struct gate {
    uint64_t after_tokens;
    uint64_t left; /* sequences still to stop; 0 = the place is free */
};

struct engine {
    struct engine_config config;
    struct random_state random;
    struct heap due;
    struct list waiting_list, running_list, held_list;
    unsigned running, waiting, held;
    unsigned adapters_running; /* distinct ones */
    uint64_t kv_tokens;
    struct gate gates[MAX_GATES];
    unsigned gate_count;        /* highest place in use + 1 */
    struct batch_engine *batch; /* NULL until the first sequence that runs there */
    struct batch_config batch_config;
};

struct engine *engine_new(const struct engine_config *config)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        abort();
    engine->config = *config;
    random_seed(&engine->random, config->seed);
    heap_init(&engine->due);
    list_init(&engine->waiting_list);
    list_init(&engine->running_list);
    list_init(&engine->held_list);
    return engine;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    batch_engine_free(engine->batch);
    heap_deinit(&engine->due);
    free(engine);
}

static struct latency_load load_of(const struct engine *engine)
{
    return (struct latency_load){engine->running, engine->config.max_num_seqs};
}

static void schedule(struct engine *engine, struct sequence *sequence, uint64_t due_us)
{
    sequence->due_us = due_us;
    heap_push(&engine->due, &sequence->due, due_us);
}

static bool may_start(const struct engine *engine, const struct sequence *sequence)
{
    if (sequence->adapter == NULL || sequence->adapter->running > 0)
        return true;
    return engine->adapters_running < engine->config.max_loras;
}

static void start(struct engine *engine, struct sequence *sequence, uint64_t now_us)
{
    list_remove(&sequence->link);
    engine->waiting--;
    if (sequence->adapter != NULL) {
        sequence->adapter->waiting--;
        if (sequence->adapter->running++ == 0)
            engine->adapters_running++;
    }
    list_push(&engine->running_list, &sequence->link);
    engine->running++;
    engine->kv_tokens += sequence->prompt_tokens;
    sequence->state = SEQUENCE_RUNNING;
    sequence->started_us = now_us;
    uint64_t delay_us =
        latency_first_token_us(engine->config.behaviour, sequence->prompt_tokens, load_of(engine), &engine->random);
    schedule(engine, sequence, now_us + delay_us + sequence->extra_delay_us);
}

static void start_waiting(struct engine *engine, uint64_t now_us)
{
    LIST_FOR_EACH_SAFE (node, &engine->waiting_list) {
        if (engine->running >= engine->config.max_num_seqs)
            return;
        struct sequence *sequence = LIST_ENTRY(node, struct sequence, link);
        if (may_start(engine, sequence))
            start(engine, sequence, now_us);
    }
}

/* Takes a running or held sequence out of its slot. */
static void leave(struct engine *engine, struct sequence *sequence)
{
    heap_remove(&engine->due, &sequence->due);
    list_remove(&sequence->link);
    if (sequence->state == SEQUENCE_HELD)
        engine->held--;
    engine->running--;
    engine->kv_tokens -= sequence->prompt_tokens + sequence->generated;
    if (sequence->adapter != NULL && --sequence->adapter->running == 0)
        engine->adapters_running--;
}

bool engine_has_room(const struct engine *engine, unsigned sequences)
{
    uint64_t running = engine_running(engine);
    uint64_t slots = engine->config.max_num_seqs > running ? engine->config.max_num_seqs - running : 0;
    uint64_t places = slots + (uint64_t)engine->config.behaviour->max_waiting;
    return (uint64_t)engine_waiting(engine) + sequences <= places;
}

/* The batching engine. */

static bool is_stopped(struct engine *engine, struct sequence *sequence);
static void hold(struct engine *engine, struct sequence *sequence);

static void leave_batch(struct engine *engine, struct sequence *sequence)
{
    list_remove(&sequence->link);
    if (sequence->state == SEQUENCE_HELD)
        engine->held--;
    if (sequence->adapter != NULL)
        *(sequence->started_us > 0 ? &sequence->adapter->running : &sequence->adapter->waiting) -= 1;
}

/* When it was admitted is not told: it counts as running from its first token on. */
static void note_first_token(struct sequence *sequence, uint64_t now_us)
{
    sequence->started_us = sequence->first_token_us = now_us;
    if (sequence->state == SEQUENCE_WAITING)
        sequence->state = SEQUENCE_RUNNING;
    if (sequence->adapter == NULL)
        return;
    sequence->adapter->waiting--;
    sequence->adapter->running++;
}

static void on_batch_event(struct batch_sequence *batch, enum batch_event event, uint64_t at_ns, void *context)
{
    struct engine *engine = context;
    struct sequence *sequence = container_of(batch, struct sequence, batch);
    uint64_t now_us = at_ns / 1000;
    if (event == BATCH_EVENT_FIRST_TOKEN)
        note_first_token(sequence, now_us);
    sequence->generated = batch_engine_generated(engine->batch, batch);
    sequence->last_token_us = now_us;
    if (event == BATCH_EVENT_FINISHED) {
        leave_batch(engine, sequence);
        sequence->state = SEQUENCE_FINISHED;
    } else if (sequence->generated < sequence->total_tokens && is_stopped(engine, sequence)) {
        batch_engine_pause(engine->batch, batch);
        hold(engine, sequence);
    }
    engine->config.on_progress(sequence, engine->config.context);
}

static void make_batch(struct engine *engine)
{
    struct batch_config *config = &engine->batch_config;
    *config = batch_config_defaults;
    config->max_sequences = engine->config.max_num_seqs;
    int64_t blocks = engine->config.behaviour->kv_blocks;
    config->block_count = blocks < MAX_BATCH_BLOCKS ? (uint32_t)blocks : MAX_BATCH_BLOCKS;
    config->lora.slots = engine->config.max_loras < LORA_SLOTS_MAX ? engine->config.max_loras : LORA_SLOTS_MAX;
    config->tells_every_token = true;
    config->on_event = on_batch_event;
    config->context = engine;
    engine->batch = batch_engine_new(config);
}

/* False, and nothing has happened: it is no work for the batching engine. */
static bool submit_batch(struct engine *engine, struct sequence *sequence, uint64_t now_us)
{
    if (sequence->total_tokens == 0 || sequence->total_tokens > UINT32_MAX || sequence->prompt_tokens > UINT32_MAX)
        return false;
    if (engine->batch == NULL)
        make_batch(engine);
    sequence->batch = (struct batch_sequence){
        .hashes = sequence->blocks,
        .hash_count = sequence->block_count,
        .prompt_tokens = sequence->prompt_tokens > 0 ? (uint32_t)sequence->prompt_tokens : 1,
        .answer_tokens = (uint32_t)sequence->total_tokens,
        .adapter = (uintptr_t)sequence->adapter,
    };
    bool is_stopped_at_once = is_stopped(engine, sequence);
    if (is_stopped_at_once)
        batch_engine_pause(engine->batch, &sequence->batch);
    if (!batch_engine_submit(engine->batch, &sequence->batch, now_us * 1000))
        return false;
    sequence->is_batched = true;
    if (sequence->adapter != NULL)
        sequence->adapter->waiting++;
    list_push(&engine->running_list, &sequence->link);
    if (is_stopped_at_once)
        hold(engine, sequence);
    return true;
}

void engine_submit(struct engine *engine, struct sequence *sequence, uint64_t now_us)
{
    assert(sequence->state == SEQUENCE_NEW);
    sequence->state = SEQUENCE_WAITING;
    sequence->arrived_us = now_us;
    if (engine->config.behaviour->batch && submit_batch(engine, sequence, now_us))
        return;
    list_push(&engine->waiting_list, &sequence->link);
    engine->waiting++;
    if (sequence->adapter != NULL)
        sequence->adapter->waiting++;
    start_waiting(engine, now_us);
}

void engine_abort(struct engine *engine, struct sequence *sequence, uint64_t now_us)
{
    if (sequence->is_batched) {
        if (sequence->state == SEQUENCE_FINISHED || sequence->state == SEQUENCE_ABORTED)
            return;
        batch_engine_abort(engine->batch, &sequence->batch, now_us * 1000);
        leave_batch(engine, sequence);
    } else if (sequence->state == SEQUENCE_WAITING) {
        list_remove(&sequence->link);
        engine->waiting--;
        if (sequence->adapter != NULL)
            sequence->adapter->waiting--;
    } else if (sequence->state == SEQUENCE_RUNNING || sequence->state == SEQUENCE_HELD) {
        leave(engine, sequence);
        start_waiting(engine, now_us);
    } else {
        return;
    }
    sequence->state = SEQUENCE_ABORTED;
}

/* Whether a gate stops the sequence before its next token. */
static bool is_stopped(struct engine *engine, struct sequence *sequence)
{
    for (unsigned i = 0; i < engine->gate_count; i++) {
        struct gate *gate = &engine->gates[i];
        if (gate->left == 0 || gate->after_tokens != sequence->generated || (sequence->passed_gates & 1u << i) != 0)
            continue;
        sequence->passed_gates |= 1u << i;
        if (gate->left != UINT64_MAX)
            gate->left--;
        return true;
    }
    return false;
}

static void hold(struct engine *engine, struct sequence *sequence)
{
    list_remove(&sequence->link);
    list_push(&engine->held_list, &sequence->link);
    sequence->state = SEQUENCE_HELD;
    engine->held++;
}

static void generate(struct engine *engine, struct sequence *sequence, uint64_t now_us)
{
    if (sequence->generated++ == 0)
        sequence->first_token_us = now_us;
    sequence->last_token_us = now_us;
    engine->kv_tokens++;
}

/* All tokens of one sequence that are due; ends with it scheduled, held or finished. */
static void run(struct engine *engine, struct sequence *sequence, uint64_t now_us)
{
    while (sequence->due_us <= now_us) {
        if ((sequence->generated < sequence->total_tokens || sequence->generated == 0) &&
            is_stopped(engine, sequence)) {
            hold(engine, sequence);
            return;
        }
        if (sequence->generated < sequence->total_tokens)
            generate(engine, sequence, now_us);
        if (sequence->generated == sequence->total_tokens) {
            leave(engine, sequence);
            sequence->state = SEQUENCE_FINISHED;
            return;
        }
        sequence->due_us += latency_next_token_us(engine->config.behaviour, load_of(engine), &engine->random);
    }
    schedule(engine, sequence, sequence->due_us);
}

void engine_advance(struct engine *engine, uint64_t now_us)
{
    if (engine->batch != NULL)
        batch_engine_advance(engine->batch, now_us * 1000);
    for (;;) {
        struct heap_node *node = heap_peek(&engine->due);
        if (node == NULL || node->key > now_us)
            return;
        heap_pop(&engine->due);
        struct sequence *sequence = container_of(node, struct sequence, due);
        uint64_t before = sequence->generated;
        run(engine, sequence, now_us);
        bool finished = sequence->state == SEQUENCE_FINISHED;
        if (finished)
            start_waiting(engine, now_us);
        if (finished || sequence->generated > before)
            engine->config.on_progress(sequence, engine->config.context);
    }
}

uint64_t engine_next_us(const struct engine *engine)
{
    const struct heap_node *node = heap_peek(&engine->due);
    uint64_t next_us = node != NULL ? node->key : UINT64_MAX;
    uint64_t batch_ns = engine->batch != NULL ? batch_engine_next_ns(engine->batch) : UINT64_MAX;
    uint64_t batch_us = batch_ns < UINT64_MAX - 999 ? (batch_ns + 999) / 1000 : UINT64_MAX;
    return batch_us < next_us ? batch_us : next_us;
}

static void forget_gate(struct list *sequences, uint32_t bits)
{
    LIST_FOR_EACH (node, sequences)
        LIST_ENTRY(node, struct sequence, link)->passed_gates &= ~bits;
}

bool engine_add_gate(struct engine *engine, uint64_t after_tokens, uint64_t sequences)
{
    for (unsigned i = 0; i < MAX_GATES; i++) {
        if (engine->gates[i].left > 0)
            continue;
        /* Passing an earlier gate in this place is no passing of the new one. */
        forget_gate(&engine->running_list, 1u << i);
        forget_gate(&engine->held_list, 1u << i);
        engine->gates[i] = (struct gate){.after_tokens = after_tokens, .left = sequences};
        if (engine->gate_count <= i)
            engine->gate_count = i + 1;
        return true;
    }
    return false;
}

unsigned engine_release(struct engine *engine, uint64_t sequences, uint64_t now_us)
{
    if (sequences == UINT64_MAX) {
        for (unsigned i = 0; i < engine->gate_count; i++)
            engine->gates[i].left = 0;
        engine->gate_count = 0;
    }
    unsigned released = 0;
    while (!list_is_empty(&engine->held_list) && released < sequences) {
        struct sequence *sequence = LIST_ENTRY(list_pop(&engine->held_list), struct sequence, link);
        list_push(&engine->running_list, &sequence->link);
        sequence->state = sequence->is_batched && sequence->started_us == 0 ? SEQUENCE_WAITING : SEQUENCE_RUNNING;
        engine->held--;
        released++;
        if (sequence->is_batched)
            batch_engine_resume(engine->batch, &sequence->batch, now_us * 1000);
        else
            schedule(engine, sequence, now_us);
    }
    return released;
}

unsigned engine_running(const struct engine *engine)
{
    return engine->running + (engine->batch != NULL ? batch_engine_running(engine->batch) : 0);
}

unsigned engine_waiting(const struct engine *engine)
{
    return engine->waiting + (engine->batch != NULL ? batch_engine_waiting(engine->batch) : 0);
}

unsigned engine_held(const struct engine *engine)
{
    return engine->held;
}

double engine_kv_usage(const struct engine *engine)
{
    double usage = (double)engine->kv_tokens / BLOCK_TOKENS / (double)engine->config.behaviour->kv_blocks;
    double batched = engine->batch != NULL ? batch_engine_page(engine->batch)->kv_usage : 0;
    usage = usage > batched ? usage : batched;
    return usage > 1 ? 1 : usage;
}
