/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: the frame of a Table: list metadata, column definitions, rows and what they carry.  The cells are those of
 * columns.c.  One owner; any thread that may read the trees. */
#include "kube/apiserver/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kube/apiserver/columns.h"

bool table_include_find(struct bytes text, enum table_include *ret_include)
{
    static const struct {
        const char *word;
        enum table_include include;
    } words[] = {{"", TABLE_INCLUDE_METADATA},
                 {"Metadata", TABLE_INCLUDE_METADATA},
                 {"None", TABLE_INCLUDE_NONE},
                 {"Object", TABLE_INCLUDE_OBJECT}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (bytes_equal_str(text, words[i].word)) {
            *ret_include = words[i].include;
            return true;
        }
    }
    return false;
}

static int append_piece(const char *text, size_t len, void *out)
{
    buffer_append(out, bytes_make(text, len));
    return 0;
}

void table_append_json(struct buffer *out, const json_t *value)
{
    (void)json_dump_callback(value, append_piece, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

/* A subtree as the next value: objects nest deeper than the writer counts, so it goes around it. */
static void write_tree(struct json_writer *writer, const json_t *value)
{
    jw_raw(writer, BYTES(""));
    table_append_json(writer->out, value);
}

void table_write_metadata(struct json_writer *writer, const json_t *tree)
{
    const json_t *metadata = json_object_get(tree, "metadata");
    jw_begin_object(writer);
    jw_member_str(writer, "kind", "PartialObjectMetadata");
    jw_member_str(writer, "apiVersion", "meta.k8s.io/v1");
    jw_key(writer, "metadata");
    if (metadata != NULL) {
        write_tree(writer, metadata);
    } else {
        jw_begin_object(writer);
        jw_end_object(writer);
    }
    jw_end_object(writer);
}

static struct table_columns columns_of(const struct table_options *options)
{
    return options->is_scale ? table_columns_of_scale() : table_columns_of(options->resource->kind);
}

/* The object under the apiVersion that was asked for, which need not be the one it was stored with. */
static void write_object(struct table_writer *table, const json_t *tree, struct bytes text)
{
    struct json_writer *writer = &table->writer;
    bool is_scale = table->options.is_scale;
    const char *name;
    json_t *value;
    jw_begin_object(writer);
    jw_member_str(writer, "kind", is_scale ? "Scale" : table->options.resource->kind_name);
    jw_member_str(writer, "apiVersion", is_scale ? "autoscaling/v1" : table->options.resource->api_version);
    if (text.len > 1) {
        jw_raw(writer, bytes_make(text.data, text.len - 1)); /* its closing brace is ours to write */
    } else {
        json_object_foreach((json_t *)tree, name, value)
        {
            if (strcmp(name, "kind") == 0 || strcmp(name, "apiVersion") == 0)
                continue;
            jw_key(writer, name);
            write_tree(writer, value);
        }
    }
    jw_end_object(writer);
}

static void write_definitions(struct json_writer *writer, struct table_columns columns)
{
    jw_key(writer, "columnDefinitions");
    jw_begin_array(writer);
    for (size_t i = 0; i < columns.len; i++) {
        const struct table_column *column = &columns.items[i];
        jw_begin_object(writer);
        jw_member_str(writer, "name", column->name);
        jw_member_str(writer, "type", column->type);
        jw_member_str(writer, "format", column->format);
        jw_member_str(writer, "description", column->description);
        jw_member_i64(writer, "priority", column->is_wide);
        jw_end_object(writer);
    }
    jw_end_array(writer);
}

static void write_list_metadata(struct json_writer *writer, const struct table_options *options)
{
    char version[24];
    snprintf(version, sizeof version, "%" PRIu64, options->version);
    jw_key(writer, "metadata");
    jw_begin_object(writer);
    jw_member_str(writer, "resourceVersion", version);
    if (options->continue_token != NULL)
        jw_member_str(writer, "continue", options->continue_token);
    if (options->remaining > 0)
        jw_member_u64(writer, "remainingItemCount", options->remaining);
    jw_end_object(writer);
}

void table_begin(struct table_writer *table, const struct table_options *options, struct buffer *out)
{
    *table = (struct table_writer){.options = *options};
    jw_init(&table->writer, out);
    jw_begin_object(&table->writer);
    jw_member_str(&table->writer, "kind", "Table");
    jw_member_str(&table->writer, "apiVersion", "meta.k8s.io/v1");
    write_list_metadata(&table->writer, options);
    if (!options->without_columns)
        write_definitions(&table->writer, columns_of(options));
    jw_key(&table->writer, "rows");
    jw_begin_array(&table->writer);
}

void table_row(struct table_writer *table, const json_t *tree, struct bytes text)
{
    struct json_writer *writer = &table->writer;
    struct table_columns columns = columns_of(&table->options);
    jw_begin_object(writer);
    jw_key(writer, "cells");
    jw_begin_array(writer);
    for (size_t i = 0; i < columns.len; i++) {
        struct table_cell cell = {writer, tree, columns.items[i].path, table->options.now_ms, &table->scratch};
        buffer_clear(&table->scratch);
        columns.items[i].write(&cell);
    }
    jw_end_array(writer);
    if (table->options.include != TABLE_INCLUDE_NONE) {
        jw_key(writer, "object");
        if (table->options.include == TABLE_INCLUDE_OBJECT)
            write_object(table, tree, text);
        else
            table_write_metadata(writer, tree);
    }
    jw_end_object(writer);
}

void table_end(struct table_writer *table)
{
    jw_end_array(&table->writer);
    jw_end_object(&table->writer);
    buffer_deinit(&table->scratch);
}

void table_write(const struct table_options *options, const json_t *const *trees, size_t count, struct buffer *out)
{
    struct table_writer table;
    table_begin(&table, options, out);
    for (size_t i = 0; i < count; i++)
        table_row(&table, trees[i], BYTES(""));
    table_end(&table);
}
