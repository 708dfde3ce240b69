/* SPDX-License-Identifier: Apache-2.0 */
/* request_log.h: the last requests that a simulated server got, for tests that ask what reached it. */
#ifndef SIM_REQUEST_LOG_H
#define SIM_REQUEST_LOG_H

#include "base/json_write.h"
#include "http/codec/fields.h"

struct request_log;

struct request_facts {
    struct bytes path;
    struct bytes model;
    bool stream;
    uint64_t prompt_tokens;
    uint64_t body_bytes;
    const struct http_fields *fields;
};

struct request_log *request_log_new(void);
void request_log_free(struct request_log *log);
/* Copies the facts; returns the request's number, from 1.  state: a constant. */
uint64_t request_log_add(struct request_log *log, const struct request_facts *facts, const char *state);
/* Harmless for a request that was pushed out by later ones. */
void request_log_set_state(struct request_log *log, uint64_t id, const char *state);
/* An array, oldest first. */
void request_log_write(const struct request_log *log, struct json_writer *json);

#endif
