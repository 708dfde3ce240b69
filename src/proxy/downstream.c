/* SPDX-License-Identifier: Apache-2.0 */
/* downstream.c: the proxy's face to the HTTP server: reads a request until routing can decide, and ends exchanges.
 *
 * The body is held and scanned while it arrives, each piece while it is still in the cache.  The arm is drawn at its
 * end or, once the model is known, when proxy_config.hold_bytes are held: the rest then passes through.  A model that
 * does not come within the buffer limit is a 413, as is a process-wide budget that is spent. */
#include "proxy/proxied.h"

#include "proxy/measure.h"
#include "proxy/sticky.h"
#include "route/match.h"

const struct proxy_config proxy_defaults = {
    .upstreams = {.connect_timeout_ms = 5000,
                  .idle_timeout_ms = 4000,
                  .max_idle_per_endpoint = 256,
                  .max_connections = 10000,
                  .max_requests = 100000},
    .max_tries = 4,
    .avoid_ms = 1000,
    .retry_percent = 50,
    .min_retrying = 20,
    .hold_bytes = 1 << 20,
};

/* Received straight into the held body: worth it from here, and not more at once, so that it is scanned while it is in
 * the cache. */
#define LEAST_BODY_ROOM (4u << 10)
#define MOST_BODY_ROOM  (128u << 10)

static struct proxied *proxied_new(struct proxy *proxy, struct exchange *exchange)
{
    struct proxied *proxied = spares_take(&proxy->spare_proxied);
    memset(proxied, 0, sizeof *proxied);
    proxied->proxy = proxy;
    proxied->exchange = exchange;
    proxied->held = held_request_take(proxy);
    exchange->handler_data = proxied;
    proxy->active_count++;
    metric_add(proxy->active, 1);
    return proxied;
}

static void recycle(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    buffer_deinit(&proxied->half_event); /* rarely has memory */
    spares_give_back(&proxy->spare_answers, proxied->answer);
    if (proxied->held != NULL)
        held_request_give_back(proxy, proxied->held);
    spares_give_back(&proxy->spare_proxied, proxied);
}

static void pay(struct proxied *proxied, size_t bytes)
{
    proxied->budget_bytes += bytes;
    metric_add(proxied->proxy->held_bytes, (int64_t)bytes);
}

void proxied_let_go_of_body(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    if (proxied->held != NULL)
        held_request_let_go_of_body(proxy, proxied->held);
    if (proxied->budget_bytes == 0)
        return;
    memory_budget_give_back(proxy->config.budget, proxied->budget_bytes);
    metric_add(proxy->held_bytes, -(int64_t)proxied->budget_bytes);
    proxied->budget_bytes = 0;
}

static void count_end(struct proxy *proxy, enum end_reason reason)
{
    metric_add(proxy->ends[reason], 1);
    metric_add(proxy->active, -1);
    if (reason == END_CLIENT_GONE)
        metric_add(proxy->aborts, 1);
    if (reason == END_UPSTREAM_CUT)
        metric_add(proxy->cut, 1);
    proxy->active_count--;
}

void proxied_end(struct proxied *proxied, enum end_reason reason)
{
    struct proxy *proxy = proxied->proxy;
    count_end(proxy, reason);
    measure_end(proxied, reason);
    sticky_end(proxied, reason);
    reactor_timer_cancel(proxy->reactor, &proxied->deadline);
    reactor_timer_cancel(proxy->reactor, &proxied->try_deadline);
    reactor_timer_cancel(proxy->reactor, &proxied->quiet_timer);
    if (proxied->is_calling) {
        proxied->is_calling = false;
        client_call_cancel(&proxied->call);
    }
    forward_release(proxied);
    proxied_let_go_of_body(proxied);
    if (proxied->lease != NULL)
        route_lease_give_back(proxied->lease);
    proxied->exchange->handler_data = NULL;
    recycle(proxied);
}

struct bytes proxied_shown_arm(const struct proxied *proxied)
{
    const struct pool_arm *arm = proxied->choice.arm;
    bool is_shown = arm != NULL && arm->kind != POOL_ARM_SERVICE && !proxied->proxy->config.hide_arm;
    return is_shown ? proxied->choice.arm_text : BYTES("");
}

struct bytes proxied_shown_revision(const struct proxied *proxied)
{
    bool is_shown = proxied->endpoint != NULL && proxied_shown_arm(proxied).len > 0;
    return is_shown ? bytes_of(proxied->endpoint->revision) : BYTES("");
}

/* x-serin-arm also on errors that belong to an arm. */
static void answer_error(struct exchange *exchange, struct bytes arm, enum end_reason end, const char *reason,
                         const char *message)
{
    unsigned status = end_reason_status(end);
    struct http_fields extra = {0};
    if (arm.len > 0)
        http_fields_add(&extra, exchange->arena, BYTES("x-serin-arm"), arm);
    /* RFC 9110 15.5.14: a 413 that will pass says so. */
    if (status == 503 || status == 429 || end == END_BODY_BUDGET)
        http_fields_add(&extra, exchange->arena, BYTES("Retry-After"), BYTES("1"));
    if (end_reason_dropped(end)[0] != '\0')
        http_fields_add(&extra, exchange->arena, BYTES("x-llm-d-request-dropped-reason"),
                        bytes_of(end_reason_dropped(end)));
    exchange_answer_error(exchange, status, reason, message, extra.len > 0 ? &extra : NULL);
}

static void fail_with(struct proxied *proxied, enum end_reason end, const char *reason, const char *message)
{
    struct exchange *exchange = proxied->exchange;
    /* The snapshot may go with the lease. */
    struct bytes arm = arena_copy(exchange->arena, proxied_shown_arm(proxied));
    proxied->status = end_reason_status(end);
    proxied_end(proxied, end);
    answer_error(exchange, arm, end, reason, message);
}

void proxied_fail(struct proxied *proxied, enum end_reason reason)
{
    fail_with(proxied, reason, end_reason_text(reason), end_reason_message(reason));
}

static void time_out(struct proxied *proxied)
{
    struct exchange *exchange = proxied->exchange;
    if (!proxied->is_responding) {
        proxied_fail(proxied, END_REQUEST_TIMEOUT);
        return;
    }
    /* The status cannot change any more: a reset shows that the response is not whole. */
    proxied_end(proxied, END_REQUEST_TIMEOUT);
    exchange_abort(exchange);
}

static void on_deadline(struct wheel_timer *timer)
{
    time_out(container_of(timer, struct proxied, deadline));
}

/* Not tried again: the model server may be at work on it. */
static void on_try_deadline(struct wheel_timer *timer)
{
    time_out(container_of(timer, struct proxied, try_deadline));
}

bool proxied_find_header(void *context, struct bytes name, struct bytes *ret_value)
{
    const struct exchange *exchange = context;
    return http_fields_joined(&exchange->request.fields, name, exchange->arena, ret_value);
}

static struct route_request describe_route(struct exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    const struct proxy_socket *socket = exchange->listener_data;
    return (struct route_request){
        .socket_id = socket->id,
        .host = request->host,
        .path = request->path,
        .query = request->query,
        .method = request->method_text,
        .header = proxied_find_header,
        .context = exchange,
        .arena = exchange->arena,
    };
}

static bool match(struct proxied *proxied)
{
    struct route_request wanted = describe_route(proxied->exchange);
    struct route_match found = {.outcome = ROUTE_NO_LISTENER};
    if (proxied->proxy->lease != NULL) {
        proxied->lease = route_lease_take(proxied->proxy->lease);
        route_match(proxied->lease->snapshot, &wanted, &found);
    }
    if (found.outcome != ROUTE_MATCHED) {
        proxied_fail(proxied, found.outcome == ROUTE_NO_LISTENER ? END_NO_LISTENER : END_NO_ROUTE);
        return false;
    }
    proxied->rule = found.rule;
    proxied->buffer_limit_bytes = found.buffer_limit_bytes;
    return true;
}

/* Bodies are read as OpenAI JSON when an InferencePool may get them and they do not say that they are something else.
 */
static bool is_scannable(const struct http_request *request, const struct route_rule *rule)
{
    bool has_pool = false;
    for (unsigned i = 0; i < rule->arm_count; i++)
        has_pool = has_pool || rule->arms[i].kind == POOL_ARM_POOL;
    if (!has_pool)
        return false;
    const struct http_field *type = http_fields_find(&request->fields, HTTP_FIELD_CONTENT_TYPE);
    if (type == NULL || type->value.len == 0)
        return true;
    struct bytes media = bytes_trim(bytes_make(type->value.data, bytes_find(type->value, ';')));
    static const struct bytes plus_json = {"+json", 5};
    return bytes_equal_nocase(media, BYTES("application/json")) ||
           (media.len > plus_json.len && bytes_equal_nocase(bytes_skip(media, media.len - plus_json.len), plus_json)) ||
           bytes_equal_nocase(media, BYTES("application/x-www-form-urlencoded")); /* what `curl -d` says by default */
}

/* The same rule as it is now, for which the body was read as it asks. */
static bool may_take_over(const struct proxied *proxied, const struct route_rule *rule)
{
    const struct route_rule *former = proxied->rule;
    bool is_same = strcmp(rule->route, former->route) == 0 && strcmp(rule->rule_name, former->rule_name) == 0;
    bool lacks_conversation = rule->reads_conversation && proxied->conversation == NULL && proxied->is_scanned;
    return is_same && !lacks_conversation && is_scannable(&proxied->exchange->request, rule) == proxied->is_scanned;
}

/* The draw goes by what is in force when it is made: a body that came slowly would else draw arms that have gone while
 * it came.  Where the rule itself has gone, or asks for what was not read, it is drawn as it began. */
static void catch_up(struct proxied *proxied)
{
    struct route_lease *present = proxied->proxy->lease;
    struct route_match found;
    if (present == proxied->lease || present == NULL)
        return;
    struct route_request wanted = describe_route(proxied->exchange);
    route_match(present->snapshot, &wanted, &found);
    if (found.outcome != ROUTE_MATCHED || !may_take_over(proxied, found.rule))
        return;
    route_lease_give_back(proxied->lease);
    proxied->lease = route_lease_take(present);
    proxied->rule = found.rule;
}

static bool has_content_coding(const struct http_request *request)
{
    const struct http_field *coding = http_fields_find(&request->fields, HTTP_FIELD_CONTENT_ENCODING);
    return coding != NULL && coding->value.len > 0 && !bytes_equal_nocase(coding->value, BYTES("identity"));
}

static void fail_by_limit(struct proxied *proxied, const char *limit, enum end_reason reason)
{
    struct proxy *proxy = proxied->proxy;
    metric_add(metrics_series(proxy->metrics, proxy->shard, METRIC_BODY_LIMIT_HITS, (const char *[]){limit}), 1);
    proxied_fail(proxied, reason);
}

static void reserve_body(struct proxied *proxied, size_t bytes)
{
    struct proxy *proxy = proxied->proxy;
    struct buffer *body = &proxied->held->body;
    if (bytes <= MEMORY_UNCOUNTED_BYTES) {
        buffer_reserve(body, bytes);
    } else if (spare_bodies_take(&proxy->spare_bodies, bytes, body)) {
        (void)memory_budget_take(proxy->config.budget, body->capacity);
        pay(proxied, body->capacity);
    } else {
        buffer_make(body, bytes);
    }
}

static void on_request_head(struct exchange *exchange)
{
    struct proxied *proxied = proxied_new(exchange->server_data, exchange);
    const struct http_request *request = &exchange->request;
    wheel_timer_init(&proxied->deadline, on_deadline);
    wheel_timer_init(&proxied->try_deadline, on_try_deadline);
    wheel_timer_init(&proxied->quiet_timer, relay_on_quiet);
    if (memory_budget_is_spent(proxied->proxy->config.budget)) {
        proxied_fail(proxied, END_OVERLOADED);
        return;
    }
    if (!match(proxied))
        return;
    if (proxied->rule->request_timeout_ms > 0)
        reactor_timer_set(exchange->reactor, &proxied->deadline, proxied->rule->request_timeout_ms);
    proxied->has_body = request->framing != HTTP_BODY_NONE;
    if (!proxied->has_body)
        return;
    proxied->is_scanned = is_scannable(request, proxied->rule);
    if (proxied->is_scanned && has_content_coding(request)) {
        proxied_fail(proxied, END_CONTENT_ENCODING);
        return;
    }
    sticky_prepare(proxied);
    if (request->framing == HTTP_BODY_LENGTH)
        reserve_body(proxied, request->content_length < RESERVE_BODY_BYTES ? (size_t)request->content_length
                                                                           : RESERVE_BODY_BYTES);
}

/* What is smaller than a page is bounded by the connections.  A spare buffer is paid for as a whole. */
static bool take_budget(struct proxied *proxied, size_t bytes)
{
    struct memory_budget *budget = proxied->proxy->config.budget;
    size_t wanted = buffer_len(&proxied->held->body) + bytes;
    if (wanted <= proxied->budget_bytes || (proxied->budget_bytes == 0 && wanted <= MEMORY_UNCOUNTED_BYTES))
        return true;
    size_t more = wanted - (size_t)proxied->budget_bytes;
    unsigned long long held_bytes = memory_budget_take(budget, more);
    pay(proxied, more);
    return memory_budget_allows(budget, held_bytes, wanted);
}

static void fail_scan(struct proxied *proxied)
{
    enum scan_error error = proxied->held->scan.error;
    struct exchange *exchange = proxied->exchange;
    if (proxied->is_responding) { /* the answer has begun before the body's end */
        proxied_end(proxied, END_BAD_BODY);
        exchange_abort(exchange);
        return;
    }
    fail_with(proxied, END_BAD_BODY, scan_error_reason(error), scan_error_message(error));
}

static bool scan(struct proxied *proxied, struct bytes piece)
{
    if (!proxied->is_scanned || openai_scan_feed(&proxied->held->scan, piece))
        return true;
    fail_scan(proxied);
    return false;
}

static bool knows_model(const struct proxied *proxied)
{
    return !proxied->is_scanned || proxied->held->scan.has_model;
}

/* The chunk that passes the limit is the last one that is held: by then the model has to be known. */
static bool hold(struct proxied *proxied, struct bytes chunk)
{
    uint64_t room = proxied->buffer_limit_bytes - buffer_len(&proxied->held->body);
    size_t within = chunk.len < room ? chunk.len : (size_t)room;
    if (!scan(proxied, bytes_make(chunk.data, within)))
        return false;
    if (within < chunk.len && !knows_model(proxied)) {
        fail_by_limit(proxied, "buffer", END_BODY_TOO_LARGE);
        return false;
    }
    if (!scan(proxied, bytes_skip(chunk, within)))
        return false;
    if (!take_budget(proxied, chunk.len)) {
        fail_by_limit(proxied, "budget", END_BODY_BUDGET);
        return false;
    }
    if (proxied->held->body.data != NULL &&
        chunk.data == proxied->held->body.data + proxied->held->body.tail) /* body_room() */
        buffer_commit(&proxied->held->body, chunk.len);
    else
        buffer_append(&proxied->held->body, chunk);
    return true;
}

/* Only what was reserved by the Content-Length: memory does not grow before bytes have come. */
static char *body_room(struct exchange *exchange, uint64_t left, size_t *ret_size)
{
    struct proxied *proxied = exchange->handler_data;
    if (proxied == NULL || proxied->is_open || left < LEAST_BODY_ROOM)
        return NULL;
    size_t room = proxied->held->body.capacity - proxied->held->body.tail;
    *ret_size = room < MOST_BODY_ROOM ? room : MOST_BODY_ROOM;
    return room >= LEAST_BODY_ROOM ? proxied->held->body.data + proxied->held->body.tail : NULL;
}

/* A large body gives up its replay where memory is short. */
static uint32_t hold_bytes(const struct proxy *proxy)
{
    uint32_t most = proxy->config.hold_bytes;
    return most > MEMORY_SMALL_BYTES && memory_budget_is_tight(proxy->config.budget) ? MEMORY_SMALL_BYTES : most;
}

static bool holds_enough(const struct proxied *proxied)
{
    size_t held = buffer_len(&proxied->held->body);
    if (proxied->conversation != NULL && held < proxied->buffer_limit_bytes) /* who speaks stands in the last message */
        return false;
    return knows_model(proxied) && (held >= hold_bytes(proxied->proxy) || held >= proxied->buffer_limit_bytes);
}

/* Behind the decision.  What is wrong with the rest ends the exchange: the model server sees a request that is cut. */
static void pass_on(struct proxied *proxied, struct bytes chunk, bool last)
{
    if (chunk.len > 0 && !scan(proxied, chunk))
        return;
    if (last && proxied->is_scanned && !openai_scan_finish(&proxied->held->scan)) {
        fail_scan(proxied);
        return;
    }
    forward_more(proxied, chunk, last);
}

static void on_request_body(struct exchange *exchange, struct bytes chunk, bool last)
{
    struct proxied *proxied = exchange->handler_data;
    if (proxied == NULL) /* answered already; the rest is not read */
        return;
    proxied->body_bytes += chunk.len;
    if (proxied->is_open) {
        pass_on(proxied, chunk, last);
        return;
    }
    if (chunk.len > 0 && !hold(proxied, chunk))
        return;
    if (!last && !holds_enough(proxied))
        return;
    proxied->is_open = !last;
    if (last && proxied->is_scanned && !openai_scan_finish(&proxied->held->scan)) {
        fail_scan(proxied);
        return;
    }
    catch_up(proxied);
    sticky_draw(proxied);
    if (proxied->choice.outcome == SPLIT_ARM)
        forward_start(proxied);
    else
        proxied_fail(proxied, proxied->choice.outcome == SPLIT_INVALID ? END_BROKEN_BACKEND : END_NO_BACKEND);
}

static void on_can_send(struct exchange *exchange)
{
    struct proxied *proxied = exchange->handler_data;
    if (proxied != NULL && proxied->is_calling)
        client_call_resume(&proxied->call);
}

static void on_aborted(struct exchange *exchange)
{
    struct proxied *proxied = exchange->handler_data;
    if (proxied != NULL)
        proxied_end(proxied, END_CLIENT_GONE);
}

const struct http_handler proxy_handler = {
    .on_request_head = on_request_head,
    .on_request_body = on_request_body,
    .body_room = body_room,
    .on_can_send = on_can_send,
    .on_aborted = on_aborted,
};
