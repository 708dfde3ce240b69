/* SPDX-License-Identifier: Apache-2.0 */
/* test_resources.c: the table agrees with the kinds, and finds what is asked for. */
#include "kube/apiserver/resources.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void every_kind_is_served_under_its_own_names(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KUBE_KIND_COUNT; kind++) {
        const struct kube_kind_info *info = kube_kind_info((enum kube_kind)kind);
        const struct api_resource *resource = resource_of_kind((enum kube_kind)kind);
        assert_non_null(resource);
        assert_string_equal(resource->group, info->group);
        assert_string_equal(resource->plural, info->plural);
        assert_string_equal(resource->kind_name, info->kind);
        assert_int_equal(resource->is_namespaced, info->is_namespaced);
        /* Custom kinds are those whose unknown fields are errors. */
        assert_int_equal(resource->is_built_in, !info->is_strict);
        assert_non_null(resource_find(bytes_of(info->group), bytes_of(info->version), bytes_of(info->plural)));
    }
}

static void rows_are_consistent(void **state)
{
    (void)state;
    struct api_resources all = resource_all();
    for (size_t i = 0; i < all.len; i++) {
        const struct api_resource *row = &all.items[i];
        char text[128];
        snprintf(text, sizeof text, "%s%s%s", row->group, row->group[0] == '\0' ? "" : "/", row->version);
        assert_string_equal(row->api_version, text);
        snprintf(text, sizeof text, "%sList", row->kind_name);
        assert_string_equal(row->list_kind, text);
        for (size_t j = 0; j <= strlen(row->kind_name); j++)
            assert_int_equal(row->singular[j], tolower((unsigned char)row->kind_name[j]));
        if (row->kind != KUBE_KIND_COUNT && !row->is_events_view)
            assert_int_equal(kube_kind_find(row->api_version, row->kind_name), row->kind);
        assert_ptr_equal(resource_find(bytes_of(row->group), bytes_of(row->version), bytes_of(row->plural)), row);
        assert_ptr_equal(resource_find_kind(bytes_of(row->api_version), bytes_of(row->kind_name)), row);
    }
}

static void no_short_name_means_two_resources(void **state)
{
    (void)state;
    struct api_resources all = resource_all();
    for (size_t i = 0; i < all.len; i++) {
        for (size_t j = i + 1; j < all.len && all.items[i].short_names[0] != NULL; j++) {
            bool same_resource = strcmp(all.items[i].group, all.items[j].group) == 0 &&
                                 strcmp(all.items[i].plural, all.items[j].plural) == 0;
            if (!same_resource && all.items[j].short_names[0] != NULL)
                assert_string_not_equal(all.items[i].short_names[0], all.items[j].short_names[0]);
        }
    }
}

static void groups_come_in_the_order_of_discovery(void **state)
{
    (void)state;
    static const char *const groups[] = {"",
                                         "apps",
                                         "coordination.k8s.io",
                                         "discovery.k8s.io",
                                         "events.k8s.io",
                                         "authorization.k8s.io",
                                         "authentication.k8s.io",
                                         "gateway.networking.k8s.io",
                                         "inference.networking.x-k8s.io",
                                         "inference.networking.k8s.io",
                                         "llm-d.ai",
                                         "gateway.envoyproxy.io",
                                         "serin.dev"};
    struct api_resources all = resource_all();
    size_t next = 0;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct api_resources group = resource_group(bytes_of(groups[i]));
        assert_ptr_equal(group.items, &all.items[next]);
        next += group.len;
    }
    assert_int_equal(next, all.len);
}

static void both_versions_of_the_gateway_kinds_are_served_and_v1_is_preferred(void **state)
{
    (void)state;
    struct bytes group = BYTES("gateway.networking.k8s.io");
    struct api_resources v1 = resource_group_version(group, BYTES("v1"));
    struct api_resources beta = resource_group_version(group, BYTES("v1beta1"));
    assert_int_equal(v1.len, beta.len);
    for (size_t i = 0; i < v1.len; i++)
        assert_string_equal(v1.items[i].plural, beta.items[i].plural);
    assert_ptr_equal(resource_group(group).items, v1.items);
    assert_string_equal(resource_of_kind(KUBE_REFERENCE_GRANT)->version, "v1");
    assert_int_equal(resource_find(group, BYTES("v1beta1"), BYTES("httproutes"))->kind, KUBE_HTTP_ROUTE);
}

static void events_are_one_kind_in_two_groups(void **state)
{
    (void)state;
    const struct api_resource *core = resource_find(BYTES(""), BYTES("v1"), BYTES("events"));
    const struct api_resource *view = resource_find(BYTES("events.k8s.io"), BYTES("v1"), BYTES("events"));
    assert_int_equal(core->kind, KUBE_EVENT);
    assert_int_equal(view->kind, KUBE_EVENT);
    assert_false(core->is_events_view);
    assert_true(view->is_events_view);
    assert_ptr_equal(resource_of_kind(KUBE_EVENT), core);
    assert_ptr_equal(resource_find_kind(BYTES("events.k8s.io/v1"), BYTES("Event")), view);
}

static void subresources_are_those_of_the_resource(void **state)
{
    (void)state;
    static const struct {
        const char *group, *version, *plural, *name;
        enum api_subresource_id id;
    } cases[] = {
        {"", "v1", "pods", "log", API_LOG},
        {"", "v1", "pods", "status", API_STATUS},
        {"", "v1", "pods", "scale", API_SUBRESOURCE_COUNT},
        {"", "v1", "namespaces", "finalize", API_FINALIZE},
        {"", "v1", "configmaps", "status", API_SUBRESOURCE_COUNT},
        {"apps", "v1", "deployments", "scale", API_SCALE},
        {"apps", "v1", "replicasets", "scale", API_SCALE},
        {"gateway.networking.k8s.io", "v1", "httproutes", "status", API_STATUS},
        {"gateway.networking.k8s.io", "v1beta1", "referencegrants", "status", API_SUBRESOURCE_COUNT},
        {"apps", "v1", "deployments", "", API_SUBRESOURCE_COUNT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct api_resource *resource =
            resource_find(bytes_of(cases[i].group), bytes_of(cases[i].version), bytes_of(cases[i].plural));
        assert_non_null(resource);
        assert_int_equal(resource_find_subresource(resource, bytes_of(cases[i].name)), cases[i].id);
    }
    assert_string_equal(resource_subresource(API_SCALE)->group, "autoscaling");
    assert_int_equal(resource_subresource(API_LOG)->verbs, API_BIT(API_GET));
}

static void reviews_can_only_be_created(void **state)
{
    (void)state;
    const struct api_resource *review =
        resource_find(BYTES("authorization.k8s.io"), BYTES("v1"), BYTES("selfsubjectaccessreviews"));
    assert_int_equal(review->kind, KUBE_KIND_COUNT);
    assert_false(review->is_namespaced);
    assert_true(resource_can(review, API_CREATE));
    assert_false(resource_can(review, API_GET));
    assert_false(resource_can(review, API_LIST));
}

static void what_is_not_served_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(resource_group(BYTES("batch")).len, 0);
    assert_int_equal(resource_group_version(BYTES("apps"), BYTES("v2")).len, 0);
    assert_int_equal(resource_group_version(BYTES("apps"), BYTES("")).len, 0);
    assert_null(resource_find(BYTES("apps"), BYTES("v1"), BYTES("pods")));
    assert_null(resource_find(BYTES(""), BYTES("v1"), BYTES("")));
    assert_null(resource_find_kind(BYTES("v1"), BYTES("Deployment")));
    assert_null(resource_of_kind(KUBE_KIND_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_served_under_its_own_names),
        cmocka_unit_test(rows_are_consistent),
        cmocka_unit_test(no_short_name_means_two_resources),
        cmocka_unit_test(groups_come_in_the_order_of_discovery),
        cmocka_unit_test(both_versions_of_the_gateway_kinds_are_served_and_v1_is_preferred),
        cmocka_unit_test(events_are_one_kind_in_two_groups),
        cmocka_unit_test(subresources_are_those_of_the_resource),
        cmocka_unit_test(reviews_can_only_be_created),
        cmocka_unit_test(what_is_not_served_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
