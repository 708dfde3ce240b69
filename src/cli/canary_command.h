/* SPDX-License-Identifier: Apache-2.0 */
/* canary_command.h: what the files of `serin canary` share: canary.c reads the flags, canary_verbs.c writes commands
 * and weights, canary_watch.c follows.  Internal to canary*.c. */
#ifndef CLI_CANARY_COMMAND_H
#define CLI_CANARY_COMMAND_H

#include "cli/api_client.h"

struct canary_command {
    const char *verb; /* "show" */
    const char *name; /* of the Canary; NULL: all */
    const char *percent_text;
    const char *kubeconfig; /* NULL: the default */
    const char *namespace_; /* NULL: the context's */
    bool is_json;
    bool is_everywhere;  /* list: all namespaces */
    bool is_full;        /* promote */
    bool cuts;           /* abort */
    uint64_t timeout_ms; /* watch; 0: none */
    uint64_t interval_ms;
    unsigned weight_bp; /* set-weight */
    struct api_client client;
};

/* The path of all Canaries, or of one, in the namespace that counts; valid as long as the client is open. */
const char *canary_path(struct canary_command *command, const char *name);
/* The Canary as it is now; NULL after a line on standard error. */
json_t *canary_get(struct canary_command *command);
/* One line on standard error, "serin canary VERB: ..."; EXIT_FAILED. */
int canary_fail(const struct canary_command *command, const char *format, ...) PRINTF_LIKE(2, 3);
/* How wide standard output is; 0 when it is no terminal. */
size_t canary_columns(void);
/* To standard output, with a line break. */
void canary_print_json(const json_t *value, bool is_indented);

int canary_run_order(struct canary_command *command);
int canary_run_set_weight(struct canary_command *command);
int canary_run_watch(struct canary_command *command);

#endif
