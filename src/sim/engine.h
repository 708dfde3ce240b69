/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h: slots, queue and token clock of a simulated model server.
 *
 * Knows nothing of HTTP and reads no clock: whoever drives it passes the time.  A sequence is one answer being written;
 * it is embedded by its owner and belongs to the engine from engine_submit() until it is finished or aborted.  What was
 * generated is only counted, so a slow reader costs no memory.  With behaviour.batch new sequences run in the model of
 * a batching engine (model/batch_engine.h), whose times follow from the load. */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "base/heap.h"
#include "base/list.h"
#include "sim/behaviour.h"
#include "sim/model/batch_engine.h"

struct engine;

enum sequence_state {
    SEQUENCE_NEW,
    SEQUENCE_WAITING,
    SEQUENCE_RUNNING,
    SEQUENCE_HELD, /* running, stopped by a gate of a test */
    SEQUENCE_FINISHED,
    SEQUENCE_ABORTED
};

/* How many sequences use an adapter: embedded in the adapter. */
struct adapter_use {
    unsigned running;
    unsigned waiting;
};

struct sequence {
    /* Set before engine_submit(), the rest zeroed. */
    struct adapter_use *adapter; /* NULL: the base model */
    uint64_t prompt_tokens;
    uint64_t total_tokens;
    uint64_t extra_delay_us; /* before the first token; not with behaviour.batch */
    const uint64_t *blocks;  /* chained hashes of the prompt's blocks, kept until the sequence has ended */
    unsigned block_count;

    /* The engine's. */
    enum sequence_state state;
    uint64_t generated;
    uint64_t arrived_us, started_us, first_token_us, last_token_us;
    uint32_t passed_gates;
    uint64_t due_us;
    struct list link;
    struct heap_node due;
    bool is_batched; /* runs in the batching engine */
    struct batch_sequence batch;
};

struct engine_config {
    const struct behaviour *behaviour; /* the owner may change it at any time */
    unsigned max_num_seqs;
    unsigned max_loras; /* distinct adapters that run at once; slots of the batching engine */
    uint64_t seed;
    /* More tokens were generated, or the sequence finished (state): it may be freed in here.  Comes only from
     * engine_advance(); must not call the engine. */
    void (*on_progress)(struct sequence *sequence, void *context);
    void *context;
};

struct engine *engine_new(const struct engine_config *config);
/* Accepts NULL; sequences still in it must not be used with it again. */
void engine_free(struct engine *engine);

/* Whether so many more sequences find a slot or a place in the queue. */
bool engine_has_room(const struct engine *engine, unsigned sequences);
/* Queues it and starts what can start; its first token comes with an engine_advance(). */
void engine_submit(struct engine *engine, struct sequence *sequence, uint64_t now_us);
/* Its slot is free at once.  Harmless for a sequence that is new, finished or aborted. */
void engine_abort(struct engine *engine, struct sequence *sequence, uint64_t now_us);
/* Generates all tokens that are due. */
void engine_advance(struct engine *engine, uint64_t now_us);
/* When engine_advance() has something to do next; UINT64_MAX: nothing. */
uint64_t engine_next_us(const struct engine *engine);

/* A gate: the next `sequences` sequences that have generated exactly `after_tokens` stop there.  false: too many. */
MUST_CHECK bool engine_add_gate(struct engine *engine, uint64_t after_tokens, uint64_t sequences);
/* Lets the `sequences` that were held first go on; with UINT64_MAX all, and every gate goes.  Returns how many went. */
unsigned engine_release(struct engine *engine, uint64_t sequences, uint64_t now_us);

unsigned engine_running(const struct engine *engine); /* held ones included */
unsigned engine_waiting(const struct engine *engine);
unsigned engine_held(const struct engine *engine);
/* Share of the KV cache in use, 0 to 1. */
double engine_kv_usage(const struct engine *engine);

#endif
