/* SPDX-License-Identifier: Apache-2.0 */
/* test_priority.c: whose priority a request has. */
#include "fixture.h"

#include "route/priority.h"

#define REF(name)     "{group: inference.networking.x-k8s.io, kind: InferencePool, name: " name "}"
#define ROUTE_TO_POOL ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" REF("p") "]}]}")
#define LLM_D         "llm-d.ai"
#define X             "inference.networking.x-k8s.io"
#define OBJECTIVE(group, metadata, spec)                                                                               \
    "apiVersion: " group "/v1alpha2\n"                                                                                 \
    "kind: InferenceObjective\n"                                                                                       \
    "metadata: " metadata "\n"                                                                                         \
    "spec: " spec "\n"                                                                                                 \
    "---\n"
#define OF_P(priority) "{priority: " priority ", poolRef: {name: p}}"

/* What a request says in one header. */
struct said {
    const char *name, *value;
};

static bool find_said(void *context, struct bytes name, struct bytes *ret_value)
{
    const struct said *said = context;
    if (said->name == NULL || !bytes_equal_str(name, said->name))
        return false;
    *ret_value = bytes_of(said->value);
    return true;
}

static struct request_priority ask(struct fixture *fixture, const char *model, const char *header, const char *value)
{
    struct route_match match = fixture_match(fixture, &(struct asked){.path = "/"});
    assert_int_equal(match.outcome, ROUTE_MATCHED);
    const struct pool_arm *arm = &match.rule->arms[0];
    struct said said = {header, value};
    return route_priority(arm, pool_arm_model(arm, bytes_of(model)), bytes_of(model), find_said, &said);
}

static void expect(struct request_priority priority, int32_t value, const char *from)
{
    assert_int_equal(priority.value, value);
    assert_string_equal(priority.from != NULL ? priority.from : "nobody", from);
}

#define HEADER "x-llm-d-inference-objective"
#define BATCH  "InferenceObjective default/batch"

static void the_header_goes_before_the_model_and_that_before_criticality(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p")
                               ROUTE_TO_POOL MODEL("m", "{modelName: m, criticality: Critical, poolRef: {name: p}}")
                                   MODEL("n", "{modelName: n, poolRef: {name: p}}"));
    fixture_apply(fixture, OBJECTIVE(LLM_D, "{name: batch}", OF_P("-7")));
    fixture_apply(fixture, OBJECTIVE(X, "{name: chat, annotations: {serin.dev/models: 'o, m ,'}}", OF_P("5")));
    fixture_compile(fixture);
    expect(ask(fixture, "m", HEADER, "batch"), -7, BATCH);
    expect(ask(fixture, "m", "x-gateway-inference-objective", "batch"), -7, BATCH);
    expect(ask(fixture, "", HEADER, "batch"), -7, BATCH);
    expect(ask(fixture, "m", NULL, NULL), 5, "InferenceObjective default/chat");
    expect(ask(fixture, "m", HEADER, "unheard-of"), 5, "InferenceObjective default/chat");
    /* without any InferenceModel too */
    expect(ask(fixture, "o", NULL, NULL), 5, "InferenceObjective default/chat");
    expect(ask(fixture, "n", NULL, NULL), 0, "nobody");
    expect(ask(fixture, "", NULL, NULL), 0, "nobody");
    assert_string_equal(fixture_condition(fixture, KUBE_OBJECTIVE, "batch", NULL, "Accepted"), "True/Accepted");
    assert_string_equal(fixture_condition(fixture, KUBE_OBJECTIVE_X, "chat", NULL, "Accepted"), "True/Accepted");
}

static void criticality_counts_where_no_objective_does(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p")
                               ROUTE_TO_POOL MODEL("m", "{modelName: m, criticality: Sheddable, poolRef: {name: p}}")
                                   MODEL("n", "{modelName: n, criticality: Critical, poolRef: {name: p}}"));
    fixture_compile(fixture);
    expect(ask(fixture, "m", HEADER, "batch"), -1, "InferenceModel default/m");
    expect(ask(fixture, "n", NULL, NULL), 1, "InferenceModel default/n");
}

static void an_objective_counts_in_its_own_pool_only(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") POOL_X("q") ROUTE_TO_POOL);
    fixture_apply(fixture, OBJECTIVE(LLM_D, "{name: batch}", "{priority: 3, poolRef: {name: q}}"));
    fixture_apply(fixture, OBJECTIVE(LLM_D, "{name: lost}", "{priority: 3, poolRef: {name: nowhere}}"));
    fixture_compile(fixture);
    expect(ask(fixture, "m", HEADER, "batch"), 0, "nobody");
    assert_string_equal(fixture_condition(fixture, KUBE_OBJECTIVE, "lost", NULL, "Accepted"), "False/Pending");
}

static void the_older_objective_keeps_a_name_and_a_model(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") ROUTE_TO_POOL);
    fixture_apply(fixture, OBJECTIVE(LLM_D, "{name: a, annotations: {serin.dev/models: m}}", OF_P("1")));
    fixture_apply(fixture, OBJECTIVE(X, "{name: a}", OF_P("2")));
    fixture_apply(fixture, OBJECTIVE(X, "{name: b, annotations: {serin.dev/models: 'm, m2'}}", OF_P("3")));
    fixture_compile(fixture);
    expect(ask(fixture, "", HEADER, "a"), 1, "InferenceObjective default/a");
    expect(ask(fixture, "m", NULL, NULL), 1, "InferenceObjective default/a");
    expect(ask(fixture, "m2", NULL, NULL), 3, "InferenceObjective default/b");
    assert_string_equal(fixture_condition(fixture, KUBE_OBJECTIVE_X, "a", NULL, "Accepted"), "False/NameInUse");
    assert_string_equal(fixture_condition(fixture, KUBE_OBJECTIVE_X, "b", NULL, "Accepted"), "False/ModelNameInUse");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_header_goes_before_the_model_and_that_before_criticality),
        FIXTURE_TEST(criticality_counts_where_no_objective_does),
        FIXTURE_TEST(an_objective_counts_in_its_own_pool_only),
        FIXTURE_TEST(the_older_objective_keeps_a_name_and_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
