/* SPDX-License-Identifier: Apache-2.0 */
/* bind_retry.c: remembers failed binds.  A socket that a retry opens is found by the compile that follows. */
#include "control/bind_retry.h"

#include <stdio.h>

void bind_retry_begin(struct bind_retry *retry)
{
    retry->count = 0;
}

int bind_retry_bind(void *context, const char *ip, uint16_t port)
{
    struct bind_retry *retry = context;
    int result = retry->bind(retry->context, ip, port);
    if (result < 0 && retry->count < BIND_RETRY_MAX) {
        snprintf(retry->failed[retry->count].ip, sizeof retry->failed[0].ip, "%s", ip);
        retry->failed[retry->count++].port = port;
    }
    return result;
}

bool bind_retry_succeeds(struct bind_retry *retry)
{
    for (unsigned i = 0; i < retry->count; i++) {
        if (retry->bind(retry->context, retry->failed[i].ip, retry->failed[i].port) >= 0)
            return true;
    }
    return false;
}
