/* SPDX-License-Identifier: Apache-2.0 */
/* schema_workloads.c: fields of Pod, Deployment and ReplicaSet: those in use, and the ones that people look for.  These
 * kinds keep what is not listed here. */
#include "kube/apiserver/schema.h"

/* clang-format off */
static const struct schema_field probe[] = {
    {"httpGet", T_OBJECT | T_OPEN, "Good when the answer is 200 to 399."},
    {".path", T_STRING, "Path to ask for.", .fallback = "\"/\""},
    {".port", T_INT_OR_STRING | T_REQUIRED, "Port, by number or by the name of a container port."},
    {".host", T_STRING, "Host to connect to; the pod when empty."},
    {".scheme", T_STRING, "HTTP or HTTPS.", .values = "HTTP|HTTPS", .fallback = "\"HTTP\""},
    {"tcpSocket", T_OBJECT | T_OPEN, "Good when a connection is accepted."},
    {".port", T_INT_OR_STRING | T_REQUIRED, "Port, by number or by the name of a container port."},
    {"exec", T_OBJECT, "Good when a command ends with status 0."},
    {".command", T_STRING | T_LIST, "Program and arguments; no shell."},
    {"grpc", T_OBJECT | T_OPEN, "Good when the gRPC health service says SERVING."},
    {".port", T_INT | T_REQUIRED, "Port."},
    {"initialDelaySeconds", T_INT, "Time from the start of the container to the first probe.", .fallback = "0"},
    {"periodSeconds", T_INT, "Time between probes.", .fallback = "10"},
    {"timeoutSeconds", T_INT, "A probe without an answer by then has failed.", .fallback = "1"},
    {"successThreshold", T_INT, "Successes in a row that make it good.", .fallback = "1"},
    {"failureThreshold", T_INT, "Failures in a row that make it bad.", .fallback = "3"},
};
static const struct schema schema_probe = {
    .name = "io.k8s.api.core.v1.Probe",
    .description = "How the state of a container is asked for: exactly one of httpGet, tcpSocket, exec and grpc.",
    SCHEMA_FIELDS(probe),
    .is_open = true,
};

static const struct schema_field container[] = {
    {"name", T_STRING | T_REQUIRED, "A DNS label, unique in the pod."},
    {"image", T_STRING | T_REQUIRED, "Image to run."},
    {"imagePullPolicy", T_STRING, "When the image is fetched.", .values = "Always|IfNotPresent|Never"},
    {"command", T_STRING | T_LIST, "Program and first arguments; no shell. A simulated workload is known by it."},
    {"args", T_STRING | T_LIST, "Further arguments."},
    {"workingDir", T_STRING, "Folder to start in."},
    {"ports", T_OBJECT | T_LIST | T_OPEN, "Ports that the container listens on; for information."},
    {".name", T_STRING, "Name by which Services and probes refer to the port."},
    {".containerPort", T_INT | T_REQUIRED, "Port, 1 to 65535."},
    {".protocol", T_STRING, "Transport.", .values = "TCP|UDP|SCTP", .fallback = "\"TCP\""},
    {"env", T_OBJECT | T_LIST, "Environment."},
    {".name", T_STRING | T_REQUIRED, "Name of the variable."},
    {".value", T_STRING, "Its value."},
    {".valueFrom", T_ANY, "Where the value is taken from; not together with value."},
    {"envFrom", T_ANY | T_LIST, "ConfigMaps and Secrets whose keys become variables."},
    {"resources", T_OBJECT | T_OPEN, "What the container needs."},
    {".requests", T_INT_OR_STRING | T_MAP, "What is set aside for it."},
    {".limits", T_INT_OR_STRING | T_MAP, "What it may use at most, such as nvidia.com/gpu."},
    {"readinessProbe", T_OBJECT, "Whether requests are sent to the pod.", .of = &schema_probe},
    {"livenessProbe", T_OBJECT, "Whether the container must be started again.", .of = &schema_probe},
    {"startupProbe", T_OBJECT, "Whether the container has started; other probes wait for it.", .of = &schema_probe},
    {"lifecycle", T_ANY, "What is run after the start and before the end."},
    {"restartPolicy", T_STRING, "Always makes an init container a sidecar."},
    {"securityContext", T_ANY, "User, capabilities and the like."},
    {"terminationMessagePath", T_STRING, "File with the last words of the container."},
    {"terminationMessagePolicy", T_STRING, "Where else the last words may come from."},
    {"volumeMounts", T_OBJECT | T_LIST | T_OPEN, "Volumes that the container sees."},
    {".name", T_STRING | T_REQUIRED, "The volume."},
    {".mountPath", T_STRING | T_REQUIRED, "Where."},
    {".subPath", T_STRING, "Which folder of the volume."},
    {".readOnly", T_BOOL, "Without writing."},
};
static const struct schema schema_container = {
    .name = "io.k8s.api.core.v1.Container",
    .description = "A program in a pod.",
    SCHEMA_FIELDS(container),
    .is_open = true,
};

static const struct schema_field pod_spec[] = {
    {"containers", T_OBJECT | T_LIST | T_REQUIRED, "Programs that run together; at least one.", .of = &schema_container},
    {"initContainers", T_OBJECT | T_LIST, "Programs that run before, one after the other.", .of = &schema_container},
    {"terminationGracePeriodSeconds", T_LONG, "Time to end in good order before the pod is killed.",
     .fallback = "30"},
    {"restartPolicy", T_STRING, "When containers are started again.", .values = "Always|OnFailure|Never",
     .fallback = "\"Always\""},
    {"volumes", T_OBJECT | T_LIST | T_OPEN, "Storage that containers can mount."},
    {".name", T_STRING | T_REQUIRED, "Name, unique in the pod."},
    {"nodeName", T_STRING, "Where the pod runs."},
    {"nodeSelector", T_STRING | T_MAP, "Labels of the nodes on which it may run."},
    {"affinity", T_ANY, "Where it should run."},
    {"tolerations", T_ANY | T_LIST, "Taints of nodes that it bears."},
    {"serviceAccountName", T_STRING, "Identity of the pod."},
    {"imagePullSecrets", T_ANY | T_LIST, "Secrets for fetching images."},
    {"securityContext", T_ANY, "User, capabilities and the like."},
    {"hostNetwork", T_BOOL, "Uses the network of the node."},
    {"hostname", T_STRING, "Host name of the pod."},
    {"dnsPolicy", T_STRING, "Where names are looked up.", .fallback = "\"ClusterFirst\""},
    {"schedulerName", T_STRING, "Who finds a node for the pod."},
    {"priorityClassName", T_STRING, "How important the pod is."},
    {"readinessGates", T_OBJECT | T_LIST, "Further conditions of readiness."},
    {".conditionType", T_STRING | T_REQUIRED, "A condition of the pod."},
};
static const struct schema schema_pod_spec = {
    .name = "io.k8s.api.core.v1.PodSpec",
    .description = "What runs in a pod.",
    SCHEMA_FIELDS(pod_spec),
    .is_open = true,
};

static const struct schema_field pod_template[] = {
    {"metadata", T_OBJECT, "Labels and annotations of the pods. Annotation serin.dev/sim sets how a simulated model "
     "behaves.", .of = &schema_object_meta},
    {"spec", T_OBJECT | T_REQUIRED, "What runs in the pods.", .of = &schema_pod_spec},
};
static const struct schema schema_pod_template = {
    .name = "io.k8s.api.core.v1.PodTemplateSpec",
    .description = "From which pods are made.",
    SCHEMA_FIELDS(pod_template),
};

static const struct schema_field container_status[] = {
    {"name", T_STRING | T_REQUIRED, "The container."},
    {"ready", T_BOOL | T_REQUIRED, "Its readiness probe is good."},
    {"started", T_BOOL, "Its startup probe is good."},
    {"restartCount", T_INT | T_REQUIRED, "How often it was started again."},
    {"image", T_STRING | T_REQUIRED, "Image that runs."},
    {"imageID", T_STRING | T_REQUIRED, "Which one exactly."},
    {"containerID", T_STRING, "Which container exactly."},
    {"state", T_ANY, "One of waiting, running and terminated, with details."},
    {"lastState", T_ANY, "How it ended last."},
};
static const struct schema schema_container_status = {
    .name = "io.k8s.api.core.v1.ContainerStatus",
    .description = "State of a container.",
    SCHEMA_FIELDS(container_status),
    .is_open = true,
};

static const struct schema_field pod[] = {
    {"spec", T_OBJECT, "What runs in the pod.", .of = &schema_pod_spec},
    {"status", T_OBJECT | T_OPEN, "What is."},
    {".phase", T_STRING, "How far the pod came.", .values = "Pending|Running|Succeeded|Failed|Unknown"},
    {".reason", T_STRING, "Why, in one word for programs."},
    {".message", T_STRING, "Why, for people."},
    {".conditions", T_OBJECT | T_LIST, "State in detail; Ready says whether requests are sent to it.",
     .of = &schema_condition},
    {".podIP", T_STRING, "Address."},
    {".podIPs", T_OBJECT | T_LIST, "Addresses, one for each IP family."},
    {"..ip", T_STRING, "Address."},
    {".hostIP", T_STRING, "Address of the node."},
    {".startTime", T_TIME, "When it was started."},
    {".containerStatuses", T_OBJECT | T_LIST, "State of the containers.", .of = &schema_container_status},
    {".initContainerStatuses", T_OBJECT | T_LIST, "State of the init containers.", .of = &schema_container_status},
    {".qosClass", T_STRING, "What happens to it when memory is short."},
};
const struct schema schema_pod = {
    .description = "Containers that run together at one address.",
    SCHEMA_FIELDS(pod),
};

static const struct schema_field deployment[] = {
    {"spec", T_OBJECT | T_OPEN, "What is wanted."},
    {".replicas", T_INT, "Wanted number of pods.", .fallback = "1"},
    {".selector", T_OBJECT | T_REQUIRED, "Which pods belong to it; must match the labels of the template.",
     .of = &schema_label_selector},
    {".template", T_OBJECT | T_REQUIRED, "From which its pods are made; a change makes new pods.",
     .of = &schema_pod_template},
    {".strategy", T_OBJECT, "How old pods are replaced."},
    {"..type", T_STRING, "Step by step, or all at once.", .values = "RollingUpdate|Recreate",
     .fallback = "\"RollingUpdate\""},
    {"..rollingUpdate", T_OBJECT, "How large the steps are."},
    {"...maxSurge", T_INT_OR_STRING, "Pods above the wanted number, as a number or a percentage."},
    {"...maxUnavailable", T_INT_OR_STRING, "Pods below the wanted number, as a number or a percentage."},
    {".minReadySeconds", T_INT, "How long a pod must be ready to count as available.", .fallback = "0"},
    {".revisionHistoryLimit", T_INT, "How many old ReplicaSets are kept.", .fallback = "10"},
    {".progressDeadlineSeconds", T_INT, "A rollout without progress for so long has failed.", .fallback = "600"},
    {".paused", T_BOOL, "Changes of the template wait."},
    {"status", T_OBJECT | T_OPEN, "What is."},
    {".observedGeneration", T_LONG, "The generation that the rest is about."},
    {".replicas", T_INT, "Pods there are."},
    {".updatedReplicas", T_INT, "Pods of the newest template."},
    {".readyReplicas", T_INT, "Ready pods."},
    {".availableReplicas", T_INT, "Pods ready long enough."},
    {".unavailableReplicas", T_INT, "Pods that are missing or not available."},
    {".conditions", T_OBJECT | T_LIST, "State in detail: Available, Progressing.", .of = &schema_condition},
};
const struct schema schema_deployment = {
    .description = "A number of equal pods, and how they are replaced when their template changes.",
    SCHEMA_FIELDS(deployment),
};

static const struct schema_field replica_set[] = {
    {"spec", T_OBJECT | T_OPEN, "What is wanted."},
    {".replicas", T_INT, "Wanted number of pods.", .fallback = "1"},
    {".selector", T_OBJECT | T_REQUIRED, "Which pods belong to it; must match the labels of the template.",
     .of = &schema_label_selector},
    {".template", T_OBJECT | T_REQUIRED, "From which its pods are made.", .of = &schema_pod_template},
    {".minReadySeconds", T_INT, "How long a pod must be ready to count as available.", .fallback = "0"},
    {"status", T_OBJECT | T_OPEN, "What is."},
    {".observedGeneration", T_LONG, "The generation that the rest is about."},
    {".replicas", T_INT, "Pods there are."},
    {".fullyLabeledReplicas", T_INT, "Pods with all labels of the template."},
    {".readyReplicas", T_INT, "Ready pods."},
    {".availableReplicas", T_INT, "Pods ready long enough."},
    {".conditions", T_OBJECT | T_LIST, "State in detail.", .of = &schema_condition},
};
const struct schema schema_replica_set = {
    .description = "A number of equal pods; made by Deployments.",
    SCHEMA_FIELDS(replica_set),
};
/* clang-format on */
