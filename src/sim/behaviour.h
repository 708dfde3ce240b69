/* SPDX-License-Identifier: Apache-2.0 */
/* behaviour.h: how a simulated model server behaves: speeds, sizes and faults, as "key=value,key=value".
 *
 * The same keys serve the flag --sim, the pod annotation serin.dev/sim and the control endpoint /sim/config.  Pure. */
#ifndef SIM_BEHAVIOUR_H
#define SIM_BEHAVIOUR_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/json_write.h"

#define BEHAVIOUR_OFF        (-1) /* of the counts that may be "off" */
#define BEHAVIOUR_ERROR_SIZE 600

struct behaviour {
    uint64_t ttft_us;
    uint64_t ttft_std_dev_us;
    uint64_t itl_us;
    uint64_t itl_std_dev_us;
    uint64_t prefill_us; /* per prompt token that is in no cache */
    uint64_t prefill_max_us;
    uint64_t startup_us;
    uint64_t slow_first_token_us; /* added to the first token of the next slow_count requests */
    uint64_t slow_metrics_us;     /* before /metrics is answered */
    double load_factor;           /* time factor when every slot is taken */
    double error_rate;
    int64_t error_code;
    int64_t max_waiting;
    int64_t length; /* mean tokens of a chat answer without max_tokens */
    int64_t kv_blocks;
    int64_t slow_count;       /* BEHAVIOUR_OFF: all of them */
    int64_t die_after_events; /* BEHAVIOUR_OFF: never */
    int64_t die_after_bytes;  /* BEHAVIOUR_OFF: never */
    bool batch;               /* a batching engine: ttft, itl, prefill and load-factor do not count */
    bool refuse;
    bool empty;
    bool late_head;
    bool abort_on_sigterm;
    bool freeze_metrics; /* /metrics stays as it was when it was first asked for so */
};

/* An 8B model on one H100. */
extern const struct behaviour behaviour_defaults;

/* Sets one key.  false, with a sentence in error and nothing changed, for an unknown key or a bad value. */
MUST_CHECK bool behaviour_set(struct behaviour *behaviour, struct bytes key, struct bytes value,
                              char error[BEHAVIOUR_ERROR_SIZE]);
/* Sets all keys of "ttft=80ms,itl=12ms" or none. */
MUST_CHECK bool behaviour_parse(struct behaviour *behaviour, struct bytes text, char error[BEHAVIOUR_ERROR_SIZE]);
/* Whether a bare number for this key means milliseconds; false for unknown keys. */
bool behaviour_is_duration(struct bytes key);
/* The present values, as members of the open object. */
void behaviour_write(const struct behaviour *behaviour, struct json_writer *json);
/* A line per key, for --help. */
void behaviour_write_help(struct buffer *out);

#endif
