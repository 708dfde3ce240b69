/* SPDX-License-Identifier: Apache-2.0 */
/* explain_page.c: the query taken apart, route_explain(), then a table of endpoints per eligible pool. */
#include "gateway/explain_page.h"

#include "gateway/score_table.h"
#include "http/codec/url.h"
#include "route/explain.h"
#include "route/split.h"

struct described {
    struct route_request request;
    struct bytes model;
    uint32_t prompt_tokens;
    struct openai_scan scan; /* its session members are filled from the query */
    struct conversation_scan conversation;
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

static bool take_member(struct described *described, struct bytes name, struct bytes value)
{
    for (unsigned i = 0; i < SCAN_KEY_COUNT; i++) {
        if (!bytes_equal_str(name, scan_session_key_name((enum scan_session_key)i)))
            continue;
        size_t len = value.len < SCAN_KEY_BYTES ? value.len : SCAN_KEY_BYTES;
        if (len > 0)
            memcpy(described->scan.session[i], value.data, len);
        described->scan.session_len[i] = (unsigned)len;
        described->scan.has_session = described->scan.has_session || len > 0;
        return true;
    }
    return false;
}

/* Six numbers: has_opening, has_reply, and the hashes. */
static void take_conversation(struct described *described, struct bytes value)
{
    unsigned long long numbers[6] = {0};
    for (unsigned i = 0; i < ARRAY_LEN(numbers) && value.len > 0; i++) {
        size_t end = bytes_find(value, ',');
        (void)bytes_to_u64(bytes_make(value.data, end), UINT64_MAX, &numbers[i]);
        value = bytes_skip(value, end < value.len ? end + 1 : end);
    }
    described->conversation.has_opening = numbers[0] != 0;
    described->conversation.has_reply = numbers[1] != 0;
    described->conversation.opening_hash = numbers[2];
    described->conversation.first_hash = numbers[3];
    described->conversation.last_hash = numbers[4];
    described->conversation.hash = numbers[5];
}

static void take_tokens(struct described *described, struct bytes value)
{
    unsigned long long tokens = 0;
    if (bytes_to_u64(value, UINT32_MAX, &tokens))
        described->prompt_tokens = (uint32_t)tokens;
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
        else if (bytes_equal_str(name, "turns"))
            take_conversation(described, value);
        else if (bytes_equal_str(name, "tokens"))
            take_tokens(described, value);
        else if (take_member(described, name, value))
            continue;
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
static void write_pool(struct pool *pool, const struct described *described, struct bytes key, uint64_t now_ms,
                       struct buffer *out)
{
    struct score_table table;
    struct pick_request request = {.target_model = described->model,
                                   .session_key = key,
                                   .prompt_tokens = described->prompt_tokens,
                                   .now_ms = now_ms};
    buffer_printf(out, "\npool %s/%s:\n  %-24s %-10s %7s %7s %9s %6s  %s\n", pool->namespace_, pool->name, "endpoint",
                  "state", "waiting", "running", "in flight", "KV %", "adapter");
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count; i++) {
        struct pick_score score;
        schedule_score(pool->members[i], described->model, now_ms, &score);
        write_endpoint(&score, out);
    }
    if (pool->member_count == 0)
        buffer_append_str(out, "  none: answers 503\n");
    pthread_mutex_unlock(&pool->lock);
    score_table_make(pool, &request, described->arena, &table);
    score_table_write_text(&table, out);
}

static void write_pools(const struct route_rule *rule, const struct described *described,
                        const struct split_request *split, struct buffer *out)
{
    uint32_t eligible = route_eligible_arms(rule, described->model);
    for (unsigned i = 0; i < rule->arm_count; i++)
        if ((eligible >> i & 1) != 0 && rule->arms[i].pool != NULL) {
            const struct model_rule *model = pool_arm_model(&rule->arms[i], described->model);
            write_pool(rule->arms[i].pool, described, split_endpoint_key(rule, model, &split->facts), split->now_ms,
                       out);
        }
}

unsigned explain_page_write(const struct route_snapshot *snapshot, const struct arm_memories *memories,
                            struct exchange *exchange, struct buffer *out)
{
    struct described described = {
        .request = {.socket_id = EXPLAIN_ALL_SOCKETS, .method = BYTES("GET"), .header = find_header},
        .arena = exchange->arena,
    };
    described.request.context = &described;
    described.request.arena = exchange->arena;
    openai_scan_init(&described.scan);
    conversation_scan_init(&described.conversation);
    describe(&described, exchange->request.query);
    if (described.request.path.len == 0 || described.request.path.data[0] != '/') {
        buffer_append_str(out, "path=/... is needed in the query\n");
        return 400;
    }
    if (snapshot == NULL) {
        buffer_append_str(out, "no configuration is in force yet\n");
        return 404;
    }
    struct split_request split = {
        .model = described.model,
        .facts = {.header = find_header,
                  .context = &described,
                  .path = described.request.path,
                  .scan = &described.scan,
                  .conversation = &described.conversation,
                  .arena = exchange->arena},
        .memories = memories,
        .now_ms = reactor_now_ms(exchange->reactor),
    };
    const struct route_rule *rule = route_explain(snapshot, &described.request, &split, out);
    if (rule == NULL)
        return 404;
    write_pools(rule, &described, &split, out);
    return 200;
}
