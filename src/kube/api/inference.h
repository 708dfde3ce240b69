/* SPDX-License-Identifier: Apache-2.0 */
/* inference.h: InferencePool (v1 and v1alpha2 in one shape), InferenceModel, InferenceModelRewrite and
 * InferenceObjective (each the same in both of its groups), decoded and defaulted. */
#ifndef KUBE_API_INFERENCE_H
#define KUBE_API_INFERENCE_H

#include "kube/api/object.h"

struct inference_pool_spec {
    struct kube_labels selector; /* v1: selector.matchLabels; v1alpha2: selector */
    uint16_t ports[8];           /* v1: targetPorts; v1alpha2: targetPortNumber */
    unsigned port_count;
    const char *picker_name; /* endpointPickerRef / extensionRef; "" = none */
    const char *picker_kind; /* default Service */
    const char *picker_group;
    uint16_t picker_port;
    bool fail_open;
    bool is_h2c; /* appProtocol kubernetes.io/h2c */
};

enum criticality { CRITICALITY_UNSET, CRITICALITY_CRITICAL, CRITICALITY_STANDARD, CRITICALITY_SHEDDABLE };

struct target_model {
    const char *name;
    uint32_t weight; /* 1..1000000; all 1 when none is given */
};

/* In the object's own namespace. */
struct pool_ref {
    const char *group; /* has a default; either group spelling finds the pool */
    const char *kind;  /* default InferencePool */
    const char *name;
};

struct inference_model_spec {
    const char *model_name;
    enum criticality criticality;
    struct pool_ref pool;         /* default group inference.networking.x-k8s.io */
    struct target_model *targets; /* at least one after defaulting: the model itself */
    unsigned target_count;
};

struct rewrite_rule {
    const char **models; /* what clients ask for; none: whatever they ask for */
    unsigned model_count;
    struct target_model *targets; /* at least one */
    unsigned target_count;
};

/* Of all Rewrites of a pool: a model by name before any model, then the oldest object, then the order of its rules. */
struct model_rewrite_spec {
    struct pool_ref pool;       /* default group inference.networking.k8s.io */
    struct rewrite_rule *rules; /* at least one */
    unsigned rule_count;
};

struct inference_objective_spec {
    int32_t priority;     /* below 0: shed first */
    struct pool_ref pool; /* default group inference.networking.k8s.io */
};

#endif
