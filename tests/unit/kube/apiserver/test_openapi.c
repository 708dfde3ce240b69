/* SPDX-License-Identifier: Apache-2.0 */
/* test_openapi.c: the documents as kubectl reads them, and that they say what the decoders accept. */
#include "unit/kube/apiserver/tree.h"

#include "kube/api/object.h"
#include "kube/apiserver/openapi.h"
#include "kube/apiserver/schema.h"

static json_t *document_at(const struct openapi *openapi, const char *path)
{
    const struct openapi_document *document = openapi_find(openapi, bytes_of(path));
    assert_non_null(document);
    json_t *tree = json_loadb(document->body.data, document->body.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(tree);
    return tree;
}

static void the_index_names_every_document_with_its_hash(void **state)
{
    (void)state;
    struct openapi *openapi = openapi_new();
    const struct openapi_document *index = openapi_index(openapi);
    struct buffer copy = {0};
    buffer_append(&copy, index->body);
    json_t *tree = tree_written(&copy);
    json_t *paths = json_object_get(tree, "paths");
    struct api_resources all = resource_all();
    for (size_t i = 0; i < all.len; i++) {
        char path[128], url[192];
        snprintf(path, sizeof path, "%s/%s", all.items[i].group[0] == '\0' ? "api" : "apis", all.items[i].api_version);
        const struct openapi_document *document = openapi_find(openapi, bytes_of(path));
        assert_non_null(document);
        assert_string_equal(document->tag.text, entity_tag_of(document->body).text);
        snprintf(url, sizeof url, "/openapi/v3/%s?hash=%.16s", path, document->tag.text + 1);
        assert_string_equal(json_string_value(json_object_get(json_object_get(paths, path), "serverRelativeURL")), url);
    }
    assert_null(openapi_find(openapi, BYTES("apis/batch/v1")));
    assert_null(openapi_find(openapi, BYTES("")));
    json_decref(tree);
    openapi_free(openapi);
    openapi_free(NULL);
}

#define ROUTES    "/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"
#define ROUTE_GVK "{'group':'gateway.networking.k8s.io','version':'v1','kind':'HTTPRoute'}"

static void patch_says_that_the_server_validates(void **state)
{
    (void)state;
    struct openapi *openapi = openapi_new();
    json_t *tree = document_at(openapi, "apis/gateway.networking.k8s.io/v1");
    json_t *patch = tree_at(tree, "paths " ROUTES "/{name} patch");
    expect_at(tree, "openapi", "'3.0.0'");
    expect_at(patch, "x-kubernetes-action", "'patch'");
    expect_at(patch, "x-kubernetes-group-version-kind", ROUTE_GVK);
    json_t *validation = tree_item(json_object_get(patch, "parameters"), "name", "fieldValidation");
    expect_at(validation, "in", "'query'");
    expect_at(validation, "schema", "{'type':'string'}");
    assert_non_null(tree_item(json_object_get(patch, "parameters"), "name", "force"));
    expect_at(
        patch, "requestBody content",
        "{'application/merge-patch+json':{'schema':{'type':'object'}},"
        "'application/json-patch+json':{'schema':{}},'application/apply-patch+yaml':{'schema':{'type':'object'}}}");
    json_t *post = tree_at(tree, "paths " ROUTES " post");
    expect_at(post, "x-kubernetes-action", "'post'");
    assert_non_null(tree_item(json_object_get(post, "parameters"), "name", "fieldValidation"));
    assert_null(tree_item(json_object_get(post, "parameters"), "name", "force"));
    expect_at(tree, "paths " ROUTES " get x-kubernetes-action", "'list'");
    expect_at(tree, "paths " ROUTES "/{name} get x-kubernetes-action", "'get'");
    expect_at(tree, "paths " ROUTES "/{name}/status put x-kubernetes-group-version-kind", ROUTE_GVK);
    expect_nothing_at(tree, "paths /apis/gateway.networking.k8s.io/v1/httproutes post");
    expect_nothing_at(tree, "paths " ROUTES "/{name}/status delete");
    json_decref(tree);
    openapi_free(openapi);
}

/* kubectl would compute patches from schemas that do not say how lists are merged. */
static void strategic_merge_patch_is_nowhere_listed(void **state)
{
    (void)state;
    struct openapi *openapi = openapi_new();
    struct bytes body = openapi_find(openapi, BYTES("apis/apps/v1"))->body;
    assert_null(memmem(body.data, body.len, "strategic", 9));
    json_t *tree = document_at(openapi, "apis/apps/v1");
    const char *scale = "paths /apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale get "
                        "x-kubernetes-group-version-kind";
    expect_at(tree, scale, "{'group':'autoscaling','version':'v1','kind':'Scale'}");
    json_decref(tree);
    openapi_free(openapi);
}

static void reviews_are_only_posted(void **state)
{
    (void)state;
    struct openapi *openapi = openapi_new();
    json_t *tree = document_at(openapi, "apis/authorization.k8s.io/v1");
    json_t *path = tree_at(tree, "paths /apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
    expect_at(path, "post x-kubernetes-action", "'post'");
    assert_int_equal(json_object_size(path), 1);
    expect_nothing_at(tree, "components schemas io.k8s.authorization.v1.SelfSubjectAccessReviewList");
    json_decref(tree);
    openapi_free(openapi);
}

static void schemas_have_the_fields_that_explain_prints(void **state)
{
    (void)state;
    struct openapi *openapi = openapi_new();
    json_t *tree = document_at(openapi, "apis/gateway.networking.k8s.io/v1");
    json_t *route = tree_at(tree, "components schemas io.k8s.networking.gateway.v1.HTTPRoute");
    expect_at(route, "x-kubernetes-group-version-kind", "[" ROUTE_GVK "]");
    expect_at(route, "required", "['spec']");
    expect_nothing_at(route, "x-kubernetes-preserve-unknown-fields");
    expect_at(route, "properties metadata allOf",
              "[{'$ref':'#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'}]");
    json_t *rules = tree_at(route, "properties spec properties rules");
    expect_at(rules, "type", "'array'");
    json_t *backends = tree_at(rules, "items properties backendRefs");
    expect_at(backends, "items required", "['name']");
    expect_at(backends, "items properties weight type", "'integer'");
    expect_at(backends, "items properties weight format", "'int32'");
    expect_at(backends, "items properties weight default", "1");
    expect_at(backends, "items properties filters items",
              "{'$ref':'#/components/schemas/io.k8s.networking.gateway.v1.HTTPRouteFilter'}");
    json_t *type = tree_at(rules, "items properties matches items properties path properties type");
    expect_at(type, "enum", "['Exact','PathPrefix','RegularExpression']");
    expect_at(type, "default", "'PathPrefix'");
    json_t *list = tree_at(tree, "components schemas io.k8s.networking.gateway.v1.HTTPRouteList");
    expect_at(list, "properties items items", "{'$ref':'#/components/schemas/io.k8s.networking.gateway.v1.HTTPRoute'}");
    json_decref(tree);

    tree = document_at(openapi, "apis/apps/v1");
    json_t *deployment = tree_at(tree, "components schemas io.k8s.api.apps.v1.Deployment");
    expect_at(deployment, "x-kubernetes-preserve-unknown-fields", "true");
    expect_at(deployment, "properties spec properties template allOf",
              "[{'$ref':'#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec'}]");
    expect_at(tree, "components schemas io.k8s.api.core.v1.PodSpec required", "['containers']");
    json_decref(tree);
    openapi_free(openapi);
}

static void expect_references_to_exist(const json_t *value, const json_t *schemas)
{
    static const char prefix[] = "#/components/schemas/";
    const char *reference = json_string_value(json_object_get(value, "$ref"));
    if (reference != NULL) {
        assert_memory_equal(reference, prefix, sizeof prefix - 1);
        if (json_object_get(schemas, reference + sizeof prefix - 1) == NULL)
            fail_msg("%s", reference);
    }
    const char *name;
    json_t *member;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        expect_references_to_exist(member, schemas);
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, member)
    {
        expect_references_to_exist(member, schemas);
    }
}

static void every_resource_is_in_its_document_and_references_lead_somewhere(void **state)
{
    (void)state;
    struct openapi *openapi = openapi_new();
    struct api_resources all = resource_all();
    for (size_t i = 0; i < all.len; i++) {
        char path[256];
        const struct api_resource *row = &all.items[i];
        const char *root = row->group[0] == '\0' ? "api" : "apis";
        snprintf(path, sizeof path, "%s/%s", root, row->api_version);
        json_t *tree = document_at(openapi, path);
        expect_references_to_exist(tree, tree_at(tree, "components schemas"));
        snprintf(path, sizeof path, "paths /%s/%s/%s%s", root, row->api_version,
                 row->is_namespaced ? "namespaces/{namespace}/" : "", row->plural);
        assert_non_null(tree_at(tree, path));
        json_decref(tree);
    }
    openapi_free(openapi);
}

/* The schemas against the decoders: objects are made from the tables and decoded. */

struct sample {
    const struct schema_field *left_out;
};

static json_t *sample_object(const struct sample *sample, const struct schema_field *fields, size_t len, size_t depth);

static json_t *sample_scalar(const struct schema_field *field)
{
    switch (field->type & T_TYPE_MASK) {
    case T_INT:
    case T_LONG:
    case T_NUMBER:
    case T_INT_OR_STRING:
        return json_integer(1);
    case T_BOOL:
        return json_true();
    case T_TIME:
        return json_string("2026-01-02T03:04:05Z");
    case T_ANY:
        return json_object();
    default:
        return field->values != NULL ? json_stringn(field->values, strcspn(field->values, "|")) : json_string("x");
    }
}

static json_t *sample_value(const struct sample *sample, const struct schema_field *field, size_t children)
{
    json_t *value;
    if ((field->type & T_TYPE_MASK) != T_OBJECT)
        value = sample_scalar(field);
    else if (field->of != NULL)
        value = sample_object(sample, field->of->fields, field->of->len, 0);
    else
        value = sample_object(sample, field + 1, children, strspn(field->name, ".") + 1);
    if (field->type & T_LIST)
        return json_pack("[o]", value);
    return field->type & T_MAP ? json_pack("{s:o}", "k", value) : value;
}

static json_t *sample_object(const struct sample *sample, const struct schema_field *fields, size_t len, size_t depth)
{
    json_t *object = json_object();
    for (size_t i = 0; i < len;) {
        size_t end = i + 1;
        while (end < len && strspn(fields[end].name, ".") > depth)
            end++;
        if (&fields[i] != sample->left_out)
            json_object_set_new(object, fields[i].name + depth, sample_value(sample, &fields[i], end - i - 1));
        i = end;
    }
    return object;
}

static void decode_sample(const struct api_resource *resource, const struct schema_field *left_out,
                          struct problems *problems)
{
    const struct schema *schema = schema_of(resource);
    struct sample sample = {left_out};
    json_t *tree = sample_object(&sample, schema->fields, schema->len, 0);
    json_object_set_new(tree, "apiVersion", json_string(resource->api_version));
    json_object_set_new(tree, "kind", json_string(resource->kind_name));
    json_object_set_new(tree, "metadata", json_pack("{s:s}", "name", "x"));
    kube_object_give_back(kube_object_decode(tree, problems));
    json_decref(tree);
}

static bool is_one_of(const char *reason, const char *const *reasons)
{
    for (; *reasons != NULL; reasons++) {
        if (strcmp(reason, *reasons) == 0)
            return true;
    }
    return false;
}

static void every_described_field_is_known_to_its_decoder(void **state)
{
    (void)state;
    static const char *const forbidden[] = {"UnknownField", "NotSupported", "TypeMismatch", "UnknownKind", NULL};
    for (unsigned kind = 0; kind < KUBE_KIND_COUNT; kind++) {
        struct arena *arena = arena_new(0);
        struct problems problems;
        problems_init(&problems, arena);
        decode_sample(resource_of_kind((enum kube_kind)kind), NULL, &problems);
        for (const struct problem *problem = problems.first; problem != NULL; problem = problem->next) {
            if (is_one_of(problem->reason, forbidden))
                fail_msg("%s", problem_text(problem, arena));
        }
        arena_free(arena);
    }
}

/* How many problems say that a field of this name is required. */
static unsigned count_required(const struct api_resource *resource, const struct schema_field *left_out,
                               const char *name)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    unsigned count = 0;
    problems_init(&problems, arena);
    decode_sample(resource, left_out, &problems);
    for (const struct problem *problem = problems.first; problem != NULL; problem = problem->next) {
        const char *dot = strrchr(problem->field, '.');
        count += strcmp(problem->reason, "Required") == 0 && dot != NULL && strcmp(dot + 1, name) == 0;
    }
    arena_free(arena);
    return count;
}

/* Fields that other fields require, and the inside of filters, which is not decoded yet. */
static bool is_exempt(const struct schema *schema, const char *name)
{
    return (schema->name != NULL && strstr(schema->name, ".HTTPRouteFilter") != NULL) ||
           (schema == &schema_label_selector && strcmp(name, "values") == 0);
}

static void check_required(const struct api_resource *resource, const struct schema *schema)
{
    for (size_t i = 0; i < schema->len; i++) {
        const struct schema_field *field = &schema->fields[i];
        const char *name = field->name + strspn(field->name, ".");
        if (strcmp(field->name, "status") == 0)
            return; /* not decoded, and always last */
        if (is_exempt(schema, name))
            continue;
        bool is_required = count_required(resource, field, name) > count_required(resource, NULL, name);
        if (is_required != ((field->type & T_REQUIRED) != 0) && strcmp(name, "spec") != 0)
            fail_msg("%s %s: the decoder %s it", resource->kind_name, name, is_required ? "requires" : "does not need");
        if (field->of != NULL)
            check_required(resource, field->of);
    }
}

static void required_fields_are_those_of_the_decoders(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KUBE_KIND_COUNT; kind++) {
        const struct api_resource *resource = resource_of_kind((enum kube_kind)kind);
        if (!resource->is_built_in)
            check_required(resource, schema_of(resource));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_names_every_document_with_its_hash),
        cmocka_unit_test(patch_says_that_the_server_validates),
        cmocka_unit_test(strategic_merge_patch_is_nowhere_listed),
        cmocka_unit_test(reviews_are_only_posted),
        cmocka_unit_test(schemas_have_the_fields_that_explain_prints),
        cmocka_unit_test(every_resource_is_in_its_document_and_references_lead_somewhere),
        cmocka_unit_test(every_described_field_is_known_to_its_decoder),
        cmocka_unit_test(required_fields_are_those_of_the_decoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
