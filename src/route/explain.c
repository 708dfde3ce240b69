/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c: the same walk as match.c, but it goes on after the winner and says a word about everybody.
 *
 * Pure, and not for the request path.  Draws nothing: explaining a keyless request moves no counter. */
#include "route/explain.h"

#include <stdio.h>

#include "route/port_tables.h"
#include "route/priority.h"

/* One walk over the listeners and candidates of the sockets asked for. */
struct walk {
    struct matching matching;
    struct bytes host; /* in lower case */
    const struct route_candidate *winner;
    struct buffer *out;
};

enum { NAME_WIDTH = 36, MATCH_WIDTH = 40 };

static const char *path_word(enum path_match_type type)
{
    switch (type) {
    case PATH_EXACT:
        return "exact ";
    case PATH_REGEX:
        return "regex ";
    case PATH_PREFIX:
        break;
    }
    return "";
}

static struct bytes path_text(const struct route_candidate *candidate)
{
    bool is_root = candidate->path_type == PATH_PREFIX && candidate->path.len == 0;
    return is_root ? BYTES("/") : candidate->path;
}

static void describe_match(const struct route_candidate *candidate, char *text, size_t size)
{
    struct bytes path = path_text(candidate);
    int len = snprintf(text, size, "%s%.*s", path_word(candidate->path_type), BYTES_ARG(path));
    const struct {
        const char *word;
        unsigned count;
    } extras[] = {{"header", candidate->header_count}, {"parameter", candidate->query_count}};
    if (candidate->method.len > 0 && len > 0 && (size_t)len < size)
        len += snprintf(text + len, size - (size_t)len, " %.*s", BYTES_ARG(candidate->method));
    for (size_t i = 0; i < ARRAY_LEN(extras); i++) {
        if (extras[i].count > 0 && len > 0 && (size_t)len < size)
            len += snprintf(text + len, size - (size_t)len, " +%u %s%s", extras[i].count, extras[i].word,
                            extras[i].count > 1 ? "s" : "");
    }
}

static void explain_path(struct walk *walk, const struct route_candidate *candidate)
{
    struct bytes path = walk->matching.request->path, wanted = path_text(candidate);
    static const char *const words[] = {
        [PATH_EXACT] = "is not", [PATH_PREFIX] = "does not start with", [PATH_REGEX] = "does not match"};
    buffer_printf(walk->out, "path %.*s %s %.*s", BYTES_ARG(path), words[candidate->path_type], BYTES_ARG(wanted));
}

static void explain_value(struct walk *walk, const char *what, const struct value_condition *condition)
{
    buffer_printf(walk->out, "%s %.*s %s \"%.*s\"", what, BYTES_ARG(condition->name),
                  condition->regex != NULL ? "does not match" : "is not", BYTES_ARG(condition->value));
}

static void explain_verdict(struct walk *walk, const struct route_candidate *candidate, enum candidate_verdict verdict,
                            const struct value_condition *condition)
{
    struct bytes method = walk->matching.request->method;
    switch (verdict) {
    case CANDIDATE_FITS:
        buffer_printf(walk->out, "beaten by %s %s", walk->winner->rule->route, walk->winner->rule->rule_name);
        break;
    case CANDIDATE_PATH:
        explain_path(walk, candidate);
        break;
    case CANDIDATE_METHOD:
        buffer_printf(walk->out, "method %.*s is not %.*s", BYTES_ARG(method), BYTES_ARG(candidate->method));
        break;
    case CANDIDATE_HEADER_ABSENT:
        buffer_printf(walk->out, "header %.*s is absent", BYTES_ARG(condition->name));
        break;
    case CANDIDATE_HEADER_VALUE:
        explain_value(walk, "header", condition);
        break;
    case CANDIDATE_QUERY_ABSENT:
        buffer_printf(walk->out, "parameter %.*s is absent", BYTES_ARG(condition->name));
        break;
    case CANDIDATE_QUERY_VALUE:
        explain_value(walk, "parameter", condition);
        break;
    }
}

static void explain_candidate(struct walk *walk, const struct route_group *group,
                              const struct route_candidate *candidate, bool is_owner)
{
    char name[512], match[512];
    const char *hostname = group->hostname;
    snprintf(name, sizeof name, "%s %s", candidate->rule->route, candidate->rule->rule_name);
    describe_match(candidate, match, sizeof match);
    buffer_printf(walk->out, "    %-*s %-*s ", NAME_WIDTH, name, MATCH_WIDTH, match);
    const struct value_condition *condition;
    enum candidate_verdict verdict = candidate_check(candidate, &walk->matching, &condition);
    if (!is_owner) {
        buffer_append_str(walk->out, "its listener does not take the request");
    } else if (!hostname_takes(hostname, walk->host)) {
        buffer_printf(walk->out, "host differs: %s", hostname);
    } else if (verdict == CANDIDATE_FITS && walk->winner == NULL) {
        walk->winner = candidate;
        buffer_append_str(walk->out, "taken");
    } else if (candidate == walk->winner) {
        buffer_append_str(walk->out, "taken under a more specific hostname");
    } else {
        explain_verdict(walk, candidate, verdict, condition);
    }
    buffer_append_char(walk->out, '\n');
}

static void explain_listener(struct walk *walk, const struct port_listener *listener, const struct port_listener *owner)
{
    const char *hostname = listener->hostname[0] != '\0' ? listener->hostname : "any host";
    buffer_printf(walk->out, "  listener %s %s (%s): ", listener->gateway, listener->name, hostname);
    if (listener == owner)
        buffer_append_str(walk->out, "takes the host\n");
    else if (hostname_takes(listener->hostname, walk->host))
        buffer_printf(walk->out, "listener %s has a more specific hostname\n", owner->name);
    else
        buffer_append_str(walk->out, "host differs\n");
    if (listener->group_count == 0)
        buffer_append_str(walk->out, "    no route is attached\n");
    /* Groups stand most specific first, as matching tries them. */
    for (unsigned i = 0; i < listener->group_count; i++) {
        const struct route_group *group = listener->groups[i];
        for (unsigned j = 0; j < group->candidate_count; j++)
            explain_candidate(walk, group, group->candidates[j], listener == owner);
    }
}

static void explain_port(struct walk *walk, const struct route_port *port)
{
    bool is_v6 = bytes_find(bytes_of(port->ip), ':') < strlen(port->ip);
    buffer_printf(walk->out, is_v6 ? "socket [%s]:%u\n" : "socket %s:%u\n", port->ip, port->port);
    const struct port_listener *owner = route_port_listener(port, walk->host);
    /* Each socket is asked on its own; the first one with a winner gives the arms. */
    const struct route_candidate *before = walk->winner;
    walk->winner = NULL;
    for (unsigned i = 0; i < port->listener_count; i++)
        explain_listener(walk, port->listeners[i], owner);
    if (before != NULL)
        walk->winner = before;
}

/* What makes a draw sticky, in the order in which it counts. */
static void explain_chain(const struct stickiness *stickiness, struct buffer *out)
{
    const struct {
        bool is_on;
        const char *text;
    } words[] = {
        {stickiness->default_keys, "session headers and members, previous responses"},
        {stickiness->user, "user"},
        {stickiness->api_key, "API key"},
        {stickiness->derived_key, "what the user says first"},
    };
    const char *separator = " ";
    buffer_printf(out, "sticky (%s):", stickiness->origin);
    if (stickiness->header.len > 0) {
        buffer_printf(out, "%sheader %.*s", separator, BYTES_ARG(stickiness->header));
        separator = ", ";
    }
    if (stickiness->cookie.len > 0) {
        buffer_printf(out, "%scookie %.*s", separator, BYTES_ARG(stickiness->cookie));
        separator = ", ";
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!words[i].is_on)
            continue;
        buffer_printf(out, "%s%s", separator, words[i].text);
        separator = ", ";
    }
    buffer_append_str(out, stickiness->new_conversations_only ? "; running conversations keep their arm\n" : "\n");
}

static void explain_pin(const struct stickiness *stickiness, const char *indent, struct buffer *out)
{
    const struct pin_rule *pin = &stickiness->pin;
    if (pin->header.len == 0)
        return;
    buffer_printf(out, "%spins by header %.*s: ", indent, BYTES_ARG(pin->header));
    if (stickiness->is_aborted)
        buffer_append_str(out, "dropped, the Canary was aborted\n");
    else if (pin->problem != NULL)
        buffer_printf(out, "refused, %s\n", pin->problem);
    else
        buffer_append_str(out, "\"stable <token>\" or \"canary <token>\"\n");
}

static void explain_draw(const struct split *split, const struct split_draw *draw, const char *indent,
                         struct buffer *out)
{
    if (split->count < 2)
        return;
    buffer_append_str(out, indent);
    explain_chain(split->stickiness, out);
    explain_pin(split->stickiness, indent, out);
    if (draw->is_pin_refused)
        buffer_printf(out, "%spin ignored: wrong token, or neither stable nor canary\n", indent);
    buffer_printf(out, "%sdecided by: %s", indent, draw_reason_meaning(draw->reason));
    if (draw->key.len > 0)
        buffer_printf(out, " (%s)", draw->key_name);
    buffer_append_char(out, '\n');
}

static void explain_targets(const struct pool_arm *arm, const struct model_rule *model,
                            const struct split_request *request, struct buffer *out)
{
    struct split_scope scope = split_scope_of_model(arm, model);
    struct split_draw draw;
    uint64_t sum = 0;
    int taken = split_foresee(&scope, request, &draw);
    for (unsigned i = 0; i < model->target_count; i++)
        sum += model->targets[i].weight;
    explain_draw(&model->split, &draw, "    ", out);
    for (unsigned i = 0; i < model->target_count; i++) {
        uint32_t weight = model->targets[i].weight;
        double share = taken >= 0 ? ((int)i == taken ? 100.0 : 0.0) : 100.0 * weight / (double)sum;
        buffer_printf(out, "    model %-*.*s %6.2f %%  weight %u\n", NAME_WIDTH - 2, BYTES_ARG(model->targets[i].name),
                      share, weight);
    }
}

static void explain_priority(const struct pool_arm *arm, const struct model_rule *rule,
                             const struct split_request *request, struct buffer *out)
{
    struct request_priority priority =
        route_priority(arm, rule, request->model, request->facts.header, request->facts.context);
    if (priority.from != NULL)
        buffer_printf(out, "    priority %d, by %s%s\n", priority.value, priority.from,
                      priority.value < 0 ? ": refused while the pool is saturated" : "");
}

static void explain_arm(const struct pool_arm *arm, double share, bool is_eligible, const struct split_request *request,
                        struct buffer *out)
{
    static const char *const kinds[] = {
        [POOL_ARM_POOL] = "pool", [POOL_ARM_SERVICE] = "service", [POOL_ARM_INVALID] = "invalid"};
    buffer_printf(out, "  %-7s %-*.*s %6.2f %%  weight %u", kinds[arm->kind], NAME_WIDTH - 2, BYTES_ARG(arm->text),
                  share, arm->weight);
    if (arm->kind == POOL_ARM_INVALID)
        buffer_printf(out, ", answers 500: %s", arm->invalid_reason);
    else if (arm->weight > 0 && !is_eligible)
        buffer_append_str(out, ", left out: does not know the model, another pool does");
    buffer_append_char(out, '\n');
    const struct model_rule *rule = pool_arm_model(arm, request->model);
    if (arm->kind == POOL_ARM_POOL && share > 0)
        explain_priority(arm, rule, request, out);
    if (rule != NULL && share > 0)
        explain_targets(arm, rule, request, out);
}

static void explain_arms(const struct route_rule *rule, const struct split_request *request, struct buffer *out)
{
    struct split_scope scope = split_scope_of_rule(rule, request->model);
    struct split_draw draw;
    uint64_t sum = 0;
    int taken = split_foresee(&scope, request, &draw);
    uint32_t eligible = scope.eligible;
    for (unsigned i = 0; i < rule->arm_count; i++)
        sum += (eligible >> i & 1) != 0 ? rule->arms[i].weight : 0;
    buffer_printf(out, "\n%s %s", rule->route, rule->rule_name);
    if (request->model.len > 0)
        buffer_printf(out, ", model %.*s", BYTES_ARG(request->model));
    if (draw.key.len > 0)
        buffer_printf(out, ", key %.*s", BYTES_ARG(draw.key));
    buffer_append_str(out, ":\n");
    explain_draw(&rule->split, &draw, "  ", out);
    if (eligible == 0 && taken < 0)
        buffer_append_str(out, "  no backend has weight: answers 500\n");
    for (unsigned i = 0; i < rule->arm_count; i++) {
        bool is_eligible = (eligible >> i & 1) != 0;
        double share = is_eligible ? 100.0 * rule->arms[i].weight / (double)sum : 0.0;
        if (taken >= 0)
            share = (int)i == taken ? 100.0 : 0.0;
        explain_arm(&rule->arms[i], share, is_eligible, request, out);
    }
}

const struct route_rule *route_explain(const struct route_snapshot *snapshot, const struct route_request *request,
                                       const struct split_request *split, struct buffer *out)
{
    char lower[HOST_MAX];
    struct walk walk = {.matching = {.request = request}, .out = out};
    walk.host = route_lower_host(request->host, lower);
    bool any_socket = false;
    for (unsigned i = 0; i < snapshot->port_count; i++) {
        if (snapshot->ports[i] == NULL || (request->socket_id != EXPLAIN_ALL_SOCKETS && request->socket_id != i))
            continue;
        any_socket = true;
        explain_port(&walk, snapshot->ports[i]);
    }
    if (!any_socket)
        buffer_append_str(out, "no listener is open\n");
    else if (walk.winner == NULL)
        buffer_append_str(out, "\nno rule takes the request: 404\n");
    else
        explain_arms(walk.winner->rule, split, out);
    return walk.winner != NULL ? walk.winner->rule : NULL;
}
