/* SPDX-License-Identifier: Apache-2.0 */
/* completion.h: one completion (of a text, a chat, or a response) from its request to its last byte.
 *
 * It lives in its exchange's arena and ends with it.  The engine counts the tokens; they become text only when the
 * client has room for them. */
#ifndef SIM_COMPLETION_H
#define SIM_COMPLETION_H

#include "sim/openai_request.h"
#include "sim/sim_state.h"

struct completion;

/* Answers, or begins a completion: *ret_place points to it from then until it ends (possibly within this call). */
void completion_start(struct sim *sim, struct exchange *exchange, struct bytes body, enum openai_kind kind,
                      struct completion **ret_place);
/* The client has room again. */
void completion_go_on(struct completion *completion);
/* The client is gone: every slot is free at once. */
void completion_abort(struct completion *completion);
/* Resets all that are in progress. */
void completion_cut_all(struct sim *sim);

/* For struct engine_config. */
void completion_on_progress(struct sequence *sequence, void *context);

#endif
