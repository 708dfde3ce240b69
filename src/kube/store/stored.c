/* SPDX-License-Identifier: Apache-2.0 */
/* stored.c: one version of an object with its text, made once and shared by disk, lists and watches.
 *
 * Counted by the store's callers' thread only.  The store's thread reads the text of what it commits; the change that
 * it works on holds a count for it. */
#include "kube/store/stored.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"

/* `{"apiVersion":"...","kind":"...",` stands before the text in the same memory, so that the disk needs no copy. */
struct stored_block {
    struct stored stored;
    size_t head_len;
    char whole[];
};

static const struct stored_block *block_of(const struct stored *stored)
{
    return container_of(stored, const struct stored_block, stored);
}

struct stored *stored_take(const struct stored *stored)
{
    /* Counting is the one thing that changes in a shared version. */
    struct stored *shared = (struct stored *)(uintptr_t)stored;
    shared->users++;
    return shared;
}

void stored_give_back(struct stored *stored)
{
    if (stored == NULL)
        return;
    assert(stored->users > 0);
    if (--stored->users > 0)
        return;
    kube_object_give_back(stored->object);
    free(container_of(stored, struct stored_block, stored));
}

struct bytes stored_whole(const struct stored *stored)
{
    const struct stored_block *block = block_of(stored);
    return bytes_make(block->whole, block->head_len + stored->text.len);
}

static void write_head(struct buffer *out, enum kube_kind kind)
{
    const struct kube_kind_info *info = kube_kind_info(kind);
    buffer_printf(out, "{\"apiVersion\":\"%s%s%s\",\"kind\":\"%s\",", info->group, info->group[0] == '\0' ? "" : "/",
                  info->version, info->kind);
}

static int append(const char *data, size_t len, void *context)
{
    buffer_append(context, bytes_make(data, len));
    return 0;
}

static void write_member(struct buffer *out, const char *name, const json_t *value)
{
    if (value == NULL)
        return;
    jw_append_quoted(out, bytes_of(name));
    buffer_append_char(out, ':');
    int error = json_dump_callback(value, append, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    assert(error == 0); /* it was validated */
    (void)error;
    buffer_append_char(out, ',');
}

/* Has a place of its own in the text. */
static bool is_placed(const char *name)
{
    static const char *const placed[] = {"apiVersion", "kind", "metadata", "spec", "status"};
    for (size_t i = 0; i < ARRAY_LEN(placed); i++) {
        if (strcmp(name, placed[i]) == 0)
            return true;
    }
    return false;
}

/* In the order in which people read an object: metadata, spec, what the kind has beside it, status. */
static void write_text(struct buffer *out, json_t *tree)
{
    write_member(out, "metadata", json_object_get(tree, "metadata"));
    write_member(out, "spec", json_object_get(tree, "spec"));
    const char *name;
    json_t *value;
    json_object_foreach(tree, name, value)
    {
        if (!is_placed(name))
            write_member(out, name, value);
    }
    write_member(out, "status", json_object_get(tree, "status"));
    out->data[out->tail - 1] = '}'; /* the last comma; there is metadata at least */
}

/* The caller's count of object, whose tree has its version already, becomes the result's. */
static struct stored *make(struct kube_object *object, uint64_t version)
{
    struct buffer text;
    buffer_init(&text);
    write_head(&text, object->kind);
    size_t head_len = buffer_len(&text);
    write_text(&text, object->tree);
    struct bytes whole = buffer_bytes(&text);

    struct stored_block *block = must(malloc(sizeof *block + whole.len));
    memcpy(block->whole, whole.data, whole.len);
    block->head_len = head_len;
    block->stored = (struct stored){.object = object,
                                    .version = version,
                                    .text = bytes_make(block->whole + head_len, whole.len - head_len),
                                    .users = 1};
    buffer_deinit(&text);
    return &block->stored;
}

/* The metadata of a tree may be shared with an older version (a shallow copy under a new status): then it is copied
 * first.  What the object points to in it lives on, because both hold it. */
static json_t *own_metadata(json_t *tree)
{
    json_t *metadata = json_object_get(tree, "metadata");
    assert(json_is_object(metadata));
    if (metadata->refcount == 1)
        return metadata;
    metadata = must(json_copy(metadata));
    int error = json_object_set_new(tree, "metadata", metadata);
    assert(error == 0);
    (void)error;
    return metadata;
}

static void write_version(json_t *tree, uint64_t version)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, version);
    int error = json_object_set_new(own_metadata(tree), "resourceVersion", json_string(digits));
    assert(error == 0);
    (void)error;
}

struct stored *stored_new(struct kube_object *object, uint64_t version)
{
    write_version(object->tree, version);
    return make(object, version);
}

/* What the caller of the store wrote beside the tree. */
static void copy_identity(struct kube_object *to, const struct kube_object *from)
{
    to->generation = from->generation;
    to->created_ms = from->created_ms;
    to->uid = arena_strdup(to->arena, from->uid);
}

struct stored *stored_new_removed(const struct stored *last, uint64_t version)
{
    json_t *tree = must(json_copy(last->object->tree)); /* metadata is shared, and so copied by write_version() */
    write_version(tree, version);
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    struct kube_object *object = kube_object_decode(tree, &problems);
    arena_free(arena);
    json_decref(tree);
    assert(object != NULL); /* the same tree did decode */
    copy_identity(object, last->object);
    return make(object, version);
}
