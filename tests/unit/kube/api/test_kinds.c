/* SPDX-License-Identifier: Apache-2.0 */
/* test_kinds.c: a good manifest of each kind is decoded in full, and a short one gets its defaults. */
#include "unit/kube/api/support.h"

#include "kube/api/core.h"
#include "kube/api/gateway.h"
#include "kube/api/http_route.h"
#include "kube/api/inference.h"
#include "kube/api/policy.h"

#define ROUTE_HEAD                                                                                                     \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: chat, namespace: models}\n"
#define GATEWAY_HEAD "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"

static int open_fixture(void **state)
{
    struct reading_fixture *fixture = test_calloc(1, sizeof *fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int close_fixture(void **state)
{
    fixture_close(*state);
    test_free(*state);
    return 0;
}

static void metadata_is_decoded(void **state)
{
    struct reading_fixture *fixture = *state;
    (void)fixture_spec(fixture, "apiVersion: v1\n"
                                "kind: Namespace\n"
                                "metadata:\n"
                                "  name: models\n"
                                "  namespace: ignored\n"
                                "  uid: 4f1c\n"
                                "  generation: 7\n"
                                "  creationTimestamp: \"2025-01-31T12:00:00.5+02:00\"\n"
                                "  labels: {zone: b, app: chat, example.com/arm: blue}\n"
                                "  annotations: {note: \"any text: at all\"}\n");
    const struct kube_object *object = fixture->manifest.objects[0];
    assert_int_equal(object->kind, KUBE_NAMESPACE);
    assert_string_equal(object->name, "models");
    assert_string_equal(object->namespace_, "");
    assert_string_equal(object->uid, "4f1c");
    assert_int_equal(object->generation, 7);
    assert_int_equal(object->created_ms, 1738317600000);
    assert_string_equal(object->labels.items[0].key, "app");
    assert_string_equal(kube_labels_get(&object->labels, "example.com/arm"), "blue");
    assert_string_equal(kube_labels_get(&object->annotations, "note"), "any text: at all");
    assert_string_equal(kube_object_text(object, fixture->arena), "Namespace models");
}

static void metadata_has_defaults(void **state)
{
    struct reading_fixture *fixture = *state;
    (void)fixture_spec(fixture, "apiVersion: v1\nkind: Service\nmetadata: {name: blue, creationTimestamp: null}\n"
                                "spec: {ports: [{port: 80}]}\n");
    const struct kube_object *object = fixture->manifest.objects[0];
    assert_string_equal(object->namespace_, "default");
    assert_string_equal(object->uid, "");
    assert_int_equal(object->generation, 1);
    assert_int_equal(object->created_ms, 0);
    assert_int_equal(object->labels.len, 0);
    assert_string_equal(kube_object_text(object, fixture->arena), "Service default/blue");
}

static void a_gateway_class_has_a_controller(void **state)
{
    const struct gateway_class_spec *class =
        fixture_spec(*state, "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: GatewayClass\n"
                             "metadata: {name: serin}\n"
                             "spec:\n"
                             "  controllerName: example.com/gateways/serin\n"
                             "  description: all of them\n"
                             "  parametersRef: {group: example.com, kind: Settings, name: s, namespace: n}\n"
                             "status: {anything: [goes]}\n");
    assert_string_equal(class->controller_name, "example.com/gateways/serin");
}

static void a_gateway_is_decoded(void **state)
{
    const struct gateway_spec *gateway =
        fixture_spec(*state, GATEWAY_HEAD "spec:\n"
                                          "  gatewayClassName: serin\n"
                                          "  infrastructure:\n"
                                          "    labels: {team: a}\n"
                                          "    parametersRef: {group: example.com, kind: Settings, name: s}\n"
                                          "  addresses: [{value: 127.0.0.9}, {type: Hostname, value: edge.example.com},"
                                          " {type: IPAddress}]\n"
                                          "  listeners:\n"
                                          "  - name: web\n"
                                          "    hostname: \"*.example.com\"\n"
                                          "    port: 8080\n"
                                          "    protocol: HTTP\n"
                                          "    allowedRoutes:\n"
                                          "      namespaces:\n"
                                          "        from: Selector\n"
                                          "        selector:\n"
                                          "          matchLabels: {team: a}\n"
                                          "          matchExpressions: [{key: env, operator: NotIn, values: [test]}]\n"
                                          "      kinds: [{kind: HTTPRoute}, {group: example.com, kind: Other}]\n"
                                          "  - name: secure\n"
                                          "    port: 8443\n"
                                          "    protocol: HTTPS\n"
                                          "    tls: {mode: Terminate, certificateRefs: [{name: cert}]}\n"
                                          "  - {name: raw, port: 8443, protocol: TLS, tls: {mode: Passthrough}}\n");
    assert_string_equal(gateway->class_name, "serin");
    assert_true(gateway->has_parameters_ref);
    assert_int_equal(gateway->address_count, 3);
    assert_string_equal(gateway->addresses[0].type, "IPAddress");
    assert_string_equal(gateway->addresses[1].value, "edge.example.com");
    assert_string_equal(gateway->addresses[2].value, "");
    assert_int_equal(gateway->listener_count, 3);
    const struct gateway_listener *web = &gateway->listeners[0];
    assert_string_equal(web->hostname, "*.example.com");
    assert_int_equal(web->port, 8080);
    assert_int_equal(web->from, NAMESPACES_SELECTOR);
    assert_int_equal(web->namespace_selector.len, 2);
    assert_int_equal(web->namespace_selector.terms[1].op, SELECTOR_NOT_IN);
    assert_int_equal(web->kind_count, 2);
    assert_string_equal(web->kinds[0].group, "gateway.networking.k8s.io");
    assert_string_equal(gateway->listeners[1].protocol, "HTTPS");
    assert_string_equal(gateway->listeners[2].protocol, "TLS");
}

static void a_short_gateway_gets_its_defaults(void **state)
{
    const struct gateway_spec *gateway =
        fixture_spec(*state, GATEWAY_HEAD "spec: {gatewayClassName: serin, listeners: [{name: web, port: 80, protocol: "
                                          "HTTP}]}\n");
    assert_false(gateway->has_parameters_ref);
    assert_int_equal(gateway->address_count, 0);
    assert_string_equal(gateway->listeners[0].hostname, "");
    assert_int_equal(gateway->listeners[0].from, NAMESPACES_SAME);
    assert_int_equal(gateway->listeners[0].kind_count, 0);
}

static void a_reference_grant_is_decoded(void **state)
{
    const struct reference_grant_spec *grant = fixture_spec(
        *state, "apiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {name: g, namespace: b}\n"
                "spec:\n"
                "  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: a}]\n"
                "  to: [{group: \"\", kind: Service}, {group: \"\", kind: Service, name: blue}]\n");
    assert_int_equal(grant->from_count, 1);
    assert_string_equal(grant->from[0].namespace_, "a");
    assert_int_equal(grant->to_count, 2);
    assert_string_equal(grant->to[0].name, "");
    assert_string_equal(grant->to[1].name, "blue");
}

static const char full_route[] =
    ROUTE_HEAD "spec:\n"
               "  parentRefs:\n"
               "  - {name: edge, namespace: infra, sectionName: web, port: 8080}\n"
               "  - {group: \"\", kind: Service, name: blue}\n"
               "  hostnames: [a.example.com, \"*.b.example.com\"]\n"
               "  rules:\n"
               "  - name: chat\n"
               "    matches:\n"
               "    - path: {type: Exact, value: /v1/chat%20x}\n"
               "      method: POST\n"
               "      headers: [{name: X-Tenant, value: gold}, {name: x-re, value: \"a.*\", type: RegularExpression}]\n"
               "      queryParams: [{name: q, value: \"1\"}]\n"
               "    - path: {type: RegularExpression, value: \"^/v[12]//.*$\"}\n"
               "    filters: [{type: CORS, cors: {}}]\n"
               "    timeouts: {request: 0s, backendRequest: 5s}\n"
               "    backendRefs:\n"
               "    - {name: blue, port: 8000, weight: 0, filters: [{type: RequestMirror, requestMirror: {}}]}\n"
               "    - {group: inference.networking.k8s.io, kind: InferencePool, name: pool, namespace: other}\n";

static void an_http_route_is_decoded(void **state)
{
    const struct http_route_spec *route = fixture_spec(*state, full_route);
    assert_int_equal(route->parent_count, 2);
    assert_true(route->parents[0].namespace_given);
    assert_string_equal(route->parents[0].namespace_, "infra");
    assert_string_equal(route->parents[0].kind, "Gateway");
    assert_string_equal(route->parents[0].section_name, "web");
    assert_int_equal(route->parents[0].port, 8080);
    assert_false(route->parents[1].namespace_given);
    assert_string_equal(route->parents[1].namespace_, "models");
    assert_string_equal(route->parents[1].group, "");
    assert_int_equal(route->hostname_count, 2);
    assert_string_equal(route->hostnames[1], "*.b.example.com");
    assert_int_equal(route->rule_count, 1);
    const struct http_route_rule *rule = &route->rules[0];
    assert_string_equal(rule->name, "chat");
    assert_true(rule->has_request_timeout);
    assert_int_equal(rule->request_timeout_ms, 0);
    assert_int_equal(rule->backend_timeout_ms, 5000);
    assert_int_equal(rule->filter_count, 1);
    assert_string_equal(rule->filter_types[0], "CORS");
}

static void the_matches_and_backends_of_a_route_are_decoded(void **state)
{
    const struct http_route_spec *route = fixture_spec(*state, full_route);
    const struct http_route_rule *rule = &route->rules[0];
    assert_int_equal(rule->match_count, 2);
    assert_int_equal(rule->matches[0].path_type, PATH_EXACT);
    assert_string_equal(rule->matches[0].path, "/v1/chat%20x");
    assert_string_equal(rule->matches[0].method, "POST");
    assert_int_equal(rule->matches[0].header_count, 2);
    assert_string_equal(rule->matches[0].headers[0].name, "X-Tenant");
    assert_int_equal(rule->matches[0].headers[1].type, VALUE_REGEX);
    assert_int_equal(rule->matches[0].query_count, 1);
    assert_int_equal(rule->matches[1].path_type, PATH_REGEX);
    assert_string_equal(rule->matches[1].method, "");
    assert_int_equal(rule->backend_count, 2);
    assert_int_equal(rule->backends[0].weight, 0);
    assert_int_equal(rule->backends[0].filter_count, 1);
    assert_string_equal(rule->backends[0].kind, "Service");
    assert_string_equal(rule->backends[0].namespace_, "models");
    assert_int_equal(rule->backends[1].weight, 1);
    assert_int_equal(rule->backends[1].port, 0);
    assert_string_equal(rule->backends[1].namespace_, "other");
}

static void a_short_http_route_matches_every_path(void **state)
{
    const struct http_route_spec *route = fixture_spec(*state, ROUTE_HEAD "spec: {}\n");
    assert_int_equal(route->parent_count, 0);
    assert_int_equal(route->hostname_count, 0);
    assert_int_equal(route->rule_count, 1);
    assert_int_equal(route->rules[0].match_count, 1);
    assert_int_equal(route->rules[0].matches[0].path_type, PATH_PREFIX);
    assert_string_equal(route->rules[0].matches[0].path, "/");
    assert_string_equal(route->rules[0].matches[0].method, "");
    assert_int_equal(route->rules[0].backend_count, 0);
    assert_false(route->rules[0].has_request_timeout);
}

static void an_inference_pool_is_decoded(void **state)
{
    const struct inference_pool_spec *pool =
        fixture_spec(*state, "apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: p}\n"
                             "spec:\n"
                             "  selector: {matchLabels: {app: chat}}\n"
                             "  targetPorts: [{number: 8000}, {number: 8001}]\n"
                             "  appProtocol: kubernetes.io/h2c\n"
                             "  endpointPickerRef: {name: picker, port: {number: 9002}, failureMode: FailOpen}\n");
    assert_string_equal(kube_labels_get(&pool->selector, "app"), "chat");
    assert_int_equal(pool->port_count, 2);
    assert_int_equal(pool->ports[1], 8001);
    assert_true(pool->is_h2c);
    assert_true(pool->fail_open);
    assert_string_equal(pool->picker_name, "picker");
    assert_string_equal(pool->picker_kind, "Service");
    assert_string_equal(pool->picker_group, "");
    assert_int_equal(pool->picker_port, 9002);
}

static void an_inference_pool_needs_no_picker(void **state)
{
    const struct inference_pool_spec *pool =
        fixture_spec(*state, "apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: p}\n"
                             "spec: {selector: {matchLabels: {app: chat}}, targetPorts: [{number: 8000}]}\n");
    assert_string_equal(pool->picker_name, "");
    assert_false(pool->fail_open);
    assert_false(pool->is_h2c);
}

static void the_older_inference_pool_has_the_same_shape(void **state)
{
    struct reading_fixture *fixture = *state;
    const struct inference_pool_spec *pool = fixture_spec(
        fixture,
        "apiVersion: inference.networking.x-k8s.io/v1alpha2\nkind: InferencePool\nmetadata: {name: p}\n"
        "spec: {selector: {app: chat}, targetPortNumber: 8000, extensionRef: {name: picker, portNumber: 9002}}\n");
    assert_int_equal(fixture->manifest.objects[0]->kind, KUBE_INFERENCE_POOL_X);
    assert_string_equal(kube_labels_get(&pool->selector, "app"), "chat");
    assert_int_equal(pool->port_count, 1);
    assert_int_equal(pool->ports[0], 8000);
    assert_string_equal(pool->picker_name, "picker");
    assert_int_equal(pool->picker_port, 9002);
}

static void an_inference_model_is_decoded(void **state)
{
    const struct inference_model_spec *model =
        fixture_spec(*state, "apiVersion: inference.networking.x-k8s.io/v1alpha2\nkind: InferenceModel\n"
                             "metadata: {name: m}\n"
                             "spec:\n"
                             "  modelName: org/Chat 7B\n"
                             "  criticality: Sheddable\n"
                             "  poolRef: {group: inference.networking.k8s.io, name: p}\n"
                             "  targetModels: [{name: chat-v1, weight: 90}, {name: chat-v2, weight: 10}]\n");
    assert_string_equal(model->model_name, "org/Chat 7B");
    assert_int_equal(model->criticality, CRITICALITY_SHEDDABLE);
    assert_string_equal(model->pool.group, "inference.networking.k8s.io");
    assert_string_equal(model->pool.kind, "InferencePool");
    assert_int_equal(model->target_count, 2);
    assert_int_equal(model->targets[1].weight, 10);
}

static void a_model_without_targets_is_its_own_target(void **state)
{
    const struct inference_model_spec *model =
        fixture_spec(*state, "apiVersion: inference.networking.x-k8s.io/v1alpha2\nkind: InferenceModel\n"
                             "metadata: {name: m}\nspec: {modelName: chat, poolRef: {name: p}}\n");
    assert_int_equal(model->criticality, CRITICALITY_UNSET);
    assert_string_equal(model->pool.group, "inference.networking.x-k8s.io");
    assert_int_equal(model->target_count, 1);
    assert_string_equal(model->targets[0].name, "chat");
    assert_int_equal(model->targets[0].weight, 1);
}

static void a_client_traffic_policy_is_decoded(void **state)
{
    const struct client_traffic_policy_spec *policy = fixture_spec(
        *state, "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: ClientTrafficPolicy\nmetadata: {name: c}\n"
                "spec:\n"
                "  targetRefs:\n"
                "  - {group: gateway.networking.k8s.io, kind: Gateway, name: edge, sectionName: web}\n"
                "  - {group: gateway.networking.k8s.io, kind: Gateway, name: other}\n"
                "  connection: {bufferLimit: 3Gi}\n");
    assert_int_equal(policy->target_count, 2);
    assert_string_equal(policy->targets[0].section_name, "web");
    assert_string_equal(policy->targets[1].name, "other");
    assert_true(policy->has_buffer_limit);
    assert_int_equal(policy->buffer_limit_bytes, 3221225472);
}

static void a_buffer_limit_may_be_a_number_or_absent(void **state)
{
    struct reading_fixture *fixture = *state;
    const char *head = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: ClientTrafficPolicy\nmetadata: {name: c}\n"
                       "spec:\n  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: edge}\n";
    const struct client_traffic_policy_spec *policy = fixture_spec(fixture, head);
    assert_false(policy->has_buffer_limit);
    policy = fixture_spec(fixture, arena_printf(fixture->arena, "%s  connection: {bufferLimit: 4096}\n", head));
    assert_true(policy->has_buffer_limit);
    assert_int_equal(policy->buffer_limit_bytes, 4096);
}

static void a_backend_traffic_policy_is_decoded(void **state)
{
    const struct backend_traffic_policy_spec *policy =
        fixture_spec(*state, "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n"
                             "metadata: {name: b, annotations: {serin.dev/first-token-timeout: 20s}}\n"
                             "spec:\n"
                             "  targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: chat}\n"
                             "  timeout: {http: {requestTimeout: 1h30m, streamIdleTimeout: 45s}}\n"
                             "  retry: {numRetries: 2, retryOn: {httpStatusCodes: [429, 503]}}\n");
    assert_string_equal(policy->targets[0].kind, "HTTPRoute");
    assert_true(policy->has_request_timeout);
    assert_int_equal(policy->request_timeout_ms, 5400000);
    assert_true(policy->has_retries);
    assert_int_equal(policy->retries, 2);
    assert_int_equal(policy->retry_status_count, 2);
    assert_int_equal(policy->retry_statuses[1], 503);
    assert_int_equal(policy->stream_idle_timeout_ms, 45000);
    assert_int_equal(policy->first_token_timeout_ms, 20000);
}

static void a_service_is_decoded(void **state)
{
    const struct service_spec *service =
        fixture_spec(*state, "apiVersion: v1\nkind: Service\nmetadata: {name: blue}\n"
                             "spec:\n"
                             "  type: NodePort\n"
                             "  selector: {app: chat}\n"
                             "  sessionAffinity: None\n"
                             "  ports:\n"
                             "  - {name: http, port: 80, targetPort: 8000, appProtocol: kubernetes.io/h2c}\n"
                             "  - {name: named, port: 81, targetPort: web}\n"
                             "  - {name: same, port: 82, protocol: UDP, nodePort: 30000}\n");
    assert_string_equal(service->type, "NodePort");
    assert_int_equal(service->port_count, 3);
    assert_int_equal(service->ports[0].target_port, 8000);
    assert_string_equal(service->ports[0].app_protocol, "kubernetes.io/h2c");
    assert_string_equal(service->ports[0].protocol, "TCP");
    assert_int_equal(service->ports[1].target_port, 0);
    assert_string_equal(service->ports[1].target_port_name, "web");
    assert_int_equal(service->ports[2].target_port, 82);
    assert_string_equal(service->ports[2].protocol, "UDP");
}

static void a_headless_or_external_service_needs_no_ports(void **state)
{
    struct reading_fixture *fixture = *state;
    fixture_read(fixture, "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: None}\n---\n"
                          "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n"
                          "spec: {type: ExternalName, externalName: models.example.com}\n");
    fixture_expect_clean(fixture);
    const struct service_spec *headless = fixture->manifest.objects[0]->spec;
    assert_int_equal(headless->port_count, 0);
    assert_string_equal(headless->type, "ClusterIP");
}

static const char full_deployment[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: blue}\n"
    "spec:\n"
    "  replicas: 2\n"
    "  strategy: {type: Recreate}\n"
    "  selector:\n"
    "    matchLabels: {app: chat}\n"
    "    matchExpressions: [{key: arm, operator: Exists}]\n"
    "  template:\n"
    "    metadata: {labels: {app: chat, arm: blue}, annotations: {serin.dev/sim: \"ttft=80ms\"}}\n"
    "    spec:\n"
    "      terminationGracePeriodSeconds: 5\n"
    "      containers:\n"
    "      - name: server\n"
    "        image: example/chat:1\n"
    "        command: [vllm, serve]\n"
    "        args: [--port, \"8000\"]\n"
    "        ports: [{name: http, containerPort: 8000}]\n"
    "        env: [{name: A, value: b}, {name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n"
    "        resources: {limits: {example.com/gpu: 1}}\n"
    "        readinessProbe: {httpGet: {port: http, path: /health}, periodSeconds: 3, initialDelaySeconds: 1}\n"
    "      - {name: helper, image: example/helper, readinessProbe: {tcpSocket: {port: 9000}, periodSeconds: 0}}\n"
    "      - {name: third, image: example/third, readinessProbe: {exec: {command: [\"true\"]}}}\n"
    "      - {name: fourth, image: example/fourth}\n";

static void a_deployment_is_decoded(void **state)
{
    const struct deployment_spec *deployment = fixture_spec(*state, full_deployment);
    assert_int_equal(deployment->replicas, 2);
    assert_int_equal(deployment->selector.len, 2);
    assert_int_equal(deployment->pod.termination_grace_s, 5);
    assert_string_equal(kube_labels_get(&deployment->pod.labels, "arm"), "blue");
    assert_string_equal(kube_labels_get(&deployment->pod.annotations, "serin.dev/sim"), "ttft=80ms");
    assert_int_equal(deployment->pod.container_count, 4);
    const struct container_spec *server = &deployment->pod.containers[0];
    assert_int_equal(server->command_count, 2);
    assert_string_equal(server->command[1], "serve");
    assert_null(server->command[2]);
    assert_string_equal(server->args[1], "8000");
    assert_null(server->args[2]);
    assert_int_equal(server->ports[0].port, 8000);
    assert_int_equal(server->env_count, 2);
    assert_string_equal(server->env[0].value, "b");
    assert_string_equal(server->env[1].name, "TOKEN");
    assert_string_equal(server->env[1].value, "");
    assert_true(deployment->is_recreate);
}

static void the_rollout_of_a_deployment_is_decoded(void **state)
{
    const struct deployment_spec *deployment = fixture_spec(
        *state, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: blue}\n"
                "spec:\n"
                "  paused: true\n"
                "  minReadySeconds: 5\n"
                "  revisionHistoryLimit: 0\n"
                "  progressDeadlineSeconds: 60\n"
                "  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 130%, maxUnavailable: 2}}\n"
                "  selector: {matchLabels: {app: chat}}\n"
                "  template: {metadata: {labels: {app: chat}}, spec: {containers: [{name: a, image: b}]}}\n");
    assert_true(deployment->is_paused);
    assert_false(deployment->is_recreate);
    assert_int_equal(deployment->min_ready_s, 5);
    assert_int_equal(deployment->revision_history_limit, 0);
    assert_int_equal(deployment->progress_deadline_s, 60);
    assert_int_equal(deployment->max_surge.value, 130);
    assert_true(deployment->max_surge.is_percent);
    assert_int_equal(deployment->max_unavailable.value, 2);
    assert_false(deployment->max_unavailable.is_percent);
}

static void an_environment_may_come_from_other_objects(void **state)
{
    const struct pod_spec *pod = fixture_spec(
        *state, "apiVersion: v1\nkind: Pod\nmetadata: {name: chat-0}\n"
                "spec:\n"
                "  restartPolicy: OnFailure\n"
                "  nodeName: n\n"
                "  containers:\n"
                "  - name: a\n"
                "    image: b\n"
                "    envFrom: [{prefix: P_, configMapRef: {name: all, optional: true}}, {secretRef: {name: keys}}]\n"
                "    env:\n"
                "    - {name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}\n"
                "    - {name: B, valueFrom: {secretKeyRef: {name: s, key: t, optional: true}}}\n"
                "    - {name: C, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"
                "    - {name: D, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}\n"
                "    - {name: E, value: e}\n");
    assert_int_equal(pod->pod.restart_policy, RESTART_ON_FAILURE);
    assert_string_equal(pod->node_name, "n");
    const struct container_spec *container = &pod->pod.containers[0];
    assert_int_equal(container->env_from_count, 2);
    assert_int_equal(container->env_from[0].source, ENV_CONFIG_MAP);
    assert_string_equal(container->env_from[0].prefix, "P_");
    assert_string_equal(container->env_from[0].from, "all");
    assert_true(container->env_from[0].is_optional);
    assert_int_equal(container->env_from[1].source, ENV_SECRET);
    assert_string_equal(container->env_from[1].from, "keys");
    static const enum env_source sources[] = {ENV_CONFIG_MAP, ENV_SECRET, ENV_FIELD, ENV_RESOURCE, ENV_VALUE};
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        assert_int_equal(container->env[i].source, sources[i]);
    assert_string_equal(container->env[1].from, "s");
    assert_string_equal(container->env[1].key, "t");
    assert_true(container->env[1].is_optional);
    assert_string_equal(container->env[2].from, "status.podIP");
    assert_string_equal(container->env[4].value, "e");
}

static void probes_get_the_defaults_of_kubernetes(void **state)
{
    const struct deployment_spec *deployment = fixture_spec(*state, full_deployment);
    const struct probe_spec *http = &deployment->pod.containers[0].readiness;
    assert_int_equal(http->kind, PROBE_HTTP);
    assert_string_equal(http->port_name, "http");
    assert_string_equal(http->path, "/health");
    assert_int_equal(http->initial_delay_s, 1);
    assert_int_equal(http->period_s, 3);
    const struct probe_spec *tcp = &deployment->pod.containers[1].readiness;
    assert_int_equal(tcp->kind, PROBE_TCP);
    assert_int_equal(tcp->port, 9000);
    assert_int_equal(tcp->initial_delay_s, 0);
    assert_int_equal(tcp->period_s, 10);
    assert_int_equal(tcp->timeout_s, 1);
    assert_int_equal(tcp->success_threshold, 1);
    assert_int_equal(tcp->failure_threshold, 3);
    assert_int_equal(deployment->pod.containers[2].readiness.kind, PROBE_EXEC);
    assert_int_equal(deployment->pod.containers[3].readiness.kind, PROBE_NONE);
    assert_string_equal(deployment->pod.containers[3].readiness.port_name, "");
}

static void a_short_deployment_gets_its_defaults(void **state)
{
    const struct deployment_spec *deployment = fixture_spec(
        *state, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: blue}\n"
                "spec:\n"
                "  selector: {matchLabels: {app: chat}}\n"
                "  template: {metadata: {labels: {app: chat}}, spec: {containers: [{name: a, image: b}]}}\n");
    assert_int_equal(deployment->replicas, 1);
    assert_int_equal(deployment->pod.termination_grace_s, 30);
    assert_int_equal(deployment->pod.restart_policy, RESTART_ALWAYS);
    assert_false(deployment->is_recreate || deployment->is_paused);
    assert_int_equal(deployment->min_ready_s, 0);
    assert_int_equal(deployment->revision_history_limit, 10);
    assert_int_equal(deployment->progress_deadline_s, 600);
    assert_int_equal(deployment->max_surge.value, 25);
    assert_true(deployment->max_surge.is_percent && deployment->max_unavailable.is_percent);
    assert_int_equal(deployment->pod.containers[0].command_count, 0);
    assert_null(deployment->pod.containers[0].command[0]);
}

static void a_pod_is_decoded_with_its_status(void **state)
{
    const struct pod_spec *pod =
        fixture_spec(*state, "apiVersion: v1\nkind: Pod\n"
                             "metadata: {name: chat-0, labels: {app: chat}, deletionTimestamp: "
                             "\"2025-01-31T12:00:00Z\"}\n"
                             "spec: {containers: [{name: a, image: b}]}\n"
                             "status:\n"
                             "  phase: Running\n"
                             "  podIP: 127.1.2.3\n"
                             "  conditions: [{type: Initialized, status: \"False\"}, {type: Ready, status: \"True\", "
                             "lastTransitionTime: \"1970-01-01T00:00:07Z\"}]\n");
    assert_string_equal(pod->pod_ip, "127.1.2.3");
    assert_string_equal(pod->phase, "Running");
    assert_string_equal(pod->node_name, "");
    assert_int_equal(pod->ready_since_ms, 7000);
    assert_true(pod->is_ready);
    assert_true(pod->is_deleting);
    assert_string_equal(kube_labels_get(&pod->pod.labels, "app"), "chat");
}

static void a_pod_without_status_is_not_ready(void **state)
{
    const struct pod_spec *pod = fixture_spec(*state, "apiVersion: v1\nkind: Pod\nmetadata: {name: chat-0}\n"
                                                      "spec: {containers: [{name: a, image: b}]}\n");
    assert_string_equal(pod->pod_ip, "");
    assert_false(pod->is_ready);
    assert_false(pod->is_deleting);
}

static void an_endpoint_slice_is_decoded(void **state)
{
    const struct endpoint_slice_spec *slice =
        fixture_spec(*state, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                             "metadata: {name: s, labels: {kubernetes.io/service-name: blue}}\n"
                             "addressType: IPv4\n"
                             "endpoints:\n"
                             "- {addresses: [10.0.0.1, 10.0.0.2]}\n"
                             "- {addresses: [10.0.0.3], conditions: {ready: false, serving: true, terminating: true}}\n"
                             "- {addresses: [10.0.0.4], conditions: {ready: false}}\n"
                             "- {addresses: [10.0.0.5], conditions: {ready: null}}\n"
                             "ports: [{name: http, port: 8000, protocol: TCP}, {port: 9000}]\n");
    assert_string_equal(slice->service_name, "blue");
    assert_string_equal(slice->address_type, "IPv4");
    assert_int_equal(slice->endpoint_count, 4);
    assert_int_equal(slice->endpoints[0].address_count, 2);
    assert_true(slice->endpoints[0].is_ready && slice->endpoints[0].is_serving);
    assert_false(slice->endpoints[0].is_terminating);
    assert_false(slice->endpoints[1].is_ready);
    assert_true(slice->endpoints[1].is_serving && slice->endpoints[1].is_terminating);
    assert_false(slice->endpoints[2].is_serving);
    assert_true(slice->endpoints[3].is_ready);
    assert_int_equal(slice->port_count, 2);
    assert_string_equal(slice->ports[1].name, "");
}

static void an_endpoint_slice_may_be_empty(void **state)
{
    const struct endpoint_slice_spec *slice =
        fixture_spec(*state, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\n"
                             "addressType: IPv6\nendpoints: null\nports: []\n");
    assert_string_equal(slice->service_name, "");
    assert_int_equal(slice->endpoint_count, 0);
    assert_int_equal(slice->port_count, 0);
}

#define KIND_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KIND_TEST(metadata_is_decoded),
        KIND_TEST(metadata_has_defaults),
        KIND_TEST(a_gateway_class_has_a_controller),
        KIND_TEST(a_gateway_is_decoded),
        KIND_TEST(a_short_gateway_gets_its_defaults),
        KIND_TEST(a_reference_grant_is_decoded),
        KIND_TEST(an_http_route_is_decoded),
        KIND_TEST(the_matches_and_backends_of_a_route_are_decoded),
        KIND_TEST(a_short_http_route_matches_every_path),
        KIND_TEST(an_inference_pool_is_decoded),
        KIND_TEST(an_inference_pool_needs_no_picker),
        KIND_TEST(the_older_inference_pool_has_the_same_shape),
        KIND_TEST(an_inference_model_is_decoded),
        KIND_TEST(a_model_without_targets_is_its_own_target),
        KIND_TEST(a_client_traffic_policy_is_decoded),
        KIND_TEST(a_buffer_limit_may_be_a_number_or_absent),
        KIND_TEST(a_backend_traffic_policy_is_decoded),
        KIND_TEST(a_service_is_decoded),
        KIND_TEST(a_headless_or_external_service_needs_no_ports),
        KIND_TEST(a_deployment_is_decoded),
        KIND_TEST(the_rollout_of_a_deployment_is_decoded),
        KIND_TEST(an_environment_may_come_from_other_objects),
        KIND_TEST(probes_get_the_defaults_of_kubernetes),
        KIND_TEST(a_short_deployment_gets_its_defaults),
        KIND_TEST(a_pod_is_decoded_with_its_status),
        KIND_TEST(a_pod_without_status_is_not_ready),
        KIND_TEST(an_endpoint_slice_is_decoded),
        KIND_TEST(an_endpoint_slice_may_be_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
