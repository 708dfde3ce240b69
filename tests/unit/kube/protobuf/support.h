/* SPDX-License-Identifier: Apache-2.0 */
/* support.h: writes protobuf by hand, for the tests of kube/protobuf. */
#ifndef UNIT_KUBE_PROTOBUF_SUPPORT_H
#define UNIT_KUBE_PROTOBUF_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/compiler.h"

static inline void put_varint(struct buffer *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer_append_char(out, (char)(value | 0x80));
    buffer_append_char(out, (char)value);
}

/* Field `number` with an integer. */
static inline void put_integer(struct buffer *out, uint64_t number, uint64_t value)
{
    put_varint(out, number << 3);
    put_varint(out, value);
}

/* Field `number` with a text, a message, or other bytes. */
static inline void put_bytes(struct buffer *out, uint64_t number, struct bytes content)
{
    put_varint(out, number << 3 | 2);
    put_varint(out, content.len);
    buffer_append(out, content);
}

/* Field `number` with what is in `message`, which is emptied. */
static inline void put_message(struct buffer *out, uint64_t number, struct buffer *message)
{
    put_bytes(out, number, buffer_bytes(message));
    buffer_deinit(message);
}

/* A whole request body. */
static inline void put_body(struct buffer *out, const char *api_version, const char *kind, struct bytes object)
{
    struct buffer type = {0};
    put_bytes(&type, 1, bytes_of(api_version));
    put_bytes(&type, 2, bytes_of(kind));
    buffer_append(out, bytes_make("k8s", 4));
    put_message(out, 1, &type);
    put_bytes(out, 2, object);
}

#endif
