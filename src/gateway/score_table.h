/* SPDX-License-Identifier: Apache-2.0 */
/* score_table.h: what each scorer of a pool says of each endpoint now, gathered for people.  Lives in the caller's
 * arena. */
#ifndef GATEWAY_SCORE_TABLE_H
#define GATEWAY_SCORE_TABLE_H

#include "base/arena.h"
#include "base/json_write.h"
#include "inference/schedule/scheduler.h"

struct score_row {
    const char *endpoint;               /* its text; compared by content */
    double scores[PROFILE_SCORERS_MAX]; /* before the weights */
    double total;
};

struct score_table {
    struct arena *arena;
    const char *scorers[PROFILE_SCORERS_MAX];
    double weights[PROFILE_SCORERS_MAX];
    unsigned scorer_count;
    struct score_row *rows; /* only endpoints that could be picked and were not filtered out */
    unsigned row_count, row_capacity;
    unsigned next; /* the row that a scorer most probably tells of next */
};

/* As a pick for this request would see it; picks nothing.  Takes the pool's lock. */
void score_table_make(struct pool *pool, const struct pick_request *request, struct arena *arena,
                      struct score_table *ret_table);
/* NULL when the endpoint could not be picked. */
const struct score_row *score_table_find(const struct score_table *table, const char *endpoint);
void score_table_write_text(const struct score_table *table, struct buffer *out);
/* {"queue-scorer":0.5,...,"total":1.2}; null for NULL. */
void score_row_write_json(const struct score_table *table, const struct score_row *row, struct json_writer *writer);

#endif
