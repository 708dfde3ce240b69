/* SPDX-License-Identifier: Apache-2.0 */
/* hostname.h: Gateway API hostnames ("", "a.example.com", "*.example.com") and a table that finds the most specific one
 * first.  Private to route/.  Names are in lower case. */
#ifndef ROUTE_HOSTNAME_H
#define ROUTE_HOSTNAME_H

#include "base/arena.h"
#include "base/hashmap.h"

bool hostname_is_wildcard(const char *pattern);
/* A wildcard takes one label or more in place of its star, "" takes everything. */
bool hostname_takes(const char *pattern, struct bytes host);
/* What both take: always the narrower of the two; NULL when they have nothing in common. */
const char *hostname_intersect(const char *a, const char *b);
/* > 0 when a is more specific: exact before wildcard before any, then the longer one. */
int hostname_compare(const char *a, const char *b);

struct host_entry {
    const char *pattern;
    void *value;
};

struct host_table {
    struct hashmap *exact;        /* NULL when none; the snapshot owns it */
    struct host_entry *wildcards; /* longest first: a longer suffix of one host has more labels */
    unsigned wildcard_count;
    void *any;
};

/* The patterns are distinct; they and the values are kept, the array is not. */
void host_table_build(struct host_table *table, struct arena *arena, const struct host_entry *entries, unsigned count);
/* The values whose pattern takes host, most specific first; *cursor = 0 at first, NULL at the end. */
void *host_table_next(const struct host_table *table, struct bytes host, unsigned *cursor);

#endif
