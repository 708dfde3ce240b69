/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.h: the gateway's listening sockets by address and port, kept over snapshots.  Control thread. */
#ifndef GATEWAY_SOCKETS_H
#define GATEWAY_SOCKETS_H

#include "gateway/worker.h"
#include "route/snapshot.h"

struct sockets;

/* workers: borrowed. */
struct sockets *sockets_new(struct worker *const *workers, unsigned worker_count);
void sockets_free(struct sockets *sockets);
/* Finds or opens; a new one is heard by every worker once sockets_settle() says that a snapshot names it.  The id that
 * routes know it by, or -errno. */
int sockets_bind(struct sockets *sockets, const char *ip, uint16_t port);
/* After the snapshot was mailed: starts listening on new sockets, closes those that it does not name. */
void sockets_settle(struct sockets *sockets, const struct route_snapshot *snapshot);
/* Gives up every socket: each closes once the last worker has left it, and refuses from then on. */
void sockets_close(struct sockets *sockets);

#endif
