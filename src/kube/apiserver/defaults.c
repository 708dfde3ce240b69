/* SPDX-License-Identifier: Apache-2.0 */
/* defaults.c: what a cluster writes into built-in objects and clients rely on being there (kubectl describe reads some
 * of these without looking whether they exist).
 *
 * Never inside lists: a list that the user wrote must stay as it was, or every second apply would see a change.  The
 * defaults of our own kinds are applied when they are read (kube/api), not here. */
#include "kube/apiserver/object_rules.h"

#include <string.h>

#include "base/base64.h"

/* path "spec.strategy.type"; value as JSON text. */
struct default_value {
    enum kube_kind kind;
    const char *path;
    const char *value;
};

static const struct default_value defaults[] = {
    {KUBE_NAMESPACE, "spec.finalizers", "[\"kubernetes\"]"},
    {KUBE_NAMESPACE, "status.phase", "\"Active\""},
    {KUBE_SECRET, "type", "\"Opaque\""},
    {KUBE_SERVICE, "spec.type", "\"ClusterIP\""},
    {KUBE_SERVICE, "spec.sessionAffinity", "\"None\""},
    {KUBE_SERVICE, "status.loadBalancer", "{}"},
    {KUBE_DEPLOYMENT, "spec.replicas", "1"},
    {KUBE_DEPLOYMENT, "spec.revisionHistoryLimit", "10"},
    {KUBE_DEPLOYMENT, "spec.progressDeadlineSeconds", "600"},
    {KUBE_DEPLOYMENT, "spec.strategy.type", "\"RollingUpdate\""},
    {KUBE_DEPLOYMENT, "spec.template.spec.restartPolicy", "\"Always\""},
    {KUBE_DEPLOYMENT, "spec.template.spec.dnsPolicy", "\"ClusterFirst\""},
    {KUBE_DEPLOYMENT, "spec.template.spec.schedulerName", "\"default-scheduler\""},
    {KUBE_DEPLOYMENT, "spec.template.spec.securityContext", "{}"},
    {KUBE_DEPLOYMENT, "spec.template.spec.terminationGracePeriodSeconds", "30"},
    {KUBE_REPLICA_SET, "spec.replicas", "1"},
    {KUBE_POD, "spec.restartPolicy", "\"Always\""},
    {KUBE_POD, "spec.dnsPolicy", "\"ClusterFirst\""},
    {KUBE_POD, "spec.schedulerName", "\"default-scheduler\""},
    {KUBE_POD, "spec.securityContext", "{}"},
    {KUBE_POD, "spec.terminationGracePeriodSeconds", "30"},
    {KUBE_POD, "status.phase", "\"Pending\""},
};

/* Makes the maps on the way; a value of another type on it is left alone (the decoder complains). */
static void set_default(json_t *object, const char *path, const char *value)
{
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        json_t *next = json_object_getn(object, path, (size_t)(dot - path));
        if (next == NULL) {
            next = json_object();
            json_object_setn_new(object, path, (size_t)(dot - path), next);
        }
        if (!json_is_object(next))
            return;
        object = next;
    }
    if (json_object_get(object, path) == NULL)
        json_object_set_new(object, path, json_loads(value, JSON_DECODE_ANY, NULL));
}

/* What a rolling update may do without being told: a quarter more, a quarter less. */
static void default_rolling_update(json_t *tree)
{
    const json_t *strategy = json_object_get(json_object_get(tree, "spec"), "strategy");
    const char *type = json_string_value(json_object_get(strategy, "type"));
    if (type == NULL || strcmp(type, "RollingUpdate") != 0)
        return;
    set_default(tree, "spec.strategy.rollingUpdate.maxSurge", "\"25%\"");
    set_default(tree, "spec.strategy.rollingUpdate.maxUnavailable", "\"25%\"");
}

static json_t *base64(struct bytes text)
{
    struct buffer out = {0};
    base64_append(&out, text);
    json_t *encoded = json_stringn(buffer_bytes(&out).data, buffer_len(&out));
    buffer_deinit(&out);
    return encoded;
}

/* stringData is for writing only: it ends in data, encoded. */
static void fold_string_data(json_t *tree)
{
    json_t *plain = json_object_get(tree, "stringData");
    const char *key;
    json_t *value;
    json_object_foreach(plain, key, value)
    {
        if (!json_is_string(value))
            continue;
        if (!json_is_object(json_object_get(tree, "data")))
            json_object_set_new(tree, "data", json_object());
        json_object_set_new(json_object_get(tree, "data"), key,
                            base64(bytes_make(json_string_value(value), json_string_length(value))));
    }
    json_object_del(tree, "stringData");
}

/* Gateway allowedRoutes.namespaces.selector relies on this label. */
static void label_namespace(json_t *tree)
{
    json_t *metadata = rules_metadata(tree);
    if (!json_is_object(json_object_get(metadata, "labels")))
        json_object_set_new(metadata, "labels", json_object());
    rules_set_text(json_object_get(metadata, "labels"), "kubernetes.io/metadata.name", rules_text(metadata, "name"));
}

void rules_set_defaults(json_t *tree, enum kube_kind kind)
{
    for (unsigned i = 0; i < ARRAY_LEN(defaults); i++) {
        if (defaults[i].kind == kind)
            set_default(tree, defaults[i].path, defaults[i].value);
    }
    if (kind == KUBE_DEPLOYMENT)
        default_rolling_update(tree);
    if (kind == KUBE_SECRET)
        fold_string_data(tree);
    if (kind == KUBE_NAMESPACE)
        label_namespace(tree);
}
