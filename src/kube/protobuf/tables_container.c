/* SPDX-License-Identifier: Apache-2.0 */
/* tables_container.c: core/v1: containers, their environment, probes and security.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
const struct message_field message_object_field_selector[] = {
    {1, "apiVersion", TEXT, OMIT}, {2, "fieldPath", TEXT}, {0},
};

const struct message_field message_resource_field_selector[] = {
    {1, "containerName", TEXT, OMIT}, {2, "resource", TEXT}, {3, "divisor", QUANTITY}, {0},
};

static const struct message_field container_port[] = {
    {1, "name", TEXT, OMIT}, {2, "hostPort", INT, OMIT}, {3, "containerPort", INT}, {4, "protocol", TEXT, OMIT},
    {5, "hostIP", TEXT, OMIT}, {0},
};

static const struct message_field env_source[] = {
    {1, NULL, MESSAGE, INLINED, message_local_object_reference}, {2, "optional", BOOL}, {0},
};

static const struct message_field env_from_source[] = {
    {1, "prefix", TEXT, OMIT}, {2, "configMapRef", MESSAGE, ONE, env_source},
    {3, "secretRef", MESSAGE, ONE, env_source}, {0},
};

static const struct message_field key_selector[] = {
    {1, NULL, MESSAGE, INLINED, message_local_object_reference}, {2, "key", TEXT}, {3, "optional", BOOL}, {0},
};

static const struct message_field file_key_selector[] = {
    {1, "volumeName", TEXT}, {2, "path", TEXT}, {3, "key", TEXT}, {4, "optional", BOOL}, {0},
};

static const struct message_field env_var_source[] = {
    {1, "fieldRef", MESSAGE, ONE, message_object_field_selector},
    {2, "resourceFieldRef", MESSAGE, ONE, message_resource_field_selector},
    {3, "configMapKeyRef", MESSAGE, ONE, key_selector},
    {4, "secretKeyRef", MESSAGE, ONE, key_selector},
    {5, "fileKeyRef", MESSAGE, ONE, file_key_selector},
    {0},
};

static const struct message_field env_var[] = {
    {1, "name", TEXT}, {2, "value", TEXT, OMIT}, {3, "valueFrom", MESSAGE, ONE, env_var_source}, {0},
};

static const struct message_field resource_claim[] = {
    {1, "name", TEXT}, {2, "request", TEXT, OMIT}, {0},
};

const struct message_field message_resource_requirements[] = {
    {1, "limits", QUANTITY, MAP}, {2, "requests", QUANTITY, MAP}, {3, "claims", MESSAGE, LIST, resource_claim}, {0},
};

static const struct message_field container_resize_policy[] = {
    {1, "resourceName", TEXT}, {2, "restartPolicy", TEXT}, {0},
};

static const struct message_field container_restart_rule_on_exit_codes[] = {
    {1, "operator", TEXT, OMIT}, {2, "values", INT, LIST}, {0},
};

static const struct message_field container_restart_rule[] = {
    {1, "action", TEXT, OMIT}, {2, "exitCodes", MESSAGE, ONE, container_restart_rule_on_exit_codes}, {0},
};

static const struct message_field volume_mount[] = {
    {1, "name", TEXT},
    {2, "readOnly", BOOL, OMIT},
    {3, "mountPath", TEXT},
    {4, "subPath", TEXT, OMIT},
    {5, "mountPropagation", TEXT},
    {6, "subPathExpr", TEXT, OMIT},
    {7, "recursiveReadOnly", TEXT},
    {8, "bindMountOptions", TEXT, LIST},
    {0},
};

static const struct message_field volume_device[] = {
    {1, "name", TEXT}, {2, "devicePath", TEXT}, {0},
};

static const struct message_field exec_action[] = {
    {1, "command", TEXT, LIST}, {0},
};

static const struct message_field http_header[] = {
    {1, "name", TEXT}, {2, "value", TEXT}, {0},
};

static const struct message_field http_get_action[] = {
    {1, "path", TEXT, OMIT}, {2, "port", INT_OR_STRING}, {3, "host", TEXT, OMIT}, {4, "scheme", TEXT, OMIT},
    {5, "httpHeaders", MESSAGE, LIST, http_header}, {6, "protocol", TEXT}, {0},
};

static const struct message_field tcp_socket_action[] = {
    {1, "port", INT_OR_STRING}, {2, "host", TEXT, OMIT}, {0},
};

static const struct message_field grpc_action[] = {
    {1, "port", INT}, {2, "service", TEXT}, {3, "mode", TEXT}, {0},
};

static const struct message_field probe_handler[] = {
    {1, "exec", MESSAGE, ONE, exec_action}, {2, "httpGet", MESSAGE, ONE, http_get_action},
    {3, "tcpSocket", MESSAGE, ONE, tcp_socket_action}, {4, "grpc", MESSAGE, ONE, grpc_action}, {0},
};

static const struct message_field probe[] = {
    {1, NULL, MESSAGE, INLINED, probe_handler},
    {2, "initialDelaySeconds", INT, OMIT},
    {3, "timeoutSeconds", INT, OMIT},
    {4, "periodSeconds", INT, OMIT},
    {5, "successThreshold", INT, OMIT},
    {6, "failureThreshold", INT, OMIT},
    {7, "terminationGracePeriodSeconds", INT},
    {0},
};

static const struct message_field sleep_action[] = {
    {1, "seconds", INT}, {0},
};

static const struct message_field lifecycle_handler[] = {
    {1, "exec", MESSAGE, ONE, exec_action}, {2, "httpGet", MESSAGE, ONE, http_get_action},
    {3, "tcpSocket", MESSAGE, ONE, tcp_socket_action}, {4, "sleep", MESSAGE, ONE, sleep_action}, {0},
};

static const struct message_field lifecycle[] = {
    {1, "postStart", MESSAGE, ONE, lifecycle_handler}, {2, "preStop", MESSAGE, ONE, lifecycle_handler},
    {3, "stopSignal", TEXT}, {0},
};

static const struct message_field capabilities[] = {
    {1, "add", TEXT, LIST}, {2, "drop", TEXT, LIST}, {0},
};

static const struct message_field se_linux_options[] = {
    {1, "user", TEXT, OMIT}, {2, "role", TEXT, OMIT}, {3, "type", TEXT, OMIT}, {4, "level", TEXT, OMIT}, {0},
};

static const struct message_field windows_security_context_options[] = {
    {1, "gmsaCredentialSpecName", TEXT}, {2, "gmsaCredentialSpec", TEXT}, {3, "runAsUserName", TEXT},
    {4, "hostProcess", BOOL}, {0},
};

static const struct message_field profile[] = {
    {1, "type", TEXT}, {2, "localhostProfile", TEXT}, {0},
};

static const struct message_field security_context[] = {
    {1, "capabilities", MESSAGE, ONE, capabilities},
    {2, "privileged", BOOL},
    {3, "seLinuxOptions", MESSAGE, ONE, se_linux_options},
    {4, "runAsUser", INT},
    {5, "runAsNonRoot", BOOL},
    {6, "readOnlyRootFilesystem", BOOL},
    {7, "allowPrivilegeEscalation", BOOL},
    {8, "runAsGroup", INT},
    {9, "procMount", TEXT},
    {10, "windowsOptions", MESSAGE, ONE, windows_security_context_options},
    {11, "seccompProfile", MESSAGE, ONE, profile},
    {12, "appArmorProfile", MESSAGE, ONE, profile},
    {0},
};

const struct message_field message_container[] = {
    {1, "name", TEXT},
    {2, "image", TEXT, OMIT},
    {3, "command", TEXT, LIST},
    {4, "args", TEXT, LIST},
    {5, "workingDir", TEXT, OMIT},
    {6, "ports", MESSAGE, LIST, container_port},
    {7, "env", MESSAGE, LIST, env_var},
    {8, "resources", MESSAGE, ONE, message_resource_requirements},
    {9, "volumeMounts", MESSAGE, LIST, volume_mount},
    {10, "livenessProbe", MESSAGE, ONE, probe},
    {11, "readinessProbe", MESSAGE, ONE, probe},
    {12, "lifecycle", MESSAGE, ONE, lifecycle},
    {13, "terminationMessagePath", TEXT, OMIT},
    {14, "imagePullPolicy", TEXT, OMIT},
    {15, "securityContext", MESSAGE, ONE, security_context},
    {16, "stdin", BOOL, OMIT},
    {17, "stdinOnce", BOOL, OMIT},
    {18, "tty", BOOL, OMIT},
    {19, "envFrom", MESSAGE, LIST, env_from_source},
    {20, "terminationMessagePolicy", TEXT, OMIT},
    {21, "volumeDevices", MESSAGE, LIST, volume_device},
    {22, "startupProbe", MESSAGE, ONE, probe},
    {23, "resizePolicy", MESSAGE, LIST, container_resize_policy},
    {24, "restartPolicy", TEXT},
    {25, "restartPolicyRules", MESSAGE, LIST, container_restart_rule},
    {0},
};

const struct message_field message_ephemeral_container[] = {
    {1, NULL, MESSAGE, INLINED, message_container}, {2, "targetContainerName", TEXT, OMIT}, {0},
};

static const struct message_field sysctl[] = {
    {1, "name", TEXT}, {2, "value", TEXT}, {0},
};

const struct message_field message_pod_security_context[] = {
    {1, "seLinuxOptions", MESSAGE, ONE, se_linux_options},
    {2, "runAsUser", INT},
    {3, "runAsNonRoot", BOOL},
    {4, "supplementalGroups", INT, LIST},
    {5, "fsGroup", INT},
    {6, "runAsGroup", INT},
    {7, "sysctls", MESSAGE, LIST, sysctl},
    {8, "windowsOptions", MESSAGE, ONE, windows_security_context_options},
    {9, "fsGroupChangePolicy", TEXT},
    {10, "seccompProfile", MESSAGE, ONE, profile},
    {11, "appArmorProfile", MESSAGE, ONE, profile},
    {12, "supplementalGroupsPolicy", TEXT},
    {13, "seLinuxChangePolicy", TEXT},
    {0},
};
/* clang-format on */
