/* SPDX-License-Identifier: Apache-2.0 */
/* proxied.h: one exchange on its way through the proxy.  Private to src/proxy.
 *
 * Owned by its proxy's free list; lives from the request head to the end of both sides.  Steps: reading (downstream.c),
 * forwarding (forward.c: pick, connect, retry), relaying (relay.c). */
#ifndef PROXY_PROXIED_H
#define PROXY_PROXIED_H

#include "base/random.h"
#include "http/client.h"
#include "http/codec/sse.h"
#include "inference/payload/openai_rewrite.h"
#include "inference/schedule/scheduler.h"
#include "proxy/end_reason.h"
#include "proxy/proxy.h"
#include "route/split.h"

/* Body buffers are used again: fresh pages for each long prompt would cost more than reading it.  All spare ones of a
 * worker together stay below SPARE_BODY_BYTES. */
#define RESERVE_BODY_BYTES (1u << 20) /* at most so much is set aside on the word of a Content-Length */
#define SPARE_BODY_BYTES   (8u << 20)

struct proxy {
    struct reactor *reactor;
    struct proxy_config config;
    struct route_lease *lease; /* in force; NULL before the first snapshot */
    struct upstream_pool *upstreams;
    struct random_state random;
    struct metrics *metrics;
    unsigned shard;
    struct hashmap *arm_series; /* "arm code" -> struct arm_series, so that the hot path formats nothing */
    struct metric_series *ends[END_REASON_COUNT];
    struct metric_series *active, *aborts, *cut, *held_bytes, *connections_total, *connections_open;
    struct metric_series *connects_failed;
    struct list spare; /* struct proxied */
    unsigned spare_count;
    size_t spare_body_bytes;
};

struct proxied {
    struct list link; /* on proxy->spare when unused */
    struct proxy *proxy;
    struct exchange *exchange;
    struct route_lease *lease;
    const struct route_rule *rule;
    struct split_choice choice;
    uint64_t buffer_limit_bytes;
    uint64_t budget_bytes; /* taken from the body budget */
    struct buffer body;
    struct buffer head;
    struct openai_rewrite rewrite;
    struct iovec pieces[4];
    struct wheel_timer deadline;     /* of the whole exchange: timeouts.request */
    struct wheel_timer try_deadline; /* of the present try: timeouts.backendRequest */

    struct endpoint *endpoint; /* picked: counted and in flight */
    struct client_call call;
    struct pick_request pick;
    unsigned tries;
    bool is_new_connection;

    bool is_scanned; /* the body is read as OpenAI JSON */
    bool has_body;
    bool is_calling;    /* call is running */
    bool is_responding; /* exchange_respond() was called */
    bool is_event_stream;
    bool is_mid_event;        /* more than whole events was relayed */
    struct sse_tail tail;     /* of what the endpoint sent */
    struct buffer half_event; /* received and not relayed: the start of an event */
    uint64_t first_byte_us;
    unsigned status;
    char request_id[33];
    struct openai_scan scan;
};

/* forward.c */
/* The request is complete and its arm drawn: picks, sends. */
void forward_start(struct proxied *proxied);
/* A try ended without a response byte: tries again or fails. */
void forward_failed(struct proxied *proxied, enum client_failure failure);
/* Lets go of the endpoint of the present try. */
void forward_release(struct proxied *proxied);

/* relay.c */
extern const struct client_call_handler relay_handler;

/* downstream.c */
/* For x-serin-arm: "" for a Service and when the arm is not to be told. */
struct bytes proxied_shown_arm(const struct proxied *proxied);
/* Answers with the reason's status and JSON, and ends. */
void proxied_fail(struct proxied *proxied, enum end_reason reason);
/* Gives back everything that the exchange held, counts the end.  The exchange itself is the caller's to finish; the
 * proxied is unusable afterwards. */
void proxied_end(struct proxied *proxied, enum end_reason reason);

#endif
