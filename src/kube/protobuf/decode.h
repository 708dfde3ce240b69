/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h: a message into a JSON object, by its table.  Internal to kube/protobuf. */
#ifndef KUBE_PROTOBUF_DECODE_H
#define KUBE_PROTOBUF_DECODE_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "kube/protobuf/tables.h"

enum { DECODE_DEEPEST = 100, DECODE_VALUES_MAX = 200000 };

/* Adds the fields of message to object.  body: what the byte numbers in errors count from; message lies inside.  False
 * with a sentence in error; the object then holds a part. */
MUST_CHECK bool decode_message(const struct message_field *table, struct bytes body, struct bytes message,
                               json_t *object, char error[200]);

#endif
