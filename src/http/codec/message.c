/* SPDX-License-Identifier: Apache-2.0 */
/* message.c: names of methods and phrases of status codes. */
#include "http/codec/message.h"

#include <assert.h>

static const char *const method_names[] = {
    [HTTP_GET] = "GET",       [HTTP_HEAD] = "HEAD",          [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE", [HTTP_CONNECT] = "CONNECT",    [HTTP_OPTIONS] = "OPTIONS", [HTTP_TRACE] = "TRACE",
    [HTTP_PATCH] = "PATCH",   [HTTP_METHOD_OTHER] = "OTHER",
};

static enum http_method method_if(struct bytes text, enum http_method method)
{
    return bytes_equal_str(text, method_names[method]) ? method : HTTP_METHOD_OTHER;
}

/* Methods are case-sensitive (RFC 9110 9.1). */
enum http_method http_method_of(struct bytes text)
{
    if (text.len == 0)
        return HTTP_METHOD_OTHER;
    switch (text.data[0]) {
    case 'P':
        switch (text.len) {
        case 4:
            return method_if(text, HTTP_POST);
        case 3:
            return method_if(text, HTTP_PUT);
        default:
            return method_if(text, HTTP_PATCH);
        }
    case 'G':
        return method_if(text, HTTP_GET);
    case 'H':
        return method_if(text, HTTP_HEAD);
    case 'D':
        return method_if(text, HTTP_DELETE);
    case 'C':
        return method_if(text, HTTP_CONNECT);
    case 'O':
        return method_if(text, HTTP_OPTIONS);
    case 'T':
        return method_if(text, HTTP_TRACE);
    default:
        return HTTP_METHOD_OTHER;
    }
}

const char *http_method_name(enum http_method method)
{
    assert(method <= HTTP_METHOD_OTHER);
    return method_names[method];
}

/* The IANA registry of status codes. */
const char *http_status_phrase(unsigned status)
{
    switch (status) {
#define PHRASE(code, phrase)                                                                                           \
    case code:                                                                                                         \
        return phrase;
        PHRASE(100, "Continue")
        PHRASE(101, "Switching Protocols")
        PHRASE(102, "Processing")
        PHRASE(103, "Early Hints")
        PHRASE(200, "OK")
        PHRASE(201, "Created")
        PHRASE(202, "Accepted")
        PHRASE(203, "Non-Authoritative Information")
        PHRASE(204, "No Content")
        PHRASE(205, "Reset Content")
        PHRASE(206, "Partial Content")
        PHRASE(207, "Multi-Status")
        PHRASE(208, "Already Reported")
        PHRASE(226, "IM Used")
        PHRASE(300, "Multiple Choices")
        PHRASE(301, "Moved Permanently")
        PHRASE(302, "Found")
        PHRASE(303, "See Other")
        PHRASE(304, "Not Modified")
        PHRASE(305, "Use Proxy")
        PHRASE(307, "Temporary Redirect")
        PHRASE(308, "Permanent Redirect")
        PHRASE(400, "Bad Request")
        PHRASE(401, "Unauthorized")
        PHRASE(402, "Payment Required")
        PHRASE(403, "Forbidden")
        PHRASE(404, "Not Found")
        PHRASE(405, "Method Not Allowed")
        PHRASE(406, "Not Acceptable")
        PHRASE(407, "Proxy Authentication Required")
        PHRASE(408, "Request Timeout")
        PHRASE(409, "Conflict")
        PHRASE(410, "Gone")
        PHRASE(411, "Length Required")
        PHRASE(412, "Precondition Failed")
        PHRASE(413, "Content Too Large")
        PHRASE(414, "URI Too Long")
        PHRASE(415, "Unsupported Media Type")
        PHRASE(416, "Range Not Satisfiable")
        PHRASE(417, "Expectation Failed")
        PHRASE(421, "Misdirected Request")
        PHRASE(422, "Unprocessable Content")
        PHRASE(423, "Locked")
        PHRASE(424, "Failed Dependency")
        PHRASE(425, "Too Early")
        PHRASE(426, "Upgrade Required")
        PHRASE(428, "Precondition Required")
        PHRASE(429, "Too Many Requests")
        PHRASE(431, "Request Header Fields Too Large")
        PHRASE(451, "Unavailable For Legal Reasons")
        PHRASE(500, "Internal Server Error")
        PHRASE(501, "Not Implemented")
        PHRASE(502, "Bad Gateway")
        PHRASE(503, "Service Unavailable")
        PHRASE(504, "Gateway Timeout")
        PHRASE(505, "HTTP Version Not Supported")
        PHRASE(506, "Variant Also Negotiates")
        PHRASE(507, "Insufficient Storage")
        PHRASE(508, "Loop Detected")
        PHRASE(511, "Network Authentication Required")
#undef PHRASE
    default:
        return "Status";
    }
}
