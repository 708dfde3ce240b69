/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.c: builds and keeps the documents and their index.  Made by one thread; constant and readable by all after.
 */
#include "kube/apiserver/openapi.h"

#include <stdlib.h>

#include "base/arena.h"
#include "kube/apiserver/openapi_internal.h"

struct openapi {
    struct arena *arena;
    struct openapi_document index;
    struct openapi_document *documents;
    size_t len;
};

static struct openapi_document document_make(struct arena *arena, const char *path, struct buffer *body)
{
    struct openapi_document document = {.path = path, .body = arena_copy(arena, buffer_bytes(body))};
    document.tag = entity_tag_of(document.body);
    buffer_clear(body);
    return document;
}

static void write_document(struct buffer *out, struct api_resources resources)
{
    struct json_writer writer;
    jw_init(&writer, out);
    jw_begin_object(&writer);
    jw_member_str(&writer, "openapi", "3.0.0");
    jw_key(&writer, "info");
    jw_begin_object(&writer);
    jw_member_str(&writer, "title", "Serin");
    jw_member_str(&writer, "version", SERIN_VERSION);
    jw_end_object(&writer);
    jw_key(&writer, "paths");
    jw_begin_object(&writer);
    for (size_t i = 0; i < resources.len; i++)
        openapi_write_paths(&writer, &resources.items[i]);
    jw_end_object(&writer);
    jw_key(&writer, "components");
    jw_begin_object(&writer);
    jw_key(&writer, "schemas");
    jw_begin_object(&writer);
    openapi_write_schemas(&writer, resources);
    jw_end_object(&writer);
    jw_end_object(&writer);
    jw_end_object(&writer);
}

static void write_index(struct buffer *out, const struct openapi *openapi)
{
    struct json_writer writer;
    struct buffer url = {0};
    jw_init(&writer, out);
    jw_begin_object(&writer);
    jw_key(&writer, "paths");
    jw_begin_object(&writer);
    for (size_t i = 0; i < openapi->len; i++) {
        const struct openapi_document *document = &openapi->documents[i];
        size_t hash_len = strlen(document->tag.text) - 2;
        buffer_clear(&url);
        buffer_printf(&url, "/openapi/v3/%s?hash=%.*s", document->path, (int)hash_len, document->tag.text + 1);
        jw_key(&writer, document->path);
        jw_begin_object(&writer);
        jw_member_string(&writer, "serverRelativeURL", buffer_bytes(&url));
        jw_end_object(&writer);
    }
    jw_end_object(&writer);
    jw_end_object(&writer);
    buffer_deinit(&url);
}

static void add_document(struct openapi *openapi, struct api_resources resources, struct buffer *scratch)
{
    const struct api_resource *first = resources.items;
    const char *path =
        arena_printf(openapi->arena, "%s/%s", first->group[0] == '\0' ? "api" : "apis", first->api_version);
    write_document(scratch, resources);
    openapi->documents[openapi->len++] = document_make(openapi->arena, path, scratch);
}

struct openapi *openapi_new(void)
{
    enum { TYPICAL_SIZE = 256 * 1024 };
    struct arena *arena = arena_new(TYPICAL_SIZE);
    struct openapi *openapi = ARENA_NEW(arena, struct openapi);
    struct api_resources rest = resource_all();
    struct buffer scratch = {0};
    openapi->arena = arena;
    openapi->documents = ARENA_ARRAY(arena, struct openapi_document, rest.len);
    while (rest.len > 0) {
        struct api_resources version =
            resource_group_version(bytes_of(rest.items->group), bytes_of(rest.items->version));
        add_document(openapi, version, &scratch);
        rest = (struct api_resources){rest.items + version.len, rest.len - version.len};
    }
    write_index(&scratch, openapi);
    openapi->index = document_make(arena, "", &scratch);
    buffer_deinit(&scratch);
    return openapi;
}

void openapi_free(struct openapi *openapi)
{
    if (openapi != NULL)
        arena_free(openapi->arena);
}

const struct openapi_document *openapi_index(const struct openapi *openapi)
{
    return &openapi->index;
}

const struct openapi_document *openapi_find(const struct openapi *openapi, struct bytes path)
{
    for (size_t i = 0; i < openapi->len; i++) {
        if (bytes_equal_str(path, openapi->documents[i].path))
            return &openapi->documents[i];
    }
    return NULL;
}
