/* SPDX-License-Identifier: Apache-2.0 */
/* sim_state.h: the one struct of a running simulator, shared by the files that answer its requests.  One thread. */
#ifndef SIM_SIM_STATE_H
#define SIM_SIM_STATE_H

#include "base/random.h"
#include "http/server.h"
#include "sim/engine.h"
#include "sim/models.h"
#include "sim/options.h"
#include "sim/request_log.h"
#include "sim/response_store.h"
#include "sim/sim_metrics.h"

struct sim_counts {
    uint64_t requests; /* completions asked for, refused ones too */
    uint64_t finished;
    uint64_t aborted; /* the client left, or the fault injection cut it */
    uint64_t failed;  /* answered with an error */
    uint64_t events_sent;
};

struct sim {
    struct sim_options options;
    struct behaviour behaviour; /* in force */
    struct reactor *reactor;
    struct http_server *server;
    struct engine *engine;
    struct models *models;
    struct sim_metrics *metrics;
    struct request_log *request_log;
    struct random_state random;
    struct sim_counts counts;
    struct list completions; /* in progress */
    struct response_store responses;
    struct buffer frozen_page; /* of metrics, while they are frozen */
    struct buffer scratch;     /* for the answer that is being written, empty between callbacks */
    struct wheel_timer engine_timer;
    uint64_t started_s;
    struct bytes pod_name; /* "": unknown */
    char port_text[8];
};

/* Generates what is due and sets the timer for the next token. */
void sim_engine_turn(struct sim *sim);
/* Opens or closes the listening socket as behaviour.refuse says.  false: it cannot be opened again. */
MUST_CHECK bool sim_apply_refuse(struct sim *sim);

#endif
