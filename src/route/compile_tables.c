/* SPDX-License-Identifier: Apache-2.0 */
/* compile_tables.c: puts the candidates of each listener into groups by hostname, sorted by HTTPRoute precedence, and
 * the listeners of each socket into a table by hostname. */
#include "route/compile_internal.h"

#include <stdlib.h>

static int path_rank(enum path_match_type type)
{
    switch (type) {
    case PATH_EXACT:
        return 0;
    case PATH_REGEX:
        return 1;
    case PATH_PREFIX:
        break;
    }
    return 2;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_paths(const struct route_candidate *a, const struct route_candidate *b)
{
    if (a->path_type != b->path_type)
        return path_rank(a->path_type) - path_rank(b->path_type);
    /* Equal exact paths must stand together for the hash; only one length of them can match anyway. */
    if (a->path_type == PATH_EXACT)
        return bytes_compare(a->path, b->path);
    return COMPARE(b->path.len, a->path.len);
}

/* HTTPRoute precedence: path, method, number of headers, of query parameters, then the oldest route, its name, and the
 * first match in it. */
static int by_precedence(const void *left, const void *right)
{
    const struct route_candidate *a = (*(const struct candidate_entry *const *)left)->candidate;
    const struct route_candidate *b = (*(const struct candidate_entry *const *)right)->candidate;
    int order = compare_paths(a, b);
    if (order == 0)
        order = COMPARE(b->method.len > 0, a->method.len > 0);
    if (order == 0)
        order = COMPARE(b->header_count, a->header_count);
    if (order == 0)
        order = COMPARE(b->query_count, a->query_count);
    if (order == 0)
        order = COMPARE(a->created_ms, b->created_ms);
    if (order == 0)
        order = strcmp(a->rule->route, b->rule->route);
    if (order == 0)
        order = COMPARE(a->rule_index, b->rule_index);
    return order != 0 ? order : COMPARE(a->match_index, b->match_index);
}

/* The effective hostname first, then how specific the route's own hostname is: both most specific first. */
static int by_group(const void *left, const void *right)
{
    const struct candidate_entry *a = *(const struct candidate_entry *const *)left;
    const struct candidate_entry *b = *(const struct candidate_entry *const *)right;
    int order = hostname_compare(b->hostname, a->hostname);
    if (order == 0)
        order = strcmp(a->hostname, b->hostname);
    if (order == 0)
        order = hostname_compare(b->route_hostname, a->route_hostname);
    return order != 0 ? order : by_precedence(left, right);
}

static bool same_group(const struct candidate_entry *a, const struct candidate_entry *b)
{
    return strcmp(a->hostname, b->hostname) == 0 && hostname_compare(a->route_hostname, b->route_hostname) == 0;
}

static void index_exact_paths(struct compile *compile, struct route_group *group)
{
    while (group->exact_count < group->candidate_count &&
           group->candidates[group->exact_count]->path_type == PATH_EXACT)
        group->exact_count++;
    if (group->exact_count == 0)
        return;
    group->exact_paths = compile_snapshot_map(compile);
    struct candidate_run *run = NULL;
    for (unsigned i = 0; i < group->exact_count; i++) {
        if (run == NULL || !bytes_equal(run->first[0]->path, group->candidates[i]->path)) {
            run = ARENA_NEW(compile->arena, struct candidate_run);
            run->first = &group->candidates[i];
            hashmap_put(group->exact_paths, group->candidates[i]->path, run);
        }
        run->count++;
    }
}

static struct route_group *make_group(struct compile *compile, struct candidate_entry *const *entries, unsigned count)
{
    struct route_group *group = ARENA_NEW(compile->arena, struct route_group);
    group->hostname = arena_strdup(compile->arena, entries[0]->hostname);
    group->route_hostname = arena_strdup(compile->arena, entries[0]->route_hostname);
    group->candidates = ARENA_ARRAY(compile->arena, struct route_candidate *, count);
    group->candidate_count = count;
    for (unsigned i = 0; i < count; i++)
        group->candidates[i] = entries[i]->candidate;
    index_exact_paths(compile, group);
    return group;
}

static void build_host_table(struct compile *compile, struct host_table *table, const struct host_entry *entries,
                             unsigned count)
{
    host_table_build(table, compile->arena, entries, count);
    if (table->exact != NULL)
        compile_own_map(compile, table->exact);
}

static void build_listener(struct compile *compile, struct listener_build *build)
{
    struct port_listener *listener = build->table;
    unsigned count = build->entry_count, len = 0;
    struct candidate_entry **entries = ARENA_ARRAY(compile->scratch, struct candidate_entry *, count);
    for (struct candidate_entry *entry = build->entries; entry != NULL; entry = entry->next)
        entries[len++] = entry;
    qsort(entries, count, sizeof(struct candidate_entry *), by_group);
    struct host_entry *hosts = ARENA_ARRAY(compile->scratch, struct host_entry, count);
    unsigned host_count = 0;
    struct route_group *last = NULL;
    listener->groups = ARENA_ARRAY(compile->arena, struct route_group *, count);
    for (unsigned start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && same_group(entries[start], entries[end]);)
            end++;
        struct route_group *group = make_group(compile, entries + start, end - start);
        if (last != NULL && strcmp(last->hostname, group->hostname) == 0)
            last->next = group;
        else
            hosts[host_count++] = (struct host_entry){group->hostname, group};
        last = group;
        listener->groups[listener->group_count++] = group;
    }
    build_host_table(compile, &listener->hosts, hosts, host_count);
}

static struct route_port *find_port(const struct compile *compile, const struct gateway_build *gateway, uint16_t number)
{
    for (unsigned i = 0; i < compile->snapshot->port_count; i++) {
        struct route_port *port = compile->snapshot->ports[i];
        if (port != NULL && port->port == number && strcmp(port->ip, gateway->address) == 0)
            return port;
    }
    return NULL;
}

static int by_hostname(const void *left, const void *right)
{
    const struct port_listener *a = *(const struct port_listener *const *)left;
    const struct port_listener *b = *(const struct port_listener *const *)right;
    int order = hostname_compare(b->hostname, a->hostname);
    return order != 0 ? order : strcmp(a->hostname, b->hostname);
}

static void build_port(struct compile *compile, struct route_port *port)
{
    qsort(port->listeners, port->listener_count, sizeof(struct port_listener *), by_hostname);
    struct host_entry *hosts = ARENA_ARRAY(compile->scratch, struct host_entry, port->listener_count);
    for (unsigned i = 0; i < port->listener_count; i++)
        hosts[i] = (struct host_entry){port->listeners[i]->hostname, port->listeners[i]};
    build_host_table(compile, &port->hosts, hosts, port->listener_count);
}

void compile_tables(struct compile *compile)
{
    for (unsigned i = 0; i < compile->snapshot->port_count; i++) {
        if (compile->snapshot->ports[i] != NULL)
            compile->snapshot->ports[i]->listener_count = 0;
    }
    for (const struct gateway_build *gateway = compile->gateways; gateway != NULL; gateway = gateway->next) {
        for (unsigned i = 0; i < gateway->spec->listener_count; i++) {
            struct listener_build *listener = &gateway->listeners[i];
            if (listener->table == NULL)
                continue;
            build_listener(compile, listener);
            struct route_port *port = find_port(compile, gateway, listener->spec->port);
            port->listeners[port->listener_count++] = listener->table;
        }
    }
    for (unsigned i = 0; i < compile->snapshot->port_count; i++) {
        if (compile->snapshot->ports[i] != NULL)
            build_port(compile, compile->snapshot->ports[i]);
    }
}
