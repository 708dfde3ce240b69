/* SPDX-License-Identifier: Apache-2.0 */
/* conditions.h: status.conditions as a list that remembers when each of them changed.  Pure. */
#ifndef CONTROL_WORKLOADS_CONDITIONS_H
#define CONTROL_WORKLOADS_CONDITIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The condition of this type, or NULL. */
const json_t *condition_find(const json_t *conditions, const char *type);
/* A copy that condition_set() may change; an empty list for NULL. */
json_t *conditions_edit(const json_t *conditions);
/* Adds or replaces one.  lastTransitionTime moves only when the status changes.  message "" leaves it out. */
void condition_set(json_t *conditions, const char *type, bool is_true, const char *reason, const char *message,
                   uint64_t now_wall_ms);
/* A Deployment's, which also has lastUpdateTime: that moves when status or reason changes, or when is_moving.  Without
 * either nothing changes.  status: "True", "False", "Unknown". */
void condition_set_moving(json_t *conditions, const char *type, const char *status, const char *reason,
                          const char *message, bool is_moving, uint64_t now_wall_ms);

#endif
