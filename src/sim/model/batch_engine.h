/* SPDX-License-Identifier: Apache-2.0 */
/* batch_engine.h: the batching engine of a simulated model server as a discrete-event model.
 *
 * Continuous batching: the engine runs in steps; each decodes one token of every running sequence and prefills the next
 * chunks of new prompts.  Paged KV blocks with a prefix cache, preemption when blocks run out, LoRA slots.  Pure:
 * whoever drives it passes the time, real or simulated, and asks when something happens next.  A sequence is one
 * answer; it is embedded by its owner and belongs to the engine from submit to its end. */
#ifndef SIM_MODEL_BATCH_ENGINE_H
#define SIM_MODEL_BATCH_ENGINE_H

#include "base/heap.h"
#include "base/list.h"
#include "sim/model/kv_blocks.h"
#include "sim/model/lora_slots.h"

struct batch_engine;

enum batch_state {
    BATCH_NEW,
    BATCH_WAITING, /* in the queue; also while its adapter loads and after a preemption */
    BATCH_RUNNING,
    BATCH_FINISHED,
    BATCH_ABORTED
};

struct batch_sequence {
    /* Set before batch_engine_submit(), the rest zeroed.  hashes: the chained hashes of the whole blocks of prompt and
     * answer, as many as are known; they must stay until the sequence ended. */
    const uint64_t *hashes;
    uint32_t hash_count;
    uint32_t prompt_tokens; /* at least 1 */
    uint32_t answer_tokens; /* at least 1 */
    uint64_t adapter;       /* 0: the base model */

    /* Results. */
    enum batch_state state;
    uint32_t generated;     /* kept up at its events; in between see batch_engine_generated() */
    uint32_t cached_tokens; /* of the prompt, found in the prefix cache at the first admission */
    uint32_t preemptions;
    uint64_t submitted_ns, first_token_ns, last_token_ns;

    /* The engine's. */
    uint64_t order;       /* in the queue */
    struct list link;     /* in the queue, or among the running */
    struct list work;     /* prefilling, joining, or decoding in a phase; none when paused */
    struct heap_node end; /* while decoding: by the step that makes its last token */
    struct kv_lease lease;
    struct lora_slot *slot; /* it counts as a user of */
    bool is_paused;
    bool is_decoding;
    uint32_t computed;    /* tokens with keys and values; while decoding: when it joined */
    uint32_t target;      /* tokens to prefill before the next token comes */
    uint32_t chunk;       /* tokens that the step in progress prefills */
    uint64_t joined_step; /* the first step that decodes it */
};

/* All times in nanoseconds: sums stay exact. */
struct batch_cost {
    uint64_t step_ns;           /* of any step */
    uint64_t prefill_token_ns;  /* per uncached prompt token of the step */
    uint64_t sequence_ns;       /* per decoding sequence */
    uint64_t context_token_ns;  /* per token of context being decoded */
    uint32_t slowdown_permille; /* multiplies all of them; 1000 = as they are */
};

enum batch_event { BATCH_EVENT_FIRST_TOKEN, BATCH_EVENT_TOKEN, BATCH_EVENT_FINISHED };

struct batch_config {
    struct batch_cost cost;
    struct lora_config lora;
    uint32_t block_tokens;
    uint32_t block_count;
    uint32_t max_sequences;  /* running at once */
    uint32_t prefill_budget; /* prompt tokens per step */
    /* Sequences are admitted while the step has budget left for them, as vLLM does; false: whatever the budget. */
    bool admits_within_budget;
    /* BATCH_EVENT_TOKEN comes for each token after the first; false: only first tokens and ends are told. */
    bool tells_every_token;
    /* From batch_engine_advance() only.  A finished sequence may be freed in here.  Must not call the engine, but for
     * batch_engine_pause() of the sequence that it is about. */
    void (*on_event)(struct batch_sequence *sequence, enum batch_event event, uint64_t at_ns, void *context);
    void *context;
};

/* An 8B model on a GPU of the H100 class: 16,384 blocks of 16 tokens, 256 sequences, chunks of 8,192 tokens, 4 adapters
 * at once.  Without on_event. */
extern const struct batch_config batch_config_defaults;

/* What the metrics page shows, as vLLM does: of the end of the last step. */
struct batch_page {
    uint32_t waiting;
    uint32_t running;
    double kv_usage; /* 0 to 1 */
    uint32_t running_adapter_count, waiting_adapter_count;
    uint64_t running_adapters[LORA_SLOTS_MAX];
    uint64_t waiting_adapters[LORA_SLOTS_MAX];
};

struct batch_engine *batch_engine_new(const struct batch_config *config);
/* Accepts NULL; sequences still in it must not be used with it again. */
void batch_engine_free(struct batch_engine *engine);

/* Queues it; an idle engine starts a step at once.  False, and nothing happens: it can never fit into the blocks, or
 * wants an adapter of an engine without slots. */
MUST_CHECK bool batch_engine_submit(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns);
/* Gives its place and blocks back at once.  Harmless for a sequence that is new or ended. */
void batch_engine_abort(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns);
/* A paused sequence keeps its place and its blocks and generates nothing (for tests with a model server). */
void batch_engine_pause(struct batch_engine *engine, struct batch_sequence *sequence);
void batch_engine_resume(struct batch_engine *engine, struct batch_sequence *sequence, uint64_t now_ns);
/* Ends all steps that end by now, and begins the next ones. */
void batch_engine_advance(struct batch_engine *engine, uint64_t now_ns);
/* When batch_engine_advance() has something to do next; UINT64_MAX: nothing. */
uint64_t batch_engine_next_ns(const struct batch_engine *engine);

uint32_t batch_engine_generated(const struct batch_engine *engine, const struct batch_sequence *sequence);
uint32_t batch_engine_running(const struct batch_engine *engine);
uint32_t batch_engine_waiting(const struct batch_engine *engine);
/* Valid until the next call. */
const struct batch_page *batch_engine_page(const struct batch_engine *engine);

#endif
