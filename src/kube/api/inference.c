/* SPDX-License-Identifier: Apache-2.0 */
/* inference.c: decodes InferencePool (both versions into one shape) and InferenceModel.  That a model's modelName never
 * changes is checked by whoever stores objects: one object alone cannot tell. */
#include "kube/api/inference.h"

#include "kube/api/kinds.h"

enum { POOL_LABELS_MAX = 64, POOL_PORTS_MAX = 8, MODEL_NAME_MAX = 256, TARGETS_MAX = 10, WEIGHT_MAX = 1000000 };

static const char *const failure_modes[] = {"FailOpen", "FailClose", NULL};

static void decode_target_ports(struct field *spec, struct inference_pool_spec *pool)
{
    struct field list = decode_list(spec, "targetPorts", REQUIRED, 1, POOL_PORTS_MAX);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        uint16_t port = decode_port(&item, "number", REQUIRED);
        for (unsigned j = 0; j < pool->port_count && port != 0; j++) {
            if (pool->ports[j] == port) {
                field_problem(&item, "number", "Invalid", "must be unique");
                break;
            }
        }
        pool->ports[pool->port_count++] = port;
        decode_end(&item);
    }
}

/* The part that both versions share. */
static void decode_picker(struct field *ref, struct inference_pool_spec *pool)
{
    pool->picker_group = decode_text(ref, "group", OPTIONAL, &syntax_group);
    pool->picker_kind = decode_text_or(ref, "kind", &syntax_kind, "Service");
    pool->picker_name = decode_text(ref, "name", REQUIRED, &syntax_reference_name);
    pool->fail_open = decode_enum(ref, "failureMode", OPTIONAL, failure_modes, 1) == 0;
}

const void *inference_pool_decode(struct field *root, const struct kube_object *object)
{
    static const char *const protocols[] = {"http", "kubernetes.io/h2c", NULL};
    struct inference_pool_spec *pool = ARENA_NEW(object->arena, struct inference_pool_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    struct field selector = decode_object(&spec, "selector", REQUIRED);
    pool->selector = decode_labels(&selector, "matchLabels", REQUIRED, 1, POOL_LABELS_MAX);
    decode_end(&selector);
    decode_target_ports(&spec, pool);
    pool->is_h2c = decode_enum(&spec, "appProtocol", OPTIONAL, protocols, 0) == 1;
    struct field ref = decode_object(&spec, "endpointPickerRef", OPTIONAL);
    decode_picker(&ref, pool);
    bool is_service = bytes_equal_str(bytes_of(pool->picker_kind), "Service");
    struct field port = decode_object(&ref, "port", is_service ? REQUIRED : OPTIONAL);
    pool->picker_port = decode_port(&port, "number", REQUIRED);
    decode_end(&port);
    decode_end(&ref);
    decode_end(&spec);
    return pool;
}

const void *inference_pool_x_decode(struct field *root, const struct kube_object *object)
{
    struct inference_pool_spec *pool = ARENA_NEW(object->arena, struct inference_pool_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    pool->selector = decode_labels(&spec, "selector", REQUIRED, 0, SIZE_MAX);
    pool->ports[0] = decode_port(&spec, "targetPortNumber", REQUIRED);
    pool->port_count = 1;
    struct field ref = decode_object(&spec, "extensionRef", REQUIRED);
    decode_picker(&ref, pool);
    pool->picker_port = decode_port(&ref, "portNumber", OPTIONAL);
    decode_end(&ref);
    decode_end(&spec);
    return pool;
}

static void decode_targets(struct field *spec, struct inference_model_spec *model)
{
    struct field list = decode_list(spec, "targetModels", OPTIONAL, 0, TARGETS_MAX);
    unsigned weight_count = 0;
    model->target_count = list.len > 0 ? (unsigned)list.len : 1;
    model->targets = ARENA_ARRAY(spec->decoder->arena, struct target_model, model->target_count);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        model->targets[i].name = decode_text(&item, "name", REQUIRED, &syntax_reference_name);
        weight_count += field_has(&item, "weight");
        model->targets[i].weight = (uint32_t)decode_int(&item, "weight", OPTIONAL, 1, WEIGHT_MAX, 1);
        decode_end(&item);
    }
    if (list.len == 0)
        model->targets[0] = (struct target_model){.name = model->model_name, .weight = 1};
    if (weight_count > 0 && weight_count < list.len)
        field_problem(&list, NULL, "Invalid", "must have a weight on all items or on none");
}

const void *inference_model_decode(struct field *root, const struct kube_object *object)
{
    static const char *const criticalities[] = {"Critical", "Standard", "Sheddable", NULL};
    static const struct text_syntax model_name = {.max_len = MODEL_NAME_MAX};
    struct inference_model_spec *model = ARENA_NEW(object->arena, struct inference_model_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    model->model_name = decode_text(&spec, "modelName", REQUIRED, &model_name);
    int criticality = decode_enum(&spec, "criticality", OPTIONAL, criticalities, -1);
    model->criticality = (enum criticality)(criticality + CRITICALITY_CRITICAL);
    decode_targets(&spec, model);
    struct field ref = decode_object(&spec, "poolRef", REQUIRED);
    model->pool_group = decode_text_or(&ref, "group", &syntax_group, "inference.networking.x-k8s.io");
    model->pool_kind = decode_text_or(&ref, "kind", &syntax_kind, "InferencePool");
    model->pool_name = decode_text(&ref, "name", REQUIRED, &syntax_reference_name);
    decode_end(&ref);
    decode_end(&spec);
    return model;
}
