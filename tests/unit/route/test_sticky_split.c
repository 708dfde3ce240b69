/* SPDX-License-Identifier: Apache-2.0 */
/* test_sticky_split.c: Canaries and annotations compiled into draws: pins, remembered responses and conversations, arms
 * of weight 0. */
#include "fixture.h"

#include "canary/tap.h"

#define POOL_REF(name, weight)                                                                                         \
    "{group: inference.networking.x-k8s.io, kind: InferencePool, name: " name ", weight: " weight "}"
#define RULES(first, second)                                                                                           \
    "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("v1", first) ", " POOL_REF("v2", second) "]}]}"
#define ANNOTATED(name, text, spec)                                                                                    \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: HTTPRoute\n"                                                                                                \
    "metadata: {name: " name ", annotations: {serin.dev/stickiness: \"" text "\"}}\n"                                  \
    "spec: " spec "\n"                                                                                                 \
    "---\n"
#define CANARY(name, spec)                                                                                             \
    "apiVersion: serin.dev/v1alpha1\n"                                                                                 \
    "kind: Canary\n"                                                                                                   \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: " spec "\n"                                                                                                 \
    "---\n"
#define PIN "pin: {header: x-pin, secretRef: {name: s, key: token}}"
#define SECRET                                                                                                         \
    "apiVersion: v1\n"                                                                                                 \
    "kind: Secret\n"                                                                                                   \
    "metadata: {name: s}\n"                                                                                            \
    "data: {token: czNjcmV0Cg==}\n" /* s3cret and a line feed */                                                       \
    "---\n"

static int setup(void **state)
{
    struct fixture *fixture = fixture_new();
    struct arm_memories *memories = must(calloc(1, sizeof *memories));
    memories->responses = arm_memory_new(20000);
    memories->conversations = arm_memory_new(20000);
    fixture->memories = memories;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("v1") POOL_X("v2"));
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arm_memory_free(fixture->memories->responses);
    arm_memory_free(fixture->memories->conversations);
    free((void *)(uintptr_t)fixture->memories);
    fixture_free(fixture);
    return 0;
}

/* Every pool has so many ready endpoints, which list the models. */
static void serve(struct fixture *fixture, unsigned endpoints, const struct bytes *models, unsigned model_count)
{
    const struct pool_member member = {.ip = "127.0.0.5", .port = 8000, .pod = "default/p", .is_ready = true};
    struct pool *pool;
    for (size_t cursor = 0; (pool = pool_registry_next(fixture->pools, &cursor)) != NULL;) {
        pool_set_members(pool, &member, endpoints, &(struct pool_change){.context = NULL});
        for (unsigned i = 0; i < endpoints; i++)
            endpoint_set_models(pool->members[i], models, model_count);
    }
}

static const struct route_rule *compile(struct fixture *fixture, const char *more)
{
    fixture_apply(fixture, more);
    fixture_compile(fixture);
    serve(fixture, 1, NULL, 0);
    return fixture_match(fixture, &(struct asked){.path = "/"}).rule;
}

static bool is_arm(const struct split_choice *choice, const char *text)
{
    return choice->arm != NULL && bytes_equal_str(choice->arm->text, text);
}

/* One turn and the answer to it. */
static struct split_choice answered(struct fixture *fixture, const struct route_rule *rule, const struct turn *turn,
                                    const char *reply_text, const char *response_id)
{
    struct split_request request = fixture_turn(fixture, turn);
    struct split_choice choice;
    struct split_remembered remembered;
    struct reply_hash hash;
    reply_hash_init(&hash);
    reply_hash_add_text(&hash, bytes_of(reply_text));
    route_split(rule, &request, &choice);
    struct split_reply reply = {
        .has_hash = true, .hash = reply_hash_value(&hash), .response_id = bytes_of(response_id)};
    split_remember(rule, &choice, &request, &reply, &remembered);
    return choice;
}

/* Conversation `number` up to its turn, the last answers left out. */
static const char *conversation(struct fixture *fixture, unsigned number, unsigned turn)
{
    const char *body =
        arena_printf(fixture->arena, "{\"messages\":[{\"role\":\"user\",\"content\":\"I am %u\"}", number);
    for (unsigned i = 0; i < turn; i++)
        body = arena_printf(fixture->arena,
                            "%s,{\"role\":\"assistant\",\"content\":\"%u to %u\"},{\"role\":\"user\",\"content\":\"go "
                            "on\"}",
                            body, i, number);
    return arena_printf(fixture->arena, "%s]}", body);
}

static struct split_choice say(struct fixture *fixture, const struct route_rule *rule, unsigned number, unsigned turn)
{
    return answered(fixture, rule, &(struct turn){.body = conversation(fixture, number, turn)},
                    arena_printf(fixture->arena, "%u to %u", turn, number), "");
}

enum { TALKS = 200 };

static void a_running_conversation_keeps_its_arm_while_weights_move(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("90", "10")));
    bool in_canary[TALKS];
    unsigned count = 0;
    assert_true(rule->reads_conversation);
    for (unsigned i = 0; i < TALKS; i++) {
        struct split_choice choice = say(fixture, rule, i, 0);
        assert_int_equal(choice.arm_draw.reason, DRAW_KEYLESS);
        in_canary[i] = is_arm(&choice, "v2");
        count += in_canary[i];
    }
    assert_int_equal(count, TALKS / 10); /* identical or not: first turns have exact shares */
    static const char *const moves[] = {
        ANNOTATED("r", "new-conversations", RULES("50", "50")), ANNOTATED("r", "new-conversations", RULES("0", "100")),
        ANNOTATED("r", "new-conversations", RULES("100", "0")), ANNOTATED("r", "new-conversations", RULES("90", "10"))};
    for (unsigned turn = 1; turn <= 4; turn++) {
        rule = compile(fixture, moves[turn - 1]);
        for (unsigned i = 0; i < TALKS; i++) {
            struct split_choice choice = say(fixture, rule, i, turn);
            assert_int_equal(choice.arm_draw.reason, DRAW_CONVERSATION);
            assert_int_equal(is_arm(&choice, "v2"), in_canary[i]);
        }
    }
}

static void without_the_wish_nothing_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("90", "10")));
    assert_false(rule->reads_conversation);
    for (unsigned turn = 0; turn < 3; turn++)
        for (unsigned i = 0; i < 10; i++) {
            struct split_choice choice = say(fixture, rule, i, turn);
            assert_int_equal(choice.arm_draw.reason, DRAW_KEYLESS);
        }
}

static void a_conversation_of_which_nothing_is_known_is_drawn_by_its_first_answer(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("50", "50")));
    unsigned in_canary = 0;
    for (unsigned i = 0; i < TALKS; i++) {
        struct split_choice second = DRAW(fixture, rule, .body = conversation(fixture, i, 1));
        struct split_choice fourth = DRAW(fixture, rule, .body = conversation(fixture, i, 3));
        assert_int_equal(second.arm_draw.reason, DRAW_RESUMED);
        assert_ptr_equal(second.arm, fourth.arm);
        in_canary += is_arm(&second, "v2");
    }
    assert_in_range(in_canary, TALKS / 4, TALKS * 3 / 4);
}

static void a_changed_last_answer_still_finds_the_first(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("0", "100")));
    (void)say(fixture, rule, 1, 0);
    (void)say(fixture, rule, 1, 1);
    rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("100", "0")));
    const char *edited =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"I am 1\"},{\"role\":\"assistant\",\"content\":"
        "\"0 to 1\"},{\"role\":\"user\",\"content\":\"go on\"},{\"role\":\"assistant\",\"content\":"
        "\"edited\"},{\"role\":\"user\",\"content\":\"x\"}]}";
    struct split_choice choice = DRAW(fixture, rule, .body = edited);
    assert_int_equal(choice.arm_draw.reason, DRAW_CONVERSATION);
    assert_true(is_arm(&choice, "v2"));
}

static void a_conversation_whose_arm_is_gone_is_drawn_anew(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("0", "100")));
    (void)say(fixture, rule, 1, 0);
    fixture_apply(fixture, POOL_X("v3"));
    rule = compile(fixture, ANNOTATED("r", "new-conversations",
                                      "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF(
                                          "v1", "50") ", " POOL_REF("v3", "50") "]}]}"));
    struct split_choice choice = say(fixture, rule, 1, 1);
    assert_int_equal(choice.arm_draw.reason, DRAW_RESUMED);
    struct split_choice again = say(fixture, rule, 1, 2);
    assert_int_equal(again.arm_draw.reason, DRAW_CONVERSATION);
    assert_ptr_equal(choice.arm, again.arm);
}

static void an_arm_without_share_and_endpoints_lets_go(void **state)
{
    struct fixture *fixture = *state;
    (void)say(fixture, compile(fixture, ANNOTATED("r", "new-conversations", RULES("0", "100"))), 1, 0);
    const struct route_rule *rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("100", "0")));
    struct split_choice choice = DRAW(fixture, rule, .body = conversation(fixture, 1, 1));
    assert_true(is_arm(&choice, "v2"));
    serve(fixture, 0, NULL, 0);
    choice = DRAW(fixture, rule, .body = conversation(fixture, 1, 1));
    assert_true(is_arm(&choice, "v1"));
    /* with a share it stays: its 503 says what is wrong */
    fixture_apply(fixture, ANNOTATED("r", "new-conversations", RULES("99", "1")));
    fixture_compile(fixture);
    rule = fixture_match(fixture, &(struct asked){.path = "/"}).rule;
    choice = DRAW(fixture, rule, .body = conversation(fixture, 1, 1));
    assert_true(is_arm(&choice, "v2"));
}

static void a_conversation_id_in_the_body_is_remembered_too(void **state)
{
    struct fixture *fixture = *state;
    struct turn turn = {.body = "{\"conversation\":\"conv_1\",\"input\":\"a\"}", .path = "/v1/responses"};
    const struct route_rule *rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("0", "100")));
    (void)answered(fixture, rule, &turn, "b", "resp_1");
    rule = compile(fixture, ANNOTATED("r", "new-conversations", RULES("100", "0")));
    struct split_choice choice = fixture_draw(fixture, rule, &turn);
    assert_int_equal(choice.arm_draw.reason, DRAW_CONVERSATION);
    assert_true(is_arm(&choice, "v2"));
}

static void a_response_is_gone_on_with_where_it_was_made(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("0", "100")));
    struct turn first = {.body = "{\"input\":\"a\"}", .path = "/v1/responses"};
    (void)answered(fixture, rule, &first, "b", "resp_1");
    rule = compile(fixture, ROUTE("r", RULES("100", "0")));
    /* also when a key says otherwise: only that arm has the state */
    struct turn next = {
        .body = "{\"input\":\"c\",\"previous_response_id\":\"resp_1\"}", .path = "/v1/responses", .key = "user-1"};
    struct split_choice choice = fixture_draw(fixture, rule, &next);
    assert_int_equal(choice.arm_draw.reason, DRAW_RESPONSE);
    assert_true(is_arm(&choice, "v2"));
    struct split_choice got = DRAW(fixture, rule, .path = "/v1/responses/resp_1");
    assert_true(is_arm(&got, "v2"));
    /* unknown: hashed as a key */
    choice = DRAW(fixture, rule, .body = "{\"previous_response_id\":\"resp_2\"}", .path = "/v1/responses");
    assert_int_equal(choice.arm_draw.reason, DRAW_BODY);
    assert_true(choice.arm_draw.is_lost);
}

static void a_broken_annotation_is_ignored_and_told(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ANNOTATED("r", "header=X-User,sticky", RULES("90", "10")));
    assert_int_equal(DRAW(fixture, rule, .headers = {"x-user=u"}).arm_draw.reason, DRAW_KEYLESS);
    const struct object_status *status = status_report_find(fixture->report, KUBE_HTTP_ROUTE, "default", "r");
    const struct condition *condition = object_status_condition(status, "g", "Accepted");
    assert_non_null(strstr(condition->message, "serin.dev/stickiness is ignored"));
    rule = compile(fixture, ANNOTATED("r", "header=X-User", RULES("90", "10")));
    assert_int_equal(DRAW(fixture, rule, .headers = {"x-user=u"}).arm_draw.reason, DRAW_HEADER);
}

#define OF_ROUTE "targetRef: {kind: HTTPRoute, name: r}, stable: v1, canary: v2"

static void a_pin_goes_to_its_arm_whatever_the_weight(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, SECRET CANARY("c", "{" OF_ROUTE ", stickiness: {" PIN "}}"));
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("100", "0")));
    struct split_choice choice = DRAW(fixture, rule, .headers = {"x-pin=canary s3cret", "x-session-id=k"});
    assert_true(is_arm(&choice, "v2"));
    assert_int_equal(choice.arm_draw.reason, DRAW_PIN);
    choice = DRAW(fixture, rule, .headers = {"x-pin=stable s3cret"});
    assert_true(is_arm(&choice, "v1"));
    choice = DRAW(fixture, rule, .headers = {"x-pin=canary wrong"});
    assert_true(is_arm(&choice, "v1") && choice.arm_draw.is_pin_refused);
    assert_int_equal(choice.arm_draw.reason, DRAW_KEYLESS);
    assert_int_equal(rule->pin_header_count, 1);
    assert_true(bytes_equal_str(rule->pin_headers[0], "x-pin"));
}

static void a_pin_does_not_divert_what_only_one_pool_knows(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, SECRET CANARY("c", "{" OF_ROUTE ", stickiness: {" PIN "}}")
                               MODEL("lora", "{modelName: helper, poolRef: {name: v1}, targetModels: [{name: h-1}]}"));
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("90", "10")));
    struct split_choice choice = DRAW(fixture, rule, .model = "h-1", .headers = {"x-pin=canary s3cret"});
    assert_true(is_arm(&choice, "v1"));
    assert_null(choice.target);
}

static void without_its_secret_nobody_is_pinned(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CANARY("c", "{" OF_ROUTE ", stickiness: {" PIN "}}"));
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("100", "0")));
    struct split_choice choice = DRAW(fixture, rule, .headers = {"x-pin=canary "});
    assert_true(is_arm(&choice, "v1") && choice.arm_draw.is_pin_refused);
    assert_non_null(rule->split.stickiness->pin.problem);
}

static void an_abort_drops_pins_and_lets_go_of_conversations(void **state)
{
    struct fixture *fixture = *state;
    const char *spec = "{" OF_ROUTE ", stickiness: {newConversationsOnly: true, " PIN "}}";
    fixture_apply(fixture, SECRET);
    fixture_apply(fixture, arena_printf(fixture->arena, CANARY("c", "%s"), spec));
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("0", "100")));
    (void)say(fixture, rule, 1, 0);
    rule = compile(fixture, ROUTE("r", RULES("100", "0")));
    struct split_choice choice = DRAW(fixture, rule, .body = conversation(fixture, 1, 1));
    assert_true(is_arm(&choice, "v2")); /* a rollback lets it finish */
    static const struct {
        const char *status, *pinned;
    } statuses[] = {
        {"phase: RollingBack, state: {aborting: false}", "v2"},
        {"phase: RollingBack, state: {aborting: true}", "v1"}, /* the weight is still on its way */
        {"phase: Aborted", "v1"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(statuses); i++) {
        fixture_apply(fixture, arena_printf(fixture->arena,
                                            "apiVersion: serin.dev/v1alpha1\nkind: Canary\nmetadata: {name: c}\nspec: "
                                            "%s\nstatus: {%s}\n",
                                            spec, statuses[i].status));
        fixture_compile(fixture);
        rule = fixture_match(fixture, &(struct asked){.path = "/"}).rule;
        choice = DRAW(fixture, rule, .body = conversation(fixture, 1, 1), .headers = {"x-pin=canary s3cret"});
        assert_true(is_arm(&choice, statuses[i].pinned));
    }
}

#define OF_MODEL                                                                                                       \
    "{targetRef: {kind: InferenceModel, name: lora}, canary: m-2, stickiness: {newConversationsOnly: true, " PIN "}}"

static void a_model_arm_without_share_is_still_there_for_who_has_it(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, SECRET CANARY("c", OF_MODEL) ROUTE("r", RULES("1", "0")));
    const struct route_rule *rule = compile(
        fixture, MODEL("lora", "{modelName: m, poolRef: {name: v1}, targetModels: [{name: m-1}, {name: m-2}]}"));
    unsigned held = 0;
    bool in_canary[20];
    for (unsigned i = 0; i < 20; i++) {
        struct turn turn = {.model = "m", .body = conversation(fixture, i, 0)};
        struct split_choice choice = answered(fixture, rule, &turn, arena_printf(fixture->arena, "0 to %u", i), "");
        in_canary[i] = bytes_equal_str(choice.target->name, "m-2");
        held += in_canary[i];
    }
    assert_int_equal(held, 10);
    rule = compile(fixture, MODEL("lora", "{modelName: m, poolRef: {name: v1}, targetModels: [{name: m-1}]}"));
    serve(fixture, 1, (struct bytes[]){BYTES("m-1"), BYTES("m-2")}, 2);
    for (unsigned i = 0; i < 20; i++) {
        struct split_choice next = DRAW(fixture, rule, .model = "m", .body = conversation(fixture, i, 1));
        assert_int_equal(bytes_equal_str(next.target->name, "m-2"), in_canary[i]);
        struct split_choice first = DRAW(fixture, rule, .model = "m", .body = conversation(fixture, 100 + i, 0));
        assert_true(bytes_equal_str(first.target->name, "m-1"));
    }
    /* Unloaded: nobody is sent to an adapter that is not there. */
    serve(fixture, 1, &BYTES("m-1"), 1);
    for (unsigned i = 0; i < 20; i++) {
        struct split_choice next = DRAW(fixture, rule, .model = "m", .body = conversation(fixture, i, 1));
        assert_true(bytes_equal_str(next.target->name, "m-1"));
    }
    struct split_choice pinned = DRAW(fixture, rule, .model = "m", .headers = {"x-pin=canary s3cret"});
    assert_true(bytes_equal_str(pinned.target->name, "m-2"));
    assert_int_equal(pinned.target_draw.reason, DRAW_PIN);
    pinned = DRAW(fixture, rule, .model = "m", .headers = {"x-pin=stable s3cret"});
    assert_true(bytes_equal_str(pinned.target->name, "m-1"));
}

static void the_annotation_of_a_pool_speaks_for_its_models(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, ROUTE("r", RULES("1", "0")) "apiVersion: inference.networking.x-k8s.io/v1alpha2\n"
                                                       "kind: InferencePool\n"
                                                       "metadata: {name: v1, annotations: {serin.dev/stickiness: "
                                                       "\"user,no-default-keys\"}}\n"
                                                       "spec: {selector: {app: x}, targetPortNumber: 8000, "
                                                       "extensionRef: {name: picker}}\n");
    const struct route_rule *rule = compile(
        fixture, MODEL("lora", "{modelName: m, poolRef: {name: v1}, targetModels: [{name: m-1}, {name: m-2}]}"));
    struct split_choice choice =
        DRAW(fixture, rule, .model = "m", .body = "{\"user\":\"u\"}", .headers = {"x-session-id=s"});
    assert_int_equal(choice.target_draw.reason, DRAW_USER);
    assert_int_equal(choice.arm_draw.reason, DRAW_HEADER);
}

static void the_salt_of_the_canary_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("50", "50")));
    unsigned moved = 0;
    bool before[100];
    for (unsigned i = 0; i < 100; i++)
        before[i] = is_arm(
            &(struct split_choice){.arm = DRAW(fixture, rule, .key = arena_printf(fixture->arena, "%u", i)).arm}, "v2");
    rule = compile(fixture, CANARY("c", "{" OF_ROUTE "}"));
    for (unsigned i = 0; i < 100; i++) {
        struct split_choice choice = DRAW(fixture, rule, .key = arena_printf(fixture->arena, "%u", i));
        moved += is_arm(&choice, "v2") != before[i];
    }
    assert_in_range(moved, 25, 75);
}

/* "stable of default/c", "nobody's". */
static const char *judged(struct fixture *fixture, const struct canary_tap *tap, enum arm_role role)
{
    if (tap == NULL)
        return "nobody's";
    return arena_printf(fixture->arena, "%s of %s", role == ARM_CANARY ? "canary" : "stable", canary_tap_name(tap));
}

static void canaries_measure_their_arms(void **state)
{
    struct fixture *fixture = *state;
    struct strata_options options;
    strata_default_options(&options);
    fixture->taps = canary_taps_new(1, &options);
    fixture_apply(fixture, CANARY("c", "{targetRef: {kind: HTTPRoute, name: r}, canary: v2}"));
    fixture_apply(fixture, CANARY("late", "{targetRef: {kind: HTTPRoute, name: r}, canary: v1}"));
    fixture_apply(fixture, CANARY("d", "{targetRef: {kind: InferenceModelRewrite, name: w, rule: \"1\"}, stable: m-1, "
                                       "canary: m-2}"));
    fixture_apply(fixture,
                  "apiVersion: llm-d.ai/v1alpha2\n"
                  "kind: InferenceModelRewrite\n"
                  "metadata: {name: w}\n"
                  "spec: {poolRef: {name: v1}, rules: [{matches: [{model: {value: n}}], targets: "
                  "[{modelRewrite: m-1}]}, {matches: [{model: {value: m}}], targets: [{modelRewrite: m-1}]}]}\n"
                  "---\n");
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("90", "10")));
    assert_string_equal(judged(fixture, rule->arms[0].tap, rule->arms[0].role), "stable of default/c");
    assert_string_equal(judged(fixture, rule->arms[1].tap, rule->arms[1].role), "canary of default/c");
    const struct model_rule *model = pool_arm_model(&rule->arms[0], BYTES("m"));
    assert_int_equal(model->target_count, 2); /* m-2 without a share */
    assert_string_equal(judged(fixture, model->targets[0].tap, model->targets[0].role), "stable of default/d");
    assert_string_equal(judged(fixture, model->targets[1].tap, model->targets[1].role), "canary of default/d");
    model = pool_arm_model(&rule->arms[0], BYTES("n"));
    assert_int_equal(model->target_count, 1);
    assert_null(model->targets[0].tap);
    fixture_drop_result(fixture);
    canary_taps_free(fixture->taps); /* nobody holds one any more */
    fixture->taps = NULL;
}

/* Only who has nothing to hold on to is passed on, and counted. */
static void a_full_canary_leaves_new_requests_to_stable(void **state)
{
    struct fixture *fixture = *state;
    struct strata_options options;
    unsigned to_canary = 0;
    strata_default_options(&options);
    fixture->taps = canary_taps_new(1, &options);
    fixture_apply(fixture, SECRET);
    fixture_apply(fixture, CANARY("c", "{" OF_ROUTE ", stickiness: {header: x-own, " PIN "}}"));
    const struct route_rule *rule = compile(fixture, ROUTE("r", RULES("10", "90")));
    struct canary_tap *tap = rule->arms[1].tap;
    canary_tap_set_full(tap, true);
    for (unsigned i = 0; i < 100; i++) {
        struct split_choice choice = DRAW(fixture, rule, .key = NULL);
        assert_true(is_arm(&choice, "v1"));
    }
    assert_int_equal(canary_tap_overflowed(tap), 90);
    for (unsigned i = 0; i < 100; i++) {
        struct split_choice choice = DRAW(fixture, rule, .headers = {arena_printf(fixture->arena, "x-own=%u", i)});
        to_canary += is_arm(&choice, "v2");
    }
    assert_true(to_canary > 80);
    struct split_choice choice = DRAW(fixture, rule, .headers = {"x-pin=canary s3cret"});
    assert_true(is_arm(&choice, "v2"));
    assert_int_equal(canary_tap_overflowed(tap), 90);
    canary_tap_set_full(tap, false);
    for (unsigned i = 0; i < 20; i++)
        choice = DRAW(fixture, rule, .key = NULL);
    assert_int_equal(canary_tap_overflowed(tap), 90);
    fixture_drop_result(fixture);
    canary_taps_free(fixture->taps);
    fixture->taps = NULL;
}

/* Of several rules one must be named. */
static void a_canary_finds_its_rule_by_name_or_number(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *rule;
        bool is_first, is_second;
    } named[] = {{"0", true, false}, {"1", false, true}, {"two", false, true}, {"2", false, false}};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        fixture_apply(fixture, arena_printf(fixture->arena,
                                            CANARY("c", "{targetRef: {kind: HTTPRoute, name: r, rule: \"%s\"}, canary: "
                                                        "v2, stickiness: {header: x-own}}"),
                                            named[i].rule));
        fixture_apply(
            fixture,
            ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("v1", "9") ", " POOL_REF(
                           "v2", "1") "]}, {name: two, matches: [{path: {value: "
                                      "/b}}], backendRefs: [" POOL_REF("v1", "9") ", " POOL_REF("v2", "1") "]}]}"));
        fixture_compile(fixture);
        const struct route_rule *first = fixture_match(fixture, &(struct asked){.path = "/"}).rule;
        const struct route_rule *second = fixture_match(fixture, &(struct asked){.path = "/b"}).rule;
        assert_int_equal(first->split.stickiness->header.len > 0, named[i].is_first);
        assert_int_equal(second->split.stickiness->header.len > 0, named[i].is_second);
    }
}

#define STICKY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STICKY_TEST(a_running_conversation_keeps_its_arm_while_weights_move),
        STICKY_TEST(without_the_wish_nothing_is_remembered),
        STICKY_TEST(a_conversation_of_which_nothing_is_known_is_drawn_by_its_first_answer),
        STICKY_TEST(a_changed_last_answer_still_finds_the_first),
        STICKY_TEST(a_conversation_whose_arm_is_gone_is_drawn_anew),
        STICKY_TEST(an_arm_without_share_and_endpoints_lets_go),
        STICKY_TEST(a_conversation_id_in_the_body_is_remembered_too),
        STICKY_TEST(a_response_is_gone_on_with_where_it_was_made),
        STICKY_TEST(a_broken_annotation_is_ignored_and_told),
        STICKY_TEST(a_pin_goes_to_its_arm_whatever_the_weight),
        STICKY_TEST(a_pin_does_not_divert_what_only_one_pool_knows),
        STICKY_TEST(without_its_secret_nobody_is_pinned),
        STICKY_TEST(an_abort_drops_pins_and_lets_go_of_conversations),
        STICKY_TEST(a_model_arm_without_share_is_still_there_for_who_has_it),
        STICKY_TEST(the_annotation_of_a_pool_speaks_for_its_models),
        STICKY_TEST(the_salt_of_the_canary_counts),
        STICKY_TEST(canaries_measure_their_arms),
        STICKY_TEST(a_full_canary_leaves_new_requests_to_stable),
        STICKY_TEST(a_canary_finds_its_rule_by_name_or_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
