/* SPDX-License-Identifier: Apache-2.0 */
/* up.c: `serin up`. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "gateway/gateway.h"

#define MAX_ADDRESSES       64
#define MAX_WORKERS         256
#define MAX_EVENT_WINDOW_US 10000

struct up_options {
    struct option_files files; /* first: option_take_file() */
    struct gateway_config config;
    const char *addresses[MAX_ADDRESSES];
    char address_text[4096]; /* the list, taken apart in place */
};

static const char *take_data(void *context, const char *value)
{
    ((struct up_options *)context)->config.data = value;
    return value[0] != '\0' ? NULL : "must name a folder";
}

static const char *take_admin(void *context, const char *value)
{
    struct up_options *options = context;
    return address_parse(&options->config.admin, bytes_of(value)) ? NULL : "must be IP:PORT, as 127.0.0.1:6474";
}

static const char *take_api(void *context, const char *value)
{
    struct up_options *options = context;
    options->config.has_api = strcmp(value, "none") != 0;
    if (!options->config.has_api)
        return NULL;
    return address_parse(&options->config.api, bytes_of(value)) ? NULL : "must be IP:PORT, as 127.0.0.1:6473, or none";
}

static const char *take_addresses(void *context, const char *value)
{
    struct up_options *options = context;
    struct address parsed;
    if (strlen(value) >= sizeof options->address_text)
        return "is too long";
    strcpy(options->address_text, value);
    options->config.address_count = 0;
    char *rest = options->address_text;
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        if (!address_make(&parsed, bytes_of(item), 1))
            return "must be IP addresses with commas between, as 127.0.0.1,127.0.0.2";
        if (options->config.address_count == MAX_ADDRESSES)
            return "at most 64 addresses";
        options->addresses[options->config.address_count++] = item;
    }
    return NULL;
}

static const char *take_workloads(void *context, const char *value)
{
    struct up_options *options = context;
    options->config.has_workloads = strcmp(value, "sim") == 0;
    return options->config.has_workloads || strcmp(value, "none") == 0 ? NULL : "must be sim or none";
}

static const char *take_sim_speed(void *context, const char *value)
{
    struct up_options *options = context;
    return option_number(value, 0.001, 100000, &options->config.sim_speed) ? NULL : "must be a number above 0";
}

static const char *take_drain(void *context, const char *value)
{
    struct up_options *options = context;
    double seconds;
    if (!option_number(value, 0, 86400, &seconds))
        return "must be seconds, 0..86400";
    options->config.drain_ms = (uint32_t)(seconds * 1000);
    return NULL;
}

static const char *take_workers(void *context, const char *value)
{
    struct up_options *options = context;
    double count;
    if (!option_number(value, 1, MAX_WORKERS, &count) || count != (unsigned)count)
        return "must be 1..256";
    options->config.workers = (unsigned)count;
    return NULL;
}

static const char *take_event_window(void *context, const char *value)
{
    struct up_options *options = context;
    double us;
    if (!option_number(value, 0, MAX_EVENT_WINDOW_US, &us) || us != (unsigned)us)
        return "must be microseconds, 0..10000";
    options->config.event_window_us = (unsigned)us;
    return NULL;
}

static const char *take_budget(void *context, const char *value)
{
    struct up_options *options = context;
    double mib;
    if (!option_number(value, 1, 1 << 20, &mib))
        return "must be MiB, 1..1048576";
    options->config.memory_budget_bytes = (uint64_t)mib << 20;
    return NULL;
}

static const char *take_limit(void *context, const char *value)
{
    return limits_set(&((struct up_options *)context)->config.limits, value);
}

static const char *take_hide_arm(void *context, const char *value)
{
    (void)value;
    ((struct up_options *)context)->config.hide_arm = true;
    return NULL;
}

static const char *take_log(void *context, const char *value)
{
    ((struct up_options *)context)->config.log_file = value;
    return value[0] != '\0' ? NULL : "must name a file";
}

static const char *take_access_log(void *context, const char *value)
{
    ((struct up_options *)context)->config.access_log = value;
    return value[0] != '\0' ? NULL : "must name a file, or - for standard output";
}

static const char *take_decision_log(void *context, const char *value)
{
    ((struct up_options *)context)->config.decision_log = value;
    return value[0] != '\0' ? NULL : "must name a file, or - for standard output";
}

static const char *take_decision_every(void *context, const char *value)
{
    double every;
    if (!option_number(value, 1, 1e9, &every) || every != (unsigned)every)
        return "must be 1..1000000000";
    ((struct up_options *)context)->config.decision_every = (unsigned)every;
    return NULL;
}

static const char *take_log_level(void *context, const char *value)
{
    enum log_level level;
    (void)context;
    if (!log_level_from_name(value, &level))
        return "must be error, warn, info or debug";
    log_set_level(level);
    return NULL;
}

static const struct option_spec specs[] = {
    {"--file", "-f", "FILE|DIR|-", "manifests to apply; followed when edited; without any, what --data holds is served",
     option_take_file},
    {"--data", NULL, "DIR", "state and pod logs (./serin-data)", take_data},
    {"--api", NULL, "IP:PORT|none", "the API server, for kubectl (127.0.0.1:6473)", take_api},
    {"--admin", NULL, "IP:PORT", "health, metrics and debug pages (127.0.0.1:6474)", take_admin},
    {"--addresses", NULL, "LIST", "addresses that Gateways may get (127.0.0.1)", take_addresses},
    {"--workloads", NULL, "sim|none", "run Deployments of model servers as simulators (none)", take_workloads},
    {"--sim-speed", NULL, "F", "divide the simulators' start-up and probe delays by F (1)", take_sim_speed},
    {"--drain", NULL, "S", "seconds that SIGTERM leaves to running exchanges (30)", take_drain},
    {"--workers", NULL, "N", "data-plane threads (online CPUs)", take_workers},
    {"--event-window", NULL, "US", "microseconds that events of streams may wait for each other, to save CPU time (0)",
     take_event_window},
    {"--hide-arm", NULL, NULL, "do not tell clients the arm (x-serin-arm, x-serin-revision)", take_hide_arm},
    {"--log", NULL, "FILE", "write log lines there; SIGHUP opens it anew (standard error)", take_log},
    {"--access-log", NULL, "FILE|-", "a line of JSON for each request; SIGHUP opens it anew (off)", take_access_log},
    {"--decision-log", NULL, "FILE|-", "a line of JSON for some picks: all scores of all endpoints (off)",
     take_decision_log},
    {"--decision-every", NULL, "N", "of so many picks one is in the decision log (100)", take_decision_every},
    {"--log-level", NULL, "LEVEL", "error, warn, info or debug (info)", take_log_level},
    {"--body-budget", NULL, "MIB", "memory for bodies and answers on their way, of all clients together (1024)",
     take_budget},
    {"--limit", NULL, "NAME=VALUE", "a limit of docs/limits.md, for each worker: head-time=10s, hold=1MiB, ...",
     take_limit},
};

int cli_up(int argc, char **argv)
{
    static const char summary[] =
        "Serves Gateways, routes and inference pools, with their traffic, from manifests and kubectl.";
    static const char example[] = "serin up -f examples/canary --workloads sim --sim-speed 10";
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    struct up_options *options = calloc(1, sizeof *options);
    if (options == NULL)
        abort();
    options->addresses[0] = "127.0.0.1";
    options->config = (struct gateway_config){
        .files = options->files.paths,
        .data = "./serin-data",
        .addresses = options->addresses,
        .address_count = 1,
        .sim_speed = 1,
        .drain_ms = 30000,
        .decision_every = 100,
        .workers = online > 0 && online <= MAX_WORKERS ? (unsigned)online : 1,
        .memory_budget_bytes = 1ull << 30,
        .limits = limits_default(),
    };
    address_parse(&options->config.admin, BYTES("127.0.0.1:6474"));
    options->config.has_api = address_parse(&options->config.api, BYTES("127.0.0.1:6473"));
    enum options_result result = options_read(argc, argv, specs, ARRAY_LEN(specs), summary, example, options);
    int exit_code = result == OPTIONS_BAD ? EXIT_USAGE : EXIT_FINE;
    options->config.file_count = options->files.count;
    if (result == OPTIONS_OK)
        exit_code = gateway_run(&options->config);
    free(options);
    return exit_code;
}
