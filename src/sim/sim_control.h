/* SPDX-License-Identifier: Apache-2.0 */
/* sim_control.h: the endpoints under /sim/ by which tests look into a simulated server and make it misbehave.
 *
 * GET  /sim/state     {running, waiting, held, requests, finished, aborted, failed, events_sent, connections}; the
 * first three count sequences (an n=2 request is two), the others requests GET  /sim/requests  the last 100 requests:
 * id, state (started, finished, aborted, failed), path, model, stream, prompt_tokens, body_bytes, headers (x-*, session
 * and routing ones) GET  /sim/config    the behaviour in force POST /sim/config    {"ttft": "80ms", "itl": 12 (ms),
 * "error-rate": 0.5, "die-after-events": null (off), "fake-metrics": {...} or null}; all or nothing; answers like GET
 * POST /sim/hold      {"at":"first-token"} or {"at":"event","event":N}, optional "count":K: the next K sequences (else
 *                     all) that have sent exactly N content events (0 for first-token) stop there, slot in hand
 * POST /sim/release   {} or no body: everything held goes on and all holds are forgotten; {"count":K}: only the K held
 *                     first go on, holds stay.  Answers {"released":N} */
#ifndef SIM_SIM_CONTROL_H
#define SIM_SIM_CONTROL_H

#include "sim/sim_state.h"

void sim_control_state(struct sim *sim, struct exchange *exchange, struct bytes body);
void sim_control_requests(struct sim *sim, struct exchange *exchange, struct bytes body);
void sim_control_config(struct sim *sim, struct exchange *exchange, struct bytes body);
void sim_control_set_config(struct sim *sim, struct exchange *exchange, struct bytes body);
void sim_control_hold(struct sim *sim, struct exchange *exchange, struct bytes body);
void sim_control_release(struct sim *sim, struct exchange *exchange, struct bytes body);

#endif
