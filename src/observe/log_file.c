/* SPDX-License-Identifier: Apache-2.0 */
/* log_file.c: writing that is never given up half-way without a word: a line that was cut stays cut, and the next one
 * starts on a line of its own. */
#include "observe/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"

/* Opening never waits for a reader, nor does writing. */
static int open_path(const char *path)
{
    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

static void use(struct log_file *file, int fd)
{
    struct stat status;
    file->fd = fd;
    file->is_pipe = fstat(fd, &status) < 0 || !S_ISREG(status.st_mode);
    file->is_mid_line = false;
}

int log_file_open(struct log_file *file, const char *log, const char *path)
{
    int fd = open_path(path);
    *file = (struct log_file){.log = log, .fd = -1};
    if (fd < 0)
        return -errno;
    file->path = must(strdup(path));
    use(file, fd);
    return 0;
}

void log_file_close(struct log_file *file)
{
    if (file->path == NULL)
        return;
    close(file->fd);
    free(file->path);
    file->path = NULL;
}

void log_file_reopen(struct log_file *file)
{
    if (strcmp(file->path, "-") == 0)
        return;
    int fd = open_path(file->path);
    if (fd < 0) {
        log_error(file->log, "%s: cannot be opened again: %s; the old file is written on", file->path, strerror(errno));
        return;
    }
    close(file->fd);
    use(file, fd);
}

static size_t count_lines(struct bytes text)
{
    size_t lines = 0;
    for (const char *at; (at = memchr(text.data, '\n', text.len)) != NULL; lines++)
        text = bytes_skip(text, (size_t)(at - text.data) + 1);
    return lines;
}

/* 0, or -errno when the file takes no more. */
static int write_some(struct log_file *file, struct bytes *text, bool (*is_over)(void *), void *context)
{
    struct pollfd ready = {.fd = file->fd, .events = POLLOUT};
    size_t len = file->is_pipe && text->len > PIPE_BUF ? PIPE_BUF : text->len;
    if (file->is_pipe && poll(&ready, 1, 100) <= 0)
        return is_over(context) ? -ETIMEDOUT : 0;
    ssize_t written = write(file->fd, text->data, len);
    if (written < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    file->is_mid_line = written > 0 && text->data[written - 1] != '\n';
    *text = bytes_skip(*text, (size_t)written);
    return 0;
}

static int write_all(struct log_file *file, struct bytes *text, bool (*is_over)(void *), void *context)
{
    int error = 0;
    while (text->len > 0 && error == 0)
        error = write_some(file, text, is_over, context);
    return error;
}

size_t log_file_write(struct log_file *file, struct bytes lines, bool (*is_over)(void *context), void *context)
{
    struct bytes rest = lines, newline = BYTES("\n");
    int error = file->is_mid_line ? write_all(file, &newline, is_over, context) : 0;
    if (error == 0)
        error = write_all(file, &rest, is_over, context);
    if (error == 0)
        return 0;
    size_t lost = count_lines(rest);
    log_limited(&file->limit, LOG_LEVEL_ERROR, file->log, "%s: %s; %zu lines are lost", file->path, strerror(-error),
                lost);
    return lost;
}
