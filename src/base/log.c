/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: formats a line on the stack and writes it with one write(2), so that lines of several threads do not mix.
 *
 * Any thread.  The level is the one mutable global of the project, an atomic: a line may be logged where no context is
 * at hand (out of memory, a signal's aftermath).  Control characters are escaped: a peer's text can neither forge a
 * line nor drive a terminal. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_MAX_BYTES = 2048 };

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug"};

static atomic_int level_in_force = LOG_LEVEL_INFO;

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_in_force, (int)level, memory_order_relaxed);
}

bool log_level_from_name(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool is_dropped(enum log_level level)
{
    return (int)level > atomic_load_explicit(&level_in_force, memory_order_relaxed);
}

/* Room is kept for "..." and the newline. */
static bool line_add(struct line *line, const char *text, size_t len)
{
    if (len > sizeof(line->text) - 4 - line->len)
        return false;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

static void line_add_escaped(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char escaped[8];
        size_t len = 1;
        escaped[0] = *text;
        if (byte == '\n' || byte == '\t' || byte == '\r')
            len = (size_t)sprintf(escaped, "\\%c", byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r');
        else if (byte < 0x20 || byte == 0x7f)
            len = (size_t)sprintf(escaped, "\\x%02x", byte);
        if (!line_add(line, escaped, len)) {
            memcpy(line->text + line->len, "...", 3);
            line->len += 3;
            return;
        }
    }
}

static void line_add_head(struct line *line, enum log_level level, const char *object)
{
    uint64_t now_ms = clock_wall_ms();
    char seconds[21], head[64];
    clock_rfc3339(now_ms, seconds);
    int len = snprintf(head, sizeof(head), "%.19s.%03uZ %-5s ", seconds, (unsigned)(now_ms % 1000), level_names[level]);
    line_add(line, head, (size_t)len);
    if (object != NULL) {
        char bounded[256]; /* a long object must not push the message out */
        snprintf(bounded, sizeof(bounded), "%s", object);
        line_add_escaped(line, bounded);
        line_add(line, ": ", 2);
    }
}

static void line_write(struct line *line)
{
    line->text[line->len++] = '\n';
    /* A log that cannot be written cannot be reported either. */
    while (write(STDERR_FILENO, line->text, line->len) < 0 && errno == EINTR)
        ;
}

static void write_message(enum log_level level, const char *object, const char *message)
{
    int saved_errno = errno; /* callers log between a failure and the look at its errno */
    struct line line = {.len = 0};
    line_add_head(&line, level, object);
    line_add_escaped(&line, message);
    line_write(&line);
    errno = saved_errno;
}

void log_line(enum log_level level, const char *object, const char *format, ...)
{
    if (is_dropped(level))
        return;
    char message[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    write_message(level, object, message);
}

bool log_limit_allows(struct log_limit *limit, uint64_t second, unsigned *ret_suppressed)
{
    if (limit->second != second) {
        limit->second = second;
        limit->lines = 0;
    }
    if (limit->lines >= LOG_BURST) {
        limit->suppressed++;
        return false;
    }
    limit->lines++;
    *ret_suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *object, const char *format, ...)
{
    unsigned suppressed;
    if (is_dropped(level) || !log_limit_allows(limit, clock_now_ms() / 1000, &suppressed))
        return;
    char note[48] = "";
    if (suppressed > 0)
        snprintf(note, sizeof(note), " (%u such lines suppressed)", suppressed);
    char message[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    size_t len = strnlen(message, sizeof(message) - sizeof(note));
    snprintf(message + len, sizeof(note), "%s", note);
    write_message(level, object, message);
}
