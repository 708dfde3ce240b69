/* SPDX-License-Identifier: Apache-2.0 */
/* proxied.h: one exchange on its way through the proxy.  Private to src/proxy.
 *
 * Lives from the request head to the end of both sides.  Steps: reading (downstream.c), forwarding (forward.c: pick,
 * connect, retry), relaying (relay.c).  A live stream needs little of it: what only the request needed is apart. */
#ifndef PROXY_PROXIED_H
#define PROXY_PROXIED_H

#include "base/random.h"
#include "base/spares.h"
#include "http/client.h"
#include "http/codec/sse.h"
#include "inference/flow/pool_gate.h"
#include "inference/payload/answer_scan.h"
#include "inference/payload/openai_rewrite.h"
#include "inference/schedule/scheduler.h"
#include "proxy/end_reason.h"
#include "proxy/proxy.h"
#include "proxy/spare_bodies.h"
#include "route/split.h"

#define RESERVE_BODY_BYTES (1u << 20) /* at most so much is set aside on the word of a Content-Length */

/* Kept for reuse per worker: about as many as are in progress at once on a busy one. */
#define MAX_SPARE 64

struct proxy {
    struct reactor *reactor;
    struct proxy_config config;
    struct route_lease *lease; /* in force; NULL before the first snapshot */
    struct upstream_pool *upstreams;
    struct random_state random;
    struct metrics *metrics;
    unsigned shard;
    struct arm_table *arms;                 /* metrics by arm */
    struct request_metrics_table *requests; /* by model */
    struct metric_series *pick_time;
    struct metric_series *ends[END_REASON_COUNT];
    struct metric_series *active, *aborts, *cut, *held_bytes, *connections_total, *connections_open;
    struct metric_series *connects_failed, *retries_refused;
    struct metric_series *draws[DRAW_REASON_COUNT];
    struct metric_series *pins_refused;
    struct metric_series *remembered[3], *forgotten[3]; /* responses, conversations, owners */
    unsigned active_count;                              /* exchanges in progress */
    unsigned retrying;                /* of them, those that wait for an answer to a try beyond the first */
    struct list waiting;              /* struct proxied, by `turn`: before a saturated pool */
    struct wheel_timer waiting_timer; /* armed while there are any */
    struct decisions *decisions;      /* picks that are told; NULL: no decision log */
    struct spares spare_proxied, spare_answers;
    struct list spare_held; /* struct held_request */
    unsigned spare_held_count;
    struct spare_bodies spare_bodies;
};

/* A Canary that judges the exchange's arm. */
struct tap_hold {
    struct canary_tap *tap; /* lives as long as the lease */
    enum arm_role role;
    unsigned cuts; /* of the arm, when the exchange began */
};

/* What was read of a request and is made of it: needed until it is sure that no other endpoint will be asked. */
struct held_request {
    struct list link; /* on proxy->spare_held when unused */
    struct buffer body;
    struct buffer head;
    struct openai_rewrite rewrite;
    struct iovec pieces[5];
    struct pick_request pick;
    char request_id[33];
    struct openai_scan scan; /* initialised when used */
};

/* See measure.h. */
struct measure {
    struct arm_metrics *arm;         /* NULL: it was not sent anywhere */
    struct request_metrics *request; /* NULL: it names no model, or goes to no pool */
    struct tap_hold taps[2];         /* of the pool arm, of the model arm */
    unsigned tap_count;
    unsigned cured_status;                  /* of a server's error that another endpoint made good; 0: none */
    uint64_t prompt_bytes;                  /* these three: see measure_request() */
    bool has_model;                         /* the request names one */
    bool is_streaming;                      /* it asks for a stream */
    uint64_t bytes_out;                     /* of the answer's body */
    uint64_t first_token_us, last_token_us; /* streams; 0: none yet */
    uint32_t answer_tokens;                 /* once it has ended well; 0: unknown */
};

struct proxied {
    struct proxy *proxy;
    struct exchange *exchange;
    struct route_lease *lease;
    const struct route_rule *rule;
    struct split_choice choice;
    struct conversation_scan *conversation; /* in the exchange's arena; NULL: the rule does not want it */
    uint64_t buffer_limit_bytes;
    uint64_t budget_bytes;           /* taken from the memory budget */
    uint64_t body_bytes;             /* received of the body, held or passed through */
    struct held_request *held;       /* NULL: forward_forget() */
    struct wheel_timer deadline;     /* of the whole exchange: timeouts.request */
    struct wheel_timer try_deadline; /* of the present try: timeouts.backendRequest */
    struct wheel_timer quiet_timer;  /* may be due earlier than it matters: it looks again then */
    uint64_t last_bytes_ms;          /* of the answer, before them of the try's start */

    struct endpoint *endpoint; /* picked: counted and in flight */
    struct client_call call;
    struct pick_ticket ticket; /* what the pick has charged to the endpoint */
    struct gate_ticket gate;
    struct list turn; /* on proxy->waiting while is_waiting */
    bool is_waiting;
    uint64_t waiting_since_us, waited_us;
    unsigned tries;
    unsigned endpoints_tried;
    bool is_new_connection;

    struct measure measure;
    struct answer_scan *answer; /* NULL: not read */

    bool is_open;     /* the arm was drawn while the body still comes: what follows passes through */
    bool has_passed;  /* some of it did: the request cannot be sent again */
    bool is_scanned;  /* the body is read as OpenAI JSON */
    bool wants_reply; /* the next turn is to find its arm */
    bool has_body;
    bool is_calling;    /* call is running */
    bool is_responding; /* exchange_respond() was called */
    bool has_token;     /* a byte of the answer's body came */
    bool is_retrying;   /* counted in proxy->retrying */
    bool is_event_stream;
    bool is_mid_event;        /* more than whole events was relayed */
    struct sse_tail tail;     /* of what the endpoint sent */
    struct buffer half_event; /* received and not relayed: the start of an event */
    uint64_t first_byte_us;
    unsigned status;
};

/* held_request.c */
/* With an empty body and head, and its scan begun. */
struct held_request *held_request_take(struct proxy *proxy);
/* The body's memory goes, or waits for another request. */
void held_request_let_go_of_body(struct proxy *proxy, struct held_request *held);
void held_request_give_back(struct proxy *proxy, struct held_request *held);
void held_request_free_spare(struct proxy *proxy);

/* admission.c */
/* True: it may go at once.  False: it was answered, or waits and will be forwarded later. */
bool admission_enter(struct proxied *proxied);
/* It was picked for, or has ended. */
void admission_leave(struct proxied *proxied);
/* How long it was held so far. */
uint64_t admission_waited_us(const struct proxied *proxied);
/* A worker's part: those that wait are looked after by a timer. */
void admission_init(struct proxy *proxy);
void admission_deinit(struct proxy *proxy);

/* forward.c */
/* The arm is drawn: admits, then forward_admitted(); is_open: the rest follows by forward_more(). */
void forward_start(struct proxied *proxied);
/* It may go: picks, sends what is held. */
void forward_admitted(struct proxied *proxied);
/* The next piece of a body that passes through. */
void forward_more(struct proxied *proxied, struct bytes chunk, bool last);
/* All of it has left so far. */
void forward_sent(struct proxied *proxied);
/* A try ended without a response byte: tries again or fails. */
void forward_failed(struct proxied *proxied, enum client_failure failure);
/* Asks another endpoint than those tried instead: the call is over and a new one has begun; only_trusted: one that
 * nothing speaks against.  False, and nothing has changed: there is none, the request cannot be sent again, or no more
 * tries are allowed. */
bool forward_move(struct proxied *proxied, bool only_trusted, const char *reason);
/* The present try has an answer. */
void forward_answered(struct proxied *proxied);
/* The answer has begun and will take long: gives back what only another try would need. */
void forward_settle(struct proxied *proxied);
/* No part of the request will be asked for again: proxied->held goes too. */
void forward_forget(struct proxied *proxied);
/* Lets go of the endpoint of the present try. */
void forward_release(struct proxied *proxied);

/* elsewhere.c */
/* The head of an answer came, which nobody has seen yet.  True: another endpoint is asked instead. */
bool elsewhere_try(struct proxied *proxied, const struct http_response *response);
/* The endpoint gave no answer, or half of one. */
void elsewhere_note_failure(struct proxied *proxied);

/* relay.c */
extern const struct client_call_handler relay_handler;
/* A try begins: its answer must come in time, if a policy says so. */
void relay_watch(struct proxied *proxied);
void relay_on_quiet(struct wheel_timer *timer);

/* downstream.c */
/* As routes and splits ask for headers; context: the struct exchange. */
bool proxied_find_header(void *context, struct bytes name, struct bytes *ret_value);
/* For x-serin-arm: "" for a Service and when the arm is not to be told. */
struct bytes proxied_shown_arm(const struct proxied *proxied);
/* For x-serin-revision: the pod template of the pod that answers, "" when it is not known or not to be told. */
struct bytes proxied_shown_revision(const struct proxied *proxied);
/* Answers with the reason's status and JSON, and ends. */
void proxied_fail(struct proxied *proxied, enum end_reason reason);
/* The body is not held any more. */
void proxied_let_go_of_body(struct proxied *proxied);
/* Gives back everything that the exchange held, counts the end.  The exchange itself is the caller's to finish; the
 * proxied is unusable afterwards. */
void proxied_end(struct proxied *proxied, enum end_reason reason);

#endif
