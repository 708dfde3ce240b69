/* SPDX-License-Identifier: Apache-2.0 */
/* table.h: objects as the rows of a meta.k8s.io/v1 Table, which is what `kubectl get` prints.
 *
 * Lists, single objects (one row) and watch events (one row each, the columns only in the first) are all the same
 * calls: begin, a row for each object, end. */
#ifndef KUBE_APISERVER_TABLE_H
#define KUBE_APISERVER_TABLE_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "kube/apiserver/resources.h"

/* What a row carries besides its cells: query parameter includeObject. */
enum table_include { TABLE_INCLUDE_METADATA, TABLE_INCLUDE_NONE, TABLE_INCLUDE_OBJECT };
/* "" is the default, Metadata; false when it is no such word. */
bool table_include_find(struct bytes text, enum table_include *ret_include);

struct table_options {
    const struct api_resource *resource; /* decides the columns, and apiVersion and kind of whole objects in rows */
    enum table_include include;
    bool is_scale;              /* the rows are Scales of the resource (autoscaling/v1), not it itself */
    bool without_columns;       /* later events of a watch: the client kept them */
    int64_t now_ms;             /* wall clock, for ages */
    uint64_t version;           /* metadata.resourceVersion */
    const char *continue_token; /* of a list that goes on; NULL: it does not */
    uint64_t remaining;         /* how many objects follow; 0: not told */
};

struct table_writer {
    struct table_options options;
    struct json_writer writer;
    struct buffer scratch; /* text of a cell that is put together */
};

/* The Table goes to out, which only the three may touch meanwhile. */
void table_begin(struct table_writer *table, const struct table_options *options, struct buffer *out);
/* tree is the object, an Event in either vocabulary.  Rows with whole objects carry text: the object's JSON in the
 * vocabulary of the resource without kind, apiVersion and the opening brace, as struct stored has it; empty: made from
 * the tree, which must then be in that vocabulary. */
void table_row(struct table_writer *table, const json_t *tree, struct bytes text);
void table_end(struct table_writer *table);

/* All three for trees that have no text. */
void table_write(const struct table_options *options, const json_t *const *trees, size_t count, struct buffer *out);

/* PartialObjectMetadata of an object (negotiate.h), also what rows carry by default. */
void table_write_metadata(struct json_writer *writer, const json_t *tree);
/* A tree as compact JSON. */
void table_append_json(struct buffer *out, const json_t *value);

#endif
