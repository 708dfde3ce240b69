/* SPDX-License-Identifier: Apache-2.0 */
/* end_reason.c: lookups in end_reason.def. */
#include "proxy/end_reason.h"

static const struct {
    const char *text;
    unsigned status;
    const char *message;
} reasons[END_REASON_COUNT] = {
#define X(id, reason, status, message) [END_##id] = {reason, status, message},
#include "proxy/end_reason.def"
#undef X
};

const char *end_reason_text(enum end_reason reason)
{
    return reasons[reason].text;
}

unsigned end_reason_status(enum end_reason reason)
{
    return reasons[reason].status;
}

const char *end_reason_message(enum end_reason reason)
{
    return reasons[reason].message;
}

const char *end_reason_dropped(enum end_reason reason)
{
    switch (reason) {
    case END_SHED:
    case END_QUEUE_FULL:
        return "rejected-saturated";
    case END_QUEUE_TIMEOUT:
        return "rejected-ttl-expired";
    case END_NO_ENDPOINT:
        return "rejected-no-endpoints";
    default:
        return "";
    }
}
