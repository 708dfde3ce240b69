/* SPDX-License-Identifier: Apache-2.0 */
/* run.c: the loop of rollout.h around one Canary object. */
#include "control/canaries/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/json_tree.h"
#include "control/canaries/pins.h"
#include "control/canaries/plan.h"
#include "control/canaries/report.h"
#include "control/canaries/warmup.h"
#include "kube/api/canary_arms.h"
#include "kube/apiserver/change.h"

#define COMPONENT "serin-canary"

/* Decisions that follow from each other without anything to wait for. */
enum { MAX_TURNS = 8 };

struct canary_run {
    const struct run_context *context;
    char *namespace_, *name, *uid;
    struct canary_tap *tap;
    struct pool *pool; /* of a canary that its route does not name yet, held; NULL: not needed */
    struct warmup *warmup;
    struct analysis *analysis;      /* NULL: not judged */
    struct analysis_report verdict; /* as of the last interval */
    uint64_t guards_hash;           /* of what the analysis was made for */
    struct strata interval;
    struct figures figures;
    unsigned figures_bp;      /* the weight that they are of */
    uint64_t step_seen;       /* canary exchanges since step_seen_since, where no analysis counts them */
    uint64_t step_seen_since; /* began_ms of that step */
    uint64_t interval_due_ms;
    uint64_t recheck_due_ms; /* 0: not */
    uint64_t cut_command;    /* the latest that ended streams, */
    bool was_cut_at_zero;    /* also those that began while its weight came down */
    char *pin_problem;       /* "" pins count; NULL: there are none */
    bool is_report_due;
    bool is_warm;
    char warm_text[WARMUP_TEXT_MAX];
};

/* One look at the object. */
struct look {
    struct canary_run *run;
    const struct kube_object *canary;
    const struct canary_spec *spec;
    struct rollout_plan plan;
    struct plan_command command;
    struct canary_memory memory;
    struct target_wish wish;
    const struct kube_object *target; /* durable; NULL: does not exist */
    struct target_view view;
    struct rollout_facts facts;
    struct rollout_decision decision;
    uint64_t now_ms, now_wall_ms;
};

struct canary_run *run_new(const struct run_context *context, const struct kube_object *canary)
{
    struct canary_run *run = must(calloc(1, sizeof *run));
    char key[600];
    snprintf(key, sizeof key, "%s/%s", canary->namespace_, canary->name);
    run->context = context;
    run->namespace_ = must(strdup(canary->namespace_));
    run->name = must(strdup(canary->name));
    run->uid = must(strdup(canary->uid));
    run->tap = canary_taps_take(context->taps, key);
    run->warmup = warmup_new(context->reactor);
    strata_init(&run->interval, context->strata);
    run->is_report_due = true;
    return run;
}

void run_free(struct canary_run *run)
{
    warmup_free(run->warmup);
    if (run->pool != NULL)
        pool_give_back(run->pool);
    free(run->pin_problem);
    analysis_free(run->analysis);
    strata_deinit(&run->interval);
    canary_tap_give_back(run->tap);
    free(run->namespace_);
    free(run->name);
    free(run->uid);
    free(run);
}

bool run_is_for(const struct canary_run *run, const struct kube_object *canary)
{
    return strcmp(run->uid, canary->uid) == 0;
}

bool run_is_gone(const struct canary_run *run)
{
    const struct stored *stored = store_get(run->context->store, KUBE_CANARY, run->namespace_, run->name);
    return stored == NULL || !run_is_for(run, stored->object);
}

bool run_is_due(const struct canary_run *run, uint64_t now_ms)
{
    return now_ms >= run->interval_due_ms || (run->recheck_due_ms != 0 && now_ms >= run->recheck_due_ms);
}

/* Measurements. */

/* Other guards are another analysis: the rollout sees that it has none of this step, and begins it. */
static void follow_guards(struct canary_run *run, const struct canary_spec *spec)
{
    struct guard guards[ANALYSIS_GUARDS_MAX];
    struct analysis_options options;
    memset(guards, 0, sizeof guards);
    memset(&options, 0, sizeof options);
    unsigned count = plan_guards(spec, guards);
    plan_analysis(spec, &options);
    uint64_t hash = XXH64(guards, count * sizeof *guards, options.min_samples + 1);
    if (!spec->analysis.is_enabled || count == 0)
        hash = 0;
    if (hash == run->guards_hash)
        return;
    run->guards_hash = hash;
    analysis_free(run->analysis);
    run->analysis = hash != 0 ? analysis_new(&options, run->context->strata, guards, count) : NULL;
    run->verdict = (struct analysis_report){.decisive = -1};
}

static void follow_price(struct canary_run *run, enum arm_role role, const struct canary_price *price)
{
    struct token_price told = {price->input_micros, price->cached_micros, price->output_micros};
    canary_tap_set_price(run->tap, role, price->is_given ? &told : NULL);
}

/* What becomes of the Secret is told at once. */
static void follow_pins(struct canary_run *run, const struct kube_object *canary)
{
    char *problem = pins_problem(run->context->store, canary);
    bool has_both = problem != NULL && run->pin_problem != NULL;
    run->is_report_due |= has_both ? strcmp(problem, run->pin_problem) != 0 : problem != run->pin_problem;
    free(run->pin_problem);
    run->pin_problem = problem;
}

static void count_step(struct canary_run *run, const struct rollout_state *state)
{
    if (run->step_seen_since != state->step_began_ms)
        run->step_seen = 0;
    run->step_seen_since = state->step_began_ms;
    run->step_seen += run->interval.tallies[ARM_CANARY].judged;
}

/* What was achieved is told of the weight in force, not of a mix with the ones before. */
static void add_figures(struct look *look)
{
    struct canary_run *run = look->run;
    if (look->view.is_usable && look->view.weight_bp != run->figures_bp) {
        memset(&run->figures, 0, sizeof run->figures);
        run->figures_bp = look->view.weight_bp;
    }
    figures_add(&run->figures, &run->interval, look->now_ms, look->spec->analysis.window_ms);
}

static void end_interval(struct look *look)
{
    struct canary_run *run = look->run;
    uint64_t now_ms = look->now_ms;
    if (now_ms < run->interval_due_ms)
        return;
    run->interval_due_ms = now_ms + look->spec->analysis.interval_ms;
    canary_tap_drain(run->tap, &run->interval);
    add_figures(look);
    count_step(run, &look->memory.rollout);
    if (run->analysis != NULL) {
        strata_merge(analysis_interval(run->analysis), &run->interval);
        analysis_end_interval(run->analysis);
        analysis_report(run->analysis, &run->verdict);
    }
    strata_reset(&run->interval);
    run->is_report_due = true;
}

/* Facts. */

/* The route names it once it has share: until then it must be watched all the same. */
static struct pool *take_pool(const struct look *look, const char *name)
{
    struct canary_run *run = look->run;
    const char *namespace_ = look->view.pool_namespace;
    if (!look->view.is_pool || (store_get(run->context->store, KUBE_INFERENCE_POOL, namespace_, name) == NULL &&
                                store_get(run->context->store, KUBE_INFERENCE_POOL_X, namespace_, name) == NULL))
        return NULL;
    if (run->pool != NULL)
        pool_give_back(run->pool);
    run->pool = pool_registry_take(run->context->pools, false, namespace_, name, 0);
    run->context->on_pool_taken(run->context->context);
    return run->pool;
}

static struct pool *find_pool(const struct look *look)
{
    bool is_model = look->spec->target.kind != CANARY_HTTP_ROUTE;
    const char *name = is_model ? look->view.pool : look->spec->canary;
    struct pool *pool;
    for (size_t cursor = 0; (pool = pool_registry_next(look->run->context->pools, &cursor)) != NULL;) {
        if (!pool->is_service && strcmp(pool->name, name) == 0 &&
            strcmp(pool->namespace_, look->view.pool_namespace) == 0)
            return pool;
    }
    return is_model ? NULL : take_pool(look, name);
}

static bool is_adapter_wanted(const struct look *look)
{
    enum rollout_phase phase = look->memory.rollout.phase;
    return phase != PHASE_ROLLING_BACK && phase != PHASE_ROLLED_BACK && phase != PHASE_ABORTED;
}

static void check_warmth(struct look *look, struct pool *pool)
{
    struct canary_run *run = look->run;
    const struct canary_warmup *warmup = &look->spec->warmup;
    bool is_model = look->spec->target.kind != CANARY_HTTP_ROUTE;
    struct warmup_wish wish = {
        .pool = pool,
        .adapter = is_model ? look->spec->canary : NULL,
        .path = warmup->adapter_path[0] != '\0' ? warmup->adapter_path : look->spec->canary,
        .endpoints = warmup->endpoints,
    };
    /* A Service has no members that are known here. */
    if (!is_model && !look->view.is_pool)
        run->is_warm = true;
    else
        run->is_warm = warmup_check(run->warmup, &wish, is_adapter_wanted(look), look->now_ms, run->warm_text);
}

/* On average over the usable endpoints. */
static bool is_saturated(const struct canary_capacity *capacity, struct pool *pool)
{
    double waiting = 0, kv = 0, count = 0;
    if (pool == NULL)
        return false;
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count; i++) {
        const struct endpoint_load *load = &pool->members[i]->load;
        if (!endpoint_is_usable(pool->members[i]))
            continue;
        waiting += atomic_load_explicit(&load->waiting, memory_order_relaxed);
        kv += atomic_load_explicit(&load->kv_permille, memory_order_relaxed) / 1000.0;
        count++;
    }
    pthread_mutex_unlock(&pool->lock);
    return count > 0 && (waiting / count > capacity->max_queue || kv / count > capacity->max_kv_cache);
}

static void gather_verdict(const struct look *look, struct rollout_facts *facts)
{
    const struct canary_run *run = look->run;
    if (run->analysis == NULL) {
        facts->epoch = look->memory.rollout.epoch > 0 ? look->memory.rollout.epoch : 1;
        facts->step_requests = run->step_seen_since == look->memory.rollout.step_began_ms ? run->step_seen : 0;
        return;
    }
    facts->verdict = run->verdict.verdict;
    facts->severity = run->verdict.severity;
    facts->verdict_text = run->verdict.reason;
    facts->step_requests = analysis_step_requests(run->analysis);
    facts->epoch = analysis_epoch(run->analysis);
}

static void gather_facts(struct look *look)
{
    struct pool *pool = look->view.is_usable ? find_pool(look) : NULL;
    if (look->view.is_usable)
        check_warmth(look, pool);
    look->facts = (struct rollout_facts){
        .has_target = look->view.is_usable,
        .weight_bp = look->view.weight_bp,
        .applied_move = look->view.applied_move,
        .applied_bp = look->view.applied_bp,
        .is_warm = look->run->is_warm,
        .warm_text = look->run->warm_text,
        .is_saturated = is_saturated(&look->spec->capacity, pool),
        .command = look->command.command,
        .command_id = look->command.id,
    };
    gather_verdict(look, &look->facts);
    canary_tap_set_full(look->run->tap, look->facts.is_saturated);
}

/* Deeds. */

static void tell(const struct look *look)
{
    const struct rollout_decision *decision = &look->decision;
    if (decision->event == EVENT_NONE)
        return;
    event_record(look->run->context->recorder, look->canary, rollout_event_is_warning(decision->event), COMPONENT,
                 rollout_event_reason(decision->event), "%s", decision->event_text);
}

static void write_status(struct look *look)
{
    struct canary_run *run = look->run;
    struct report_input input = {
        .canary = look->canary,
        .stable_name = look->memory.stable,
        .canary_name = look->spec->canary,
        .plan = &look->plan,
        .memory = &look->memory,
        .decision = &look->decision,
        .target = &look->view,
        .analysis = run->analysis != NULL ? &run->verdict : NULL,
        .figures = &run->figures,
        .in_flight = {canary_tap_in_flight(run->tap, ARM_STABLE), canary_tap_in_flight(run->tap, ARM_CANARY)},
        .pin_problem = run->pin_problem,
        .overflowed = canary_tap_overflowed(run->tap),
        .now_ms = look->now_ms,
        .now_wall_ms = look->now_wall_ms,
    };
    run->is_report_due = false;
    if (object_set_status(run->context->store, KUBE_CANARY, run->namespace_, run->name, report_status(&input),
                          look->now_wall_ms))
        tell(look);
}

static void move_weight(struct look *look)
{
    json_t *next =
        target_write(look->target, &look->wish, &look->view, look->decision.weight_bp, look->memory.rollout.move);
    struct stored *stored = object_update(look->run->context->store, look->target->kind, look->target->namespace_,
                                          look->target->name, next, look->now_wall_ms);
    if (stored != NULL)
        stored_give_back(stored);
}

static void begin_analysis(struct look *look)
{
    struct canary_run *run = look->run;
    if (!look->decision.begin_analysis || run->analysis == NULL)
        return;
    analysis_begin_step(run->analysis, look->decision.slack, look->memory.rollout.epoch);
    analysis_report(run->analysis, &run->verdict);
}

static void cut_streams(struct look *look)
{
    struct canary_run *run = look->run;
    bool is_at_zero = look->memory.rollout.phase == PHASE_ABORTED;
    bool is_done = run->cut_command == look->command.id && run->was_cut_at_zero >= is_at_zero;
    if (!look->command.cuts || !(look->memory.rollout.is_aborting || is_at_zero) || is_done)
        return;
    run->cut_command = look->command.id;
    run->was_cut_at_zero = is_at_zero;
    canary_tap_cut(run->tap, ARM_CANARY);
}

/* One decision and what follows from it.  True: another may follow at once. */
static bool take_turn(struct look *look)
{
    struct canary_run *run = look->run;
    gather_facts(look);
    rollout_decide(&look->plan, &look->memory.rollout, &look->facts, look->now_wall_ms, &look->decision);
    begin_analysis(look);
    run->recheck_due_ms = look->decision.recheck_ms > 0 ? look->now_ms + look->decision.recheck_ms : 0;
    if (look->decision.must_persist || look->decision.event != EVENT_NONE) {
        write_status(look); /* goes on when it is durable */
        return false;
    }
    cut_streams(look);
    if (look->decision.has_weight) {
        move_weight(look);
        return false;
    }
    return !look->decision.is_settled;
}

/* Looking. */

/* False: what is known of it may not be durable yet. */
static bool is_durable(const struct store *store, enum kube_kind kind, const char *namespace_, const char *name)
{
    const struct stored *head = store_head(store, kind, namespace_, name);
    const struct stored *durable = store_get(store, kind, namespace_, name);
    return head == durable || (head != NULL && durable != NULL && head->version == durable->version);
}

static bool look_at_target(struct look *look)
{
    struct run_context context = *look->run->context;
    const struct canary_target *target = &look->spec->target;
    for (const enum kube_kind *kind = canary_target_kinds(target->kind); *kind != KUBE_KIND_COUNT; kind++) {
        if (!is_durable(context.store, *kind, look->canary->namespace_, target->name))
            return false;
        const struct stored *stored = store_get(context.store, *kind, look->canary->namespace_, target->name);
        look->wish.kind = *kind;
        if (stored == NULL || (target->group[0] != '\0' && strcmp(target->group, kube_kind_info(*kind)->group) != 0))
            continue;
        look->target = stored->object;
        break;
    }
    target_read(look->target, &look->wish, &look->view);
    if (look->view.is_usable)
        snprintf(look->memory.stable, sizeof look->memory.stable, "%s", look->view.stable);
    return true;
}

/* The reason in the status is the one of the last decision that was written down; another one may hold by now. */
static bool has_stale_reason(const struct look *look)
{
    const char *said = tree_text(look->canary->tree, "status.reason");
    return strcmp(said, report_reason(&look->memory, &look->decision)) != 0;
}

void run_sync(struct canary_run *run, const struct kube_object *canary, uint64_t now_ms, uint64_t now_wall_ms)
{
    struct look look = {
        .run = run, .canary = canary, .spec = canary->spec, .now_ms = now_ms, .now_wall_ms = now_wall_ms};
    if (!is_durable(run->context->store, KUBE_CANARY, canary->namespace_, canary->name))
        return; /* called again when it is */
    plan_rollout(canary, &look.plan);
    look.command = plan_command(canary);
    memory_read(json_object_get(canary->tree, "status"), &look.memory);
    look.wish = (struct target_wish){
        .canary_object = run->name,
        .uid = run->uid,
        .rule = look.spec->target.rule,
        .stable = look.spec->stable,
        .canary = look.spec->canary,
        .known_stable = look.memory.stable,
    };
    if (!look_at_target(&look))
        return;
    follow_guards(run, look.spec);
    follow_price(run, ARM_STABLE, &look.spec->stable_price);
    follow_price(run, ARM_CANARY, &look.spec->canary_price);
    follow_pins(run, canary);
    end_interval(&look);
    unsigned turns = 0;
    while (take_turn(&look) && ++turns < MAX_TURNS)
        ;
    bool is_waiting = !is_durable(run->context->store, KUBE_CANARY, canary->namespace_, canary->name);
    if (!is_waiting && (run->is_report_due || has_stale_reason(&look)))
        write_status(&look);
}

/* Unknown shares have no series. */
static void set_share(const struct canary_run *run, struct metrics *metrics, unsigned shard, const char *of,
                      double canary_percent)
{
    const char *name = canary_tap_name(run->tap);
    if (!isfinite(canary_percent))
        return;
    metric_set(metrics_series(metrics, shard, METRIC_CANARY_SHARE, (const char *[]){name, "canary", of}),
               (int64_t)(canary_percent * 1e4));
    metric_set(metrics_series(metrics, shard, METRIC_CANARY_SHARE, (const char *[]){name, "stable", of}),
               (int64_t)((100 - canary_percent) * 1e4));
}

void run_set_gauges(const struct canary_run *run, struct metrics *metrics, unsigned shard)
{
    const char *name = canary_tap_name(run->tap);
    set_share(run, metrics, shard, "wanted", run->figures_bp / 100.0);
    set_share(run, metrics, shard, "requests", figures_request_share(&run->figures));
    set_share(run, metrics, shard, "tokens", figures_token_share(&run->figures));
    metric_set(metrics_series(metrics, shard, METRIC_CANARY_OVERFLOWED, &name),
               (int64_t)canary_tap_overflowed(run->tap));
}

void run_write(const struct canary_run *run, struct json_writer *json)
{
    jw_begin_object(json);
    jw_member_str(json, "namespace", run->namespace_);
    jw_member_str(json, "name", run->name);
    jw_member_bool(json, "warm", run->is_warm);
    jw_member_str(json, "warmth", run->warm_text);
    jw_member_u64(json, "stableInFlight", canary_tap_in_flight(run->tap, ARM_STABLE));
    jw_member_u64(json, "canaryInFlight", canary_tap_in_flight(run->tap, ARM_CANARY));
    if (run->analysis != NULL) {
        jw_member_str(json, "verdict", verdict_name(run->verdict.verdict));
        jw_member_str(json, "reason", run->verdict.reason);
        jw_member_u64(json, "blocks", run->verdict.blocks);
        jw_member_u64(json, "epoch", run->verdict.epoch);
    }
    jw_end_object(json);
}
