/* SPDX-License-Identifier: Apache-2.0 */
/* schema_inference.c: fields of InferencePool, InferenceModel, InferenceModelRewrite and InferenceObjective, as
 * kube/api/inference.c decodes them. */
#include "kube/apiserver/schema.h"

/* clang-format off */
static const struct schema_field pool_parent[] = {
    {"parentRef", T_OBJECT | T_REQUIRED, "The Gateway.", .of = &schema_parent_reference},
    {"controllerName", T_STRING, "Who wrote this."},
    {"conditions", T_OBJECT | T_LIST, "Accepted: the pool is served. ResolvedRefs: its picker is there.",
     .of = &schema_condition},
};
static const struct schema schema_pool_parent = {
    .name = "io.k8s.networking.inference.v1.ParentStatus",
    .description = "State of a pool towards one Gateway that uses it.",
    SCHEMA_FIELDS(pool_parent),
};

static const struct schema_field inference_pool[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".selector", T_OBJECT | T_REQUIRED, "Which pods are model servers of the pool."},
    {"..matchLabels", T_STRING | T_MAP | T_REQUIRED, "Labels that a pod must have; 1 to 64."},
    {".targetPorts", T_OBJECT | T_LIST | T_REQUIRED, "Ports of every model server; 1 to 8, each an endpoint of its own."},
    {"..number", T_INT | T_REQUIRED, "Port, 1 to 65535."},
    {".appProtocol", T_STRING, "What model servers speak.", .values = "http|kubernetes.io/h2c",
     .fallback = "\"http\""},
    {".endpointPickerRef", T_OBJECT, "The service that picks endpoints; the built-in picker when not given."},
    {"..group", T_STRING, "API group.", .fallback = "\"\""},
    {"..kind", T_STRING, "Kind.", .fallback = "\"Service\""},
    {"..name", T_STRING | T_REQUIRED, "Name."},
    {"..port", T_OBJECT, "Port of the service; required for kind Service."},
    {"...number", T_INT | T_REQUIRED, "Port, 1 to 65535."},
    {"..failureMode", T_STRING, "When the picker fails: any endpoint, or an error.", .values = "FailOpen|FailClose",
     .fallback = "\"FailClose\""},
    {"status", T_OBJECT, "What is."},
    {".parents", T_OBJECT | T_LIST, "State towards each Gateway that uses the pool.", .of = &schema_pool_parent},
};
const struct schema schema_inference_pool = {
    .description = "Model servers that serve the same models, among which an endpoint picker chooses.",
    SCHEMA_FIELDS(inference_pool),
};

static const struct schema_field inference_pool_x[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".selector", T_STRING | T_MAP | T_REQUIRED, "Labels of the pods that are model servers of the pool."},
    {".targetPortNumber", T_INT | T_REQUIRED, "Port of every model server, 1 to 65535."},
    {".extensionRef", T_OBJECT | T_REQUIRED, "The service that picks endpoints; where it does not exist, the built-in "
     "picker."},
    {"..group", T_STRING, "API group.", .fallback = "\"\""},
    {"..kind", T_STRING, "Kind.", .fallback = "\"Service\""},
    {"..name", T_STRING | T_REQUIRED, "Name."},
    {"..portNumber", T_INT, "Port of the service; taken from it when not given."},
    {"..failureMode", T_STRING, "When the picker fails: any endpoint, or an error.", .values = "FailOpen|FailClose",
     .fallback = "\"FailClose\""},
    {"status", T_OBJECT, "What is."},
    {".parent", T_OBJECT | T_LIST, "State towards each Gateway that uses the pool.", .of = &schema_pool_parent},
};
const struct schema schema_inference_pool_x = {
    .description = "Model servers that serve the same models. The older form of inference.networking.k8s.io/v1.",
    SCHEMA_FIELDS(inference_pool_x),
};

static const struct schema_field inference_model[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".modelName", T_STRING | T_REQUIRED, "The model that clients ask for; at most 256 characters. Unique in the pool, "
     "the oldest wins. Cannot be changed."},
    {".criticality", T_STRING, "Which requests are shed first: Sheddable, then Standard.",
     .values = "Critical|Standard|Sheddable"},
    {".poolRef", T_OBJECT | T_REQUIRED, "The pool that serves the model, in the same namespace."},
    {"..group", T_STRING, "API group; either spelling finds the pool.",
     .fallback = "\"inference.networking.x-k8s.io\""},
    {"..kind", T_STRING, "Kind.", .fallback = "\"InferencePool\""},
    {"..name", T_STRING | T_REQUIRED, "Name."},
    {".targetModels", T_OBJECT | T_LIST, "Arms among which requests for the model are split, such as LoRA adapters; at "
     "most 10. The model itself when not given."},
    {"..name", T_STRING | T_REQUIRED, "The model or adapter as the model server knows it."},
    {"..weight", T_INT, "Share of the requests: weight / sum of all weights, 1 to 1000000. On all arms or on none."},
    {"status", T_OBJECT, "What is."},
    {".conditions", T_OBJECT | T_LIST, "Accepted: the name is not taken by an older one.", .of = &schema_condition},
};
const struct schema schema_inference_model = {
    .description = "A model that clients ask for, and the models or adapters that answer for it.",
    SCHEMA_FIELDS(inference_model),
};

#define POOL_REF(description)                                                                                          \
    {".poolRef", T_OBJECT | T_REQUIRED, description},                                                                  \
    {"..group", T_STRING, "API group; either spelling finds the pool.",                                                \
     .fallback = "\"inference.networking.k8s.io\""},                                                                   \
    {"..kind", T_STRING, "Kind.", .fallback = "\"InferencePool\""},                                                    \
    {"..name", T_STRING | T_REQUIRED, "Name."}

static const struct schema_field model_rewrite[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    POOL_REF("The pool whose requests are rewritten, in the same namespace."),
    {".rules", T_OBJECT | T_LIST | T_REQUIRED, "The first that matches counts, those that name the model before the "
     "others; 1 to 64."},
    {"..matches", T_OBJECT | T_LIST, "Which requests: one of these must hold. All requests when not given."},
    {"...model", T_OBJECT | T_REQUIRED, "The model that the client asks for."},
    {"....type", T_STRING, "How it is compared.", .values = "Exact", .fallback = "\"Exact\""},
    {"....value", T_STRING | T_REQUIRED, "The model's name; at most 256 characters."},
    {"..targets", T_OBJECT | T_LIST | T_REQUIRED, "Models or adapters among which the requests are split; 1 to 32."},
    {"...modelRewrite", T_STRING | T_REQUIRED, "The name that the model server gets to see."},
    {"...weight", T_INT, "Share of the requests: weight / sum of all weights, 1 to 1000000. On all targets or on none."},
    {"status", T_OBJECT, "What is."},
    {".conditions", T_OBJECT | T_LIST, "Accepted: the rules are in force.", .of = &schema_condition},
};
const struct schema schema_model_rewrite = {
    .description = "Replaces the model that clients ask for by others, by weight.",
    SCHEMA_FIELDS(model_rewrite),
};

static const struct schema_field inference_objective[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".priority", T_INT, "Higher goes first when there is no room for all; below 0 is shed first.", .fallback = "0"},
    POOL_REF("The pool in which the priority counts, in the same namespace."),
    {"status", T_OBJECT, "What is."},
    {".conditions", T_OBJECT | T_LIST, "Accepted: requests may name it.", .of = &schema_condition},
};
const struct schema schema_inference_objective = {
    .description = "How important requests are that name it in the header x-llm-d-inference-objective, or whose model "
                   "its annotation serin.dev/models names.",
    SCHEMA_FIELDS(inference_objective),
};
/* clang-format on */
