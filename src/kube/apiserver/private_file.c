/* SPDX-License-Identifier: Apache-2.0 */
/* private_file.c: see private_file.h.  Blocks on the disk: for the start of the program. */
#include "kube/apiserver/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new name in a folder is not safe before the folder is. */
static int sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
    if (snprintf(folder, sizeof(folder), "%.*s", len > 0 ? len : 1, len > 0 ? path : ".") >= (int)sizeof(folder))
        return -ENAMETOOLONG;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return error;
}

int private_folder_make(const char *path)
{
    struct stat status;
    if (mkdir(path, 0700) == 0)
        return sync_folder_of(path);
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &status) < 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

static int read_all(int fd, struct buffer *content)
{
    size_t start = buffer_len(content);
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(content, PRIVATE_FILE_MAX_BYTES), PRIVATE_FILE_MAX_BYTES);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0)
            buffer_commit(content, (size_t)got);
        if (buffer_len(content) - start > PRIVATE_FILE_MAX_BYTES)
            return -EFBIG;
    }
}

int private_file_read(const char *path, struct buffer *ret_content)
{
    /* O_NONBLOCK: a FIFO in the file's place must not hold the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int error = read_all(fd, ret_content);
    close(fd);
    return error;
}

static int write_all(int fd, struct bytes content)
{
    while (content.len > 0) {
        ssize_t written = write(fd, content.data, content.len);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0)
            content = bytes_skip(content, (size_t)written);
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int private_file_write(const char *path, struct bytes content)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    unlink(temporary); /* of a run that was cut short; never written into, whoever made it may still have it open */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int error = fchmod(fd, 0600) < 0 ? -errno : write_all(fd, content); /* whatever the umask took */
    close(fd);
    if (error == 0 && rename(temporary, path) < 0)
        error = -errno;
    if (error != 0) {
        unlink(temporary);
        return error;
    }
    return sync_folder_of(path);
}
