/* SPDX-License-Identifier: Apache-2.0 */
/* pod_logs.c: files named <namespace>_<pod>_<container>.log; no part of such a name can hold a '_' itself. */
#include "control/workloads/pod_logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/workloads/pod_process.h"

/* Within the kernel: 10 MiB take a few milliseconds. */
static bool copy(int from, int to, size_t size)
{
    while (size > 0) {
        ssize_t count = sendfile(to, from, NULL, size);
        if (count <= 0)
            return count == 0;
        size -= (size_t)count;
    }
    return true;
}

static bool rotated_path(const char *path, char out[POD_LOG_PATH_SIZE])
{
    return snprintf(out, POD_LOG_PATH_SIZE, "%s.1", path) < POD_LOG_PATH_SIZE;
}

bool pod_log_rotate(const char *path, size_t max_bytes)
{
    char older[POD_LOG_PATH_SIZE];
    struct stat file;
    if (stat(path, &file) < 0 || (size_t)file.st_size <= max_bytes || !rotated_path(path, older))
        return false;
    int from = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    int to = open(older, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool is_done = from >= 0 && to >= 0 && copy(from, to, (size_t)file.st_size);
    if (!is_done)
        log_warn(path, "its older part is lost: %s", strerror(errno));
    /* In any case: a full disk is no reason to fill it further. */
    if (from >= 0 && ftruncate(from, 0) < 0)
        log_warn(path, "cannot be emptied: %s", strerror(errno));
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return true;
}

void pod_log_remove(const char *path)
{
    char older[POD_LOG_PATH_SIZE];
    (void)unlink(path);
    if (rotated_path(path, older))
        (void)unlink(older);
}

/* "ns_pod_container.log" or that with ".1": cut in place into its first two parts.  Also of the form "ns_pod.log". */
static bool split_name(char *name, const char **ret_namespace, const char **ret_pod)
{
    struct bytes text = bytes_of(name);
    if (bytes_ends_with(text, BYTES(".log.1")))
        text.len -= 6;
    else if (bytes_ends_with(text, BYTES(".log")))
        text.len -= 4;
    else
        return false;
    name[text.len] = '\0';
    char *pod = strchr(name, '_');
    if (pod == NULL)
        return false;
    *pod++ = '\0';
    char *container = strchr(pod, '_');
    if (container != NULL)
        *container++ = '\0';
    *ret_namespace = name;
    *ret_pod = pod;
    return name[0] != '\0' && pod[0] != '\0' && (container == NULL || strchr(container, '_') == NULL);
}

void pod_logs_sweep(const char *log_dir, bool (*is_alive)(void *context, const char *namespace_, const char *pod),
                    void *context)
{
    DIR *dir = opendir(log_dir);
    struct dirent *entry;
    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        char name[sizeof entry->d_name];
        const char *namespace_, *pod;
        snprintf(name, sizeof name, "%s", entry->d_name);
        if (split_name(name, &namespace_, &pod) && !is_alive(context, namespace_, pod))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
}
