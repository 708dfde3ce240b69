/* SPDX-License-Identifier: Apache-2.0 */
/* log.h: one line per event on standard error: time, level, object, message.  Programs log; libraries return errors.
 *
 * Any thread may log: a line is one write().  Repeats are limited per call site by log_limited(). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; INFO at start. */
void log_set_level(enum log_level level);
/* false when the name is none of error, warn, info, debug. */
bool log_level_from_name(const char *name, enum log_level *ret_level);
/* object: what the line is about, "pool default/p" or "worker 1"; NULL for none. */
void log_line(enum log_level level, const char *object, const char *format, ...) PRINTF_LIKE(3, 4);

/* A call site's budget: at most LOG_BURST lines a second, the rest counted and told with the next line.  Belongs to one
 * thread; starts zeroed. */
enum { LOG_BURST = 5 };
struct log_limit {
    uint64_t second;
    unsigned lines;
    unsigned suppressed;
};
/* Whether a line may be written at this second; *ret_suppressed: how many were not since the last that was. */
bool log_limit_allows(struct log_limit *limit, uint64_t second, unsigned *ret_suppressed);
void log_limited(struct log_limit *limit, enum log_level level, const char *object, const char *format, ...)
    PRINTF_LIKE(4, 5);

#define log_error(object, ...) log_line(LOG_LEVEL_ERROR, object, __VA_ARGS__)
#define log_warn(object, ...)  log_line(LOG_LEVEL_WARN, object, __VA_ARGS__)
#define log_info(object, ...)  log_line(LOG_LEVEL_INFO, object, __VA_ARGS__)
#define log_debug(object, ...) log_line(LOG_LEVEL_DEBUG, object, __VA_ARGS__)

#endif
