/* SPDX-License-Identifier: Apache-2.0 */
/* core_pod.c: decodes Pod and the spec of a pod template: the fields from which simulated workloads and pool members
 * are made.  Other fields are kept unseen. */
#include <string.h>

#include "kube/api/core_internal.h"

enum { DEFAULT_GRACE_S = 30, DEFAULT_PERIOD_S = 10 };

/* A probe counts and waits in whole numbers; for some of them 0 means the default. */
static uint32_t decode_probe_number(struct field *probe, const char *name, uint32_t fallback, bool zero_is_default)
{
    uint32_t value = (uint32_t)decode_int(probe, name, OPTIONAL, 0, INT32_MAX, fallback);
    return value == 0 && zero_is_default ? fallback : value;
}

static void decode_probe_handler(struct field *parent, struct probe_spec *probe)
{
    struct field http = decode_object(parent, "httpGet", OPTIONAL);
    struct field tcp = decode_object(parent, "tcpSocket", OPTIONAL);
    struct field exec = decode_object(parent, "exec", OPTIONAL);
    int count = (http.value != NULL) + (tcp.value != NULL) + (exec.value != NULL) + field_has(parent, "grpc");
    if (count != 1 && parent->value != NULL)
        field_problem(parent, NULL, count == 0 ? "Required" : "Invalid",
                      "must have exactly one of httpGet, tcpSocket, exec or grpc");
    probe->path = decode_text_or(&http, "path", &syntax_any, "/");
    probe->port_name = "";
    if (http.value != NULL) {
        probe->kind = PROBE_HTTP;
        (void)decode_port_or_name(&http, "port", REQUIRED, &probe->port, &probe->port_name);
    } else if (tcp.value != NULL) {
        probe->kind = PROBE_TCP;
        (void)decode_port_or_name(&tcp, "port", REQUIRED, &probe->port, &probe->port_name);
    } else if (exec.value != NULL) {
        probe->kind = PROBE_EXEC;
    }
}

static void decode_probe(struct field *container, struct probe_spec *probe)
{
    struct field field = decode_object(container, "readinessProbe", OPTIONAL);
    decode_probe_handler(&field, probe);
    probe->initial_delay_s = decode_probe_number(&field, "initialDelaySeconds", 0, false);
    probe->period_s = decode_probe_number(&field, "periodSeconds", DEFAULT_PERIOD_S, true);
    probe->timeout_s = decode_probe_number(&field, "timeoutSeconds", 1, true);
    probe->success_threshold = decode_probe_number(&field, "successThreshold", 1, true);
    probe->failure_threshold = decode_probe_number(&field, "failureThreshold", 3, true);
}

static void decode_container_ports(struct field *parent, struct container_spec *container)
{
    struct field list = decode_list(parent, "ports", OPTIONAL, 0, SIZE_MAX);
    container->ports = ARENA_ARRAY(parent->decoder->arena, struct container_port, list.len);
    container->port_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        container->ports[i].name = decode_text(&item, "name", OPTIONAL, &syntax_port_name);
        container->ports[i].port = decode_port(&item, "containerPort", REQUIRED);
        for (size_t j = 0; j < i && container->ports[i].name[0] != '\0'; j++) {
            if (strcmp(container->ports[j].name, container->ports[i].name) == 0) {
                field_problem(&item, "name", "Invalid", "must be unique");
                break;
            }
        }
    }
}

/* name, key and optional of configMapKeyRef and secretKeyRef. */
static void decode_key_ref(struct field *ref, enum env_source source, struct env_var *var)
{
    if (ref->value == NULL)
        return;
    var->source = source;
    var->from = decode_text(ref, "name", REQUIRED, &syntax_reference_name);
    var->key = decode_text(ref, "key", REQUIRED, &syntax_given);
    var->is_optional = decode_bool(ref, "optional", false);
}

static void decode_value_from(struct field *item, struct env_var *var)
{
    struct field from = decode_object(item, "valueFrom", OPTIONAL);
    if (from.value == NULL)
        return;
    if (var->value[0] != '\0')
        field_problem(item, "valueFrom", "Invalid", "must not be given together with value");
    struct field config_map = decode_object(&from, "configMapKeyRef", OPTIONAL);
    struct field secret = decode_object(&from, "secretKeyRef", OPTIONAL);
    struct field path = decode_object(&from, "fieldRef", OPTIONAL);
    struct field resource = decode_object(&from, "resourceFieldRef", OPTIONAL);
    int count = (config_map.value != NULL) + (secret.value != NULL) + (path.value != NULL) + (resource.value != NULL);
    if (count != 1)
        field_problem(&from, NULL, count == 0 ? "Required" : "Invalid",
                      "must have exactly one of configMapKeyRef, secretKeyRef, fieldRef or resourceFieldRef");
    decode_key_ref(&config_map, ENV_CONFIG_MAP, var);
    decode_key_ref(&secret, ENV_SECRET, var);
    if (path.value != NULL) {
        var->source = ENV_FIELD;
        var->from = decode_text(&path, "fieldPath", REQUIRED, &syntax_given);
    } else if (resource.value != NULL) {
        var->source = ENV_RESOURCE;
        var->from = decode_text(&resource, "resource", REQUIRED, &syntax_given);
    }
}

static void decode_env(struct field *parent, struct container_spec *container)
{
    struct field list = decode_list(parent, "env", OPTIONAL, 0, SIZE_MAX);
    container->env = ARENA_ARRAY(parent->decoder->arena, struct env_var, list.len);
    container->env_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        container->env[i] = (struct env_var){.from = "", .key = ""};
        container->env[i].name = decode_text(&item, "name", REQUIRED, &syntax_env_name);
        container->env[i].value = decode_text(&item, "value", OPTIONAL, &syntax_any);
        decode_value_from(&item, &container->env[i]);
    }
}

static void decode_env_from_item(struct field *item, struct env_from *from)
{
    struct field config_map = decode_object(item, "configMapRef", OPTIONAL);
    struct field secret = decode_object(item, "secretRef", OPTIONAL);
    int count = (config_map.value != NULL) + (secret.value != NULL);
    if (count != 1 && item->value != NULL)
        field_problem(item, NULL, count == 0 ? "Required" : "Invalid",
                      "must have exactly one of configMapRef or secretRef");
    struct field *ref = secret.value != NULL ? &secret : &config_map;
    from->source = secret.value != NULL ? ENV_SECRET : ENV_CONFIG_MAP;
    from->from = decode_text(ref, "name", REQUIRED, &syntax_reference_name);
    from->is_optional = decode_bool(ref, "optional", false);
    from->prefix = decode_text_or(item, "prefix", &syntax_env_name, "");
}

static void decode_env_from(struct field *parent, struct container_spec *container)
{
    struct field list = decode_list(parent, "envFrom", OPTIONAL, 0, SIZE_MAX);
    container->env_from = ARENA_ARRAY(parent->decoder->arena, struct env_from, list.len);
    container->env_from_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_env_from_item(&item, &container->env_from[i]);
    }
}

static void decode_container(struct field *item, struct container_spec *container)
{
    container->name = decode_text(item, "name", REQUIRED, &syntax_dns_label);
    container->image = decode_text(item, "image", REQUIRED, &syntax_given);
    container->command = decode_texts(item, "command", SIZE_MAX, &syntax_any, &container->command_count);
    container->args = decode_texts(item, "args", SIZE_MAX, &syntax_any, &container->arg_count);
    decode_container_ports(item, container);
    decode_env(item, container);
    decode_env_from(item, container);
    decode_probe(item, &container->readiness);
}

void pod_spec_decode(struct field *spec, struct pod_template *pod)
{
    static const char *const policies[] = {
        [RESTART_ALWAYS] = "Always", [RESTART_ON_FAILURE] = "OnFailure", [RESTART_NEVER] = "Never", NULL};
    struct field list = decode_list(spec, "containers", REQUIRED, 1, SIZE_MAX);
    pod->containers = ARENA_ARRAY(spec->decoder->arena, struct container_spec, list.len);
    pod->container_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_container(&item, &pod->containers[i]);
        for (size_t j = 0; j < i && pod->containers[i].name[0] != '\0'; j++) {
            if (strcmp(pod->containers[j].name, pod->containers[i].name) == 0) {
                field_problem(&item, "name", "Invalid", "must be unique");
                break;
            }
        }
    }
    pod->termination_grace_s =
        (uint32_t)decode_int(spec, "terminationGracePeriodSeconds", OPTIONAL, 0, INT32_MAX, DEFAULT_GRACE_S);
    pod->restart_policy = (enum restart_policy)decode_enum(spec, "restartPolicy", OPTIONAL, policies, RESTART_ALWAYS);
}

static void decode_ready(struct field *status, struct pod_spec *pod)
{
    struct field list = decode_list(status, "conditions", OPTIONAL, 0, SIZE_MAX);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        const char *type = decode_text(&item, "type", REQUIRED, &syntax_given);
        const char *value = decode_text(&item, "status", REQUIRED, &syntax_given);
        if (strcmp(type, "Ready") != 0)
            continue;
        uint64_t since_ms = decode_time(&item, "lastTransitionTime");
        pod->is_ready = strcmp(value, "True") == 0;
        pod->ready_since_ms = pod->is_ready ? since_ms : 0;
    }
}

const void *pod_decode(struct field *root, const struct kube_object *object)
{
    static const struct text_syntax pod_ip = {
        .may_be_empty = true, .is_valid = NULL, .expected = "must be an IPv4 or IPv6 address"};
    struct pod_spec *pod = ARENA_NEW(object->arena, struct pod_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    pod_spec_decode(&spec, &pod->pod);
    pod->node_name = decode_text(&spec, "nodeName", OPTIONAL, &syntax_any);
    pod->pod.labels = object->labels;
    pod->pod.annotations = object->annotations;
    struct field status = decode_object(root, "status", OPTIONAL);
    pod->pod_ip = decode_text(&status, "podIP", OPTIONAL, &pod_ip);
    if (pod->pod_ip[0] != '\0')
        (void)decode_check_text(&status, "podIP", bytes_of(pod->pod_ip), &syntax_ip_address);
    pod->phase = decode_text(&status, "phase", OPTIONAL, &syntax_any);
    decode_ready(&status, pod);
    struct field metadata = decode_object(root, "metadata", OPTIONAL);
    pod->is_deleting = field_has(&metadata, "deletionTimestamp");
    return pod;
}
