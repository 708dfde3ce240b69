/* SPDX-License-Identifier: Apache-2.0 */
/* condition.c: conditions as JSON.  Does not know when a condition changed: that belongs to whoever writes status. */
#include "kube/api/condition.h"

#include <assert.h>

const char *condition_status_text(enum condition_status status)
{
    static const char *const texts[] = {
        [CONDITION_FALSE] = "False", [CONDITION_TRUE] = "True", [CONDITION_UNKNOWN] = "Unknown"};
    assert((size_t)status < ARRAY_LEN(texts));
    return texts[status];
}

void condition_write(struct json_writer *writer, const struct condition *condition)
{
    jw_begin_object(writer);
    jw_member_str(writer, "type", condition->type);
    jw_member_str(writer, "status", condition_status_text(condition->status));
    jw_member_str(writer, "reason", condition->reason);
    jw_member_str(writer, "message", condition->message);
    jw_member_u64(writer, "observedGeneration", condition->observed_generation);
    jw_end_object(writer);
}
