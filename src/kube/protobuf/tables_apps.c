/* SPDX-License-Identifier: Apache-2.0 */
/* tables_apps.c: apps/v1 Deployment and ReplicaSet; autoscaling/v1 Scale.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field rolling_update_deployment[] = {
    {1, "maxUnavailable", INT_OR_STRING}, {2, "maxSurge", INT_OR_STRING}, {0},
};

static const struct message_field deployment_strategy[] = {
    {1, "type", TEXT, OMIT}, {2, "rollingUpdate", MESSAGE, ONE, rolling_update_deployment}, {0},
};

static const struct message_field deployment_spec[] = {
    {1, "replicas", INT},
    {2, "selector", MESSAGE, ONE, message_label_selector},
    {3, "template", MESSAGE, ONE, message_pod_template_spec},
    {4, "strategy", MESSAGE, ONE, deployment_strategy},
    {5, "minReadySeconds", INT, OMIT},
    {6, "revisionHistoryLimit", INT},
    {7, "paused", BOOL, OMIT},
    {9, "progressDeadlineSeconds", INT},
    {0},
};

static const struct message_field deployment_condition[] = {
    {1, "type", TEXT}, {2, "status", TEXT}, {4, "reason", TEXT, OMIT}, {5, "message", TEXT, OMIT},
    {6, "lastUpdateTime", TIME}, {7, "lastTransitionTime", TIME}, {0},
};

static const struct message_field deployment_status[] = {
    {1, "observedGeneration", INT, OMIT},
    {2, "replicas", INT, OMIT},
    {3, "updatedReplicas", INT, OMIT},
    {4, "availableReplicas", INT, OMIT},
    {5, "unavailableReplicas", INT, OMIT},
    {6, "conditions", MESSAGE, LIST, deployment_condition},
    {7, "readyReplicas", INT, OMIT},
    {8, "collisionCount", INT},
    {9, "terminatingReplicas", INT},
    {0},
};

const struct message_field message_deployment[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, deployment_spec},
    {3, "status", MESSAGE, ONE, deployment_status}, {0},
};

static const struct message_field replica_set_spec[] = {
    {1, "replicas", INT}, {2, "selector", MESSAGE, ONE, message_label_selector},
    {3, "template", MESSAGE, ONE, message_pod_template_spec}, {4, "minReadySeconds", INT, OMIT}, {0},
};

static const struct message_field replica_set_condition[] = {
    {1, "type", TEXT}, {2, "status", TEXT}, {3, "lastTransitionTime", TIME}, {4, "reason", TEXT, OMIT},
    {5, "message", TEXT, OMIT}, {0},
};

static const struct message_field replica_set_status[] = {
    {1, "replicas", INT},
    {2, "fullyLabeledReplicas", INT, OMIT},
    {3, "observedGeneration", INT, OMIT},
    {4, "readyReplicas", INT, OMIT},
    {5, "availableReplicas", INT, OMIT},
    {6, "conditions", MESSAGE, LIST, replica_set_condition},
    {7, "terminatingReplicas", INT},
    {0},
};

const struct message_field message_replica_set[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, replica_set_spec},
    {3, "status", MESSAGE, ONE, replica_set_status}, {0},
};

static const struct message_field scale_spec[] = {
    {1, "replicas", INT, OMIT}, {0},
};

static const struct message_field scale_status[] = {
    {1, "replicas", INT}, {2, "selector", TEXT, OMIT}, {0},
};

const struct message_field message_scale[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, scale_spec},
    {3, "status", MESSAGE, ONE, scale_status}, {0},
};
/* clang-format on */
