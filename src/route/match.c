/* SPDX-License-Identifier: Apache-2.0 */
/* match.c: from a request to the one rule that takes it.
 *
 * The tables are already in order of precedence, so the first candidate that fits is the answer, and it is final: a
 * rule with broken backends answers 500 instead of letting the next one serve.  Allocates only for query values with
 * escapes, from the request's arena. */
#include "route/match.h"

#include "route/port_tables.h"

/* A query parameter that some condition asked for, decoded once. */
struct query_memo {
    struct bytes name;
    struct bytes value;
    bool is_present;
    struct query_memo *next;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* Takes one decoded byte off the front; an escape that is none stands for itself. */
static char next_decoded(struct bytes *text)
{
    char c = text->data[0];
    size_t used = 1;
    if (c == '+') {
        c = ' ';
    } else if (c == '%' && text->len >= 3) {
        int high = hex_digit(text->data[1]), low = hex_digit(text->data[2]);
        if (high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            used = 3;
        }
    }
    *text = bytes_skip(*text, used);
    return c;
}

static bool decodes_to(struct bytes text, struct bytes wanted)
{
    size_t at = 0;
    while (text.len > 0) {
        if (at == wanted.len || next_decoded(&text) != wanted.data[at++])
            return false;
    }
    return at == wanted.len;
}

static struct bytes decoded(struct bytes text, struct arena *arena)
{
    if (bytes_find(text, '%') == text.len && bytes_find(text, '+') == text.len)
        return text;
    /* No longer than the query, which the limit on request heads bounds. */
    char *data = arena_alloc(arena, text.len);
    size_t len = 0;
    while (text.len > 0)
        data[len++] = next_decoded(&text);
    return bytes_make(data, len);
}

/* The first parameter of that name: the choice that the HTTPRoute API recommends for repeated ones. */
static struct query_memo find_parameter(const struct route_request *request, struct bytes name)
{
    struct query_memo memo = {.name = name};
    struct bytes rest = request->query;
    while (rest.len > 0) {
        size_t end = bytes_find(rest, '&');
        struct bytes pair = bytes_make(rest.data, end);
        size_t equals = bytes_find(pair, '=');
        if (decodes_to(bytes_make(pair.data, equals), name)) {
            memo.is_present = true;
            if (equals < pair.len)
                memo.value = decoded(bytes_skip(pair, equals + 1), request->arena);
            return memo;
        }
        rest = bytes_skip(rest, end < rest.len ? end + 1 : end);
    }
    return memo;
}

static bool query_value(struct matching *matching, struct bytes name, struct bytes *ret_value)
{
    struct query_memo *memo = matching->memo;
    while (memo != NULL && !bytes_equal(memo->name, name))
        memo = memo->next;
    if (memo == NULL) {
        memo = ARENA_NEW(matching->request->arena, struct query_memo);
        *memo = find_parameter(matching->request, name);
        memo->next = matching->memo;
        matching->memo = memo;
    }
    *ret_value = memo->value;
    return memo->is_present;
}

static bool path_fits(const struct route_candidate *candidate, struct bytes path)
{
    switch (candidate->path_type) {
    case PATH_EXACT:
        return bytes_equal(path, candidate->path);
    case PATH_REGEX:
        return regex_matches(candidate->path_regex, path);
    case PATH_PREFIX:
        break;
    }
    /* By whole elements: /v1 takes /v1 and /v1/x, not /v1x. */
    size_t len = candidate->path.len;
    return len == 0 || (bytes_starts_with(path, candidate->path) && (path.len == len || path.data[len] == '/'));
}

static bool value_fits(const struct value_condition *condition, struct bytes value)
{
    return condition->regex != NULL ? regex_matches(condition->regex, value) : bytes_equal(condition->value, value);
}

/* All that a match asks besides the path. */
static enum candidate_verdict check_conditions(const struct route_candidate *candidate, struct matching *matching,
                                               const struct value_condition **ret_condition)
{
    const struct route_request *request = matching->request;
    struct bytes value;
    if (candidate->method.len > 0 && !bytes_equal(candidate->method, request->method))
        return CANDIDATE_METHOD;
    for (unsigned i = 0; i < candidate->header_count; i++) {
        *ret_condition = &candidate->headers[i];
        if (!request->header(request->context, candidate->headers[i].name, &value))
            return CANDIDATE_HEADER_ABSENT;
        if (!value_fits(&candidate->headers[i], value))
            return CANDIDATE_HEADER_VALUE;
    }
    for (unsigned i = 0; i < candidate->query_count; i++) {
        *ret_condition = &candidate->query[i];
        if (!query_value(matching, candidate->query[i].name, &value))
            return CANDIDATE_QUERY_ABSENT;
        if (!value_fits(&candidate->query[i], value))
            return CANDIDATE_QUERY_VALUE;
    }
    return CANDIDATE_FITS;
}

enum candidate_verdict candidate_check(const struct route_candidate *candidate, struct matching *matching,
                                       const struct value_condition **ret_condition)
{
    *ret_condition = NULL;
    if (!path_fits(candidate, matching->request->path))
        return CANDIDATE_PATH;
    return check_conditions(candidate, matching, ret_condition);
}

struct bytes route_lower_host(struct bytes host, char lower[HOST_MAX])
{
    if (host.len > HOST_MAX)
        return BYTES("");
    for (size_t i = 0; i < host.len; i++)
        lower[i] = host.data[i] >= 'A' && host.data[i] <= 'Z' ? (char)(host.data[i] | 0x20) : host.data[i];
    return bytes_make(lower, host.len);
}

const struct port_listener *route_port_listener(const struct route_port *port, struct bytes host)
{
    unsigned cursor = 0;
    return host_table_next(&port->hosts, host, &cursor);
}

static const struct route_candidate *match_group(const struct route_group *group, struct matching *matching)
{
    const struct value_condition *ignored;
    const struct candidate_run *run =
        group->exact_paths != NULL ? hashmap_get(group->exact_paths, matching->request->path) : NULL;
    for (unsigned i = 0; run != NULL && i < run->count; i++) {
        if (check_conditions(run->first[i], matching, &ignored) == CANDIDATE_FITS)
            return run->first[i];
    }
    for (unsigned i = group->exact_count; i < group->candidate_count; i++) {
        if (candidate_check(group->candidates[i], matching, &ignored) == CANDIDATE_FITS)
            return group->candidates[i];
    }
    return NULL;
}

static const struct route_candidate *match_listener(const struct port_listener *listener, struct bytes host,
                                                    struct matching *matching)
{
    unsigned cursor = 0;
    const struct route_group *group;
    while ((group = host_table_next(&listener->hosts, host, &cursor)) != NULL) {
        for (; group != NULL; group = group->next) {
            const struct route_candidate *found = match_group(group, matching);
            if (found != NULL)
                return found;
        }
    }
    return NULL;
}

void route_match(const struct route_snapshot *snapshot, const struct route_request *request,
                 struct route_match *ret_match)
{
    *ret_match = (struct route_match){.outcome = ROUTE_NO_LISTENER};
    const struct route_port *port =
        request->socket_id < snapshot->port_count ? snapshot->ports[request->socket_id] : NULL;
    if (port == NULL)
        return;
    char lower[HOST_MAX];
    struct bytes host = route_lower_host(request->host, lower);
    const struct port_listener *listener = route_port_listener(port, host);
    if (listener == NULL)
        return;
    ret_match->buffer_limit_bytes = listener->buffer_limit_bytes;
    struct matching matching = {.request = request};
    const struct route_candidate *found = match_listener(listener, host, &matching);
    ret_match->outcome = found != NULL ? ROUTE_MATCHED : ROUTE_NO_MATCH;
    ret_match->rule = found != NULL ? found->rule : NULL;
}
