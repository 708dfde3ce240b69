/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a container: where values come from, what wins, what is missing, what is too much. */
#include "unit/control/workloads/world.h"

#include "control/workloads/pod_env.h"

static const char objects[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
    "data: {A: from-map, MODEL: qwen}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\ndata: {TOKEN: czNjcjN0, EMPTY: \"\"}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: good}\nstringData: {A: from-secret}\n";

struct resolved {
    struct world *world;
    struct arena *arena;
    struct pod_env env;
    const char *why;
    bool is_good;
};

/* env and envFrom: YAML in flow style. */
static struct resolved resolve(struct world *world, const char *env_from, const char *env)
{
    struct resolved resolved = {.world = world, .arena = arena_new(0), .why = ""};
    const char *text =
        arena_printf(resolved.arena,
                     "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: a}, annotations: {x.y/z: note}}\n"
                     "spec: {containers: [{name: c, image: i, envFrom: %s, env: %s}]}\n",
                     env_from, env);
    if (world_get(world, KUBE_POD, "p") != NULL)
        world_delete(world, KUBE_POD, "p", NULL);
    world_apply(world, text);
    resolved.is_good = pod_env_resolve(&resolved.env, world->store, world_get(world, KUBE_POD, "p"), "127.1.2.3",
                                       resolved.arena, &resolved.why);
    return resolved;
}

static void drop(struct resolved *resolved)
{
    pod_env_deinit(&resolved->env);
    arena_free(resolved->arena);
}

static const char *item(const struct resolved *resolved, const char *name)
{
    const char *found = NULL;
    for (unsigned i = 0; resolved->env.items[i] != NULL; i++) {
        size_t len = strlen(name);
        if (strncmp(resolved->env.items[i], name, len) == 0 && resolved->env.items[i][len] == '=') {
            assert_null(found); /* each name once */
            found = resolved->env.items[i] + len + 1;
        }
    }
    return found;
}

WORLD_TEST(values_come_from_everywhere_and_later_ones_win)
{
    world_apply(world, objects);
    struct resolved r = resolve(
        world, "[{configMapRef: {name: settings}}, {prefix: S_, secretRef: {name: good}}, {secretRef: {name: good}}]",
        "[{name: PLAIN, value: v}, {name: MODEL, value: other},"
        " {name: ONE, valueFrom: {configMapKeyRef: {name: settings, key: MODEL}}},"
        " {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: TOKEN}}},"
        " {name: NONE, valueFrom: {secretKeyRef: {name: keys, key: EMPTY}}},"
        " {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}},"
        " {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}},"
        " {name: LABEL, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}},"
        " {name: NOTE, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['x.y/z']\"}}},"
        " {name: ODD, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['\"}}},"
        " {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]");
    assert_true(r.is_good);
    static const struct {
        const char *name, *value;
    } wanted[] = {{"A", "from-secret"}, {"S_A", "from-secret"}, {"MODEL", "other"}, {"PLAIN", "v"},
                  {"ONE", "qwen"},      {"KEY", "s3cr3t"},      {"NONE", ""},       {"NAME", "p"},
                  {"IP", "127.1.2.3"},  {"LABEL", "a"},         {"NOTE", "note"},   {"ODD", ""},
                  {"CPU", "0"}};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const char *value = item(&r, wanted[i].name);
        if (value == NULL || strcmp(value, wanted[i].value) != 0)
            fail_msg("%s is %s", wanted[i].name, value);
    }
    assert_null(item(&r, "bad"));
    drop(&r);
}

WORLD_TEST(what_is_missing_is_named_unless_it_is_optional)
{
    world_apply(world, objects);
    static const struct {
        const char *from, *env, *why;
    } cases[] = {
        {"[{configMapRef: {name: nope}}]", "[]", "configmap \"nope\" not found"},
        {"[{secretRef: {name: nope}}]", "[]", "secret \"nope\" not found"},
        {"[]", "[{name: A, valueFrom: {configMapKeyRef: {name: nope, key: k}}}]", "configmap \"nope\" not found"},
        {"[]", "[{name: A, valueFrom: {configMapKeyRef: {name: settings, key: k}}}]",
         "no key k in configmap \"settings\""},
        {"[{configMapRef: {name: nope, optional: true}}]", "[]", NULL},
        {"[]", "[{name: A, valueFrom: {configMapKeyRef: {name: nope, key: k, optional: true}}}]", NULL},
        {"[]", "[{name: A, valueFrom: {secretKeyRef: {name: keys, key: k, optional: true}}}]", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct resolved r = resolve(world, cases[i].from, cases[i].env);
        assert_int_equal(r.is_good, cases[i].why == NULL);
        if (cases[i].why != NULL)
            assert_string_equal(r.why, cases[i].why);
        else
            assert_null(item(&r, "A"));
        drop(&r);
    }
}

WORLD_TEST(references_are_expanded_once_and_what_is_no_reference_stays)
{
    struct resolved r = resolve(world, "[]",
                                "[{name: A, value: one}, {name: B, value: $(A)-two}, {name: C, value: $(LATER)},"
                                " {name: LATER, value: x}, {name: D, value: $$(A)}, {name: E, value: $(A}]");
    assert_string_equal(item(&r, "B"), "one-two");
    assert_string_equal(item(&r, "C"), "$(LATER)");
    assert_string_equal(item(&r, "D"), "$(A)");
    assert_string_equal(item(&r, "E"), "$(A");
    static const struct {
        const char *text, *expanded;
    } cases[] = {
        {"", ""},           {"$", "$"},   {"$(", "$("},      {"$()", "$()"},        {"a$(A)b$(B)", "aonebone-two"},
        {"$$$(A)", "$one"}, {"$A", "$A"}, {"$(A)$", "one$"}, {"$(NOPE)", "$(NOPE)"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(pod_env_expand(&r.env, cases[i].text, r.arena), cases[i].expanded);
    const char *command[] = {"vllm", "serve", "$(B)", NULL}, *args[] = {"--port=$(LATER)", NULL};
    struct container_spec container = {.command = command, .command_count = 3, .args = args, .arg_count = 1};
    struct container_spec *expanded = pod_env_expand_command(&r.env, &container, r.arena);
    assert_string_equal(expanded->command[2], "one-two");
    assert_null(expanded->command[3]);
    assert_string_equal(expanded->args[0], "--port=x");
    drop(&r);
}

WORLD_TEST(variables_that_would_run_foreign_code_are_left_out)
{
    struct resolved r = resolve(world, "[]",
                                "[{name: LD_PRELOAD, value: /tmp/x.so}, {name: OPENSSL_CONF, value: x},"
                                " {name: GCONV_PATH, value: x}, {name: LDX, value: y}]");
    assert_true(r.is_good);
    assert_null(item(&r, "LD_PRELOAD"));
    assert_null(item(&r, "OPENSSL_CONF"));
    assert_null(item(&r, "GCONV_PATH"));
    assert_string_equal(item(&r, "LDX"), "y");
    drop(&r);
}

/* A value of many references to a long value. */
static const char *bomb(struct arena *arena, unsigned count)
{
    char *text = arena_alloc(arena, count * 4ul + 1);
    for (unsigned i = 0; i < count; i++)
        memcpy(text + i * 4ul, "$(A)", 5);
    return text;
}

WORLD_TEST(what_grows_too_large_is_refused)
{
    struct arena *arena = arena_new(0);
    char *long_text = arena_zalloc(arena, 100001);
    memset(long_text, 'x', 100000);
    struct resolved r =
        resolve(world, "[]", arena_printf(arena, "[{name: A, value: %s}, {name: B, value: $(A)$(A)}]", long_text));
    assert_false(r.is_good);
    assert_string_equal(r.why, "the environment is too large");
    drop(&r);
    r = resolve(world, "[]", arena_printf(arena, "[{name: A, value: %s}]", long_text));
    assert_true(r.is_good);
    const char *words[] = {bomb(arena, 1000), NULL};
    struct container_spec container = {.command = words, .command_count = 1, .args = words + 1};
    assert_null(pod_env_expand_command(&r.env, &container, r.arena));
    drop(&r);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_from_everywhere_and_later_ones_win),
        cmocka_unit_test(what_is_missing_is_named_unless_it_is_optional),
        cmocka_unit_test(references_are_expanded_once_and_what_is_no_reference_stays),
        cmocka_unit_test(variables_that_would_run_foreign_code_are_left_out),
        cmocka_unit_test(what_grows_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
