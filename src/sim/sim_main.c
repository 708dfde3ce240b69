/* SPDX-License-Identifier: Apache-2.0 */
/* sim_main.c: starts a simulated model server, listens, drains and ends.  One thread does everything.
 *
 * The port is opened only when the start-up time is over, as a model server does that is loading weights.  SIGTERM and
 * SIGINT: no new connections, what runs is finished (up to --grace); a second one ends it at once. */
#include "sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/listener.h"
#include "sim/completion.h"
#include "sim/openai_api.h"

/* A listening socket, open or not. */
struct door {
    struct address at;
    struct listen_socket *socket;
    struct listener *listener;
};

struct program {
    struct sim sim;
    struct door api, control;
    struct wheel_timer startup, grace;
    bool is_started; /* the start-up time is over */
    bool is_draining;
    bool has_failed;
};

static void on_engine_timer(struct wheel_timer *timer)
{
    sim_engine_turn(container_of(timer, struct sim, engine_timer));
}

void sim_engine_turn(struct sim *sim)
{
    uint64_t now_us = reactor_now_us(sim->reactor);
    engine_advance(sim->engine, now_us);
    uint64_t next_us = engine_next_us(sim->engine);
    if (next_us == UINT64_MAX)
        reactor_timer_cancel(sim->reactor, &sim->engine_timer);
    else
        reactor_timer_set(sim->reactor, &sim->engine_timer, next_us > now_us ? (next_us - now_us + 999) / 1000 : 0);
}

static void on_accept(void *owner_data, int fd, const struct address *peer)
{
    struct program *program = owner_data;
    http_server_accept(program->sim.server, fd, peer, program);
}

static void on_accept_error(void *owner_data, int error)
{
    (void)owner_data;
    log_error("sim", "cannot accept connections: %s", strerror(error < 0 ? -error : error));
}

static const struct listener_owner listener_owner = {.on_accept = on_accept, .on_accept_error = on_accept_error};

/* 0 or -errno; harmless when open. */
static int door_open(struct program *program, struct door *door)
{
    if (door->listener != NULL)
        return 0;
    int error = listen_socket_open(&door->at, &door->socket);
    if (error < 0)
        return error;
    door->listener = listener_start(program->sim.reactor, door->socket, &listener_owner, program);
    if (door->listener == NULL) {
        error = -errno;
        listen_socket_give_back(door->socket);
        door->socket = NULL;
        return error;
    }
    door->at = *listen_socket_address(door->socket); /* the same port again after refuse */
    return 0;
}

static void door_close(struct door *door)
{
    if (door->listener == NULL)
        return;
    listener_stop(door->listener);
    listen_socket_give_back(door->socket);
    door->listener = NULL;
    door->socket = NULL;
}

bool sim_apply_refuse(struct sim *sim)
{
    struct program *program = container_of(sim, struct program, sim);
    if (sim->behaviour.refuse)
        door_close(&program->api);
    else if (program->is_started && !program->is_draining)
        return door_open(program, &program->api) == 0;
    return true;
}

/* false: told on stderr. */
static bool open_or_tell(struct program *program, struct door *door)
{
    char where[ADDRESS_TEXT_SIZE];
    int error = door_open(program, door);
    address_text(&door->at, where);
    if (error < 0) {
        fprintf(stderr, "serin sim: cannot listen on %s: %s\n", where, strerror(-error));
        program->has_failed = true;
        reactor_stop(program->sim.reactor);
        return false;
    }
    return true;
}

static void on_startup_over(struct wheel_timer *timer)
{
    struct program *program = container_of(timer, struct program, startup);
    struct sim *sim = &program->sim;
    char where[ADDRESS_TEXT_SIZE];
    program->is_started = true;
    if (sim->behaviour.refuse)
        return;
    if (!open_or_tell(program, &program->api))
        return;
    snprintf(sim->port_text, sizeof sim->port_text, "%u", (unsigned)address_port(&program->api.at));
    address_text(&program->api.at, where);
    log_info("sim", "simulated %.*s ready on http://%s", BYTES_ARG(sim->options.model), where);
}

static void stop_if_empty(struct program *program)
{
    if (program->is_draining && http_server_connections(program->sim.server) == 0)
        reactor_stop(program->sim.reactor);
}

static void on_connection(void *server_data, int delta)
{
    struct sim *sim = server_data;
    if (delta < 0 && sim->server != NULL)
        stop_if_empty(container_of(sim, struct program, sim));
}

static void on_bad_request(void *server_data, const char *reason, unsigned status)
{
    (void)server_data;
    log_debug("sim", "bad request: %s, answered %u", reason, status);
}

static const struct http_server_observer observer = {.on_connection = on_connection, .on_bad_request = on_bad_request};

static void on_grace_over(struct wheel_timer *timer)
{
    struct program *program = container_of(timer, struct program, grace);
    log_warn("sim", "the grace period is over: cutting what still runs");
    reactor_stop(program->sim.reactor);
}

static void on_signal(void *context, int signal_number, int pid)
{
    struct program *program = context;
    struct sim *sim = &program->sim;
    (void)signal_number;
    (void)pid;
    if (program->is_draining) {
        reactor_stop(sim->reactor);
        return;
    }
    program->is_draining = true;
    reactor_timer_cancel(sim->reactor, &program->startup);
    door_close(&program->api);
    door_close(&program->control);
    if (sim->behaviour.abort_on_sigterm) {
        completion_cut_all(sim);
        reactor_stop(sim->reactor);
        return;
    }
    reactor_timer_set(sim->reactor, &program->grace, sim->options.grace_ms);
    http_server_drain(sim->server);
    stop_if_empty(program);
}

static bool make_address(const struct sim_options *options, uint16_t port, struct address *ret_address)
{
    struct bytes host = bytes_of(options->host);
    if (bytes_equal_str(host, "localhost"))
        host = BYTES("127.0.0.1");
    if (address_make(ret_address, host, port))
        return true;
    fprintf(stderr, "serin sim: --host: \"%s\" is not an IP address\n", options->host);
    return false;
}

static void sim_init(struct sim *sim)
{
    const struct sim_options *options = &sim->options;
    sim->behaviour = options->behaviour;
    sim->models = models_new(options->model, options->served_names, options->served_name_count);
    for (unsigned i = 0; i < options->adapter_count; i++)
        if (models_load_adapter(sim->models, options->adapters[i].name, options->adapters[i].path) != MODELS_OK)
            log_warn("sim", "adapter %.*s is named twice", BYTES_ARG(options->adapters[i].name));
    sim->metrics = sim_metrics_new(models_first(sim->models)->name, (unsigned)options->max_loras, options->enable_lora);
    sim->request_log = request_log_new();
    random_seed_from_kernel(&sim->random);
    list_init(&sim->completions);
    wheel_timer_init(&sim->engine_timer, on_engine_timer);
    sim->started_s = clock_wall_ms() / 1000;
    sim->pod_name = bytes_of(getenv("POD_NAME"));
    snprintf(sim->port_text, sizeof sim->port_text, "%u", options->port);
    struct engine_config engine = {
        .behaviour = &sim->behaviour,
        .max_num_seqs = (unsigned)options->max_num_seqs,
        .max_loras = (unsigned)options->max_loras,
        .seed = options->seed,
        .on_progress = completion_on_progress,
        .context = sim,
    };
    sim->engine = engine_new(&engine);
    struct http_server_config config = http_server_defaults;
    config.server_name = "serin-sim";
    config.drain_idle_ms = 0;       /* the gateway has stopped sending by then */
    config.limits.max_fields = 200; /* a gateway in front adds to what it let through */
    sim->server = http_server_new(sim->reactor, &config, &openai_api_handler, &observer, sim);
}

static void sim_deinit(struct sim *sim)
{
    struct http_server *server = sim->server;
    completion_cut_all(sim);
    sim->server = NULL;
    http_server_free(server);
    reactor_timer_cancel(sim->reactor, &sim->engine_timer);
    engine_free(sim->engine);
    models_free(sim->models);
    sim_metrics_free(sim->metrics);
    request_log_free(sim->request_log);
    buffer_deinit(&sim->scratch);
    buffer_deinit(&sim->frozen_page);
}

static bool watch_signals(struct program *program)
{
    static const int signals[] = {SIGTERM, SIGINT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaddset(&set, signals[i]);
    signal(SIGPIPE, SIG_IGN);
    return sigprocmask(SIG_BLOCK, &set, NULL) == 0 &&
           reactor_watch_signals(program->sim.reactor, signals, ARRAY_LEN(signals), on_signal, program) == 0;
}

static void serve(struct program *program)
{
    struct sim *sim = &program->sim;
    wheel_timer_init(&program->startup, on_startup_over);
    wheel_timer_init(&program->grace, on_grace_over);
    sim_init(sim);
    uint64_t startup_ms = (uint64_t)((double)sim->behaviour.startup_us / 1000 / sim->options.speed);
    if (sim->options.control_port == 0 || open_or_tell(program, &program->control)) {
        if (startup_ms == 0)
            on_startup_over(&program->startup);
        else
            reactor_timer_set(sim->reactor, &program->startup, startup_ms);
    }
    if (!program->has_failed)
        reactor_run(sim->reactor);
    reactor_timer_cancel(sim->reactor, &program->startup);
    reactor_timer_cancel(sim->reactor, &program->grace);
    door_close(&program->api);
    door_close(&program->control);
    sim_deinit(sim);
}

/* The parent may have gone before the kernel was asked to tell. */
static bool die_with_parent(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

static int run(const struct sim_options *options)
{
    struct program program = {.sim.options = *options};
    if (!make_address(options, options->port, &program.api.at) ||
        !make_address(options, options->control_port, &program.control.at))
        return 2;
    if (options->parent_death && !die_with_parent(getppid())) {
        fprintf(stderr, "serin sim: --parent-death: the parent is gone\n");
        return 1;
    }
    program.sim.reactor = reactor_new("sim");
    if (program.sim.reactor == NULL || !watch_signals(&program)) {
        fprintf(stderr, "serin sim: cannot start: %s\n", strerror(errno));
        reactor_free(program.sim.reactor);
        return 1;
    }
    serve(&program);
    reactor_free(program.sim.reactor);
    return program.has_failed ? 1 : 0;
}

int sim_main(int argc, char **argv)
{
    struct sim_options options;
    struct arena *arena = arena_new(0);
    int code = 2;
    switch (sim_options_parse(argc, argv, arena, stderr, &options)) {
    case OPTIONS_HELP:
        sim_options_write_help(stdout);
        code = 0;
        break;
    case OPTIONS_OK:
        code = run(&options);
        break;
    case OPTIONS_BAD:
        break;
    }
    arena_free(arena);
    return code;
}
