/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h: one request to a running gateway: its admin listener, or its API server over TLS.  Blocks. */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/buffer.h"
#include "http/codec/message.h"
#include "net/address.h"
#include "net/tls.h"

struct fetch_request {
    const struct address *to;
    struct tls_trust *trust; /* NULL: without TLS */
    const char *server_name; /* with TLS: whom the certificate must name */
    struct bytes host;       /* the Host field; empty: the address */
    enum http_method method;
    struct bytes target;
    struct bytes token; /* a bearer's; empty: none */
    struct bytes content_type;
    struct bytes body; /* empty: none */
};

/* The body goes to out, 16 MiB at most.  The status, or -1 with a constant sentence in *ret_why. */
int fetch_send(const struct fetch_request *request, struct buffer *out, const char **ret_why);
/* A GET without TLS. */
int fetch(const struct address *from, struct bytes target, struct buffer *out, const char **ret_why);

#endif
