/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.c: the pick: facts are gathered, the profile chooses and the choice is charged, all under the pool's lock;
 * hashes are looked up before and noted after it.
 *
 * Any thread.  Knows the pools' side of a pick; what is good is the profile's.  Does not connect, queue or retry. */
#include "inference/schedule/scheduler.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "inference/prefix_hash.h"
#include "inference/schedule/adapters.h"
#include "inference/schedule/session_table.h"
#include "inference/schedule/turnover.h"
#include "inference/trust.h"

enum { SESSIONS_MAX = 16384, SESSION_TTL_MS = 300000, LOOK_AHEAD = 12 };

static const double average_share = 0.05; /* of a new value in a moving average */

const struct stale_policy stale_policy_default = {.action = STALE_OWN_COUNTS, .after_ms = 2000};

struct pool_schedule {
    struct profile profile;
    struct stale_policy stale;
    struct pick_scratch scratch;
    struct candidate *candidates;
    unsigned candidate_capacity;
    uint64_t picks;
    struct known_adapters adapters;
    struct turnover turnover;
    struct session_table *sessions; /* NULL: the profile does not ask */
};

static unsigned load_of(const atomic_uint *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static uint64_t load_of64(const atomic_ullong *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

/* What is kept per pool. */

static void schedule_free(struct pool_schedule *schedule)
{
    session_table_free(schedule->sessions);
    known_adapters_deinit(&schedule->adapters);
    pick_scratch_deinit(&schedule->scratch);
    free(schedule->candidates);
    free(schedule);
}

static struct pool_schedule *schedule_of(struct pool *pool)
{
    if (pool->schedule == NULL) {
        pool->schedule = must(calloc(1, sizeof *pool->schedule));
        pool->schedule_free = schedule_free;
        profile_init_default(&pool->schedule->profile);
        pool->schedule->stale = stale_policy_default;
    }
    return pool->schedule;
}

static bool uses_sessions(const struct profile *profile)
{
    for (unsigned i = 0; i < profile->scorer_count; i++)
        if (profile->scorers[i].kind->score == score_session)
            return true;
    for (unsigned i = 0; i < profile->filter_count; i++)
        if (profile->filters[i].kind->filter == filter_session)
            return true;
    return false;
}

static bool uses_prefixes(const struct profile *profile)
{
    for (unsigned i = 0; i < profile->scorer_count; i++) {
        score_fn score = profile->scorers[i].kind->score;
        if (score == score_prompt_cost || score == score_prefix || score == score_no_hit)
            return true;
    }
    for (unsigned i = 0; i < profile->filter_count; i++)
        if (profile->filters[i].kind->filter == filter_prefix_affinity)
            return true;
    return false;
}

void schedule_set_profile(struct pool *pool, const struct profile *profile)
{
    pthread_mutex_lock(&pool->lock);
    struct pool_schedule *schedule = schedule_of(pool);
    if (profile != NULL)
        schedule->profile = *profile;
    else
        profile_init_default(&schedule->profile);
    bool wants_sessions = uses_sessions(&schedule->profile);
    if (wants_sessions && schedule->sessions == NULL)
        schedule->sessions = session_table_new(SESSIONS_MAX, SESSION_TTL_MS);
    atomic_store_explicit(&pool->wants_sessions, wants_sessions, memory_order_relaxed);
    atomic_store_explicit(&pool->ignores_prefixes, !uses_prefixes(&schedule->profile), memory_order_relaxed);
    pthread_mutex_unlock(&pool->lock);
}

void schedule_set_stale_policy(struct pool *pool, const struct stale_policy *policy)
{
    pthread_mutex_lock(&pool->lock);
    schedule_of(pool)->stale = *policy;
    pthread_mutex_unlock(&pool->lock);
}

/* Facts. */

struct gathering {
    struct pool *pool;
    const struct pick_request *request;
    const uint32_t *matched, *marked; /* by owner */
    unsigned matched_count;           /* of owners that are in them */
    double weight;                    /* turnover_weight() */
    uint64_t model;                   /* adapter_hash(); 0: none */
    uint64_t adapter;                 /* 0: none */
    const struct endpoint *session;
    struct stale_policy stale;
    unsigned stale_count; /* of candidates */
};

static bool is_candidate(const struct pick_request *request, const struct endpoint *endpoint)
{
    if (!endpoint_is_usable(endpoint))
        return false;
    for (unsigned i = 0; i < request->excluded_count; i++)
        if (request->excluded[i] == endpoint)
            return false;
    if (request->subset_count == 0)
        return true;
    for (unsigned i = 0; i < request->subset_count; i++)
        if (address_equal(&request->subset[i], &endpoint->address))
            return true;
    return false;
}

static bool is_avoided(const struct gathering *gathering, const struct endpoint *endpoint)
{
    uint64_t now_ms = gathering->request->now_ms;
    return trust_is_avoided(endpoint, now_ms) ||
           (gathering->model != 0 && trust_lacks_model(endpoint, gathering->model, now_ms));
}

/* counts: matched or marked ones of the gathering. */
static uint32_t tokens_at(const struct gathering *gathering, const uint32_t *counts, const struct endpoint *endpoint)
{
    if (endpoint->prefix_owner >= gathering->matched_count) /* PREFIX_NO_OWNER, too */
        return 0;
    return prefix_units(counts[endpoint->prefix_owner]) * PREFIX_UNIT_TOKENS;
}

static bool is_stale(const struct gathering *gathering, uint64_t scraped_ms)
{
    uint64_t now_ms = gathering->request->now_ms;
    return scraped_ms > 0 && now_ms > scraped_ms && now_ms - scraped_ms > gathering->stale.after_ms;
}

static void gather(struct gathering *gathering, struct endpoint *endpoint, struct candidate *ret_candidate)
{
    const struct endpoint_load *load = &endpoint->load;
    const struct endpoint_work *work = &endpoint->work;
    struct candidate *candidate = ret_candidate;
    *candidate = (struct candidate){
        .endpoint = endpoint,
        .waiting = load_of(&load->waiting),
        .running = load_of(&load->running),
        .kv_usage = load_of(&load->kv_permille) / 1000.0,
        .adapters_max = load_of(&load->max_loras),
        .in_flight = load_of(&load->in_flight),
        .prefilling = load_of(&work->prefilling),
        .prefill_tokens = (double)load_of64(&work->prefill_tokens),
        .prompt_tokens = (double)load_of64(&work->prompt_tokens),
        .pace = atomic_load_explicit(&work->pace, memory_order_relaxed),
        .ttft_ms = atomic_load_explicit(&work->ttft_ms, memory_order_relaxed),
        .token_ms = atomic_load_explicit(&work->token_ms, memory_order_relaxed),
        .matched_tokens = tokens_at(gathering, gathering->matched, endpoint),
        .taken_in_tokens = atomic_load_explicit(&work->taken_in, memory_order_relaxed) / gathering->weight,
        .cache_tokens = (double)load_of64(&load->kv_tokens),
        .is_session = endpoint == gathering->session,
        .cold_pick = load_of64(&work->cold_pick),
        .is_stale = is_stale(gathering, load_of64(&load->scraped_ms)),
    };
    gathering->stale_count += candidate->is_stale;
    if (gathering->adapter != 0)
        adapters_gather(endpoint, gathering->adapter, candidate);
}

/* Endpoints lie all over the memory: what comes soon is fetched while others are read. */
static void look_ahead(const struct gathering *gathering, const struct endpoint *endpoint)
{
    __builtin_prefetch(&endpoint->load);
    __builtin_prefetch(&endpoint->work);
    if (gathering->adapter == 0)
        return;
    __builtin_prefetch(&endpoint->adapters.use_count); /* and the first running ones */
    __builtin_prefetch(&endpoint->adapters.waiting);
    __builtin_prefetch(&endpoint->adapters.uses[0]);
}

static unsigned gather_all(struct gathering *gathering, bool with_avoided, struct candidate *candidates)
{
    const struct pool *pool = gathering->pool;
    unsigned count = 0;
    gathering->stale_count = 0;
    for (unsigned i = 0; i < pool->member_count && i < LOOK_AHEAD; i++)
        look_ahead(gathering, pool->members[i]);
    for (unsigned i = 0; i < pool->member_count; i++) {
        struct endpoint *endpoint = pool->members[i];
        if (i + LOOK_AHEAD < pool->member_count)
            look_ahead(gathering, pool->members[i + LOOK_AHEAD]);
        if (is_candidate(gathering->request, endpoint) && (with_avoided || !is_avoided(gathering, endpoint)))
            gather(gathering, endpoint, &candidates[count++]);
    }
    return count;
}

static uint64_t session_hash(const struct pick_request *request)
{
    return XXH3_64bits(request->session_key.data, request->session_key.len);
}

/* Old values lie, but what was sent from here is known: it stands in for them. */
static void use_own_counts(struct candidate *candidates, unsigned count)
{
    double kv_sum = 0;
    unsigned fresh = 0;
    for (unsigned i = 0; i < count; i++) {
        kv_sum += candidates[i].is_stale ? 0 : candidates[i].kv_usage;
        fresh += !candidates[i].is_stale;
    }
    for (unsigned i = 0; i < count; i++) {
        struct candidate *candidate = &candidates[i];
        if (!candidate->is_stale)
            continue;
        candidate->waiting = candidate->prefilling;
        candidate->running =
            candidate->in_flight > candidate->prefilling ? candidate->in_flight - candidate->prefilling : 0;
        candidate->kv_usage = fresh > 0 ? kv_sum / fresh : 0;
    }
}

/* Those with fresh values, unless that is nobody. */
static unsigned exclude_stale(struct candidate *candidates, unsigned count)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++)
        if (!candidates[i].is_stale)
            candidates[kept++] = candidates[i];
    return kept > 0 ? kept : count;
}

static unsigned treat_stale(enum stale_action action, struct candidate *candidates, unsigned count)
{
    if (action == STALE_OWN_COUNTS)
        use_own_counts(candidates, count);
    return action == STALE_EXCLUDE ? exclude_stale(candidates, count) : count;
}

/* The index of the chosen one among schedule->candidates, -1: none. */
static int choose(struct pool *pool, struct gathering *gathering, const struct profile_listener *listener,
                  struct request_facts *ret_facts, unsigned *ret_count)
{
    struct pool_schedule *schedule = schedule_of(pool);
    const struct pick_request *request = gathering->request;
    if (pool->member_count > schedule->candidate_capacity) {
        schedule->candidate_capacity = pool->member_count * 2;
        schedule->candidates =
            must(reallocarray(schedule->candidates, schedule->candidate_capacity, sizeof *schedule->candidates));
    }
    gathering->stale = schedule->stale;
    gathering->weight = turnover_weight(&schedule->turnover, pool, request->now_ms);
    if (request->target_model.len > 0)
        gathering->model = adapter_hash(request->target_model);
    gathering->adapter = adapters_recognise(&schedule->adapters, pool, request->target_model, request->now_ms);
    if (schedule->sessions != NULL && request->session_key.len > 0)
        gathering->session = session_table_find(schedule->sessions, session_hash(request), request->now_ms);
    *ret_facts = (struct request_facts){
        .prompt_tokens = request->prompt_tokens,
        .hashed_tokens = prefix_units(request->prefix_count) * PREFIX_UNIT_TOKENS,
        .reuse = turnover_reuse(&schedule->turnover),
        .has_adapter = gathering->adapter != 0,
        .header = request->header,
        .header_context = request->header_context,
    };
    uint64_t random = request->random + pool->rotation++;
    int index = -1;
    /* Once more with those to be avoided: also when filters let nobody else through. */
    unsigned passes = request->only_trusted ? 1 : 2;
    for (unsigned pass = 0; pass < passes && index < 0; pass++) {
        unsigned count = gather_all(gathering, pass > 0, schedule->candidates);
        if (gathering->stale_count > 0)
            count = treat_stale(gathering->stale.action, schedule->candidates, count);
        *ret_count = count;
        index = profile_choose(&schedule->profile, ret_facts, schedule->candidates, count, &schedule->scratch, &random,
                               listener);
    }
    return index;
}

/* Charges. */

static void charge(struct pool_schedule *schedule, const struct gathering *gathering, const struct candidate *candidate,
                   const struct request_facts *facts, struct pick_ticket *ticket)
{
    struct endpoint *endpoint = candidate->endpoint;
    const struct pick_request *request = gathering->request;
    uint32_t prompt = request->prompt_tokens, fresh = facts_uncached_tokens(candidate, facts);
    uint32_t matched = candidate->matched_tokens, marked = tokens_at(gathering, gathering->marked, endpoint);
    schedule->picks++;
    *ticket = (struct pick_ticket){
        .endpoint = endpoint,
        .prompt_tokens = prompt,
        .uncached_tokens = fresh,
        .foreseen = candidate->adapter <= ADAPTER_RESIDENT ? prompt_cost_foreseen(candidate, facts) : 0,
        .picked_ms = request->now_ms,
    };
    trust_begin(endpoint, request->now_ms);
    atomic_fetch_add_explicit(&endpoint->load.in_flight, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&endpoint->work.prefilling, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&endpoint->work.prefill_tokens, ticket->uncached_tokens, memory_order_relaxed);
    atomic_fetch_add_explicit(&endpoint->work.prompt_tokens, prompt, memory_order_relaxed);
    turnover_note(&schedule->turnover, endpoint, gathering->weight, fresh, matched > marked ? matched - marked : 0);
    if (matched == 0)
        atomic_store_explicit(&endpoint->work.cold_pick, schedule->picks, memory_order_relaxed);
    if (gathering->adapter != 0)
        ticket->adapter = adapters_use(endpoint, gathering->adapter, candidate->adapter, schedule->picks);
    if (schedule->sessions != NULL && request->session_key.len > 0)
        session_table_put(schedule->sessions, session_hash(request), endpoint, request->now_ms);
}

/* By owner; see prefix_index_match(). */
struct prefix_counts {
    uint32_t matched[POOL_PREFIX_OWNERS], marked[POOL_PREFIX_OWNERS];
};

/* Before the pool's lock is taken.  The gathering borrows the counts. */
static void match_prefix(struct gathering *gathering, struct prefix_counts *counts)
{
    const struct pick_request *request = gathering->request;
    if (request->prefix_count == 0)
        return;
    gathering->matched = counts->matched;
    gathering->marked = counts->marked;
    gathering->matched_count = prefix_index_match(gathering->pool->prefixes, request->prefix_hashes,
                                                  request->prefix_count, counts->matched, counts->marked);
}

struct endpoint *schedule_pick(struct pool *pool, const struct pick_request *request, struct pick_ticket *ret_ticket)
{
    struct prefix_counts counts;
    struct gathering gathering = {.pool = pool, .request = request};
    struct request_facts facts;
    struct endpoint *chosen = NULL;
    unsigned count;
    *ret_ticket = (struct pick_ticket){0};
    match_prefix(&gathering, &counts);
    pthread_mutex_lock(&pool->lock);
    int index = choose(pool, &gathering, request->listener, &facts, &count);
    if (index >= 0) {
        const struct candidate *candidate = &pool->schedule->candidates[index];
        chosen = endpoint_take(candidate->endpoint);
        charge(pool->schedule, &gathering, candidate, &facts, ret_ticket);
    }
    pthread_mutex_unlock(&pool->lock);
    if (chosen != NULL && request->prefix_count > 0 && chosen->prefix_owner != PREFIX_NO_OWNER)
        prefix_index_insert(pool->prefixes, chosen->prefix_owner, request->prefix_hashes,
                            chosen->prefix_owner < gathering.matched_count ? counts.marked[chosen->prefix_owner] : 0,
                            request->prefix_count);
    return chosen;
}

/* Two threads may overwrite each other's value: an average does not mind. */
static void average(_Atomic double *value, double sample)
{
    double former = atomic_load_explicit(value, memory_order_relaxed);
    atomic_store_explicit(value, former == 0 ? sample : former + average_share * (sample - former),
                          memory_order_relaxed);
}

static void end_prefill(struct pick_ticket *ticket)
{
    struct endpoint_work *work = &ticket->endpoint->work;
    atomic_fetch_sub_explicit(&work->prefilling, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&work->prefill_tokens, ticket->uncached_tokens, memory_order_relaxed);
}

void schedule_first_token(struct pick_ticket *ticket, uint64_t now_ms)
{
    if (ticket->endpoint == NULL || ticket->has_first_token)
        return;
    struct endpoint_work *work = &ticket->endpoint->work;
    ticket->has_first_token = true;
    ticket->first_token_ms = now_ms;
    end_prefill(ticket);
    if (ticket->adapter != NULL)
        atomic_store_explicit(&ticket->adapter->is_warm, true, memory_order_relaxed);
    double ttft_ms = now_ms > ticket->picked_ms ? (double)(now_ms - ticket->picked_ms) : 0;
    average(&work->ttft_ms, ttft_ms);
    if (ticket->foreseen > 0)
        average(&work->pace, ttft_ms / ticket->foreseen);
}

void schedule_release(struct pick_ticket *ticket, uint64_t now_ms, uint32_t answer_tokens)
{
    struct endpoint *endpoint = ticket->endpoint;
    if (endpoint == NULL)
        return;
    if (!ticket->has_first_token)
        end_prefill(ticket);
    else if (answer_tokens > 1 && now_ms > ticket->first_token_ms)
        average(&endpoint->work.token_ms, (double)(now_ms - ticket->first_token_ms) / (answer_tokens - 1));
    if (ticket->adapter != NULL)
        atomic_fetch_sub_explicit(&ticket->adapter->in_flight, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&endpoint->work.prompt_tokens, ticket->prompt_tokens, memory_order_relaxed);
    unsigned former = atomic_fetch_sub_explicit(&endpoint->load.in_flight, 1, memory_order_relaxed);
    assert(former > 0);
    (void)former;
    ticket->endpoint = NULL;
}

/* For people. */

unsigned schedule_explain(struct pool *pool, const struct pick_request *request,
                          const struct profile_listener *listener)
{
    struct prefix_counts counts;
    struct gathering gathering = {.pool = pool, .request = request};
    struct request_facts facts;
    unsigned count;
    match_prefix(&gathering, &counts);
    pthread_mutex_lock(&pool->lock);
    choose(pool, &gathering, listener, &facts, &count);
    pthread_mutex_unlock(&pool->lock);
    return count;
}

void schedule_score(struct endpoint *endpoint, struct bytes target_model, uint64_t now_ms, struct pick_score *ret_score)
{
    const struct endpoint_load *load = &endpoint->load;
    *ret_score = (struct pick_score){
        .endpoint = endpoint,
        .is_usable = endpoint_is_usable(endpoint),
        .is_avoided = trust_is_avoided(endpoint, now_ms),
        .has_lora = target_model.len > 0 && endpoint_has_lora(endpoint, target_model),
        .waiting = load_of(&load->waiting),
        .running = load_of(&load->running),
        .in_flight = load_of(&load->in_flight),
        .kv_permille = load_of(&load->kv_permille),
    };
}
