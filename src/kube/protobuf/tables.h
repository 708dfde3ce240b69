/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h: what the messages of the Kubernetes API look like on the wire and in JSON, as far as a request may hold
 * them: all fields of the kinds in protobuf.c as of Kubernetes 1.37.  Numbers and names are facts of the API; a number
 * is never used again, so tables only grow.  Internal to kube/protobuf.
 *
 * A table is an array of fields that ends with number 0.  To add a kind: its table, a row in protobuf.c, vectors in the
 * test. */
#ifndef KUBE_PROTOBUF_TABLES_H
#define KUBE_PROTOBUF_TABLES_H

#include <stdint.h>

/* What a value is on the wire -> in JSON. */
enum message_type {
    TEXT,          /* bytes in UTF-8 -> string */
    BOOL,          /* varint -> true, false */
    INT,           /* varint, int32 and int64 alike -> integer */
    BASE64,        /* bytes -> string in base64 */
    TIME,          /* {1 seconds} -> "2026-01-02T03:04:05Z" */
    MICRO_TIME,    /* {1 seconds, 2 nanoseconds} -> "2026-01-02T03:04:05.000006Z" */
    QUANTITY,      /* {1 text} -> string */
    INT_OR_STRING, /* {1 which, 2 integer, 3 text} -> integer or string */
    FIELDS_V1,     /* {1 JSON as bytes} -> object */
    TEXT_LIST,     /* {1 texts} -> array of strings */
    MESSAGE,       /* a message with a table -> object */
};

enum message_shape {
    ONE,     /* there is a value when the field is on the wire */
    OMIT,    /* the same, but Go sends "", 0 and false for "not given", and JSON omits them */
    LIST,    /* one item per field -> array */
    MAP,     /* one {1 key, 2 value} per field; keys are texts -> object */
    INLINED, /* the message's fields stand in the object around it; name is NULL */
};

struct message_field {
    uint32_t number;
    const char *name;                    /* in JSON */
    uint8_t type;                        /* enum message_type: of a list or map, of its values */
    uint8_t shape;                       /* enum message_shape */
    const struct message_field *message; /* of MESSAGE */
};

/* Roots */
extern const struct message_field message_config_map[];
extern const struct message_field message_core_event[]; /* v1 */
extern const struct message_field message_delete_options[];
extern const struct message_field message_deployment[];
extern const struct message_field message_endpoint_slice[];
extern const struct message_field message_endpoints[];
extern const struct message_field message_event[]; /* events.k8s.io */
extern const struct message_field message_lease[];
extern const struct message_field message_namespace[];
extern const struct message_field message_pod[];
extern const struct message_field message_replica_set[];
extern const struct message_field message_scale[];
extern const struct message_field message_secret[];
extern const struct message_field message_self_subject_access_review[];
extern const struct message_field message_self_subject_review[];
extern const struct message_field message_self_subject_rules_review[];
extern const struct message_field message_service[];
extern const struct message_field message_service_account[];

/* Parts that tables of several files use */
extern const struct message_field message_condition[];
extern const struct message_field message_container[];
extern const struct message_field message_ephemeral_container[];
extern const struct message_field message_event_source[];
extern const struct message_field message_field_selector_requirement[];
extern const struct message_field message_label_selector[];
extern const struct message_field message_label_selector_requirement[];
extern const struct message_field message_local_object_reference[];
extern const struct message_field message_object_field_selector[];
extern const struct message_field message_object_meta[];
extern const struct message_field message_object_reference[];
extern const struct message_field message_pod_security_context[];
extern const struct message_field message_pod_status[];
extern const struct message_field message_pod_template_spec[];
extern const struct message_field message_resource_field_selector[];
extern const struct message_field message_resource_requirements[];
extern const struct message_field message_volume[];

#endif
