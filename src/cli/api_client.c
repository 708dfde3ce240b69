/* SPDX-License-Identifier: Apache-2.0 */
/* api_client.c: from a kubeconfig to a server that answers. */
#include "cli/api_client.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "cli/fetch.h"

/* Names are asked for once; a command does not live long. */
static bool resolve(struct api_client *client)
{
    const struct kubeconfig *config = &client->config;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(config->host, config->port, &hints, &found);
    bool is_found = error == 0 && found->ai_addrlen <= sizeof client->address.sa;
    if (is_found) {
        memcpy(&client->address.sa, found->ai_addr, found->ai_addrlen);
        client->address.len = found->ai_addrlen;
    } else {
        snprintf(client->error, sizeof client->error, "%.200s: %s", config->host, gai_strerror(error));
    }
    if (found != NULL)
        freeaddrinfo(found);
    return is_found;
}

bool api_client_open(struct api_client *client, const char *path)
{
    *client = (struct api_client){.arena = arena_new(0)};
    const char *from = path != NULL ? path : kubeconfig_default_path(client->arena);
    char error[KUBECONFIG_ERROR_SIZE] = "";
    if (!kubeconfig_read(from, client->arena, &client->config, error)) {
        snprintf(client->error, sizeof client->error, "kubeconfig %s", error);
        return false;
    }
    const struct kubeconfig *config = &client->config;
    bool is_v6 = strchr(config->host, ':') != NULL;
    client->host = bytes_of(arena_printf(client->arena, is_v6 ? "[%s]:%s" : "%s:%s", config->host, config->port));
    client->trust = tls_trust_new(config->authority_pem, error);
    if (client->trust == NULL) {
        snprintf(client->error, sizeof client->error, "kubeconfig %.200s: %.300s", from, error);
        return false;
    }
    return resolve(client);
}

void api_client_close(struct api_client *client)
{
    tls_trust_free(client->trust);
    arena_free(client->arena);
}

/* The server's own sentence when it gave one. */
static void explain_status(struct api_client *client, int status, const json_t *object)
{
    const char *message = json_string_value(json_object_get(object, "message"));
    if (message != NULL)
        snprintf(client->error, sizeof client->error, "%s", message);
    else
        snprintf(client->error, sizeof client->error, "the API server answered %d %s", status,
                 http_status_phrase((unsigned)status));
}

static int send_request(struct api_client *client, enum http_method method, const char *path, const char *content_type,
                        struct bytes body, struct buffer *answer)
{
    const char *why = NULL;
    struct buffer target = {0};
    buffer_printf(&target, "%s%s", client->config.path, path);
    struct fetch_request request = {.to = &client->address,
                                    .trust = client->trust,
                                    .server_name = client->config.host,
                                    .host = client->host,
                                    .method = method,
                                    .target = buffer_bytes(&target),
                                    .token = bytes_of(client->config.token),
                                    .content_type = bytes_of(content_type),
                                    .body = body};
    int status = fetch_send(&request, answer, &why);
    buffer_deinit(&target);
    if (status < 0)
        snprintf(client->error, sizeof client->error, "https://%.*s: %s", BYTES_ARG(client->host), why);
    return status;
}

int api_client_call(struct api_client *client, enum http_method method, const char *path, const char *content_type,
                    const json_t *body, json_t **ret_object)
{
    char error[200];
    struct buffer answer = {0};
    char *text = body != NULL ? must(json_dumps(body, JSON_COMPACT)) : NULL;
    int status = send_request(client, method, path, content_type, bytes_of(text), &answer);
    free(text);
    *ret_object = status >= 0 ? json_read(buffer_bytes(&answer), error) : NULL;
    buffer_deinit(&answer);
    bool is_good = status >= 200 && status < 300;
    if (is_good && *ret_object == NULL) {
        snprintf(client->error, sizeof client->error, "the API server's answer is no JSON: %s", error);
        return -1;
    }
    if (status >= 0 && !is_good)
        explain_status(client, status, *ret_object);
    return status;
}
