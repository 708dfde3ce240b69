/* SPDX-License-Identifier: Apache-2.0 */
/* session_table.c: rows of four places; a session's hash says which row. */
#include "inference/schedule/session_table.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/compiler.h"

enum { ROW = 4 };

struct place {
    uint64_t key_hash;
    uint64_t used_ms;
    const struct endpoint *endpoint; /* NULL: free */
};

struct session_table {
    uint64_t ttl_ms;
    uint32_t row_mask;
    struct place places[];
};

struct session_table *session_table_new(unsigned sessions, uint64_t ttl_ms)
{
    uint32_t rows = 1;
    while (rows * ROW < sessions)
        rows *= 2;
    struct session_table *table = must(calloc(1, sizeof *table + (size_t)rows * ROW * sizeof(struct place)));
    table->ttl_ms = ttl_ms;
    table->row_mask = rows - 1;
    return table;
}

void session_table_free(struct session_table *table)
{
    free(table);
}

static size_t first_place(const struct session_table *table, uint64_t key_hash)
{
    return (size_t)((uint32_t)key_hash & table->row_mask) * ROW;
}

const struct endpoint *session_table_find(const struct session_table *table, uint64_t key_hash, uint64_t now_ms)
{
    const struct place *row = &table->places[first_place(table, key_hash)];
    for (unsigned i = 0; i < ROW; i++)
        if (row[i].endpoint != NULL && row[i].key_hash == key_hash)
            return now_ms < row[i].used_ms + table->ttl_ms ? row[i].endpoint : NULL;
    return NULL;
}

void session_table_put(struct session_table *table, uint64_t key_hash, const struct endpoint *endpoint, uint64_t now_ms)
{
    struct place *row = &table->places[first_place(table, key_hash)], *place = row;
    for (unsigned i = 0; i < ROW; i++) {
        if (row[i].endpoint != NULL && row[i].key_hash == key_hash) {
            place = &row[i];
            break;
        }
        if (row[i].used_ms < place->used_ms)
            place = &row[i];
    }
    *place = (struct place){key_hash, now_ms, endpoint};
}
