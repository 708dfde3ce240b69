/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_route_match.c: any request against one rich configuration.
 *
 * The tables must find what a plain look at every candidate finds: explain tries all of them, so both have to agree on
 * whether a rule takes the request, and on the winner.  The keyed split must answer the same twice. */
/* uses: route kube_api base */
#include <stdlib.h>

#include "kube/api/manifest.h"
#include "route/compile.h"
#include "route/explain.h"
#include "route/match.h"
#include "route/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] =
    "apiVersion: gateway.networking.k8s.io/v1\n"
    "kind: GatewayClass\n"
    "metadata: {name: c}\n"
    "spec: {controllerName: example.com/any}\n"
    "---\n"
    "apiVersion: gateway.networking.k8s.io/v1\n"
    "kind: Gateway\n"
    "metadata: {name: g}\n"
    "spec: {gatewayClassName: c, listeners: [\n"
    "  {name: any, port: 80, protocol: HTTP},\n"
    "  {name: wild, port: 80, protocol: HTTP, hostname: '*.a.io'},\n"
    "  {name: exact, port: 80, protocol: HTTP, hostname: b.a.io}]}\n"
    "---\n"
    "apiVersion: inference.networking.x-k8s.io/v1alpha2\n"
    "kind: InferencePool\n"
    "metadata: {name: v1}\n"
    "spec: {selector: {app: x}, targetPortNumber: 8000, extensionRef: {name: picker}}\n"
    "---\n"
    "apiVersion: inference.networking.x-k8s.io/v1alpha2\n"
    "kind: InferencePool\n"
    "metadata: {name: v2}\n"
    "spec: {selector: {app: y}, targetPortNumber: 8000, extensionRef: {name: picker}}\n"
    "---\n"
    "apiVersion: inference.networking.x-k8s.io/v1alpha2\n"
    "kind: InferenceModel\n"
    "metadata: {name: m}\n"
    "spec: {modelName: m, poolRef: {name: v1}, targetModels: [{name: m-1, weight: 9}, {name: m-2, weight: 1}]}\n"
    "---\n"
    "apiVersion: gateway.networking.k8s.io/v1\n"
    "kind: HTTPRoute\n"
    "metadata: {name: one}\n"
    "spec:\n"
    "  parentRefs: [{name: g}]\n"
    "  rules:\n"
    "  - name: exact\n"
    "    matches: [{path: {type: Exact, value: /v1}}, {path: {type: Exact, value: /v1}, method: POST}]\n"
    "  - name: prefix\n"
    "    matches: [{path: {value: /v1/chat}}, {path: {value: /v1/}, headers: [{name: x-a, value: b}]}]\n"
    "  - name: regex\n"
    "    matches: [{path: {type: RegularExpression, value: '/(a|b+)*/c'}}]\n"
    "  - name: query\n"
    "    matches: [{queryParams: [{name: q, value: a b}]},\n"
    "      {queryParams: [{name: r, type: RegularExpression, value: '[x-z]+'}, {name: q, value: c}]}]\n"
    "  - name: pattern\n"
    "    matches: [{headers: [{name: x-a, type: RegularExpression, value: '(c*)*d'}]}]\n"
    "---\n"
    "apiVersion: gateway.networking.k8s.io/v1\n"
    "kind: HTTPRoute\n"
    "metadata: {name: two}\n"
    "spec:\n"
    "  parentRefs: [{name: g}]\n"
    "  hostnames: ['*.a.io', b.a.io, '*.c.a.io', d.io]\n"
    "  rules:\n"
    "  - matches: [{path: {value: /v1}}, {method: GET}]\n"
    "    backendRefs:\n"
    "    - {group: inference.networking.x-k8s.io, kind: InferencePool, name: v1, weight: 9}\n"
    "    - {group: inference.networking.x-k8s.io, kind: InferencePool, name: v2, weight: 1}\n";

/* The parts of an input, between line breaks. */
enum { HOST, PATH, QUERY, METHOD, HEADER, MODEL, KEY, PARTS };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct route_snapshot *compile_once(void)
{
    static struct route_snapshot *snapshot; /* one configuration for all inputs */
    if (snapshot != NULL)
        return snapshot;
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    struct manifest manifest;
    manifest_init(&manifest);
    manifest_add(&manifest, "fuzz", bytes_of(configuration), &problems);
    require(problems.count == 0);
    struct object_cache *cache = object_cache_new();
    for (unsigned i = 0; i < manifest.len; i++)
        object_cache_put(cache, kube_object_take(manifest.objects[i]));
    manifest_deinit(&manifest);
    const char *const addresses[] = {"127.0.0.1"};
    static struct pool_registry *pools;
    static struct split_registry *splits;
    pools = pool_registry_new();
    splits = split_registry_new();
    struct compile_input input = {
        .cache = cache, .pools = pools, .splits = splits, .addresses = addresses, .address_count = 1};
    struct status_report *report;
    snapshot = route_compile(&input, arena, &report);
    status_report_problems(report, &problems);
    require(problems.count == 0);
    status_report_deinit(report);
    object_cache_free(cache);
    arena_free(arena);
    return snapshot;
}

/* "name:value". */
static bool find_header(void *context, struct bytes name, struct bytes *ret_value)
{
    const struct bytes *line = context;
    size_t colon = bytes_find(*line, ':');
    if (colon == line->len || !bytes_equal_nocase(bytes_make(line->data, colon), name))
        return false;
    *ret_value = bytes_skip(*line, colon + 1);
    return true;
}

static void cut(struct bytes input, struct bytes parts[PARTS])
{
    for (unsigned i = 0; i < PARTS; i++) {
        size_t end = i + 1 < PARTS ? bytes_find(input, '\n') : input.len;
        parts[i] = bytes_make(input.data, end);
        input = bytes_skip(input, end < input.len ? end + 1 : end);
    }
}

/* The key stands in every header. */
static bool find_key(void *context, struct bytes name, struct bytes *ret_value)
{
    (void)name;
    *ret_value = *(const struct bytes *)context;
    return ret_value->len > 0;
}

static struct split_request describe(const struct bytes *parts, struct bytes *key, const struct openai_scan *scan,
                                     struct arena *arena)
{
    return (struct split_request){
        .model = parts[MODEL],
        .facts = {.header = find_key, .context = key, .path = parts[PATH], .scan = scan, .arena = arena}};
}

static void check_split(const struct route_rule *rule, struct bytes *parts, struct arena *arena)
{
    struct bytes none = BYTES("");
    struct openai_scan scan;
    struct split_choice first, second, keyless;
    openai_scan_init(&scan);
    struct split_request keyed = describe(parts, &parts[KEY], &scan, arena);
    struct split_request plain = describe(parts, &none, &scan, arena);
    route_split(rule, &keyed, &first);
    route_split(rule, &keyed, &second);
    require(parts[KEY].len == 0 || (first.arm == second.arm && first.target == second.target));
    route_split(rule, &plain, &keyless);
    for (size_t i = 0; i < keyless.arm_text.len; i++)
        require(keyless.arm_text.data[i] > 0x20 && keyless.arm_text.data[i] < 0x7f);
}

static bool contains(struct bytes text, const char *wanted)
{
    return text.len > 0 && memmem(text.data, text.len, wanted, strlen(wanted)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct route_snapshot *snapshot = compile_once();
    struct bytes parts[PARTS];
    cut(bytes_make(size > 0 ? (const char *)data : "", size), parts);
    struct arena *arena = arena_new(0);
    struct route_request request = {.host = parts[HOST],
                                    .path = parts[PATH],
                                    .query = parts[QUERY],
                                    .method = parts[METHOD],
                                    .header = find_header,
                                    .context = &parts[HEADER],
                                    .arena = arena};
    struct route_match match;
    route_match(snapshot, &request, &match);
    struct buffer out;
    buffer_init(&out);
    struct openai_scan scan;
    openai_scan_init(&scan);
    struct split_request split = describe(parts, &parts[KEY], &scan, arena);
    bool is_taken = route_explain(snapshot, &request, &split, &out) != NULL;
    require(is_taken == (match.outcome == ROUTE_MATCHED));
    if (is_taken) {
        require(contains(buffer_bytes(&out), match.rule->route));
        require(contains(buffer_bytes(&out), arena_printf(arena, "\n%s %s", match.rule->route, match.rule->rule_name)));
        check_split(match.rule, parts, arena);
    }
    buffer_deinit(&out);
    arena_free(arena);
    return 0;
}
