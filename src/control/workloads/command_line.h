/* SPDX-License-Identifier: Apache-2.0 */
/* command_line.h: what a container would run, as far as the simulator can stand for it.  Pure. */
#ifndef CONTROL_WORKLOADS_COMMAND_LINE_H
#define CONTROL_WORKLOADS_COMMAND_LINE_H

#include "kube/api/core.h"

struct command_line {
    const char **words; /* NULL-ended, in the arena: the model server's arguments after "vllm serve" */
    unsigned len;
    uint16_t port; /* of --port; 8000 (vLLM) or 30000 (SGLang) without one */
};

/* Splits a shell command into words: blanks, '...', "...", \x; no expansion.  A character that would need a shell
 * ($ ` | & ; < > ( ) unquoted) ends it with false. */
bool command_line_split(struct bytes text, struct arena *arena, const char ***ret_words, unsigned *ret_count);
/* Understands `vllm serve ...`, `python -m vllm.entrypoints.openai.api_server ...` and `python -m sglang.launch_server
 * ...`, directly or behind `sh -c`.  false with a sentence in *ret_why when it is something else. */
bool command_line_of(const struct container_spec *container, struct arena *arena, struct command_line *ret_command,
                     const char **ret_why);

#endif
