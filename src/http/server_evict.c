/* SPDX-License-Identifier: Apache-2.0 */
/* server_evict.c: room for a new client at the limit: the connection that has been at rest longest goes.
 *
 * Connections are in no order of their rest, which every request would have to keep.  All are looked at once for a
 * batch of the oldest, which come to the front of the list: the new clients after this one take theirs from there. When
 * the looking found fewer, it is not repeated before it has become cheap beside the rest of the work; those that come
 * to rest meanwhile join the batch. */
#include "base/compiler.h"
#include "http/server_internal.h"

enum {
    BATCH = 64,
    SEEN_PER_MS = 256, /* while few are at rest */
};

/* The array stays sorted, the oldest first; of more than BATCH the youngest falls out.  Gives the new count. */
static unsigned insert(struct http_connection **oldest, unsigned count, struct http_connection *connection)
{
    uint64_t since_ms = connection->rest_since_ms;
    if (count == BATCH && oldest[--count]->rest_since_ms <= since_ms)
        return BATCH;
    unsigned at = count;
    for (; at > 0 && oldest[at - 1]->rest_since_ms > since_ms; at--)
        oldest[at] = oldest[at - 1];
    oldest[at] = connection;
    return count + 1;
}

static void look_for_evictable(struct http_server *server)
{
    struct http_connection *oldest[BATCH];
    unsigned count = 0;
    uint64_t now_ms = reactor_now_ms(server->reactor);
    if (now_ms < server->evictable.look_after_ms)
        return;
    LIST_FOR_EACH (node, &server->connections) {
        struct http_connection *connection = LIST_ENTRY(node, struct http_connection, link);
        if (connection_is_at_rest(connection))
            count = insert(oldest, count, connection);
    }
    for (unsigned i = count; i-- > 0;) {
        list_remove(&oldest[i]->link);
        list_push_front(&server->connections, &oldest[i]->link);
    }
    server->evictable.count = count;
    server->evictable.rest_until_ms = count > 0 ? oldest[count - 1]->rest_since_ms : 0;
    server->evictable.look_after_ms = count < BATCH ? now_ms + server->open_count / SEEN_PER_MS : 0;
}

/* Some of them may have closed or worked since: what stands at the front then is none of them, or is younger. */
static bool evict_known(struct http_server *server)
{
    while (server->evictable.count > 0) {
        struct http_connection *front = LIST_ENTRY(list_pop(&server->connections), struct http_connection, link);
        list_push(&server->connections, &front->link);
        server->evictable.count--;
        if (front->rest_since_ms <= server->evictable.rest_until_ms && connection_close_at_rest(front))
            return true;
    }
    return false;
}

void server_note_rest(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (LIKELY(connection->rest_since_ms >= server->evictable.look_after_ms) || server->evictable.count == BATCH)
        return;
    list_remove(&connection->link);
    list_push_front(&server->connections, &connection->link);
    server->evictable.count++;
    server->evictable.rest_until_ms = connection->rest_since_ms;
}

bool server_evict_idle(struct http_server *server)
{
    if (!evict_known(server)) {
        look_for_evictable(server);
        if (!evict_known(server))
            return false;
    }
    if (server->observer != NULL && server->observer->on_evicted != NULL)
        server->observer->on_evicted(server->server_data);
    return true;
}
