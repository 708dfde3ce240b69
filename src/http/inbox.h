/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.h: received bytes that were not taken yet, for both sides of HTTP.
 *
 * Bytes are processed where recv put them: on the stack of the reading function, hot and free of charge.  Only what
 * could not be taken at once (half a head, pipelined requests, a paused body) is kept in the inbox, so that a
 * connection between messages, or in the middle of a long body, owns no receive memory at all. */
#ifndef HTTP_INBOX_H
#define HTTP_INBOX_H

#include "base/buffer.h"
#include "net/transport.h"

enum {
    INBOX_SCRATCH_BYTES = 64 * 1024,
    INBOX_FIRST_BYTES = 20 * 1024, /* where a head is to come: what follows is better received where it stays */
    INBOX_MAX_ROUNDS = 4           /* receives per wake-up: the other connections wait */
};

/* Receives once, into scratch when the inbox is empty, else behind what it holds.  > 0: *ret_input is everything not
 * taken so far, *ret_is_full says that more may wait.  Otherwise as transport_recv(). */
ssize_t inbox_recv(struct buffer *inbox, struct transport *transport, char *scratch, size_t scratch_size,
                   struct bytes *ret_input, bool *ret_is_full);
/* rest: what was not taken of the input, wherever that was. */
void inbox_keep(struct buffer *inbox, struct bytes rest);

#endif
