/* SPDX-License-Identifier: Apache-2.0 */
/* failure.h: why a request to the API server was refused, as a Kubernetes Status says it. */
#ifndef KUBE_APISERVER_FAILURE_H
#define KUBE_APISERVER_FAILURE_H

#include "base/json_write.h"
#include "kube/api/object.h"

/* reason, HTTP status */
#define FAILURE_REASONS(X)                                                                                             \
    X(BAD_REQUEST, "BadRequest", 400)                                                                                  \
    X(UNAUTHORIZED, "Unauthorized", 401)                                                                               \
    X(FORBIDDEN, "Forbidden", 403)                                                                                     \
    X(NOT_FOUND, "NotFound", 404)                                                                                      \
    X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405)                                                                     \
    X(NOT_ACCEPTABLE, "NotAcceptable", 406)                                                                            \
    X(ALREADY_EXISTS, "AlreadyExists", 409)                                                                            \
    X(CONFLICT, "Conflict", 409)                                                                                       \
    X(EXPIRED, "Expired", 410)                                                                                         \
    X(TOO_LARGE, "RequestEntityTooLarge", 413)                                                                         \
    X(UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", 415)                                                             \
    X(INVALID, "Invalid", 422)                                                                                         \
    X(TOO_MANY_REQUESTS, "TooManyRequests", 429)                                                                       \
    X(INTERNAL_ERROR, "InternalError", 500)                                                                            \
    X(NOT_IMPLEMENTED, "NotImplemented", 501)                                                                          \
    X(SERVICE_UNAVAILABLE, "ServiceUnavailable", 503)                                                                  \
    X(TIMEOUT, "Timeout", 504)                                                                                         \
    X(INSUFFICIENT_STORAGE, "InsufficientStorage", 507)

enum failure_reason {
#define X(id, reason, status) FAILURE_##id,
    FAILURE_REASONS(X)
#undef X
        FAILURE_REASON_COUNT
};

/* One of details.causes[]. */
struct failure_cause {
    const char *reason; /* "FieldValueInvalid", ... */
    const char *message;
    const char *field;
};

struct failure {
    struct arena *arena; /* texts live here */
    bool is_set;
    enum failure_reason reason;
    const char *message;
    const char *group; /* details: "" */
    const char *kind;  /* details.kind: the plural, or the Kind for INVALID; "" none */
    const char *name;  /* details.name; "" none */
    const char *uid;   /* details.uid; "" none */
    struct failure_cause *causes;
    unsigned cause_count;
    unsigned retry_after_s; /* 0 none */
};

void failure_init(struct failure *failure, struct arena *arena);
/* The first failure stays. */
void failure_set(struct failure *failure, enum failure_reason reason, const char *format, ...) PRINTF_LIKE(3, 4);
/* About an object: fills details; the message is the usual one for NOT_FOUND, ALREADY_EXISTS and CONFLICT (format
 * NULL), `services "x" not found`. */
void failure_about(struct failure *failure, enum failure_reason reason, enum kube_kind kind, const char *name,
                   const char *format, ...) PRINTF_LIKE(5, 6);
/* 422 with a cause for each problem. */
void failure_invalid(struct failure *failure, enum kube_kind kind, const char *name, const struct problems *problems);
/* A version that is not there yet: 504, to be tried again in a second. */
void failure_too_large_version(struct failure *failure, uint64_t wanted, uint64_t present);
unsigned failure_status(const struct failure *failure);
void failure_write(const struct failure *failure, struct json_writer *writer);

#endif
