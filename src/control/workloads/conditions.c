/* SPDX-License-Identifier: Apache-2.0 */
/* conditions.c: conditions of Pods and Deployments. */
#include "control/workloads/conditions.h"

#include "control/workloads/metadata.h"

const json_t *condition_find(const json_t *conditions, const char *type)
{
    size_t index;
    json_t *item;
    json_array_foreach(conditions, index, item)
    {
        if (strcmp(json_text(item, "type"), type) == 0)
            return item;
    }
    return NULL;
}

json_t *conditions_edit(const json_t *conditions)
{
    return json_is_array(conditions) ? json_copy((json_t *)(uintptr_t)conditions) : json_array();
}

/* Puts it where the older one of its type stands, or at the end. */
static void put(json_t *conditions, const char *type, json_t *condition)
{
    size_t index;
    json_t *item;
    json_array_foreach(conditions, index, item)
    {
        if (strcmp(json_text(item, "type"), type) == 0) {
            json_array_set_new(conditions, index, condition);
            return;
        }
    }
    json_array_append_new(conditions, condition);
}

static json_t *new_condition(const json_t *before, const char *type, const char *status, const char *reason,
                             const char *message, uint64_t now_wall_ms)
{
    json_t *condition = json_pack("{s:s, s:s}", "type", type, "status", status);
    bool is_kept = strcmp(json_text(before, "status"), status) == 0;
    if (is_kept && json_text(before, "lastTransitionTime")[0] != '\0')
        json_set_text(condition, "lastTransitionTime", json_text(before, "lastTransitionTime"));
    else
        json_set_time(condition, "lastTransitionTime", now_wall_ms);
    if (reason[0] != '\0')
        json_set_text(condition, "reason", reason);
    if (message[0] != '\0')
        json_set_text(condition, "message", message);
    return condition;
}

void condition_set(json_t *conditions, const char *type, bool is_true, const char *reason, const char *message,
                   uint64_t now_wall_ms)
{
    const json_t *before = condition_find(conditions, type);
    put(conditions, type, new_condition(before, type, is_true ? "True" : "False", reason, message, now_wall_ms));
}

void condition_set_moving(json_t *conditions, const char *type, const char *status, const char *reason,
                          const char *message, bool is_moving, uint64_t now_wall_ms)
{
    const json_t *before = condition_find(conditions, type);
    bool is_same = strcmp(json_text(before, "status"), status) == 0 && strcmp(json_text(before, "reason"), reason) == 0;
    if (is_same && !is_moving)
        return;
    json_t *condition = new_condition(before, type, status, reason, message, now_wall_ms);
    json_set_time(condition, "lastUpdateTime", now_wall_ms);
    put(conditions, type, condition);
}
