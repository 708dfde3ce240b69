/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c: texts into objects.  Splits documents and Lists, names the place of each problem, and lets a later
 * version of an object replace an earlier one.  Reads no files. */
#include "kube/api/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/yaml.h"
#include "kube/api/decode.h"

/* One call of manifest_add(). */
struct reading {
    struct manifest *manifest;
    const char *source;
    struct problems *problems;
};

void manifest_init(struct manifest *manifest)
{
    *manifest = (struct manifest){NULL, 0, 0};
}

void manifest_deinit(struct manifest *manifest)
{
    for (unsigned i = 0; i < manifest->len; i++)
        kube_object_give_back(manifest->objects[i]);
    free(manifest->objects);
    manifest_init(manifest);
}

static bool is_same_object(const struct kube_object *a, const struct kube_object *b)
{
    return a->kind == b->kind && strcmp(a->name, b->name) == 0 && strcmp(a->namespace_, b->namespace_) == 0;
}

static void keep_object(struct manifest *manifest, struct kube_object *object)
{
    for (unsigned i = 0; i < manifest->len; i++) {
        if (is_same_object(manifest->objects[i], object)) {
            kube_object_give_back(manifest->objects[i]);
            manifest->objects[i] = object;
            return;
        }
    }
    if (manifest->len == manifest->capacity) {
        manifest->capacity = manifest->capacity > 0 ? manifest->capacity * 2 : 16;
        manifest->objects = realloc(manifest->objects, manifest->capacity * sizeof(struct kube_object *));
        if (manifest->objects == NULL)
            abort();
    }
    manifest->objects[manifest->len++] = object;
}

static void read_object(struct reading *reading, json_t *tree)
{
    struct kube_object *object = kube_object_decode(tree, reading->problems);
    if (object != NULL)
        keep_object(reading->manifest, object);
}

static bool is_list(json_t *document)
{
    const char *kind = json_string_value(json_object_get(document, "kind"));
    const char *api_version = json_string_value(json_object_get(document, "apiVersion"));
    return kind != NULL && api_version != NULL && strcmp(kind, "List") == 0 && strcmp(api_version, "v1") == 0;
}

static void read_list(struct reading *reading, json_t *document)
{
    static const char *const kept[] = {"apiVersion", "kind", "metadata", NULL};
    struct problems *problems = reading->problems;
    struct arena *arena = arena_new(0);
    struct decoder decoder = {.arena = arena, .problems = problems, .is_strict = true};
    struct field root = decode_root(&decoder, document);
    problems->object = "List";
    decode_kept(&root, kept);
    struct field items = decode_list(&root, "items", OPTIONAL, 0, SIZE_MAX);
    decode_end(&root);
    for (size_t i = 0; i < items.len; i++) {
        problems->object = arena_printf(problems->arena, "List items[%zu]", i);
        read_object(reading, json_array_get(items.value, i));
    }
    problems->object = NULL;
    arena_free(arena);
}

static bool read_document(json_t *document, size_t line, void *context)
{
    struct reading *reading = context;
    struct problems *problems = reading->problems;
    problems->source = arena_printf(problems->arena, "%s:%zu", reading->source, line);
    if (is_list(document))
        read_list(reading, document);
    else
        read_object(reading, document);
    return true;
}

/* error is "line N: what" or "line N column N: what"; the line belongs to the source of the problem. */
static void report_syntax_error(struct reading *reading, const char *error)
{
    struct problems *problems = reading->problems;
    size_t line = 0;
    int used = 0;
    problems->source = reading->source;
    if (sscanf(error, "line %zu%n", &line, &used) == 1) {
        const char *colon = strchr(error + used, ':');
        problems->source = arena_printf(problems->arena, "%s:%zu", reading->source, line);
        if (colon != NULL)
            error = colon + 1 + strspn(colon + 1, " ");
    }
    problems_add(problems, "", "Invalid", "%s", error);
}

static struct bytes skip_space(struct bytes text)
{
    while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0')
        text = bytes_skip(text, 1);
    return text;
}

/* libyaml does not read all of JSON (surrogate pairs in escapes), so what looks like JSON is tried as such. */
static bool read_json(struct reading *reading, struct bytes text)
{
    char error[200];
    struct bytes trimmed = skip_space(text);
    if (trimmed.len == 0 || trimmed.data[0] != '{')
        return false;
    json_t *document = json_read(text, error);
    if (document == NULL)
        return false;
    (void)read_document(document, 1, reading);
    json_decref(document);
    return true;
}

void manifest_add(struct manifest *manifest, const char *source, struct bytes text, struct problems *problems)
{
    const char *source_before = problems->source;
    const char *object_before = problems->object;
    struct reading reading = {manifest, arena_strdup(problems->arena, source), problems};
    char error[200] = "";
    problems->object = NULL;
    if (!read_json(&reading, text) && yaml_parse(text, read_document, &reading, error) < 0)
        report_syntax_error(&reading, error);
    problems->source = source_before;
    problems->object = object_before;
}
