/* SPDX-License-Identifier: Apache-2.0 */
/* leaf.c: one function per type of leaf.  Any thread; no state.
 *
 * Texts are checked here, since whatever is decoded is printed as JSON and must be read again: UTF-8, and no NUL, which
 * the JSON reader refuses. */
#include "kube/protobuf/leaf.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base64.h"
#include "base/json_read.h"
#include "base/utf8.h"

enum { FIELDS_DEEPEST = 90 }; /* the tables add fewer than 10 levels */

const char leaf_too_many[] = "too many values";
const char leaf_no_memory[] = "no memory";

bool leaf_spend(size_t *budget, size_t count)
{
    if (count > *budget)
        return false;
    *budget -= count;
    return true;
}

bool leaf_is_zero(const json_t *value)
{
    return json_is_false(value) || (json_is_integer(value) && json_integer_value(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static const char *give(json_t *value, json_t **ret_value)
{
    if (value == NULL)
        return leaf_no_memory;
    *ret_value = value;
    return NULL;
}

static const char *decode_text(struct bytes text, json_t **ret_value)
{
    if (memchr(text.data, '\0', text.len) != NULL)
        return "a text with a NUL";
    if (!utf8_is_valid(text))
        return "a text that is not UTF-8";
    return give(json_stringn_nocheck(text.data, text.len), ret_value);
}

static const char *decode_base64(struct bytes content, json_t **ret_value)
{
    struct buffer text = {0};
    base64_append(&text, content);
    json_t *value = json_stringn_nocheck(buffer_bytes(&text).data, buffer_len(&text));
    buffer_deinit(&text);
    return give(value, ret_value);
}

/* Small messages --------------------------------------------------------------------------------------------------- */

/* An empty message is Go's zero time, which also has a number of seconds of its own: the first of the year 1. */
static const char *decode_time(struct bytes content, bool has_micros, json_t **ret_value)
{
    const int64_t zero = -62135596800, end_of_9999 = 253402300799;
    struct wire_field slots[2] = {{0}};
    const char *wrong = wire_read_slots(content, "ii", slots);
    if (wrong != NULL)
        return wrong;
    int64_t seconds = (int64_t)slots[0].varint;
    long micros = has_micros ? (long)(slots[1].varint / 1000) : 0;
    if (content.len == 0 || (seconds == zero && micros == 0)) {
        *ret_value = NULL;
        return NULL;
    }
    struct tm parts;
    time_t when = (time_t)seconds;
    if (seconds < zero || seconds > end_of_9999 || slots[1].varint >= 1000000000 || gmtime_r(&when, &parts) == NULL)
        return "a time outside the years 1 to 9999";
    char fraction[32] = "", text[128];
    if (has_micros)
        snprintf(fraction, sizeof fraction, ".%06ld", micros);
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", parts.tm_year + 1900, parts.tm_mon + 1,
             parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, fraction);
    return give(json_string_nocheck(text), ret_value);
}

/* The canonical form is the sender's business; a quantity that says nothing is 0. */
static const char *decode_quantity(struct bytes content, json_t **ret_value)
{
    struct wire_field text = {.content = BYTES("0")};
    const char *wrong = wire_read_slots(content, "t", &text);
    return wrong != NULL ? wrong : decode_text(text.content, ret_value);
}

static const char *decode_int_or_string(struct bytes content, json_t **ret_value)
{
    enum { IS_INT = 0, IS_STRING = 1 };
    struct wire_field slots[3] = {{0}, {0}, {.content = BYTES("")}};
    const char *wrong = wire_read_slots(content, "iit", slots);
    if (wrong != NULL)
        return wrong;
    if (slots[0].varint == IS_STRING)
        return decode_text(slots[2].content, ret_value);
    if (slots[0].varint != IS_INT)
        return "neither an integer nor a string";
    return give(json_integer((json_int_t)slots[1].varint), ret_value);
}

/* How deep a JSON text nests, and at most how many values it makes; for any bytes, as they are checked later. */
static size_t measure_json(struct bytes text, size_t *ret_count)
{
    size_t depth = 0, deepest = 0, count = 1;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            i++;
        else if (in_string)
            continue;
        else if (c == '{' || c == '[')
            deepest = ++depth > deepest ? depth : deepest;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        count += !in_string && strchr("{[,:", c) != NULL && c != '\0';
    }
    *ret_count = count;
    return deepest;
}

/* The message holds JSON text. */
static const char *decode_fields(struct bytes content, size_t *budget, json_t **ret_value)
{
    struct wire_field raw = {.content = BYTES("")};
    const char *wrong = wire_read_slots(content, "t", &raw);
    if (wrong != NULL)
        return wrong;
    if (raw.content.len == 0) {
        *ret_value = NULL;
        return NULL;
    }
    size_t count;
    if (measure_json(raw.content, &count) > FIELDS_DEEPEST)
        return "JSON nested too deeply";
    if (!leaf_spend(budget, count))
        return leaf_too_many;
    char ignored[200];
    json_t *value = json_read(raw.content, ignored);
    if (!json_is_object(value)) {
        json_decref(value);
        return "fields that are no JSON object";
    }
    *ret_value = value;
    return NULL;
}

/* A message with nothing but the list: its JSON is the list. */
static const char *decode_text_list(struct bytes content, size_t *budget, json_t **ret_value)
{
    json_t *list = json_array();
    const char *wrong = list == NULL ? leaf_no_memory : NULL;
    while (wrong == NULL && content.len > 0) {
        struct wire_field field;
        json_t *text = NULL;
        wrong = wire_next(&content, &field);
        if (wrong != NULL || field.number != 1)
            continue;
        if (field.type != WIRE_LENGTH)
            wrong = wire_wrong_type;
        else if (!leaf_spend(budget, 1))
            wrong = leaf_too_many;
        else
            wrong = decode_text(field.content, &text);
        if (wrong == NULL && json_array_append_new(list, text) != 0)
            wrong = leaf_no_memory;
    }
    if (wrong != NULL)
        json_decref(list);
    else
        *ret_value = list;
    return wrong;
}

const char *leaf_decode(enum message_type type, const struct wire_field *field, size_t *budget, json_t **ret_value)
{
    bool is_number = type == BOOL || type == INT;
    if (field->type != (is_number ? WIRE_VARINT : WIRE_LENGTH))
        return wire_wrong_type;
    if (!leaf_spend(budget, 1))
        return leaf_too_many;
    switch (type) {
    case BOOL:
        return give(json_boolean(field->varint != 0), ret_value);
    case INT:
        return give(json_integer((json_int_t)field->varint), ret_value);
    case TEXT:
        return decode_text(field->content, ret_value);
    case BASE64:
        return decode_base64(field->content, ret_value);
    case TIME:
    case MICRO_TIME:
        return decode_time(field->content, type == MICRO_TIME, ret_value);
    case QUANTITY:
        return decode_quantity(field->content, ret_value);
    case INT_OR_STRING:
        return decode_int_or_string(field->content, ret_value);
    case FIELDS_V1:
        return decode_fields(field->content, budget, ret_value);
    case TEXT_LIST:
        return decode_text_list(field->content, budget, ret_value);
    case MESSAGE:
        break;
    }
    return wire_wrong_type;
}
