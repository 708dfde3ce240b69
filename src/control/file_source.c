/* SPDX-License-Identifier: Apache-2.0 */
/* file_source.c: reading by path, watching by inotify on the folders (editors replace files rather than write them).
 *
 * A folder may be replaced as well (a checkout, a link turned to another release): the folder around it tells, and it
 * is watched anew. */
#include "control/file_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

#define MAX_FILE_BYTES (64u << 20)
/* A burst of writes is one change; an endless one is taken every MAX_DELAY_MS. */
#define SETTLE_MS    20
#define MAX_DELAY_MS 100

/* Where the edits of one path show. */
struct watched {
    char folder[PATH_MAX]; /* the path itself, or the one that the file is in; "" = none (standard input) */
    int folder_wd;         /* inotify's number; -1 = it cannot be watched now */
    int parent_wd;         /* of the folder around it, where only its name counts; -1 = none */
};

struct file_source {
    char **paths;
    struct watched *watched; /* by path; NULL before file_source_watch() */
    unsigned count;
    struct buffer standard_input;
    bool has_read_input;
    struct reactor *reactor;
    struct reactor_watch watch;
    struct wheel_timer settle;
    uint64_t first_event_ms; /* 0: nothing is waiting to be told */
    void (*on_change)(void *context);
    void *context;
};

struct file_source *file_source_new(const char *const *paths, unsigned count)
{
    struct file_source *source = calloc(1, sizeof *source);
    if (source == NULL || (source->paths = calloc(count + 1, sizeof *source->paths)) == NULL)
        abort();
    source->watch.fd = -1;
    source->count = count;
    for (unsigned i = 0; i < count; i++)
        if ((source->paths[i] = strdup(paths[i])) == NULL)
            abort();
    return source;
}

void file_source_free(struct file_source *source)
{
    if (source == NULL)
        return;
    if (source->watch.fd >= 0) {
        reactor_unwatch(source->reactor, &source->watch);
        reactor_timer_cancel(source->reactor, &source->settle);
        close(source->watch.fd);
    }
    for (unsigned i = 0; i < source->count; i++)
        free(source->paths[i]);
    free(source->paths);
    free(source->watched);
    buffer_deinit(&source->standard_input);
    free(source);
}

static int read_all(int fd, struct buffer *out)
{
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(out, 65536), 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        buffer_commit(out, (size_t)got);
        if (buffer_len(out) > MAX_FILE_BYTES)
            return -EFBIG;
    }
}

static void unreadable(struct problems *problems, const char *path, int error)
{
    problems->source = arena_strdup(problems->arena, path);
    problems->object = NULL;
    problems_add(problems, "", "Unreadable", "cannot be read: %s", strerror(-error));
    problems->source = NULL;
}

/* Of what lies in a folder: a pipe would keep us waiting for its writer, a device may never end. */
static int open_regular(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status = {0};
    if (fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)))
        return fd;
    close(fd);
    errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    return -1;
}

/* Closes fd.  A negative one has errno. */
static void read_file(int fd, const char *path, struct manifest *manifest, struct problems *problems)
{
    struct buffer text = {0};
    int error = fd < 0 ? -errno : read_all(fd, &text);
    if (fd >= 0)
        close(fd);
    if (error < 0)
        unreadable(problems, path, error);
    else
        manifest_add(manifest, path, buffer_bytes(&text), problems);
    buffer_deinit(&text);
}

static int is_manifest_name(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static void read_folder(const char *path, struct manifest *manifest, struct problems *problems)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_manifest_name, alphasort);
    if (count < 0)
        unreadable(problems, path, -errno);
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX];
        size_t len = strlen(path);
        const char *slash = len > 0 && path[len - 1] == '/' ? "" : "/";
        if (snprintf(file, sizeof file, "%s%s%s", path, slash, entries[i]->d_name) < (int)sizeof file)
            read_file(open_regular(file), file, manifest, problems);
        else
            unreadable(problems, path, -ENAMETOOLONG);
        free(entries[i]);
    }
    free(entries);
}

void file_source_read(struct file_source *source, struct manifest *manifest, struct problems *problems)
{
    for (unsigned i = 0; i < source->count; i++) {
        const char *path = source->paths[i];
        struct stat status;
        if (strcmp(path, "-") == 0) {
            int error = source->has_read_input ? 0 : read_all(STDIN_FILENO, &source->standard_input);
            source->has_read_input = true;
            if (error < 0)
                unreadable(problems, "standard input", error);
            else
                manifest_add(manifest, "standard input", buffer_bytes(&source->standard_input), problems);
        } else if (stat(path, &status) < 0) {
            unreadable(problems, path, -errno);
        } else if (S_ISDIR(status.st_mode)) {
            read_folder(path, manifest, problems);
        } else {
            read_file(open(path, O_RDONLY | O_CLOEXEC), path, manifest, problems);
        }
    }
}

/* The part of a path behind its last slash. */
static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The folder that a path without a slash at its end is in. */
static void cut_name(char path[PATH_MAX])
{
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        memcpy(path, ".", 2);
    else
        slash[slash == path ? 1 : 0] = '\0';
}

static int find_folder(const char *path, char ret_folder[PATH_MAX])
{
    struct stat status;
    size_t len = strlen(path);
    if (len >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(ret_folder, path, len + 1);
    while (len > 1 && ret_folder[len - 1] == '/')
        ret_folder[--len] = '\0';
    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        cut_name(ret_folder);
    return 0;
}

/* Watching what is watched already changes nothing. */
static int watch_folder(int fd, struct watched *watched)
{
    static const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR;
    if (watched->folder[0] == '\0')
        return 0;
    watched->folder_wd = inotify_add_watch(fd, watched->folder, mask);
    int error = watched->folder_wd < 0 ? -errno : 0;
    const char *name = name_in(watched->folder);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error;
    char parent[PATH_MAX];
    strcpy(parent, watched->folder);
    cut_name(parent);
    watched->parent_wd = inotify_add_watch(fd, parent, mask);
    return error;
}

static bool concerns(const struct file_source *source, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        return true;
    for (unsigned i = 0; i < source->count; i++) {
        const struct watched *watched = &source->watched[i];
        if (event->wd == watched->folder_wd)
            return true;
        if (event->wd == watched->parent_wd && event->len > 0 && strcmp(event->name, name_in(watched->folder)) == 0)
            return true;
    }
    return false;
}

static void on_settled(struct wheel_timer *timer)
{
    struct file_source *source = container_of(timer, struct file_source, settle);
    source->first_event_ms = 0;
    for (unsigned i = 0; i < source->count; i++)
        (void)watch_folder(source->watch.fd, &source->watched[i]); /* as it was, or a new one of that name */
    source->on_change(source->context);
}

static bool read_events(const struct file_source *source)
{
    _Alignas(struct inotify_event) char raw[16384];
    bool is_change = false;
    for (ssize_t got; (got = read(source->watch.fd, raw, sizeof raw)) > 0;) {
        const struct inotify_event *event;
        for (const char *at = raw; at < raw + got; at += sizeof *event + event->len) {
            event = (const void *)at;
            is_change = is_change || concerns(source, event);
        }
    }
    return is_change;
}

static void on_event(struct reactor_watch *watch, uint32_t events)
{
    (void)events;
    struct file_source *source = container_of(watch, struct file_source, watch);
    if (!read_events(source))
        return;
    uint64_t now_ms = reactor_now_ms(source->reactor);
    if (source->first_event_ms == 0)
        source->first_event_ms = now_ms;
    uint64_t waited_ms = now_ms - source->first_event_ms;
    uint64_t delay_ms = waited_ms >= MAX_DELAY_MS ? 0 : SETTLE_MS;
    reactor_timer_set(source->reactor, &source->settle, delay_ms);
}

static int watch_paths(struct file_source *source, int fd)
{
    source->watched = calloc(source->count + 1, sizeof *source->watched);
    if (source->watched == NULL)
        abort();
    int error = 0;
    for (unsigned i = 0; i < source->count && error == 0; i++) {
        struct watched *watched = &source->watched[i];
        watched->folder_wd = watched->parent_wd = -1;
        if (strcmp(source->paths[i], "-") != 0 && (error = find_folder(source->paths[i], watched->folder)) == 0)
            error = watch_folder(fd, watched);
    }
    return error;
}

int file_source_watch(struct file_source *source, struct reactor *reactor, void (*on_change)(void *context),
                      void *context)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = watch_paths(source, fd);
    source->reactor = reactor;
    source->on_change = on_change;
    source->context = context;
    wheel_timer_init(&source->settle, on_settled);
    reactor_watch_init(&source->watch, fd, on_event);
    if (error == 0)
        error = reactor_watch_set(reactor, &source->watch, EPOLLIN);
    if (error < 0) {
        close(fd);
        source->watch.fd = -1;
    }
    return error;
}
