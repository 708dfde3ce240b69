/* SPDX-License-Identifier: Apache-2.0 */
/* Kubeconfigs: what is taken from them, and what is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/kubeconfig.h"

#define CONTEXTS                                                                                                       \
    "apiVersion: v1\nkind: Config\ncurrent-context: b\n"                                                               \
    "contexts:\n- {name: a, context: {cluster: other, user: other}}\n"                                                 \
    "- {name: b, context: {cluster: here, user: me, namespace: models}}\n"
#define CLUSTER(fields) "clusters:\n- {name: here, cluster: {" fields "}}\n"
#define USER(fields)    "users:\n- {name: me, user: {" fields "}}\n"
#define SERVER          "server: 'https://127.0.0.1:6473'"

static struct kubeconfig parse(const char *text, struct arena *arena)
{
    char error[KUBECONFIG_ERROR_SIZE] = "";
    struct kubeconfig config;
    if (!kubeconfig_parse(bytes_of(text), arena, &config, error))
        fail_msg("%s", error);
    return config;
}

static void the_current_context_counts(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct kubeconfig config =
        parse(CONTEXTS CLUSTER(SERVER ", certificate-authority-data: aGVsbG8=") USER("token: secret"), arena);
    assert_string_equal(config.host, "127.0.0.1");
    assert_string_equal(config.port, "6473");
    assert_string_equal(config.path, "");
    assert_string_equal(config.token, "secret");
    assert_string_equal(config.namespace_, "models");
    assert_true(bytes_equal_str(config.authority_pem, "hello"));
    arena_free(arena);
}

static void servers_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *server, *host, *port, *path;
    } servers[] = {{"https://api.example.com", "api.example.com", "443", ""},
                   {"https://api.example.com/", "api.example.com", "443", ""},
                   {"https://api.example.com:8443/k8s/clusters/c-1/", "api.example.com", "8443", "/k8s/clusters/c-1"},
                   {"https://[::1]:6443", "::1", "6443", ""},
                   {"https://[fe80::1]", "fe80::1", "443", ""}};
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct kubeconfig config =
            parse(arena_printf(arena, CONTEXTS CLUSTER("server: '%s'") USER("tokenFile: t"), servers[i].server), arena);
        assert_string_equal(config.host, servers[i].host);
        assert_string_equal(config.port, servers[i].port);
        assert_string_equal(config.path, servers[i].path);
        assert_string_equal(config.token_file, "t");
    }
    arena_free(arena);
}

static void what_cannot_be_used_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } bad[] = {
        {"", "it holds no configuration"},
        {"- a\n", "it holds no configuration"},
        {"a: [\n", "line "},
        {"kind: Config\n", "it has no current-context"},
        {"current-context: x\n", "there is no context \"x\" in its contexts"},
        {CONTEXTS, "there is no cluster \"here\" in its clusters"},
        {CONTEXTS CLUSTER(SERVER), "there is no user \"me\" in its users"},
        {CONTEXTS CLUSTER("server: 'http://127.0.0.1:1'") USER("token: t"), "server \"http://127.0.0.1:1\" must start"},
        {CONTEXTS CLUSTER("server: 'https://'") USER("token: t"), "server \"https://\" is no address"},
        {CONTEXTS CLUSTER("server: 'https://h:99999'") USER("token: t"), "server \"https://h:99999\" is no address"},
        {CONTEXTS CLUSTER("server: 'https://h:'") USER("token: t"), "server \"https://h:\" is no address"},
        {CONTEXTS CLUSTER("server: 'https://[::1'") USER("token: t"), "server \"https://[::1\" is no address"},
        {CONTEXTS CLUSTER("server: 'https://h/a b'") USER("token: t"), "server \"https://h/a b\" is no address"},
        {CONTEXTS CLUSTER(SERVER ", certificate-authority-data: '!'") USER("token: t"), "certificate-authority-data"},
        {CONTEXTS CLUSTER(SERVER ", insecure-skip-tls-verify: true") USER("token: t"), "insecure-skip-tls-verify is"},
        {CONTEXTS CLUSTER(SERVER) USER("client-certificate-data: aGk="), "its user has client-certificate-data"},
        {CONTEXTS CLUSTER(SERVER) USER("exec: {command: login}"), "its user has exec, which is not supported"},
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char error[KUBECONFIG_ERROR_SIZE] = "";
        struct kubeconfig config;
        assert_false(kubeconfig_parse(bytes_of(bad[i].text), arena, &config, error));
        if (strncmp(error, bad[i].error, strlen(bad[i].error)) != 0)
            fail_msg("\"%s\" instead of \"%s\"", error, bad[i].error);
    }
    arena_free(arena);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void files_beside_it_are_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_kubeconfig_XXXXXX", error[KUBECONFIG_ERROR_SIZE] = "";
    struct arena *arena = arena_new(0);
    struct kubeconfig config;
    assert_non_null(mkdtemp(folder));
    const char *path = arena_printf(arena, "%s/config", folder);
    const char *authority = arena_printf(arena, "%s/ca.crt", folder), *token = arena_printf(arena, "%s/token", folder);
    write_text(path, CONTEXTS CLUSTER(SERVER ", certificate-authority: ca.crt") USER("tokenFile: token"));
    assert_false(kubeconfig_read(path, arena, &config, error));
    assert_non_null(strstr(error, "ca.crt: No such file"));
    write_text(authority, "a certificate");
    write_text(token, "secret\n");
    assert_true(kubeconfig_read(path, arena, &config, error));
    assert_true(bytes_equal_str(config.authority_pem, "a certificate"));
    assert_string_equal(config.token, "secret");
    write_text(token, "two words\n");
    assert_false(kubeconfig_read(path, arena, &config, error));
    assert_non_null(strstr(error, "the token has characters"));
    unlink(path);
    unlink(authority);
    unlink(token);
    rmdir(folder);
    arena_free(arena);
}

static void the_environment_names_it_or_it_is_in_the_data_folder(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    unsetenv("KUBECONFIG");
    assert_string_equal(kubeconfig_default_path(arena), "./serin-data/kubeconfig");
    setenv("KUBECONFIG", "", 1);
    assert_string_equal(kubeconfig_default_path(arena), "./serin-data/kubeconfig");
    setenv("KUBECONFIG", "/a/first:/b/second", 1);
    assert_string_equal(kubeconfig_default_path(arena), "/a/first");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_current_context_counts),
        cmocka_unit_test(servers_are_taken_apart),
        cmocka_unit_test(what_cannot_be_used_is_refused_with_a_sentence),
        cmocka_unit_test(files_beside_it_are_read),
        cmocka_unit_test(the_environment_names_it_or_it_is_in_the_data_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
