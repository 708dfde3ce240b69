/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig.h: how to reach an API server, as kubectl's configuration says: server, authority and token of the current
 * context.  Client certificates, login programs and servers without TLS are refused with a sentence. */
#ifndef CLI_KUBECONFIG_H
#define CLI_KUBECONFIG_H

#include "base/arena.h"

enum { KUBECONFIG_ERROR_SIZE = 400 };

struct kubeconfig {
    const char *host;           /* name or IP address, without brackets */
    const char *port;           /* in digits */
    const char *path;           /* prefix of every path: "" or "/prefix" */
    struct bytes authority_pem; /* empty: those that the system trusts */
    const char *authority_file; /* "": none; relative to the file's folder */
    const char *token;          /* "": none */
    const char *token_file;     /* the same as authority_file */
    const char *namespace_;     /* "default" unless the context says otherwise */
};

/* Texts live in the arena.  False with a sentence in error. */
bool kubeconfig_parse(struct bytes text, struct arena *arena, struct kubeconfig *ret_config,
                      char error[KUBECONFIG_ERROR_SIZE]);
/* The same from a file, with what it refers to read as well: authority_pem and token are complete then. */
bool kubeconfig_read(const char *path, struct arena *arena, struct kubeconfig *ret_config,
                     char error[KUBECONFIG_ERROR_SIZE]);
/* Where it is when nobody says: $KUBECONFIG (the first of several), else ./serin-data/kubeconfig. */
const char *kubeconfig_default_path(struct arena *arena);

#endif
