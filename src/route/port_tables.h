/* SPDX-License-Identifier: Apache-2.0 */
/* port_tables.h: the match tables of a snapshot: socket -> listener -> hostname -> candidates in order of precedence.
 *
 * Private to route/.  Written by compile_tables.c, then only read.  A request belongs to the listener with the most
 * specific hostname alone (isolation); inside it, the groups of candidates whose hostname takes the request are tried
 * from the most to the least specific. */
#ifndef ROUTE_PORT_TABLES_H
#define ROUTE_PORT_TABLES_H

#include "kube/api/http_route.h"
#include "route/hostname.h"
#include "route/match.h"
#include "route/regex.h"
#include "route/snapshot.h"

/* What a match asks of one header or query parameter. */
struct value_condition {
    struct bytes name;
    struct bytes value;        /* the exact value, or the pattern's text */
    const struct regex *regex; /* NULL: exact */
};

/* One match of one rule, as one listener uses it. */
struct route_candidate {
    const struct route_rule *rule;
    enum path_match_type path_type;
    struct bytes path; /* a prefix stands without its trailing slash: "" for "/" */
    const struct regex *path_regex;
    struct bytes method; /* "": any */
    struct value_condition *headers;
    unsigned header_count;
    struct value_condition *query;
    unsigned query_count;
    /* The ties of precedence. */
    uint64_t created_ms;
    unsigned rule_index;
    unsigned match_index;
};

struct candidate_run {
    struct route_candidate *const *first;
    unsigned count;
};

/* Candidates of one listener under one hostname: the intersection of the listener's and the route's. */
struct route_group {
    const char *hostname;                /* "" = any */
    const char *route_hostname;          /* as the route has it: ranks groups that intersect to the same hostname */
    struct route_candidate **candidates; /* in order of precedence */
    unsigned candidate_count;
    unsigned exact_count;        /* so many at the start have an exact path; found by hash */
    struct hashmap *exact_paths; /* path -> struct candidate_run; NULL when none */
    struct route_group *next;    /* the same hostname, a less specific one in the route */
};

struct port_listener {
    const char *gateway;  /* "default/inference-gateway" */
    const char *name;     /* "llm-gw" */
    const char *hostname; /* "" = any */
    uint64_t buffer_limit_bytes;
    struct host_table hosts;     /* -> struct route_group */
    struct route_group **groups; /* all, most specific first; each with its chain in place */
    unsigned group_count;
};

struct route_port {
    unsigned id;
    const char *ip;
    uint16_t port;
    struct host_table hosts; /* -> struct port_listener */
    struct port_listener **listeners;
    unsigned listener_count;
};

/* One request on its way through the candidates; zero but for request. */
struct matching {
    const struct route_request *request;
    struct query_memo *memo; /* parameters that were looked up */
};

enum candidate_verdict {
    CANDIDATE_FITS,
    CANDIDATE_PATH,
    CANDIDATE_METHOD,
    CANDIDATE_HEADER_ABSENT,
    CANDIDATE_HEADER_VALUE,
    CANDIDATE_QUERY_ABSENT,
    CANDIDATE_QUERY_VALUE
};

/* Why the candidate does not take the request; ret_condition: the header or parameter that says no. */
enum candidate_verdict candidate_check(const struct route_candidate *candidate, struct matching *matching,
                                       const struct value_condition **ret_condition);
/* The listener that owns the host (already in lower case); NULL when none. */
const struct port_listener *route_port_listener(const struct route_port *port, struct bytes host);
/* In lower case; "" (which only a listener for any host takes) when it is longer than a DNS name can be. */
#define HOST_MAX 255
struct bytes route_lower_host(struct bytes host, char lower[HOST_MAX]);

#endif
