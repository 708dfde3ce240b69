/* SPDX-License-Identifier: Apache-2.0 */
/* explain_page.c: the query taken apart, route_explain(), then a table of endpoints per eligible pool. */
#include "gateway/explain_page.h"

#include "http/codec/url.h"
#include "inference/schedule/scheduler.h"
#include "route/explain.h"
#include "route/split.h"

struct described {
    struct route_request request;
    struct bytes model, key;
    struct http_fields fields;
    struct arena *arena;
};

static bool find_header(void *context, struct bytes name, struct bytes *ret_value)
{
    const struct described *described = context;
    return http_fields_joined(&described->fields, name, described->arena, ret_value);
}

static void take_path(struct described *described, struct bytes path)
{
    size_t mark = bytes_find(path, '?');
    described->request.path = bytes_make(path.data, mark);
    described->request.query = mark < path.len ? bytes_skip(path, mark + 1) : BYTES("");
}

static void describe(struct described *described, struct bytes query)
{
    struct url_query walk;
    struct bytes name, value;
    url_query_init(&walk, query);
    while (url_query_next(&walk, described->arena, &name, &value)) {
        size_t colon = bytes_find(value, ':');
        if (bytes_equal_str(name, "path"))
            take_path(described, value);
        else if (bytes_equal_str(name, "host"))
            described->request.host = value;
        else if (bytes_equal_str(name, "method"))
            described->request.method = value;
        else if (bytes_equal_str(name, "model"))
            described->model = value;
        else if (bytes_equal_str(name, "key"))
            described->key = value;
        else if (bytes_equal_str(name, "header") && colon < value.len)
            http_fields_add(&described->fields, described->arena, bytes_make(value.data, colon),
                            bytes_trim(bytes_skip(value, colon + 1)));
    }
}

static void write_endpoint(const struct pick_score *score, struct buffer *out)
{
    const char *state = !score->is_usable ? "not ready" : score->is_avoided ? "avoided" : "ready";
    buffer_printf(out, "  %-24s %-10s %7u %7u %9u %6.1f  %s\n", score->endpoint->text, state, score->waiting,
                  score->running, score->in_flight, score->kv_permille / 10.0, score->has_lora ? "resident" : "-");
}

/* The endpoints as a pick for this model would see them now. */
static void write_pool(struct pool *pool, struct bytes model, uint64_t now_ms, struct buffer *out)
{
    buffer_printf(out, "\npool %s/%s:\n  %-24s %-10s %7s %7s %9s %6s  %s\n", pool->namespace_, pool->name, "endpoint",
                  "state", "waiting", "running", "in flight", "KV %", "adapter");
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count; i++) {
        struct pick_score score;
        schedule_score(pool->members[i], model, now_ms, &score);
        write_endpoint(&score, out);
    }
    if (pool->member_count == 0)
        buffer_append_str(out, "  none: answers 503\n");
    pthread_mutex_unlock(&pool->lock);
}

static void write_pools(const struct route_rule *rule, const struct described *described, uint64_t now_ms,
                        struct buffer *out)
{
    uint32_t eligible = route_eligible_arms(rule, described->model);
    for (unsigned i = 0; i < rule->arm_count; i++)
        if ((eligible >> i & 1) != 0 && rule->arms[i].pool != NULL)
            write_pool(rule->arms[i].pool, described->model, now_ms, out);
}

unsigned explain_page_write(const struct route_snapshot *snapshot, struct exchange *exchange, struct buffer *out)
{
    struct described described = {
        .request = {.socket_id = EXPLAIN_ALL_SOCKETS, .method = BYTES("GET"), .header = find_header},
        .arena = exchange->arena,
    };
    described.request.context = &described;
    described.request.arena = exchange->arena;
    describe(&described, exchange->request.query);
    if (described.request.path.len == 0 || described.request.path.data[0] != '/') {
        buffer_append_str(out, "path=/... is needed in the query\n");
        return 400;
    }
    if (snapshot == NULL) {
        buffer_append_str(out, "no configuration is in force yet\n");
        return 404;
    }
    const struct route_rule *rule = route_explain(snapshot, &described.request, described.model, described.key, out);
    if (rule == NULL)
        return 404;
    write_pools(rule, &described, reactor_now_ms(exchange->reactor), out);
    return 200;
}
