/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: walks a message and its table side by side.  Any thread; no state outlives a call.
 *
 * A peer decides on every byte.  Recursion is as deep as the tables nest, and bounded besides; a field makes a value
 * per byte at most, and values are counted, since an empty object of two bytes costs some hundred in the tree.  A field
 * that comes twice counts as the format wants: the last wins, messages are merged. */
#include "kube/protobuf/decode.h"

#include <stdio.h>

#include "kube/protobuf/leaf.h"
#include "kube/protobuf/wire.h"

struct decoder {
    struct bytes body;
    const char *at;                   /* the start of the field in hand */
    const char *path[DECODE_DEEPEST]; /* the names of the fields around it; NULL for inlined ones */
    unsigned depth;
    size_t budget;
    char *error;
};

/* Always false, so that failing functions can return it.  The path comes last: it may be cut. */
static bool fail(struct decoder *decoder, const char *wrong)
{
    char path[160] = "";
    size_t len = 0;
    for (unsigned i = 0; i < decoder->depth && len < sizeof path; i++) {
        if (decoder->path[i] != NULL)
            len += (size_t)snprintf(path + len, sizeof path - len, "%s%s", len > 0 ? "." : ", in ", decoder->path[i]);
    }
    snprintf(decoder->error, 200, "cannot read protobuf: %s at byte %zu%s", wrong,
             (size_t)(decoder->at - decoder->body.data), path);
    return false;
}

static const struct message_field *find_field(const struct message_field *table, uint32_t number)
{
    for (; table->number != 0; table++) {
        if (table->number == number)
            return table;
    }
    return NULL;
}

static bool decode_fields(struct decoder *decoder, const struct message_field *table, struct bytes rest,
                          json_t *object);

/* Adds value, which is consumed (NULL: there was no memory for it). */
static bool put(struct decoder *decoder, json_t *object, const char *name, json_t *value)
{
    return json_object_set_new_nocheck(object, name, value) == 0 || fail(decoder, leaf_no_memory);
}

static bool decode_nested(struct decoder *decoder, const struct message_field *field, const struct wire_field *wire,
                          json_t *object)
{
    if (wire->type != WIRE_LENGTH)
        return fail(decoder, wire_wrong_type);
    return decode_fields(decoder, field->message, wire->content, object);
}

static json_t *new_object(struct decoder *decoder)
{
    bool has_budget = leaf_spend(&decoder->budget, 1);
    json_t *object = has_budget ? json_object() : NULL;
    if (object == NULL)
        fail(decoder, has_budget ? leaf_no_memory : leaf_too_many);
    return object;
}

/* A value of a list or a map; null where JSON has none.  NULL after fail(). */
static json_t *decode_item(struct decoder *decoder, const struct message_field *field, const struct wire_field *wire)
{
    if (field->type == MESSAGE) {
        json_t *object = new_object(decoder);
        if (object == NULL || decode_nested(decoder, field, wire, object))
            return object;
        json_decref(object);
        return NULL;
    }
    json_t *value = NULL;
    const char *wrong = leaf_decode((enum message_type)field->type, wire, &decoder->budget, &value);
    if (wrong == NULL)
        return value != NULL ? value : json_null();
    fail(decoder, wrong);
    return NULL;
}

static bool decode_one_message(struct decoder *decoder, const struct message_field *field,
                               const struct wire_field *wire, json_t *object)
{
    json_t *nested = json_object_get(object, field->name);
    if (nested == NULL) {
        nested = new_object(decoder);
        if (nested == NULL || !put(decoder, object, field->name, nested))
            return false;
    }
    return decode_nested(decoder, field, wire, nested);
}

static bool decode_one(struct decoder *decoder, const struct message_field *field, const struct wire_field *wire,
                       json_t *object)
{
    if (field->type == MESSAGE)
        return decode_one_message(decoder, field, wire, object);
    json_t *value = NULL;
    const char *wrong = leaf_decode((enum message_type)field->type, wire, &decoder->budget, &value);
    if (wrong != NULL)
        return fail(decoder, wrong);
    if (value != NULL && !(field->shape == OMIT && leaf_is_zero(value)))
        return put(decoder, object, field->name, value);
    json_decref(value);
    json_object_del(object, field->name); /* an earlier one: the last wins */
    return true;
}

/* Numbers of a list may come one to a field or packed into one field, whatever the schema says. */
static bool decode_packed(struct decoder *decoder, struct bytes numbers, json_t *list)
{
    while (numbers.len > 0) {
        uint64_t number;
        const char *wrong = wire_take_varint(&numbers, &number);
        if (wrong == NULL && !leaf_spend(&decoder->budget, 1))
            wrong = leaf_too_many;
        if (wrong == NULL && json_array_append_new(list, json_integer((json_int_t)number)) != 0)
            wrong = leaf_no_memory;
        if (wrong != NULL)
            return fail(decoder, wrong);
    }
    return true;
}

/* The array or object that collects the items of a field; NULL after fail(). */
static json_t *collection(struct decoder *decoder, const struct message_field *field, json_t *object)
{
    json_t *found = json_object_get(object, field->name);
    if (found != NULL)
        return found;
    json_t *made = field->shape == LIST ? json_array() : json_object();
    return put(decoder, object, field->name, made) ? made : NULL;
}

static bool decode_list_item(struct decoder *decoder, const struct message_field *field, const struct wire_field *wire,
                             json_t *object)
{
    json_t *list = collection(decoder, field, object);
    if (list == NULL)
        return false;
    if (field->type == INT && wire->type == WIRE_LENGTH)
        return decode_packed(decoder, wire->content, list);
    json_t *item = decode_item(decoder, field, wire);
    if (item == NULL)
        return false;
    return json_array_append_new(list, item) == 0 || fail(decoder, leaf_no_memory);
}

/* An entry is a message of a key and a value; what it lacks is empty. */
static bool decode_map_entry(struct decoder *decoder, const struct message_field *field, const struct wire_field *wire,
                             json_t *object)
{
    bool is_number = field->type == BOOL || field->type == INT;
    struct wire_field entry[] = {{.type = WIRE_LENGTH, .content = BYTES("")},
                                 {.type = is_number ? WIRE_VARINT : WIRE_LENGTH, .content = BYTES("")}};
    json_t *key = NULL;
    const char *wrong = wire->type != WIRE_LENGTH ? wire_wrong_type : NULL;
    if (wrong == NULL)
        wrong = wire_read_slots(wire->content, is_number ? "ti" : "tt", entry);
    if (wrong == NULL)
        wrong = leaf_decode(TEXT, &entry[0], &decoder->budget, &key);
    if (wrong != NULL)
        return fail(decoder, wrong);
    json_t *map = collection(decoder, field, object);
    json_t *item = map != NULL ? decode_item(decoder, field, &entry[1]) : NULL;
    bool is_done = item != NULL && put(decoder, map, json_string_value(key), item);
    json_decref(key);
    return is_done;
}

static bool decode_field(struct decoder *decoder, const struct message_field *field, const struct wire_field *wire,
                         json_t *object)
{
    switch ((enum message_shape)field->shape) {
    case ONE:
    case OMIT:
        return decode_one(decoder, field, wire, object);
    case LIST:
        return decode_list_item(decoder, field, wire, object);
    case MAP:
        return decode_map_entry(decoder, field, wire, object);
    case INLINED:
        break;
    }
    return decode_nested(decoder, field, wire, object);
}

static bool decode_fields(struct decoder *decoder, const struct message_field *table, struct bytes rest, json_t *object)
{
    if (decoder->depth == DECODE_DEEPEST)
        return fail(decoder, "messages nested too deeply");
    while (rest.len > 0) {
        decoder->at = rest.data;
        struct wire_field wire;
        const char *wrong = wire_next(&rest, &wire);
        if (wrong != NULL)
            return fail(decoder, wrong);
        const struct message_field *field = find_field(table, wire.number);
        if (field == NULL)
            continue;
        decoder->path[decoder->depth++] = field->name;
        if (!decode_field(decoder, field, &wire, object))
            return false;
        decoder->depth--;
    }
    return true;
}

bool decode_message(const struct message_field *table, struct bytes body, struct bytes message, json_t *object,
                    char error[200])
{
    struct decoder decoder = {.body = body, .at = body.data, .budget = DECODE_VALUES_MAX, .error = error};
    return decode_fields(&decoder, table, message, object);
}
