/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf.c: the envelope around an object, and which table its kind has.  Any thread; no state.
 *
 * A body is four bytes of magic and a message that names the kind (1: {1: apiVersion, 2: kind}), holds the object as
 * bytes (2) and says how those are packed (3: content encoding, 4: content type), which nobody does. */
#include "kube/protobuf/protobuf.h"

#include <stdio.h>

#include "kube/protobuf/decode.h"
#include "kube/protobuf/wire.h"

struct envelope {
    struct bytes api_version;
    struct bytes kind;
    struct bytes object;
};

static const struct {
    const char *api_version; /* NULL: any, since clients use the group of the resource that they are about */
    const char *kind;
    const struct message_field *table;
} kinds[] = {
    {NULL, "DeleteOptions", message_delete_options},
    {"v1", "Namespace", message_namespace},
    {"v1", "ConfigMap", message_config_map},
    {"v1", "Secret", message_secret},
    {"v1", "ServiceAccount", message_service_account},
    {"v1", "Service", message_service},
    {"v1", "Endpoints", message_endpoints},
    {"v1", "Event", message_core_event},
    {"v1", "Pod", message_pod},
    {"apps/v1", "Deployment", message_deployment},
    {"apps/v1", "ReplicaSet", message_replica_set},
    {"authentication.k8s.io/v1", "SelfSubjectReview", message_self_subject_review},
    {"authorization.k8s.io/v1", "SelfSubjectAccessReview", message_self_subject_access_review},
    {"authorization.k8s.io/v1", "SelfSubjectRulesReview", message_self_subject_rules_review},
    {"autoscaling/v1", "Scale", message_scale},
    {"coordination.k8s.io/v1", "Lease", message_lease},
    {"discovery.k8s.io/v1", "EndpointSlice", message_endpoint_slice},
    {"events.k8s.io/v1", "Event", message_event},
};

static bool read_envelope(struct bytes body, struct envelope *ret_envelope, char *error)
{
    static const struct bytes magic = {"k8s", 4};
    const struct wire_field absent = {.content = BYTES("")};
    struct wire_field type[] = {absent, absent}, parts[] = {absent, absent, absent, absent};
    if (!bytes_starts_with(body, magic)) {
        snprintf(error, 200, "not a Kubernetes protobuf body: it does not start with \"k8s\" and a NUL");
        return false;
    }
    const char *wrong = wire_read_slots(bytes_skip(body, magic.len), "tttt", parts);
    if (wrong == NULL)
        wrong = wire_read_slots(parts[0].content, "tt", type);
    if (wrong == NULL && (parts[2].content.len > 0 || parts[3].content.len > 0))
        wrong = "an object that is encoded once more";
    if (wrong != NULL) {
        snprintf(error, 200, "cannot read protobuf: %s in the envelope", wrong);
        return false;
    }
    *ret_envelope = (struct envelope){type[0].content, type[1].content, parts[1].content};
    return true;
}

/* Short, and only what names of kinds and groups are made of: safe to quote. */
static bool is_name(struct bytes text)
{
    static const char extra[] = "./-";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_alnum && memchr(extra, c, sizeof extra - 1) == NULL)
            return false;
    }
    return text.len > 0 && text.len <= 60;
}

static const struct message_field *find_table(const struct envelope *envelope, char *error)
{
    struct bytes version = envelope->api_version, kind = envelope->kind;
    if (!is_name(version) || !is_name(kind)) {
        snprintf(error, 200, "cannot read protobuf: the envelope names no apiVersion and kind");
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (bytes_equal_str(kind, kinds[i].kind) &&
            (kinds[i].api_version == NULL || bytes_equal_str(version, kinds[i].api_version)))
            return kinds[i].table;
    }
    snprintf(error, 200, "%.*s of %.*s is not read from protobuf here; send JSON", BYTES_ARG(kind), BYTES_ARG(version));
    return NULL;
}

/* Objects all the way down and no value: what a status is that was never filled. */
static bool is_hollow(json_t *value)
{
    const char *key;
    json_t *member;
    if (!json_is_object(value))
        return false;
    json_object_foreach(value, key, member)
    {
        if (!is_hollow(member))
            return false;
    }
    return true;
}

json_t *protobuf_decode(struct bytes body, char error[200])
{
    struct envelope envelope;
    if (!read_envelope(body, &envelope, error))
        return NULL;
    const struct message_field *table = find_table(&envelope, error);
    if (table == NULL)
        return NULL;
    struct bytes version = envelope.api_version, kind = envelope.kind;
    json_t *root = json_pack("{s:s%, s:s%}", "apiVersion", version.data, version.len, "kind", kind.data, kind.len);
    if (root == NULL) {
        snprintf(error, 200, "no memory");
        return NULL;
    }
    if (!decode_message(table, body, envelope.object, root, error)) {
        json_decref(root);
        return NULL;
    }
    if (is_hollow(json_object_get(root, "status")))
        json_object_del(root, "status");
    return root;
}
