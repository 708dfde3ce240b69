/* SPDX-License-Identifier: Apache-2.0 */
/* reads.c: GET of one object and of collections.  Everything shown is durable. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "kube/apiserver/call.h"

bool read_selection(struct api_call *call)
{
    const struct target *target = &call->target;
    const char *why = NULL;
    if (label_selector_parse(target->query.label_selector, call->arena, &call->selection.labels, &why) &&
        field_selector_parse(target->query.field_selector, target->resource->kind, call->arena, &call->selection, &why))
        return true;
    failure_set(&call->failure, FAILURE_BAD_REQUEST,
                "unable to find %s that match label selector \"%s\", field selector \"%s\": %s", target->plural,
                target->query.label_selector, target->query.field_selector, why);
    return false;
}

void read_one(struct api_call *call)
{
    const struct target *target = &call->target;
    enum kube_kind kind = target->resource->kind;
    const struct stored *stored = store_get(call->server->config.store, kind, target->namespace_, target->name);
    if (stored == NULL) {
        failure_about(&call->failure, FAILURE_NOT_FOUND, kind, target->name, NULL);
        answer_failure(call);
    } else {
        answer_stored(call, 200, stored);
    }
}

/* --- lists --- */

/* A continue token: base64url without padding of "<version>/<namespace>/<name>", the last object that was given. */
struct list_position {
    uint64_t version;
    const char *namespace_;
    const char *name;
};

static char *encode_token(struct arena *arena, uint64_t version, const struct kube_object *last)
{
    const char *text = arena_printf(arena, "%llu/%s/%s", (unsigned long long)version, last->namespace_, last->name);
    struct buffer token = {0};
    base64url_append(&token, bytes_of(text));
    char *copy = arena_strndup(arena, buffer_bytes(&token));
    buffer_deinit(&token);
    return copy;
}

static bool decode_token(const char *token, struct arena *arena, struct list_position *ret_position)
{
    struct bytes text;
    unsigned long long version;
    if (!base64url_decode(bytes_of(token), arena, &text))
        return false;
    char *whole = arena_strndup(arena, text);
    char *slash = strchr(whole, '/');
    char *second = slash != NULL ? strchr(slash + 1, '/') : NULL;
    if (second == NULL || !bytes_to_u64(bytes_make(whole, (size_t)(slash - whole)), INT64_MAX, &version))
        return false;
    *second = '\0';
    *ret_position = (struct list_position){version, slash + 1, second + 1};
    return true;
}

static bool find_start(struct api_call *call, struct list_position *ret_start)
{
    struct store *store = call->server->config.store;
    const char *token = call->target.query.continue_;
    *ret_start = (struct list_position){store_version(store), "", ""};
    if (token[0] == '\0')
        return true;
    if (!decode_token(token, call->arena, ret_start)) {
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "continue key is not valid: it is none that this server gave");
        return false;
    }
    if (!store_can_resume(store, ret_start->version)) {
        failure_set(&call->failure, FAILURE_EXPIRED,
                    "The provided continue parameter is too old to display a consistent list result. You can start a "
                    "new list without the continue parameter.");
        return false;
    }
    return true;
}

/* resourceVersion of a list: any state that is not older will do, but for an exact match. */
static bool version_will_do(struct api_call *call)
{
    const struct target_query *query = &call->target.query;
    struct store *store = call->server->config.store;
    unsigned long long wanted = 0;
    if (query->resource_version[0] == '\0')
        return true;
    if (!bytes_to_u64(bytes_of(query->resource_version), INT64_MAX, &wanted)) {
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "resourceVersion: \"%s\" is no version",
                    query->resource_version);
        return false;
    }
    if (wanted > store_version(store)) {
        failure_too_large_version(&call->failure, wanted, store_version(store));
        return false;
    }
    if (strcmp(query->resource_version_match, "Exact") == 0 && wanted != store_version(store)) {
        failure_set(&call->failure, FAILURE_EXPIRED, "the state at resourceVersion %llu is no longer kept", wanted);
        return false;
    }
    return true;
}

/* Objects of one page. */
struct page {
    const struct stored **items;
    size_t len;
    size_t capacity;
    bool is_cut;        /* more would match */
    uint64_t remaining; /* how many, when that is cheap to tell */
};

static void page_add(struct page *page, const struct stored *stored)
{
    if (page->len == page->capacity) {
        page->capacity = page->capacity > 0 ? page->capacity * 2 : 64;
        page->items = must(realloc(page->items, page->capacity * sizeof *page->items));
    }
    page->items[page->len++] = stored;
}

static void collect(struct api_call *call, const struct list_position *start, struct page *page)
{
    const struct target *target = &call->target;
    struct store *store = call->server->config.store;
    enum kube_kind kind = target->resource->kind;
    bool is_all = selection_is_all(&call->selection);
    const struct stored *stored;
    struct store_cursor cursor = store_cursor_at(store, kind, target->namespace_, start->namespace_, start->name);
    while ((stored = store_next(store, kind, &cursor)) != NULL) {
        if (!is_all && !selection_matches(&call->selection, stored->object))
            continue;
        if (target->query.limit == 0 || page->len < target->query.limit) {
            page_add(page, stored);
            continue;
        }
        page->is_cut = true;
        if (!is_all)
            return;
        page->remaining++;
    }
}

static void write_list_metadata(struct buffer *out, uint64_t version, const char *token, uint64_t remaining)
{
    buffer_printf(out, "\"metadata\":{\"resourceVersion\":\"%llu\"", (unsigned long long)version);
    if (token != NULL)
        buffer_printf(out, ",\"continue\":\"%s\"", token);
    if (remaining > 0)
        buffer_printf(out, ",\"remainingItemCount\":%llu", (unsigned long long)remaining);
    buffer_append_str(out, "}");
}

static void write_items(struct api_call *call, const struct page *page, struct buffer *out)
{
    struct json_writer writer;
    buffer_append_str(out, ",\"items\":[");
    for (size_t i = 0; i < page->len; i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        if (call->form == ANSWER_METADATA_LIST) {
            jw_init(&writer, out);
            table_write_metadata(&writer, page->items[i]->object->tree);
        } else {
            write_stored(call->target.resource, page->items[i], out);
        }
    }
    buffer_append_str(out, "]}");
}

static void write_table(struct api_call *call, const struct page *page, uint64_t version, const char *token,
                        struct buffer *out)
{
    struct table_options options = table_options_of(call, version);
    struct table_writer table;
    options.continue_token = token;
    options.remaining = page->remaining;
    table_begin(&table, &options, out);
    for (size_t i = 0; i < page->len; i++)
        write_row(call->target.resource, page->items[i], &table);
    table_end(&table);
}

static void write_list(struct api_call *call, const struct page *page, uint64_t version, struct buffer *out)
{
    const struct api_resource *resource = call->target.resource;
    const char *token = page->is_cut ? encode_token(call->arena, version, page->items[page->len - 1]->object) : NULL;
    if (call->form == ANSWER_TABLE) {
        write_table(call, page, version, token, out);
        return;
    }
    bool is_metadata = call->form == ANSWER_METADATA_LIST;
    buffer_printf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",",
                  is_metadata ? "PartialObjectMetadataList" : resource->list_kind,
                  is_metadata ? "meta.k8s.io/v1" : resource->api_version);
    write_list_metadata(out, version, token, page->remaining);
    write_items(call, page, out);
}

void read_list(struct api_call *call)
{
    struct list_position start;
    struct page page = {0};
    if (!read_selection(call) || !version_will_do(call) || !find_start(call, &start)) {
        answer_failure(call);
        return;
    }
    struct buffer body = {0};
    collect(call, &start, &page);
    write_list(call, &page, start.version, &body);
    free(page.items);
    answer_body(call, 200, answer_content_type(call->form), &body);
}
