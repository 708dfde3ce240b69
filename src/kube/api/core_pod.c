/* SPDX-License-Identifier: Apache-2.0 */
/* core_pod.c: decodes Pod and Deployment: the fields from which simulated workloads and pool members are made.  Other
 * fields of these kinds are kept unseen. */
#include <string.h>

#include "kube/api/core.h"
#include "kube/api/kinds.h"

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

static void decode_env(struct field *parent, struct container_spec *container)
{
    struct field list = decode_list(parent, "env", OPTIONAL, 0, SIZE_MAX);
    container->env = ARENA_ARRAY(parent->decoder->arena, struct env_var, list.len);
    container->env_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        container->env[i].name = decode_text(&item, "name", REQUIRED, &syntax_env_name);
        container->env[i].value = decode_text(&item, "value", OPTIONAL, &syntax_any);
        if (decode_object(&item, "valueFrom", OPTIONAL).value != NULL && container->env[i].value[0] != '\0')
            field_problem(&item, "valueFrom", "Invalid", "must not be given together with value");
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
    decode_probe(item, &container->readiness);
}

/* A pod's spec, in a Pod or in a template. */
static void decode_pod_spec(struct field *spec, struct pod_template *pod)
{
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
}

static bool is_condition_true(struct field *status, const char *wanted)
{
    bool is_true = false;
    struct field list = decode_list(status, "conditions", OPTIONAL, 0, SIZE_MAX);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        const char *type = decode_text(&item, "type", REQUIRED, &syntax_given);
        const char *value = decode_text(&item, "status", REQUIRED, &syntax_given);
        if (strcmp(type, wanted) == 0)
            is_true = strcmp(value, "True") == 0;
    }
    return is_true;
}

const void *pod_decode(struct field *root, const struct kube_object *object)
{
    static const struct text_syntax pod_ip = {
        .may_be_empty = true, .is_valid = NULL, .expected = "must be an IPv4 or IPv6 address"};
    struct pod_spec *pod = ARENA_NEW(object->arena, struct pod_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    decode_pod_spec(&spec, &pod->pod);
    pod->pod.labels = object->labels;
    pod->pod.annotations = object->annotations;
    struct field status = decode_object(root, "status", OPTIONAL);
    pod->pod_ip = decode_text(&status, "podIP", OPTIONAL, &pod_ip);
    if (pod->pod_ip[0] != '\0')
        (void)decode_check_text(&status, "podIP", bytes_of(pod->pod_ip), &syntax_ip_address);
    pod->is_ready = is_condition_true(&status, "Ready");
    struct field metadata = decode_object(root, "metadata", OPTIONAL);
    pod->is_deleting = field_has(&metadata, "deletionTimestamp");
    return pod;
}

const void *deployment_decode(struct field *root, const struct kube_object *object)
{
    struct deployment_spec *deployment = ARENA_NEW(object->arena, struct deployment_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    deployment->replicas = (uint32_t)decode_int(&spec, "replicas", OPTIONAL, 0, INT32_MAX, 1);
    size_t reported = root->decoder->problems->count;
    deployment->selector = decode_selector(&spec, "selector", REQUIRED);
    if (spec.value != NULL && deployment->selector.len == 0 && root->decoder->problems->count == reported)
        field_problem(&spec, "selector", "Invalid", "must not be empty");
    struct field template = decode_object(&spec, "template", REQUIRED);
    struct field metadata = decode_object(&template, "metadata", OPTIONAL);
    deployment->pod.labels = decode_labels(&metadata, "labels", OPTIONAL, 0, SIZE_MAX);
    deployment->pod.annotations = decode_annotations(&metadata, "annotations");
    if (template.value != NULL && root->decoder->problems->count == reported &&
        !label_selector_match(&deployment->selector, &deployment->pod.labels))
        field_problem(&metadata, "labels", "Invalid", "must match spec.selector");
    struct field pod = decode_object(&template, "spec", REQUIRED);
    decode_pod_spec(&pod, &deployment->pod);
    return deployment;
}
