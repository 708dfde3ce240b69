/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.c: see inbox.h. */
#include "http/inbox.h"

#include <assert.h>

enum { GROW_BYTES = 16 * 1024 };

ssize_t inbox_recv(struct buffer *inbox, struct transport *transport, char *scratch, size_t scratch_size,
                   struct bytes *ret_input, bool *ret_is_full)
{
    bool is_behind = !buffer_is_empty(inbox);
    size_t room = is_behind ? GROW_BYTES : scratch_size;
    char *to = is_behind ? buffer_reserve(inbox, room) : scratch;
    ssize_t got = transport_recv(transport, to, room);
    if (got <= 0)
        return got;
    if (is_behind)
        buffer_commit(inbox, (size_t)got);
    *ret_input = is_behind ? buffer_bytes(inbox) : bytes_make(scratch, (size_t)got);
    *ret_is_full = (size_t)got == room;
    return got;
}

void inbox_keep(struct buffer *inbox, struct bytes rest)
{
    if (!buffer_is_empty(inbox)) {
        assert(rest.len <= buffer_len(inbox));
        buffer_consume(inbox, buffer_len(inbox) - rest.len);
    } else if (rest.len > 0) {
        buffer_append(inbox, rest);
    }
    if (buffer_is_empty(inbox) && inbox->data != NULL)
        buffer_deinit(inbox);
}
