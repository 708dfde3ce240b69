/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: the load tool of the data-plane benchmark: clients and model server in one thread, so that it stays cheap
 * next to the proxy between them.
 *
 * usage: bench_load ORIGIN-IP:PORT.  Each line of standard input is a run ("kind=post target=127.0.0.1:80 pid=1
 * connections=64 body=FILE check=same warm_ms=50 measure_ms=300"); its figures leave as one line of JSON.  The proxy's
 * CPU time is the kernel's (/proc/PID/task/TID/schedstat), read at both ends of the measured time.  kind=idle leaves
 * its connections open until the next line. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "origin.h"
#include "visitors.h"
#include "wire.h"

#define SECOND_NS   1000000000ull
#define START_NS    (30 * SECOND_NS) /* for all clients to have their first answer */
#define END_NS      (10 * SECOND_NS)
#define MAX_WAIT_NS 20000000ull

static uint64_t thread_cpu_ns(int pid, const char *thread)
{
    char path[300];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, thread);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu", &ns) != 1)
        ns = 0;
    fclose(file);
    return ns;
}

static uint64_t cpu_ns(int pid)
{
    char path[64];
    uint64_t total = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *folder = pid > 0 ? opendir(path) : NULL;
    if (folder == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            total += thread_cpu_ns(pid, entry->d_name);
    closedir(folder);
    return total;
}

static uint64_t own_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * SECOND_NS + (uint64_t)used.tv_nsec;
}

/* A line of /proc/PID/status, in KB. */
static unsigned long status_kb(int pid, const char *name)
{
    char path[64], line[256];
    unsigned long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtoul(line + strlen(name), NULL, 10);
    if (file != NULL)
        fclose(file);
    return kb;
}

static void turn(void)
{
    wire_loop_turn(origin_send_due(MAX_WAIT_NS));
}

static void go_on_for(uint64_t ns)
{
    for (uint64_t end_ns = wire_now_ns() + ns; wire_now_ns() < end_ns;)
        turn();
}

static bool is_name(const char *text, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(text, name, len) == 0;
}

static bool set_kind(struct run *run, const char *value)
{
    static const char *const kinds[] = {"post", "paced", "unpaced", "idle"};
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(value, kinds[i]) == 0) {
            run->kind = (enum traffic_kind)i;
            return true;
        }
    return false;
}

static bool set_check(struct run *run, const char *value)
{
    static const char *const checks[] = {"same", "target", "reencoded"};
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(value, checks[i]) == 0) {
            run->check = (enum traffic_check)i;
            return true;
        }
    return false;
}

static bool set_option(struct run *run, const char *name, size_t len, const char *value)
{
    unsigned long number = strtoul(value, NULL, 10);
    if (is_name(name, len, "kind"))
        return set_kind(run, value);
    if (is_name(name, len, "check"))
        return set_check(run, value);
    if (is_name(name, len, "target")) {
        run->target = wire_address(value);
        snprintf(run->host, sizeof run->host, "%s", value);
    } else if (is_name(name, len, "pid")) {
        run->pid = (int)number;
    } else if (is_name(name, len, "connections")) {
        run->connections = (unsigned)number;
    } else if (is_name(name, len, "events")) {
        run->events = (unsigned)number;
    } else if (is_name(name, len, "period_ms")) {
        run->period_ns = number * 1000000;
    } else if (is_name(name, len, "warm_ms")) {
        run->warm_ns = number * 1000000;
    } else if (is_name(name, len, "measure_ms")) {
        run->measure_ns = number * 1000000;
    } else if (is_name(name, len, "body")) {
        traffic_body_load(&run->body, value);
    } else {
        return false;
    }
    return true;
}

static bool read_run(struct run *run, char *line)
{
    for (char *word; (word = strsep(&line, " \n")) != NULL;) {
        char *value = strchr(word, '=');
        if (word[0] != '\0' && (value == NULL || !set_option(run, word, (size_t)(value - word), value + 1))) {
            fprintf(stderr, "bench_load: %s is no option of a run\n", word);
            return false;
        }
    }
    return run->connections > 0 && run->body.bytes.len > 0 && run->host[0] != '\0';
}

static bool wait_until_served(struct run *run)
{
    uint64_t end_ns = wire_now_ns() + START_NS;
    while (visitors_served() < run->connections && run->errors == 0) {
        if (wire_now_ns() > end_ns) {
            run_error(run, "not every client had an answer in time");
            return false;
        }
        turn();
    }
    return run->errors == 0;
}

/* What is under way is finished: the proxy then keeps its connections to the origin. */
static void end(struct run *run)
{
    run->is_ending = true;
    bool has_ends = run->kind != TRAFFIC_PACED;
    visitors_leave(!has_ends);
    for (uint64_t end_ns = wire_now_ns() + END_NS; visitors_open() > 0 && wire_now_ns() < end_ns;)
        turn();
    if (visitors_open() > 0)
        run_error(run, "answers that never came");
    visitors_leave(true);
    go_on_for(2000000);
}

static void print(const struct run *run, uint64_t proxy_ns, uint64_t load_ns, uint64_t took_ns, unsigned long rss_kb)
{
    printf("{\"answers\":%lu,\"all_answers\":%lu,\"events\":%lu,\"all_events\":%lu,\"errors\":%lu,\"cpu_ns\":%lu,"
           "\"load_cpu\":%.3f,\"seconds\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"rss_kb\":%lu,"
           "\"models\":[%lu,%lu,%lu],\"error\":\"%s\"}\n",
           run->answers, run->all_answers, run->events_seen, run->all_events, run->errors, proxy_ns,
           (double)load_ns / (double)took_ns, (double)took_ns / 1e9, (double)histogram_at(&run->delays, 0.5) / 1e3,
           (double)histogram_at(&run->delays, 0.99) / 1e3, (double)histogram_at(&run->delays, 0.999) / 1e3, rss_kb,
           run->by_model[0], run->by_model[1], run->by_model[2], run->first_error);
    fflush(stdout);
}

static void measure(struct run *run)
{
    go_on_for(run->warm_ns);
    uint64_t begin_ns = wire_now_ns(), own_ns = own_cpu_ns(), proxy_ns = cpu_ns(run->pid);
    run->is_measuring = true;
    go_on_for(run->measure_ns);
    run->is_measuring = false;
    proxy_ns = cpu_ns(run->pid) - proxy_ns;
    own_ns = own_cpu_ns() - own_ns;
    uint64_t took_ns = wire_now_ns() - begin_ns;
    unsigned long rss_kb = status_kb(run->pid, "VmRSS:");
    if (run->kind != TRAFFIC_IDLE)
        end(run);
    print(run, proxy_ns, own_ns, took_ns, rss_kb);
}

static void run_once(struct run *run)
{
    origin_serve(run);
    visitors_start(run);
    if (wait_until_served(run)) {
        measure(run);
    } else {
        visitors_leave(true);
        print(run, 0, 0, 1, 0);
    }
}

/* The line that standard input has so far. */
static struct {
    char text[2048];
    size_t len;
} command;

static void on_command(struct wire *input)
{
    ssize_t got = read(input->fd, command.text + command.len, sizeof command.text - 1 - command.len);
    if (got <= 0)
        exit(0);
    command.len += (size_t)got;
    command.text[command.len] = '\0';
}

/* Not from within a turn of the loop: a run turns it. */
static void run_command(void)
{
    static struct run run;
    if (command.len == 0 || strchr(command.text, '\n') == NULL)
        return;
    command.len = 0;
    if (run.kind == TRAFFIC_IDLE && run.host[0] != '\0')
        visitors_leave(true);
    free((void *)(uintptr_t)run.body.bytes.data);
    memset(&run, 0, sizeof run);
    if (!read_run(&run, command.text))
        exit(2);
    run_once(&run);
}

int main(int argc, char **argv)
{
    static struct wire input;
    if (argc != 2) {
        fprintf(stderr, "usage: bench_load ORIGIN-IP:PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in address = wire_address(argv[1]);
    wire_loop_start();
    origin_start(&address);
    wire_watch(&input, STDIN_FILENO, on_command);
    for (;;) {
        turn();
        run_command();
    }
}
