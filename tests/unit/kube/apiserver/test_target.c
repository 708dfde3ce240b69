/* SPDX-License-Identifier: Apache-2.0 */
/* test_target.c: what URLs ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/apiserver/target.h"

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct target parse(const char *path, const char *query)
{
    struct target target;
    const char *why = NULL;
    assert_true(target_parse(bytes_of(path), bytes_of(query), arena, &target, &why));
    return target;
}

static void resources_are_named_by_group_version_namespace_and_name(void **state)
{
    (void)state;
    static const struct {
        const char *path, *plural, *namespace_, *name, *subresource;
    } cases[] = {
        {"/api/v1/pods", "pods", "", "", ""},
        {"/api/v1/namespaces", "namespaces", "", "", ""},
        {"/api/v1/namespaces/team", "namespaces", "", "team", ""},
        {"/api/v1/namespaces/team/status", "namespaces", "", "team", "status"},
        {"/api/v1/namespaces/team/finalize", "namespaces", "", "team", "finalize"},
        {"/api/v1/namespaces/team/pods", "pods", "team", "", ""},
        {"/api/v1/namespaces/team/pods/", "pods", "team", "", ""},
        {"/api/v1/namespaces/team/pods/p-1/log", "pods", "team", "p-1", "log"},
        {"/apis/apps/v1/namespaces/a/deployments/d/scale", "deployments", "a", "d", "scale"},
        {"/apis/gateway.networking.k8s.io/v1/gatewayclasses/c", "gatewayclasses", "", "c", ""},
        {"/apis/gateway.networking.k8s.io/v1beta1/namespaces/a/httproutes/r%2Ex", "httproutes", "a", "r.x", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct target target = parse(cases[i].path, "");
        assert_int_equal(target.kind, TARGET_RESOURCE);
        assert_non_null(target.resource);
        assert_string_equal(target.plural, cases[i].plural);
        assert_string_equal(target.namespace_, cases[i].namespace_);
        assert_string_equal(target.name, cases[i].name);
        assert_string_equal(target.subresource, cases[i].subresource);
    }
}

static void pages_are_known_by_their_path(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum target_kind kind;
    } cases[] = {
        {"/healthz", TARGET_HEALTH},
        {"/livez/ping", TARGET_HEALTH},
        {"/readyz", TARGET_READY},
        {"/version", TARGET_VERSION},
        {"/api", TARGET_API},
        {"/api/", TARGET_API},
        {"/apis", TARGET_APIS},
        {"/apis/apps", TARGET_GROUP},
        {"/apis/apps/v1", TARGET_GROUP_VERSION},
        {"/api/v1", TARGET_GROUP_VERSION},
        {"/openapi/v2", TARGET_OPENAPI_V2},
        {"/openapi/v3", TARGET_OPENAPI_INDEX},
        {"/openapi/v3/apis/apps/v1", TARGET_OPENAPI_DOCUMENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(parse(cases[i].path, "").kind, cases[i].kind);
    assert_true(bytes_equal_str(parse("/openapi/v3/apis/apps/v1", "hash=1").document, "apis/apps/v1"));
}

static void what_names_nothing_is_unknown(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "/",
        "/metrics",
        "/api//v1",
        "/version/x",
        "/api/v1/namespaces/a/pods/p/log/more",
        "/api/v1/pods/p", /* a namespaced object without its namespace */
        "/apis/gateway.networking.k8s.io/v1/namespaces/a/gatewayclasses/c", /* and the other way round */
        "/api/v1/namespaces/a%2Fb/pods",
        "/api/v1/namespaces/%00/pods",
        "/api/v1/namespaces/%zz/pods",
        "/a/b/c/d/e/f/g/h/i/j/k/l",
        "api",
    };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_int_equal(parse(paths[i], "").kind, TARGET_UNKNOWN);
    assert_null(parse("/api/v1/namespaces/a/nodes", "").resource);
}

static void parameters_have_types(void **state)
{
    (void)state;
    struct target target =
        parse("/api/v1/pods", "watch=1&limit=500&labelSelector=app%3Dx%2Cy&timeoutSeconds=30&dryRun=All&force=false&"
                              "allowWatchBookmarks=true&unknown=%zz&tailLines=0&timestamps=1&sinceSeconds=5");
    assert_true(target.query.is_timestamped && target.query.is_since);
    assert_true(target.query.is_watch && target.query.allows_bookmarks && target.query.is_dry_run);
    assert_false(target.query.is_forced);
    assert_int_equal(target.query.limit, 500);
    assert_int_equal(target.query.timeout_s, 30);
    assert_int_equal(target.query.tail_lines, 0);
    assert_int_equal(target.query.grace_s, -1);
    assert_string_equal(target.query.label_selector, "app=x,y");
    assert_string_equal(target.query.field_selector, "");
}

static void a_parameter_of_the_wrong_type_is_told(void **state)
{
    (void)state;
    static const char *const queries[] = {"limit=x",     "limit=-1",      "watch=maybe",
                                          "dryRun=Some", "tailLines=1.5", "limit=99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct target target;
        const char *why = NULL;
        assert_false(target_parse(BYTES("/api/v1/pods"), bytes_of(queries[i]), arena, &target, &why));
        assert_non_null(strstr(why, "is not a value for it"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_are_named_by_group_version_namespace_and_name),
        cmocka_unit_test(pages_are_known_by_their_path),
        cmocka_unit_test(what_names_nothing_is_unknown),
        cmocka_unit_test(parameters_have_types),
        cmocka_unit_test(a_parameter_of_the_wrong_type_is_told),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
