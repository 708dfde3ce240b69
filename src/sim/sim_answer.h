/* SPDX-License-Identifier: Apache-2.0 */
/* sim_answer.h: how every answer of the simulator goes out: with the pod's headers, errors in OpenAI's envelope. */
#ifndef SIM_SIM_ANSWER_H
#define SIM_SIM_ANSWER_H

#include "sim/sim_state.h"

/* The head alone; content_length as for exchange_respond(). */
void sim_respond(struct sim *sim, struct exchange *exchange, unsigned status, struct bytes content_type,
                 int64_t content_length);
/* Head, body, end: the exchange must not be touched after it. */
void sim_answer(struct sim *sim, struct exchange *exchange, unsigned status, struct bytes content_type,
                struct bytes body);
void sim_answer_json(struct sim *sim, struct exchange *exchange, unsigned status, struct bytes body);
/* {"error":{message,type,param,code}}, type by status as vLLM names them.  param may be NULL. */
void sim_answer_error(struct sim *sim, struct exchange *exchange, unsigned status, const char *param,
                      const char *message);

#endif
