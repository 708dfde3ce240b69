/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h: the wire format of protocol buffers: a message is a run of fields, each a number, a wire type and a value.
 * Pure; knows no message.
 *
 * Functions that can fail return NULL when all is well, else what is wrong as a noun phrase (a constant). */
#ifndef KUBE_PROTOBUF_WIRE_H
#define KUBE_PROTOBUF_WIRE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"

/* The numbers of the format; groups (3 and 4) are refused, no version of the Kubernetes API has any. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number; /* 1..2^29-1 */
    enum wire_type type;
    uint64_t varint;      /* of WIRE_VARINT */
    struct bytes content; /* of WIRE_LENGTH; points into what was read */
};

/* Takes the first field off rest, which must not be empty.  On failure both outputs are untouched. */
MUST_CHECK const char *wire_next(struct bytes *rest, struct wire_field *ret_field);
/* Takes the first number off rest, as in a packed list.  On failure both outputs are untouched. */
MUST_CHECK const char *wire_take_varint(struct bytes *rest, uint64_t *ret_value);
/* Reads a message of few fields: kinds has a letter for each number from 1 on, 'i' for an integer, 't' for a text or
 * any other run of bytes.  Slots of fields that are not there stay as they are, fields without a letter are skipped; of
 * a field that comes twice the last stands. */
MUST_CHECK const char *wire_read_slots(struct bytes message, const char *kinds, struct wire_field *slots);

extern const char wire_wrong_type[];

#endif
