/* SPDX-License-Identifier: Apache-2.0 */
/* answer_shape.c: whole answers of one model server differ in a few values only: id, time, text, finish, counts.
 *
 * Pure.  The shape of an answer is what stands between those; the next answer that has it needs its values read and
 * nothing else.  That is exact: the same bytes around values of the same kind mean the same.  A match that fails half
 * way has only done what reading from the start does again. */
#include "inference/payload/answer_internal.h"
#include "inference/payload/answer_skip.h"

enum { MAX_DIGITS = 18 }; /* no overflow to look for */

/* An odd run of backslashes in front of it. */
static bool is_escaped(const char *start, const char *at)
{
    const char *run = at;
    while (run > start && run[-1] == '\\')
        run--;
    return ((at - run) & 1) != 0;
}

/* From inside a string to its closing quote; NULL: not here.  Quotes are rarer than backslashes: only these are looked
 * for. */
static inline const char *end_of_string(const char *start, const char *end)
{
    for (const char *at = start; (at = memchr(at, '"', (size_t)(end - at))) != NULL; at++)
        if (LIKELY(at[-1] != '\\') || !is_escaped(start, at))
            return at;
    return NULL;
}

/* NULL: not digits alone, or not here in full. */
static inline const char *end_of_number(const char *at, const char *end)
{
    const char *stop = answer_skip_digits(at, end);
    bool is_whole = stop > at && stop - at <= MAX_DIGITS && stop < end && (*stop == ',' || *stop == '}');
    return is_whole ? stop : NULL;
}

static inline uint64_t number_of(const char *at, const char *stop)
{
    uint64_t number = 0;
    for (; at < stop; at++)
        number = number * 10 + (unsigned)(*at - '0');
    return number;
}

void answer_trace_enter(struct answer_trace *trace, unsigned node)
{
    /* Of several choices all but one have another index, which answer_trace_value() refuses. */
    if (node != NODE_CHOICE && node != NODE_MESSAGE && node != NODE_USAGE && node != NODE_DETAILS)
        trace->is_simple = false;
}

void answer_trace_value(struct answer_trace *trace, const char *value, unsigned use)
{
    bool is_string = *value == '"', is_number = answer_is_digit(*value);
    if (is_string && use == USE_NONE) /* the same in most answers: "object", "model", "role" */
        return;
    if (is_string && (use == USE_OBJECT || use >= USE_INDEX))
        return;
    if (is_string && use != USE_ID && use != USE_FINISH && use != USE_TEXT && use != USE_THOUGHT)
        trace->is_simple = false;
    if (is_number && use == USE_INDEX && *value == '0') /* as it is from the start */
        return;
    if (is_number && use == USE_INDEX)
        trace->is_simple = false;
    if (!is_string && !is_number)
        return;
    if (trace->count == ANSWER_SLOTS) {
        trace->is_simple = false;
        return;
    }
    trace->values[trace->count] = value;
    /* Who wants the id does not go by shapes; a number where a word should be means nothing. */
    bool is_idle = use == USE_ID || (is_number && use < USE_INDEX);
    trace->uses[trace->count++] = is_idle ? USE_NONE : (uint8_t)use;
}

/* What stands before a value goes to the literals; false: no room. */
static bool keep_literal(struct answer_shape *shape, const char *from, const char *to, uint16_t *ret_len)
{
    size_t len = (size_t)(to - from);
    if (len > sizeof shape->literals - shape->literal_len)
        return false;
    memcpy(shape->literals + shape->literal_len, from, len);
    shape->literal_len = (uint16_t)(shape->literal_len + len);
    *ret_len = (uint16_t)len;
    return true;
}

static bool keep(struct answer_shape *shape, const struct answer_trace *trace, const char *at, const char *end)
{
    shape->literal_len = 0;
    for (unsigned i = 0; i < trace->count; i++) {
        struct answer_slot *slot = &shape->slots[i];
        slot->is_string = *trace->values[i] == '"';
        slot->use = trace->uses[i];
        const char *value = trace->values[i] + slot->is_string;
        if (!keep_literal(shape, at, value, &slot->before))
            return false;
        at = slot->is_string ? end_of_string(value, end) : end_of_number(value, end);
        if (at == NULL)
            return false;
    }
    shape->count = (uint8_t)trace->count;
    return keep_literal(shape, at, end, &shape->tail_len);
}

void answer_shape_keep(struct answer_scan *scan, const struct answer_trace *trace, const char *at, const char *end)
{
    struct answer_shape *shape = scan->shape;
    bool is_kept = trace->is_simple && !scan->has_error && keep(shape, trace, at, end);
    shape->is_generation = scan->is_generation;
    if (!is_kept)
        shape->tail_len = 0;
}

static void take_value(struct answer_scan *scan, const struct answer_slot *slot, const char *at, const char *stop)
{
    size_t len = (size_t)(stop - at);
    scan->use = slot->use;
    if (!slot->is_string)
        answer_take_number(scan, number_of(at, stop));
    else if (answer_use_is_word(slot->use))
        answer_take_word(scan, bytes_make(at, len < sizeof scan->token ? len : sizeof scan->token));
    else if (len > 0)
        answer_note_output(scan);
}

bool answer_shape_match(struct answer_scan *scan, const char *at, const char *end)
{
    const struct answer_shape *shape = scan->shape;
    const char *literal = shape->literals;
    if (shape->tail_len == 0)
        return false;
    const struct answer_slot *behind = shape->slots + shape->count;
    for (const struct answer_slot *slot = shape->slots; slot < behind; slot++) {
        if (end - at < slot->before || !answer_is_same(at, literal, slot->before))
            return false;
        at += slot->before;
        literal += slot->before;
        const char *stop = slot->is_string ? end_of_string(at, end) : end_of_number(at, end);
        if (stop == NULL)
            return false;
        if (slot->use != USE_NONE)
            take_value(scan, slot, at, stop);
        at = stop;
    }
    if (end - at != shape->tail_len || !answer_is_same(at, literal, shape->tail_len))
        return false;
    scan->is_generation = scan->is_generation || shape->is_generation;
    scan->state = ANSWER_END;
    return true;
}
