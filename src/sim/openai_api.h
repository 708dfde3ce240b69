/* SPDX-License-Identifier: Apache-2.0 */
/* openai_api.h: the HTTP face of the simulator: routes, collected bodies, adapters, models, metrics.  server_data of
 * the server is struct sim. */
#ifndef SIM_OPENAI_API_H
#define SIM_OPENAI_API_H

#include "http/exchange.h"

extern const struct http_handler openai_api_handler;

#endif
