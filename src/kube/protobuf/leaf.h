/* SPDX-License-Identifier: Apache-2.0 */
/* leaf.h: values that are one value in JSON: texts, numbers, and the small messages with a JSON form of their own
 * (Time, Quantity, IntOrString, FieldsV1).  Pure; internal to kube/protobuf. */
#ifndef KUBE_PROTOBUF_LEAF_H
#define KUBE_PROTOBUF_LEAF_H

#include <jansson.h>

#include "kube/protobuf/tables.h"
#include "kube/protobuf/wire.h"

/* The JSON of a leaf (the caller owns it); NULL where JSON says null: the zero time, no fields.  type: not MESSAGE.
 * budget: the values that may still be made; what the leaf needs is taken off.  Returns NULL, or what is wrong as a
 * noun phrase (a constant); then *ret_value is untouched. */
MUST_CHECK const char *leaf_decode(enum message_type type, const struct wire_field *field, size_t *budget,
                                   json_t **ret_value);
/* Whether Go calls the value empty. */
bool leaf_is_zero(const json_t *value);
/* Takes count values off the budget; false when it holds fewer. */
bool leaf_spend(size_t *budget, size_t count);

/* What is wrong, for whoever else makes values. */
extern const char leaf_too_many[];
extern const char leaf_no_memory[];

#endif
