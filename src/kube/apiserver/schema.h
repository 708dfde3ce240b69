/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h: the fields of every kind as tables, from which OpenAPI documents are written.
 *
 * A line per field, in the order and with the depth of the tree: as many dots before a name as there are parents above
 * it in the same table.  What several places share is a schema of its own, which they name.  Internal to openapi.c and
 * the schema_*.c files; what is accepted is decided by the decoders of kube/api (a test compares the two). */
#ifndef KUBE_APISERVER_SCHEMA_H
#define KUBE_APISERVER_SCHEMA_H

#include "base/compiler.h"
#include "kube/apiserver/resources.h"

enum schema_type {
    T_OBJECT, /* its fields follow, or are those of `of` */
    T_STRING,
    T_INT,    /* 32 bits */
    T_LONG,   /* 64 bits */
    T_NUMBER, /* may have decimals */
    T_BOOL,
    T_TIME,          /* RFC 3339 */
    T_BYTES,         /* base64 */
    T_INT_OR_STRING, /* ports by number or name, quantities, percentages */
    T_ANY,           /* an object of any content */
    T_TYPE_MASK = 15,
    T_LIST = 16,     /* of that type */
    T_MAP = 32,      /* from strings to that type */
    T_REQUIRED = 64, /* in its parent */
    T_OPEN = 128,    /* an object that also keeps fields not listed here */
};

struct schema_field {
    const char *name;
    unsigned type;
    const char *description;
    const struct schema *of; /* of an object, or of the items of a list of objects */
    const char *values;      /* the only strings allowed: "A|B|C" */
    const char *fallback;    /* the default as JSON */
};

struct schema {
    const char *name; /* of the component; NULL for a kind: named after it */
    const char *description;
    const struct schema_field *fields;
    size_t len;
    bool is_open; /* also keeps fields not listed here */
};

#define SCHEMA_FIELDS(array) .fields = (array), .len = ARRAY_LEN(array)

/* The table of a resource's kind: its fields but apiVersion, kind and metadata.  NULL: there is none. */
const struct schema *schema_of(const struct api_resource *resource);

/* schema_meta.c */
extern const struct schema schema_object_meta, schema_list_meta, schema_condition, schema_label_selector,
    schema_object_reference, schema_scale;
/* schema_core.c */
extern const struct schema schema_namespace, schema_config_map, schema_secret, schema_service_account, schema_service,
    schema_event;
/* schema_coordination.c */
extern const struct schema schema_lease, schema_endpoint_slice, schema_events_event, schema_access_review,
    schema_rules_review, schema_self_review;
/* schema_workloads.c */
extern const struct schema schema_pod, schema_deployment, schema_replica_set;
/* schema_gateway.c */
extern const struct schema schema_gateway_class, schema_gateway, schema_reference_grant, schema_parent_reference;
/* schema_http_route.c */
extern const struct schema schema_http_route;
/* schema_inference.c */
extern const struct schema schema_inference_pool, schema_inference_pool_x, schema_inference_model, schema_model_rewrite,
    schema_inference_objective;
/* schema_policy.c */
extern const struct schema schema_client_traffic_policy, schema_backend_traffic_policy;
/* schema_canary.c */
extern const struct schema schema_canary;

#endif
