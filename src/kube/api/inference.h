/* SPDX-License-Identifier: Apache-2.0 */
/* inference.h: InferencePool (v1 and v1alpha2 in one shape) and InferenceModel, decoded and defaulted. */
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

struct inference_model_spec {
    const char *model_name;
    enum criticality criticality;
    const char *pool_group; /* default inference.networking.x-k8s.io; either group spelling finds the pool */
    const char *pool_kind;  /* default InferencePool */
    const char *pool_name;
    struct target_model *targets; /* at least one after defaulting: the model itself */
    unsigned target_count;
};

#endif
