/* SPDX-License-Identifier: Apache-2.0 */
/* pod_env.c: variables in the order in which a kubelet makes them: envFrom first, then env, a later one over an earlier
 * one of the same name.
 *
 * A container's environment ends in a process of this machine, not in a container: variables by which the loader or a
 * library would run foreign code are left out. */
#include "control/workloads/pod_env.h"

#include "base/base64.h"
#include "base/buffer.h"
#include "base/hashmap.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"

enum {
    MAX_VARIABLES = 4096,
    MAX_VALUE = 128 * 1024 - 4096, /* of one string; the kernel's limit is 128 KiB */
    MAX_TOTAL = 1024 * 1024,       /* execve() takes about twice as much */
    MAX_EXPANDED = 4 * MAX_TOTAL   /* values and words together */
};

#define TOO_LARGE "the environment is too large"

struct resolution {
    struct pod_env *env;
    const struct store *store;
    const struct kube_object *pod;
    const char *pod_ip;
    struct arena *arena;
    const char **names; /* in the order of their first definition */
    unsigned count;
    size_t total;
    const char *why;
};

static bool is_unsafe(const char *name)
{
    static const char *const prefixes[] = {"LD_", "GLIBC_", "GCONV_", "MALLOC_", "OPENSSL_"};
    for (unsigned i = 0; i < ARRAY_LEN(prefixes); i++)
        if (bytes_starts_with(bytes_of(name), bytes_of(prefixes[i])))
            return true;
    return false;
}

static bool add(struct resolution *r, const char *name, struct bytes value)
{
    if (value.len > MAX_VALUE || r->total + value.len > MAX_TOTAL || r->count == MAX_VARIABLES) {
        r->why = TOO_LARGE;
        return false;
    }
    if (memchr(value.data, '\0', value.len) != NULL) {
        r->why = arena_printf(r->arena, "the value of %s has a NUL byte", name);
        return false;
    }
    r->total += value.len + strlen(name);
    if (hashmap_put(r->env->values, bytes_of(name), arena_strndup(r->arena, value)) == NULL)
        r->names[r->count++] = name;
    return true;
}

/* A value of a ConfigMap's or Secret's data, as the container sees it. */
static bool decode_value(struct resolution *r, enum env_source source, const json_t *value, struct bytes *ret_value)
{
    if (!json_is_string(value))
        return false;
    if (source == ENV_SECRET)
        return base64_decode(bytes_of(json_string_value(value)), r->arena, ret_value);
    *ret_value = bytes_make(json_string_value(value), json_string_length(value));
    return true;
}

static const char *source_text(enum env_source source)
{
    return source == ENV_SECRET ? "secret" : "configmap";
}

/* The data of the object; NULL when there is none (r->why, unless that is allowed). */
static const json_t *find_data(struct resolution *r, enum env_source source, const char *name, bool is_optional)
{
    const struct stored *stored =
        store_head(r->store, source == ENV_SECRET ? KUBE_SECRET : KUBE_CONFIG_MAP, r->pod->namespace_, name);
    if (stored != NULL)
        return json_object_get(stored->object->tree, "data");
    if (!is_optional)
        r->why = arena_printf(r->arena, "%s \"%s\" not found", source_text(source), name);
    return NULL;
}

static bool add_all(struct resolution *r, const struct env_from *from)
{
    const json_t *data = find_data(r, from->source, from->from, from->is_optional);
    const char *key;
    json_t *item;
    struct bytes value = BYTES("");
    json_object_foreach((json_t *)(uintptr_t)data, key, item)
    {
        if (!decode_value(r, from->source, item, &value))
            r->why = arena_printf(r->arena, "key %s of %s \"%s\" is not readable", key, source_text(from->source),
                                  from->from);
        if (r->why != NULL)
            return false;
        const char *name = arena_printf(r->arena, "%s%s", from->prefix, key);
        bool is_name = name[0] != '\0' && strchr(name, '=') == NULL; /* others are left out, as on a cluster */
        if (is_name && !add(r, name, value))
            return false;
    }
    return r->why == NULL;
}

static bool add_key(struct resolution *r, const struct env_var *var)
{
    const json_t *data = find_data(r, var->source, var->from, var->is_optional);
    const json_t *item = json_object_get(data, var->key);
    struct bytes value = BYTES("");
    if (r->why == NULL && item == NULL && !var->is_optional)
        r->why = arena_printf(r->arena, "no key %s in %s \"%s\"", var->key, source_text(var->source), var->from);
    if (item != NULL && !decode_value(r, var->source, item, &value))
        r->why = arena_printf(r->arena, "key %s of %s \"%s\" is not readable", var->key, source_text(var->source),
                              var->from);
    return r->why == NULL && (item == NULL || add(r, var->name, value));
}

/* "metadata.labels['app']": the part in quotes; NULL when path is of another form. */
static const char *quoted_key(const char *path, const char *head, struct arena *arena)
{
    struct bytes rest = bytes_of(path), front = bytes_of(arena_printf(arena, "%s['", head));
    if (!bytes_starts_with(rest, front) || !bytes_ends_with(rest, BYTES("']")))
        return NULL;
    rest = bytes_skip(rest, front.len);
    return arena_strndup(arena, bytes_make(rest.data, rest.len >= 2 ? rest.len - 2 : 0));
}

static const char *field_value(struct resolution *r, const char *path)
{
    const struct kube_object *pod = r->pod;
    const struct {
        const char *path, *value;
    } fields[] = {
        {"metadata.name", pod->name},
        {"metadata.namespace", pod->namespace_},
        {"metadata.uid", pod->uid},
        {"spec.nodeName", NODE_NAME},
        {"spec.serviceAccountName", json_text(spec_of(pod), "serviceAccountName")},
        {"status.podIP", r->pod_ip},
        {"status.podIPs", r->pod_ip},
        {"status.hostIP", "127.0.0.1"},
        {"status.hostIPs", "127.0.0.1"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        if (strcmp(path, fields[i].path) == 0)
            return fields[i].value;
    const char *label = quoted_key(path, "metadata.labels", r->arena);
    const char *annotation = quoted_key(path, "metadata.annotations", r->arena);
    const char *value = label != NULL        ? kube_labels_get(&pod->labels, label)
                        : annotation != NULL ? kube_labels_get(&pod->annotations, annotation)
                                             : NULL;
    return value != NULL ? value : "";
}

static bool add_value(struct resolution *r, const struct env_var *var)
{
    const char *value = pod_env_expand(r->env, var->value, r->arena);
    if (value == NULL)
        r->why = TOO_LARGE;
    return value != NULL && add(r, var->name, bytes_of(value));
}

static bool add_variable(struct resolution *r, const struct env_var *var)
{
    switch (var->source) {
    case ENV_VALUE:
        return add_value(r, var);
    case ENV_CONFIG_MAP:
    case ENV_SECRET:
        return add_key(r, var);
    case ENV_FIELD:
        return add(r, var->name, bytes_of(field_value(r, var->from)));
    case ENV_RESOURCE: /* nothing here is limited */
        return add(r, var->name, BYTES("0"));
    }
    return true;
}

static void write_items(struct resolution *r)
{
    unsigned count = 0;
    r->env->items = ARENA_ARRAY(r->arena, const char *, r->count + 1);
    for (unsigned i = 0; i < r->count; i++) {
        if (!is_unsafe(r->names[i]))
            r->env->items[count++] = arena_printf(r->arena, "%s=%s", r->names[i],
                                                  (const char *)hashmap_get(r->env->values, bytes_of(r->names[i])));
    }
}

bool pod_env_resolve(struct pod_env *env, const struct store *store, const struct kube_object *pod, const char *pod_ip,
                     struct arena *arena, const char **ret_why)
{
    const struct container_spec *container = &((const struct pod_spec *)pod->spec)->pod.containers[0];
    struct resolution r = {.env = env, .store = store, .pod = pod, .pod_ip = pod_ip, .arena = arena};
    *env = (struct pod_env){.values = hashmap_new(), .budget = MAX_EXPANDED};
    r.names = ARENA_ARRAY(arena, const char *, MAX_VARIABLES);
    bool is_good = true;
    for (unsigned i = 0; i < container->env_from_count && is_good; i++)
        is_good = add_all(&r, &container->env_from[i]);
    for (unsigned i = 0; i < container->env_count && is_good; i++)
        is_good = add_variable(&r, &container->env[i]);
    if (is_good)
        write_items(&r);
    else
        *ret_why = r.why;
    return is_good;
}

void pod_env_deinit(struct pod_env *env)
{
    hashmap_free(env->values);
    env->values = NULL;
}

/* text stands at "$("; the value of the name in it and how much of text it takes, or NULL. */
static const char *reference(const struct pod_env *env, const char *text, size_t *ret_len)
{
    const char *end = strchr(text, ')');
    if (text[1] != '(' || end == NULL)
        return NULL;
    *ret_len = (size_t)(end - text) + 1;
    return hashmap_get(env->values, bytes_make(text + 2, *ret_len - 3));
}

static void expand(struct pod_env *env, const char *text, struct buffer *out)
{
    while (*text != '\0' && buffer_len(out) <= env->budget) {
        size_t len = strcspn(text, "$"), skip = 1;
        buffer_append(out, bytes_make(text, len));
        text += len;
        if (*text == '\0')
            return;
        const char *value = reference(env, text, &skip);
        if (value == NULL)
            skip = text[1] == '$' ? 2 : 1;
        buffer_append(out, value != NULL ? bytes_of(value) : BYTES("$"));
        text += skip;
    }
}

const char *pod_env_expand(struct pod_env *env, const char *text, struct arena *arena)
{
    struct buffer out;
    const char *result = NULL;
    buffer_init(&out);
    expand(env, text, &out);
    if (buffer_len(&out) <= env->budget) {
        env->budget -= buffer_len(&out);
        result = arena_strndup(arena, buffer_bytes(&out));
    }
    buffer_deinit(&out);
    return result;
}

static const char **expand_words(struct pod_env *env, const char **words, unsigned count, struct arena *arena)
{
    const char **expanded = ARENA_ARRAY(arena, const char *, count + 1);
    for (unsigned i = 0; i < count; i++)
        if ((expanded[i] = pod_env_expand(env, words[i], arena)) == NULL)
            return NULL;
    return expanded;
}

struct container_spec *pod_env_expand_command(struct pod_env *env, const struct container_spec *container,
                                              struct arena *arena)
{
    struct container_spec *expanded = ARENA_NEW(arena, struct container_spec);
    *expanded = *container;
    expanded->command = expand_words(env, container->command, container->command_count, arena);
    expanded->args = expand_words(env, container->args, container->arg_count, arena);
    return expanded->command != NULL && expanded->args != NULL ? expanded : NULL;
}
