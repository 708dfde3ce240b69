/* SPDX-License-Identifier: Apache-2.0 */
/* single_call.h: one request on a connection of its own, with a time limit: probes, orders to model servers, commands.
 * One reactor. */
#ifndef HTTP_SINGLE_CALL_H
#define HTTP_SINGLE_CALL_H

#include "base/buffer.h"
#include "http/client.h"

enum single_end { SINGLE_ANSWERED, SINGLE_FAILED, SINGLE_TIMED_OUT };

/* Embedded by whoever waits for it. */
struct single_call {
    struct reactor *reactor;
    /* Once per start, never from inside it; the connection is closed by then. */
    void (*on_done)(struct single_call *single, enum single_end end);
    unsigned status;             /* of the answer */
    enum client_failure failure; /* of SINGLE_FAILED */
    struct buffer answer;        /* the body, as much as was asked to be kept */
    bool is_truncated;           /* there was more */
    /* Its own: */
    struct client_connection *connection;
    struct client_call call;
    struct iovec pieces[2];
    struct wheel_timer timeout;
    size_t keep_bytes;
    bool is_running;
};

struct single_request {
    const struct address *to;
    const struct client_config *config; /* NULL: client_defaults; borrowed for the start */
    enum http_method method;
    struct bytes head, body; /* borrowed until the end; body may be empty */
    size_t keep_bytes;       /* of the answer's body */
    uint32_t timeout_ms;
};

void single_call_init(struct single_call *single, struct reactor *reactor,
                      void (*on_done)(struct single_call *single, enum single_end end));
/* Nothing happens while one is running. */
void single_call_start(struct single_call *single, const struct single_request *request);
/* Ends a running one without a word. */
void single_call_stop(struct single_call *single);
void single_call_deinit(struct single_call *single);

#endif
