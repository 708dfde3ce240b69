/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses for pods, on the real loopback network, and a real process for a moment. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/workloads/pod_process.h"

static void an_address_is_free_until_somebody_listens_there(void **state)
{
    (void)state;
    struct random_state random;
    char ip[16], other[16];
    random_seed(&random, 1);
    assert_true(pod_address_find(&random, 18000, ip));
    assert_memory_equal(ip, "127.", 4);
    assert_true(pod_address_is_free(ip, 18000));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(18000)};
    assert_int_equal(inet_pton(AF_INET, ip, &address.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_false(pod_address_is_free(ip, 18000));
    assert_true(pod_address_is_free(ip, 18001));
    random_seed(&random, 1);
    assert_true(pod_address_find(&random, 18000, other));
    assert_string_not_equal(ip, other);
    close(fd);
    assert_true(pod_address_is_free(ip, 18000));
    assert_false(pod_address_is_free("no address", 1));
}

/* The process is a shell script that writes what it was given. */
static void a_process_gets_its_words_and_its_environment_and_its_log(void **state)
{
    (void)state;
    char program[] = "/tmp/serin-test-XXXXXX", log_path[64], log[2000] = "";
    int fd = mkstemp(program);
    assert_true(fd >= 0);
    static const char script[] = "#!/bin/sh\necho \"$@\"\necho $POD_NAME $POD_NAMESPACE $POD_IP $EXTRA\n";
    assert_int_equal(write(fd, script, sizeof script - 1), sizeof script - 1);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    snprintf(log_path, sizeof log_path, "%s.log", program);
    struct arena *arena = arena_new(0);
    const char *words[] = {"model", "--flag", NULL}, *extra[] = {"EXTRA=more", "POD_NAME=wrong", NULL};
    struct command_line command = {.words = words, .len = 2, .port = 8123};
    struct pod_process process = {.program = program,
                                  .pod_name = "p",
                                  .namespace_ = "n",
                                  .ip = "127.1.2.3",
                                  .command = &command,
                                  .behaviour = "ttft=1ms",
                                  .speed = 2,
                                  .log_path = log_path,
                                  .extra = extra};
    pid_t pid = process_ops_real.start(&process, arena);
    int status = -1;
    assert_true(pid > 0);
    assert_int_equal(process_ops_real.reap(pid, true, &status), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(process_ops_real.reap(pid, false, &status) <= 0);
    FILE *file = fopen(log_path, "r");
    assert_non_null(file);
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(
        log, "sim serve model --flag --host 127.1.2.3 --port 8123 --sim-speed 2 --grace 86400 --sim ttft=1ms\n"
             "p n 127.1.2.3 more\n");
    arena_free(arena);
    unlink(program);
    unlink(log_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_free_until_somebody_listens_there),
        cmocka_unit_test(a_process_gets_its_words_and_its_environment_and_its_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
