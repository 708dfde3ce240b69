/* SPDX-License-Identifier: Apache-2.0 */
/* test_bad_gateway_kinds.c: each bad manifest of a gateway kind names the field that is wrong and why. */
#include "unit/kube/api/support.h"

#define GATEWAYS "gateway.networking.k8s.io/v1"
static const char gateway_class[] = MANIFEST_HEAD(GATEWAYS, "GatewayClass");
static const char gateway[] = MANIFEST_HEAD(GATEWAYS, "Gateway") "spec:\n  gatewayClassName: c\n";
static const char listener[] = MANIFEST_HEAD(GATEWAYS, "Gateway") "spec:\n  gatewayClassName: c\n  listeners:\n"
                                                                  "  - {name: a, port: 80, protocol: HTTP}\n  - ";
static const char grant[] = MANIFEST_HEAD("gateway.networking.k8s.io/v1beta1", "ReferenceGrant");
static const char route[] = MANIFEST_HEAD(GATEWAYS, "HTTPRoute") "spec:\n  ";
static const char rule[] = MANIFEST_HEAD(GATEWAYS, "HTTPRoute") "spec:\n  parentRefs: [{name: edge}]\n  rules:\n  - ";
static const char match[] = MANIFEST_HEAD(GATEWAYS, "HTTPRoute") "spec:\n  rules:\n  - matches:\n    - ";
static const char pool[] = MANIFEST_HEAD("inference.networking.k8s.io/v1", "InferencePool") "spec: ";
static const char pool_x[] = MANIFEST_HEAD("inference.networking.x-k8s.io/v1alpha2", "InferencePool") "spec: ";
static const char model[] = MANIFEST_HEAD("inference.networking.x-k8s.io/v1alpha2", "InferenceModel") "spec: ";
static const char ctp[] = MANIFEST_HEAD(
    "gateway.envoyproxy.io/v1alpha1",
    "ClientTrafficPolicy") "spec:\n"
                           "  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: edge}\n  ";
static const char btp[] = MANIFEST_HEAD(
    "gateway.envoyproxy.io/v1alpha1",
    "BackendTrafficPolicy") "spec:\n"
                            "  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: edge}\n  ";
static const char policy[] = MANIFEST_HEAD("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy") "spec:\n  ";

static const struct bad_manifest bad_manifests[] = {
    /* GatewayClass, Gateway, ReferenceGrant */
    {gateway_class, "", "spec", "Required", "required"},
    {gateway_class, "spec: {controllerName: a/}", "spec.controllerName", "Invalid", "must be a DNS name, '/'"},
    {gateway_class, "spec: {controllerName: a/b}\nspecs: {}", "specs", "UnknownField",
     "unknown field; did you mean \"spec\"?"},
    {gateway_class, "spec: {controllerName: a/b, parametersRef: {kind: K, name: n}}", "spec.parametersRef.group",
     "Required", "required"},
    {gateway, "  listeners: {}", "spec.listeners", "TypeMismatch", "must be a list"},
    {gateway, "  listeners: [text]", "spec.listeners[0]", "TypeMismatch", "must be an object"},
    {gateway, "  addresses: [{value: not-an-ip}]", "spec.addresses[0].value", "Invalid", "must be an IPv4 or IPv6"},
    {gateway, "  allowedListeners: {}", "spec.allowedListeners", "NotSupported", "not supported yet"},
    {listener, "{port: 81, protocol: HTTP}", "spec.listeners[1].name", "Required", "required"},
    {listener, "{name: b, protocol: HTTP}", "spec.listeners[1].port", "Required", "required"},
    {listener, "{name: b, port: 81}", "spec.listeners[1].protocol", "Required", "required"},
    {listener, "{name: b, port: 0, protocol: HTTP}", "spec.listeners[1].port", "Invalid", "must be 1..65535"},
    {listener, "{name: b, port: 80.5, protocol: HTTP}", "spec.listeners[1].port", "TypeMismatch", "must be an integer"},
    {listener, "{name: b, port: 81, protocol: 'HT TP'}", "spec.listeners[1].protocol", "Invalid", "must be a protocol"},
    {listener, "{name: b, port: 80, protocol: HTTP}", "spec.listeners[1]", "Invalid",
     "port, protocol and hostname must be unique"},
    {listener, "{name: a, port: 81, protocol: HTTP}", "spec.listeners[1].name", "Invalid", "must be unique"},
    {listener, "{name: b, port: 81, protocol: HTTP, hostname: '*'}", "spec.listeners[1].hostname", "Invalid",
     "must be a lower case DNS name"},
    {listener, "{name: b, port: 81, protocol: HTTP, hostname: 10.0.0.1}", "spec.listeners[1].hostname", "Invalid",
     "must be a lower case DNS name"},
    {listener, "{name: b, port: 81, protocol: TCP, hostname: a.b}", "spec.listeners[1].hostname", "Invalid",
     "must not be given"},
    {listener, "{name: b, port: 81, protocol: HTTP, tls: {}}", "spec.listeners[1].tls", "Invalid",
     "must not be given for protocol HTTP"},
    {listener, "{name: b, port: 81, protocol: TLS}", "spec.listeners[1].tls", "Required", "required for protocol TLS"},
    {listener, "{name: b, port: 81, protocol: HTTPS, tls: {mode: Passthrough}}", "spec.listeners[1].tls.mode",
     "Invalid", "must be Terminate"},
    {listener, "{name: b, port: 81, protocol: HTTPS, tls: {}}", "spec.listeners[1].tls.certificateRefs", "Required",
     "required to terminate"},
    {listener, "{name: b, port: 81, protocol: HTTP, allowedRoutes: {kinds: [{kind: 9K}]}}",
     "spec.listeners[1].allowedRoutes.kinds[0].kind", "Invalid", "must be a kind"},
    {listener,
     "{name: b, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: "
     "[{key: a, operator: Near}]}}}}",
     "spec.listeners[1].allowedRoutes.namespaces.selector.matchExpressions[0].operator", "Invalid",
     "must be In, NotIn, Exists or DoesNotExist"},
    {listener,
     "{name: b, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: "
     "[{key: a, operator: In}]}}}}",
     "spec.listeners[1].allowedRoutes.namespaces.selector.matchExpressions[0].values", "Required",
     "required with operator In"},
    {grant, "spec: {from: [{group: a.b, kind: K}], to: [{group: '', kind: Service}]}", "spec.from[0].namespace",
     "Required", "required"},
    {grant, "spec: {from: [{group: a.b, kind: K, namespace: n}], to: []}", "spec.to", "Invalid",
     "must have 1..16 items"},
    /* HTTPRoute */
    {route, "parentRefs: [{sectionName: web}]", "spec.parentRefs[0].name", "Required", "required"},
    {route, "parentRefs: [{name: e, port: 65536}]", "spec.parentRefs[0].port", "Invalid", "must be 1..65535"},
    {route, "parentRefs: [{name: e, sectionName: web}, {name: e}]", "spec.parentRefs[1].sectionName", "Required",
     "must differ from parentRefs[0]"},
    {route, "parentRefs: [{name: e, sectionName: web}, {name: e, namespace: default, sectionName: web}]",
     "spec.parentRefs[1].sectionName", "Invalid", "must differ from parentRefs[0]"},
    {route, "hostnames: [a.example.com, '*.*.example.com']", "spec.hostnames[1]", "Invalid",
     "must be a lower case DNS name"},
    {route, "hostnames: [5]", "spec.hostnames[0]", "TypeMismatch", "must be a string"},
    {route, "hostnames: a.example.com", "spec.hostnames", "TypeMismatch", "must be a list"},
    {route, "hostnames: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]", "spec.hostnames", "Invalid",
     "must have at most 16 items"},
    {route, "rules: []", "spec.rules", "Invalid", "must have 1..16 items"},
    {route, "rules: [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]", "spec.rules", "Invalid",
     "must have at most 16 items"},
    {rule, "name: Bad_Name", "spec.rules[0].name", "Invalid", "must be a DNS name"},
    {rule, "name: a\n  - name: a", "spec.rules[1].name", "Invalid", "must be unique"},
    {rule, "sessionPersistence: {}", "spec.rules[0].sessionPersistence", "NotSupported", "not supported yet"},
    {rule, "filter: []", "spec.rules[0].filter", "UnknownField", "unknown field; did you mean \"filters\"?"},
    {rule, "somethingElse: 1", "spec.rules[0].somethingElse", "UnknownField", "unknown field"},
    {rule, "filters: [{type: URLRewrite}]", "spec.rules[0].filters[0].urlRewrite", "Required", "required"},
    {rule, "filters: [{type: CORS, cors: {}, requestRedirect: {}}]", "spec.rules[0].filters[0].requestRedirect",
     "Invalid", "must not be given with type CORS"},
    {rule, "timeouts: {request: 5}", "spec.rules[0].timeouts.request", "TypeMismatch", "must be a duration in quotes"},
    {rule, "timeouts: {request: 5 s}", "spec.rules[0].timeouts.request", "Invalid", "must be a duration"},
    {rule, "timeouts: {request: 1s, backendRequest: 1001ms}", "spec.rules[0].timeouts.backendRequest", "Invalid",
     "must not be longer"},
    {rule, "backendRefs: [{port: 80}]", "spec.rules[0].backendRefs[0].name", "Required", "required"},
    {rule, "backendRefs: [{name: a, kind: Service, group: ''}]", "spec.rules[0].backendRefs[0].port", "Required",
     "required"},
    {rule, "backendRefs: [{name: a, port: http}]", "spec.rules[0].backendRefs[0].port", "TypeMismatch",
     "must be an integer"},
    {rule, "backendRefs: [{name: a, port: 80, weight: 1000001}]", "spec.rules[0].backendRefs[0].weight", "Invalid",
     "must be 0..1000000"},
    {rule, "backendRefs: [{name: a, port: 80, weigth: 5}]", "spec.rules[0].backendRefs[0].weigth", "UnknownField",
     "unknown field; did you mean \"weight\"?"},
    {rule, "backendRefs: [{name: a, group: Not_A_Group, kind: K}]", "spec.rules[0].backendRefs[0].group", "Invalid",
     "must be an API group"},
    {match, "path: {value: v1}", "spec.rules[0].matches[0].path.value", "Invalid", "must start with '/'"},
    {match, "path: {value: ''}", "spec.rules[0].matches[0].path.value", "Invalid", "must not be empty"},
    {match, "path: {value: /a//b}", "spec.rules[0].matches[0].path.value", "Invalid", "must not contain \"//\""},
    {match, "path: {value: /a/./b}", "spec.rules[0].matches[0].path.value", "Invalid", "must not contain \"/./\""},
    {match, "path: {value: /a%2Fb}", "spec.rules[0].matches[0].path.value", "Invalid", "must not contain \"%2F\""},
    {match, "path: {value: '/a#b'}", "spec.rules[0].matches[0].path.value", "Invalid", "must not contain \"#\""},
    {match, "path: {value: /a/..}", "spec.rules[0].matches[0].path.value", "Invalid", "must not end with"},
    {match, "path: {value: '/a b'}", "spec.rules[0].matches[0].path.value", "Invalid", "must be a URL path"},
    {match, "path: {value: /a%2}", "spec.rules[0].matches[0].path.value", "Invalid", "must be a URL path"},
    {match, "path: {type: Prefix}", "spec.rules[0].matches[0].path.type", "Invalid",
     "must be Exact, PathPrefix or RegularExpression"},
    {match, "path: /v1", "spec.rules[0].matches[0].path", "TypeMismatch", "must be an object"},
    {match, "method: FETCH", "spec.rules[0].matches[0].method", "Invalid", "must be GET"},
    {match, "headers: [{name: a}]", "spec.rules[0].matches[0].headers[0].value", "Required", "required"},
    {match, "headers: [{name: 'a:', value: b}]", "spec.rules[0].matches[0].headers[0].name", "Invalid",
     "must be an HTTP token"},
    {match, "headers: [{name: a, value: b}, {name: a, value: c}]", "spec.rules[0].matches[0].headers[1].name",
     "Invalid", "must be unique; headers[0]"},
    {match, "queryParams: [{name: a, value: b, type: Glob}]", "spec.rules[0].matches[0].queryParams[0].type", "Invalid",
     "must be Exact or RegularExpression"},
    /* InferencePool, InferenceModel */
    {pool, "{targetPorts: [{number: 1}]}", "spec.selector", "Required", "required"},
    {pool, "{selector: {matchLabels: {}}, targetPorts: [{number: 1}]}", "spec.selector.matchLabels", "Invalid",
     "must have 1..64 labels"},
    {pool, "{selector: {matchLabels: {a: b}, matchExpressions: []}, targetPorts: [{number: 1}]}",
     "spec.selector.matchExpressions", "UnknownField", "unknown field"},
    {pool, "{selector: {matchLabels: {a: b}}}", "spec.targetPorts", "Required", "required"},
    {pool, "{selector: {matchLabels: {a: b}}, targetPorts: [{number: 1}, {number: 1}]}", "spec.targetPorts[1].number",
     "Invalid", "must be unique"},
    {pool, "{selector: {matchLabels: {a: b}}, targetPorts: [{number: 1}], appProtocol: h2c}", "spec.appProtocol",
     "Invalid", "must be http or kubernetes.io/h2c"},
    {pool, "{selector: {matchLabels: {a: b}}, targetPorts: [{number: 1}], endpointPickerRef: {port: {number: 9002}}}",
     "spec.endpointPickerRef.name", "Required", "required"},
    {pool, "{selector: {matchLabels: {a: b}}, targetPorts: [{number: 1}], endpointPickerRef: {name: p, port: {}}}",
     "spec.endpointPickerRef.port.number", "Required", "required"},
    {pool,
     "{selector: {matchLabels: {a: b}}, targetPorts: [{number: 1}], endpointPickerRef: {name: p, kind: Other, "
     "failureMode: FailFast}}",
     "spec.endpointPickerRef.failureMode", "Invalid", "must be FailOpen or FailClose"},
    {pool_x, "{selector: {a: b}, extensionRef: {name: p}}", "spec.targetPortNumber", "Required", "required"},
    {pool_x, "{selector: {matchLabels: {a: b}}, targetPortNumber: 1, extensionRef: {name: p}}",
     "spec.selector.matchLabels", "TypeMismatch", "must be a string"},
    {pool_x, "{selector: {a: b}, targetPortNumber: 1, extensionRef: {}}", "spec.extensionRef.name", "Required",
     "required"},
    {model, "{poolRef: {name: p}}", "spec.modelName", "Required", "required"},
    {model, "{modelName: m}", "spec.poolRef", "Required", "required"},
    {model, "{modelName: m, poolRef: {}}", "spec.poolRef.name", "Required", "required"},
    {model, "{modelName: m, poolRef: {name: p}, criticality: High}", "spec.criticality", "Invalid",
     "must be Critical, Standard or Sheddable"},
    {model, "{modelName: m, poolRef: {name: p}, targetModels: [{name: a, weight: 0}]}", "spec.targetModels[0].weight",
     "Invalid", "must be 1..1000000"},
    {model, "{modelName: m, poolRef: {name: p}, targetModels: [{name: a}, {name: b, weight: 1}]}", "spec.targetModels",
     "Invalid", "must have a weight on all items or on none"},
    {model, "{modelName: m, poolRef: {name: p}, targetModels: [{weight: 1}]}", "spec.targetModels[0].name", "Required",
     "required"},
    {model,
     "{modelName: m, poolRef: {name: p}, targetModels: [{name: a},{name: a},{name: a},{name: a},{name: a},{name: "
     "a},{name: a},{name: a},{name: a},{name: a},{name: a}]}",
     "spec.targetModels", "Invalid", "must have at most 10 items"},
    /* policies */
    {policy, "timeout: {}", "spec.targetRefs", "Required", "required"},
    {policy, "targetRefs: []", "spec.targetRefs", "Invalid", "must have 1..16 items"},
    {policy, "targetSelectors: [{kind: Gateway}]", "spec.targetSelectors", "NotSupported", "not supported yet"},
    {policy, "targetRefs: [{group: example.com, kind: Gateway, name: e}]", "spec.targetRefs[0].group", "Invalid",
     "must be gateway.networking.k8s.io"},
    {policy, "targetRef: {group: gateway.networking.k8s.io, kind: Service, name: e}", "spec.targetRef.kind", "Invalid",
     "must be Gateway or HTTPRoute"},
    {policy, "targetRef: {group: gateway.networking.k8s.io, kind: Gateway}", "spec.targetRef.name", "Required",
     "required"},
    {btp, "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: e}]", "spec.targetRefs", "Invalid",
     "must not be given together"},
    {btp, "retry: {perRetry: {}}", "spec.retry.perRetry", "NotSupported", "not supported yet"},
    {btp, "retry: {numRetries: 9}", "spec.retry.numRetries", "Invalid", "must be 0..8"},
    {btp, "retry: {retryOn: {httpStatusCodes: [200]}}", "spec.retry.retryOn.httpStatusCodes", "Invalid",
     "must be statuses of failed requests"},
    {btp, "timeouts: {}", "spec.timeouts", "UnknownField", "unknown field; did you mean \"timeout\"?"},
    {btp, "timeout: {tcp: {connectTimeout: 1s}}", "spec.timeout.tcp", "NotSupported", "not supported yet"},
    {btp, "timeout: {http: {maxStreamDuration: 1s}}", "spec.timeout.http.maxStreamDuration", "NotSupported",
     "not supported yet"},
    {btp, "timeout: {http: {streamIdleTimeout: soon}}", "spec.timeout.http.streamIdleTimeout", "Invalid",
     "must be a duration"},
    {btp, "timeout: {http: {requestTimeout: 1 hour}}", "spec.timeout.http.requestTimeout", "Invalid",
     "must be a duration"},
    {ctp, "timeout: {http: {idleTimeout: 1s}}", "spec.timeout", "NotSupported", "not supported yet"},
    {ctp, "connection: {connectionLimit: {value: 1}}", "spec.connection.connectionLimit", "NotSupported",
     "not supported yet"},
    {ctp, "connection: {bufferLimit: 0}", "spec.connection.bufferLimit", "Invalid", "must be 1..4294967295"},
    {ctp, "connection: {bufferLimit: 4Gi}", "spec.connection.bufferLimit", "Invalid",
     "must be at most 4294967295 bytes"},
    {ctp, "connection: {bufferLimit: 020Mi}", "spec.connection.bufferLimit", "Invalid", "must be a whole quantity"},
    {ctp, "connection: {bufferLimit: 20mi}", "spec.connection.bufferLimit", "Invalid", "must be a whole quantity"},
    {ctp, "connection: {bufferLimit: [1]}", "spec.connection.bufferLimit", "TypeMismatch", ""},
};

static void each_bad_manifest_names_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_manifests); i++)
        check_bad_manifest(&bad_manifests[i]);
}

static void limits_on_matches_hold_per_rule_and_in_total(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    const char *matches = "{}";
    for (unsigned i = 1; i < 64; i++)
        matches = arena_printf(fixture.arena, "%s,{}", matches);
    fixture_read(&fixture,
                 arena_printf(fixture.arena, "%srules: [{matches: [%s]}, {matches: [%s]}]\n", route, matches, matches));
    fixture_expect_clean(&fixture);
    fixture_read(&fixture, arena_printf(fixture.arena, "%srules: [{matches: [%s,{}]}]\n", route, matches));
    assert_string_equal(fixture_problem(&fixture, "spec.rules[0].matches")->message, "must have at most 64 items");
    fixture_read(&fixture, arena_printf(fixture.arena, "%srules: [{matches: [%s]}, {matches: [%s]}, {}]\n", route,
                                        matches, matches));
    assert_string_equal(fixture_problem(&fixture, "spec.rules")->message, "must have at most 128 matches in total");
    fixture_close(&fixture);
}

static void names_and_paths_have_their_longest_length(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    char text[1100];
    fixture_open(&fixture);
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    fixture_read(&fixture, arena_printf(fixture.arena, "%spath: {value: /%.1023s}\n", match, text));
    fixture_expect_clean(&fixture);
    fixture_read(&fixture, arena_printf(fixture.arena, "%spath: {value: /%.1024s}\n", match, text));
    assert_string_equal(fixture.problems.first->message, "must be at most 1024 characters");
    fixture_read(&fixture, arena_printf(fixture.arena, "%s{modelName: %.257s, poolRef: {name: p}}\n", model, text));
    assert_string_equal(fixture_problem(&fixture, "spec.modelName")->message, "must be at most 256 characters");
    fixture_read(&fixture, arena_printf(fixture.arena, "%sname: %.254s\n", rule, text));
    assert_string_equal(fixture_problem(&fixture, "spec.rules[0].name")->message, "must be at most 253 characters");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_manifest_names_its_field),
        cmocka_unit_test(limits_on_matches_hold_per_rule_and_in_total),
        cmocka_unit_test(names_and_paths_have_their_longest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
