/* SPDX-License-Identifier: Apache-2.0 */
/* schema_canary.c: fields of Canary, as kube/api/canary*.c decode them, and what the controller writes into its
 * status. */
#include "kube/api/canary.h"
#include "kube/apiserver/schema.h"

/* "errorRate|ttft|...": the bar before the first name is skipped where this is used. */
#define X(id, name, unit, is_at_least) "|" name
static const char bar_and_metrics[] = CANARY_METRICS(X);
#undef X

/* clang-format off */
static const struct schema_field guard[] = {
    {"metric", T_STRING | T_REQUIRED, "What is looked at.", .values = &bar_and_metrics[1]},
    {"quantile", T_NUMBER, "Of times, tokens and cost: 0.5 is the median, 0.95 the slowest twentieth; the mean when not "
     "given."},
    {"direction", T_STRING, "Whether the canary must not have more, or must not have less. Default: \"atLeast\" for "
     "cacheHitShare and finishStop, \"atMost\" for all others.", .values = "atMost|atLeast"},
    {"relative", T_OBJECT, "Limit by the stable arm's figure at the same time: ratio * stable + increase, or ratio * "
     "stable - decrease."},
    {".ratio", T_NUMBER, "How many times stable's figure, 0.01 to 100.", .fallback = "1"},
    {".increase", T_INT_OR_STRING, "What may come on top, with atMost: a duration (20ms), a percentage (0.5%) or a "
     "number, by the metric."},
    {".decrease", T_INT_OR_STRING, "What may be missing, with atLeast."},
    {"absolute", T_INT_OR_STRING, "Limit whatever stable does: a duration, a percentage or a number, by the metric."},
    {"severity", T_STRING, "What a canary that is worse leads to: no share at all, or no more share.",
     .values = "rollback|hold", .fallback = "\"rollback\""},
};
static const struct schema schema_guard = {
    .name = "dev.serin.v1alpha1.Guard",
    .description = "What the canary must not be worse at. Has a relative limit, an absolute one, or both.",
    SCHEMA_FIELDS(guard),
};

static const struct schema_field price[] = {
    {"inputPerMillion", T_NUMBER | T_REQUIRED, "Of a million tokens of the prompt, in the unit of your choice: 0.25."},
    {"cachedInputPerMillion", T_NUMBER, "Of those that the prefix cache had. Default: as inputPerMillion."},
    {"outputPerMillion", T_NUMBER | T_REQUIRED, "Of a million tokens that the model wrote."},
};
static const struct schema schema_price = {
    .name = "dev.serin.v1alpha1.Price",
    .description = "What tokens of an arm cost.",
    SCHEMA_FIELDS(price),
};

static const struct schema_field stickiness[] = {
    {"header", T_STRING, "Header of your own whose value keeps requests together; asked first."},
    {"cookie", T_STRING, "Cookie of your own; asked next."},
    {"defaultKeys", T_BOOL, "Whether the session headers and body members that clients of model services send count.",
     .fallback = "true"},
    {"user", T_BOOL, "Whether the body's user or safety_identifier counts.", .fallback = "false"},
    {"apiKey", T_BOOL, "Whether the caller's API key counts.", .fallback = "false"},
    {"derivedKey", T_BOOL, "Whether a request without any key is kept by its first user messages.", .fallback = "false"},
    {"newConversationsOnly", T_BOOL, "Whether only first turns are drawn, and later turns stay where the first one was.",
     .fallback = "false"},
    {"salt", T_STRING, "Canaries with the same salt draw the same keys. Default: the Canary's namespace/name."},
    {"pin", T_OBJECT, "Lets chosen callers say which arm they want."},
    {".header", T_STRING, "The header: stable or canary, a space, and the token.", .fallback = "\"x-serin-pin\""},
    {".secretRef", T_OBJECT | T_REQUIRED, "Where the token is, in the same namespace."},
    {"..name", T_STRING | T_REQUIRED, "Name of the Secret."},
    {"..key", T_STRING, "Its key.", .fallback = "\"token\""},
};
static const struct schema schema_stickiness = {
    .name = "dev.serin.v1alpha1.Stickiness",
    .description = "Which requests belong together and see one arm.",
    SCHEMA_FIELDS(stickiness),
};

static const struct schema_field arm_status[] = {
    {"role", T_STRING, "Which arm.", .values = "stable|canary"},
    {"name", T_STRING, "The backend or model."},
    {"weightPercent", T_NUMBER, "Share that it should have."},
    {"inFlight", T_LONG, "Exchanges that run now."},
    {"requests", T_LONG, "Exchanges in the window."},
    {"requestsPerSecond", T_NUMBER, "The same by time."},
    {"errorPercent", T_NUMBER, "Failures of those judged."},
    {"ttftP50Ms", T_NUMBER, "Time to first token, median."},
    {"ttftP95Ms", T_NUMBER, "Time to first token, slowest twentieth."},
    {"tpotMs", T_NUMBER, "Time per output token."},
    {"promptTokens", T_LONG, "Tokens read."},
    {"cachedTokens", T_LONG, "Tokens of these that the prefix cache had."},
    {"outputTokens", T_LONG, "Tokens written."},
    {"costPerAnswer", T_NUMBER, "What an answer cost on average, by spec.prices."},
    {"overflowed", T_LONG, "Requests that went to stable because the canary was saturated."},
};
static const struct schema schema_arm_status = {
    .name = "dev.serin.v1alpha1.ArmStatus",
    .description = "One arm's figures over the window.",
    SCHEMA_FIELDS(arm_status),
};

static const struct schema_field guard_status[] = {
    {"name", T_STRING, "Metric and quantile."},
    {"severity", T_STRING, "What its failure leads to."},
    {"stable", T_STRING, "Stable's figure in this step."},
    {"canary", T_STRING, "The canary's figure in this step."},
    {"limit", T_STRING, "What the canary may have."},
    {"verdict", T_STRING, "How it stands."},
};
static const struct schema schema_guard_status = {
    .name = "dev.serin.v1alpha1.GuardStatus",
    .description = "How the canary stands towards one guard.",
    SCHEMA_FIELDS(guard_status),
};

static const struct schema_field history_entry[] = {
    {"time", T_TIME, "When."},
    {"event", T_STRING, "What happened, in one word."},
    {"message", T_STRING, "What happened, for people."},
    {"weightPercent", T_NUMBER, "The canary's share at that time."},
};
static const struct schema schema_history_entry = {
    .name = "dev.serin.v1alpha1.HistoryEntry",
    .description = "Something that happened in the release.",
    SCHEMA_FIELDS(history_entry),
};

static const struct schema_field canary[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".targetRef", T_OBJECT | T_REQUIRED, "The object whose weights are moved, in the same namespace."},
    {"..group", T_STRING, "API group; that of the kind when not given."},
    {"..kind", T_STRING | T_REQUIRED, "Kind.", .values = "HTTPRoute|InferenceModel|InferenceModelRewrite"},
    {"..name", T_STRING | T_REQUIRED, "Name."},
    {"..rule", T_INT_OR_STRING, "Which rule, by name or by index from 0; not needed where there is only one."},
    {".stable", T_STRING, "The arm that serves today: name of a backend or target model. The only other one when not "
     "given."},
    {".canary", T_STRING | T_REQUIRED, "The arm that is to take over."},
    {".steps", T_OBJECT | T_LIST, "Shares of the canary on its way to 100 %, rising; at most 32. Default: 1, 5, 25 and "
     "50 % for 5m each."},
    {"..weight", T_NUMBER | T_REQUIRED, "Percent of the requests, 0.01 to 100, two decimals at most."},
    {"..hold", T_OBJECT, "What must come before the next step, beside a good verdict; one of these. A duration alone may "
     "be written as hold: 10m. Default: 5m."},
    {"...duration", T_STRING, "So much time, such as 10m."},
    {"...requests", T_LONG, "So many requests to the canary that were judged."},
    {"...approval", T_BOOL, "That somebody promotes it."},
    {".analysis", T_OBJECT, "How the canary is judged."},
    {"..enabled", T_BOOL, "Whether it is judged at all.", .fallback = "true"},
    {"..interval", T_STRING, "Time between two looks, 1s to 10m.", .fallback = "\"10s\""},
    {"..window", T_STRING, "Time that the figures of the status cover, at most 24h.", .fallback = "\"5m\""},
    {"..minimumSamples", T_INT, "Exchanges of the canary in a step before any verdict.", .fallback = "50"},
    {"..maxSlack", T_NUMBER, "How many times wider limits may be for passing early steps, 1 to 100.", .fallback = "4"},
    {"..guards", T_OBJECT | T_LIST, "What the canary must not be worse at; at most 24. Sensible ones when not given.",
     .of = &schema_guard},
    {".prices", T_OBJECT, "What tokens cost, for the guard cost and for the status; both in one unit."},
    {"..stable", T_OBJECT, "Of the stable arm.", .of = &schema_price},
    {"..canary", T_OBJECT, "Of the canary.", .of = &schema_price},
    {".stickiness", T_OBJECT, "Which requests belong together and see one arm.", .of = &schema_stickiness},
    {".warmup", T_OBJECT, "What must be there before the canary gets its first request."},
    {"..endpoints", T_INT, "Endpoints that must be ready, or hold the adapter. Default: one that is ready; all that are "
     "ready hold the adapter."},
    {"..timeout", T_STRING, "Time after which the status says that it takes too long.", .fallback = "\"10m\""},
    {"..slowStart", T_STRING, "Time over which a pool's share grows to the first step's weight.", .fallback = "\"30s\""},
    {"..adapter", T_OBJECT, "The LoRA adapter that is loaded for the canary."},
    {"...path", T_STRING, "Where model servers find it; its name when not given."},
    {".capacity", T_OBJECT, "When the canary has no room for more share."},
    {"..maxQueue", T_NUMBER, "Requests that wait, per endpoint.", .fallback = "5"},
    {"..maxKvCache", T_NUMBER, "Used part of the key-value cache, 0 to 1.", .fallback = "0.9"},
    {".onFailure", T_STRING, "What a failed guard leads to: as its severity says, or never more than holding.",
     .values = "rollback|hold", .fallback = "\"rollback\""},
    {".suspend", T_BOOL, "Leave the weights as they are.", .fallback = "false"},
    {"status", T_OBJECT, "What is."},
    {".observedGeneration", T_LONG, "The generation that the rest is about."},
    {".phase", T_STRING, "How far the release is."},
    {".reason", T_STRING, "Why the weight does not move, in one word."},
    {".message", T_STRING, "Why the weight does not move, for people."},
    {".step", T_OBJECT, "Which step it is."},
    {"..index", T_INT, "From 1; 0 before the first."},
    {"..count", T_INT, "Of how many."},
    {"..weightPercent", T_NUMBER, "Its weight."},
    {".share", T_OBJECT, "The canary's share."},
    {"..targetPercent", T_NUMBER, "As the weights say."},
    {"..requestsPercent", T_NUMBER, "Of the requests in the window."},
    {"..tokensPercent", T_NUMBER, "Of the tokens in the window."},
    {".arms", T_OBJECT | T_LIST, "Figures of both arms.", .of = &schema_arm_status},
    {".verdict", T_OBJECT, "How the canary stands."},
    {"..result", T_STRING, "Only pass lets it go on, only fail takes it back.",
     .values = "pass|fail|inconclusive|no-data"},
    {"..guard", T_STRING, "The guard that it hangs on."},
    {"..reason", T_STRING, "Why, for people."},
    {".guards", T_OBJECT | T_LIST, "How the canary stands towards each guard.", .of = &schema_guard_status},
    {".excluded", T_OBJECT, "Exchanges that were not judged."},
    {"..cancelled", T_LONG, "The client left."},
    {"..clientErrors", T_LONG, "The client's fault."},
    {"..modelMissing", T_LONG, "The endpoint did not have the adapter."},
    {"..warmup", T_LONG, "Before the endpoint was warm."},
    {"..retried", T_LONG, "Needed a second endpoint."},
    {".history", T_OBJECT | T_LIST, "The latest 32 events, newest last.", .of = &schema_history_entry},
    {".state", T_ANY, "What the controller needs to go on after a restart."},
    {".conditions", T_OBJECT | T_LIST, "Progressing: the weight is on its way. Healthy: no guard failed. Completed: the "
     "canary has all traffic. PinsReady: the token of its pin was found.", .of = &schema_condition},
};
const struct schema schema_canary = {
    .description = "A release: moves the weights of two arms in steps, as long as the new one is no worse.",
    SCHEMA_FIELDS(canary),
};
/* clang-format on */
