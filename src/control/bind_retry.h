/* SPDX-License-Identifier: Apache-2.0 */
/* bind_retry.h: addresses and ports that could not be listened on: another program has the port, or the address is gone
 * from this host.  They are tried again from time to time, since nobody tells when that changes.  Control thread. */
#ifndef CONTROL_BIND_RETRY_H
#define CONTROL_BIND_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum { BIND_RETRY_MAX = 256 /* the others are tried with the next change of configuration */ };

struct bind_retry {
    int (*bind)(void *context, const char *ip, uint16_t port); /* as compile_input.bind */
    void *context;
    struct {
        char ip[48];
        uint16_t port;
    } failed[BIND_RETRY_MAX];
    unsigned count;
};

/* Before a compile: what it cannot bind is noted anew. */
void bind_retry_begin(struct bind_retry *retry);
/* The compile's bind; context is a struct bind_retry. */
int bind_retry_bind(void *context, const char *ip, uint16_t port);
/* One of them can be bound now: compile again. */
bool bind_retry_succeeds(struct bind_retry *retry);

#endif
