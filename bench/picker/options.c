/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: reads the command line of the picker benchmark. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct policy *const policies[] = {
    &policy_random,    &policy_round_robin,    &policy_least_request,
    &policy_reference, &policy_reference_lora, &policy_serin,
};

static const char usage[] =
    "usage: bench_picker [options]\n"
    "  --seed N --seeds N       the first seed and how many (1, 20)\n"
    "  --baseline-seeds N       of the policies that are neither Serin's nor the reference's (2)\n"
    "  --quick                  2 seeds, 120 s after 60 s, loads 50 and 80, rates that are known\n"
    "  --workloads A,B          all\n"
    "  --loads 50,80,95         percent of the rate at which the reference reaches 2 s\n"
    "  --policies A,B           all\n"
    "  --known-rates            do not search for that rate\n"
    "  --limit PER_S            nor ask what is known: it is this one\n"
    "  --endpoints N            the limit, when it is not searched for, in proportion (as the workload says)\n"
    "  --admission facts|vllm   whether a prompt may enter a step without budget for it (facts)\n"
    "  --prompts-only           answers are not cached, as in `serin sim`\n"
    "  --trace FILE             write the trace of the first workload, load and seed, for bench/picker/live.py\n"
    "  --warm-up S --duration S 120, 600\n"
    "  --config FILE            an EndpointPickerConfig for Serin's policy\n"
    "  --blind prefix|pending   to one of the facts that Serin's policy goes by\n"
    "  --jobs N                 processes (one per processor)\n"
    "  --out FILE               build/bench/picker.json\n"
    "  --verbose                progress on stderr\n";

static bool add_workload(struct options *options, const char *name)
{
    for (unsigned i = 0; i < workload_count; i++)
        if (strcmp(workloads[i].name, name) == 0 && options->workload_count < BENCH_WORKLOADS_MAX) {
            options->workloads[options->workload_count++] = workloads[i];
            return true;
        }
    return false;
}

static bool add_policy(struct options *options, const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(policies); i++)
        if (strcmp(policies[i]->name, name) == 0 && options->policy_count < BENCH_POLICIES_MAX) {
            options->policies[options->policy_count++] = policies[i];
            return true;
        }
    return false;
}

static bool add_load(struct options *options, const char *text)
{
    int load = atoi(text);
    if (load < 1 || load > 200 || options->load_count == BENCH_LOADS_MAX)
        return false;
    options->loads[options->load_count++] = (unsigned)load;
    return true;
}

static bool add_each(struct options *options, const char *list, bool (*add)(struct options *, const char *))
{
    char *copy = must(strdup(list)), *rest = copy;
    bool is_good = true;
    for (const char *name; (name = strsep(&rest, ",")) != NULL;)
        if (!add(options, name)) {
            fprintf(stderr, "unknown: %s\n", name);
            is_good = false;
        }
    free(copy);
    return is_good;
}

static bool read_config(struct options *options, const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        return false;
    }
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    options->has_config = picker_config_parse(bytes_make(text, len), &problems, &options->config);
    for (const struct problem *problem = problems.first; problem != NULL; problem = problem->next)
        fprintf(stderr, "%s: %s\n", path, problem_text(problem, arena));
    arena_free(arena);
    return options->has_config;
}

static bool make_blind(struct options *options, const char *fact)
{
    if (strcmp(fact, "prefix") == 0)
        options->blind.prefix = true;
    else if (strcmp(fact, "pending") == 0)
        options->blind.pending = true;
    else
        return false;
    return true;
}

static void be_quick(struct options *options)
{
    options->seed_count = 2;
    options->warm_up_s = 60;
    options->duration_s = 120;
    options->searches = false;
    options->load_count = 0;
    add_each(options, "50,80", add_load);
}

static bool read_flag(struct options *options, const char *name)
{
    if (strcmp(name, "--quick") == 0)
        be_quick(options);
    else if (strcmp(name, "--known-rates") == 0)
        options->searches = false;
    else if (strcmp(name, "--prompts-only") == 0)
        options->forgets_answers = true;
    else if (strcmp(name, "--verbose") == 0)
        options->is_verbose = true;
    else
        return false;
    return true;
}

static bool read_option(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--seed") == 0)
        options->first_seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--seeds") == 0)
        options->seed_count = (unsigned)atoi(value);
    else if (strcmp(name, "--baseline-seeds") == 0)
        options->baseline_seeds = (unsigned)atoi(value);
    else if (strcmp(name, "--warm-up") == 0)
        options->warm_up_s = atof(value);
    else if (strcmp(name, "--duration") == 0)
        options->duration_s = atof(value);
    else if (strcmp(name, "--limit") == 0)
        options->limit_per_s = atof(value);
    else if (strcmp(name, "--endpoints") == 0)
        options->endpoints = (unsigned)atoi(value);
    else if (strcmp(name, "--trace") == 0)
        options->trace_out = value;
    else if (strcmp(name, "--jobs") == 0)
        options->jobs = (unsigned)atoi(value);
    else if (strcmp(name, "--out") == 0)
        options->out = value;
    else if (strcmp(name, "--admission") == 0)
        options->admits_within_budget = strcmp(value, "vllm") == 0;
    else if (strcmp(name, "--blind") == 0)
        return add_each(options, value, make_blind);
    else if (strcmp(name, "--workloads") == 0)
        return add_each(options, value, add_workload);
    else if (strcmp(name, "--policies") == 0)
        return add_each(options, value, add_policy);
    else if (strcmp(name, "--config") == 0)
        return read_config(options, value);
    else if (strcmp(name, "--loads") != 0)
        return false;
    else
        return options->load_count = 0, add_each(options, value, add_load);
    return true;
}

static void resize(struct workload *workload, unsigned endpoints)
{
    workload->limit_per_s *= (double)endpoints / workload->endpoints;
    workload->endpoints = endpoints;
}

static void fill_in(struct options *options)
{
    if (options->workload_count == 0)
        for (unsigned i = 0; i < workload_count; i++)
            add_workload(options, workloads[i].name);
    for (unsigned i = 0; i < options->workload_count && options->endpoints > 0; i++)
        resize(&options->workloads[i], options->endpoints);
    if (options->policy_count == 0)
        for (unsigned i = 0; i < ARRAY_LEN(policies); i++)
            add_policy(options, policies[i]->name);
    if (options->load_count == 0)
        add_each(options, "50,80,95", add_load);
}

bool options_read(int argc, char **argv, struct options *ret_options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {
        .first_seed = 1,
        .seed_count = 20,
        .baseline_seeds = 2,
        .warm_up_s = 120,
        .duration_s = 600,
        .searches = true,
        .jobs = processors > 0 ? (unsigned)processors : 1,
        .out = "build/bench/picker.json",
    };
    bool is_good = true;
    for (int i = 1; i < argc && is_good; i++) {
        if (read_flag(&options, argv[i]))
            continue;
        is_good = i + 1 < argc && read_option(&options, argv[i], argv[i + 1]);
        i++;
    }
    if (!is_good || options.seed_count < 1 || options.jobs < 1 || options.duration_s <= 0 || options.endpoints > 64) {
        fputs(usage, stderr);
        return false;
    }
    fill_in(&options);
    *ret_options = options;
    return true;
}
