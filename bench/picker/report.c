/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: medians, ratios, goals and JSON. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_write.h"
#include "out_file.h"

enum { SEEDS_MAX = 1024 };

/* Goals: so much of the reference's TTFT p90, in the median at 80 % on these workloads, and at worst anywhere. */
static const char *const goal_workloads[] = {"shared-prefix", "multi-turn", "lora"};
static const unsigned goal_load = 80;
static const double goal_median = 0.8, goal_worst = 1.05;

struct cell {
    double values[SEEDS_MAX];
    unsigned count;
};

static void add(struct cell *cell, double value)
{
    if (cell->count < SEEDS_MAX)
        cell->values[cell->count++] = value;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(struct cell *cell)
{
    if (cell->count == 0)
        return 0;
    qsort(cell->values, cell->count, sizeof cell->values[0], compare_doubles);
    unsigned middle = cell->count / 2;
    return cell->count % 2 == 1 ? cell->values[middle] : (cell->values[middle - 1] + cell->values[middle]) / 2;
}

static bool is_same_case(const struct row *a, const struct row *b)
{
    return a->workload == b->workload && a->load == b->load;
}

static const struct row *reference_of(const struct row *row, const struct row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (rows[i].is_reference && is_same_case(&rows[i], row) && rows[i].seed == row->seed)
            return &rows[i];
    return NULL;
}

static double ratio(const struct row *row, const struct row *rows, unsigned count)
{
    const struct row *reference = reference_of(row, rows, count);
    return reference != NULL && reference->result.ttft_p90_ms > 0
               ? row->result.ttft_p90_ms / reference->result.ttft_p90_ms
               : NAN;
}

struct verdict {
    bool has_missed;
    double worst;
    const struct row *worst_row;
};

static bool has_goal(const struct row *row)
{
    for (size_t i = 0; i < ARRAY_LEN(goal_workloads); i++)
        if (row->load == goal_load && strcmp(row->workload->name, goal_workloads[i]) == 0)
            return true;
    return false;
}

/* All seeds of the first row's workload, load and policy. */
static void print_line(const struct row *first, const struct row *rows, unsigned count, struct verdict *verdict)
{
    static struct cell p50, p90, p99, tpot, hit, good, ratios;
    p50.count = p90.count = p99.count = tpot.count = hit.count = good.count = ratios.count = 0;
    double worst = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        if (!is_same_case(row, first) || row->policy != first->policy)
            continue;
        add(&p50, row->result.ttft_p50_ms);
        add(&p90, row->result.ttft_p90_ms);
        add(&p99, row->result.ttft_p99_ms);
        add(&tpot, row->result.tpot_ms);
        add(&hit, row->result.hit_rate);
        add(&good, row->result.goodput);
        double against = ratio(row, rows, count);
        if (isnan(against))
            continue;
        add(&ratios, against);
        worst = against > worst ? against : worst;
        if (row->policy == &policy_serin && against > verdict->worst) {
            verdict->worst = against;
            verdict->worst_row = row;
        }
    }
    double middle = median(&ratios);
    printf("%-14s %4u %7.1f  %-15s %9.1f %9.1f %9.1f %7.1f %6.3f %8.1f", first->workload->name, first->load,
           first->rate, first->policy->name, median(&p50), median(&p90), median(&p99), median(&tpot), median(&hit),
           median(&good));
    if (ratios.count > 0)
        printf("  %6.2f %6.2f", middle, worst);
    if (ratios.count > 0 && first->policy == &policy_serin && has_goal(first)) {
        bool holds = middle <= goal_median;
        verdict->has_missed = verdict->has_missed || !holds;
        printf("  goal <= %.2f: %s", goal_median, holds ? "holds" : "MISSED");
    }
    printf("\n");
}

static bool is_first(const struct row *rows, unsigned i)
{
    for (unsigned j = 0; j < i; j++)
        if (is_same_case(&rows[j], &rows[i]) && rows[j].policy == rows[i].policy)
            return false;
    return true;
}

void report_print(const struct row *rows, unsigned count, const struct options *options)
{
    struct verdict verdict = {0};
    printf("%u seeds from %llu, %.0f s after %.0f s of warm-up, admission as %s\n", options->seed_count,
           (unsigned long long)options->first_seed, options->duration_s, options->warm_up_s,
           options->admits_within_budget ? "in vLLM" : "in the facts");
    printf("%-14s %4s %7s  %-15s %9s %9s %9s %7s %6s %8s  %6s %6s\n", "workload", "load", "per s", "policy", "ttft p50",
           "p90 ms", "p99", "tpot ms", "hits", "goodput", "ratio", "worst");
    for (unsigned i = 0; i < count; i++)
        if (is_first(rows, i))
            print_line(&rows[i], rows, count, &verdict);
    if (verdict.worst_row != NULL)
        printf("worst TTFT p90 of serin to the reference in any run: %.2f (%s at %u %%, seed %llu); goal <= %.2f: %s\n",
               verdict.worst, verdict.worst_row->workload->name, verdict.worst_row->load,
               (unsigned long long)verdict.worst_row->seed, goal_worst,
               verdict.worst <= goal_worst ? "holds" : "MISSED");
}

static void write_row(struct json_writer *writer, const struct row *row)
{
    jw_begin_object(writer);
    jw_member_str(writer, "workload", row->workload->name);
    jw_member_u64(writer, "load", row->load);
    jw_member_double(writer, "rate", row->rate);
    jw_member_str(writer, "policy", row->policy->name);
    jw_member_u64(writer, "seed", row->seed);
    jw_member_double(writer, "ttft_p50_ms", row->result.ttft_p50_ms);
    jw_member_double(writer, "ttft_p90_ms", row->result.ttft_p90_ms);
    jw_member_double(writer, "ttft_p99_ms", row->result.ttft_p99_ms);
    jw_member_double(writer, "tpot_ms", row->result.tpot_ms);
    jw_member_double(writer, "hit_rate", row->result.hit_rate);
    jw_member_double(writer, "goodput", row->result.goodput);
    jw_member_u64(writer, "requests", row->result.requests);
    jw_member_u64(writer, "unfinished", row->result.unfinished);
    jw_end_object(writer);
}

static void make_folders(const char *path)
{
    char *copy = must(strdup(path));
    for (char *slash = copy + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(copy, 0777); /* when it fails the file cannot be opened, which is told */
        *slash = '/';
    }
    free(copy);
}

bool report_write(const struct row *rows, unsigned count, const char *path)
{
    struct buffer out = {0};
    struct json_writer writer;
    jw_init(&writer, &out);
    jw_begin_array(&writer);
    for (unsigned i = 0; i < count; i++)
        write_row(&writer, &rows[i]);
    jw_end_array(&writer);
    buffer_append_char(&out, '\n');
    make_folders(path);
    bool is_written = out_file_write(buffer_bytes(&out), path);
    buffer_deinit(&out);
    return is_written;
}
