/* SPDX-License-Identifier: Apache-2.0 */
/* canary_text.c: lists, the whole picture, history and single lines.  Pure. */
#include "cli/canary_text.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "cli/canary_text_internal.h"
#include "cli/text_table.h"
#include "kube/apiserver/human_duration.h"

static const char *or_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

static const char *step_text(struct arena *arena, const json_t *canary)
{
    double index = tree_number(canary, "status.step.index"), count = tree_number(canary, "status.step.count");
    if (!(count > 0 && count < 1e6 && index >= 0 && index < 1e6))
        return "";
    return arena_printf(arena, "%.0f/%.0f", index, count);
}

static const char *target_text(struct arena *arena, const json_t *canary)
{
    const char *kind = tree_text(canary, "spec.targetRef.kind"), *name = tree_text(canary, "spec.targetRef.name");
    return kind[0] == '\0' && name[0] == '\0' ? "" : arena_printf(arena, "%s/%s", kind, name);
}

void canary_text_list(const json_t *items, bool has_namespaces, int64_t now_ms, struct buffer *out)
{
    static const char *const header[] = {"NAMESPACE", "NAME",     "TARGET",  "PHASE",  "STEP",
                                         "WEIGHT",    "ACHIEVED", "VERDICT", "REASON", "AGE"};
    struct arena *arena = arena_new(0);
    struct text_table table;
    unsigned skip = has_namespaces ? 0 : 1;
    text_table_init(&table, arena, header + skip, ARRAY_LEN(header) - skip);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *canary = json_array_get(items, i);
        char age[16];
        human_age(clock_parse_rfc3339(tree_text(canary, "metadata.creationTimestamp")), now_ms, age);
        const char *cells[] = {tree_text(canary, "metadata.namespace"),
                               tree_text(canary, "metadata.name"),
                               target_text(arena, canary),
                               tree_text(canary, "status.phase"),
                               step_text(arena, canary),
                               show_percent(arena, tree_number(canary, "status.share.targetPercent")),
                               show_percent(arena, tree_number(canary, "status.share.requestsPercent")),
                               tree_text(canary, "status.verdict.result"),
                               tree_text(canary, "status.reason"),
                               age};
        text_table_add(&table, cells + skip);
    }
    text_table_write(&table, out);
    arena_free(arena);
}

/* ---- the whole picture ---- */

static void write_fact(struct buffer *out, const char *label, const char *text)
{
    buffer_printf(out, "%-9s ", label);
    text_append_clean(out, or_dash(text));
    buffer_append_char(out, '\n');
}

/* "first: second", or the one that there is. */
static const char *joined(struct arena *arena, const char *first, const char *second)
{
    if (first[0] == '\0' || second[0] == '\0')
        return first[0] != '\0' ? first : second;
    return arena_printf(arena, "%s: %s", first, second);
}

static const char *phase_text(struct arena *arena, const json_t *canary)
{
    const char *phase = tree_text(canary, "status.phase"), *step = step_text(arena, canary);
    return step[0] == '\0' ? phase : arena_printf(arena, "%s, step %s", or_dash(phase), step);
}

static const char *share_text(struct arena *arena, const json_t *canary)
{
    const json_t *share = tree_at(canary, "status.share");
    if (share == NULL)
        return "";
    return arena_printf(arena, "%s wanted; %s of requests, %s of tokens achieved",
                        or_dash(show_percent(arena, tree_number(share, "targetPercent"))),
                        or_dash(show_percent(arena, tree_number(share, "requestsPercent"))),
                        or_dash(show_percent(arena, tree_number(share, "tokensPercent"))));
}

/* "" where nobody asked for pins. */
static const char *pins_text(const json_t *canary)
{
    const json_t *conditions = tree_at(canary, "status.conditions");
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        if (strcmp(tree_text(condition, "type"), "PinsReady") == 0)
            return tree_text(condition, "message");
    }
    return "";
}

/* "" where the canary had room for all. */
static const char *overflow_text(struct arena *arena, const json_t *canary)
{
    const json_t *arms = tree_at(canary, "status.arms");
    for (size_t i = 0; i < json_array_size(arms); i++) {
        double count = tree_number(json_array_get(arms, i), "overflowed");
        if (count > 0)
            return arena_printf(arena, "%s requests went to stable: the canary was saturated",
                                show_count(arena, count));
    }
    return "";
}

static void write_facts(struct arena *arena, const json_t *canary, struct buffer *out)
{
    struct buffer name = {0};
    canary_text_name(canary, &name);
    const json_t *rule = tree_at(canary, "spec.targetRef.rule");
    const char *target = target_text(arena, canary);
    if (json_is_string(rule))
        target = arena_printf(arena, "%s rule %s", target, json_string_value(rule));
    else if (json_is_integer(rule))
        target = arena_printf(arena, "%s rule %lld", target, (long long)json_integer_value(rule));
    write_fact(out, "Canary:", arena_strndup(arena, buffer_bytes(&name)));
    write_fact(out, "Target:", target);
    write_fact(out, "Phase:", phase_text(arena, canary));
    write_fact(out, "Share:", share_text(arena, canary));
    write_fact(out, "Verdict:",
               joined(arena, tree_text(canary, "status.verdict.result"), tree_text(canary, "status.verdict.reason")));
    write_fact(out, "Next:", show_next(arena, canary));
    write_fact(out, "Waits:", joined(arena, tree_text(canary, "status.reason"), tree_text(canary, "status.message")));
    if (overflow_text(arena, canary)[0] != '\0')
        write_fact(out, "Overflow:", overflow_text(arena, canary));
    if (pins_text(canary)[0] != '\0')
        write_fact(out, "Pins:", pins_text(canary));
    buffer_deinit(&name);
}

/* The arm's part of the requests: the canary's as the controller measured it, stable's what is left. */
static double achieved_percent(const json_t *canary, const json_t *arm)
{
    double percent = tree_number(canary, "status.share.requestsPercent");
    return strcmp(tree_text(arm, "role"), "canary") == 0 ? percent : 100 - percent;
}

static void write_arms(struct arena *arena, const json_t *canary, size_t columns, struct buffer *out)
{
    static const char *const header[] = {"ARM",      "NAME",       "WANTED",    "ACHIEVED",   "REQ/S",
                                         "TTFT P50", "TTFT P95",   "TPOT",      "ERRORS",     "TOKENS IN",
                                         "CACHED",   "TOKENS OUT", "IN FLIGHT", "COST/ANSWER"};
    const json_t *arms = tree_at(canary, "status.arms");
    struct text_table table;
    text_table_init(&table, arena, header, ARRAY_LEN(header) - (tree_at(canary, "spec.prices") == NULL));
    for (size_t i = 0; i < json_array_size(arms); i++) {
        const json_t *arm = json_array_get(arms, i);
        const char *cells[] = {tree_text(arm, "role"),
                               tree_text(arm, "name"),
                               show_percent(arena, tree_number(arm, "weightPercent")),
                               show_percent(arena, achieved_percent(canary, arm)),
                               show_rate(arena, tree_number(arm, "requestsPerSecond")),
                               show_ms(arena, tree_number(arm, "ttftP50Ms")),
                               show_ms(arena, tree_number(arm, "ttftP95Ms")),
                               show_ms(arena, tree_number(arm, "tpotMs")),
                               show_percent(arena, tree_number(arm, "errorPercent")),
                               show_count(arena, tree_number(arm, "promptTokens")),
                               show_count(arena, tree_number(arm, "cachedTokens")),
                               show_count(arena, tree_number(arm, "outputTokens")),
                               show_count(arena, tree_number(arm, "inFlight")),
                               show_cost(arena, tree_number(arm, "costPerAnswer"))};
        text_table_add(&table, cells);
    }
    if (table.row_count == 1) { /* the arms are known even when nothing was measured */
        const char *roles[] = {"stable", "canary"};
        for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
            const char *cells[ARRAY_LEN(header)] = {roles[i], tree_text(canary, i == 0 ? "spec.stable" : "spec.canary"),
                                                    "",       "",
                                                    "",       "",
                                                    "",       "",
                                                    "",       "",
                                                    "",       "",
                                                    "",       ""};
            text_table_add(&table, cells);
        }
    }
    text_table_write_within(&table, columns, out);
}

static void write_guards(struct arena *arena, const json_t *canary, struct buffer *out)
{
    static const char *const header[] = {"GUARD", "SEVERITY", "STABLE", "CANARY", "LIMIT", "VERDICT"};
    static const char *const members[] = {"name", "severity", "stable", "canary", "limit", "verdict"};
    const json_t *guards = tree_at(canary, "status.guards");
    struct text_table table;
    if (json_array_size(guards) == 0)
        return;
    text_table_init(&table, arena, header, ARRAY_LEN(header));
    for (size_t i = 0; i < json_array_size(guards); i++) {
        const char *cells[ARRAY_LEN(header)];
        for (size_t j = 0; j < ARRAY_LEN(members); j++)
            cells[j] = tree_text(json_array_get(guards, i), members[j]);
        text_table_add(&table, cells);
    }
    buffer_append_char(out, '\n');
    text_table_write(&table, out);
}

static void write_excluded(struct arena *arena, const json_t *canary, struct buffer *out)
{
    static const struct {
        const char *member, *text;
    } excluded[] = {{"cancelled", "cancelled"},
                    {"clientErrors", "client errors"},
                    {"modelMissing", "without the adapter"},
                    {"warmup", "warm-up"},
                    {"retried", "retried"}};
    const json_t *counts = tree_at(canary, "status.excluded");
    if (counts == NULL)
        return;
    buffer_append_str(out, "\nNot judged: ");
    for (size_t i = 0; i < ARRAY_LEN(excluded); i++)
        buffer_printf(out, "%s%s %s", i > 0 ? ", " : "",
                      or_dash(show_count(arena, tree_number(counts, excluded[i].member))), excluded[i].text);
    buffer_append_char(out, '\n');
}

void canary_text_show(const json_t *canary, size_t columns, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    write_facts(arena, canary, out);
    buffer_append_char(out, '\n');
    write_arms(arena, canary, columns, out);
    write_guards(arena, canary, out);
    write_excluded(arena, canary, out);
    arena_free(arena);
}

void canary_text_history(const json_t *canary, size_t most, struct buffer *out)
{
    static const char *const header[] = {"TIME", "EVENT", "WEIGHT", "MESSAGE"};
    const json_t *history = tree_at(canary, "status.history");
    struct arena *arena = arena_new(0);
    struct text_table table;
    size_t len = json_array_size(history);
    text_table_init(&table, arena, header, ARRAY_LEN(header));
    for (size_t i = len > most ? len - most : 0; i < len; i++) {
        const json_t *entry = json_array_get(history, i);
        const char *cells[] = {tree_text(entry, "time"), tree_text(entry, "event"),
                               show_percent(arena, tree_number(entry, "weightPercent")), tree_text(entry, "message")};
        text_table_add(&table, cells);
    }
    text_table_write(&table, out);
    arena_free(arena);
}

/* ---- single lines ---- */

void canary_text_name(const json_t *canary, struct buffer *out)
{
    const char *namespace_ = tree_text(canary, "metadata.namespace");
    if (namespace_[0] != '\0') {
        text_append_clean(out, namespace_);
        buffer_append_char(out, '/');
    }
    text_append_clean(out, or_dash(tree_text(canary, "metadata.name")));
}

const char *canary_text_phase(const json_t *canary)
{
    return tree_text(canary, "status.phase");
}

void canary_text_key(const json_t *canary, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    const char *parts[] = {tree_text(canary, "status.phase"), step_text(arena, canary),
                           show_percent(arena, tree_number(canary, "status.share.targetPercent")),
                           tree_text(canary, "status.verdict.result"), tree_text(canary, "status.reason")};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buffer_append_str(out, parts[i]);
        buffer_append_char(out, '\n');
    }
    arena_free(arena);
}

void canary_text_line(const json_t *canary, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    const char *line = arena_printf(arena, "%s step %s weight %s achieved %s verdict %s",
                                    or_dash(tree_text(canary, "status.phase")), or_dash(step_text(arena, canary)),
                                    or_dash(show_percent(arena, tree_number(canary, "status.share.targetPercent"))),
                                    or_dash(show_percent(arena, tree_number(canary, "status.share.requestsPercent"))),
                                    or_dash(tree_text(canary, "status.verdict.result")));
    const char *why = joined(arena, tree_text(canary, "status.reason"), tree_text(canary, "status.message"));
    text_append_clean(out, line);
    if (why[0] != '\0') {
        buffer_append_str(out, " | ");
        text_append_clean(out, why);
    }
    arena_free(arena);
}

enum canary_end canary_text_end(const json_t *canary)
{
    static const char *const lost[] = {"RolledBack", "Aborted", "Failed"};
    const char *phase = tree_text(canary, "status.phase");
    if (tree_number(canary, "status.observedGeneration") < tree_number(canary, "metadata.generation"))
        return CANARY_RUNS;
    for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
        if (strcmp(phase, lost[i]) == 0)
            return CANARY_LOST;
    }
    return strcmp(phase, "Completed") == 0 ? CANARY_WON : CANARY_RUNS;
}
