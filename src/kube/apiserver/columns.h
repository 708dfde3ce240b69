/* SPDX-License-Identifier: Apache-2.0 */
/* columns.h: which columns each kind has and how their cells come out of an object.  Internal to tables.
 *
 * Cells of custom resources are what a JSONPath finds (null when nothing); cells of built-in kinds say "<none>" or 0
 * where there is nothing.  Objects may be of any shape: a wrong type counts as absent. */
#ifndef KUBE_APISERVER_COLUMNS_H
#define KUBE_APISERVER_COLUMNS_H

#include "base/json_tree.h"
#include "base/json_write.h"
#include "kube/apiserver/resources.h"

/* One cell to be written. */
struct table_cell {
    struct json_writer *writer;
    const json_t *tree;
    const char *path; /* from the column */
    int64_t now_ms;
    struct buffer *scratch; /* empty */
};

struct table_column {
    const char *name;
    const char *type;   /* string, integer, date: how clients sort */
    const char *format; /* "" or "name" */
    bool is_wide;       /* shown with -o wide only */
    const char *description;
    void (*write)(const struct table_cell *cell); /* exactly one JSON value */
    const char *path;                             /* argument of write; NULL: it needs none */
};

struct table_columns {
    const struct table_column *items;
    size_t len;
};
/* Name and age where nothing else is known. */
struct table_columns table_columns_of(enum kube_kind kind);
struct table_columns table_columns_of_scale(void);

int64_t cell_int_at(const json_t *tree, const char *path, int64_t fallback);
/* Milliseconds of an RFC 3339 time; 0 when there is none. */
uint64_t cell_time_at(const json_t *tree, const char *path);
/* The item of a list of conditions with this type; NULL when there is none. */
const json_t *cell_condition(const json_t *conditions, const char *type);
/* The scratch text as the cell; when it is empty, fallback. */
void cell_write_scratch(const struct table_cell *cell, const char *fallback);
/* A string, or fallback for "". */
void cell_write_text(const struct table_cell *cell, const char *text, const char *fallback);
/* Appends after a comma, but for the first. */
void cell_append_item(struct buffer *text, const char *item);

/* columns_core.c */
void cell_data_count(const struct table_cell *cell);
void cell_service_address(const struct table_cell *cell);
void cell_service_ports(const struct table_cell *cell);
void cell_slice_ports(const struct table_cell *cell);
void cell_slice_addresses(const struct table_cell *cell);
void cell_event_seen(const struct table_cell *cell);
void cell_event_first_seen(const struct table_cell *cell);
void cell_event_count(const struct table_cell *cell);
void cell_event_object(const struct table_cell *cell);
void cell_event_text(const struct table_cell *cell);
void cell_event_source(const struct table_cell *cell);

/* columns_pod.c */
void cell_pod_ready(const struct table_cell *cell);
void cell_pod_status(const struct table_cell *cell);
void cell_pod_restarts(const struct table_cell *cell);
void cell_pod_gates(const struct table_cell *cell);
void cell_container_items(const struct table_cell *cell);
void cell_selector(const struct table_cell *cell);

/* columns_canary.c */
void cell_canary_target(const struct table_cell *cell);
void cell_canary_step(const struct table_cell *cell);
void cell_percent(const struct table_cell *cell);

#endif
