/* SPDX-License-Identifier: Apache-2.0 */
/* tables_pod_status.c: core/v1: the status of a pod, as a kubelet writes it.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field pod_condition[] = {
    {1, "type", TEXT}, {2, "status", TEXT}, {3, "lastProbeTime", TIME}, {4, "lastTransitionTime", TIME},
    {5, "reason", TEXT, OMIT}, {6, "message", TEXT, OMIT}, {7, "observedGeneration", INT, OMIT}, {0},
};

static const struct message_field ip[] = {
    {1, "ip", TEXT}, {0},
};

static const struct message_field container_state_waiting[] = {
    {1, "reason", TEXT, OMIT}, {2, "message", TEXT, OMIT}, {0},
};

static const struct message_field container_state_running[] = {
    {1, "startedAt", TIME}, {0},
};

static const struct message_field container_state_terminated[] = {
    {1, "exitCode", INT}, {2, "signal", INT, OMIT}, {3, "reason", TEXT, OMIT}, {4, "message", TEXT, OMIT},
    {5, "startedAt", TIME}, {6, "finishedAt", TIME}, {7, "containerID", TEXT, OMIT}, {0},
};

static const struct message_field container_state[] = {
    {1, "waiting", MESSAGE, ONE, container_state_waiting}, {2, "running", MESSAGE, ONE, container_state_running},
    {3, "terminated", MESSAGE, ONE, container_state_terminated}, {0},
};

static const struct message_field image_volume_status[] = {
    {1, "imageRef", TEXT, OMIT}, {0},
};

static const struct message_field volume_status[] = {
    {1, "image", MESSAGE, ONE, image_volume_status}, {0},
};

static const struct message_field volume_mount_status[] = {
    {1, "name", TEXT}, {2, "mountPath", TEXT}, {3, "readOnly", BOOL, OMIT}, {4, "recursiveReadOnly", TEXT},
    {5, "volumeStatus", MESSAGE, ONE, volume_status}, {0},
};

static const struct message_field linux_container_user[] = {
    {1, "uid", INT}, {2, "gid", INT}, {3, "supplementalGroups", INT, LIST}, {0},
};

static const struct message_field container_user[] = {
    {1, "linux", MESSAGE, ONE, linux_container_user}, {0},
};

static const struct message_field resource_health[] = {
    {1, "resourceID", TEXT}, {2, "health", TEXT, OMIT}, {6, "message", TEXT}, {0},
};

static const struct message_field resource_status[] = {
    {1, "name", TEXT}, {2, "resources", MESSAGE, LIST, resource_health}, {0},
};

static const struct message_field container_status[] = {
    {1, "name", TEXT},
    {2, "state", MESSAGE, ONE, container_state},
    {3, "lastState", MESSAGE, ONE, container_state},
    {4, "ready", BOOL},
    {5, "restartCount", INT},
    {6, "image", TEXT},
    {7, "imageID", TEXT},
    {8, "containerID", TEXT, OMIT},
    {9, "started", BOOL},
    {10, "allocatedResources", QUANTITY, MAP},
    {11, "resources", MESSAGE, ONE, message_resource_requirements},
    {12, "volumeMounts", MESSAGE, LIST, volume_mount_status},
    {13, "user", MESSAGE, ONE, container_user},
    {14, "allocatedResourcesStatus", MESSAGE, LIST, resource_status},
    {15, "stopSignal", TEXT},
    {0},
};

static const struct message_field pod_resource_claim_status[] = {
    {1, "name", TEXT}, {2, "resourceClaimName", TEXT}, {0},
};

static const struct message_field container_extended_resource_request[] = {
    {1, "containerName", TEXT}, {2, "resourceName", TEXT}, {3, "requestName", TEXT}, {0},
};

static const struct message_field pod_extended_resource_claim_status[] = {
    {1, "requestMappings", MESSAGE, LIST, container_extended_resource_request}, {2, "resourceClaimName", TEXT}, {0},
};

static const struct message_field node_allocatable_mapped_resources[] = {
    {1, "name", TEXT}, {2, "quantity", QUANTITY}, {0},
};

static const struct message_field node_allocatable_overhead_resources[] = {
    {1, "name", TEXT}, {2, "perPod", QUANTITY}, {3, "perContainer", QUANTITY}, {0},
};

static const struct message_field node_allocatable_resource_claim_status[] = {
    {1, "resourceClaimName", TEXT},
    {2, "containers", TEXT, LIST},
    {4, "mapping", MESSAGE, LIST, node_allocatable_mapped_resources},
    {5, "overhead", MESSAGE, LIST, node_allocatable_overhead_resources},
    {0},
};

static const struct message_field volume_health_condition[] = {
    {1, "status", TEXT}, {2, "reason", TEXT}, {3, "message", TEXT, OMIT}, {0},
};

static const struct message_field pod_volume_health[] = {
    {1, "name", TEXT}, {2, "healthConditions", MESSAGE, LIST, volume_health_condition},
    {3, "lastTransitionTime", TIME}, {0},
};

const struct message_field message_pod_status[] = {
    {1, "phase", TEXT, OMIT},
    {2, "conditions", MESSAGE, LIST, pod_condition},
    {3, "message", TEXT, OMIT},
    {4, "reason", TEXT, OMIT},
    {5, "hostIP", TEXT, OMIT},
    {6, "podIP", TEXT, OMIT},
    {7, "startTime", TIME},
    {8, "containerStatuses", MESSAGE, LIST, container_status},
    {9, "qosClass", TEXT, OMIT},
    {10, "initContainerStatuses", MESSAGE, LIST, container_status},
    {11, "nominatedNodeName", TEXT, OMIT},
    {12, "podIPs", MESSAGE, LIST, ip},
    {13, "ephemeralContainerStatuses", MESSAGE, LIST, container_status},
    {14, "resize", TEXT, OMIT},
    {15, "resourceClaimStatuses", MESSAGE, LIST, pod_resource_claim_status},
    {16, "hostIPs", MESSAGE, LIST, ip},
    {17, "observedGeneration", INT, OMIT},
    {18, "extendedResourceClaimStatus", MESSAGE, ONE, pod_extended_resource_claim_status},
    {19, "allocatedResources", QUANTITY, MAP},
    {20, "resources", MESSAGE, ONE, message_resource_requirements},
    {21, "nodeAllocatableResourceClaimStatuses", MESSAGE, LIST, node_allocatable_resource_claim_status},
    {22, "volumeHealth", MESSAGE, LIST, pod_volume_health},
    {0},
};
/* clang-format on */
