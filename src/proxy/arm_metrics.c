/* SPDX-License-Identifier: Apache-2.0 */
/* arm_metrics.c: a map by name, and in front of it a small cache by the name's place in memory: a snapshot keeps an
 * arm's name at one place for as long as it lives, so that most requests compare two numbers. */
#include "proxy/arm_metrics.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "inference/payload/answer_scan.h"

enum { CACHED = 64, MAX_CODES = 24, MAX_ARM_BYTES = 512 };

struct arm_codes {
    unsigned count;
    struct {
        unsigned status;
        struct metric_series *requests;
    } items[MAX_CODES];
};

struct arm_table {
    struct metrics *metrics;
    unsigned shard;
    struct hashmap *by_arm;
    struct {
        const char *text;
        uint64_t generation;
        struct arm_metrics *metrics;
    } cache[CACHED];
};

struct arm_table *arm_table_new(struct metrics *metrics, unsigned shard)
{
    struct arm_table *table = must(calloc(1, sizeof *table));
    table->metrics = metrics;
    table->shard = shard;
    table->by_arm = hashmap_new();
    return table;
}

void arm_table_free(struct arm_table *table)
{
    if (table == NULL)
        return;
    size_t cursor = 0;
    void *value;
    while (hashmap_next(table->by_arm, &cursor, NULL, &value)) {
        struct arm_metrics *metrics = value;
        free((char *)metrics->arm.data);
        free(metrics->codes);
        free(metrics->shape);
        free(metrics);
    }
    hashmap_free(table->by_arm);
    free(table);
}

static struct arm_metrics *make(struct arm_table *table, struct bytes arm)
{
    struct arm_metrics *made = must(calloc(1, sizeof *made));
    char *name = must(strndup(arm.data, arm.len));
    const struct {
        struct metric_series **series;
        enum metric_id id;
    } rows[] = {
        {&made->duration, METRIC_REQUEST_DURATION},   {&made->first_byte, METRIC_FIRST_BYTE},
        {&made->first_token, METRIC_FIRST_TOKEN},     {&made->token_time, METRIC_TOKEN_TIME},
        {&made->token_gap, METRIC_TOKEN_GAP},         {&made->prompt_tokens, METRIC_PROMPT_TOKENS},
        {&made->cached_tokens, METRIC_CACHED_TOKENS}, {&made->output_tokens, METRIC_OUTPUT_TOKENS},
        {&made->empty, METRIC_EMPTY_ANSWERS},         {&made->active, METRIC_ARM_ACTIVE},
    };
    /* What belongs to no arm has no tokens. */
    unsigned count = arm.len > 0 ? ARRAY_LEN(rows) : 2;
    for (unsigned i = 0; i < count; i++)
        *rows[i].series = metrics_series(table->metrics, table->shard, rows[i].id, (const char *[]){name});
    made->codes = must(calloc(1, sizeof *made->codes));
    made->shape = must(calloc(1, sizeof *made->shape));
    made->arm = bytes_make(name, arm.len);
    hashmap_put(table->by_arm, made->arm, made);
    return made;
}

struct arm_metrics *arm_table_get(struct arm_table *table, uint64_t generation, struct bytes arm)
{
    unsigned place = (unsigned)((uintptr_t)arm.data / 16 % CACHED);
    struct arm_metrics *metrics = table->cache[place].metrics;
    if (table->cache[place].text == arm.data && table->cache[place].generation == generation && metrics != NULL)
        return metrics;
    if (arm.len > MAX_ARM_BYTES)
        arm.len = MAX_ARM_BYTES;
    metrics = hashmap_get(table->by_arm, arm);
    if (metrics == NULL)
        metrics = make(table, arm);
    table->cache[place].text = arm.data;
    table->cache[place].generation = generation;
    table->cache[place].metrics = metrics;
    return metrics;
}

struct metric_series *arm_metrics_code(struct arm_table *table, struct arm_metrics *metrics, unsigned status)
{
    struct arm_codes *codes = metrics->codes;
    for (unsigned i = 0; i < codes->count; i++)
        if (codes->items[i].status == status)
            return codes->items[i].requests;
    char code[12];
    snprintf(code, sizeof code, "%u", status);
    struct metric_series *requests =
        metrics_series(table->metrics, table->shard, METRIC_REQUESTS, (const char *[]){metrics->arm.data, code});
    if (codes->count < MAX_CODES) {
        codes->items[codes->count].status = status;
        codes->items[codes->count++].requests = requests;
    }
    return requests;
}
