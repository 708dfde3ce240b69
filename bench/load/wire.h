/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h: sockets of the load tools: one epoll loop in one thread, connections that send and receive.
 *
 * Only for benchmarks on loopback: a failed system call of set-up ends the program. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/list.h"

enum { WIRE_SCRATCH_BYTES = 512 * 1024 };

/* A connection, embedded by its owner. */
struct wire {
    int fd;                                 /* -1 once closed */
    struct list link;                       /* on the list of those to be freed, once closed */
    void (*on_readable)(struct wire *wire); /* bytes, the end or an error: wire_receive() */
    void (*on_closed)(struct wire *wire);   /* frees; called at the end of the turn in which it was closed */
    struct bytes pending[2];                /* borrowed: what the socket did not take yet */
    struct buffer out;                      /* copied: the same, sent after it */
    struct buffer in;                       /* received and not taken */
    bool waits_for_room;
};

/* Opens the loop of this program; once. */
void wire_loop_start(void);
/* Waits at most so long, then calls back whoever is ready. */
void wire_loop_turn(uint64_t timeout_ns);
/* A descriptor that is not a connection (a listening socket, standard input): on_readable is all that is called. */
void wire_watch(struct wire *wire, int fd, void (*on_readable)(struct wire *wire));

uint64_t wire_now_ns(void);
/* "127.0.0.1:8080"; ends the program when it is nothing of the kind. */
struct sockaddr_in wire_address(const char *text);
/* A listening, non-blocking socket. */
int wire_listen(const struct sockaddr_in *address);
/* wire is zeroed but for its callbacks; connecting goes on in the background and sending waits for it. */
void wire_connect(struct wire *wire, const struct sockaddr_in *to);
/* Takes an accepted descriptor; -1: nobody waits.  As wire_connect(). */
int wire_accept(int listening_fd);
void wire_adopt(struct wire *wire, int fd);
void wire_close(struct wire *wire);

/* Sends head and body, which stay where they are until all has left. */
void wire_send(struct wire *wire, struct bytes head, struct bytes body);
/* Sends and copies what the socket does not take. */
void wire_send_copy(struct wire *wire, struct bytes bytes);
/* Receives once.  *ret_input: all that was not taken so far; empty when nothing came or, with false, at the end. */
bool wire_receive(struct wire *wire, struct bytes *ret_input);
/* What was not taken of the input. */
void wire_keep(struct wire *wire, struct bytes rest);

#endif
