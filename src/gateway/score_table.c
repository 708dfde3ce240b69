/* SPDX-License-Identifier: Apache-2.0 */
/* score_table.c: listens to a pick that is not made.  Endpoints are known by their text, because they may go as soon as
 * the pool's lock is let go. */
#include "gateway/score_table.h"

#include <stdio.h>

/* All scorers tell of the endpoints in one order. */
static struct score_row *row_of(struct score_table *table, const char *endpoint)
{
    for (unsigned i = 0; i < table->row_count; i++) {
        struct score_row *row = &table->rows[(table->next + i) % table->row_count];
        if (strcmp(row->endpoint, endpoint) != 0)
            continue;
        table->next = (unsigned)(row - table->rows) + 1;
        return row;
    }
    if (table->row_count == table->row_capacity) {
        unsigned capacity = table->row_capacity * 2 + 16;
        struct score_row *rows = ARENA_ARRAY(table->arena, struct score_row, capacity);
        if (table->row_count > 0)
            memcpy(rows, table->rows, table->row_count * sizeof *rows);
        table->rows = rows;
        table->row_capacity = capacity;
    }
    struct score_row *row = &table->rows[table->row_count++];
    *row = (struct score_row){.endpoint = arena_printf(table->arena, "%s", endpoint)};
    return row;
}

static unsigned column_of(struct score_table *table, const struct plugin *scorer)
{
    unsigned column = 0;
    while (column < table->scorer_count && strcmp(table->scorers[column], scorer->name) != 0)
        column++;
    if (column == table->scorer_count && column < PROFILE_SCORERS_MAX) {
        table->scorers[table->scorer_count] = arena_printf(table->arena, "%s", scorer->name);
        table->weights[table->scorer_count++] = scorer->weight;
    }
    return column;
}

static void on_score(void *context, const struct plugin *scorer, const struct candidate *candidate, double score)
{
    struct score_table *table = context;
    struct score_row *row = row_of(table, candidate->endpoint->text);
    if (scorer == NULL) {
        row->total = score;
        return;
    }
    unsigned column = column_of(table, scorer);
    if (column < PROFILE_SCORERS_MAX)
        row->scores[column] = score;
}

void score_table_make(struct pool *pool, const struct pick_request *request, struct arena *arena,
                      struct score_table *ret_table)
{
    *ret_table = (struct score_table){.arena = arena};
    schedule_explain(pool, request, &(struct profile_listener){.on_score = on_score, .context = ret_table});
}

const struct score_row *score_table_find(const struct score_table *table, const char *endpoint)
{
    for (unsigned i = 0; i < table->row_count; i++)
        if (strcmp(table->rows[i].endpoint, endpoint) == 0)
            return &table->rows[i];
    return NULL;
}

void score_table_write_text(const struct score_table *table, struct buffer *out)
{
    if (table->row_count == 0)
        return;
    buffer_printf(out, "  %-24s", "scores of a pick now");
    for (unsigned i = 0; i < table->scorer_count; i++)
        buffer_printf(out, " %s x %g ", table->scorers[i], table->weights[i]);
    buffer_append_str(out, " total\n");
    for (unsigned i = 0; i < table->row_count; i++) {
        const struct score_row *row = &table->rows[i];
        buffer_printf(out, "  %-24s", row->endpoint);
        for (unsigned j = 0; j < table->scorer_count; j++) {
            int width = (int)strlen(table->scorers[j]) + snprintf(NULL, 0, " x %g ", table->weights[j]);
            buffer_printf(out, " %*.3f", width, row->scores[j]);
        }
        buffer_printf(out, " %6.3f\n", row->total);
    }
}

void score_row_write_json(const struct score_table *table, const struct score_row *row, struct json_writer *writer)
{
    if (row == NULL) {
        jw_null(writer);
        return;
    }
    jw_begin_object(writer);
    for (unsigned i = 0; i < table->scorer_count; i++)
        jw_member_double(writer, table->scorers[i], row->scores[i]);
    jw_member_double(writer, "total", row->total);
    jw_end_object(writer);
}
