/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c: fields and numbers off the wire.  Any thread; no state. */
#include "kube/protobuf/wire.h"

enum { VARINT_BYTES_MAX = 10 }; /* 64 bits, 7 to a byte */

const char wire_wrong_type[] = "the wrong wire type";
static const char cut_short[] = "the end in the middle of a field";

const char *wire_take_varint(struct bytes *rest, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < VARINT_BYTES_MAX; i++) {
        if (i == rest->len)
            return cut_short;
        uint8_t byte = (uint8_t)rest->data[i];
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *rest = bytes_skip(*rest, i + 1);
            *ret_value = value;
            return NULL;
        }
    }
    return "a number of more than 64 bits";
}

static const char *take_bytes(struct bytes *rest, uint64_t len, struct bytes *ret_content)
{
    if (len > rest->len)
        return cut_short;
    *ret_content = bytes_make(rest->data, (size_t)len);
    *rest = bytes_skip(*rest, (size_t)len);
    return NULL;
}

static const char *take_value(struct bytes *rest, struct wire_field *field)
{
    struct bytes skipped;
    uint64_t len = 0;
    switch (field->type) {
    case WIRE_VARINT:
        return wire_take_varint(rest, &field->varint);
    case WIRE_FIXED64:
        return take_bytes(rest, 8, &skipped);
    case WIRE_FIXED32:
        return take_bytes(rest, 4, &skipped);
    case WIRE_LENGTH: {
        const char *wrong = wire_take_varint(rest, &len);
        return wrong != NULL ? wrong : take_bytes(rest, len, &field->content);
    }
    default:
        return "a wire type that does not exist";
    }
}

const char *wire_next(struct bytes *rest, struct wire_field *ret_field)
{
    struct bytes left = *rest;
    uint64_t tag;
    const char *wrong = wire_take_varint(&left, &tag);
    if (wrong != NULL)
        return wrong;
    if (tag > UINT32_MAX || tag >> 3 == 0)
        return "a field number that cannot be";
    struct wire_field field = {.number = (uint32_t)(tag >> 3), .type = (enum wire_type)(tag & 7), .content = BYTES("")};
    wrong = take_value(&left, &field);
    if (wrong != NULL)
        return wrong;
    *rest = left;
    *ret_field = field;
    return NULL;
}

const char *wire_read_slots(struct bytes message, const char *kinds, struct wire_field *slots)
{
    size_t count = strlen(kinds);
    while (message.len > 0) {
        struct wire_field field;
        const char *wrong = wire_next(&message, &field);
        if (wrong != NULL)
            return wrong;
        if (field.number > count)
            continue;
        if (field.type != (kinds[field.number - 1] == 'i' ? WIRE_VARINT : WIRE_LENGTH))
            return wire_wrong_type;
        slots[field.number - 1] = field;
    }
    return NULL;
}
