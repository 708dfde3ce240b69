/* SPDX-License-Identifier: Apache-2.0 */
/* patch_schema.c: the tables.  The merge keys are those compiled into kubectl, the apply keys those of the published
 * schemas (x-kubernetes-list-map-keys); a row left out makes kubectl's patches of that list fail with a sentence. */
#include "kube/patch/patch_schema.h"

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"

/* Rows: a list that both merge by the same key; one of scalars; a map; what differs is written out. */
#define KEYED(field, key, item_type)                                                                                   \
    {                                                                                                                  \
        .name = (field), .merge_key = (key), .apply_keys = {{(key), NULL}}, .type = (item_type)                        \
    }
#define SCALARS(field)                                                                                                 \
    {                                                                                                                  \
        .name = (field), .merge_key = "", .is_set = true                                                               \
    }
#define BELOW(field, value_type)                                                                                       \
    {                                                                                                                  \
        .name = (field), .type = (value_type)                                                                          \
    }
#define SYSTEM(field)                                                                                                  \
    {                                                                                                                  \
        .name = (field), .is_system = true                                                                             \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }
#define TYPE(type_name, ...)                                                                                           \
    static const struct patch_field type_name##_fields[] = {__VA_ARGS__, END};                                         \
    static const struct patch_type type_name = {.fields = type_name##_fields}

/* References, selectors: meaningless in part. */
static const struct patch_type atomic = {.is_atomic = true};

/* ---- what all objects share ---- */

TYPE(object_meta, KEYED("ownerReferences", "uid", &atomic), SCALARS("finalizers"), SYSTEM("name"), SYSTEM("namespace"),
     SYSTEM("generateName"), SYSTEM("selfLink"), SYSTEM("uid"), SYSTEM("resourceVersion"), SYSTEM("generation"),
     SYSTEM("creationTimestamp"), SYSTEM("deletionTimestamp"), SYSTEM("deletionGracePeriodSeconds"),
     SYSTEM("managedFields"));

/* A template's metadata is the user's, down to its name. */
TYPE(template_meta, KEYED("ownerReferences", "uid", &atomic), SCALARS("finalizers"));

#define ROOT_FIELDS SYSTEM("apiVersion"), SYSTEM("kind"), BELOW("metadata", &object_meta)

TYPE(conditions, KEYED("conditions", "type", NULL));
TYPE(any_kind, ROOT_FIELDS, BELOW("status", &conditions));

/* ---- pods ---- */

TYPE(env_source, BELOW("configMapKeyRef", &atomic), BELOW("secretKeyRef", &atomic), BELOW("fieldRef", &atomic),
     BELOW("resourceFieldRef", &atomic));
TYPE(env, BELOW("valueFrom", &env_source));
TYPE(resources, {.name = "claims", .apply_keys = {{"name", NULL}}});
TYPE(container,
     {.name = "ports", .merge_key = "containerPort", .apply_keys = {{"containerPort", NULL}, {"protocol", "TCP"}}},
     KEYED("env", "name", &env), KEYED("volumeMounts", "mountPath", NULL), KEYED("volumeDevices", "devicePath", NULL),
     BELOW("resources", &resources));
TYPE(spread_constraint, BELOW("labelSelector", &atomic));
TYPE(pod_spec, KEYED("containers", "name", &container), KEYED("initContainers", "name", &container),
     KEYED("ephemeralContainers", "name", &container), KEYED("volumes", "name", NULL),
     KEYED("imagePullSecrets", "name", &atomic), KEYED("schedulingGates", "name", NULL),
     KEYED("resourceClaims", "name", NULL), KEYED("hostAliases", "ip", NULL),
     {.name = "topologySpreadConstraints",
      .type = &spread_constraint,
      .merge_key = "topologyKey",
      .apply_keys = {{"topologyKey", NULL}, {"whenUnsatisfiable", NULL}}},
     BELOW("nodeSelector", &atomic));
TYPE(pod_status, KEYED("conditions", "type", NULL), KEYED("podIPs", "ip", NULL), {.name = "hostIPs", .merge_key = "ip"},
     KEYED("resourceClaimStatuses", "name", NULL));
TYPE(pod, ROOT_FIELDS, BELOW("spec", &pod_spec), BELOW("status", &pod_status));

TYPE(pod_template, BELOW("metadata", &template_meta), BELOW("spec", &pod_spec));
TYPE(workload_spec, BELOW("selector", &atomic), BELOW("template", &pod_template));
TYPE(workload, ROOT_FIELDS, BELOW("spec", &workload_spec), BELOW("status", &conditions));

/* ---- the other built-in kinds ---- */

TYPE(service_spec, {.name = "ports", .merge_key = "port", .apply_keys = {{"port", NULL}, {"protocol", "TCP"}}},
     BELOW("selector", &atomic));
TYPE(service, ROOT_FIELDS, BELOW("spec", &service_spec), BELOW("status", &conditions));
TYPE(service_account, ROOT_FIELDS, KEYED("secrets", "name", &atomic));
TYPE(node_spec, SCALARS("podCIDRs"));
TYPE(node_status, KEYED("conditions", "type", NULL), KEYED("addresses", "type", NULL));
TYPE(node, ROOT_FIELDS, BELOW("spec", &node_spec), BELOW("status", &node_status));
TYPE(event, ROOT_FIELDS, BELOW("involvedObject", &atomic), BELOW("regarding", &atomic), BELOW("related", &atomic));

/* ---- Gateway API: strategic merge patch is not for these, so only the apply keys count ---- */

TYPE(route_namespaces, BELOW("selector", &atomic));
TYPE(allowed_routes, BELOW("namespaces", &route_namespaces));
TYPE(listener, BELOW("allowedRoutes", &allowed_routes));
TYPE(gateway_spec, KEYED("listeners", "name", &listener));
TYPE(gateway_status, KEYED("conditions", "type", NULL), KEYED("listeners", "name", &conditions));
TYPE(gateway, ROOT_FIELDS, BELOW("spec", &gateway_spec), BELOW("status", &gateway_status));
TYPE(gateway_class_status, KEYED("conditions", "type", NULL), KEYED("supportedFeatures", "name", NULL));
TYPE(gateway_class, ROOT_FIELDS, BELOW("status", &gateway_class_status));

static const struct {
    const char *group;
    const char *kind;
    const struct patch_type *type;
} kinds[] = {
    {"", "Pod", &pod},
    {"apps", "Deployment", &workload},
    {"apps", "ReplicaSet", &workload},
    {"", "Service", &service},
    {"", "ServiceAccount", &service_account},
    {"", "Node", &node},
    {"", "Event", &event},
    {"events.k8s.io", "Event", &event},
    {"gateway.networking.k8s.io", "Gateway", &gateway},
    {"gateway.networking.k8s.io", "ListenerSet", &gateway},
    {"gateway.networking.k8s.io", "GatewayClass", &gateway_class},
};

const struct patch_type *patch_schema_find(const char *group, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].kind, kind) == 0 && (group == NULL || strcmp(kinds[i].group, group) == 0))
            return kinds[i].type;
    }
    return &any_kind;
}

const struct patch_field *patch_field_find(const struct patch_type *type, const char *name)
{
    if (type == NULL || type->fields == NULL)
        return NULL;
    for (const struct patch_field *field = type->fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}
