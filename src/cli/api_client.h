/* SPDX-License-Identifier: Apache-2.0 */
/* api_client.h: single requests to an API server, by a kubeconfig.  Blocks; one thread. */
#ifndef CLI_API_CLIENT_H
#define CLI_API_CLIENT_H

#include <jansson.h>

#include "cli/kubeconfig.h"
#include "http/codec/message.h"
#include "net/address.h"
#include "net/tls.h"

enum { API_ERROR_SIZE = 600 };

struct api_client {
    struct kubeconfig config;
    struct address address;
    struct tls_trust *trust;
    struct bytes host; /* the Host field */
    struct arena *arena;
    char error[API_ERROR_SIZE]; /* of the last thing that failed, as a sentence */
};

/* path NULL: the default one.  False with a sentence in client->error; close it in any case. */
bool api_client_open(struct api_client *client, const char *path);
void api_client_close(struct api_client *client);

/* body may be NULL.  The status, with its object in *ret_object (NULL when it is no JSON); -1 when there was no answer.
 * client->error is set for everything but 2xx.  The caller owns the object. */
int api_client_call(struct api_client *client, enum http_method method, const char *path, const char *content_type,
                    const json_t *body, json_t **ret_object);

#endif
