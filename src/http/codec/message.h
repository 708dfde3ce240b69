/* SPDX-License-Identifier: Apache-2.0 */
/* message.h: heads of requests and responses as every HTTP version yields them. */
#ifndef HTTP_CODEC_MESSAGE_H
#define HTTP_CODEC_MESSAGE_H

#include <stdint.h>

#include "http/codec/fields.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_CONNECT,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH,
    HTTP_METHOD_OTHER
};

/* How the end of a body is known (RFC 9112 6.3). */
enum http_framing {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,
    HTTP_BODY_CHUNKED,
    HTTP_BODY_UNTIL_CLOSE, /* responses only */
};

struct http_request {
    enum http_method method;
    struct bytes method_text;
    struct bytes target;    /* as received, the origin form after absolute-form was taken apart */
    struct bytes path;      /* target up to '?' */
    struct bytes query;     /* after '?', without it; "" when none */
    struct bytes authority; /* Host, or the authority of an absolute-form target, as sent */
    struct bytes host;      /* authority without the port and the brackets' contents kept; case as sent */
    unsigned version_minor; /* HTTP/1.x */
    struct http_fields fields;
    enum http_framing framing;
    uint64_t content_length; /* with HTTP_BODY_LENGTH */
    bool keep_alive;         /* the peer lets the connection live on (RFC 9112 9.3) */
    bool expects_continue;   /* Expect: 100-continue from an HTTP/1.1 peer */
};

struct http_response {
    unsigned status;
    struct bytes reason;
    unsigned version_minor;
    struct http_fields fields;
    enum http_framing framing;
    uint64_t content_length;
    bool keep_alive;
};

enum http_method http_method_of(struct bytes text);
const char *http_method_name(enum http_method method);
/* "Not Found"; "Status" for codes without a registered phrase. */
const char *http_status_phrase(unsigned status);

#endif
