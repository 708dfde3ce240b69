/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.h: writes JSON into a buffer, with the commas in the right places.  Functions start with jw_ because
 * jansson owns json_. */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stdint.h>

#include "base/buffer.h"

/* Nesting up to 32 levels (asserted). */
struct json_writer {
    struct buffer *out;
    uint32_t has_items; /* a bit per level: this level already has an item */
    unsigned depth;
    bool after_key;
};

void jw_init(struct json_writer *writer, struct buffer *out);
void jw_begin_object(struct json_writer *writer);
void jw_end_object(struct json_writer *writer);
void jw_begin_array(struct json_writer *writer);
void jw_end_array(struct json_writer *writer);
void jw_key(struct json_writer *writer, const char *key);
/* Invalid UTF-8 is replaced by U+FFFD. */
void jw_string(struct json_writer *writer, struct bytes value);
void jw_str(struct json_writer *writer, const char *value); /* NULL: null */
void jw_u64(struct json_writer *writer, uint64_t value);
void jw_i64(struct json_writer *writer, int64_t value);
void jw_double(struct json_writer *writer, double value); /* not finite: null */
void jw_bool(struct json_writer *writer, bool value);
void jw_null(struct json_writer *writer);
/* A finished piece of JSON as it is. */
void jw_raw(struct json_writer *writer, struct bytes value);

/* key and value in one call. */
void jw_member_str(struct json_writer *writer, const char *key, const char *value);
void jw_member_string(struct json_writer *writer, const char *key, struct bytes value);
void jw_member_u64(struct json_writer *writer, const char *key, uint64_t value);
void jw_member_i64(struct json_writer *writer, const char *key, int64_t value);
void jw_member_double(struct json_writer *writer, const char *key, double value);
void jw_member_bool(struct json_writer *writer, const char *key, bool value);

/* Appends the string with quotes and escapes. */
void jw_append_quoted(struct buffer *out, struct bytes value);

#endif
