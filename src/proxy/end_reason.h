/* SPDX-License-Identifier: Apache-2.0 */
/* end_reason.h: the one table of how exchanges end: status, machine reason, sentence. */
#ifndef PROXY_END_REASON_H
#define PROXY_END_REASON_H

enum end_reason {
#define X(id, reason, status, message) END_##id,
#include "proxy/end_reason.def"
#undef X
    END_REASON_COUNT
};

const char *end_reason_text(enum end_reason reason);
unsigned end_reason_status(enum end_reason reason);
const char *end_reason_message(enum end_reason reason);
/* For x-llm-d-request-dropped-reason, as llm-d's picker words it; "" when it has no word for it. */
const char *end_reason_dropped(enum end_reason reason);

#endif
