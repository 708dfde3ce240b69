/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c: see limits.h. */
#include "gateway/limits.h"

enum unit { COUNT, MS, BYTES_ };

struct row {
    const char *name;
    size_t offset; /* of an uint32_t in struct limits */
    enum unit unit;
    uint32_t least, most;
};

#define UNIT_COUNT COUNT
#define UNIT_MS    MS
#define UNIT_BYTES BYTES_

#define X(field, name, default_, unit, least, most, meaning, then)                                                     \
    {name, offsetof(struct limits, field), UNIT_##unit, least, most},
static const struct row rows[] = {
#include "gateway/limits.def"
};
#undef X

#define X(field, name, default_, unit, least, most, meaning, then)                                                     \
    _Static_assert(sizeof((struct limits){0}.field) == sizeof(uint32_t), name);
#include "gateway/limits.def"
#undef X

struct limits limits_default(void)
{
    return (struct limits){.server = http_server_defaults, .proxy = proxy_defaults};
}

/* 0: no suffix of this unit. */
static uint32_t factor_of(struct bytes suffix, enum unit unit)
{
    static const struct {
        const char *text;
        enum unit unit;
        uint32_t factor;
    } suffixes[] = {
        {"KiB", BYTES_, 1 << 10}, {"MiB", BYTES_, 1 << 20}, {"ms", MS, 1}, {"s", MS, 1000}, {"m", MS, 60000}};
    for (unsigned i = 0; i < ARRAY_LEN(suffixes); i++)
        if (suffixes[i].unit == unit && bytes_equal_str(suffix, suffixes[i].text))
            return suffixes[i].factor;
    /* A time without a unit says nothing. */
    return suffix.len == 0 && unit != MS ? 1 : 0;
}

static bool read_value(struct bytes text, const struct row *row, uint32_t *ret_value)
{
    size_t digits = 0;
    unsigned long long number = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint32_t factor = factor_of(bytes_skip(text, digits), row->unit);
    if (factor == 0 || !bytes_to_u64(bytes_make(text.data, digits), UINT32_MAX, &number))
        return false;
    number *= factor;
    if (number < row->least || number > row->most)
        return false;
    *ret_value = (uint32_t)number;
    return true;
}

const char *limits_set(struct limits *limits, const char *text)
{
    struct bytes rest = bytes_of(text);
    size_t equals = bytes_find(rest, '=');
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t value = 0;
        if (strlen(rows[i].name) != equals || strncmp(text, rows[i].name, equals) != 0)
            continue;
        if (equals == rest.len || !read_value(bytes_skip(rest, equals + 1), &rows[i], &value))
            return "must have a value as in docs/limits.md, as head-time=10s, hold=1MiB or connections=20000";
        memcpy((char *)limits + rows[i].offset, &value, sizeof value);
        return NULL;
    }
    return "must be NAME=VALUE with a name of docs/limits.md, as head-time=10s";
}
