/* SPDX-License-Identifier: Apache-2.0 */
/* sticky.c: gives route/split what it asks of a request, and reads the answer where somebody may go on with it.
 *
 * Where no rule asks, the messages are passed over and the answer is not looked at. */
#include "proxy/sticky.h"

#include "proxy/response_owner.h"

static const char *const memories[] = {"responses", "conversations", "owners"};

void sticky_init(struct proxy *proxy)
{
    for (unsigned i = 0; i < DRAW_REASON_COUNT; i++)
        proxy->draws[i] = metrics_series(proxy->metrics, proxy->shard, METRIC_DRAWS,
                                         (const char *[]){draw_reason_label((enum draw_reason)i)});
    for (unsigned i = 0; i < ARRAY_LEN(memories); i++) {
        proxy->remembered[i] =
            metrics_series(proxy->metrics, proxy->shard, METRIC_ARM_MEMORY_ENTRIES, (const char *[]){memories[i]});
        proxy->forgotten[i] =
            metrics_series(proxy->metrics, proxy->shard, METRIC_ARM_MEMORY_EVICTIONS, (const char *[]){memories[i]});
    }
    proxy->pins_refused = metrics_series(proxy->metrics, proxy->shard, METRIC_PINS_REFUSED, NULL);
}

void sticky_prepare(struct proxied *proxied)
{
    if (!proxied->is_scanned || !proxied->rule->reads_conversation)
        return;
    proxied->conversation = ARENA_NEW(proxied->exchange->arena, struct conversation_scan);
    conversation_scan_init(proxied->conversation);
    proxied->held->scan.conversation = proxied->conversation;
}

static bool lacks_session_headers(const struct http_fields *fields)
{
    for (unsigned i = 0; i < fields->len; i++) {
        switch (fields->items[i].id) {
        case HTTP_FIELD_X_CLAUDE_CODE_SESSION_ID:
        case HTTP_FIELD_SESSION_ID_DASH:
        case HTTP_FIELD_SESSION_ID:
        case HTTP_FIELD_X_SESSION_ID:
        case HTTP_FIELD_X_SESSION_AFFINITY:
            return false;
        default:
            break;
        }
    }
    return true;
}

/* known: see struct session_facts. */
static struct split_request describe(const struct proxied *proxied, struct session_key *known)
{
    struct exchange *exchange = proxied->exchange;
    return (struct split_request){
        .model = openai_scan_model(&proxied->held->scan),
        .facts = {.header = proxied_find_header,
                  .context = exchange,
                  .lacks_session_headers = lacks_session_headers(&exchange->request.fields),
                  .known = known,
                  .path = exchange->request.path,
                  .scan = &proxied->held->scan,
                  .conversation = proxied->conversation,
                  .arena = exchange->arena},
        .memories = proxied->proxy->config.memories,
        .now_ms = reactor_now_ms(proxied->proxy->reactor),
    };
}

static void count_draw(struct proxy *proxy, const struct split_draw *draw)
{
    metric_add(proxy->draws[draw->reason], 1);
    if (draw->is_pin_refused)
        metric_add(proxy->pins_refused, 1);
}

void sticky_draw(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    struct session_key known = {.reason = DRAW_REASON_COUNT};
    struct split_request request = describe(proxied, &known);
    route_split(proxied->rule, &request, &proxied->choice);
    count_draw(proxy, &proxied->choice.arm_draw);
    if (proxied->choice.target != NULL)
        count_draw(proxy, &proxied->choice.target_draw);
    proxied->wants_reply = proxy->config.memories != NULL && proxied->has_body &&
                           (split_wants_reply(proxied->rule, &proxied->choice, proxied->exchange->request.path) ||
                            response_owner_is_wanted(proxied));
}

void sticky_describe_pick(struct proxied *proxied)
{
    struct pick_request *pick = &proxied->held->pick;
    pick->session_key = BYTES("");
    response_owner_narrow(proxied);
    if (!atomic_load_explicit(&proxied->choice.arm->pool->wants_sessions, memory_order_relaxed))
        return;
    struct split_request request = describe(proxied, NULL);
    pick->session_key = split_endpoint_key(proxied->rule, proxied->choice.model, &request.facts);
}

/* Also of an answer that the client left: it goes on with what it got. */
void sticky_end(struct proxied *proxied, enum end_reason reason)
{
    struct proxy *proxy = proxied->proxy;
    struct answer_scan *answer = proxied->answer;
    if (answer == NULL || !answer->wants_hash || (reason != END_COMPLETE && reason != END_CLIENT_GONE))
        return;
    answer_scan_finish(answer);
    bool is_response = session_makes_response(proxied->exchange->request.path);
    struct split_reply reply = {.has_hash = answer->has_text || answer->has_tool_call,
                                .hash = answer->reply_hash,
                                .response_id = is_response ? bytes_make(answer->id, answer->id_len) : BYTES("")};
    struct split_request request = describe(proxied, NULL);
    struct split_remembered remembered;
    split_remember(proxied->rule, &proxied->choice, &request, &reply, &remembered);
    response_owner_remember(proxied, reply.response_id, request.now_ms);
    for (unsigned i = 0; i < ARRAY_LEN(remembered.added); i++) {
        if (remembered.added[i] > 0)
            metric_add(proxy->remembered[i], remembered.added[i]);
        if (remembered.replaced[i] > 0)
            metric_add(proxy->forgotten[i], remembered.replaced[i]);
    }
}
