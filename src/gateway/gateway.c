/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c: the composition root: puts the parts together, and takes them apart in order.
 *
 * The calling thread is the control thread.  Signals: SIGTERM drains for drain_ms, SIGINT for 3 s, a second one stops
 * at once. */
#include "gateway/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/workloads/pod_process.h"
#include "gateway/admin.h"
#include "gateway/memory_trim.h"
#include "gateway/request_logs.h"
#include "gateway/service.h"
#include "gateway/sockets.h"
#include "gateway/welcome.h"
#include "kube/apiserver/apiserver.h"

#define INTERRUPT_DRAIN_MS 3000
#define POD_GRACE_MS       1000
#define MAX_SERIES         2000
#define MAX_EVENTS         1000
#define STATUS_RETRY_MS    5000
#define MAX_RESPONSES      (256u << 10) /* of which arm and server are remembered: 6 MiB each when full */
#define MAX_CONVERSATIONS  (256u << 10)
#define DEFAULT_BUFFER     (64ull << 20)

struct gateway {
    const struct gateway_config *config;
    struct reactor *reactor;
    struct metrics *metrics;
    struct memory_budget budget;
    struct arm_memories memories;
    struct request_logs logs;
    struct worker **workers;
    unsigned worker_count;
    struct sockets *sockets;
    struct store *store;
    struct event_recorder *recorder;
    struct control *control;
    struct apiserver *api; /* NULL: --api none */
    struct file_source *source;
    struct admin *admin;
    struct watchdog watchdog;
    struct memory_trim memory_trim;
    struct wheel_timer drain_timer;
    unsigned next_scraper;
    uint64_t published_generation;
    unsigned adopted_workers; /* of that generation */
    unsigned drained_workers;
    bool is_serving;
    bool is_draining;
    bool is_stopped; /* mail that is still under way finds nothing to stop */
    int lock_fd;
    rlim_t descriptors; /* that the process may have */
    char program[PATH_MAX];
    char log_dir[PATH_MAX];
};

/* Mail from a worker to the control thread: it has adopted a snapshot, or has no connection left. */
struct worker_mail {
    struct mail mail;
    struct gateway *gateway;
    uint64_t generation; /* 0: drained */
};

static void stop_workloads(struct gateway *gateway)
{
    reactor_timer_cancel(gateway->reactor, &gateway->drain_timer);
    if (gateway->api != NULL)
        apiserver_drain(gateway->api);
    control_stop(gateway->control, POD_GRACE_MS);
}

static void note_adopted(struct gateway *gateway, uint64_t generation)
{
    if (generation != gateway->published_generation)
        return; /* overtaken */
    /* Nothing is listened on while draining: statuses would say so to the next start. */
    if (++gateway->adopted_workers < gateway->worker_count || gateway->is_draining)
        return;
    control_adopted(gateway->control, generation);
    /* What can be served is served; a Gateway that cannot be says so in its status. */
    if (!gateway->is_serving)
        service_notify("READY=1");
    gateway->is_serving = true;
}

static void on_worker_mail(struct mail *mail)
{
    struct worker_mail letter = *container_of(mail, struct worker_mail, mail);
    struct gateway *gateway = letter.gateway;
    free(container_of(mail, struct worker_mail, mail));
    if (gateway->is_stopped)
        return;
    if (letter.generation > 0)
        note_adopted(gateway, letter.generation);
    else if (++gateway->drained_workers == gateway->worker_count)
        stop_workloads(gateway);
}

static void post_to_control(void *context, uint64_t generation)
{
    struct worker_mail *letter = calloc(1, sizeof *letter);
    if (letter == NULL)
        abort();
    letter->gateway = context;
    letter->generation = generation;
    letter->mail.deliver = on_worker_mail;
    mailbox_post(reactor_mailbox(letter->gateway->reactor), &letter->mail);
}

static void on_worker_drained(void *context)
{
    post_to_control(context, 0);
}

static void on_drain_timeout(struct wheel_timer *timer)
{
    struct gateway *gateway = container_of(timer, struct gateway, drain_timer);
    log_warn(NULL, "the drain time is over: what still runs is cut");
    stop_workloads(gateway);
}

static void begin_drain(struct gateway *gateway, uint32_t drain_ms)
{
    gateway->is_draining = true;
    service_notify("STOPPING=1");
    log_info(NULL, "draining for up to %u s; a second signal stops at once", drain_ms / 1000);
    reactor_timer_set(gateway->reactor, &gateway->drain_timer, drain_ms);
    for (unsigned i = 0; i < gateway->worker_count; i++)
        worker_drain(gateway->workers[i], on_worker_drained, gateway);
    /* Whoever connects from now on is refused at once instead of waiting in a queue that nobody serves. */
    sockets_close(gateway->sockets);
}

/* Whoever moved the logs away (logrotate) wants new ones under their names. */
static void reopen_logs(const struct gateway *gateway)
{
    request_logs_reopen(&gateway->logs);
    if (gateway->config->log_file == NULL)
        return;
    int error = service_log_to(gateway->config->log_file);
    if (error < 0)
        log_error(NULL, "%s: cannot be opened again: %s; the old file is written on", gateway->config->log_file,
                  strerror(-error));
}

static void on_signal(void *context, int signal, int pid)
{
    struct gateway *gateway = context;
    (void)pid;
    if (signal == SIGCHLD)
        control_reap(gateway->control);
    else if (signal == SIGHUP)
        reopen_logs(gateway);
    else if (gateway->is_draining)
        reactor_stop(gateway->reactor);
    else
        begin_drain(gateway, signal == SIGINT ? INTERRUPT_DRAIN_MS : gateway->config->drain_ms);
}

static void on_publish(void *context, struct route_snapshot *snapshot)
{
    struct gateway *gateway = context;
    gateway->published_generation = snapshot->generation;
    gateway->adopted_workers = 0;
    for (unsigned i = 0; i < gateway->worker_count; i++) {
        route_snapshot_take(snapshot);
        worker_adopt(gateway->workers[i], snapshot, post_to_control, gateway);
    }
    if (!gateway->is_draining)
        sockets_settle(gateway->sockets, snapshot);
    route_snapshot_give_back(snapshot);
}

static int on_bind(void *context, const char *ip, uint16_t port)
{
    struct gateway *gateway = context;
    return gateway->is_draining ? -ESHUTDOWN : sockets_bind(gateway->sockets, ip, port);
}

/* Scraping is sharded: endpoints go to the workers in turn. */
static void on_scrape(void *context, struct endpoint *endpoint)
{
    struct gateway *gateway = context;
    worker_scrape(gateway->workers[gateway->next_scraper++ % gateway->worker_count], endpoint);
}

static void on_ready(void *context)
{
    struct gateway *gateway = context;
    char admin[ADDRESS_TEXT_SIZE];
    address_text(admin_address(gateway->admin), admin);
    welcome_print(stdout, control_report(gateway->control), admin);
}

static void on_stopped(void *context)
{
    reactor_stop(((struct gateway *)context)->reactor);
}

/* As many descriptors as the system allows.  Returns how many there are. */
static rlim_t raise_descriptor_limit(void)
{
    struct rlimit limit = {.rlim_cur = 1024};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

/* Clients of a worker: each may take a second descriptor, towards its model server.  Some are kept back for everything
 * else, so that a crowd of clients takes none from the API server, the store, or a connection to a model server. */
static unsigned max_clients(rlim_t descriptors, unsigned workers)
{
    rlim_t kept = descriptors > 4096 ? 2048 : descriptors / 2;
    rlim_t each = (descriptors - kept) / 2 / workers;
    return each < 1 ? 1 : each < UINT_MAX ? (unsigned)each : UINT_MAX;
}

static int fail(const char *what, int error)
{
    fprintf(stderr, "serin: %s: %s\n", what, strerror(-error));
    return -1;
}

/* The data folder and its lock: two gateways on one folder would fight over it. */
static int open_data(struct gateway *gateway)
{
    char path[PATH_MAX];
    const char *data = gateway->config->data;
    if (snprintf(gateway->log_dir, sizeof gateway->log_dir, "%s/pods", data) >= (int)sizeof gateway->log_dir ||
        snprintf(path, sizeof path, "%s/lock", data) >= (int)sizeof path)
        return fail(data, -ENAMETOOLONG);
    if ((mkdir(data, 0750) < 0 && errno != EEXIST) || (mkdir(gateway->log_dir, 0750) < 0 && errno != EEXIST))
        return fail(data, -errno);
    gateway->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (gateway->lock_fd < 0)
        return fail(path, -errno);
    if (flock(gateway->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        fprintf(stderr, "serin: %s is in use by another `serin up`; stop it or choose another --data\n", data);
        return -1;
    }
    return 0;
}

/* Blocking: nothing is served yet. */
static int open_store(struct gateway *gateway)
{
    char path[PATH_MAX], error[300];
    if (snprintf(path, sizeof path, "%s/serin.db", gateway->config->data) >= (int)sizeof path)
        return fail(gateway->config->data, -ENAMETOOLONG);
    struct store_disk *disk = sqlite_disk_open(path, error);
    if (disk != NULL)
        gateway->store = store_open(gateway->reactor, disk, &store_limits_default, error);
    if (gateway->store == NULL) {
        fprintf(stderr, "serin: %s: %s\n", path, error);
        return -1;
    }
    gateway->recorder = event_recorder_new(gateway->reactor, gateway->store, MAX_EVENTS);
    return 0;
}

static int watch_signals(struct gateway *gateway)
{
    /* Without a log that is a file SIGHUP ends the program, as a terminal that closes would have it. */
    static const int signals[] = {SIGTERM, SIGINT, SIGCHLD, SIGHUP};
    const struct gateway_config *config = gateway->config;
    bool has_file = config->log_file != NULL || request_logs_have_file(config);
    unsigned count = has_file ? ARRAY_LEN(signals) : ARRAY_LEN(signals) - 1;
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any other thread starts: they inherit it */
    signal(SIGPIPE, SIG_IGN);
    return reactor_watch_signals(gateway->reactor, signals, count, on_signal, gateway);
}

static int start_logs(struct gateway *gateway)
{
    const char *path;
    int error = request_logs_start(&gateway->logs, gateway->config, gateway->metrics, &path);
    return error < 0 ? fail(path, error) : 0;
}

static int start_workers(struct gateway *gateway)
{
    gateway->workers = calloc(gateway->config->workers, sizeof(struct worker *));
    if (gateway->workers == NULL)
        abort();
    struct worker_config config = {
        .server = gateway->config->limits.server,
        .proxy = gateway->config->limits.proxy,
        .scraper = scraper_defaults,
        .event_window_us = gateway->config->event_window_us,
        .metrics = gateway->metrics,
    };
    unsigned max_connections = max_clients(gateway->descriptors, gateway->config->workers);
    if (config.server.max_connections > max_connections)
        config.server.max_connections = max_connections;
    gateway->budget.limit_bytes = gateway->config->memory_budget_bytes;
    gateway->memories.responses = arm_memory_new(MAX_RESPONSES);
    gateway->memories.conversations = arm_memory_new(MAX_CONVERSATIONS);
    gateway->memories.owners = arm_memory_new(MAX_RESPONSES);
    config.server.budget = config.proxy.budget = config.proxy.upstreams.budget = &gateway->budget;
    config.proxy.memories = &gateway->memories;
    config.proxy.hide_arm = gateway->config->hide_arm;
    config.proxy.access_log = gateway->logs.access;
    config.proxy.decision_log = gateway->logs.decisions;
    for (; gateway->worker_count < gateway->config->workers; gateway->worker_count++) {
        config.index = gateway->worker_count;
        int error = worker_start(&config, &gateway->workers[gateway->worker_count]);
        if (error < 0)
            return fail("cannot start a worker", error);
    }
    return 0;
}

static void make_control(struct gateway *gateway)
{
    const struct gateway_config *config = gateway->config;
    struct control_config control = {
        .addresses = config->addresses,
        .address_count = config->address_count,
        .workloads = {.runs_pods = config->has_workloads,
                      .program = gateway->program,
                      .log_dir = gateway->log_dir,
                      .speed = config->sim_speed},
        .default_buffer_limit_bytes = DEFAULT_BUFFER,
        .status_retry_ms = STATUS_RETRY_MS,
        .metrics = gateway->metrics,
        .shard = config->workers,
    };
    struct control_hooks hooks = {
        .publish = on_publish,
        .bind = on_bind,
        .scrape = on_scrape,
        .ready = on_ready,
        .stopped = on_stopped,
        .context = gateway,
    };
    gateway->sockets = sockets_new(gateway->workers, gateway->worker_count);
    gateway->control = control_new(gateway->reactor, gateway->store, gateway->recorder, &control, &hooks);
}

/* The files, or what the store holds. */
static int start_control(struct gateway *gateway)
{
    if (gateway->config->file_count > 0)
        gateway->source = file_source_new(gateway->config->files, gateway->config->file_count);
    if (control_start(gateway->control, gateway->source) == 0)
        return 0;
    fprintf(stderr, "serin: the manifests have problems (above); nothing was started\n");
    return -1;
}

static bool is_ready(void *context)
{
    return control_is_ready(((struct gateway *)context)->control);
}

static bool find_pod_log(void *context, const struct kube_object *pod, const char *container, char path[PATH_MAX])
{
    return pod_log_path(((struct gateway *)context)->log_dir, pod->namespace_, pod->name, container, path);
}

/* Last: all that it shows is in the store by then. */
static int start_api(struct gateway *gateway)
{
    const struct gateway_config *config = gateway->config;
    char error[APISERVER_ERROR_SIZE];
    struct apiserver_config api = {
        .store = gateway->store,
        .address = config->api,
        .data = config->data,
        .limits = apiserver_limits_default,
        .metrics = gateway->metrics,
        .shard = config->workers,
        .is_ready = is_ready,
        .pod_log = find_pod_log,
        .context = gateway,
    };
    if (!config->has_api)
        return 0;
    gateway->api = apiserver_new(gateway->reactor, &api, error);
    if (gateway->api == NULL) {
        fprintf(stderr, "serin: --api: %s\n", error);
        return -1;
    }
    welcome_print_kubeconfig(stdout, config->data);
    return 0;
}

static int start(struct gateway *gateway)
{
    gateway->descriptors = raise_descriptor_limit();
    if (gateway->config->log_file != NULL) {
        int opened = service_log_to(gateway->config->log_file);
        if (opened < 0)
            return fail(gateway->config->log_file, opened);
    }
    ssize_t len = readlink("/proc/self/exe", gateway->program, sizeof gateway->program - 1);
    if (len < 0)
        return fail("/proc/self/exe", -errno);
    if (open_data(gateway) < 0)
        return -1;
    gateway->reactor = reactor_new("control");
    int error = gateway->reactor != NULL ? watch_signals(gateway) : -errno;
    if (error < 0)
        return fail("cannot start the event loop", error);
    wheel_timer_init(&gateway->drain_timer, on_drain_timeout);
    gateway->metrics = metrics_new(gateway->config->workers + 1, MAX_SERIES);
    if (open_store(gateway) < 0 || start_logs(gateway) < 0 || start_workers(gateway) < 0)
        return -1;
    make_control(gateway);
    error = admin_start(gateway->reactor, &gateway->config->admin, gateway->metrics, gateway->config->workers,
                        gateway->control, gateway->store, &gateway->memories, &gateway->budget, &gateway->admin);
    if (error < 0)
        return fail("--admin: cannot listen", error);
    if (start_control(gateway) < 0 || start_api(gateway) < 0)
        return -1;
    memory_trim_start(&gateway->memory_trim, gateway->reactor, &gateway->budget);
    watchdog_start(&gateway->watchdog, gateway->reactor, gateway->workers, gateway->worker_count);
    return 0;
}

static void stop(struct gateway *gateway)
{
    gateway->is_stopped = true;
    watchdog_stop(&gateway->watchdog);
    memory_trim_stop(&gateway->memory_trim);
    apiserver_free(gateway->api);
    admin_stop(gateway->admin);
    for (unsigned i = 0; i < gateway->worker_count; i++)
        worker_stop(gateway->workers[i]);
    request_logs_stop(&gateway->logs);
    control_free(gateway->control);
    file_source_free(gateway->source);
    sockets_free(gateway->sockets);
    free(gateway->workers);
    event_recorder_free(gateway->recorder);
    store_close(gateway->store); /* commits what waits */
    if (gateway->reactor != NULL)
        reactor_free(gateway->reactor);
    if (gateway->metrics != NULL)
        metrics_free(gateway->metrics);
    arm_memory_free(gateway->memories.responses);
    arm_memory_free(gateway->memories.conversations);
    arm_memory_free(gateway->memories.owners);
    if (gateway->lock_fd >= 0)
        close(gateway->lock_fd);
}

int gateway_run(const struct gateway_config *config)
{
    struct gateway *gateway = aligned_alloc(CACHE_LINE, (sizeof *gateway + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (gateway == NULL)
        abort();
    memset(gateway, 0, sizeof *gateway);
    gateway->config = config;
    gateway->lock_fd = -1;
    memory_trim_prepare();
    bool is_started = start(gateway) == 0;
    if (is_started)
        reactor_run(gateway->reactor);
    stop(gateway);
    free(gateway);
    return is_started ? 0 : 1;
}
