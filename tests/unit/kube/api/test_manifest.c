/* SPDX-License-Identifier: Apache-2.0 */
/* test_manifest.c: texts of several documents, Lists and JSON; what kinds there are. */
#include "unit/kube/api/support.h"

#include "kube/api/http_route.h"

static const char canary[] =
    "# a canary from files\n"
    "---\n"
    "apiVersion: gateway.networking.k8s.io/v1\n"
    "kind: Gateway\n"
    "metadata:\n"
    "  name: edge\n"
    "spec:\n"
    "  gatewayClassName: serin\n"
    "  listeners:\n"
    "  - {name: web, protocol: HTTP, port: 8080}\n"
    "---\n"
    "apiVersion: gateway.networking.k8s.io/v1\n"
    "kind: HTTPRoute\n"
    "metadata:\n"
    "  name: chat\n"
    "spec:\n"
    "  parentRefs: [{name: edge}]\n"
    "  rules:\n"
    "  - backendRefs:\n"
    "    - {group: inference.networking.x-k8s.io, kind: InferencePool, name: blue, weight: 90}\n"
    "    - {group: inference.networking.x-k8s.io, kind: InferencePool, name: green, weight: 10}\n"
    "---\n";

static void documents_become_objects_in_order(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, canary);
    fixture_expect_clean(&fixture);
    assert_int_equal(fixture.manifest.len, 2);
    assert_int_equal(fixture.manifest.objects[0]->kind, KUBE_GATEWAY);
    assert_int_equal(fixture.manifest.objects[1]->kind, KUBE_HTTP_ROUTE);
    fixture_close(&fixture);
}

static void a_later_text_replaces_the_same_object(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, canary);
    fixture_read(&fixture, "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                           "metadata: {name: chat, namespace: default}\n"
                           "spec: {rules: [{backendRefs: [{name: only, port: 80}]}]}\n");
    fixture_expect_clean(&fixture);
    assert_int_equal(fixture.manifest.len, 2);
    const struct http_route_spec *route = fixture.manifest.objects[1]->spec;
    assert_int_equal(route->rules[0].backend_count, 1);
    assert_string_equal(route->rules[0].backends[0].name, "only");
    fixture_close(&fixture);
}

static void equal_names_in_other_kinds_or_namespaces_are_other_objects(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "{apiVersion: v1, kind: Namespace, metadata: {name: x}}\n---\n"
                           "{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: 1}]}}\n---\n"
                           "{apiVersion: v1, kind: Service, metadata: {name: x, namespace: n}, spec: {ports: [{port: "
                           "1}]}}\n");
    fixture_expect_clean(&fixture);
    assert_int_equal(fixture.manifest.len, 3);
    fixture_close(&fixture);
}

static void good_documents_beside_a_bad_one_are_added(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
                           "---\n"
                           "{apiVersion: v1, kind: Namespace, metadata: {name: B}}\n"
                           "---\n"
                           "{apiVersion: v1, kind: Namespace, metadata: {name: c}}\n");
    assert_int_equal(fixture.manifest.len, 2);
    assert_int_equal(fixture.problems.count, 1);
    assert_string_equal(problem_text(fixture.problems.first, fixture.arena),
                        "test.yaml:3: Namespace B: metadata.name: must be a DNS label: lower case letters, digits and "
                        "'-'");
    assert_null(fixture.problems.source);
    assert_null(fixture.problems.object);
    fixture_close(&fixture);
}

static void a_syntax_error_names_its_line(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
                           "---\n"
                           "kind: Pod\n"
                           "metadata: [\n");
    assert_int_equal(fixture.manifest.len, 1);
    assert_int_equal(fixture.problems.count, 1);
    const struct problem *problem = fixture.problems.first;
    assert_string_equal(problem->field, "");
    assert_string_equal(problem->reason, "Invalid");
    assert_int_equal(strncmp(problem->source, "test.yaml:", 10), 0);
    assert_true(strncmp(problem->message, "line", 4) != 0);
    fixture_close(&fixture);
}

static void a_list_holds_objects(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "apiVersion: v1\n"
                           "kind: List\n"
                           "metadata: {resourceVersion: \"\"}\n"
                           "items:\n"
                           "- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
                           "- {apiVersion: v1, kind: Namespace, metadata: {name: B}}\n"
                           "- {kind: Namespace}\n"
                           "- 5\n"
                           "- {apiVersion: v1, kind: Namespace, metadata: {name: c}}\n");
    assert_int_equal(fixture.manifest.len, 2);
    assert_int_equal(fixture.problems.count, 3);
    assert_string_equal(fixture.problems.first->object, "Namespace B");
    assert_string_equal(fixture.problems.first->next->object, "List items[2]");
    assert_string_equal(fixture.problems.first->next->field, "apiVersion");
    assert_string_equal(fixture.problems.first->next->next->reason, "UnknownKind");
    fixture_close(&fixture);
}

static void a_list_of_another_shape_is_a_problem(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "{apiVersion: v1, kind: List, items: {}, item: []}\n");
    assert_string_equal(fixture_problem(&fixture, "items")->reason, "TypeMismatch");
    assert_string_equal(fixture_problem(&fixture, "item")->reason, "UnknownField");
    fixture_close(&fixture);
}

static void json_is_read_with_all_its_escapes(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, " {\"apiVersion\": \"v1\", \"kind\": \"Namespace\",\n\t\"metadata\": {\"name\": \"a\", "
                           "\"annotations\": {\"note\": \"\\ud83d\\ude00 \\/\"}}}\n");
    fixture_expect_clean(&fixture);
    assert_int_equal(fixture.manifest.len, 1);
    assert_string_equal(kube_labels_get(&fixture.manifest.objects[0]->annotations, "note"), "\xf0\x9f\x98\x80 /");
    fixture_close(&fixture);
}

static void an_empty_text_holds_nothing(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "");
    fixture_read(&fixture, "# nothing here\n---\n---\n");
    fixture_expect_clean(&fixture);
    assert_int_equal(fixture.manifest.len, 0);
    fixture_close(&fixture);
}

static void kinds_are_found_by_version_and_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KUBE_KIND_COUNT; i++) {
        const struct kube_kind_info *info = kube_kind_info((enum kube_kind)i);
        char version[128];
        snprintf(version, sizeof version, "%s%s%s", info->group, info->group[0] == '\0' ? "" : "/", info->version);
        assert_int_equal(kube_kind_find(version, info->kind), i);
    }
    assert_int_equal(kube_kind_find("gateway.networking.k8s.io/v1beta1", "HTTPRoute"), KUBE_HTTP_ROUTE);
    assert_int_equal(kube_kind_find("gateway.networking.k8s.io/v1", "ReferenceGrant"), KUBE_REFERENCE_GRANT);
    assert_int_equal(kube_kind_find("gateway.networking.k8s.io/v1alpha2", "HTTPRoute"), KUBE_KIND_COUNT);
    assert_int_equal(kube_kind_find("apps/v1beta1", "Deployment"), KUBE_KIND_COUNT);
    assert_int_equal(kube_kind_find("v1", "Deployment"), KUBE_KIND_COUNT);
    assert_int_equal(kube_kind_find("", ""), KUBE_KIND_COUNT);
}

static void the_tree_stays_as_the_user_wrote_it(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
                           "spec: {containers: [{name: a, image: b, tty: true}], nodeName: n}\n");
    fixture_expect_clean(&fixture);
    json_t *spec = json_object_get(fixture.manifest.objects[0]->tree, "spec");
    assert_string_equal(json_string_value(json_object_get(spec, "nodeName")), "n");
    assert_null(json_object_get(spec, "terminationGracePeriodSeconds"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_become_objects_in_order),
        cmocka_unit_test(a_later_text_replaces_the_same_object),
        cmocka_unit_test(equal_names_in_other_kinds_or_namespaces_are_other_objects),
        cmocka_unit_test(good_documents_beside_a_bad_one_are_added),
        cmocka_unit_test(a_syntax_error_names_its_line),
        cmocka_unit_test(a_list_holds_objects),
        cmocka_unit_test(a_list_of_another_shape_is_a_problem),
        cmocka_unit_test(json_is_read_with_all_its_escapes),
        cmocka_unit_test(an_empty_text_holds_nothing),
        cmocka_unit_test(kinds_are_found_by_version_and_name),
        cmocka_unit_test(the_tree_stays_as_the_user_wrote_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
