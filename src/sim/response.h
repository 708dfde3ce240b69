/* SPDX-License-Identifier: Apache-2.0 */
/* response.h: the JSON of answers of the Responses API, whole or as server-sent events.  Pure. */
#ifndef SIM_RESPONSE_H
#define SIM_RESPONSE_H

#include "sim/answer.h"

struct response {
    uint64_t id;
    uint64_t created_s;
    struct bytes model_json;    /* the name with quotes */
    struct bytes previous_json; /* the id that it goes on with, with quotes; "null" */
    uint64_t event_count;       /* written so far: each event has its number */
};

/* Events of a stream: what comes before the text, each piece of it, and the rest.  Texts are escaped, without quotes.
 * finish_reason: "length" makes it incomplete. */
void response_begin_events(struct response *response, struct buffer *out);
void response_text_event(struct response *response, struct buffer *out, struct bytes text_json);
void response_end_events(struct response *response, struct buffer *out, struct bytes text_json,
                         const char *finish_reason, struct answer_usage usage);

/* The whole answer. */
void response_whole(const struct response *response, struct buffer *out, struct bytes text_json,
                    const char *finish_reason, struct answer_usage usage);

#endif
