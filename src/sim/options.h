/* SPDX-License-Identifier: Apache-2.0 */
/* options.h: the command line of `serin sim`: that of `vllm serve` (or sglang's launcher) and a few flags of its own.
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdio.h>

#include "base/arena.h"
#include "sim/behaviour.h"

struct sim_adapter_option {
    struct bytes name;
    struct bytes path;
};

/* Everything lives in the arena or in argv. */
struct sim_options {
    struct arena *arena;
    struct bytes model;
    const char *host;
    uint16_t port;
    uint16_t control_port; /* 0: none */
    struct bytes *served_names;
    unsigned served_name_count;
    struct sim_adapter_option *adapters;
    unsigned adapter_count;
    bool enable_lora;
    bool has_max_loras, has_max_cpu_loras;
    uint64_t max_loras;
    uint64_t max_cpu_loras;
    uint64_t max_model_len;
    uint64_t max_num_seqs;
    uint64_t seed;
    uint64_t grace_ms;
    double speed;
    bool parent_death;
    struct behaviour behaviour;
};

enum options_outcome { OPTIONS_OK, OPTIONS_HELP, OPTIONS_BAD };

/* BAD: one line was written to errors.  Flags of the real servers that mean nothing here are dropped; unknown ones too,
 * with a warning line. */
enum options_outcome sim_options_parse(int argc, char **argv, struct arena *arena, FILE *errors,
                                       struct sim_options *ret_options);
void sim_options_write_help(FILE *out);

#endif
