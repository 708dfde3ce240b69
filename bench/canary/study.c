/* SPDX-License-Identifier: Apache-2.0 */
/* study.c: how often healthy canaries are rolled back, and how soon faulty ones, by Serin's rule and by a fixed one on
 * the same traffic.  `bench_canary [--seed N] [--quick] [--json FILE]`; exit code 1 when a bound is not met. */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/json_write.h"
#include "bench/canary/rules.h"

enum { LEARN_INTERVALS = 30, GIVE_UP_INTERVALS = 3000 };

/* Bounds on Serin; a share of 1 or 0 bounds nothing, requests 0 neither. */
struct bounds {
    double rolled_back_max, rolled_back_min;
    double requests_p95; /* canary requests at 10 % until the rollback */
};

struct scenario {
    struct world world;
    bool is_healthy;
    struct bounds bounds;
};

#define SERVICE    .rate_per_s = 20, .error_rate = 0.003
#define SAME       .ttft_factor = 1, .tpot_factor = 1
#define DAY        .diurnal = 0.5, .bursts = 0.02
#define SLOW_NOISE .stable_noise = 0.12, .canary_noise = 0.12, .noise_memory = 0.7
#define OUTAGES    .stable_outages = 0.01, .canary_outages = 0.01
#define NOISY      .stable_noise = 0.35, .noise_memory = 0.7, .stable_outages = 0.03
#define DRIFTING   .stable_noise = 0.12, .canary_noise = 0.12, .noise_memory = 0.97
#define ROUGH      SERVICE, DAY, SLOW_NOISE, .stable_outages = 0.005, .canary_outages = 0.005, .cold_requests = 500
#define HEALTHY                                                                                                        \
    true,                                                                                                              \
    {                                                                                                                  \
        .rolled_back_max = 0.01                                                                                        \
    }
/* Next to a limit, on either side, or beyond what the analysis assumes: shown, not judged. */
#define AT_THE_LIMIT                                                                                                   \
    true,                                                                                                              \
    {                                                                                                                  \
        .rolled_back_max = 1                                                                                           \
    }
#define FAULTY(p95)                                                                                                    \
    false,                                                                                                             \
    {                                                                                                                  \
        .rolled_back_max = 1, .rolled_back_min = 0.99, .requests_p95 = (p95)                                           \
    }

/* Heavy-tailed prompts are in all of them.  A rough world has everything else at once: the day, bursts, cold caches,
 * slow noise and outages of both arms. */
/* clang-format off */
static const struct scenario scenarios[] = {
    {{"healthy: cold caches",         SERVICE, SAME, .cold_requests = 1500}, HEALTHY},
    {{"healthy: diurnal, bursts",     SERVICE, SAME, DAY}, HEALTHY},
    {{"healthy: correlated, outages", SERVICE, SAME, SLOW_NOISE, OUTAGES}, HEALTHY},
    {{"healthy: noisy stable",        SERVICE, SAME, NOISY}, HEALTHY},
    {{"healthy: rough, 5 % slower",   ROUGH, .ttft_factor = 1.05, .tpot_factor = 1.03}, HEALTHY},
    {{"calm: 2x TTFT",                SERVICE, .ttft_factor = 2, .tpot_factor = 1}, FAULTY(700)},
    {{"calm: +2 % errors",            SERVICE, SAME, .extra_errors = 0.02}, FAULTY(3500)},
    {{"calm: 20 % slower decode",     SERVICE, .ttft_factor = 1, .tpot_factor = 1.2}, FAULTY(700)},
    {{"rough: 2x TTFT",               ROUGH, .ttft_factor = 2, .tpot_factor = 1}, FAULTY(2000)},
    {{"rough: +2 % errors",           ROUGH, SAME, .extra_errors = 0.02}, FAULTY(5000)},
    {{"rough: 20 % slower decode",    ROUGH, .ttft_factor = 1, .tpot_factor = 1.2}, FAULTY(4500)},
    {{"rough: 3 % 500s",              ROUGH, SAME, .extra_errors = 0.03}, FAULTY(3000)},
    {{"rough: 5 % empty answers",     ROUGH, SAME, .extra_empty = 0.05}, FAULTY(1300)},
    {{"rough: every answer empty",    ROUGH, SAME, .extra_empty = 1}, FAULTY(600)},
    {{"limit: 8 % slower decode",     ROUGH, .ttft_factor = 1, .tpot_factor = 1.08}, AT_THE_LIMIT},
    {{"limit: +0.4 % errors",         ROUGH, SAME, .extra_errors = 0.004}, AT_THE_LIMIT},
    {{"limit: only canary outages",   SERVICE, SAME, DAY, .canary_outages = 0.02}, AT_THE_LIMIT},
    {{"limit: arms drift apart",      SERVICE, SAME, DAY, DRIFTING}, AT_THE_LIMIT},
};
/* clang-format on */

static const struct rollout_plan at_ten = {
    .steps = {{.weight_bp = 1000, .hold_ms = 600000}}, .step_count = 1, .revision = 1, .max_slack = 1};
static const struct rollout_plan ramp = {
    .steps = {{.weight_bp = 100, .hold_ms = 120000},
              {.weight_bp = 500, .hold_ms = 120000},
              {.weight_bp = 2500, .hold_ms = 120000},
              {.weight_bp = 5000, .hold_ms = 120000},
              {.weight_bp = 10000}},
    .step_count = 5,
    .revision = 1,
    .max_slack = 4,
};

static const struct {
    const struct rollout_plan *plan;
    const char *name;
} plans[] = {{&at_ten, "10"}, {&ramp, "1-5-25-50-100"}};

static const struct rule *const rules[] = {&rule_serin, &rule_fixed};

struct run {
    enum fate fate;
    double canary_requests;
    double minutes;
    char why[32];
};

struct counting {
    const struct rule *rule;
    void *state;
    uint64_t canary;
};

static void count_and_pass_on(void *context, const struct observation *observation)
{
    struct counting *counting = context;
    counting->canary += observation->arm == ARM_CANARY;
    counting->rule->observe(counting->state, observation);
}

static void learn(void *context, const struct observation *observation)
{
    const struct counting *counting = context;
    counting->rule->learn(counting->state, observation);
}

static struct run simulate(const struct world *world, const struct rule *rule, const struct rollout_plan *plan,
                           uint64_t seed)
{
    struct strata_options strata;
    struct trace trace;
    strata_default_options(&strata);
    trace_init(&trace, world, seed);
    struct counting counting = {.rule = rule, .state = rule->start(plan, &strata)};
    struct run run = {.fate = FATE_OPEN};
    unsigned weight_bp = 0, interval = 0;
    for (; interval < LEARN_INTERVALS; interval++)
        trace_run_interval(&trace, 0, learn, &counting);
    for (; run.fate == FATE_OPEN && interval < GIVE_UP_INTERVALS; interval++) {
        run.fate = rule->end_interval(counting.state, (uint64_t)(interval + 1) * INTERVAL_MS, &weight_bp);
        if (run.fate == FATE_OPEN)
            trace_run_interval(&trace, weight_bp, count_and_pass_on, &counting);
    }
    run.canary_requests = (double)counting.canary;
    run.minutes = (interval - LEARN_INTERVALS) * (INTERVAL_MS / 60e3);
    snprintf(run.why, sizeof run.why, "%s", run.fate == FATE_ROLLED_BACK ? rule->why(counting.state) : "");
    rule->stop(counting.state);
    return run;
}

struct row {
    const struct scenario *scenario;
    const char *rule, *weight;
    unsigned runs, rolled_back, completed;
    double requests_p50, requests_p95, minutes_p50;
    char why[32]; /* the most frequent */
};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double *values, unsigned count, double q)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, compare_doubles);
    return values[(unsigned)(q * (count - 1) + 0.5)];
}

static void most_frequent_why(const struct run *runs, unsigned count, char why[32])
{
    unsigned best = 0;
    why[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        unsigned same = 0;
        for (unsigned j = 0; j < count; j++)
            same += runs[i].why[0] != '\0' && strcmp(runs[i].why, runs[j].why) == 0;
        if (same > best) {
            best = same;
            memcpy(why, runs[i].why, sizeof runs[i].why);
        }
    }
}

/* Decisions: rollbacks of a faulty canary, ends of a healthy one; a run without one counts as the longest. */
static void summarise(struct row *row, const struct run *runs, unsigned count)
{
    double *requests = must(calloc(count, sizeof *requests)), *minutes = must(calloc(count, sizeof *minutes));
    for (unsigned i = 0; i < count; i++) {
        row->rolled_back += runs[i].fate == FATE_ROLLED_BACK;
        row->completed += runs[i].fate == FATE_COMPLETED;
        bool is_decided = runs[i].fate == (row->scenario->is_healthy ? FATE_COMPLETED : FATE_ROLLED_BACK);
        requests[i] = is_decided ? runs[i].canary_requests : INFINITY;
        minutes[i] = is_decided ? runs[i].minutes : INFINITY;
    }
    row->requests_p50 = percentile(requests, count, 0.5);
    row->requests_p95 = percentile(requests, count, 0.95);
    row->minutes_p50 = percentile(minutes, count, 0.5);
    most_frequent_why(runs, count, row->why);
    free(requests);
    free(minutes);
}

static struct row study(const struct scenario *scenario, unsigned rule, unsigned plan, unsigned count, uint64_t seed)
{
    struct row row = {.scenario = scenario, .rule = rules[rule]->name, .weight = plans[plan].name, .runs = count};
    struct run *runs = must(calloc(count, sizeof *runs));
    for (unsigned i = 0; i < count; i++)
        runs[i] = simulate(&scenario->world, rules[rule], plans[plan].plan, seed * 1000000 + i);
    summarise(&row, runs, count);
    free(runs);
    return row;
}

static void print_number(double value, int width)
{
    if (isfinite(value))
        printf(" %*.0f", width, value);
    else
        printf(" %*s", width, "-");
}

static void print_row(const struct row *row)
{
    printf("%-30s %-6s %-14s %5u %8.1f %% %8.1f %%", row->scenario->world.name, row->rule, row->weight, row->runs,
           100.0 * row->rolled_back / row->runs, 100.0 * row->completed / row->runs);
    print_number(row->requests_p50, 9);
    print_number(row->requests_p95, 9);
    print_number(row->minutes_p50, 8);
    printf("  %s\n", row->why);
    fflush(stdout);
}

static void write_row(struct json_writer *json, const struct row *row)
{
    jw_begin_object(json);
    jw_member_str(json, "scenario", row->scenario->world.name);
    jw_member_str(json, "rule", row->rule);
    jw_member_str(json, "weight", row->weight);
    jw_member_u64(json, "runs", row->runs);
    jw_member_double(json, "rolled_back_share", (double)row->rolled_back / row->runs);
    jw_member_double(json, "completed_share", (double)row->completed / row->runs);
    jw_member_double(json, "requests_to_decision_p50", row->requests_p50);
    jw_member_double(json, "requests_to_decision_p95", row->requests_p95);
    jw_member_double(json, "minutes_to_decision_p50", row->minutes_p50);
    jw_member_str(json, "reason", row->why);
    jw_end_object(json);
}

/* slack: how much a bound is stretched for few runs. */
static bool meets_bounds(const struct row *row, double slack)
{
    const struct bounds *bounds = &row->scenario->bounds;
    double share = (double)row->rolled_back / row->runs;
    bool is_at_ten = strcmp(row->weight, "10") == 0;
    /* Few runs cannot tell 1 % from 2 %: three standard deviations are let pass.  A thousand rollouts are not. */
    double noise = row->runs < 1000 ? 3 * sqrt(bounds->rolled_back_max / row->runs) : 0;
    bool is_met = share <= bounds->rolled_back_max * slack + noise && share >= bounds->rolled_back_min;
    if (is_at_ten && bounds->requests_p95 > 0)
        is_met = is_met && row->requests_p95 <= bounds->requests_p95 * slack;
    if (!is_met)
        printf("NOT MET: %s at %s: rolled back %.3f, p95 %.0f requests\n", row->scenario->world.name, row->weight,
               share, row->requests_p95);
    return is_met;
}

struct options {
    uint64_t seed;
    unsigned rollouts; /* of a healthy canary */
    unsigned others;   /* runs of everything else */
    double slack;
    bool is_quick; /* only what has bounds */
    const char *json_path, *only;
};

static bool read_options(int argc, char **argv, struct options *options)
{
    *options = (struct options){.seed = 1, .rollouts = 1000, .others = 150, .slack = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            options->seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
            options->json_path = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            options->only = argv[++i];
        else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            options->rollouts = options->others = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--quick") == 0)
            *options = (struct options){.seed = 1, .rollouts = 5, .others = 5, .slack = 1.5, .is_quick = true};
        else
            return false;
    }
    return options->rollouts > 0 && options->others > 0;
}

static int write_json(const char *path, const struct buffer *text)
{
    FILE *file = fopen(path, "w");
    struct bytes bytes = buffer_bytes(text);
    bool is_written = file != NULL && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    if (file == NULL || fclose(file) != 0 || !is_written) {
        fprintf(stderr, "bench_canary: cannot write %s\n", path);
        return 1;
    }
    return 0;
}

static bool is_bounded_healthy(const struct scenario *scenario)
{
    return scenario->is_healthy && scenario->bounds.rolled_back_max < 1;
}

static bool is_wanted(const struct options *options, const struct scenario *scenario)
{
    bool is_named = options->only == NULL || strstr(scenario->world.name, options->only) != NULL;
    return is_named && !(options->is_quick && scenario->is_healthy && !is_bounded_healthy(scenario));
}

static bool run_all(const struct options *options, struct json_writer *json)
{
    bool is_met = true;
    for (unsigned i = 0; i < ARRAY_LEN(scenarios); i++) {
        if (!is_wanted(options, &scenarios[i]))
            continue;
        for (unsigned plan = 0; plan < ARRAY_LEN(plans); plan++)
            for (unsigned rule = 0; rule < ARRAY_LEN(rules); rule++) {
                unsigned count = is_bounded_healthy(&scenarios[i]) ? options->rollouts : options->others;
                struct row row = study(&scenarios[i], rule, plan, count, options->seed);
                print_row(&row);
                write_row(json, &row);
                is_met = (rule != 0 || meets_bounds(&row, options->slack)) && is_met;
            }
    }
    return is_met;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: bench_canary [--seed N] [--quick] [--runs N] [--only TEXT] [--json FILE]\n");
        return 2;
    }
    struct buffer text = {0};
    struct json_writer json;
    jw_init(&json, &text);
    /* Runs take and give back the same blocks: they need not go to the kernel each time. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    printf("%-30s %-6s %-14s %5s %10s %10s %9s %9s %8s  %s\n", "scenario", "rule", "weight", "runs", "rolled back",
           "completed", "requests", "p95", "minutes", "reason");
    jw_begin_array(&json);
    bool is_met = run_all(&options, &json);
    jw_end_array(&json);
    buffer_append_char(&text, '\n');
    int code = options.json_path != NULL ? write_json(options.json_path, &text) : 0;
    buffer_deinit(&text);
    printf(is_met ? "all bounds are met\n" : "some bounds are not met\n");
    return is_met ? code : 1;
}
