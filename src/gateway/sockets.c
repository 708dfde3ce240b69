/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.c: opens, shares and closes listening sockets.
 *
 * An id is never used again in the life of the process: a connection accepted from a socket that is gone can meet no
 * other Gateway's routes. */
#include "gateway/sockets.h"

#include <errno.h>
#include <stdlib.h>

struct bound {
    struct proxy_socket data; /* what connections carry; lives until sockets_free() */
    struct address address;
    struct listen_socket *socket; /* NULL once closed */
    bool is_heard;
};

struct sockets {
    struct worker *const *workers;
    unsigned worker_count;
    struct bound **items; /* by id */
    unsigned len;
};

struct sockets *sockets_new(struct worker *const *workers, unsigned worker_count)
{
    struct sockets *sockets = calloc(1, sizeof *sockets);
    if (sockets == NULL)
        abort();
    sockets->workers = workers;
    sockets->worker_count = worker_count;
    return sockets;
}

void sockets_free(struct sockets *sockets)
{
    if (sockets == NULL)
        return;
    for (unsigned i = 0; i < sockets->len; i++) {
        if (sockets->items[i]->socket != NULL)
            listen_socket_give_back(sockets->items[i]->socket);
        free(sockets->items[i]);
    }
    free(sockets->items);
    free(sockets);
}

static int add(struct sockets *sockets, const struct address *address, struct listen_socket *socket)
{
    struct bound *bound = calloc(1, sizeof *bound);
    struct bound **items = realloc(sockets->items, (sockets->len + 1) * sizeof(struct bound *));
    if (bound == NULL || items == NULL)
        abort();
    sockets->items = items;
    bound->data.id = sockets->len;
    bound->address = *address;
    bound->socket = socket;
    items[sockets->len] = bound;
    return (int)sockets->len++;
}

int sockets_bind(struct sockets *sockets, const char *ip, uint16_t port)
{
    struct address address;
    struct listen_socket *socket = NULL;
    if (!address_make(&address, bytes_of(ip), port))
        return -EINVAL;
    for (unsigned i = 0; i < sockets->len; i++)
        if (sockets->items[i]->socket != NULL && address_equal(&sockets->items[i]->address, &address))
            return (int)i;
    int error = listen_socket_open(&address, &socket);
    return error < 0 ? error : add(sockets, &address, socket);
}

static void start(struct sockets *sockets, struct bound *bound)
{
    for (unsigned w = 0; w < sockets->worker_count; w++)
        worker_listen(sockets->workers[w], bound->socket, &bound->data);
    bound->is_heard = true;
}

static void stop(struct sockets *sockets, struct bound *bound)
{
    for (unsigned w = 0; bound->is_heard && w < sockets->worker_count; w++)
        worker_unlisten(sockets->workers[w], &bound->data);
    listen_socket_give_back(bound->socket);
    bound->socket = NULL;
}

void sockets_settle(struct sockets *sockets, const struct route_snapshot *snapshot)
{
    for (unsigned i = 0; i < sockets->len; i++) {
        struct bound *bound = sockets->items[i];
        bool is_named = i < snapshot->port_count && snapshot->ports[i] != NULL;
        if (bound->socket != NULL && is_named && !bound->is_heard)
            start(sockets, bound);
        else if (bound->socket != NULL && !is_named)
            stop(sockets, bound);
    }
}

void sockets_close(struct sockets *sockets)
{
    for (unsigned i = 0; i < sockets->len; i++)
        if (sockets->items[i]->socket != NULL)
            stop(sockets, sockets->items[i]);
}
