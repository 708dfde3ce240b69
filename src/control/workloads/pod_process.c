/* SPDX-License-Identifier: Apache-2.0 */
/* pod_process.c: fork, exec, and the loopback network that plays the pod network. */
#include "control/workloads/pod_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/address.h"

static const char **build_arguments(const struct pod_process *process, struct arena *arena)
{
    const struct command_line *command = process->command;
    const char **argv = ARENA_ARRAY(arena, const char *, command->len + 16);
    unsigned n = 0;
    argv[n++] = process->program;
    argv[n++] = "sim";
    argv[n++] = "serve";
    for (unsigned i = 0; i < command->len; i++)
        argv[n++] = command->words[i];
    /* After the manifest's own flags, so that these win. */
    argv[n++] = "--host";
    argv[n++] = process->ip;
    argv[n++] = "--port";
    argv[n++] = arena_printf(arena, "%u", (unsigned)command->port);
    argv[n++] = "--sim-speed";
    argv[n++] = arena_printf(arena, "%g", process->speed);
    /* It finishes what runs; the end of the Pod's grace period, which a deletion may set, is a SIGKILL. */
    argv[n++] = "--grace";
    argv[n++] = "86400";
    if (process->behaviour != NULL) {
        argv[n++] = "--sim";
        argv[n++] = process->behaviour;
    }
    return argv;
}

static bool has_name_of(const char *item, const char *other)
{
    size_t len = strcspn(other, "=") + 1;
    return strncmp(item, other, len) == 0;
}

/* What is always there; the manifest's own values of the same names are left out. */
static const char **build_environment(const struct pod_process *process, struct arena *arena)
{
    enum { FIXED = 4 };
    static const char *const none[] = {NULL};
    const char *const *extra = process->extra != NULL ? process->extra : none;
    unsigned count = 0, n = FIXED;
    while (extra[count] != NULL)
        count++;
    const char **environment = ARENA_ARRAY(arena, const char *, count + FIXED + 1);
    environment[0] = arena_printf(arena, "POD_NAME=%s", process->pod_name);
    environment[1] = arena_printf(arena, "POD_NAMESPACE=%s", process->namespace_);
    environment[2] = arena_printf(arena, "POD_IP=%s", process->ip);
    environment[3] = "PATH=/usr/bin:/bin";
    for (unsigned i = 0; i < count; i++) {
        bool is_fixed = false;
        for (unsigned f = 0; f < FIXED; f++)
            is_fixed = is_fixed || has_name_of(extra[i], environment[f]);
        if (!is_fixed)
            environment[n++] = extra[i];
    }
    return environment;
}

/* In the child: only async-signal-safe calls. */
static void become(const char *const *argv, const char *const *environment, int log_fd, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* a Ctrl-C at the terminal is for the gateway: it ends its pods in order */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
    int null_fd = open("/dev/null", O_RDONLY);
    dup2(null_fd, STDIN_FILENO);
    if (log_fd >= 0) {
        dup2(log_fd, STDOUT_FILENO);
        dup2(log_fd, STDERR_FILENO);
    }
    execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    _exit(127);
}

pid_t pod_process_start(const struct pod_process *process, struct arena *arena)
{
    const char **argv = build_arguments(process, arena);
    const char **environment = build_environment(process, arena);
    int log_fd = open(process->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(argv, environment, log_fd, parent);
    int error = pid < 0 ? -errno : 0;
    if (log_fd >= 0)
        close(log_fd);
    return pid < 0 ? error : pid;
}

static pid_t reap(pid_t pid, bool is_waiting, int *ret_status)
{
    return waitpid(pid, ret_status, is_waiting ? 0 : WNOHANG);
}

const struct process_ops process_ops_real = {.start = pod_process_start, .signal = kill, .reap = reap};

bool pod_address_is_free(const char *ip, uint16_t port)
{
    struct address address;
    if (!address_make(&address, bytes_of(ip), port))
        return false;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    /* Connections of a former process there, on their way out, are no reason to leave its address. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    bool is_bound = bind(fd, &address.sa.generic, address.len) == 0;
    close(fd);
    return is_bound;
}

bool pod_address_find(struct random_state *random, uint16_t port, char text[16])
{
    for (unsigned i = 0; i < 64; i++) {
        /* 127.64.0.0/10, away from the addresses that people give to gateways by hand. */
        unsigned bits = (unsigned)random_below(random, 1u << 22);
        struct in_addr ip = {.s_addr = htonl(127u << 24 | 64u << 16 | bits)};
        if ((bits & 255) != 0 && (bits & 255) != 255 && inet_ntop(AF_INET, &ip, text, 16) != NULL &&
            pod_address_is_free(text, port))
            return true;
    }
    return false;
}

bool pod_log_path(const char *log_dir, const char *namespace_, const char *pod, const char *container,
                  char out[POD_LOG_PATH_SIZE])
{
    int len = snprintf(out, POD_LOG_PATH_SIZE, "%s/%s_%s_%s.log", log_dir, namespace_, pod, container);
    return len > 0 && len < POD_LOG_PATH_SIZE;
}
