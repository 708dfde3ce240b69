/* SPDX-License-Identifier: Apache-2.0 */
/* traffic.h: what the load tools send and expect, byte for byte: requests, answers, events; and the figures of a run.
 *
 * Both ends are in one program, so that each checks what the proxy made of the other's bytes. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <netinet/in.h>
#include <stdio.h>

#include "base/bytes.h"
#include "histogram.h"

enum { TRAFFIC_MODELS = 3, TRAFFIC_EVENT_BYTES = 200, TRAFFIC_DONE_BYTES = 14 };

/* The model that the body asks for, and those that an InferenceModel may put in its place. */
extern const char *const traffic_models[TRAFFIC_MODELS];

/* A request body with one model name in it; loaded from a file. */
struct traffic_body {
    struct bytes bytes;
    size_t model_at; /* where the name begins */
};
/* Ends the program when the file is missing or has no model. */
void traffic_body_load(struct traffic_body *body, const char *path);

/* How the body may arrive. */
enum traffic_check {
    CHECK_SAME,     /* as it was sent */
    CHECK_TARGET,   /* with another model's name, the rest as it was sent */
    CHECK_REENCODED /* as JSON of the same length, but for the name */
};

/* Follows a body that arrives in pieces. */
struct traffic_reader {
    size_t at;
    char model[16];
    unsigned model_len;
    bool has_model;
    bool is_wrong;
};
void traffic_read(struct traffic_reader *reader, const struct traffic_body *body, struct bytes piece);
/* The index in traffic_models, or -1 when the body is not what check allows. */
int traffic_read_end(const struct traffic_reader *reader, const struct traffic_body *body, enum traffic_check check);

/* The whole answer, head and JSON; and the JSON alone. */
struct bytes traffic_answer(unsigned model);
struct bytes traffic_answer_json(unsigned model);

/* One chat.completion.chunk as SSE: its time and number are written in. */
void traffic_event_write(char event[static TRAFFIC_EVENT_BYTES], uint64_t time_ns, uint32_t number);
bool traffic_event_read(const char event[static TRAFFIC_EVENT_BYTES], uint64_t *ret_time_ns, uint32_t *ret_number);
extern const char traffic_done[]; /* "data: [DONE]", TRAFFIC_DONE_BYTES */

/* The value of a header field, by its name in lower case; empty when absent. */
struct bytes traffic_field(struct bytes head, const char *name);

enum traffic_kind { TRAFFIC_POST, TRAFFIC_PACED, TRAFFIC_UNPACED, TRAFFIC_IDLE };

/* One run: what to do, then what came of it. */
struct run {
    enum traffic_kind kind;
    struct sockaddr_in target;
    char host[64];
    int pid; /* the proxy; 0: none */
    unsigned connections;
    unsigned events;    /* of an answer; 0: paced without end */
    uint64_t period_ns; /* of a paced stream */
    uint64_t warm_ns;
    uint64_t measure_ns;
    enum traffic_check check;
    struct traffic_body body;

    bool is_measuring;
    bool is_ending; /* what is under way is finished, nothing new is begun */
    uint64_t all_answers, answers, all_events, events_seen, errors;
    uint64_t by_model[TRAFFIC_MODELS];
    struct histogram delays; /* of answers or events, ns, while measuring */
    char first_error[160];
};

void run_error(struct run *run, const char *what);

#endif
