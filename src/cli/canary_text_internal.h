/* SPDX-License-Identifier: Apache-2.0 */
/* canary_text_internal.h: values of trees as short texts.  Internal to canary_text*.c. */
#ifndef CLI_CANARY_TEXT_INTERNAL_H
#define CLI_CANARY_TEXT_INTERNAL_H

#include <jansson.h>

#include "base/arena.h"
#include "base/json_tree.h"

/* NaN when there is no number. */
double tree_number(const json_t *tree, const char *path);

/* Each into the arena; "" for a number that is none. */
const char *show_percent(struct arena *arena, double percent);
const char *show_ms(struct arena *arena, double ms);
const char *show_rate(struct arena *arena, double per_second);
const char *show_cost(struct arena *arena, double cost);
const char *show_count(struct arena *arena, double count);

/* What comes after the present step, as the spec says; "" when nothing does or the spec is no good. */
const char *show_next(struct arena *arena, const json_t *canary);

#endif
