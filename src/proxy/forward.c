/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c: sends a complete request to an endpoint of the drawn arm, and to another one when no response byte came.
 *
 * A request is replayed only while nothing of an answer was seen.  A reset keep-alive connection is most often one that
 * the server closed while it was idle: that try does not count against the endpoint. */
#include "proxy/hop_headers.h"
#include "proxy/proxied.h"

static void make_request_id(struct proxied *proxied)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t words[2] = {random_next(&proxied->proxy->random), random_next(&proxied->proxy->random)};
    for (unsigned i = 0; i < 32; i++)
        proxied->request_id[i] = digits[words[i / 16] >> (i % 16 * 4) & 15];
}

/* Written once: a retry sends the same head. */
static void write_head(struct proxied *proxied)
{
    struct bytes body = buffer_bytes(&proxied->body);
    proxied->rewrite = (struct openai_rewrite){.before = body, .content_length = body.len};
    if (proxied->choice.target != NULL && proxied->is_scanned &&
        !bytes_equal(proxied->choice.target->name, openai_scan_model(&proxied->scan)))
        openai_rewrite_model(&proxied->scan, body, proxied->choice.target->name, proxied->exchange->arena,
                             &proxied->rewrite);
    make_request_id(proxied);
    hop_write_request(&proxied->head, proxied->exchange, bytes_of(proxied->endpoint->text),
                      proxied->has_body ? (int64_t)proxied->rewrite.content_length : -1, proxied->request_id);
}

/* The client changes the array as it sends, so that each try lays it out anew. */
static int lay_out_pieces(struct proxied *proxied)
{
    const struct bytes parts[] = {buffer_bytes(&proxied->head), proxied->rewrite.before, proxied->rewrite.replacement,
                                  proxied->rewrite.after};
    int count = 0;
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].len > 0)
            proxied->pieces[count++] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].len};
    return count;
}

static void start_try(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    struct client_connection *connection =
        upstream_pool_take(proxy->upstreams, proxied->endpoint, &proxied->is_new_connection);
    proxied->tries++;
    proxied->is_calling = true;
    if (proxied->rule->backend_timeout_ms > 0)
        reactor_timer_set(proxy->reactor, &proxied->try_deadline, proxied->rule->backend_timeout_ms);
    client_call_start(&proxied->call, connection, proxied->exchange->request.method, proxied->pieces,
                      lay_out_pieces(proxied), &relay_handler);
}

static bool pick(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    proxied->pick.now_ms = reactor_now_ms(proxy->reactor);
    proxied->pick.random = random_next(&proxy->random);
    proxied->endpoint = schedule_pick(proxied->choice.arm->pool, &proxied->pick);
    return proxied->endpoint != NULL;
}

void forward_start(struct proxied *proxied)
{
    proxied->pick.target_model =
        proxied->choice.target != NULL ? proxied->choice.target->name : openai_scan_model(&proxied->scan);
    proxied->pick.excluded_count = 0;
    if (!pick(proxied)) {
        proxied_fail(proxied, END_NO_ENDPOINT);
        return;
    }
    write_head(proxied);
    start_try(proxied);
}

void forward_release(struct proxied *proxied)
{
    if (proxied->endpoint != NULL) {
        schedule_release(proxied->endpoint);
        endpoint_give_back(proxied->endpoint);
        proxied->endpoint = NULL;
    }
    for (unsigned i = 0; i < proxied->pick.excluded_count; i++)
        endpoint_give_back(proxied->pick.excluded[i]);
    proxied->pick.excluded_count = 0;
}

/* Keeps the endpoint from being picked again for this exchange. */
static void exclude(struct proxied *proxied)
{
    struct endpoint *endpoint = proxied->endpoint;
    schedule_release(endpoint);
    if (proxied->pick.excluded_count < PICK_MAX_EXCLUDED)
        proxied->pick.excluded[proxied->pick.excluded_count++] = endpoint; /* our count moves there */
    else
        endpoint_give_back(endpoint);
    proxied->endpoint = NULL;
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

static void count_retry(struct proxied *proxied, enum client_failure failure)
{
    struct proxy *proxy = proxied->proxy;
    metric_add(
        metrics_series(proxy->metrics, proxy->shard, METRIC_RETRIES, (const char *[]){client_failure_text(failure)}),
        1);
}

void forward_failed(struct proxied *proxied, enum client_failure failure)
{
    struct proxy *proxy = proxied->proxy;
    struct endpoint *endpoint = proxied->endpoint;
    bool is_connect = failure == CLIENT_FAILURE_CONNECT || failure == CLIENT_FAILURE_CONNECT_TIMEOUT;
    /* A response that began, even if only half of its head came, is not asked for again. */
    bool has_begun = failure == CLIENT_FAILURE_BAD_RESPONSE || failure == CLIENT_FAILURE_CUT;
    bool may_retry = !has_begun && proxied->tries < proxy->config.max_tries;
    if (proxied->is_new_connection)
        metric_add(proxy->connects_failed, 1);
    if (is_connect)
        atomic_store_explicit(&endpoint->load.avoid_until_ms, reactor_now_ms(proxy->reactor) + proxy->config.avoid_ms,
                              memory_order_relaxed);
    if (may_retry && !is_connect && !proxied->is_new_connection) {
        /* The stale keep-alive race: the same endpoint again, on a connection that cannot be stale. */
        upstream_pool_drop_idle(proxy->upstreams, endpoint);
        count_retry(proxied, failure);
        start_try(proxied);
        return;
    }
    exclude(proxied);
    if (may_retry && pick(proxied)) {
        count_retry(proxied, failure);
        start_try(proxied);
        return;
    }
    proxied_fail(proxied, final_reason(failure));
}
