/* SPDX-License-Identifier: Apache-2.0 */
/* text_table.c: measures all cells, then writes.  Pure. */
#include "cli/text_table.h"

#include <string.h>

enum { GAP = 3 };

void text_append_clean(struct buffer *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        bool is_c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f; /* U+0080..U+009F: controls as well */
        bool is_control = *c < ' ' || *c == 0x7f || is_c1;
        buffer_append_char(out, *c == '\n' ? ' ' : is_control ? '?' : (char)*c);
        c += is_c1;
    }
}

size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static const char *clean_copy(struct arena *arena, const char *text)
{
    struct buffer clean = {0};
    text_append_clean(&clean, text);
    const char *copy = arena_strndup(arena, buffer_bytes(&clean));
    buffer_deinit(&clean);
    return copy[0] != '\0' ? copy : "-";
}

void text_table_init(struct text_table *table, struct arena *arena, const char *const *header, unsigned column_count)
{
    *table = (struct text_table){.arena = arena, .column_count = column_count};
    text_table_add(table, header);
}

static void grow(struct text_table *table)
{
    unsigned capacity = table->capacity > 0 ? table->capacity * 2 : 16;
    const char ***rows = ARENA_ARRAY(table->arena, const char **, capacity);
    if (table->row_count > 0)
        memcpy(rows, table->rows, table->row_count * sizeof *rows);
    table->rows = rows;
    table->capacity = capacity;
}

void text_table_add(struct text_table *table, const char *const *cells)
{
    if (table->row_count == TEXT_TABLE_ROWS_MAX)
        return;
    if (table->row_count == table->capacity)
        grow(table);
    const char **row = ARENA_ARRAY(table->arena, const char *, table->column_count);
    for (unsigned i = 0; i < table->column_count; i++)
        row[i] = clean_copy(table->arena, cells[i]);
    table->rows[table->row_count++] = row;
}

static size_t measure(const struct text_table *table, size_t widths[TEXT_TABLE_COLUMNS_MAX])
{
    size_t total = 0;
    for (unsigned c = 0; c < table->column_count; c++) {
        widths[c] = 0;
        for (unsigned r = 0; r < table->row_count; r++) {
            size_t width = text_width(table->rows[r][c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
        total += widths[c] + (c > 0 ? GAP : 0);
    }
    return total;
}

void text_table_write(const struct text_table *table, struct buffer *out)
{
    size_t widths[TEXT_TABLE_COLUMNS_MAX];
    measure(table, widths);
    for (unsigned r = 0; r < table->row_count; r++) {
        for (unsigned c = 0; c < table->column_count; c++) {
            const char *cell = table->rows[r][c];
            buffer_append_str(out, cell);
            if (c + 1 < table->column_count)
                buffer_printf(out, "%*s", (int)(widths[c] - text_width(cell)) + GAP, "");
        }
        buffer_append_char(out, '\n');
    }
}

static struct text_table turned(const struct text_table *table)
{
    struct text_table other = {.arena = table->arena, .column_count = table->row_count};
    for (unsigned c = 0; c < table->column_count; c++) {
        const char *cells[TEXT_TABLE_COLUMNS_MAX];
        for (unsigned r = 0; r < table->row_count; r++)
            cells[r] = table->rows[r][c];
        text_table_add(&other, cells);
    }
    return other;
}

void text_table_write_within(const struct text_table *table, size_t columns, struct buffer *out)
{
    size_t widths[TEXT_TABLE_COLUMNS_MAX];
    size_t width = measure(table, widths);
    if (columns == 0 || width <= columns || table->row_count > TEXT_TABLE_COLUMNS_MAX) {
        text_table_write(table, out);
        return;
    }
    struct text_table other = turned(table);
    text_table_write(measure(&other, widths) < width ? &other : table, out);
}
