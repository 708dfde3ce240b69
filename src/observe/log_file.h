/* SPDX-License-Identifier: Apache-2.0 */
/* log_file.h: a file of lines, or a pipe or terminal, that a log's own thread writes and that others may move away. */
#ifndef OBSERVE_LOG_FILE_H
#define OBSERVE_LOG_FILE_H

#include "base/bytes.h"
#include "base/log.h"

struct log_file {
    const char *log; /* whose file it is, for messages */
    char *path;
    int fd;
    bool is_pipe;     /* or a socket, or a terminal: written in pieces that fit */
    bool is_mid_line; /* the last write ended inside one */
    struct log_limit limit;
};

/* "-" is standard output; else appended to (0640).  Never waits for a reader.  0 or -errno, then nothing is open. */
int log_file_open(struct log_file *file, const char *log, const char *path);
/* Harmless when nothing was opened (zeroed, or after a failed open). */
void log_file_close(struct log_file *file);
/* A new file under the same name; when that fails the old one is written on.  Nothing happens to standard output. */
void log_file_reopen(struct log_file *file);
/* Whole lines.  Waits for slow readers until is_over says that it is too late.  Returns how many lines were lost. */
size_t log_file_write(struct log_file *file, struct bytes lines, bool (*is_over)(void *context), void *context);

#endif
