/* SPDX-License-Identifier: Apache-2.0 */
/* canary_watch.c: `serin canary watch`: a picture that is drawn again on a terminal, lines elsewhere, until the end.
 *
 * Looks again every interval instead of holding a watch open: a gateway that restarts meanwhile is not the end. Signals
 * are read from a descriptor, so that the terminal is left in order. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/canary_command.h"
#include "cli/canary_text.h"
#include "cli/cli.h"

enum { NOT_FOUND = 404, HISTORY_SHOWN = 8, NARROW = 80, LOW = 24 };

#define SCREEN_ENTER "\x1b[?1049h\x1b[?25l"
#define SCREEN_LEAVE "\x1b[?25h\x1b[?1049l"
#define SCREEN_HOME  "\x1b[H"
#define LINE_REST    "\x1b[K\n"
#define SCREEN_REST  "\x1b[J"

struct watching {
    struct canary_command *command;
    bool is_terminal;
    int signals;
    uint64_t began_ms;
    struct buffer key;   /* of the last line */
    struct buffer frame; /* the last picture */
    bool has_seen;       /* the Canary was there once */
    bool is_silent;      /* the server does not answer, and that was said */
    char said[1024];     /* its last complaint; "" while it answers */
    char phase[64];      /* the last one seen */
};

static void print(struct buffer *out)
{
    fwrite(buffer_bytes(out).data, 1, buffer_len(out), stdout);
    fflush(stdout);
    buffer_clear(out);
}

/* ---- on a terminal ---- */

/* One line of the picture, cut at the right edge, between characters. */
static void append_cut(struct buffer *out, struct bytes line, size_t columns)
{
    size_t width = 0, len = 0;
    while (len < line.len && width < columns) {
        len++;
        while (len < line.len && ((unsigned char)line.data[len] & 0xc0) == 0x80)
            len++;
        width++;
    }
    buffer_append(out, bytes_make(line.data, len));
    buffer_append_str(out, LINE_REST);
}

static void draw(const struct watching *watching)
{
    struct winsize size = {.ws_row = LOW, .ws_col = NARROW};
    struct buffer out = {0};
    struct bytes rest = buffer_bytes(&watching->frame);
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    size_t columns = size.ws_col > 0 ? size.ws_col : NARROW, rows = size.ws_row > 1 ? size.ws_row : LOW;
    buffer_append_str(&out, SCREEN_HOME);
    for (size_t row = 1; row < rows && rest.len > 0; row++) {
        size_t len = bytes_find(rest, '\n');
        append_cut(&out, bytes_make(rest.data, len), columns);
        rest = bytes_skip(rest, len < rest.len ? len + 1 : len);
    }
    buffer_append_str(&out, SCREEN_REST);
    print(&out);
    buffer_deinit(&out);
}

static void make_frame(struct watching *watching, const json_t *canary)
{
    char now[21];
    clock_rfc3339(clock_wall_ms(), now);
    buffer_clear(&watching->frame);
    canary_text_show(canary, canary_columns(), &watching->frame);
    buffer_append_char(&watching->frame, '\n');
    canary_text_history(canary, HISTORY_SHOWN, &watching->frame);
    buffer_printf(&watching->frame, "\n%s, Ctrl-C leaves\n", now);
}

/* ---- elsewhere ---- */

static void print_change(struct watching *watching, const json_t *canary)
{
    struct buffer key = {0}, line = {0};
    char now[21];
    canary_text_key(canary, &key);
    bool is_same = watching->has_seen && bytes_equal(buffer_bytes(&key), buffer_bytes(&watching->key));
    buffer_deinit(&watching->key);
    watching->key = key;
    if (is_same)
        return;
    if (watching->command->is_json) {
        canary_print_json(canary, false);
        fflush(stdout);
        return;
    }
    clock_rfc3339(clock_wall_ms(), now);
    buffer_printf(&line, "%s ", now);
    canary_text_line(canary, &line);
    buffer_append_char(&line, '\n');
    print(&line);
    buffer_deinit(&line);
}

/* ---- looking ---- */

static void show(struct watching *watching, const json_t *canary)
{
    snprintf(watching->phase, sizeof watching->phase, "%s", canary_text_phase(canary));
    if (watching->is_terminal) {
        make_frame(watching, canary);
        draw(watching);
    } else {
        print_change(watching, canary);
    }
    watching->has_seen = true;
}

/* A server that is away for a while comes back; what it says about us will stay so. */
static bool is_passing(int status)
{
    return status < 0 || status == 429 || status >= 500;
}

static void note_silence(struct watching *watching)
{
    snprintf(watching->said, sizeof watching->said, "%s", watching->command->client.error);
    if (watching->is_terminal) {
        buffer_printf(&watching->frame, "%s; trying again\n", watching->said);
        draw(watching);
    } else if (!watching->is_silent) {
        fprintf(stderr, "serin canary watch: %s; trying again\n", watching->said);
    }
    watching->is_silent = true;
}

enum look { LOOK_AGAIN, LOOK_WON, LOOK_LOST, LOOK_FAILED };

static enum look look_at(struct watching *watching, const json_t *canary)
{
    struct buffer line = {0};
    watching->is_silent = false;
    watching->said[0] = '\0';
    show(watching, canary);
    enum canary_end end = canary_text_end(canary);
    if (end == CANARY_RUNS)
        return LOOK_AGAIN;
    canary_text_line(canary, &line);
    snprintf(watching->said, sizeof watching->said, "%.*s", BYTES_ARG(buffer_bytes(&line)));
    buffer_deinit(&line);
    return end == CANARY_WON ? LOOK_WON : LOOK_LOST;
}

static enum look look(struct watching *watching, const char *path)
{
    struct canary_command *command = watching->command;
    json_t *canary = NULL;
    enum look result = LOOK_AGAIN;
    int status = api_client_call(&command->client, HTTP_GET, path, "", NULL, &canary);
    if (status == 200) {
        result = look_at(watching, canary);
    } else if (watching->has_seen && is_passing(status)) {
        note_silence(watching);
    } else {
        snprintf(watching->said, sizeof watching->said, "%s%s",
                 watching->has_seen && status == NOT_FOUND ? "it was deleted: " : "", command->client.error);
        result = LOOK_FAILED;
    }
    json_decref(canary);
    return result;
}

/* ---- waiting ---- */

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* False when somebody wants it to end. */
static bool wait_until(struct watching *watching, uint64_t at_ms)
{
    struct pollfd wait = {.fd = watching->signals, .events = POLLIN};
    for (uint64_t now_ms = clock_now_ms(); now_ms < at_ms; now_ms = clock_now_ms()) {
        struct signalfd_siginfo info;
        (void)poll(&wait, 1, (int)(at_ms - now_ms));
        while (read(watching->signals, &info, sizeof info) == (ssize_t)sizeof info) {
            if (info.ssi_signo != SIGWINCH)
                return false;
            if (watching->is_terminal)
                draw(watching);
        }
    }
    return true;
}

static uint64_t next_look_ms(const struct watching *watching)
{
    uint64_t at_ms = clock_now_ms() + watching->command->interval_ms;
    uint64_t end_ms = watching->began_ms + watching->command->timeout_ms;
    return watching->command->timeout_ms > 0 && end_ms < at_ms ? end_ms : at_ms;
}

static bool is_too_late(const struct watching *watching)
{
    uint64_t timeout_ms = watching->command->timeout_ms;
    return timeout_ms > 0 && clock_now_ms() >= watching->began_ms + timeout_ms;
}

static const char *or_unknown(const char *phase)
{
    return phase[0] != '\0' ? phase : "without a phase";
}

/* The exit code; the sentence that goes with it is in `said`. */
static int follow(struct watching *watching)
{
    const char *path = canary_path(watching->command, watching->command->name);
    for (;;) {
        enum look result = look(watching, path);
        if (result != LOOK_AGAIN)
            return result == LOOK_WON ? EXIT_FINE : EXIT_FAILED;
        if (is_too_late(watching)) {
            snprintf(watching->said, sizeof watching->said, "%s is still %s after %llus", watching->command->name,
                     or_unknown(watching->phase), (unsigned long long)(watching->command->timeout_ms / 1000));
            return EXIT_FAILED;
        }
        if (!wait_until(watching, next_look_ms(watching))) {
            snprintf(watching->said, sizeof watching->said, "interrupted; %s is still %s", watching->command->name,
                     or_unknown(watching->phase));
            return EXIT_FAILED;
        }
    }
}

int canary_run_watch(struct canary_command *command)
{
    struct watching watching = {.command = command,
                                .is_terminal = !command->is_json && isatty(STDOUT_FILENO) == 1,
                                .signals = open_signals(),
                                .began_ms = clock_now_ms()};
    if (watching.signals < 0)
        return canary_fail(command, "no descriptor for signals");
    if (watching.is_terminal)
        fputs(SCREEN_ENTER, stdout);
    int exit_code = follow(&watching);
    if (watching.is_terminal) { /* the last picture stays */
        fputs(SCREEN_LEAVE, stdout);
        print(&watching.frame);
    }
    if (exit_code != EXIT_FINE)
        canary_fail(command, "%s", watching.said);
    close(watching.signals);
    buffer_deinit(&watching.key);
    buffer_deinit(&watching.frame);
    return exit_code;
}
