/* SPDX-License-Identifier: Apache-2.0 */
/* scale.c: the /scale subresource: a Deployment's or ReplicaSet's replicas as an autoscaling/v1 Scale. */
#include <stdio.h>

#include "kube/api/core.h"
#include "kube/apiserver/call.h"
#include "kube/apiserver/object_rules.h"
#include "kube/patch/json_patch.h"
#include "kube/patch/merge_patch.h"

/* spec.selector in the words of a URL: "app=x,tier in (a,b),!old". */
static void write_selector(const struct label_selector *selector, struct buffer *out)
{
    for (unsigned i = 0; i < selector->len; i++) {
        const struct label_selector_term *term = &selector->terms[i];
        buffer_append_str(out, i > 0 ? "," : "");
        buffer_append_str(out, term->op == SELECTOR_DOES_NOT_EXIST ? "!" : "");
        buffer_append_str(out, term->key);
        if (term->op == SELECTOR_IN && term->value_count == 1) {
            buffer_printf(out, "=%s", term->values[0]);
        } else if (term->op == SELECTOR_IN || term->op == SELECTOR_NOT_IN) {
            buffer_append_str(out, term->op == SELECTOR_IN ? " in (" : " notin (");
            for (unsigned j = 0; j < term->value_count; j++)
                buffer_printf(out, "%s%s", j > 0 ? "," : "", term->values[j]);
            buffer_append_char(out, ')');
        }
    }
}

static json_t *scale_of(const struct kube_object *object)
{
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};
    const struct deployment_spec *spec = object->spec;
    const json_t *from = json_object_get(object->tree, "metadata");
    json_t *metadata = json_object();
    for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
        json_object_set(metadata, kept[i], json_object_get(from, kept[i]));
    struct buffer selector = {0};
    write_selector(&spec->selector, &selector);
    buffer_append_char(&selector, '\0');
    json_int_t replicas = json_integer_value(json_object_get(json_object_get(object->tree, "status"), "replicas"));
    json_t *scale = json_pack("{s:s, s:s, s:o, s:{s:I}, s:{s:I, s:s}}", "kind", "Scale", "apiVersion", "autoscaling/v1",
                              "metadata", metadata, "spec", "replicas", (json_int_t)spec->replicas, "status",
                              "replicas", replicas, "selector", buffer_bytes(&selector).data);
    buffer_deinit(&selector);
    return scale;
}

/* Takes over scale. */
static void answer_in_form(struct api_call *call, json_t *scale)
{
    if (call->form != ANSWER_TABLE) {
        answer_tree(call, 200, scale);
        return;
    }
    struct table_options options = table_options_of(call, 0);
    const json_t *rows[] = {scale};
    struct buffer body = {0};
    options.is_scale = true;
    table_write(&options, rows, 1, &body);
    json_decref(scale);
    answer_body(call, 200, answer_content_type(call->form), &body);
}

void read_scale(struct api_call *call)
{
    const struct target *target = &call->target;
    enum kube_kind kind = target->resource->kind;
    const struct stored *stored = store_get(call->server->config.store, kind, target->namespace_, target->name);
    if (stored != NULL) {
        answer_in_form(call, scale_of(stored->object));
        return;
    }
    failure_about(&call->failure, FAILURE_NOT_FOUND, kind, target->name, NULL);
    answer_failure(call);
}

static void answer_scale(struct api_call *call)
{
    const struct change *change = &call->change;
    answer_tree(call, 200, scale_of(change->dry != NULL ? change->dry : change->stored->object));
}

/* The Scale that the request asks for: sent whole, or the present one patched. */
static json_t *wanted_scale(struct api_call *call, const struct kube_object *object, json_t *body)
{
    const struct http_field *type = http_fields_find(&call->exchange->request.fields, HTTP_FIELD_CONTENT_TYPE);
    char error[300] = "";
    if (call->exchange->request.method == HTTP_PUT)
        return json_incref(body);
    json_t *present = scale_of(object);
    bool is_json_patch = type != NULL && bytes_starts_with(type->value, BYTES("application/json-patch+json"));
    json_t *wanted = is_json_patch ? json_patch(present, body, error) : merge_patch(present, body);
    json_decref(present);
    if (wanted == NULL)
        failure_set(&call->failure, FAILURE_INVALID, "the server rejected our request: %s", error);
    return wanted;
}

static void change_replicas(struct api_call *call, const struct stored *head, const json_t *scale)
{
    const struct kube_object *object = head->object;
    const json_t *replicas = json_object_get(json_object_get(scale, "spec"), "replicas");
    if (replicas != NULL && (!json_is_integer(replicas) || json_integer_value(replicas) < 0)) {
        struct problems problems;
        problems_init(&problems, call->arena);
        problems_add(&problems, "spec.replicas", "Invalid", "must be a number, 0 or more");
        failure_invalid(&call->failure, object->kind, object->name, &problems);
        return;
    }
    json_t *tree = json_deep_copy(object->tree);
    /* A Scale without replicas asks for none, as the Go type's zero does. */
    json_object_set_new(json_object_get(tree, "spec"), "replicas",
                        json_integer(replicas != NULL ? json_integer_value(replicas) : 0));
    const char *version = rules_text(json_object_get(scale, "metadata"), "resourceVersion");
    if (version[0] != '\0')
        rules_set_text(rules_metadata(tree), "resourceVersion", version);
    (void)change_update(&call->change, object->kind, object->namespace_, object->name, tree);
}

void write_scale(struct api_call *call)
{
    const struct target *target = &call->target;
    enum kube_kind kind = target->resource->kind;
    const struct stored *head = store_head(call->server->config.store, kind, target->namespace_, target->name);
    begin_write(call);
    if (head == NULL)
        failure_about(&call->failure, FAILURE_NOT_FOUND, kind, target->name, NULL);
    json_t *body = head != NULL ? read_body(call) : NULL;
    json_t *scale = body != NULL ? wanted_scale(call, head->object, body) : NULL;
    if (scale != NULL)
        change_replicas(call, head, scale);
    json_decref(scale);
    json_decref(body);
    finish_write(call, answer_scale);
}
