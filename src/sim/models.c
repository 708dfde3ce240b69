/* SPDX-License-Identifier: Apache-2.0 */
/* models.c: a short list, searched in order: servers have a handful of names.
 *
 * Each entry has an arena of its own for its strings and its self-description, so that adapters may come and go. */
#include "sim/models.h"

#include <assert.h>
#include <stdlib.h>

#define MAX_ADAPTERS 1000

struct models {
    struct list list; /* served names first, then adapters as they were loaded */
    struct bytes basename;
    char *path;
    unsigned adapters;
};

static struct bytes last_part(struct bytes path)
{
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    size_t start = path.len;
    while (start > 0 && path.data[start - 1] != '/')
        start--;
    return start < path.len ? bytes_skip(path, start) : path;
}

static struct model *add(struct models *models, struct bytes name, struct bytes root, bool is_adapter)
{
    struct arena *arena = arena_new(0);
    struct model *model = ARENA_NEW(arena, struct model);
    struct buffer text = {0};
    model->arena = arena;
    model->is_adapter = is_adapter;
    model->name = arena_copy(arena, name);
    model->root = arena_copy(arena, root);
    jw_append_quoted(&text, name);
    model->name_json = arena_copy(arena, buffer_bytes(&text));
    buffer_clear(&text);
    buffer_append_str(&text, "I am a simulated ");
    buffer_append(&text, models->basename);
    buffer_append_str(&text, is_adapter ? " with the adapter " : " (served as ");
    buffer_append(&text, name);
    buffer_append_str(&text, is_adapter ? "." : ").");
    text_voice_init(&model->voice, arena, buffer_bytes(&text));
    buffer_deinit(&text);
    list_push(&models->list, &model->link);
    return model;
}

static void drop(struct model *model)
{
    list_remove(&model->link);
    arena_free(model->arena); /* holds the model itself */
}

struct models *models_new(struct bytes path, const struct bytes *names, unsigned name_count)
{
    struct models *models = calloc(1, sizeof *models);
    if (models == NULL || (models->path = strndup(path.data, path.len)) == NULL)
        abort();
    list_init(&models->list);
    struct bytes kept = bytes_of(models->path);
    models->basename = last_part(kept);
    for (unsigned i = 0; i < name_count; i++)
        if (models_find(models, names[i]) == NULL)
            add(models, names[i], kept, false);
    assert(!list_is_empty(&models->list));
    return models;
}

void models_free(struct models *models)
{
    if (models == NULL)
        return;
    while (!list_is_empty(&models->list))
        drop(models_first(models));
    free(models->path);
    free(models);
}

struct model *models_first(struct models *models)
{
    return LIST_ENTRY(models->list.next, struct model, link);
}

struct model *models_find(struct models *models, struct bytes name)
{
    if (name.len == 0)
        return list_is_empty(&models->list) ? NULL : models_first(models);
    LIST_FOR_EACH (node, &models->list) {
        struct model *model = LIST_ENTRY(node, struct model, link);
        if (bytes_equal(model->name, name))
            return model;
    }
    return NULL;
}

enum models_outcome models_load_adapter(struct models *models, struct bytes name, struct bytes path)
{
    if (models_find(models, name) != NULL)
        return MODELS_TAKEN;
    if (models->adapters >= MAX_ADAPTERS)
        return MODELS_FULL;
    models->adapters++;
    add(models, name, path, true);
    return MODELS_OK;
}

enum models_outcome models_unload_adapter(struct models *models, struct bytes name)
{
    struct model *model = models_find(models, name);
    if (model == NULL || !model->is_adapter)
        return MODELS_UNKNOWN;
    models->adapters--;
    list_remove(&model->link);
    model->is_unloaded = true;
    if (model->users == 0)
        drop(model);
    return MODELS_OK;
}

void models_take(struct model *model)
{
    model->users++;
}

void models_give_back(struct model *model)
{
    assert(model->users > 0);
    if (--model->users == 0 && model->is_unloaded)
        drop(model);
}

void models_write(const struct models *models, struct json_writer *json, uint64_t created_s, uint64_t max_model_len)
{
    const struct model *base = LIST_ENTRY(models->list.next, struct model, link);
    jw_begin_object(json);
    jw_member_str(json, "object", "list");
    jw_key(json, "data");
    jw_begin_array(json);
    LIST_FOR_EACH (node, &models->list) {
        const struct model *model = LIST_ENTRY(node, struct model, link);
        jw_begin_object(json);
        jw_member_string(json, "id", model->name);
        jw_member_str(json, "object", "model");
        jw_member_u64(json, "created", created_s);
        jw_member_str(json, "owned_by", "serin-sim");
        jw_member_string(json, "root", model->root);
        jw_key(json, "parent");
        if (model->is_adapter)
            jw_string(json, base->name);
        else
            jw_null(json);
        jw_key(json, "max_model_len");
        if (model->is_adapter)
            jw_null(json);
        else
            jw_u64(json, max_model_len);
        jw_end_object(json);
    }
    jw_end_array(json);
    jw_end_object(json);
}

static void add_name(struct buffer *out, bool *is_first, struct bytes name)
{
    if (!*is_first)
        buffer_append_char(out, ',');
    *is_first = false;
    buffer_append(out, name);
}

void models_write_running(const struct models *models, struct buffer *out)
{
    bool is_first = true;
    LIST_FOR_EACH (node, &models->list) {
        const struct model *model = LIST_ENTRY(node, struct model, link);
        if (model->use.running > 0)
            add_name(out, &is_first, model->name);
    }
}

void models_write_waiting(const struct models *models, struct buffer *out)
{
    bool is_first = true;
    LIST_FOR_EACH (node, &models->list) {
        const struct model *model = LIST_ENTRY(node, struct model, link);
        if (model->use.waiting > 0)
            add_name(out, &is_first, model->name);
    }
}
