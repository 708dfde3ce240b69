/* SPDX-License-Identifier: Apache-2.0 */
/* Log files on a real disk: how they are named, bounded and removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/workloads/pod_logs.h"
#include "control/workloads/pod_process.h"

struct folder {
    char path[64];
};

static struct folder folder_open(void)
{
    struct folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/serin-test-XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static void file_path(const struct folder *folder, const char *name, char path[200])
{
    snprintf(path, 200, "%s/%s", folder->path, name);
}

static void write_file(const struct folder *folder, const char *name, const char *text)
{
    char path[200];
    file_path(folder, name, path);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool holds(const struct folder *folder, const char *name, const char *text)
{
    char path[200], found[200] = "";
    file_path(folder, name, path);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t len = fread(found, 1, sizeof found - 1, file);
    fclose(file);
    return len == strlen(text) && memcmp(found, text, len) == 0;
}

static bool exists(const struct folder *folder, const char *name)
{
    char path[200];
    file_path(folder, name, path);
    return access(path, F_OK) == 0;
}

static void folder_close(const struct folder *folder, const char *const *names)
{
    char path[200];
    for (; *names != NULL; names++) {
        file_path(folder, *names, path);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder->path), 0);
}

static void a_path_names_namespace_pod_and_container(void **state)
{
    (void)state;
    char path[POD_LOG_PATH_SIZE], long_name[POD_LOG_PATH_SIZE];
    assert_true(pod_log_path("/logs", "ns", "pod-1", "server", path));
    assert_string_equal(path, "/logs/ns_pod-1_server.log");
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_false(pod_log_path(long_name, "ns", "pod", "c", path));
}

static void a_log_that_is_too_large_is_moved_aside_while_its_writer_goes_on(void **state)
{
    (void)state;
    struct folder folder = folder_open();
    char path[200];
    file_path(&folder, "a_b_c.log", path);
    write_file(&folder, "a_b_c.log", "0123456789");
    FILE *writer = fopen(path, "a");
    assert_false(pod_log_rotate(path, 10));
    fputs("x", writer);
    fflush(writer);
    assert_true(pod_log_rotate(path, 10));
    assert_true(holds(&folder, "a_b_c.log", ""));
    assert_true(holds(&folder, "a_b_c.log.1", "0123456789x"));
    fputs("after", writer);
    fflush(writer);
    assert_true(holds(&folder, "a_b_c.log", "after"));
    fputs(" and more", writer);
    fclose(writer);
    assert_true(pod_log_rotate(path, 10)); /* only the newest two are kept */
    assert_true(holds(&folder, "a_b_c.log.1", "after and more"));
    pod_log_remove(path);
    assert_false(exists(&folder, "a_b_c.log") || exists(&folder, "a_b_c.log.1"));
    assert_false(pod_log_rotate(path, 10));
    folder_close(&folder, (const char *[]){NULL});
}

static bool is_alive(void *context, const char *namespace_, const char *pod)
{
    return strcmp(namespace_, context) == 0 && strcmp(pod, "alive") == 0;
}

static void only_logs_of_pods_that_are_no_more_are_swept(void **state)
{
    (void)state;
    static const char *const kept[] = {"ns_alive_c.log", "ns_alive_c.log.1", "ns_alive.log", "notes.txt", "other.log",
                                       "a_b_c_d.log",    "_x_y.log",         "ns_.log",      NULL};
    static const char *const gone[] = {"ns_dead_c.log", "ns_dead_c.log.1", "ns_dead.log", "else_alive_c.log", NULL};
    struct folder folder = folder_open();
    for (unsigned i = 0; kept[i] != NULL; i++)
        write_file(&folder, kept[i], "k");
    for (unsigned i = 0; gone[i] != NULL; i++)
        write_file(&folder, gone[i], "g");
    char name[] = "ns";
    pod_logs_sweep(folder.path, is_alive, name);
    for (unsigned i = 0; kept[i] != NULL; i++)
        assert_true(exists(&folder, kept[i]));
    for (unsigned i = 0; gone[i] != NULL; i++)
        assert_false(exists(&folder, gone[i]));
    folder_close(&folder, kept);
    pod_logs_sweep("/nonexistent", is_alive, name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_names_namespace_pod_and_container),
        cmocka_unit_test(a_log_that_is_too_large_is_moved_aside_while_its_writer_goes_on),
        cmocka_unit_test(only_logs_of_pods_that_are_no_more_are_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
