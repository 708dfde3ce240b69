/* SPDX-License-Identifier: Apache-2.0 */
/* session_table.h: where the requests of a session went last, for session affinity.
 *
 * Bounded: a full row forgets what was used longest ago.  The owner serialises calls (the pool's lock).  Endpoints are
 * names here and never followed: one that is gone matches nobody. */
#ifndef INFERENCE_SCHEDULE_SESSION_TABLE_H
#define INFERENCE_SCHEDULE_SESSION_TABLE_H

#include <stdint.h>

struct endpoint;
struct session_table;

struct session_table *session_table_new(unsigned sessions, uint64_t ttl_ms);
/* Accepts NULL. */
void session_table_free(struct session_table *table);
/* NULL: unknown, or not used for ttl_ms. */
const struct endpoint *session_table_find(const struct session_table *table, uint64_t key_hash, uint64_t now_ms);
void session_table_put(struct session_table *table, uint64_t key_hash, const struct endpoint *endpoint,
                       uint64_t now_ms);

#endif
