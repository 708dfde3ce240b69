/* SPDX-License-Identifier: Apache-2.0 */
/* text_table.h: lines of cells with their columns aligned, for terminals. */
#ifndef CLI_TEXT_TABLE_H
#define CLI_TEXT_TABLE_H

#include "base/arena.h"
#include "base/buffer.h"

enum { TEXT_TABLE_COLUMNS_MAX = 16, TEXT_TABLE_ROWS_MAX = 4096 };

struct text_table {
    struct arena *arena;
    unsigned column_count;
    unsigned row_count;
    unsigned capacity;
    const char ***rows;
};

/* The first row is the header. */
void text_table_init(struct text_table *table, struct arena *arena, const char *const *header, unsigned column_count);
/* column_count cells, copied; "" becomes "-", characters that a terminal would act on become '?'.  Rows beyond the
 * limit are dropped. */
void text_table_add(struct text_table *table, const char *const *cells);
/* Columns are three blanks apart; lines have no blanks at their end. */
void text_table_write(const struct text_table *table, struct buffer *out);
/* The same, but turned on its side (a row becomes a column) where it would be wider than `columns` characters, has few
 * enough rows for that and is not wider then; 0: no limit. */
void text_table_write_within(const struct text_table *table, size_t columns, struct buffer *out);

/* text as it may be shown on a terminal: no control characters; a line break becomes a blank. */
void text_append_clean(struct buffer *out, const char *text);
/* Characters, not bytes: how wide it is on a terminal, near enough. */
size_t text_width(const char *text);

#endif
