/* SPDX-License-Identifier: Apache-2.0 */
/* plugins.c: the table.  Types are llm-d's names where the meaning is the same; the rows at the end are known and
 * refused, with what to use instead.  Constant data. */
#include "inference/schedule/plugins.h"

#include "base/compiler.h"

static const struct parameter_syntax prefix_syntax[] = {
    {"matchLengthWeight", PARAMETER_NUMBER, 0, 0, 1},
    {"matchLengthScaleTokens", PARAMETER_NUMBER, 8192, 1, 1e9},
    {"prefixMatchInfoProducerName", PARAMETER_TEXT},
    {0},
};
static const struct parameter_syntax load_aware_syntax[] = {{"threshold", PARAMETER_NUMBER, 128, 1, 1e9}, {0}};
static const struct parameter_syntax active_syntax[] = {
    {"idleThreshold", PARAMETER_INTEGER, 0, 0, 1e9}, {"maxBusyScore", PARAMETER_NUMBER, 1, 0, 1}, {0}};
static const struct parameter_syntax token_load_syntax[] = {
    {"queueThresholdTokens", PARAMETER_NUMBER, 4194304, 1, 1e12}, {0}};
static const struct parameter_syntax no_hit_syntax[] = {
    {"lruSize", PARAMETER_INTEGER, 1024, 1, 1e9}, {"prefixMatchInfoProducerName", PARAMETER_TEXT}, {0}};
static const struct parameter_syntax latency_syntax[] = {
    {"ttftWeight", PARAMETER_NUMBER, 0.8, 0, 1e6}, {"tpotWeight", PARAMETER_NUMBER, 0.2, 0, 1e6}, {0}};
static const struct parameter_syntax session_syntax[] = {
    {"strategy", PARAMETER_KEPT}, {"sessionIdConfig", PARAMETER_KEPT}, {"profileName", PARAMETER_TEXT}, {0}};
static const struct parameter_syntax picker_syntax[] = {{"maxNumOfEndpoints", PARAMETER_INTEGER, 1, 1, 1}, {0}};
static const struct parameter_syntax affinity_syntax[] = {
    {"affinityThreshold", PARAMETER_NUMBER, 0.8, 0, 1},
    {"explorationProbability", PARAMETER_NUMBER, 0, 0, 1},
    {"maxTTFTPenaltyMs", PARAMETER_NUMBER, 18000, 0, 1e9},
    {"peakPrefillThroughput", PARAMETER_NUMBER, 15928, 1, 1e9},
    {"ttftSource", PARAMETER_TEXT},
    {"prefixMatchInfoProducerName", PARAMETER_TEXT},
    {0},
};
static const struct parameter_syntax utilization_syntax[] = {
    {"queueDepthThreshold", PARAMETER_NUMBER, 5, 0.001, 1e9},
    {"kvCacheUtilThreshold", PARAMETER_NUMBER, 0.8, 0.001, 1},
    {"headroom", PARAMETER_NUMBER, 0, 0, 1e6},
    {"metricsStalenessThreshold", PARAMETER_KEPT},
    {0},
};
static const struct parameter_syntax concurrency_syntax[] = {
    {"maxConcurrency", PARAMETER_NUMBER, 100, 1, 1e9},
    {"maxTokenConcurrency", PARAMETER_NUMBER, 1000000, 1, 1e12},
    {"headroom", PARAMETER_NUMBER, 0, 0, 1e6},
    {"concurrencyMode", PARAMETER_KEPT},
    {0},
};
/* Of parts that are here in any case: any parameters pass. */
static const struct parameter_syntax any_syntax[] = {{"*", PARAMETER_KEPT}, {0}};

static const struct parameter_syntax selector_syntax[] = {
    {"matchLabels", PARAMETER_LABELS}, {"matchExpressions", PARAMETER_EXPRESSIONS}, {0}};
static const struct parameter_syntax label_syntax[] = {
    {"label", PARAMETER_NAME}, {"validValues", PARAMETER_NAMES}, {"allowsNoLabel", PARAMETER_BOOL}, {0}};
static const struct parameter_syntax test_header_syntax[] = {
    {"headerName", PARAMETER_NAME, .text = "test-epp-endpoint-selection"}, {0}};
static const struct parameter_syntax subset_syntax[] = {
    {"headerName", PARAMETER_NAME, .text = "x-gateway-destination-endpoint-subset"}, {0}};
static const struct parameter_syntax header_label_syntax[] = {
    {"headerName", PARAMETER_NAME}, {"labelKey", PARAMETER_NAME}, {0}};

#define FILTER(type_, function, syntax_)                                                                               \
    {                                                                                                                  \
        .type = (type_), .role = PLUGIN_FILTER, .filter = (function), .syntax = (syntax_)                              \
    }
#define SCORER(type_, function, syntax_)                                                                               \
    {                                                                                                                  \
        .type = (type_), .role = PLUGIN_SCORER, .score = (function), .syntax = (syntax_)                               \
    }
#define PICKER(type_, function)                                                                                        \
    {                                                                                                                  \
        .type = (type_), .role = PLUGIN_PICKER, .pick = (function), .syntax = picker_syntax                            \
    }
#define BUILT_IN(type_)                                                                                                \
    {                                                                                                                  \
        .type = (type_), .role = PLUGIN_BUILT_IN, .syntax = any_syntax                                                 \
    }
#define MISSING(type_, note_)                                                                                          \
    {                                                                                                                  \
        .type = (type_), .role = PLUGIN_MISSING, .note = (note_)                                                       \
    }

static const struct plugin_kind kinds[] = {
    SCORER("prompt-cost-scorer", score_prompt_cost, prompt_cost_syntax), /* the default's, and only here */
    SCORER("least-latency-scorer", score_latency, latency_syntax),       /* only here */
    SCORER("queue-scorer", score_queue, NULL),
    SCORER("kv-cache-utilization-scorer", score_kv_cache, NULL),
    SCORER("prefix-cache-scorer", score_prefix, prefix_syntax),
    SCORER("lora-affinity-scorer", score_adapter, NULL),
    SCORER("running-requests-size-scorer", score_running, NULL),
    SCORER("active-request-scorer", score_active_requests, active_syntax),
    SCORER("token-load-scorer", score_token_load, token_load_syntax),
    SCORER("load-aware-scorer", score_load_aware, load_aware_syntax),
    SCORER("session-affinity-scorer", score_session, session_syntax),
    SCORER("no-hit-lru-scorer", score_no_hit, no_hit_syntax),
    SCORER("header-label-affinity-scorer", score_header_label, header_label_syntax),

    FILTER("prefix-cache-affinity-filter", filter_prefix_affinity, affinity_syntax),
    FILTER("session-affinity-filter", filter_session, session_syntax),
    FILTER("utilization-detector", filter_utilization, utilization_syntax),
    FILTER("concurrency-detector", filter_concurrency, concurrency_syntax),
    FILTER("label-selector-filter", filter_label_selector, selector_syntax),
    FILTER("by-label-selector", filter_label_selector, selector_syntax),
    FILTER("by-label", filter_label, label_syntax),
    FILTER("header-based-testing-filter", filter_named, test_header_syntax),
    FILTER("subset-filter", filter_named, subset_syntax), /* only here */

    PICKER("max-score-picker", pick_max_score),
    PICKER("random-picker", pick_at_random),
    PICKER("weighted-random-picker", pick_weighted),
    PICKER("power-of-two-picker", pick_better_of_two), /* only here */

    {.type = "single-profile-handler", .role = PLUGIN_HANDLER},

    BUILT_IN("approx-prefix-cache-producer"),
    BUILT_IN("token-producer"),
    BUILT_IN("inflight-load-producer"),
    BUILT_IN("session-id-producer"),
    BUILT_IN("metrics-data-source"),
    BUILT_IN("core-metrics-extractor"),
    BUILT_IN("models-data-source"),
    BUILT_IN("models-data-extractor"),
    BUILT_IN("openai-parser"),
    BUILT_IN("anthropic-parser"),
    BUILT_IN("vllmhttp-parser"),
    BUILT_IN("passthrough-parser"),

    MISSING("latency-scorer", "it needs prediction servers; least-latency-scorer goes by measured latencies"),
    MISSING("predicted-latency-producer", "it needs prediction servers"),
    MISSING("precise-prefix-cache-scorer", "it needs KV events; use prefix-cache-scorer"),
    MISSING("precise-prefix-cache-producer", "it needs KV events; use approx-prefix-cache-producer"),
    MISSING("burst-prefix-cache-producer", "prompt-cost-scorer counts a burst as it picks"),
    MISSING("context-length-aware", "use a pool per context length"),
    MISSING("topology-affinity-scorer", "where the gateway runs is not known; use label-selector-filter"),
    MISSING("topology-affinity-filter", "where the gateway runs is not known; use label-selector-filter"),
    MISSING("endpoint-attribute-scorer", "custom metrics are not scraped"),
    MISSING("endpoint-attribute-filter", "custom metrics are not scraped"),
    MISSING("mm-embeddings-cache-scorer", "embeddings are not tracked"),
    MISSING("slo-headroom-tier-filter", "it needs prediction servers"),
    MISSING("decode-filter", "prefill and decode are not separated"),
    MISSING("prefill-filter", "prefill and decode are not separated"),
    MISSING("encode-filter", "prefill and decode are not separated"),
    MISSING("disagg-profile-handler", "prefill and decode are not separated"),
    MISSING("pd-profile-handler", "prefill and decode are not separated"),
    MISSING("data-parallel-profile-handler", "each port of a pod is an endpoint of its own here"),
    MISSING("header-profile-handler", "one profile runs"),
};

const struct plugin_kind *plugin_at(unsigned index)
{
    return index < ARRAY_LEN(kinds) ? &kinds[index] : NULL;
}

const struct plugin_kind *plugin_find(struct bytes type)
{
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (bytes_equal_str(type, kinds[i].type))
            return &kinds[i];
    return NULL;
}

struct plugin plugin_default(const struct plugin_kind *kind)
{
    struct plugin plugin = {.kind = kind, .weight = 1};
    strncpy(plugin.name, kind->type, sizeof plugin.name - 1);
    plugin.texts_len = 1;
    for (unsigned i = 0; kind->syntax != NULL && kind->syntax[i].name != NULL; i++) {
        plugin.values[i] = kind->syntax[i].fallback;
        if (kind->syntax[i].text != NULL)
            (void)plugin_add_text(&plugin, i, bytes_of(kind->syntax[i].text));
    }
    return plugin;
}

bool plugin_add_text(struct plugin *plugin, unsigned parameter, struct bytes text)
{
    if (text.len >= sizeof plugin->texts - plugin->texts_len)
        return false;
    plugin->values[parameter] = plugin->texts_len;
    if (text.len > 0)
        memcpy(plugin->texts + plugin->texts_len, text.data, text.len);
    plugin->texts[plugin->texts_len + text.len] = '\0';
    plugin->texts_len += (unsigned)text.len + 1;
    return true;
}

const char *plugin_lacks(const struct plugin *plugin)
{
    const struct parameter_syntax *syntax = plugin->kind->syntax;
    for (unsigned i = 0; syntax != NULL && syntax[i].name != NULL; i++)
        if (syntax[i].kind == PARAMETER_NAME && plugin_text(plugin, i)[0] == '\0')
            return syntax[i].name;
    return NULL;
}
