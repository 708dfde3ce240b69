/* SPDX-License-Identifier: Apache-2.0 */
/* hostname.c: hostname patterns of listeners and routes, and the table that orders them.  Pure; a table is built on the
 * control thread and then read by any. */
#include "route/hostname.h"

#include <stdlib.h>

bool hostname_is_wildcard(const char *pattern)
{
    return pattern[0] == '*' && pattern[1] == '.';
}

bool hostname_takes(const char *pattern, struct bytes host)
{
    if (pattern[0] == '\0')
        return true;
    if (!hostname_is_wildcard(pattern))
        return bytes_equal_str(host, pattern);
    struct bytes suffix = bytes_of(pattern + 1);
    return host.len > suffix.len && bytes_ends_with(host, suffix);
}

const char *hostname_intersect(const char *a, const char *b)
{
    /* A pattern takes the other one's text exactly when it takes all that the other takes: "*.b.c" ends with ".c". */
    if (hostname_takes(a, bytes_of(b)) && b[0] != '\0')
        return b;
    if (hostname_takes(b, bytes_of(a)))
        return a;
    return strcmp(a, b) == 0 ? a : NULL;
}

static int kind_rank(const char *pattern)
{
    if (pattern[0] == '\0')
        return 0;
    return hostname_is_wildcard(pattern) ? 1 : 2;
}

int hostname_compare(const char *a, const char *b)
{
    int ranks = kind_rank(a) - kind_rank(b);
    if (ranks != 0)
        return ranks;
    size_t a_len = strlen(a), b_len = strlen(b);
    return (a_len > b_len) - (a_len < b_len);
}

static int longest_first(const void *left, const void *right)
{
    const struct host_entry *a = left, *b = right;
    int order = hostname_compare(b->pattern, a->pattern);
    return order != 0 ? order : strcmp(a->pattern, b->pattern);
}

void host_table_build(struct host_table *table, struct arena *arena, const struct host_entry *entries, unsigned count)
{
    *table = (struct host_table){.wildcards = ARENA_ARRAY(arena, struct host_entry, count > 0 ? count : 1)};
    for (unsigned i = 0; i < count; i++) {
        const struct host_entry *entry = &entries[i];
        if (entry->pattern[0] == '\0') {
            table->any = entry->value;
        } else if (hostname_is_wildcard(entry->pattern)) {
            table->wildcards[table->wildcard_count++] = *entry;
        } else {
            if (table->exact == NULL)
                table->exact = hashmap_new();
            hashmap_put(table->exact, bytes_of(entry->pattern), entry->value);
        }
    }
    qsort(table->wildcards, table->wildcard_count, sizeof *table->wildcards, longest_first);
}

void *host_table_next(const struct host_table *table, struct bytes host, unsigned *cursor)
{
    if (*cursor == 0) {
        *cursor = 1;
        void *value = table->exact != NULL ? hashmap_get(table->exact, host) : NULL;
        if (value != NULL)
            return value;
    }
    while (*cursor <= table->wildcard_count) {
        const struct host_entry *entry = &table->wildcards[(*cursor)++ - 1];
        if (hostname_takes(entry->pattern, host))
            return entry->value;
    }
    return (*cursor)++ == table->wildcard_count + 1 ? table->any : NULL;
}
