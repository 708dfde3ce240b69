/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the picker benchmark: finds the loads, runs every workload, load, policy and seed, prints the table and
 * writes the rows.
 *
 * Runs are independent and shared out among processes; each is deterministic, so that their number changes nothing but
 * the time it takes. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleet.h"
#include "inference/schedule/picker_config.h"
#include "options.h"
#include "report.h"
#include "trace_file.h"

enum { SEARCH_SEEDS = 5, SEARCH_STEPS = 14 };
static const double limit_ttft_ms = 2000, search_precision = 1.02;

/* Work that processes take from a common counter; results go into shared memory. */
struct shared {
    atomic_uint next;
    double limits[BENCH_WORKLOADS_MAX];
    struct row rows[];
};

static const struct policy *reference_for(const struct workload *workload)
{
    return workload->adapters > 0 ? &policy_reference_lora : &policy_reference;
}

/* Searching for the limit. */

static bool is_beyond(const struct options *options, const struct workload *workload, double rate)
{
    unsigned late = 0, in_time = 0;
    for (unsigned i = 0; i < SEARCH_SEEDS && late <= SEARCH_SEEDS / 2 && in_time <= SEARCH_SEEDS / 2; i++) {
        struct run_setup setup = {
            .workload = workload,
            .policy = reference_for(workload),
            .rate = rate,
            .seed = options->first_seed + i,
            .warm_up_s = options->warm_up_s,
            .duration_s = options->duration_s,
            .admits_within_budget = options->admits_within_budget,
            .hopeless_ttft_ms = limit_ttft_ms,
        };
        bool is_late = fleet_run(&setup).ttft_p90_ms > limit_ttft_ms;
        late += is_late;
        in_time += !is_late;
    }
    return late > in_time; /* the median of the seeds is beyond */
}

static double find_limit(const struct options *options, const struct workload *workload)
{
    double low = 0, high = 0, rate = workload->limit_per_s;
    for (unsigned step = 0; step < SEARCH_STEPS; step++) {
        if (is_beyond(options, workload, rate))
            high = rate;
        else
            low = rate;
        if (low > 0 && high > 0 && high / low < search_precision)
            break;
        /* Near the known one at first, then in the middle. */
        rate = high == 0 ? low * 1.1 : low == 0 ? high / 1.1 : (low + high) / 2;
    }
    return (low + high) / 2;
}

/* Processes. */

static void work_in_processes(const struct options *options, struct shared *shared, unsigned tasks,
                              void (*work)(const struct options *options, struct shared *shared, unsigned task))
{
    atomic_store(&shared->next, 0);
    fflush(stdout);
    for (unsigned i = 0; i < options->jobs; i++) {
        pid_t pid = fork();
        if (pid < 0) {
            perror("fork");
            exit(1);
        }
        if (pid > 0)
            continue;
        for (unsigned task; (task = atomic_fetch_add(&shared->next, 1)) < tasks;) {
            work(options, shared, task);
            if (options->is_verbose)
                fprintf(stderr, "\r%u of %u ", task + 1, tasks);
        }
        _exit(0);
    }
    bool has_failed = false;
    for (unsigned i = 0; i < options->jobs; i++) {
        int status = 0;
        has_failed = wait(&status) < 0 || status != 0 || has_failed;
    }
    if (has_failed) {
        fprintf(stderr, "a process of the benchmark failed\n");
        exit(1);
    }
}

static void search(const struct options *options, struct shared *shared, unsigned task)
{
    unsigned workload = options->workload_count - 1 - task; /* the long ones are the last of the table */
    shared->limits[workload] = find_limit(options, &options->workloads[workload]);
}

static void run(const struct options *options, struct shared *shared, unsigned task)
{
    struct row *row = &shared->rows[task];
    struct run_setup setup = {
        .workload = row->workload,
        .policy = row->policy,
        .profile = options->has_config ? &options->config.profile : NULL,
        .blind = options->blind,
        .rate = row->rate,
        .seed = row->seed,
        .warm_up_s = options->warm_up_s,
        .duration_s = options->duration_s,
        .admits_within_budget = options->admits_within_budget,
        .forgets_answers = options->forgets_answers,
    };
    row->result = fleet_run(&setup);
}

/* The others are overloaded by what these carry easily: they take longest and tell least. */
static bool is_compared(const struct policy *policy, const struct workload *workload)
{
    return policy == &policy_serin || policy == reference_for(workload);
}

/* All seeds of a workload and load. */
static unsigned lay_out_case(const struct options *options, const struct shared *shared, unsigned w, unsigned load,
                             struct row *rows)
{
    const struct workload *workload = &options->workloads[w];
    unsigned count = 0;
    for (unsigned seed = 0; seed < options->seed_count; seed++)
        for (unsigned p = 0; p < options->policy_count; p++) {
            const struct policy *policy = options->policies[p];
            if (policy == &policy_reference_lora && workload->adapters == 0)
                continue;
            if (!is_compared(policy, workload) && seed >= options->baseline_seeds)
                continue;
            rows[count++] = (struct row){
                .workload = workload,
                .policy = policy,
                .load = load,
                .rate = shared->limits[w] * load / 100,
                .seed = options->first_seed + seed,
                .is_reference = policy == reference_for(workload),
            };
        }
    return count;
}

static unsigned lay_out_rows(const struct options *options, struct shared *shared)
{
    unsigned count = 0;
    for (unsigned w = 0; w < options->workload_count; w++)
        for (unsigned l = 0; l < options->load_count; l++)
            count += lay_out_case(options, shared, w, options->loads[l], &shared->rows[count]);
    return count;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!options_read(argc, argv, &options))
        return 2;
    size_t rows_max = (size_t)options.workload_count * options.load_count * options.seed_count * options.policy_count;
    size_t bytes = sizeof(struct shared) + rows_max * sizeof(struct row);
    struct shared *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    for (unsigned i = 0; i < options.workload_count; i++)
        shared->limits[i] = options.limit_per_s > 0 ? options.limit_per_s : options.workloads[i].limit_per_s;
    if (options.searches && options.limit_per_s <= 0)
        work_in_processes(&options, shared, options.workload_count, search);
    unsigned count = lay_out_rows(&options, shared);
    const struct row *first = &shared->rows[0];
    if (options.trace_out != NULL && count > 0 &&
        !trace_write(first->workload, first->rate, first->seed, options.warm_up_s + options.duration_s,
                     options.trace_out))
        return 1;
    work_in_processes(&options, shared, count, run);
    report_print(shared->rows, count, &options);
    return report_write(shared->rows, count, options.out) ? 0 : 1;
}
