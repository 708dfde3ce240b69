/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c: the columns of every kind, and the cells that only follow a path.  Pure; one row at a time. */
#include "kube/apiserver/columns.h"

#include <string.h>

#include "base/clock.h"
#include "kube/apiserver/human_duration.h"
#include "kube/apiserver/table.h"

int64_t cell_int_at(const json_t *tree, const char *path, int64_t fallback)
{
    const json_t *value = tree_at(tree, path);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

uint64_t cell_time_at(const json_t *tree, const char *path)
{
    return clock_parse_rfc3339(tree_text(tree, path));
}

const json_t *cell_condition(const json_t *conditions, const char *type)
{
    size_t i;
    json_t *condition;
    json_array_foreach((json_t *)conditions, i, condition)
    {
        if (strcmp(tree_text(condition, "type"), type) == 0)
            return condition;
    }
    return NULL;
}

void cell_write_scratch(const struct table_cell *cell, const char *fallback)
{
    jw_string(cell->writer, buffer_is_empty(cell->scratch) ? bytes_of(fallback) : buffer_bytes(cell->scratch));
}

void cell_write_text(const struct table_cell *cell, const char *text, const char *fallback)
{
    jw_str(cell->writer, text[0] != '\0' ? text : fallback);
}

void cell_append_item(struct buffer *text, const char *item)
{
    if (!buffer_is_empty(text))
        buffer_append_char(text, ',');
    buffer_append_str(text, item);
}

/* What a JSONPath of a custom resource prints: a string bare, a number in digits, lists and objects as JSON. */
static void write_found(const struct table_cell *cell, const json_t *value)
{
    if (value == NULL) {
        jw_null(cell->writer);
        return;
    }
    if (json_is_string(value))
        buffer_append(cell->scratch, bytes_make(json_string_value(value), json_string_length(value)));
    else
        table_append_json(cell->scratch, value);
    cell_write_scratch(cell, "");
}

static void cell_found(const struct table_cell *cell)
{
    write_found(cell, tree_at(cell->tree, cell->path));
}

/* A string of a built-in kind: never null. */
static void cell_text(const struct table_cell *cell)
{
    cell_write_text(cell, tree_text(cell->tree, cell->path), "");
}

static void cell_text_or_none(const struct table_cell *cell)
{
    cell_write_text(cell, tree_text(cell->tree, cell->path), "<none>");
}

static void cell_number(const struct table_cell *cell)
{
    jw_i64(cell->writer, cell_int_at(cell->tree, cell->path, 0));
}

static void cell_len(const struct table_cell *cell)
{
    jw_u64(cell->writer, json_array_size(tree_at(cell->tree, cell->path)));
}

static void cell_age(const struct table_cell *cell)
{
    char text[16];
    human_age(cell_time_at(cell->tree, "metadata.creationTimestamp"), cell->now_ms, text);
    jw_str(cell->writer, text);
}

/* Status of the condition whose type is the path. */
static void cell_status(const struct table_cell *cell)
{
    write_found(cell, tree_at(cell_condition(tree_at(cell->tree, "status.conditions"), cell->path), "status"));
}

static void cell_first_address(const struct table_cell *cell)
{
    write_found(cell, tree_at(json_array_get(tree_at(cell->tree, "status.addresses"), 0), "value"));
}

/* spec.replicas defaults to 1, and defaults are not stored. */
static int64_t desired_replicas(const json_t *tree)
{
    return cell_int_at(tree, "spec.replicas", 1);
}

static void cell_desired(const struct table_cell *cell)
{
    jw_i64(cell->writer, desired_replicas(cell->tree));
}

static void cell_ready_of_desired(const struct table_cell *cell)
{
    buffer_printf(cell->scratch, "%lld/%lld", (long long)cell_int_at(cell->tree, "status.readyReplicas", 0),
                  (long long)desired_replicas(cell->tree));
    cell_write_scratch(cell, "");
}

/* clang-format off */
#define NAME                                                                                                           \
    {"Name", "string", "name", false, "Unique among the objects of its kind in its namespace.", cell_text,             \
     "metadata.name"}
#define AGE {"Age", "string", "", false, "Time since the object was created.", cell_age}
#define WIDE(name, description, write, path) {name, "string", "", true, description, write, path}
#define TEXT(name, description, write, path) {name, "string", "", false, description, write, path}
#define NUMBER(name, description, write, path) {name, "integer", "", false, description, write, path}
#define TEMPLATE                                                                                                       \
    WIDE("Containers", "Names of the template's containers.", cell_container_items, "name"),                           \
    WIDE("Images", "Images of the template's containers.", cell_container_items, "image"),                             \
    WIDE("Selector", "Which pods belong to it.", cell_selector, "spec.selector")

static const struct table_column plain[] = {NAME, AGE};

static const struct table_column namespaces[] = {
    NAME,
    TEXT("Status", "Active, or Terminating while its objects are removed.", cell_text, "status.phase"),
    AGE,
};

static const struct table_column config_maps[] = {
    NAME,
    NUMBER("Data", "Number of keys.", cell_data_count, NULL),
    AGE,
};

static const struct table_column secrets[] = {
    NAME,
    TEXT("Type", "What the keys mean.", cell_text, "type"),
    NUMBER("Data", "Number of keys.", cell_data_count, NULL),
    AGE,
};

static const struct table_column service_accounts[] = {
    NAME,
    NUMBER("Secrets", "Number of secrets named in it.", cell_len, "secrets"),
    AGE,
};

static const struct table_column services[] = {
    NAME,
    TEXT("Type", "How the service is reached.", cell_text, "spec.type"),
    TEXT("Cluster-IP", "Address inside.", cell_text_or_none, "spec.clusterIP"),
    TEXT("External-IP", "Addresses outside.", cell_service_address, NULL),
    TEXT("Port(s)", "Ports and their protocols.", cell_service_ports, NULL),
    AGE,
    WIDE("Selector", "Which pods belong to it.", cell_selector, "spec.selector"),
};

static const struct table_column pods[] = {
    NAME,
    TEXT("Ready", "Ready containers of all containers.", cell_pod_ready, NULL),
    TEXT("Status", "The phase, or why the pod is not further.", cell_pod_status, NULL),
    TEXT("Restarts", "How often containers were started again, and when last.", cell_pod_restarts, NULL),
    AGE,
    WIDE("IP", "Address of the pod.", cell_text_or_none, "status.podIP"),
    WIDE("Node", "Where the pod runs.", cell_text_or_none, "spec.nodeName"),
    WIDE("Nominated Node", "Where room is made for it.", cell_text_or_none, "status.nominatedNodeName"),
    WIDE("Readiness Gates", "Conditions that hold of those that must.", cell_pod_gates, NULL),
};

static const struct table_column deployments[] = {
    NAME,
    TEXT("Ready", "Ready pods of wanted pods.", cell_ready_of_desired, NULL),
    NUMBER("Up-to-date", "Pods of the newest template.", cell_number, "status.updatedReplicas"),
    NUMBER("Available", "Pods ready long enough.", cell_number, "status.availableReplicas"),
    AGE,
    TEMPLATE,
};

static const struct table_column replica_sets[] = {
    NAME,
    NUMBER("Desired", "Wanted pods.", cell_desired, NULL),
    NUMBER("Current", "Pods there are.", cell_number, "status.replicas"),
    NUMBER("Ready", "Ready pods.", cell_number, "status.readyReplicas"),
    AGE,
    TEMPLATE,
};

static const struct table_column scales[] = {
    NAME,
    NUMBER("Desired", "Wanted pods.", cell_number, "spec.replicas"),
    NUMBER("Available", "Pods there are.", cell_number, "status.replicas"),
    AGE,
};

static const struct table_column leases[] = {
    NAME,
    TEXT("Holder", "Who holds the lease.", cell_text, "spec.holderIdentity"),
    AGE,
};

static const struct table_column endpoint_slices[] = {
    NAME,
    TEXT("AddressType", "IPv4 or IPv6.", cell_text, "addressType"),
    TEXT("Ports", "Ports of every endpoint.", cell_slice_ports, NULL),
    TEXT("Endpoints", "Addresses.", cell_slice_addresses, NULL),
    AGE,
};

static const struct table_column events[] = {
    TEXT("Last Seen", "Time since it last happened.", cell_event_seen, NULL),
    TEXT("Type", "Normal or Warning.", cell_text, "type"),
    TEXT("Reason", "Why, in one word.", cell_text, "reason"),
    TEXT("Object", "What it is about.", cell_event_object, NULL),
    WIDE("Subobject", "Which part of the object.", cell_event_text, "fieldPath"),
    WIDE("Source", "Who reported it.", cell_event_source, NULL),
    TEXT("Message", "What happened, for people.", cell_event_text, "message"),
    WIDE("First Seen", "Time since it first happened.", cell_event_first_seen, NULL),
    {"Count", "integer", "", true, "How often it happened.", cell_event_count},
    {"Name", "string", "name", true, "Name of the event itself.", cell_text, "metadata.name"},
};

static const struct table_column gateway_classes[] = {
    NAME,
    TEXT("Controller", "Who serves Gateways of the class.", cell_found, "spec.controllerName"),
    TEXT("Accepted", "Whether it does.", cell_status, "Accepted"),
    AGE,
    WIDE("Description", "For people.", cell_found, "spec.description"),
};

static const struct table_column gateways[] = {
    NAME,
    TEXT("Class", "The GatewayClass.", cell_found, "spec.gatewayClassName"),
    TEXT("Address", "Where clients connect: the first address.", cell_first_address, NULL),
    TEXT("Programmed", "Whether traffic is served.", cell_status, "Programmed"),
    AGE,
};

static const struct table_column http_routes[] = {
    NAME,
    TEXT("Hostnames", "Hosts whose requests the route takes.", cell_found, "spec.hostnames"),
    AGE,
};

static const struct table_column inference_models[] = {
    NAME,
    TEXT("Model Name", "The model that clients ask for.", cell_found, "spec.modelName"),
    TEXT("Inference Pool", "The pool that serves it.", cell_found, "spec.poolRef.name"),
    TEXT("Criticality", "Which requests are shed first.", cell_found, "spec.criticality"),
    AGE,
};

static const struct table_column model_rewrites[] = {
    NAME,
    TEXT("Inference Pool", "The pool whose requests are rewritten.", cell_found, "spec.poolRef.name"),
    AGE,
};

static const struct table_column inference_objectives[] = {
    NAME,
    TEXT("Inference Pool", "The pool in which the priority counts.", cell_found, "spec.poolRef.name"),
    TEXT("Priority", "Higher goes first; below 0 is shed first.", cell_found, "spec.priority"),
    AGE,
};

static const struct table_column canaries[] = {
    NAME,
    TEXT("Target", "The object whose weights are moved.", cell_canary_target, NULL),
    TEXT("Phase", "How far the release is.", cell_text, "status.phase"),
    TEXT("Step", "Which step of how many.", cell_canary_step, NULL),
    TEXT("Weight", "The canary's share as it should be.", cell_percent, "status.share.targetPercent"),
    TEXT("Achieved", "The canary's share of the requests as it was of late.", cell_percent,
         "status.share.requestsPercent"),
    TEXT("Verdict", "How the canary stands against its guards.", cell_text, "status.verdict.result"),
    TEXT("Reason", "Why the weight does not move.", cell_text, "status.reason"),
    AGE,
    WIDE("Stable", "The arm that serves today.", cell_text, "spec.stable"),
    WIDE("Canary", "The arm that is to take over.", cell_text, "spec.canary"),
    WIDE("Message", "Why the weight does not move, for people.", cell_text, "status.message"),
};
/* clang-format on */

#define COLUMNS(array) (array), ARRAY_LEN(array)

struct table_columns table_columns_of_scale(void)
{
    return (struct table_columns){COLUMNS(scales)};
}

struct table_columns table_columns_of(enum kube_kind kind)
{
    static const struct table_columns columns[KUBE_KIND_COUNT] = {
        [KUBE_NAMESPACE] = {COLUMNS(namespaces)},
        [KUBE_CONFIG_MAP] = {COLUMNS(config_maps)},
        [KUBE_SECRET] = {COLUMNS(secrets)},
        [KUBE_SERVICE_ACCOUNT] = {COLUMNS(service_accounts)},
        [KUBE_EVENT] = {COLUMNS(events)},
        [KUBE_LEASE] = {COLUMNS(leases)},
        [KUBE_SERVICE] = {COLUMNS(services)},
        [KUBE_POD] = {COLUMNS(pods)},
        [KUBE_ENDPOINT_SLICE] = {COLUMNS(endpoint_slices)},
        [KUBE_DEPLOYMENT] = {COLUMNS(deployments)},
        [KUBE_REPLICA_SET] = {COLUMNS(replica_sets)},
        [KUBE_GATEWAY_CLASS] = {COLUMNS(gateway_classes)},
        [KUBE_GATEWAY] = {COLUMNS(gateways)},
        [KUBE_HTTP_ROUTE] = {COLUMNS(http_routes)},
        [KUBE_INFERENCE_MODEL] = {COLUMNS(inference_models)},
        [KUBE_MODEL_REWRITE_X] = {COLUMNS(model_rewrites)},
        [KUBE_MODEL_REWRITE] = {COLUMNS(model_rewrites)},
        [KUBE_OBJECTIVE_X] = {COLUMNS(inference_objectives)},
        [KUBE_OBJECTIVE] = {COLUMNS(inference_objectives)},
        [KUBE_CANARY] = {COLUMNS(canaries)},
    };
    if (kind < KUBE_KIND_COUNT && columns[kind].len > 0)
        return columns[kind];
    return (struct table_columns){COLUMNS(plain)};
}
