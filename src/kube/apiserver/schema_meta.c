/* SPDX-License-Identifier: Apache-2.0 */
/* schema_meta.c: fields that all kinds share, and which table belongs to which kind. */
#include "kube/apiserver/schema.h"

#include <string.h>

/* clang-format off */
static const struct schema_field owner_reference[] = {
    {"apiVersion", T_STRING | T_REQUIRED, "Group and version of the owner."},
    {"kind", T_STRING | T_REQUIRED, "Kind of the owner."},
    {"name", T_STRING | T_REQUIRED, "Name of the owner, in the same namespace or cluster-scoped."},
    {"uid", T_STRING | T_REQUIRED, "UID of the owner; another object of that name is no owner."},
    {"controller", T_BOOL, "The owner is the one that manages this object."},
    {"blockOwnerDeletion", T_BOOL, "A foreground deletion of the owner waits for this object."},
};
static const struct schema schema_owner_reference = {
    .name = "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
    .description = "An object that this one belongs to.",
    SCHEMA_FIELDS(owner_reference),
};

static const struct schema_field managed_fields[] = {
    {"manager", T_STRING, "Who wrote the fields."},
    {"operation", T_STRING, "How they were written.", .values = "Apply|Update"},
    {"apiVersion", T_STRING, "Version in which the fields are named."},
    {"time", T_TIME, "When they were last written."},
    {"fieldsType", T_STRING, "Form of fieldsV1.", .values = "FieldsV1"},
    {"fieldsV1", T_ANY, "The set of fields."},
    {"subresource", T_STRING, "Where they were written, when not to the object itself."},
};
static const struct schema schema_managed_fields = {
    .name = "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
    .description = "The fields that one manager wrote.",
    SCHEMA_FIELDS(managed_fields),
};

static const struct schema_field object_meta[] = {
    {"name", T_STRING, "Unique among the objects of the kind in the namespace. Cannot be changed."},
    {"generateName", T_STRING, "Prefix of a name that the server makes up when name is empty."},
    {"namespace", T_STRING, "Namespace of the object; \"default\" when empty. Cannot be changed."},
    {"labels", T_STRING | T_MAP, "Keys and values by which objects are selected."},
    {"annotations", T_STRING | T_MAP, "Keys and values of any text, for tools. At most 256 KiB together."},
    {"uid", T_STRING, "Identity over time; given by the server."},
    {"resourceVersion", T_STRING, "Changes with every write; sent back, it guards against lost updates. Opaque."},
    {"generation", T_LONG, "Raised when the wanted state changes; given by the server."},
    {"creationTimestamp", T_TIME, "When the object was created; given by the server."},
    {"deletionTimestamp", T_TIME, "When the object's deletion was asked for; given by the server."},
    {"deletionGracePeriodSeconds", T_LONG, "Time to end in good order; given by the server."},
    {"finalizers", T_STRING | T_LIST, "Who must finish its work before a deleted object goes away."},
    {"ownerReferences", T_OBJECT | T_LIST, "Objects that this one belongs to; it is removed after the last of them.",
     .of = &schema_owner_reference},
    {"managedFields", T_OBJECT | T_LIST, "Who wrote which fields; kept by the server.", .of = &schema_managed_fields},
    {"selfLink", T_STRING, "Not used any more."},
};
const struct schema schema_object_meta = {
    .name = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    .description = "Name, labels, and what the server knows about the object.",
    SCHEMA_FIELDS(object_meta),
};

static const struct schema_field list_meta[] = {
    {"resourceVersion", T_STRING, "State that the list shows; a watch can start from it."},
    {"continue", T_STRING, "Token for the next part of the list; empty at its end."},
    {"remainingItemCount", T_LONG, "How many objects follow."},
    {"selfLink", T_STRING, "Not used any more."},
};
const struct schema schema_list_meta = {
    .name = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
    .description = "What the server knows about the list.",
    SCHEMA_FIELDS(list_meta),
};

static const struct schema_field condition[] = {
    {"type", T_STRING | T_REQUIRED, "What is said to be so or not."},
    {"status", T_STRING | T_REQUIRED, "Whether it is so.", .values = "True|False|Unknown"},
    {"reason", T_STRING | T_REQUIRED, "Why, in one word for programs."},
    {"message", T_STRING | T_REQUIRED, "Why, for people."},
    {"lastTransitionTime", T_TIME | T_REQUIRED, "When status last changed."},
    {"observedGeneration", T_LONG, "The generation of the object that this is about; an older one is out of date."},
};
const struct schema schema_condition = {
    .name = "io.k8s.apimachinery.pkg.apis.meta.v1.Condition",
    .description = "One aspect of the state of an object.",
    SCHEMA_FIELDS(condition),
};

static const struct schema_field label_selector[] = {
    {"matchLabels", T_STRING | T_MAP, "Labels that must be there with these values."},
    {"matchExpressions", T_OBJECT | T_LIST, "Further requirements; all must hold."},
    {".key", T_STRING | T_REQUIRED, "The label."},
    {".operator", T_STRING | T_REQUIRED, "How it is compared.", .values = "In|NotIn|Exists|DoesNotExist"},
    {".values", T_STRING | T_LIST, "Values for In and NotIn; none for the others."},
};
const struct schema schema_label_selector = {
    .name = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
    .description = "Selects objects by their labels; an empty one selects all.",
    SCHEMA_FIELDS(label_selector),
};

static const struct schema_field object_reference[] = {
    {"apiVersion", T_STRING, "Group and version."},
    {"kind", T_STRING, "Kind."},
    {"namespace", T_STRING, "Namespace."},
    {"name", T_STRING, "Name."},
    {"uid", T_STRING, "UID."},
    {"resourceVersion", T_STRING, "The version that was meant."},
    {"fieldPath", T_STRING, "Which part of the object is meant, such as spec.containers{server}."},
};
const struct schema schema_object_reference = {
    .name = "io.k8s.api.core.v1.ObjectReference",
    .description = "Names an object.",
    SCHEMA_FIELDS(object_reference),
};

static const struct schema_field scale[] = {
    {"apiVersion", T_STRING, "Group and version: autoscaling/v1."},
    {"kind", T_STRING, "Kind: Scale."},
    {"metadata", T_OBJECT, "Name, labels and more.", .of = &schema_object_meta},
    {"spec", T_OBJECT, "What is wanted."},
    {".replicas", T_INT, "Wanted number of pods."},
    {"status", T_OBJECT, "What is."},
    {".replicas", T_INT | T_REQUIRED, "Number of pods there are."},
    {".selector", T_STRING, "Selects these pods."},
};
const struct schema schema_scale = {
    .name = "io.k8s.api.autoscaling.v1.Scale",
    .description = "How many replicas something has, whatever its kind.",
    SCHEMA_FIELDS(scale),
};
/* clang-format on */

const struct schema *schema_of(const struct api_resource *resource)
{
    static const struct schema *const schemas[KUBE_KIND_COUNT] = {
        [KUBE_NAMESPACE] = &schema_namespace,
        [KUBE_CONFIG_MAP] = &schema_config_map,
        [KUBE_SECRET] = &schema_secret,
        [KUBE_SERVICE_ACCOUNT] = &schema_service_account,
        [KUBE_EVENT] = &schema_event,
        [KUBE_LEASE] = &schema_lease,
        [KUBE_SERVICE] = &schema_service,
        [KUBE_POD] = &schema_pod,
        [KUBE_ENDPOINT_SLICE] = &schema_endpoint_slice,
        [KUBE_DEPLOYMENT] = &schema_deployment,
        [KUBE_REPLICA_SET] = &schema_replica_set,
        [KUBE_GATEWAY_CLASS] = &schema_gateway_class,
        [KUBE_GATEWAY] = &schema_gateway,
        [KUBE_HTTP_ROUTE] = &schema_http_route,
        [KUBE_REFERENCE_GRANT] = &schema_reference_grant,
        [KUBE_INFERENCE_POOL] = &schema_inference_pool,
        [KUBE_INFERENCE_POOL_X] = &schema_inference_pool_x,
        [KUBE_INFERENCE_MODEL] = &schema_inference_model,
        [KUBE_MODEL_REWRITE_X] = &schema_model_rewrite,
        [KUBE_MODEL_REWRITE] = &schema_model_rewrite,
        [KUBE_OBJECTIVE_X] = &schema_inference_objective,
        [KUBE_OBJECTIVE] = &schema_inference_objective,
        [KUBE_CLIENT_TRAFFIC_POLICY] = &schema_client_traffic_policy,
        [KUBE_BACKEND_TRAFFIC_POLICY] = &schema_backend_traffic_policy,
        [KUBE_CANARY] = &schema_canary,
    };
    static const struct {
        const char *kind_name;
        const struct schema *schema;
    } reviews[] = {{"SelfSubjectAccessReview", &schema_access_review},
                   {"SelfSubjectRulesReview", &schema_rules_review},
                   {"SelfSubjectReview", &schema_self_review}};
    if (resource->is_events_view)
        return &schema_events_event;
    if (resource->kind < KUBE_KIND_COUNT)
        return schemas[resource->kind];
    for (size_t i = 0; i < ARRAY_LEN(reviews); i++) {
        if (strcmp(resource->kind_name, reviews[i].kind_name) == 0)
            return reviews[i].schema;
    }
    return NULL;
}
