/* SPDX-License-Identifier: Apache-2.0 */
/* decision.c: numbers are gathered while the pool is locked, the line is written when it is not.
 *
 * Scorers tell of all endpoints in one order, one scorer after the other, the total last. */
#include "proxy/decision.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "observe/decision_log.h"

/* An endpoint as the pick saw it. */
struct seen {
    char endpoint[ADDRESS_TEXT_SIZE];
    struct candidate facts; /* its endpoint is not followed */
    double total;
};

struct decisions {
    struct decision_log *log;
    unsigned picks; /* since the last one that was told */
    struct profile_listener listener;
    struct seen *seen;
    unsigned count, capacity;
    double *scores; /* one scorer's behind the other's, `count` of each */
    unsigned score_count, score_capacity;
    struct {
        char name[PLUGIN_NAME_BYTES];
        double weight;
    } scorers[PROFILE_SCORERS_MAX];
    unsigned scorer_count;
    struct buffer line;
};

static void begin_scorer(struct decisions *decisions, const struct plugin *scorer)
{
    unsigned next = decisions->scorer_count++;
    memcpy(decisions->scorers[next].name, scorer->name, sizeof scorer->name);
    decisions->scorers[next].weight = scorer->weight;
}

static void add_score(struct decisions *decisions, double score)
{
    if (decisions->score_count == decisions->score_capacity) {
        decisions->score_capacity = decisions->score_capacity * 2 + 64;
        decisions->scores = must(reallocarray(decisions->scores, decisions->score_capacity, sizeof *decisions->scores));
    }
    decisions->scores[decisions->score_count++] = score;
}

static void add_total(struct decisions *decisions, const struct candidate *candidate, double total)
{
    if (decisions->count == decisions->capacity) {
        decisions->capacity = decisions->capacity * 2 + 16;
        decisions->seen = must(reallocarray(decisions->seen, decisions->capacity, sizeof *decisions->seen));
    }
    struct seen *seen = &decisions->seen[decisions->count++];
    *seen = (struct seen){.facts = *candidate, .total = total};
    strncpy(seen->endpoint, candidate->endpoint->text, sizeof seen->endpoint - 1);
}

static void on_score(void *context, const struct plugin *scorer, const struct candidate *candidate, double score)
{
    struct decisions *decisions = context;
    if (scorer == NULL) {
        add_total(decisions, candidate, score);
        return;
    }
    unsigned known = decisions->scorer_count;
    if (known == 0 || strcmp(decisions->scorers[known - 1].name, scorer->name) != 0)
        begin_scorer(decisions, scorer);
    add_score(decisions, score);
}

struct decisions *decisions_new(struct decision_log *log)
{
    if (log == NULL)
        return NULL;
    struct decisions *decisions = must(calloc(1, sizeof *decisions));
    decisions->log = log;
    decisions->listener = (struct profile_listener){.on_score = on_score, .context = decisions};
    return decisions;
}

void decisions_free(struct decisions *decisions)
{
    if (decisions == NULL)
        return;
    free(decisions->seen);
    free(decisions->scores);
    buffer_deinit(&decisions->line);
    free(decisions);
}

const struct profile_listener *decisions_listen(struct decisions *decisions)
{
    if (decisions == NULL || ++decisions->picks < decision_log_every(decisions->log))
        return NULL;
    decisions->picks = 0;
    decisions->count = decisions->score_count = decisions->scorer_count = 0;
    return &decisions->listener;
}

static void write_request(struct json_writer *writer, const struct proxied *proxied)
{
    const struct http_field *id = http_fields_find(&proxied->exchange->request.fields, HTTP_FIELD_X_REQUEST_ID);
    const struct pool *pool = proxied->choice.arm->pool;
    struct buffer name = {0};
    buffer_printf(&name, "%s/%s", pool->namespace_, pool->name);
    jw_member_u64(writer, "time_ms", clock_wall_ms());
    jw_member_string(writer, "request_id", id != NULL ? id->value : bytes_of(proxied->held->request_id));
    jw_member_string(writer, "pool", buffer_bytes(&name));
    jw_member_string(writer, "target_model", proxied->held->pick.target_model);
    jw_member_i64(writer, "priority", proxied->gate.item.priority);
    jw_member_u64(writer, "prompt_tokens", proxied->held->pick.prompt_tokens);
    jw_member_u64(writer, "try", proxied->tries + 1u);
    jw_member_str(writer, "endpoint", proxied->endpoint != NULL ? proxied->endpoint->text : NULL);
    buffer_deinit(&name);
}

static void write_weights(struct json_writer *writer, const struct decisions *decisions)
{
    jw_key(writer, "weights");
    jw_begin_object(writer);
    for (unsigned i = 0; i < decisions->scorer_count; i++)
        jw_member_double(writer, decisions->scorers[i].name, decisions->scorers[i].weight);
    jw_end_object(writer);
}

static void write_facts(struct json_writer *writer, const struct candidate *facts)
{
    jw_member_u64(writer, "waiting", facts->waiting);
    jw_member_u64(writer, "running", facts->running);
    jw_member_double(writer, "kv_usage", facts->kv_usage);
    jw_member_bool(writer, "is_stale", facts->is_stale);
    jw_member_u64(writer, "in_flight", facts->in_flight);
    jw_member_double(writer, "prefill_tokens", facts->prefill_tokens);
    jw_member_u64(writer, "matched_tokens", facts->matched_tokens);
}

static void write_endpoint(struct json_writer *writer, const struct decisions *decisions, unsigned index)
{
    const struct seen *seen = &decisions->seen[index];
    jw_begin_object(writer);
    jw_member_str(writer, "endpoint", seen->endpoint);
    write_facts(writer, &seen->facts);
    jw_key(writer, "scores");
    jw_begin_object(writer);
    for (unsigned i = 0; i < decisions->scorer_count; i++)
        jw_member_double(writer, decisions->scorers[i].name, decisions->scores[i * decisions->count + index]);
    jw_member_double(writer, "total", seen->total);
    jw_end_object(writer);
    jw_end_object(writer);
}

void decisions_tell(struct decisions *decisions, const struct proxied *proxied)
{
    struct json_writer writer;
    buffer_clear(&decisions->line);
    jw_init(&writer, &decisions->line);
    jw_begin_object(&writer);
    write_request(&writer, proxied);
    write_weights(&writer, decisions);
    jw_key(&writer, "endpoints");
    jw_begin_array(&writer);
    for (unsigned i = 0; i < decisions->count; i++)
        write_endpoint(&writer, decisions, i);
    jw_end_array(&writer);
    jw_end_object(&writer);
    buffer_append_char(&decisions->line, '\n');
    decision_log_write(decisions->log, buffer_bytes(&decisions->line));
}
