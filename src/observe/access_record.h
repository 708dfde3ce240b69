/* SPDX-License-Identifier: Apache-2.0 */
/* access_record.h: one exchange as the access log tells it, and its line of JSON.  Pure. */
#ifndef OBSERVE_ACCESS_RECORD_H
#define OBSERVE_ACCESS_RECORD_H

#include <stdint.h>

#include "base/buffer.h"
#include "observe/access_fields.def"

enum access_string {
#define X(id, name, limit) ACCESS_##id,
    ACCESS_STRINGS(X)
#undef X
        ACCESS_STRING_COUNT
};

enum access_number {
#define X(id, name, kind) ACCESS_##id,
    ACCESS_NUMBERS(X)
#undef X
        ACCESS_NUMBER_COUNT
};

#define ACCESS_NONE UINT64_MAX /* the number is not known: its member is left out */

struct access_record {
    uint64_t wall_ms; /* of the end */
    bool is_stream;
    struct bytes strings[ACCESS_STRING_COUNT]; /* any bytes; "" is left out */
    uint64_t numbers[ACCESS_NUMBER_COUNT];
};

/* All strings "", all numbers ACCESS_NONE. */
void access_record_init(struct access_record *record);
/* Cuts strings that are too long, in whole characters. */
void access_record_bound(struct access_record *record);
/* The text of the last second, so that it is made once for many lines.  Zeroed at first. */
struct access_clock {
    uint64_t second;
    char text[21];
};
/* One line with its newline: valid JSON whatever the strings hold. */
void access_record_write(const struct access_record *record, struct access_clock *clock, struct buffer *out);

#endif
