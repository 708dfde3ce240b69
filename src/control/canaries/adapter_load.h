/* SPDX-License-Identifier: Apache-2.0 */
/* adapter_load.h: asks one model server to load one LoRA adapter (POST /v1/load_lora_adapter of vLLM and SGLang). */
#ifndef CONTROL_CANARIES_ADAPTER_LOAD_H
#define CONTROL_CANARIES_ADAPTER_LOAD_H

#include "http/single_call.h"

enum { ADAPTER_LOAD_ERROR_MAX = 160 };

/* Embedded by whoever waits for it.  One reactor. */
struct adapter_load {
    /* Once per start, never from inside it.  error: NULL when the server said yes, or that it has it already. */
    void (*on_done)(struct adapter_load *load, const char *error);
    struct single_call post;
    struct buffer request;
};

void adapter_load_init(struct adapter_load *load, struct reactor *reactor,
                       void (*on_done)(struct adapter_load *load, const char *error));
/* path: of the weights, as the server sees them; often a repository's name.  Nothing happens while one is running. */
void adapter_load_start(struct adapter_load *load, const struct address *address, const char *name, const char *path,
                        uint32_t timeout_ms);
bool adapter_load_is_running(const struct adapter_load *load);
/* Ends a running one without a word, frees what it holds. */
void adapter_load_deinit(struct adapter_load *load);

#endif
