/* SPDX-License-Identifier: Apache-2.0 */
/* apiserver.h: the Kubernetes-style REST API over a store, for kubectl and client libraries, by HTTPS with one token.
 *
 * Runs on the control thread's reactor.  It knows nothing of gateways: controllers see what it writes by the store. */
#ifndef KUBE_APISERVER_APISERVER_H
#define KUBE_APISERVER_APISERVER_H

#include "http/server.h"
#include "kube/store/store.h"
#include "observe/metrics.h"

struct apiserver;

enum { APISERVER_ERROR_SIZE = 600 };

struct apiserver_limits {
    size_t body_bytes;        /* of one request: 413 */
    size_t all_bodies_bytes;  /* of all requests that are being read: 429 */
    size_t all_answers_bytes; /* of all answers that wait for their clients: 429 */
    unsigned watches;         /* at once: 429 */
    unsigned connections;     /* at once: 503 */
};
extern const struct apiserver_limits apiserver_limits_default; /* 3 MiB, 64 MiB, 512 MiB, 1000, 1500 */

struct apiserver_config {
    struct store *store;
    struct address address;
    const char *data; /* folder of certificates, token and kubeconfig */
    struct apiserver_limits limits;
    struct metrics *metrics;
    unsigned shard;
    /* For /readyz. */
    bool (*is_ready)(void *context);
    /* Where a container's log is; false: nowhere. */
    bool (*pod_log)(void *context, const struct kube_object *pod, const char *container, char path[4096]);
    void *context;
};

/* Makes or loads the credentials, writes <data>/kubeconfig, listens.  NULL with a sentence in error. */
struct apiserver *apiserver_new(struct reactor *reactor, const struct apiserver_config *config,
                                char error[APISERVER_ERROR_SIZE]);
void apiserver_free(struct apiserver *server);
/* With the port that the kernel gave. */
const struct address *apiserver_address(const struct apiserver *server);
/* Watches and log streams end cleanly, connections close after their present answer. */
void apiserver_drain(struct apiserver *server);

#endif
