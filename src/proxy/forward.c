/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c: sends a complete request to an endpoint of the drawn arm, and to another one when no response byte came.
 *
 * A request is replayed only while nothing of an answer was seen.  A reset keep-alive connection is most often one that
 * the server closed while it was idle: that try does not count against the endpoint. */
#include "base/clock.h"
#include "http/codec/h1_write.h"
#include "inference/prompt_prefix.h"
#include "proxy/decision.h"
#include "proxy/hop_headers.h"
#include "proxy/measure.h"
#include "proxy/sticky.h"

static void make_request_id(struct proxied *proxied)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned word = 0; word < 2; word++) {
        uint64_t bits = random_next(&proxied->proxy->random);
        for (unsigned i = 0; i < 16; i++, bits >>= 4)
            proxied->held->request_id[word * 16 + i] = digits[bits & 15];
    }
}

/* Up to here a copy costs less than a send of several pieces. */
#define ONE_PIECE_BYTES (4u << 10)
/* Of a body that passes through: the client waits where the model server reads more slowly. */
#define MAX_UNSENT_BYTES (256u << 10)

/* A short body goes behind its head. */
static void join_pieces(struct proxied *proxied)
{
    struct openai_rewrite *rewrite = &proxied->held->rewrite;
    if (rewrite->content_length > ONE_PIECE_BYTES || proxied->is_open)
        return;
    buffer_reserve(&proxied->held->head, (size_t)rewrite->content_length);
    buffer_append(&proxied->held->head, rewrite->before);
    buffer_append(&proxied->held->head, rewrite->replacement);
    buffer_append(&proxied->held->head, rewrite->after);
    rewrite->before.len = rewrite->replacement.len = rewrite->after.len = 0;
}

/* What is held is the first chunk then. */
static bool is_chunked(const struct proxied *proxied)
{
    return proxied->is_open && proxied->exchange->request.framing == HTTP_BODY_CHUNKED;
}

static int64_t body_length(const struct proxied *proxied)
{
    if (!proxied->has_body)
        return HOP_NO_BODY;
    if (is_chunked(proxied))
        return HOP_CHUNKED;
    uint64_t still_to_come =
        proxied->is_open ? proxied->exchange->request.content_length - buffer_len(&proxied->held->body) : 0;
    return (int64_t)(proxied->held->rewrite.content_length + still_to_come);
}

/* Written once: a retry sends the same bytes. */
static void write_request(struct proxied *proxied)
{
    struct bytes body = buffer_bytes(&proxied->held->body);
    proxied->held->rewrite = (struct openai_rewrite){.before = body, .content_length = body.len};
    if (proxied->choice.target != NULL && proxied->is_scanned &&
        !bytes_equal(proxied->choice.target->name, openai_scan_model(&proxied->held->scan)))
        openai_rewrite_model(&proxied->held->scan, body, proxied->choice.target->name, proxied->exchange->arena,
                             &proxied->held->rewrite);
    hop_write_request(&proxied->held->head, proxied->exchange, bytes_of(proxied->endpoint->text), body_length(proxied),
                      proxied->held->request_id, proxied->rule->pin_headers, proxied->rule->pin_header_count);
    join_pieces(proxied);
    if (is_chunked(proxied))
        h1_write_chunk_size(&proxied->held->head, proxied->held->rewrite.content_length);
}

/* The client changes the array as it sends, so that each try lays it out anew. */
static int lay_out_pieces(struct proxied *proxied)
{
    const struct bytes parts[] = {buffer_bytes(&proxied->held->head), proxied->held->rewrite.before,
                                  proxied->held->rewrite.replacement, proxied->held->rewrite.after,
                                  is_chunked(proxied) ? H1_CHUNK_END : BYTES("")};
    int count = 0;
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].len > 0)
            proxied->held->pieces[count++] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].len};
    return count;
}

static void start_try(struct proxied *proxied, struct client_connection *connection)
{
    struct proxy *proxy = proxied->proxy;
    proxied->tries++;
    proxied->is_calling = true;
    if (proxied->rule->backend_timeout_ms > 0)
        reactor_timer_set(proxy->reactor, &proxied->try_deadline, proxied->rule->backend_timeout_ms);
    relay_watch(proxied);
    client_call_start(&proxied->call, connection, proxied->exchange->request.method, proxied->held->pieces,
                      lay_out_pieces(proxied), &relay_handler);
    if (!proxied->is_open)
        return;
    /* As long as what is held has not left, another endpoint can still get it: nothing passes before. */
    client_call_keep_open(&proxied->call);
    if (client_call_unsent(&proxied->call) > 0)
        exchange_pause_body(proxied->exchange);
    else
        exchange_resume_body(proxied->exchange);
}

static void let_go_of_body(struct proxied *proxied)
{
    proxied_let_go_of_body(proxied);
    buffer_deinit(&proxied->held->body);
    buffer_deinit(&proxied->held->head);
}

static bool is_behind(const struct proxied *proxied)
{
    size_t unsent = client_call_unsent(&proxied->call);
    return unsent > MAX_UNSENT_BYTES ||
           (unsent > MEMORY_SPARING_BYTES && memory_budget_is_tight(proxied->proxy->config.budget));
}

void forward_more(struct proxied *proxied, struct bytes chunk, bool last)
{
    char size_line[20];
    struct bytes pieces[CLIENT_SEND_PIECES];
    int count = 0;
    bool chunks = is_chunked(proxied);
    if (!proxied->has_passed)
        let_go_of_body(proxied);
    proxied->has_passed = true;
    if (chunks && chunk.len > 0)
        pieces[count++] = h1_chunk_size(size_line, chunk.len);
    if (chunk.len > 0)
        pieces[count++] = chunk;
    if (chunks && chunk.len > 0)
        pieces[count++] = H1_CHUNK_END;
    if (chunks && last)
        pieces[count++] = H1_LAST_CHUNK;
    proxied->is_open = !last;
    client_call_send(&proxied->call, pieces, count, last);
    if (!last && is_behind(proxied))
        exchange_pause_body(proxied->exchange);
}

void forward_sent(struct proxied *proxied)
{
    exchange_resume_body(proxied->exchange);
}

static bool pick(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    struct pick_request *wanted = &proxied->held->pick;
    wanted->now_ms = reactor_now_ms(proxy->reactor);
    wanted->random = random_next(&proxy->random);
    wanted->listener = decisions_listen(proxy->decisions);
    uint64_t began_us = clock_now_us(); /* the turn's time would be the same before and after */
    proxied->endpoint = schedule_pick(proxied->choice.arm->pool, wanted, &proxied->ticket);
    if (proxied->endpoint == NULL && wanted->subset_count > 0) { /* the others may say themselves what they lack */
        wanted->subset_count = 0;
        proxied->endpoint = schedule_pick(proxied->choice.arm->pool, wanted, &proxied->ticket);
    }
    metric_observe_us(proxy->pick_time, clock_now_us() - began_us);
    if (wanted->listener != NULL)
        decisions_tell(proxy->decisions, proxied);
    proxied->endpoints_tried += proxied->endpoint != NULL;
    return proxied->endpoint != NULL;
}

/* Of a prompt whose end is not held; a chunked body does not say. */
static uint32_t tokens_to_come(const struct proxied *proxied)
{
    const struct http_request *request = &proxied->exchange->request;
    if (!proxied->is_open || request->framing != HTTP_BODY_LENGTH)
        return 0;
    uint64_t tokens = (request->content_length - buffer_len(&proxied->held->body)) / PROMPT_BYTES_PER_TOKEN;
    return tokens < UINT32_MAX / 2 ? (uint32_t)tokens : UINT32_MAX / 2;
}

/* Hashed only for a pool whose picker looks at prefixes. */
static void describe_prompt(const struct proxied *proxied, struct prompt_prefix *ret_prefix)
{
    const struct held_request *held = proxied->held;
    struct bytes body = buffer_bytes(&held->body);
    if (atomic_load_explicit(&proxied->choice.arm->pool->ignores_prefixes, memory_order_relaxed))
        ret_prefix->tokens = prompt_prefix_tokens(&held->scan, body);
    else
        prompt_prefix_make(&held->scan, body, held->pick.target_model, proxied->exchange->arena, ret_prefix);
}

/* What the scheduler may know of the request. */
static void describe(struct proxied *proxied)
{
    struct pick_request *pick = &proxied->held->pick;
    struct prompt_prefix prefix = {0};
    pick->target_model =
        proxied->choice.target != NULL ? proxied->choice.target->name : openai_scan_model(&proxied->held->scan);
    sticky_describe_pick(proxied);
    pick->header = proxied_find_header;
    pick->header_context = proxied->exchange;
    pick->excluded_count = 0;
    make_request_id(proxied);
    if (proxied->is_scanned)
        describe_prompt(proxied, &prefix);
    pick->prefix_hashes = prefix.hashes;
    pick->prefix_count = prefix.count;
    pick->prompt_tokens = prefix.tokens + (prefix.is_cut_in_blob ? 0 : tokens_to_come(proxied));
}

static void release(struct proxied *proxied)
{
    schedule_release(&proxied->ticket, reactor_now_ms(proxied->proxy->reactor), proxied->measure.answer_tokens);
}

/* Keeps the endpoint from being picked again for this exchange. */
static void exclude(struct proxied *proxied)
{
    struct endpoint *endpoint = proxied->endpoint;
    release(proxied);
    if (proxied->held->pick.excluded_count < PICK_MAX_EXCLUDED)
        proxied->held->pick.excluded[proxied->held->pick.excluded_count++] = endpoint; /* our count moves there */
    else
        endpoint_give_back(endpoint);
    proxied->endpoint = NULL;
}

/* All but the first `kept`. */
static void let_go_of_excluded(struct held_request *held, unsigned kept)
{
    while (held->pick.excluded_count > kept)
        endpoint_give_back(held->pick.excluded[--held->pick.excluded_count]);
}

/* A connection to the endpoint that was picked or, when that has as many as it may, to another one.  NULL: none has
 * room, and no endpoint is picked. */
static struct client_connection *connect_somewhere(struct proxied *proxied)
{
    for (;;) {
        struct client_connection *connection =
            upstream_pool_take(proxied->proxy->upstreams, proxied->endpoint, &proxied->is_new_connection);
        if (LIKELY(connection != NULL))
            return connection;
        bool is_last = proxied->held->pick.excluded_count == PICK_MAX_EXCLUDED;
        proxied->endpoints_tried--; /* nothing was asked of it */
        exclude(proxied);
        if (is_last || !pick(proxied))
            return NULL;
    }
}

static void count_retry(struct proxied *proxied, const char *reason)
{
    struct proxy *proxy = proxied->proxy;
    metric_add(metrics_series(proxy->metrics, proxy->shard, METRIC_RETRIES, (const char *[]){reason}), 1);
}

/* The request is not sent for the first time. */
static bool start_another_try(struct proxied *proxied, const char *reason)
{
    struct client_connection *connection = connect_somewhere(proxied);
    if (connection == NULL)
        return false;
    count_retry(proxied, reason);
    start_try(proxied, connection);
    return true;
}

void forward_start(struct proxied *proxied)
{
    measure_begin(proxied);
    if (admission_enter(proxied))
        forward_admitted(proxied);
}

void forward_admitted(struct proxied *proxied)
{
    describe(proxied);
    bool has_endpoint = pick(proxied);
    admission_leave(proxied); /* after the pick: the charge moves from the gate to the endpoint */
    if (!has_endpoint) {
        proxied_fail(proxied, END_NO_ENDPOINT);
        return;
    }
    struct client_connection *connection = connect_somewhere(proxied);
    if (connection == NULL) {
        proxied_fail(proxied, END_ENDPOINT_CONNECTIONS);
        return;
    }
    write_request(proxied);
    start_try(proxied, connection);
}

/* A server may answer before it has read everything: what is still to be sent stays. */
void forward_settle(struct proxied *proxied)
{
    if (proxied->call.piece_count == 0)
        let_go_of_body(proxied);
}

/* Where everything fails, tries beyond the first would only multiply the load: at most this share of the exchanges in
 * progress waits for the answer of one.  A lost endpoint of two stays below it. */
static bool has_retry_budget(const struct proxy *proxy)
{
    unsigned share = proxy->active_count * proxy->config.retry_percent / 100;
    return proxy->retrying < (share > proxy->config.min_retrying ? share : proxy->config.min_retrying);
}

static void end_retrying(struct proxied *proxied)
{
    proxied->proxy->retrying -= proxied->is_retrying;
    proxied->is_retrying = false;
}

void forward_answered(struct proxied *proxied)
{
    end_retrying(proxied);
}

void forward_release(struct proxied *proxied)
{
    end_retrying(proxied);
    admission_leave(proxied);
    if (proxied->endpoint != NULL) {
        release(proxied);
        endpoint_give_back(proxied->endpoint);
        proxied->endpoint = NULL;
    }
    if (proxied->held != NULL)
        let_go_of_excluded(proxied->held, 0);
}

void forward_forget(struct proxied *proxied)
{
    let_go_of_excluded(proxied->held, 0);
    held_request_give_back(proxied->proxy, proxied->held);
    proxied->held = NULL;
}

static enum end_reason final_reason(enum client_failure failure)
{
    switch (failure) {
    case CLIENT_FAILURE_CONNECT:
    case CLIENT_FAILURE_CONNECT_TIMEOUT:
        return END_CONNECT_FAILED;
    case CLIENT_FAILURE_BAD_RESPONSE:
        return END_BAD_UPSTREAM;
    default:
        return END_UPSTREAM_CLOSED;
    }
}

/* Not one that has passed more than is held. */
static bool has_tries_left(const struct proxied *proxied)
{
    unsigned max_tries = proxied->rule->max_tries > 0 ? proxied->rule->max_tries : proxied->proxy->config.max_tries;
    return !proxied->has_passed && proxied->tries < max_tries;
}

static bool takes_retry_budget(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    if (proxied->is_retrying)
        return true;
    if (!has_retry_budget(proxy)) {
        metric_add(proxy->retries_refused, 1);
        return false;
    }
    proxy->retrying++;
    proxied->is_retrying = true;
    return true;
}

bool forward_move(struct proxied *proxied, bool only_trusted, const char *reason)
{
    struct pick_request *wanted = &proxied->held->pick;
    struct endpoint *former = proxied->endpoint;
    struct pick_ticket former_ticket = proxied->ticket;
    if (!has_tries_left(proxied) || wanted->excluded_count == PICK_MAX_EXCLUDED || !takes_retry_budget(proxied))
        return false;
    wanted->excluded[wanted->excluded_count++] = former; /* our count moves there */
    unsigned excluded = wanted->excluded_count;
    wanted->only_trusted = only_trusted;
    struct client_connection *connection = pick(proxied) ? connect_somewhere(proxied) : NULL;
    wanted->only_trusted = false;
    if (connection == NULL) {
        let_go_of_excluded(proxied->held, excluded);
        wanted->excluded_count--;
        proxied->endpoint = former;
        proxied->ticket = former_ticket;
        return false;
    }
    client_call_cancel(&proxied->call);
    schedule_release(&former_ticket, reactor_now_ms(proxied->proxy->reactor), 0);
    count_retry(proxied, reason);
    start_try(proxied, connection);
    return true;
}

void forward_failed(struct proxied *proxied, enum client_failure failure)
{
    struct proxy *proxy = proxied->proxy;
    struct endpoint *endpoint = proxied->endpoint;
    bool is_connect = failure == CLIENT_FAILURE_CONNECT || failure == CLIENT_FAILURE_CONNECT_TIMEOUT;
    /* A response that began, even if only half of its head came, is not asked for again. */
    bool has_begun = failure == CLIENT_FAILURE_BAD_RESPONSE || failure == CLIENT_FAILURE_CUT;
    bool may_retry = !has_begun && has_tries_left(proxied);
    if (proxied->is_new_connection) {
        metric_add(proxy->connects_failed, 1);
        elsewhere_note_failure(proxied);
    }
    if (is_connect)
        atomic_store_explicit(&endpoint->load.avoid_until_ms, reactor_now_ms(proxy->reactor) + proxy->config.avoid_ms,
                              memory_order_relaxed);
    if (may_retry && !is_connect && !proxied->is_new_connection) {
        /* The stale keep-alive race: the same endpoint again, on a connection that cannot be stale. */
        upstream_pool_drop_idle(proxy->upstreams, endpoint);
        if (start_another_try(proxied, client_failure_text(failure)))
            return;
        proxied_fail(proxied, END_ENDPOINT_CONNECTIONS);
        return;
    }
    exclude(proxied);
    if (may_retry && takes_retry_budget(proxied) && pick(proxied) &&
        start_another_try(proxied, client_failure_text(failure)))
        return;
    proxied_fail(proxied, final_reason(failure));
}
