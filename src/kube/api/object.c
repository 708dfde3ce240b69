/* SPDX-License-Identifier: Apache-2.0 */
/* object.c: from a tree to an object: the table of kinds, metadata, and the counting of users.
 *
 * An object owns its arena and one reference to its tree; names and texts point into the tree, so the tree must not be
 * changed once it was decoded. */
#include "kube/api/object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kube/api/decode.h"
#include "kube/api/kinds.h"

const struct kube_kind_info *kube_kind_info(enum kube_kind kind)
{
    static const struct kube_kind_info infos[] = {
#define X(id, group, version, kind, plural, traits)                                                                    \
    {group,                                                                                                            \
     version,                                                                                                          \
     kind,                                                                                                             \
     plural,                                                                                                           \
     ((traits)&KIND_NAMESPACED) != 0,                                                                                  \
     ((traits)&KIND_STRICT) != 0,                                                                                      \
     ((traits)&KIND_STATUS) != 0,                                                                                      \
     ((traits)&KIND_GENERATION) != 0},
        KUBE_KINDS(X)
#undef X
    };
    assert(kind < KUBE_KIND_COUNT);
    return &infos[kind];
}

static kind_decode_fn kind_decoder(enum kube_kind kind)
{
    static const kind_decode_fn decoders[KUBE_KIND_COUNT] = {
        [KUBE_NAMESPACE] = kept_decode,
        [KUBE_CONFIG_MAP] = config_map_decode,
        [KUBE_SECRET] = secret_decode,
        [KUBE_SERVICE_ACCOUNT] = kept_decode,
        [KUBE_EVENT] = kept_decode,
        [KUBE_LEASE] = kept_decode,
        [KUBE_SERVICE] = service_decode,
        [KUBE_POD] = pod_decode,
        [KUBE_ENDPOINT_SLICE] = endpoint_slice_decode,
        [KUBE_DEPLOYMENT] = deployment_decode,
        [KUBE_REPLICA_SET] = deployment_decode,
        [KUBE_GATEWAY_CLASS] = gateway_class_decode,
        [KUBE_GATEWAY] = gateway_decode,
        [KUBE_HTTP_ROUTE] = http_route_decode,
        [KUBE_REFERENCE_GRANT] = reference_grant_decode,
        [KUBE_INFERENCE_POOL] = inference_pool_decode,
        [KUBE_INFERENCE_POOL_X] = inference_pool_x_decode,
        [KUBE_INFERENCE_MODEL] = inference_model_decode,
        [KUBE_MODEL_REWRITE_X] = model_rewrite_decode,
        [KUBE_MODEL_REWRITE] = model_rewrite_decode,
        [KUBE_OBJECTIVE_X] = inference_objective_decode,
        [KUBE_OBJECTIVE] = inference_objective_decode,
        [KUBE_CLIENT_TRAFFIC_POLICY] = client_traffic_policy_decode,
        [KUBE_BACKEND_TRAFFIC_POLICY] = backend_traffic_policy_decode,
        [KUBE_CANARY] = canary_decode,
    };
    return decoders[kind];
}

/* The versions of the Gateway API group that share their fields with the one in the table. */
static bool is_same_version(enum kube_kind kind, const char *version)
{
    if (strcmp(version, kube_kind_info(kind)->version) == 0)
        return true;
    switch (kind) {
    case KUBE_GATEWAY_CLASS:
    case KUBE_GATEWAY:
    case KUBE_HTTP_ROUTE:
        return strcmp(version, "v1beta1") == 0;
    case KUBE_REFERENCE_GRANT:
        return strcmp(version, "v1") == 0;
    default:
        return false;
    }
}

enum kube_kind kube_kind_find(const char *api_version, const char *kind)
{
    const char *slash = strchr(api_version, '/');
    struct bytes group = slash != NULL ? bytes_make(api_version, (size_t)(slash - api_version)) : BYTES("");
    const char *version = slash != NULL ? slash + 1 : api_version;
    if (slash == api_version)
        return KUBE_KIND_COUNT;
    for (unsigned i = 0; i < KUBE_KIND_COUNT; i++) {
        const struct kube_kind_info *info = kube_kind_info((enum kube_kind)i);
        if (bytes_equal_str(group, info->group) && strcmp(kind, info->kind) == 0 &&
            is_same_version((enum kube_kind)i, version))
            return (enum kube_kind)i;
    }
    return KUBE_KIND_COUNT;
}

static const char *api_version_text(const struct kube_kind_info *info, struct arena *arena)
{
    return arena_printf(arena, "%s%s%s", info->group, info->group[0] == '\0' ? "" : "/", info->version);
}

/* "HTTPRoute default/x" as far as it is known; the object may still be a bad one. */
static char *object_text(const char *kind, const char *namespace_, const char *name, struct arena *arena)
{
    return arena_printf(arena, "%s %s%s%s", kind, namespace_, namespace_[0] == '\0' ? "" : "/", name);
}

char *kube_object_text(const struct kube_object *object, struct arena *arena)
{
    return object_text(kube_kind_info(object->kind)->kind, object->namespace_, object->name, arena);
}

/* Which versions of this kind there are, for a helpful answer; "" when the kind itself is unknown. */
static const char *known_versions(const char *kind, struct arena *arena)
{
    const char *text = "";
    for (unsigned i = 0; i < KUBE_KIND_COUNT; i++) {
        const struct kube_kind_info *info = kube_kind_info((enum kube_kind)i);
        if (strcmp(kind, info->kind) == 0)
            text = arena_printf(arena, "%s%s%s", text, text[0] == '\0' ? "" : " or ", api_version_text(info, arena));
    }
    return text;
}

/* apiVersion and kind of the root; KUBE_KIND_COUNT when they name no known kind (reported). */
static enum kube_kind decode_kind(struct field *root)
{
    const char *api_version = decode_text(root, "apiVersion", REQUIRED, &syntax_given);
    const char *kind = decode_text(root, "kind", REQUIRED, &syntax_given);
    if (api_version[0] == '\0' || kind[0] == '\0')
        return KUBE_KIND_COUNT;
    enum kube_kind found = kube_kind_find(api_version, kind);
    if (found != KUBE_KIND_COUNT)
        return found;
    struct arena *arena = root->decoder->problems->arena;
    const char *versions = known_versions(kind, arena);
    if (versions[0] != '\0')
        field_problem(root, "apiVersion", "UnknownKind", "must be %s for kind %s", versions, kind);
    else
        field_problem(root, "kind", "UnknownKind", "unknown kind %s in %s", decode_shown_name(arena, kind),
                      decode_shown_name(arena, api_version));
    return KUBE_KIND_COUNT;
}

/* A Service's name becomes a DNS label, a Namespace's is part of one; all others may have dots. */
static const struct text_syntax *name_syntax(enum kube_kind kind)
{
    switch (kind) {
    case KUBE_SERVICE:
        return &syntax_dns_label_1035;
    case KUBE_NAMESPACE:
        return &syntax_dns_label;
    default:
        return &syntax_dns_subdomain;
    }
}

static void decode_metadata(struct field *root, struct kube_object *object)
{
    static const char *const kept[] = {"generateName",
                                       "resourceVersion",
                                       "deletionGracePeriodSeconds",
                                       "ownerReferences",
                                       "finalizers",
                                       "managedFields",
                                       "selfLink",
                                       NULL};
    struct field metadata = decode_object(root, "metadata", REQUIRED);
    object->name = decode_text(&metadata, "name", REQUIRED, name_syntax(object->kind));
    object->namespace_ = "";
    if (kube_kind_info(object->kind)->is_namespaced)
        object->namespace_ = decode_text_or(&metadata, "namespace", &syntax_dns_label, "default");
    else /* the API server clears it */
        (void)field_has(&metadata, "namespace");
    object->uid = decode_text(&metadata, "uid", OPTIONAL, &syntax_any);
    object->generation = (uint64_t)decode_int(&metadata, "generation", OPTIONAL, 0, INT64_MAX, 1);
    if (object->generation == 0)
        object->generation = 1;
    object->created_ms = decode_time(&metadata, "creationTimestamp");
    (void)decode_time(&metadata, "deletionTimestamp");
    object->labels = decode_labels(&metadata, "labels", OPTIONAL, 0, SIZE_MAX);
    object->annotations = decode_annotations(&metadata, "annotations");
    decode_kept(&metadata, kept);
    decode_end(&metadata);
}

/* What problems call the object, taken from the tree before anything is known to be valid. */
static const char *claimed_text(json_t *tree, enum kube_kind kind, struct arena *arena)
{
    const json_t *metadata = json_object_get(tree, "metadata");
    const char *name = json_string_value(json_object_get(metadata, "name"));
    const char *namespace_ = json_string_value(json_object_get(metadata, "namespace"));
    const struct kube_kind_info *info = kube_kind_info(kind);
    if (!info->is_namespaced)
        namespace_ = "";
    else if (namespace_ == NULL)
        namespace_ = "default";
    return object_text(info->kind, decode_shown_name(arena, namespace_),
                       name != NULL ? decode_shown_name(arena, name) : "(no name)", arena);
}

static struct kube_object *object_new(json_t *tree, enum kube_kind kind)
{
    enum { TYPICAL_SIZE = 1024 }; /* texts stay in the tree */
    struct arena *arena = arena_new(TYPICAL_SIZE);
    struct kube_object *object = ARENA_NEW(arena, struct kube_object);
    *object = (struct kube_object){.kind = kind, .tree = json_incref(tree), .arena = arena, .users = 1};
    return object;
}

struct kube_object *kube_object_decode(json_t *tree, struct problems *problems)
{
    size_t problems_before = problems->count;
    const char *text_before = problems->object;
    if (!json_is_object(tree)) {
        problems_add(problems, "", "UnknownKind", "must be an object with apiVersion, kind and metadata");
        return NULL;
    }
    struct decoder decoder = {.problems = problems, .is_strict = true};
    struct field root = decode_root(&decoder, tree);
    enum kube_kind kind = decode_kind(&root);
    if (kind == KUBE_KIND_COUNT)
        return NULL;

    problems->object = claimed_text(tree, kind, problems->arena);
    struct kube_object *object = object_new(tree, kind);
    decoder.arena = object->arena;
    decoder.is_strict = kube_kind_info(kind)->is_strict;
    decode_metadata(&root, object);
    object->spec = kind_decoder(kind)(&root, object);
    (void)field_has(&root, "status");
    decode_end(&root);
    problems->object = text_before;
    if (problems->count == problems_before)
        return object;
    kube_object_give_back(object);
    return NULL;
}

struct kube_object *kube_object_take(const struct kube_object *object)
{
    /* Counting is the one thing that changes in a shared object. */
    struct kube_object *shared = (struct kube_object *)(uintptr_t)object;
    __atomic_add_fetch(&shared->users, 1, __ATOMIC_RELAXED);
    return shared;
}

void kube_object_give_back(struct kube_object *object)
{
    if (object == NULL || __atomic_sub_fetch(&object->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    json_decref(object->tree);
    arena_free(object->arena);
}
