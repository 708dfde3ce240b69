/* SPDX-License-Identifier: Apache-2.0 */
/* core_deployment.c: decodes Deployment and ReplicaSet.  Fields that no controller here uses are kept unseen. */
#include <string.h>

#include "kube/api/core_internal.h"

enum { DEFAULT_HISTORY_LIMIT = 10, DEFAULT_DEADLINE_S = 600, DEFAULT_PERCENT = 25 };

/* "25%"; false when it is none. */
static bool parse_percent(const char *text, uint32_t *ret_value)
{
    unsigned long long value = 0;
    struct bytes digits = bytes_of(text);
    if (!bytes_ends_with(digits, BYTES("%")))
        return false;
    digits.len--;
    if (!bytes_to_u64(digits, INT32_MAX, &value))
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

static struct count_or_percent decode_count_or_percent(struct field *parent, const char *name)
{
    struct count_or_percent result = {.value = DEFAULT_PERCENT, .is_percent = true};
    if (!field_has(parent, name))
        return result;
    json_t *value = json_object_get(parent->value, name);
    if (json_is_integer(value)) {
        result.value = (uint32_t)decode_int(parent, name, OPTIONAL, 0, INT32_MAX, 0);
        result.is_percent = false;
    } else if (!json_is_string(value)) {
        field_problem(parent, name, "TypeMismatch", "must be a number of pods or a percentage such as \"25%%\"");
    } else if (!parse_percent(json_string_value(value), &result.value)) {
        field_problem(parent, name, "Invalid", "must be a percentage such as 25%%");
    }
    return result;
}

static void decode_strategy(struct field *spec, struct deployment_spec *deployment)
{
    enum { RECREATE, ROLLING_UPDATE };
    static const char *const types[] = {[RECREATE] = "Recreate", [ROLLING_UPDATE] = "RollingUpdate", NULL};
    struct field strategy = decode_object(spec, "strategy", OPTIONAL);
    deployment->is_recreate = decode_enum(&strategy, "type", OPTIONAL, types, ROLLING_UPDATE) == RECREATE;
    struct field rolling = decode_object(&strategy, "rollingUpdate", OPTIONAL);
    if (deployment->is_recreate && rolling.value != NULL)
        field_problem(&rolling, NULL, "Forbidden", "must not be given with type Recreate");
    size_t reported = spec->decoder->problems->count;
    struct count_or_percent surge = decode_count_or_percent(&rolling, "maxSurge");
    struct count_or_percent unavailable = decode_count_or_percent(&rolling, "maxUnavailable");
    if (unavailable.is_percent && unavailable.value > 100)
        field_problem(&rolling, "maxUnavailable", "Invalid", "must be at most 100%%");
    if (surge.value == 0 && unavailable.value == 0 && spec->decoder->problems->count == reported)
        field_problem(&rolling, "maxUnavailable", "Invalid", "must not be 0 when maxSurge is 0");
    deployment->max_surge = surge;
    deployment->max_unavailable = unavailable;
}

/* What a ReplicaSet has not. */
static void decode_rollout(struct field *spec, struct deployment_spec *deployment)
{
    decode_strategy(spec, deployment);
    deployment->is_paused = decode_bool(spec, "paused", false);
    deployment->revision_history_limit =
        (uint32_t)decode_int(spec, "revisionHistoryLimit", OPTIONAL, 0, INT32_MAX, DEFAULT_HISTORY_LIMIT);
    deployment->progress_deadline_s =
        (uint32_t)decode_int(spec, "progressDeadlineSeconds", OPTIONAL, 0, INT32_MAX, DEFAULT_DEADLINE_S);
    if (spec->value != NULL && deployment->progress_deadline_s <= deployment->min_ready_s)
        field_problem(spec, "progressDeadlineSeconds", "Invalid", "must be more than minReadySeconds");
}

static void decode_template(struct field *spec, struct deployment_spec *deployment)
{
    size_t reported = spec->decoder->problems->count;
    deployment->selector = decode_selector(spec, "selector", REQUIRED);
    if (spec->value != NULL && deployment->selector.len == 0 && spec->decoder->problems->count == reported)
        field_problem(spec, "selector", "Invalid", "must not be empty");
    struct field template = decode_object(spec, "template", REQUIRED);
    struct field metadata = decode_object(&template, "metadata", OPTIONAL);
    deployment->pod.labels = decode_labels(&metadata, "labels", OPTIONAL, 0, SIZE_MAX);
    deployment->pod.annotations = decode_annotations(&metadata, "annotations");
    if (template.value != NULL && spec->decoder->problems->count == reported &&
        !label_selector_match(&deployment->selector, &deployment->pod.labels))
        field_problem(&metadata, "labels", "Invalid", "must match spec.selector");
    struct field pod = decode_object(&template, "spec", REQUIRED);
    pod_spec_decode(&pod, &deployment->pod);
    if (deployment->pod.restart_policy != RESTART_ALWAYS)
        field_problem(&pod, "restartPolicy", "NotSupported", "must be Always in a template");
}

const void *deployment_decode(struct field *root, const struct kube_object *object)
{
    struct deployment_spec *deployment = ARENA_NEW(object->arena, struct deployment_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    deployment->replicas = (uint32_t)decode_int(&spec, "replicas", OPTIONAL, 0, INT32_MAX, 1);
    deployment->min_ready_s = (uint32_t)decode_int(&spec, "minReadySeconds", OPTIONAL, 0, INT32_MAX, 0);
    decode_template(&spec, deployment);
    if (object->kind == KUBE_DEPLOYMENT)
        decode_rollout(&spec, deployment);
    return deployment;
}
