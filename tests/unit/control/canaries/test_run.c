/* SPDX-License-Identifier: Apache-2.0 */
/* A Canary against a store in memory, with traffic and time by hand: it ramps, rolls back, waits, yields to people, and
 * goes on after any crash without doing a step twice. */
#include "unit/control/world.h"

#include "control/canaries/run.h"
#include "control/canaries/target.h"

#define STEP_MS 1000 /* of the clock, with an interval each */

#define CANARY(spec)                                                                                                   \
    "apiVersion: serin.dev/v1alpha1\n"                                                                                 \
    "kind: Canary\n"                                                                                                   \
    "metadata: {name: c}\n"                                                                                            \
    "spec:\n"                                                                                                          \
    "  targetRef: {kind: HTTPRoute, name: r}\n"                                                                        \
    "  canary: new\n"                                                                                                  \
    "  warmup: {slowStart: 0s}\n"                                                                                      \
    "  steps: [{weight: 5, hold: {requests: 40}}, {weight: 50, hold: {requests: 40}}]\n" spec
#define QUICK "  analysis: {interval: 1s, minimumSamples: 20}\n"

static const char *const objects =
    ROUTE("r", "{name: g}", "{group: inference.networking.k8s.io, kind: InferencePool, name: old, weight: 1}");

struct scene {
    struct world world;
    struct pool_registry *pools;
    struct pool *pool;
    struct strata_options strata;
    struct canary_taps *taps;
    struct run_context context;
    struct canary_run *run;
    uint64_t now_ms;
    char weights[400]; /* of the canary, each change: "0 5 50 100" */
    unsigned last_bp;
};

static void add_endpoints(struct scene *scene, unsigned count)
{
    struct pool_member members[4];
    for (unsigned i = 0; i < count; i++)
        members[i] = (struct pool_member){
            .ip = i == 0 ? "127.0.0.1" : "127.0.0.2", .port = 1, .pod = "default/p", .is_ready = true};
    pool_set_members(scene->pool, members, count, NULL);
}

static void ignore_pool(void *context)
{
    (void)context;
}

static void make_context(struct scene *scene)
{
    scene->taps = canary_taps_new(1, &scene->strata);
    scene->context = (struct run_context){.reactor = scene->world.reactor,
                                          .store = scene->world.store,
                                          .recorder = scene->world.recorder,
                                          .pools = scene->pools,
                                          .taps = scene->taps,
                                          .strata = &scene->strata,
                                          .on_pool_taken = ignore_pool};
}

static int setup(void **state)
{
    struct scene *scene = must(calloc(1, sizeof *scene));
    world_open(&scene->world);
    scene->now_ms = 5000;
    scene->pools = pool_registry_new();
    scene->pool = pool_registry_take(scene->pools, false, "default", "new", 0);
    strata_default_options(&scene->strata);
    scene->strata.warmup_requests = 0;
    scene->strata.warmup_ms = 0;
    make_context(scene);
    add_endpoints(scene, 1);
    world_put(&scene->world, objects);
    world_settle(&scene->world);
    *state = scene;
    return 0;
}

static void drop_run(struct scene *scene)
{
    if (scene->run != NULL)
        run_free(scene->run);
    scene->run = NULL;
    canary_taps_free(scene->taps);
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    drop_run(scene);
    pool_give_back(scene->pool);
    pool_registry_free(scene->pools);
    world_close(&scene->world);
    free(scene);
    return 0;
}

static void note_weight(struct scene *scene)
{
    struct target_wish wish = {.kind = KUBE_HTTP_ROUTE,
                               .canary_object = "c",
                               .uid = "",
                               .rule = "",
                               .stable = "old",
                               .canary = "new",
                               .known_stable = ""};
    struct target_view view;
    target_read(world_head(&scene->world, KUBE_HTTP_ROUTE, "r"), &wish, &view);
    assert_true(view.is_usable);
    if (view.weight_bp == scene->last_bp)
        return;
    scene->last_bp = view.weight_bp;
    size_t len = strlen(scene->weights);
    snprintf(scene->weights + len, sizeof scene->weights - len, "%s%g", len > 0 ? " " : "", view.weight_bp / 100.0);
}

/* One look; what it wrote becomes durable. */
static void look_at_canary(struct scene *scene)
{
    const struct stored *stored = store_get(scene->world.store, KUBE_CANARY, "default", "c");
    assert_non_null(stored);
    struct kube_object *canary = kube_object_take(stored->object);
    if (scene->run == NULL)
        scene->run = run_new(&scene->context, canary);
    run_sync(scene->run, canary, scene->now_ms, scene->world.now_wall_ms);
    kube_object_give_back(canary);
    world_settle(&scene->world);
}

static void look(struct scene *scene)
{
    look_at_canary(scene);
    note_weight(scene);
}

static void advance(struct scene *scene, uint64_t ms)
{
    scene->now_ms += ms;
    scene->world.now_wall_ms += ms;
}

struct behaviour {
    uint64_t ttft_us;
    unsigned failures_of_100;
    bool is_empty;
};

static const struct behaviour healthy = {.ttft_us = 100000};

/* An interval's traffic of one arm; latencies differ a little, as they do. */
static void serve(struct scene *scene, enum arm_role arm, unsigned count, struct behaviour behaviour)
{
    struct canary_tap *tap = canary_taps_take(scene->taps, "default/c");
    for (unsigned i = 0; i < count; i++) {
        bool fails = i * behaviour.failures_of_100 / 100 != (i + 1) * behaviour.failures_of_100 / 100;
        struct observation seen = {
            .arm = arm,
            .outcome = fails ? OUTCOME_SERVER_ERROR : OUTCOME_OK,
            .finish = FINISH_STOP,
            .is_streaming = true,
            .is_empty = behaviour.is_empty,
            .prompt_tokens = 100,
            .ttft_us = behaviour.ttft_us + behaviour.ttft_us / 100 * (i % 7),
            .tpot_us = 10000,
            .total_us = behaviour.ttft_us + 500000,
            .queue_us = 0,
            .output_tokens = 50,
            .cost_micros = OBSERVATION_UNKNOWN,
            .endpoint_served = 1000,
            .endpoint_age_ms = 1000000,
        };
        canary_tap_price(tap, &seen);
        canary_tap_add(tap, 0, &seen);
    }
    canary_tap_give_back(tap);
}

static const char *status_text(const struct scene *scene, const char *key)
{
    const char *text = json_string_value(json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), key));
    return text != NULL ? text : "";
}

static bool is_phase(const struct scene *scene, const char *phase)
{
    return strcmp(status_text(scene, "phase"), phase) == 0;
}

/* Looks with traffic by the weight, until the phase is reached; fails after so many intervals. */
static void run_until(struct scene *scene, const char *phase, struct behaviour canary, unsigned intervals)
{
    for (unsigned i = 0; i < intervals && !is_phase(scene, phase); i++) {
        if (scene->last_bp < 10000)
            serve(scene, ARM_STABLE, 200, healthy);
        serve(scene, ARM_CANARY, scene->last_bp > 0 ? 20 : 0, canary);
        advance(scene, STEP_MS);
        for (unsigned j = 0; j < 8; j++)
            look(scene);
    }
    if (!is_phase(scene, phase))
        fail_msg("phase %s, not %s: %s; weights %s", status_text(scene, "phase"), phase, status_text(scene, "message"),
                 scene->weights);
}

static void begin(struct scene *scene, const char *canary)
{
    world_put(&scene->world, canary);
    world_settle(&scene->world);
}

static void a_healthy_canary_takes_each_step_once_and_all_in_the_end(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY(QUICK));
    run_until(scene, "Completed", healthy, 200);
    assert_string_equal(scene->weights, "5 50 100");
    const json_t *arms = json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), "arms");
    assert_string_equal(json_string_value(json_object_get(json_array_get(arms, 0), "name")), "old");
    assert_string_equal(json_string_value(json_object_get(json_array_get(arms, 1), "name")), "new");
    assert_non_null(strstr(world_events(&scene->world, "c"), "RolloutCompleted"));
}

static void a_slow_canary_is_rolled_back_and_the_guard_is_named(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY(QUICK));
    run_until(scene, "RolledBack", (struct behaviour){.ttft_us = 200000}, 300);
    assert_string_equal(scene->weights, "5 0");
    assert_non_null(strstr(status_text(scene, "message"), "ttft"));
}

static void failures_roll_back(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY(QUICK));
    run_until(scene, "RolledBack", (struct behaviour){.ttft_us = 100000, .failures_of_100 = 20}, 300);
    assert_string_equal(scene->weights, "5 0");
    assert_non_null(strstr(status_text(scene, "message"), "errorRate"));
}

/* Both answer alike: the price alone makes the difference. */
static void a_dear_canary_is_rolled_back(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY("  analysis: {interval: 1s, minimumSamples: 20, guards: [{metric: cost, relative: {ratio: "
                        "1.2}}]}\n"
                        "  prices:\n"
                        "    stable: {inputPerMillion: 1, outputPerMillion: 4}\n"
                        "    canary: {inputPerMillion: 2, outputPerMillion: 8}\n"));
    run_until(scene, "RolledBack", healthy, 300);
    assert_string_equal(scene->weights, "5 0");
    assert_non_null(strstr(status_text(scene, "message"), "cost mean: canary 0.00060000, stable 0.00030000"));
    const json_t *arms = json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), "arms");
    const json_t *cost = json_object_get(json_array_get(arms, ARM_STABLE), "costPerAnswer");
    assert_float_equal(json_number_value(cost), 0.0003, 1e-9);
}

static void empty_answers_roll_back(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY(QUICK));
    run_until(scene, "RolledBack", (struct behaviour){.ttft_us = 100000, .is_empty = true}, 300);
    assert_non_null(strstr(status_text(scene, "message"), "emptyRate"));
}

static void without_analysis_requests_are_counted_all_the_same(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY("  analysis: {enabled: false, interval: 1s}\n"));
    run_until(scene, "Completed", (struct behaviour){.ttft_us = 900000, .failures_of_100 = 50}, 40);
    assert_string_equal(scene->weights, "5 50 100");
    assert_null(json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), "verdict"));
}

static void without_traffic_it_holds_and_says_no_data(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY("  analysis: {interval: 1s}\n"));
    world_put(&scene->world, "apiVersion: serin.dev/v1alpha1\nkind: Canary\nmetadata: {name: c}\nspec:\n"
                             "  targetRef: {kind: HTTPRoute, name: r}\n  canary: new\n  warmup: {slowStart: 0s}\n"
                             "  steps: [{weight: 5, hold: 1s}]\n  analysis: {interval: 1s}\n");
    world_settle(&scene->world);
    for (unsigned i = 0; i < 30; i++) {
        advance(scene, STEP_MS);
        look(scene);
    }
    assert_string_equal(scene->weights, "5");
    assert_string_equal(status_text(scene, "reason"), "NoData");
    const json_t *verdict = json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), "verdict");
    assert_string_equal(json_string_value(json_object_get(verdict, "result")), "no-data");
}

static void it_waits_for_endpoints_at_zero(void **state)
{
    struct scene *scene = *state;
    add_endpoints(scene, 0);
    begin(scene, CANARY(QUICK));
    for (unsigned i = 0; i < 5; i++) {
        advance(scene, STEP_MS);
        look(scene);
    }
    assert_string_equal(scene->weights, "");
    assert_string_equal(status_text(scene, "phase"), "WarmingUp");
    assert_non_null(strstr(status_text(scene, "message"), "0 ready endpoints"));
    add_endpoints(scene, 1);
    run_until(scene, "Completed", healthy, 200);
}

#define COMMAND(annotations, spec)                                                                                     \
    "apiVersion: serin.dev/v1alpha1\nkind: Canary\n"                                                                   \
    "metadata: {name: c, annotations: {" annotations "}}\nspec:\n"                                                     \
    "  targetRef: {kind: HTTPRoute, name: r}\n  canary: new\n  warmup: {slowStart: 0s}\n"                              \
    "  steps: [{weight: 5, hold: {requests: 40}}, {weight: 50, hold: {requests: 40}}]\n" spec

static void a_human_who_sets_the_weight_owns_it(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY(QUICK));
    run_until(scene, "Progressing", healthy, 20);
    for (unsigned i = 0; i < 8; i++)
        look(scene);
    world_put(&scene->world, ROUTE("r", "{name: g}",
                                   "{group: inference.networking.k8s.io, kind: InferencePool, name: old, weight: 70},"
                                   "{group: inference.networking.k8s.io, kind: InferencePool, name: new, weight: 30}"));
    world_settle(&scene->world);
    run_until(scene, "Paused", healthy, 5);
    assert_string_equal(status_text(scene, "reason"), "HumanOwnsWeight");
    assert_non_null(strstr(status_text(scene, "message"), "30 %"));
    for (unsigned i = 0; i < 10; i++) {
        serve(scene, ARM_CANARY, 50, healthy);
        advance(scene, STEP_MS);
        look(scene);
    }
    assert_string_equal(scene->weights, "5 30");
    world_put(&scene->world, COMMAND("serin.dev/command: resume@1", QUICK));
    world_settle(&scene->world);
    run_until(scene, "Completed", healthy, 200);
    assert_string_equal(scene->weights, "5 30 50 100");
}

static void an_abort_is_written_down_before_the_weight_moves_and_cuts_what_began_until_it_did(void **state)
{
    struct scene *scene = *state;
    struct canary_tap *tap = canary_taps_take(scene->taps, "default/c");
    begin(scene, CANARY(QUICK));
    run_until(scene, "Progressing", healthy, 20);
    for (unsigned i = 0; i < 8; i++)
        look(scene);
    world_put(&scene->world, COMMAND("serin.dev/command: abort@1, serin.dev/cut: '1'", QUICK));
    world_settle(&scene->world);
    look(scene);
    const json_t *rollout = json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), "state");
    assert_true(json_is_true(json_object_get(rollout, "aborting")));
    assert_string_equal(scene->weights, "5");
    assert_int_equal(canary_tap_cuts(tap, ARM_CANARY), 0);
    look(scene);
    assert_string_equal(scene->weights, "5 0");
    assert_int_equal(canary_tap_cuts(tap, ARM_CANARY), 1);
    for (unsigned i = 0; i < 8; i++)
        look(scene);
    assert_string_equal(status_text(scene, "phase"), "Aborted");
    assert_int_equal(canary_tap_cuts(tap, ARM_CANARY), 2);
    assert_int_equal(canary_tap_cuts(tap, ARM_STABLE), 0);
    canary_tap_give_back(tap);
}

static void after_a_rollback_it_says_how_many_are_left(void **state)
{
    struct scene *scene = *state;
    struct canary_tap *tap = canary_taps_take(scene->taps, "default/c");
    begin(scene, CANARY(QUICK));
    (void)canary_tap_begin(tap, ARM_CANARY);
    (void)canary_tap_begin(tap, ARM_CANARY);
    run_until(scene, "RolledBack", (struct behaviour){.ttft_us = 200000}, 300);
    assert_non_null(strstr(status_text(scene, "message"), "; 2 of its exchanges still run"));
    canary_tap_end(tap, ARM_CANARY);
    canary_tap_end(tap, ARM_CANARY);
    advance(scene, STEP_MS);
    look(scene);
    assert_null(strstr(status_text(scene, "message"), "still run"));
    canary_tap_give_back(tap);
}

#define PIN_SECRET(key) "apiVersion: v1\nkind: Secret\nmetadata: {name: testers}\nstringData: {" key ": s3cret}\n"

static void expect_pins(struct scene *scene, const char *status, const char *reason, const char *message)
{
    const json_t *conditions = json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), "conditions");
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *one = json_array_get(conditions, i);
        if (strcmp(json_string_value(json_object_get(one, "type")), "PinsReady") != 0)
            continue;
        assert_non_null(status);
        assert_string_equal(json_string_value(json_object_get(one, "status")), status);
        assert_string_equal(json_string_value(json_object_get(one, "reason")), reason);
        assert_non_null(strstr(json_string_value(json_object_get(one, "message")), message));
        return;
    }
    assert_null(status);
}

static void put_and_look(struct scene *scene, const char *manifest)
{
    world_put(&scene->world, manifest);
    world_settle(&scene->world);
    for (unsigned i = 0; i < 8; i++)
        look(scene);
}

/* No interval ends here: what becomes of the Secret is told when it happens. */
static void a_pin_without_its_token_shows_in_the_status(void **state)
{
    struct scene *scene = *state;
    put_and_look(scene, CANARY(QUICK));
    expect_pins(scene, NULL, "", "");
    put_and_look(scene, CANARY(QUICK "  stickiness: {pin: {header: x-try, secretRef: {name: testers}}}\n"));
    expect_pins(scene, "False", "TokenMissing", "Secret default/testers does not exist");
    put_and_look(scene, PIN_SECRET("other"));
    expect_pins(scene, "False", "TokenMissing", "nothing under the key token");
    put_and_look(scene, PIN_SECRET("token"));
    expect_pins(scene, "True", "TokenFound", "x-try");
    put_and_look(scene, COMMAND("serin.dev/command: abort@1",
                                QUICK "  stickiness: {pin: {header: x-try, secretRef: {name: testers}}}\n"));
    expect_pins(scene, "False", "Aborted", "aborted");
}

static void a_canary_made_anew_is_not_mistaken_for_the_one_before(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY(QUICK));
    run_until(scene, "Completed", healthy, 200);
    world_delete(&scene->world, KUBE_CANARY, "c");
    world_settle(&scene->world);
    run_free(scene->run);
    scene->run = NULL;
    world_put(&scene->world, objects); /* stable takes all again */
    world_settle(&scene->world);
    note_weight(scene);
    begin(scene, CANARY(QUICK));
    run_until(scene, "Completed", healthy, 200);
    assert_string_equal(scene->weights, "5 50 100 0 5 50 100");
}

static void a_target_that_is_missing_is_named(void **state)
{
    struct scene *scene = *state;
    world_delete(&scene->world, KUBE_HTTP_ROUTE, "r");
    begin(scene, CANARY(QUICK));
    for (unsigned i = 0; i < 2; i++)
        look_at_canary(scene);
    assert_string_equal(status_text(scene, "reason"), "TargetMissing");
    assert_non_null(strstr(status_text(scene, "message"), "does not exist"));
    world_put(&scene->world, objects);
    world_settle(&scene->world);
    run_until(scene, "Completed", healthy, 200);
}

static void without_being_asked_for_it_the_share_grows_slowly(void **state)
{
    struct scene *scene = *state;
    begin(scene, "apiVersion: serin.dev/v1alpha1\nkind: Canary\nmetadata: {name: c}\nspec:\n"
                 "  targetRef: {kind: HTTPRoute, name: r}\n  canary: new\n"
                 "  steps: [{weight: 20, hold: {requests: 40}}]\n" QUICK);
    run_until(scene, "Progressing", healthy, 3);
    for (unsigned i = 0; i < 4; i++)
        look(scene);
    assert_string_equal(scene->weights, "5");
    assert_string_equal(status_text(scene, "reason"), "SlowStart");
    run_until(scene, "Completed", healthy, 200);
    assert_string_equal(scene->weights, "5 10 15 20 100");
}

/* The process dies after `writes` writes of this run of the test have become durable. */
static void crash(struct scene *scene)
{
    char error[300];
    drop_run(scene);
    event_recorder_free(scene->world.recorder);
    store_close(scene->world.store);
    scene->world.disk.is_closed = false;
    scene->world.store = store_open(scene->world.reactor, &scene->world.disk.disk, NULL, error);
    assert_non_null(scene->world.store);
    scene->world.recorder = event_recorder_new(scene->world.reactor, scene->world.store, 100);
    make_context(scene);
}

static void a_crash_after_any_look_repeats_no_step(void **state)
{
    struct scene *scene = *state;
    begin(scene, CANARY(QUICK));
    unsigned looks = 0;
    for (unsigned i = 0; i < 600 && !is_phase(scene, "Completed"); i++) {
        serve(scene, ARM_STABLE, 200, healthy);
        serve(scene, ARM_CANARY, scene->last_bp > 0 ? 100 : 0, healthy);
        advance(scene, STEP_MS);
        for (unsigned j = 0; j < 4; j++) {
            look(scene);
            /* After each of the first looks, then ever more rarely: evidence must have time to gather. */
            if (++looks < 20 || looks % 97 == 0)
                crash(scene);
        }
    }
    assert_string_equal(status_text(scene, "phase"), "Completed");
    assert_string_equal(scene->weights, "5 50 100");
    const json_t *state_json = json_object_get(world_status(&scene->world, KUBE_CANARY, "c"), "state");
    assert_int_equal(json_integer_value(json_object_get(state_json, "move")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_healthy_canary_takes_each_step_once_and_all_in_the_end),
        TEST(a_slow_canary_is_rolled_back_and_the_guard_is_named),
        TEST(failures_roll_back),
        TEST(a_dear_canary_is_rolled_back),
        TEST(empty_answers_roll_back),
        TEST(without_analysis_requests_are_counted_all_the_same),
        TEST(without_traffic_it_holds_and_says_no_data),
        TEST(it_waits_for_endpoints_at_zero),
        TEST(a_human_who_sets_the_weight_owns_it),
        TEST(an_abort_is_written_down_before_the_weight_moves_and_cuts_what_began_until_it_did),
        TEST(after_a_rollback_it_says_how_many_are_left),
        TEST(a_pin_without_its_token_shows_in_the_status),
        TEST(a_canary_made_anew_is_not_mistaken_for_the_one_before),
        TEST(a_target_that_is_missing_is_named),
        TEST(without_being_asked_for_it_the_share_grows_slowly),
        TEST(a_crash_after_any_look_repeats_no_step),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
