/* SPDX-License-Identifier: Apache-2.0 */
/* picker_config.h: reads an EndpointPickerConfig, as llm-d's picker takes it, into a profile.
 *
 * Every problem is told with the path of its field.  What the reference knows and this program does not do is refused,
 * never ignored, but for what it does in any case (scraping, parsing, prefix hashing).  Pure. */
#ifndef INFERENCE_SCHEDULE_PICKER_CONFIG_H
#define INFERENCE_SCHEDULE_PICKER_CONFIG_H

#include <jansson.h>

#include "base/error.h"
#include "inference/schedule/profile.h"

struct picker_config {
    struct profile profile;
    /* Tokens of an endpoint's share of the prefix index (approx-prefix-cache-producer with autoTune: false); 0: as many
     * as its engine says that its KV cache holds. */
    uint64_t prefix_tokens;
    /* The gate flowControl and its section; 0: the default. */
    bool has_queue;
    uint32_t queue_max_requests;
    uint64_t queue_max_bytes;
    uint64_t queue_ttl_ms;
};

/* One YAML or JSON document.  False, with problems, when it is not in order. */
bool picker_config_parse(struct bytes text, struct problems *problems, struct picker_config *ret_config);
/* The same of a tree. */
bool picker_config_decode(json_t *root, struct problems *problems, struct picker_config *ret_config);

/* "queue-scorer=2, prefix-cache-scorer=3": scorers with their weights (1 when not given), and max-score-picker.  False,
 * with problems about `path`, when it is not in order. */
bool scorer_list_parse(struct bytes text, const char *path, struct problems *problems, struct profile *ret_profile);

#endif
