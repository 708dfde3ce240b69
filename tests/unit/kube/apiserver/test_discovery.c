/* SPDX-License-Identifier: Apache-2.0 */
/* test_discovery.c: the documents of both dialects, down to single facts. */
#include "unit/kube/apiserver/tree.h"

#include "base/compiler.h"
#include "kube/apiserver/discovery.h"
#include "kube/apiserver/resources.h"

#define ALL_VERBS "['create','delete','deletecollection','get','list','patch','update','watch']"

static json_t *aggregated(enum answer_form form)
{
    struct buffer out = {0};
    discovery_write_apis(form, &out);
    return tree_written(&out);
}

/* An entry of an aggregated document. */
static json_t *resource_entry(const json_t *document, const char *group, size_t version, const char *plural)
{
    const json_t *items = json_object_get(document, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (strcmp(json_string_value(tree_at(item, "metadata name")), group) == 0)
            return tree_item(json_object_get(json_array_get(json_object_get(item, "versions"), version), "resources"),
                             "resource", plural);
    }
    return NULL;
}

static void aggregated_groups_list_versions_and_resources(void **state)
{
    (void)state;
    json_t *document = aggregated(ANSWER_DISCOVERY_V2);
    expect_at(document, "kind", "'APIGroupDiscoveryList'");
    expect_at(document, "apiVersion", "'apidiscovery.k8s.io/v2'");
    expect_at(document, "metadata", "{}");
    expect_at(document, "items 0 metadata", "{'name':'apps','creationTimestamp':null}");
    expect_at(document, "items 0 versions 0 version", "'v1'");
    expect_at(document, "items 0 versions 0 freshness", "'Current'");
    json_t *gateways = resource_entry(document, "gateway.networking.k8s.io", 0, "gateways");
    expect_at(gateways, "",
              "{'resource':'gateways',"
              "'responseKind':{'group':'gateway.networking.k8s.io','version':'v1','kind':'Gateway'},"
              "'scope':'Namespaced','singularResource':'gateway','verbs':" ALL_VERBS ",'shortNames':['gtw'],"
              "'categories':['gateway-api'],'subresources':[{'subresource':'status',"
              "'responseKind':{'group':'gateway.networking.k8s.io','version':'v1','kind':'Gateway'},"
              "'verbs':['get','patch','update']}]}");
    json_t *classes = resource_entry(document, "gateway.networking.k8s.io", 1, "gatewayclasses");
    expect_at(classes, "scope", "'Cluster'");
    expect_at(classes, "responseKind version", "'v1beta1'");
    json_t *deployments = resource_entry(document, "apps", 0, "deployments");
    expect_at(deployments, "subresources 1",
              "{'subresource':'scale','responseKind':{'group':'autoscaling','version':'v1','kind':'Scale'},"
              "'verbs':['get','patch','update']}");
    json_t *grants = resource_entry(document, "gateway.networking.k8s.io", 0, "referencegrants");
    expect_nothing_at(grants, "subresources");
    json_t *reviews = resource_entry(document, "authentication.k8s.io", 0, "selfsubjectreviews");
    expect_at(reviews, "verbs", "['create']");
    json_decref(document);
}

static void the_older_aggregated_version_differs_by_its_name_only(void **state)
{
    (void)state;
    json_t *document = aggregated(ANSWER_DISCOVERY_V2), *older = aggregated(ANSWER_DISCOVERY_V2BETA1);
    expect_at(older, "apiVersion", "'apidiscovery.k8s.io/v2beta1'");
    json_object_set(older, "apiVersion", json_object_get(document, "apiVersion"));
    assert_true(json_equal(document, older));
    json_decref(document);
    json_decref(older);
}

static void the_core_group_has_no_name(void **state)
{
    (void)state;
    struct buffer out = {0};
    discovery_write_api(ANSWER_DISCOVERY_V2, &out);
    json_t *document = tree_written(&out);
    assert_int_equal(json_array_size(json_object_get(document, "items")), 1);
    expect_at(document, "items 0 metadata", "{'creationTimestamp':null}");
    json_t *pods = tree_item(tree_at(document, "items 0 versions 0 resources"), "resource", "pods");
    expect_at(pods, "responseKind", "{'group':'','version':'v1','kind':'Pod'}");
    expect_at(pods, "subresources 1 verbs", "['get']");
    json_decref(document);
}

static void legacy_api_lists_versions(void **state)
{
    (void)state;
    struct buffer out = {0};
    discovery_write_api(ANSWER_JSON, &out);
    json_t *document = tree_written(&out);
    expect_at(document, "", "{'kind':'APIVersions','versions':['v1'],'serverAddressByClientCIDRs':[]}");
    json_decref(document);
}

static void legacy_groups_have_a_preferred_version(void **state)
{
    (void)state;
    struct buffer out = {0};
    discovery_write_apis(ANSWER_JSON, &out);
    json_t *document = tree_written(&out);
    expect_at(document, "kind", "'APIGroupList'");
    expect_at(document, "apiVersion", "'v1'");
    json_t *groups = json_object_get(document, "groups");
    expect_at(groups, "0 name", "'apps'");
    expect_at(tree_item(groups, "name", "gateway.networking.k8s.io"), "",
              "{'name':'gateway.networking.k8s.io',"
              "'versions':[{'groupVersion':'gateway.networking.k8s.io/v1','version':'v1'},"
              "{'groupVersion':'gateway.networking.k8s.io/v1beta1','version':'v1beta1'}],"
              "'preferredVersion':{'groupVersion':'gateway.networking.k8s.io/v1','version':'v1'}}");
    json_decref(document);
}

static void one_group_is_described_alone(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_true(discovery_write_group(BYTES("apps"), &out));
    json_t *document = tree_written(&out);
    expect_at(document, "",
              "{'kind':'APIGroup','apiVersion':'v1','name':'apps',"
              "'versions':[{'groupVersion':'apps/v1','version':'v1'}],"
              "'preferredVersion':{'groupVersion':'apps/v1','version':'v1'}}");
    json_decref(document);
    assert_false(discovery_write_group(BYTES("batch"), &out));
    assert_false(discovery_write_group(BYTES(""), &out));
    assert_int_equal(buffer_len(&out), 0);
}

static void legacy_resources_list_subresources_by_path(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_true(discovery_write_resources(BYTES("apps"), BYTES("v1"), &out));
    json_t *document = tree_written(&out);
    expect_at(document, "kind", "'APIResourceList'");
    expect_at(document, "apiVersion", "'v1'");
    expect_at(document, "groupVersion", "'apps/v1'");
    json_t *resources = json_object_get(document, "resources");
    expect_at(tree_item(resources, "name", "deployments"), "",
              "{'name':'deployments','singularName':'deployment','namespaced':true,'kind':'Deployment',"
              "'verbs':" ALL_VERBS ",'shortNames':['deploy'],'categories':['all']}");
    expect_at(tree_item(resources, "name", "deployments/scale"), "",
              "{'name':'deployments/scale','singularName':'','namespaced':true,'group':'autoscaling','version':'v1',"
              "'kind':'Scale','verbs':['get','patch','update']}");
    expect_at(tree_item(resources, "name", "deployments/status"), "kind", "'Deployment'");
    json_decref(document);
}

static void the_core_resources_are_those_of_the_empty_group(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_true(discovery_write_resources(BYTES(""), BYTES("v1"), &out));
    json_t *document = tree_written(&out);
    expect_at(document, "groupVersion", "'v1'");
    expect_at(tree_item(json_object_get(document, "resources"), "name", "namespaces/finalize"), "verbs", "['update']");
    expect_at(tree_item(json_object_get(document, "resources"), "name", "pods/log"), "verbs", "['get']");
    json_decref(document);
    assert_false(discovery_write_resources(BYTES(""), BYTES("v2"), &out));
    assert_false(discovery_write_resources(BYTES("batch"), BYTES("v1"), &out));
    assert_int_equal(buffer_len(&out), 0);
}

/* Every resource in every version is in both dialects. */
static void both_dialects_tell_the_same(void **state)
{
    (void)state;
    json_t *document = aggregated(ANSWER_DISCOVERY_V2);
    struct api_resources all = resource_all();
    for (size_t i = 0; i < all.len; i++) {
        const struct api_resource *row = &all.items[i];
        struct buffer out = {0};
        assert_true(discovery_write_resources(bytes_of(row->group), bytes_of(row->version), &out));
        json_t *legacy = tree_written(&out);
        json_t *entry = tree_item(json_object_get(legacy, "resources"), "name", row->plural);
        assert_non_null(entry);
        if (row->group[0] != '\0') {
            size_t version = strcmp(row->version, "v1beta1") == 0;
            json_t *same = resource_entry(document, row->group, version, row->plural);
            assert_non_null(same);
            assert_true(json_equal(json_object_get(same, "verbs"), json_object_get(entry, "verbs")));
        }
        json_decref(legacy);
    }
    json_decref(document);
}

static void the_version_is_one_that_kubectl_knows(void **state)
{
    (void)state;
    struct buffer out = {0};
    discovery_write_version(&out);
    json_t *document = tree_written(&out);
    expect_at(document, "major", "'1'");
    expect_at(document, "minor", "'33'");
    expect_at(document, "gitVersion", "'v1.33.1'");
    expect_at(document, "platform", "'linux/amd64'");
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregated_groups_list_versions_and_resources),
        cmocka_unit_test(the_older_aggregated_version_differs_by_its_name_only),
        cmocka_unit_test(the_core_group_has_no_name),
        cmocka_unit_test(legacy_api_lists_versions),
        cmocka_unit_test(legacy_groups_have_a_preferred_version),
        cmocka_unit_test(one_group_is_described_alone),
        cmocka_unit_test(legacy_resources_list_subresources_by_path),
        cmocka_unit_test(the_core_resources_are_those_of_the_empty_group),
        cmocka_unit_test(both_dialects_tell_the_same),
        cmocka_unit_test(the_version_is_one_that_kubectl_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
