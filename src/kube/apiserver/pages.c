/* SPDX-License-Identifier: Apache-2.0 */
/* pages.c: documents that are the same for everybody: discovery, OpenAPI, version, health.  Clients keep them and ask
 * whether they have changed (RFC 9110 13). */
#include "kube/apiserver/call.h"
#include "kube/apiserver/discovery.h"
#include "kube/apiserver/openapi.h"

static struct bytes field_value(const struct api_call *call, const char *name)
{
    const struct http_field *field = http_fields_find_name(&call->exchange->request.fields, bytes_of(name));
    return field != NULL ? field->value : BYTES("");
}

static void answer_page(struct api_call *call, const char *content_type, const char *cache_control, struct bytes body,
                        const struct entity_tag *tag)
{
    struct http_fields fields = {0};
    http_fields_add(&fields, call->arena, BYTES("Content-Type"), bytes_of(content_type));
    http_fields_add(&fields, call->arena, BYTES("ETag"), bytes_of(tag->text));
    http_fields_add(&fields, call->arena, BYTES("Vary"), BYTES("Accept"));
    http_fields_add(&fields, call->arena, BYTES("Cache-Control"), bytes_of(cache_control));
    struct exchange *exchange = call->exchange;
    bool is_known = entity_tag_matches(tag, field_value(call, "if-none-match"));
    count_answer(call, is_known ? 304 : 200);
    if (is_known) {
        exchange_respond(exchange, 304, &fields, 0);
    } else {
        exchange_respond(exchange, 200, &fields, (int64_t)body.len);
        exchange_send(exchange, body);
    }
    call_release(call);
    exchange_finish(exchange);
}

static void answer_health(struct api_call *call, bool is_fine)
{
    struct exchange *exchange = call->exchange;
    count_answer(call, is_fine ? 200 : 503);
    call_release(call);
    exchange_answer(exchange, is_fine ? 200 : 503, "text/plain; charset=utf-8",
                    is_fine ? BYTES("ok") : BYTES("not ready"));
}

/* False: not served. */
static bool write_page(struct api_call *call, struct buffer *out)
{
    const struct target *target = &call->target;
    switch (target->kind) {
    case TARGET_VERSION:
        discovery_write_version(out);
        return true;
    case TARGET_API:
        discovery_write_api(call->form, out);
        return true;
    case TARGET_APIS:
        discovery_write_apis(call->form, out);
        return true;
    case TARGET_GROUP:
        return discovery_write_group(target->group, out);
    default: /* TARGET_GROUP_VERSION */
        return discovery_write_resources(target->group, target->version, out);
    }
}

static void answer_unknown(struct api_call *call)
{
    failure_set(&call->failure, FAILURE_NOT_FOUND, "the server could not find the requested resource");
    answer_failure(call);
}

static void answer_discovery(struct api_call *call)
{
    struct buffer body = {0};
    bool has_forms = call->target.kind == TARGET_API || call->target.kind == TARGET_APIS;
    call->form = has_forms ? negotiate(field_value(call, "accept"), OFFER_DISCOVERY) : ANSWER_JSON;
    if (write_page(call, &body)) {
        struct entity_tag tag = entity_tag_of(buffer_bytes(&body));
        answer_page(call, answer_content_type(call->form), "public", buffer_bytes(&body), &tag);
    } else {
        answer_unknown(call);
    }
    buffer_deinit(&body);
}

/* With the hash of the index in its query a document never changes. */
static void answer_openapi(struct api_call *call)
{
    const struct openapi *openapi = call->server->openapi;
    bool is_index = call->target.kind == TARGET_OPENAPI_INDEX;
    const struct openapi_document *document =
        is_index ? openapi_index(openapi) : openapi_find(openapi, call->target.document);
    bool is_hashed = !is_index && call->exchange->request.query.len > 0;
    if (document != NULL)
        answer_page(call, "application/json", is_hashed ? OPENAPI_CACHE_CONTROL : "public", document->body,
                    &document->tag);
    else
        answer_unknown(call);
}

void answer_static(struct api_call *call)
{
    const struct apiserver_config *config = &call->server->config;
    struct entity_tag tag = entity_tag_of(BYTES(""));
    switch (call->target.kind) {
    case TARGET_HEALTH:
        answer_health(call, true);
        break;
    case TARGET_READY:
        answer_health(call, config->is_ready(config->context));
        break;
    case TARGET_OPENAPI_V2:
        answer_page(call, OPENAPI_V2_CONTENT_TYPE, "public", BYTES(""), &tag);
        break;
    case TARGET_OPENAPI_INDEX:
    case TARGET_OPENAPI_DOCUMENT:
        answer_openapi(call);
        break;
    default:
        answer_discovery(call);
    }
}
