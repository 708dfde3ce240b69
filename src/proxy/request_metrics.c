/* SPDX-License-Identifier: Apache-2.0 */
/* request_metrics.c: a bounded map from the labels to their series. */
#include "proxy/request_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hashmap.h"

enum { ENTRIES_MAX = 500, LABEL_BYTES = SCAN_MODEL_BYTES + 1, KEY_BYTES = 2 * SCAN_MODEL_BYTES + 8 };

struct labels {
    char model[LABEL_BYTES], target[LABEL_BYTES], priority[12];
};

struct request_metrics {
    struct labels labels;
    struct bytes key;
    struct metric_series *requests, *active, *duration, *ttft, *tpot, *ntpot;
    struct metric_series *request_bytes, *response_bytes, *input, *cached, *output;
    struct metric_series *rewrites; /* NULL: of no InferenceModelRewrite */
};

struct request_metrics_table {
    struct metrics *metrics;
    unsigned shard;
    struct hashmap *by_key;
    struct request_metrics *other;
};

static struct metric_series *series_of(const struct request_metrics_table *table, const struct labels *labels,
                                       enum metric_id id, const char *more)
{
    return metrics_series(table->metrics, table->shard, id,
                          (const char *[]){labels->model, labels->target, labels->priority, more});
}

static struct request_metrics *make(const struct request_metrics_table *table, const struct labels *labels)
{
    struct request_metrics *made = must(calloc(1, sizeof *made));
    const struct {
        struct metric_series **series;
        enum metric_id id;
    } plain[] = {
        {&made->requests, METRIC_EPP_REQUESTS},
        {&made->active, METRIC_EPP_ACTIVE},
        {&made->duration, METRIC_EPP_DURATION},
        {&made->tpot, METRIC_EPP_TPOT},
        {&made->ntpot, METRIC_EPP_NTPOT},
        {&made->request_bytes, METRIC_EPP_REQUEST_BYTES},
        {&made->response_bytes, METRIC_EPP_RESPONSE_BYTES},
        {&made->input, METRIC_EPP_INPUT},
        {&made->cached, METRIC_EPP_CACHED},
        {&made->output, METRIC_EPP_OUTPUT},
    };
    made->labels = *labels;
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
        *plain[i].series = series_of(table, labels, plain[i].id, NULL);
    made->ttft = series_of(table, labels, METRIC_EPP_TTFT, "true");
    return made;
}

struct request_metrics_table *request_metrics_table_new(struct metrics *metrics, unsigned shard)
{
    struct request_metrics_table *table = must(calloc(1, sizeof *table));
    table->metrics = metrics;
    table->shard = shard;
    table->by_key = hashmap_new();
    return table;
}

void request_metrics_table_free(struct request_metrics_table *table)
{
    if (table == NULL)
        return;
    void *value;
    for (size_t cursor = 0; hashmap_next(table->by_key, &cursor, NULL, &value);) {
        struct request_metrics *entry = value;
        free((char *)(uintptr_t)entry->key.data);
        free(entry);
    }
    hashmap_free(table->by_key);
    free(table->other);
    free(table);
}

static struct request_metrics *other_of(struct request_metrics_table *table)
{
    if (table->other == NULL)
        table->other = make(table, &(struct labels){"other", "other", "other"});
    return table->other;
}

static void copy(char label[LABEL_BYTES], struct bytes value)
{
    snprintf(label, LABEL_BYTES, "%.*s", BYTES_ARG(value));
}

/* As an InferenceModelRewrite's decisions are counted: by its name. */
static struct metric_series *rewrites_of(const struct request_metrics_table *table, const struct proxied *proxied,
                                         const struct labels *labels)
{
    const char *object = proxied->choice.model != NULL ? proxied->choice.model->object : "";
    const char *slash = strchr(object, '/');
    if (!bytes_starts_with(bytes_of(object), BYTES("InferenceModelRewrite ")) || slash == NULL)
        return NULL;
    return metrics_series(table->metrics, table->shard, METRIC_EPP_REWRITES,
                          (const char *[]){slash + 1, labels->model, labels->target});
}

static size_t append(char *key, size_t len, struct bytes text)
{
    size_t room = KEY_BYTES - len, taken = text.len < room ? text.len : room;
    if (taken > 0)
        memcpy(key + len, text.data, taken);
    return len + taken;
}

/* Made for each request: no printf. */
static size_t make_key(int32_t priority, struct bytes model, struct bytes target, char key[KEY_BYTES])
{
    uint16_t model_len = (uint16_t)model.len;
    memcpy(key, &priority, sizeof priority);
    memcpy(key + sizeof priority, &model_len, sizeof model_len);
    size_t len = append(key, sizeof priority + sizeof model_len, model);
    return append(key, len, target);
}

/* One of the configuration's, or, may_add, one that a server has answered for. */
static struct request_metrics *find(struct request_metrics_table *table, const struct proxied *proxied, bool may_add)
{
    const struct model_rule *rule = proxied->choice.model;
    struct bytes model = openai_scan_model(&proxied->held->scan);
    struct bytes target = proxied->choice.target != NULL ? proxied->choice.target->name : model;
    char key[KEY_BYTES];
    size_t len = make_key(proxied->gate.item.priority, model, target, key);
    struct request_metrics *entry = hashmap_get(table->by_key, bytes_make(key, len));
    if (entry != NULL)
        return entry;
    bool is_configured = rule != NULL && rule->model.len > 0;
    if ((!may_add && !is_configured) || hashmap_len(table->by_key) >= ENTRIES_MAX)
        return other_of(table);
    struct labels labels;
    copy(labels.model, model);
    copy(labels.target, target);
    snprintf(labels.priority, sizeof labels.priority, "%d", proxied->gate.item.priority);
    entry = make(table, &labels);
    entry->rewrites = rewrites_of(table, proxied, &labels);
    char *kept = must(malloc(len));
    memcpy(kept, key, len);
    entry->key = bytes_make(kept, len);
    hashmap_put(table->by_key, entry->key, entry);
    return entry;
}

void request_metrics_begin(struct proxied *proxied)
{
    if (!proxied->held->scan.has_model)
        return;
    proxied->measure.request = find(proxied->proxy->requests, proxied, false);
    metric_add(proxied->measure.request->active, 1);
}

void request_metrics_settle(struct proxied *proxied)
{
    struct request_metrics_table *table = proxied->proxy->requests;
    struct request_metrics **entry = &proxied->measure.request;
    if (*entry == NULL || *entry != table->other || proxied->status < 200 || proxied->status >= 300)
        return;
    metric_add((*entry)->active, -1);
    *entry = find(table, proxied, true);
    metric_add((*entry)->active, 1);
}

/* In llm-d's words; NULL: it is no error. */
static const char *error_code(enum end_reason reason, unsigned status)
{
    switch (reason) {
    case END_COMPLETE:
        return status >= 400 ? "ModelServerError" : NULL;
    case END_CLIENT_GONE:
        return NULL;
    case END_SHED:
    case END_QUEUE_FULL:
    case END_QUEUE_TIMEOUT:
        return "ResourceExhausted";
    case END_NO_ENDPOINT:
    case END_CONNECT_FAILED:
    case END_ENDPOINT_CONNECTIONS:
        return "ServiceUnavailable";
    default:
        return "Internal";
    }
}

static void count_tokens(const struct request_metrics *entry, const struct measured *measured)
{
    const struct observation *sum = &measured->observation;
    if (measured->has_usage) {
        metric_observe(entry->input, sum->prompt_tokens);
        metric_observe(entry->cached, sum->cached_tokens);
    }
    if (sum->output_tokens == OBSERVATION_UNKNOWN || sum->output_tokens == 0)
        return;
    metric_observe(entry->output, sum->output_tokens);
    metric_observe_us(entry->ntpot, sum->total_us / sum->output_tokens);
}

static void count_times(const struct request_metrics *entry, const struct measured *measured)
{
    const struct observation *sum = &measured->observation;
    metric_observe_us(entry->duration, sum->total_us);
    if (sum->ttft_us != OBSERVATION_UNKNOWN)
        metric_observe_us(entry->ttft, sum->ttft_us);
    if (sum->tpot_us != OBSERVATION_UNKNOWN)
        metric_observe_us(entry->tpot, sum->tpot_us);
}

void request_metrics_end(struct proxied *proxied, const struct measured *measured)
{
    struct request_metrics_table *table = proxied->proxy->requests;
    struct request_metrics *entry = proxied->measure.request;
    if (entry == NULL)
        return;
    metric_add(entry->active, -1);
    const char *error = error_code(measured->reason, proxied->status);
    metric_add(entry->requests, 1);
    if (entry->rewrites != NULL)
        metric_add(entry->rewrites, 1);
    metric_observe(entry->request_bytes, proxied->body_bytes);
    if (error != NULL) {
        metric_add(series_of(table, &entry->labels, METRIC_EPP_ERRORS, error), 1);
        return;
    }
    metric_observe(entry->response_bytes, proxied->measure.bytes_out);
    count_times(entry, measured);
    count_tokens(entry, measured);
}
