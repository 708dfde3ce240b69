/* SPDX-License-Identifier: Apache-2.0 */
/* request_metrics.h: what llm-d's picker counts of requests, under its names (llm_d_epp_request_*), by model, target
 * model and priority.  Private to src/proxy.
 *
 * Labels stay few whatever clients send: a model is named when an object of the configuration names it, or once a
 * server has answered for it; all others are "other".  One thread. */
#ifndef PROXY_REQUEST_METRICS_H
#define PROXY_REQUEST_METRICS_H

#include "proxy/measure_internal.h"

struct request_metrics_table;

struct request_metrics_table *request_metrics_table_new(struct metrics *metrics, unsigned shard);
/* Accepts NULL. */
void request_metrics_table_free(struct request_metrics_table *table);
/* It goes to a pool, and its priority is known.  Nothing happens when it names no model. */
STAYS_APART void request_metrics_begin(struct proxied *proxied);
/* While the request is still held, once its status is known: a model that a server has answered for gets a name. */
void request_metrics_settle(struct proxied *proxied);
/* Nothing happens when it was not begun. */
STAYS_APART void request_metrics_end(struct proxied *proxied, const struct measured *measured);

#endif
