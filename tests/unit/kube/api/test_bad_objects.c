/* SPDX-License-Identifier: Apache-2.0 */
/* test_bad_objects.c: what is refused in any object and in the built-in kinds, and how problems are put.  The files of
 * the end-to-end test are read here too, so that their first lines stay true. */
#include "unit/kube/api/support.h"

#include <dirent.h>

static const char service[] = MANIFEST_HEAD("v1", "Service") "spec: ";
static const char config_map[] = MANIFEST_HEAD("v1", "ConfigMap");
static const char secret[] = MANIFEST_HEAD("v1", "Secret");
static const char pod[] = MANIFEST_HEAD("v1", "Pod");
static const char container[] = MANIFEST_HEAD("v1", "Pod") "spec:\n  containers:\n  - {name: a, image: b}\n  - ";
static const char deployment[] = MANIFEST_HEAD(
    "apps/v1",
    "Deployment") "spec:\n"
                  "  template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: b}]}}\n  ";
static const char selected[] = MANIFEST_HEAD(
    "apps/v1",
    "Deployment") "spec:\n"
                  "  selector: {matchLabels: {app: a}}\n"
                  "  template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: b}]}}\n  ";
static const char slice[] = MANIFEST_HEAD("discovery.k8s.io/v1", "EndpointSlice");

static const struct bad_manifest bad_manifests[] = {
    /* what every object has */
    {"", "[1, 2]", "", "UnknownKind", "must be an object"},
    {"", "just text", "", "UnknownKind", "must be an object"},
    {"", "{kind: Pod, metadata: {name: x}}", "apiVersion", "Required", "required"},
    {"", "{apiVersion: v1, metadata: {name: x}}", "kind", "Required", "required"},
    {"", "{apiVersion: 1, kind: Pod}", "apiVersion", "TypeMismatch", "must be a string"},
    {"", "{apiVersion: v1, kind: Volume, metadata: {name: x}}", "kind", "UnknownKind", "unknown kind Volume in v1"},
    {"", "{apiVersion: v2, kind: Pod, metadata: {name: x}}", "apiVersion", "UnknownKind", "must be v1 for kind Pod"},
    {"", "{apiVersion: /v1, kind: Pod}", "apiVersion", "UnknownKind", ""},
    {"", "{apiVersion: v1, kind: Namespace}", "metadata", "Required", "required"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: []}", "metadata", "TypeMismatch", "must be an object"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {}}", "metadata.name", "Required", "required"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: ''}}", "metadata.name", "Invalid", "must not be empty"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}", "metadata.name", "Invalid", "must be a DNS label"},
    {"", "{apiVersion: v1, kind: Service, metadata: {name: 1a}, spec: {ports: [{port: 1}]}}", "metadata.name",
     "Invalid", "must be a DNS label that starts"},
    {"", "{apiVersion: v1, kind: Pod, metadata: {name: a..b}}", "metadata.name", "Invalid", "must be a DNS name"},
    {"", "{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: A}}", "metadata.namespace", "Invalid",
     "must be a DNS label"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {-a: b}}}", "metadata.labels.-a", "Invalid",
     "must have a key"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {A/b/c: d}}}", "metadata.labels[A/b/c]",
     "Invalid", "must have a key"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {a: 'b c'}}}", "metadata.labels.a", "Invalid",
     "must be letters"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {a: true}}}", "metadata.labels.a",
     "TypeMismatch", "must be a string"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: x, annotations: {a.b/c: 5}}}",
     "metadata.annotations[a.b/c]", "TypeMismatch", "must be a string"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: x, creationTimestamp: yesterday}}",
     "metadata.creationTimestamp", "Invalid", "must be an RFC 3339"},
    {"", "{apiVersion: v1, kind: Namespace, metadata: {name: x, generation: -1}}", "metadata.generation", "Invalid",
     "must be 0 or more"},
    {"",
     "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: x, label: {}}, spec: "
     "{controllerName: a/b}}",
     "metadata.label", "UnknownField", "unknown field; did you mean \"labels\"?"},
    /* built-in kinds */
    {service, "{}", "spec.ports", "Required", "required"},
    {service, "{type: Magic, ports: [{port: 1}]}", "spec.type", "Invalid", "must be ClusterIP"},
    {service, "{ports: [{port: 1, targetPort: UPPER}]}", "spec.ports[0].targetPort", "Invalid", "must be a port name"},
    {service, "{ports: [{port: 1, targetPort: 1.5}]}", "spec.ports[0].targetPort", "TypeMismatch",
     "must be a port number or a port name"},
    {service, "{ports: [{port: 1, protocol: tcp}]}", "spec.ports[0].protocol", "Invalid", "must be TCP, UDP or SCTP"},
    {service, "{ports: [{name: a, port: 1}, {name: a, port: 2}]}", "spec.ports[1].name", "Invalid", "must be unique"},
    {service, "{ports: [{name: a, port: 1}, {name: b, port: 1}]}", "spec.ports[1].port", "Invalid", "must be unique"},
    {service, "{selector: {a: [b]}, ports: [{port: 1}]}", "spec.selector.a", "TypeMismatch", "must be a string"},
    {config_map, "data: {a: 1}", "data.a", "TypeMismatch", "must be a string; put it in quotes"},
    {config_map, "data: text", "data", "TypeMismatch", "must be an object"},
    {config_map, "data: {a/b: c}", "data[a/b]", "Invalid", "must have a key of letters"},
    {config_map, "data: {..: c}", "data[..]", "Invalid", "must have a key of letters"},
    {config_map, "binaryData: {a: plain text}", "binaryData.a", "Invalid", "must be base64"},
    {secret, "data: {a: plain}", "data.a", "Invalid", "must be base64"},
    {secret, "data: {a: YQ=a}", "data.a", "Invalid", "must be base64"},
    {secret, "stringData: {a: true}", "stringData.a", "TypeMismatch", "must be a string"},
    {pod, "spec: {containers: []}", "spec.containers", "Invalid", "must have at least 1 item"},
    {pod, "spec: {containers: [{name: a, image: b}]}\nstatus: {podIP: 1.2.3}", "status.podIP", "Invalid",
     "must be an IPv4 or IPv6"},
    {container, "{name: a, image: b}", "spec.containers[1].name", "Invalid", "must be unique"},
    {container, "{name: c}", "spec.containers[1].image", "Required", "required"},
    {container, "{name: c, image: b, command: sleep}", "spec.containers[1].command", "TypeMismatch", "must be a list"},
    {container, "{name: c, image: b, args: [--port, 8000]}", "spec.containers[1].args[1]", "TypeMismatch",
     "must be a string"},
    {container, "{name: c, image: b, env: [{name: A, value: 5}]}", "spec.containers[1].env[0].value", "TypeMismatch",
     "must be a string"},
    {container, "{name: c, image: b, env: [{name: A=B}]}", "spec.containers[1].env[0].name", "Invalid",
     "must be printable"},
    {container, "{name: c, image: b, env: [{name: A, value: x, valueFrom: {}}]}", "spec.containers[1].env[0].valueFrom",
     "Invalid", "must not be given together"},
    {container, "{name: c, image: b, env: [{name: A, valueFrom: {}}]}", "spec.containers[1].env[0].valueFrom",
     "Required", "must have exactly one of configMapKeyRef"},
    {container, "{name: c, image: b, env: [{name: A, valueFrom: {configMapKeyRef: {key: k}}}]}",
     "spec.containers[1].env[0].valueFrom.configMapKeyRef.name", "Required", "required"},
    {container, "{name: c, image: b, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: ''}}}]}",
     "spec.containers[1].env[0].valueFrom.secretKeyRef.key", "Invalid", "must not be empty"},
    {container, "{name: c, image: b, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k, optional: 1}}}]}",
     "spec.containers[1].env[0].valueFrom.secretKeyRef.optional", "TypeMismatch", "must be true or false"},
    {container,
     "{name: c, image: b, env: [{name: A, valueFrom: {fieldRef: {fieldPath: x}, secretKeyRef: {name: s, key: k}}}]}",
     "spec.containers[1].env[0].valueFrom", "Invalid", "must have exactly one of"},
    {container, "{name: c, image: b, env: [{name: A, valueFrom: {fieldRef: {}}}]}",
     "spec.containers[1].env[0].valueFrom.fieldRef.fieldPath", "Required", "required"},
    {container, "{name: c, image: b, envFrom: [{prefix: A_}]}", "spec.containers[1].envFrom[0]", "Required",
     "must have exactly one of configMapRef or secretRef"},
    {container, "{name: c, image: b, envFrom: [{configMapRef: {name: a}, secretRef: {name: b}}]}",
     "spec.containers[1].envFrom[0]", "Invalid", "must have exactly one of"},
    {container, "{name: c, image: b, envFrom: [{secretRef: {}}]}", "spec.containers[1].envFrom[0].secretRef.name",
     "Required", "required"},
    {container, "{name: c, image: b, envFrom: [{prefix: 'A=', secretRef: {name: s}}]}",
     "spec.containers[1].envFrom[0].prefix", "Invalid", "must be printable"},
    {pod, "spec: {restartPolicy: Sometimes, containers: [{name: a, image: b}]}", "spec.restartPolicy", "Invalid",
     "must be Always, OnFailure or Never"},
    {container, "{name: c, image: b, ports: [{name: p, containerPort: 99999}]}",
     "spec.containers[1].ports[0].containerPort", "Invalid", "must be 1..65535"},
    {container, "{name: c, image: b, readinessProbe: {}}", "spec.containers[1].readinessProbe", "Required",
     "must have exactly one of"},
    {container, "{name: c, image: b, readinessProbe: {tcpSocket: {port: 1}, exec: {}}}",
     "spec.containers[1].readinessProbe", "Invalid", "must have exactly one of"},
    {container, "{name: c, image: b, readinessProbe: {tcpSocket: {port: 1}, periodSeconds: -1}}",
     "spec.containers[1].readinessProbe.periodSeconds", "Invalid", "must be 0 or more"},
    {deployment, "replicas: -1\n  selector: {matchLabels: {app: a}}", "spec.replicas", "Invalid", "must be 0 or more"},
    {deployment, "replicas: two\n  selector: {matchLabels: {app: a}}", "spec.replicas", "TypeMismatch",
     "must be an integer"},
    {deployment, "paused: false", "spec.selector", "Required", "required"},
    {deployment, "selector: {}", "spec.selector", "Invalid", "must not be empty"},
    {deployment, "selector: {matchLabels: {app: b}}", "spec.template.metadata.labels", "Invalid",
     "must match spec.selector"},
    {selected, "minReadySeconds: -1", "spec.minReadySeconds", "Invalid", "must be 0 or more"},
    {selected, "minReadySeconds: 600", "spec.progressDeadlineSeconds", "Invalid", "must be more than minReadySeconds"},
    {selected, "progressDeadlineSeconds: 0", "spec.progressDeadlineSeconds", "Invalid", "must be more than"},
    {selected, "revisionHistoryLimit: many", "spec.revisionHistoryLimit", "TypeMismatch", "must be an integer"},
    {selected, "paused: 1", "spec.paused", "TypeMismatch", "must be true or false"},
    {selected, "strategy: {type: BlueGreen}", "spec.strategy.type", "Invalid", "must be Recreate or RollingUpdate"},
    {selected, "strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}", "spec.strategy.rollingUpdate", "Forbidden",
     "must not be given with type Recreate"},
    {selected, "strategy: {rollingUpdate: {maxSurge: -1}}", "spec.strategy.rollingUpdate.maxSurge", "Invalid",
     "must be 0 or more"},
    {selected, "strategy: {rollingUpdate: {maxSurge: true}}", "spec.strategy.rollingUpdate.maxSurge", "TypeMismatch",
     "must be a number of pods or a percentage"},
    {selected, "strategy: {rollingUpdate: {maxUnavailable: '25'}}", "spec.strategy.rollingUpdate.maxUnavailable",
     "Invalid", "must be a percentage"},
    {selected, "strategy: {rollingUpdate: {maxUnavailable: '101%'}}", "spec.strategy.rollingUpdate.maxUnavailable",
     "Invalid", "must be at most 100%"},
    {selected, "strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 0%}}",
     "spec.strategy.rollingUpdate.maxUnavailable", "Invalid", "must not be 0 when maxSurge is 0"},
    {MANIFEST_HEAD("apps/v1", "ReplicaSet"),
     "spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {restartPolicy: Never, "
     "containers: [{name: a, image: b}]}}}",
     "spec.template.spec.restartPolicy", "NotSupported", "must be Always"},
    {slice, "endpoints: []", "addressType", "Required", "required"},
    {slice, "addressType: FQDN", "addressType", "Invalid", "must be IPv4 or IPv6"},
    {slice, "addressType: IPv4\nendpoints: [{addresses: ['::1']}]", "endpoints[0].addresses[0]", "Invalid",
     "must be an IPv4 address"},
    {slice, "addressType: IPv6\nendpoints: [{addresses: [127.0.0.1]}]", "endpoints[0].addresses[0]", "Invalid",
     "must be an IPv6 address"},
    {slice, "addressType: IPv4\nendpoints: [{}]", "endpoints[0].addresses", "Required", "required"},
    {slice, "addressType: IPv4\nendpoints: [{addresses: [127.0.0.1], conditions: {ready: 'yes'}}]",
     "endpoints[0].conditions.ready", "TypeMismatch", "must be true or false"},
    {slice, "addressType: IPv4\nports: [{name: http}]", "ports[0].port", "Required", "required"},
    {slice, "addressType: IPv4\nports: [{port: 1}, {port: 2}]", "ports[1].name", "Invalid", "must be unique"},
};

static void each_bad_manifest_names_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_manifests); i++)
        check_bad_manifest(&bad_manifests[i]);
}

static void all_problems_of_a_document_are_reported(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "# a comment\n"
                           "apiVersion: gateway.networking.k8s.io/v1\n"
                           "kind: HTTPRoute\n"
                           "metadata: {name: chat, namespace: models, colour: red}\n"
                           "spec:\n"
                           "  hostnames: [UPPER]\n"
                           "  rules:\n"
                           "  - backendRefs:\n"
                           "    - {name: a, port: 0, weight: -1}\n"
                           "    - {port: 1}\n"
                           "extra: 1\n");
    static const char *const fields[] = {"metadata.colour",
                                         "spec.hostnames[0]",
                                         "spec.rules[0].backendRefs[0].port",
                                         "spec.rules[0].backendRefs[0].weight",
                                         "spec.rules[0].backendRefs[1].name",
                                         "extra"};
    const struct problem *problem = fixture.problems.first;
    assert_int_equal(fixture.problems.count, ARRAY_LEN(fields));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++, problem = problem->next) {
        assert_string_equal(problem->field, fields[i]);
        assert_string_equal(problem->source, "test.yaml:2");
        assert_string_equal(problem->object, "HTTPRoute models/chat");
    }
    fixture_close(&fixture);
}

static void unusual_names_are_shown_without_control_characters(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "{apiVersion: v1, kind: Namespace, metadata: {name: \"a\\e[1m\", labels: {\"\\a\": b}}}\n");
    assert_string_equal(fixture.problems.first->object, "Namespace a?[1m");
    assert_non_null(fixture_problem(&fixture, "metadata.labels[?]"));
    fixture_read(&fixture, "{apiVersion: v1, kind: Namespace, metadata: {name: x, uid: \"a\\0b\"}}\n");
    assert_int_equal(fixture.manifest.len, 0);
    fixture_close(&fixture);
}

static void check_bad_file(const char *path)
{
    char text[8192];
    char field[200];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(len > 0 && len < sizeof text);
    text[len] = '\0';
    if (sscanf(text, "# expect: %199s", field) != 1)
        fail_msg("%s does not say what it expects", path);
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, text);
    if (fixture_problem(&fixture, field) == NULL)
        fail_msg("%s: no problem about %s", path, field);
    fixture_close(&fixture);
}

static void the_bad_files_of_the_end_to_end_test_are_bad_as_they_say(void **state)
{
    (void)state;
    const char *folder = "tests/e2e/data/bad";
    DIR *listing = opendir(folder);
    int files = 0;
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char path[512];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        check_bad_file(path);
        files++;
    }
    closedir(listing);
    assert_true(files >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_manifest_names_its_field),
        cmocka_unit_test(all_problems_of_a_document_are_reported),
        cmocka_unit_test(unusual_names_are_shown_without_control_characters),
        cmocka_unit_test(the_bad_files_of_the_end_to_end_test_are_bad_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
