/* SPDX-License-Identifier: Apache-2.0 */
/* values.c: the value types that many kinds share: labels and selectors, durations, quantities.  Pure functions. */
#include "kube/api/object.h"

#include <string.h>

const char *kube_labels_get(const struct kube_labels *labels, const char *key)
{
    size_t low = 0, high = labels->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(labels->items[middle].key, key);
        if (order == 0)
            return labels->items[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool kube_labels_match(const struct kube_labels *selector, const struct kube_labels *labels)
{
    for (unsigned i = 0; i < selector->len; i++) {
        const char *value = kube_labels_get(labels, selector->items[i].key);
        if (value == NULL || strcmp(value, selector->items[i].value) != 0)
            return false;
    }
    return true;
}

static bool term_lists(const struct label_selector_term *term, const char *value)
{
    for (unsigned i = 0; i < term->value_count; i++) {
        if (strcmp(term->values[i], value) == 0)
            return true;
    }
    return false;
}

bool label_selector_match(const struct label_selector *selector, const struct kube_labels *labels)
{
    for (unsigned i = 0; i < selector->len; i++) {
        const struct label_selector_term *term = &selector->terms[i];
        const char *value = kube_labels_get(labels, term->key);
        bool holds = false;
        switch (term->op) {
        case SELECTOR_IN:
            holds = value != NULL && term_lists(term, value);
            break;
        case SELECTOR_NOT_IN: /* a missing label is not in the list either */
            holds = value == NULL || !term_lists(term, value);
            break;
        case SELECTOR_EXISTS:
            holds = value != NULL;
            break;
        case SELECTOR_DOES_NOT_EXIST:
            holds = value == NULL;
            break;
        }
        if (!holds)
            return false;
    }
    return true;
}

/* Decimal digits at *text, at most `most` of them; 0 digits is a failure. */
static bool take_digits(const char **text, unsigned most, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned count = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (++count > most)
            return false;
        value = value * 10 + (uint64_t)(**text - '0');
    }
    *ret_value = value;
    return count > 0;
}

/* GEP-2257: one to four runs of one to five digits and a unit. */
bool kube_duration_ms(const char *text, uint64_t *ret_ms)
{
    static const struct {
        const char *suffix;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"h", 3600000}, {"m", 60000}, {"s", 1000}}; /* "ms" before "m" */
    uint64_t total = 0;
    unsigned parts = 0;
    for (; *text != '\0' || parts == 0; parts++) {
        uint64_t number;
        if (parts == 4 || !take_digits(&text, 5, &number))
            return false;
        size_t unit = 0;
        while (unit < ARRAY_LEN(units) && strncmp(text, units[unit].suffix, strlen(units[unit].suffix)) != 0)
            unit++;
        if (unit == ARRAY_LEN(units))
            return false;
        text += strlen(units[unit].suffix);
        total += number * units[unit].ms;
    }
    *ret_ms = total;
    return true;
}

/* A quantity's suffix as powers of two and ten; false when it is none. */
static bool quantity_scale(const char *suffix, unsigned *ret_bits, int *ret_tens)
{
    static const struct {
        const char *suffix;
        unsigned bits;
        int tens;
    } scales[] = {{"", 0, 0},    {"Ki", 10, 0}, {"Mi", 20, 0}, {"Gi", 30, 0}, {"Ti", 40, 0}, {"Pi", 50, 0},
                  {"Ei", 60, 0}, {"n", 0, -9},  {"u", 0, -6},  {"m", 0, -3},  {"k", 0, 3},   {"M", 0, 6},
                  {"G", 0, 9},   {"T", 0, 12},  {"P", 0, 15},  {"E", 0, 18}};
    for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
        if (strcmp(suffix, scales[i].suffix) == 0) {
            *ret_bits = scales[i].bits;
            *ret_tens = scales[i].tens;
            return true;
        }
    }
    if (suffix[0] != 'e' && suffix[0] != 'E')
        return false;
    bool is_negative = suffix[1] == '-';
    const char *digits = suffix + (is_negative || suffix[1] == '+' ? 2 : 1);
    uint64_t exponent;
    if (!take_digits(&digits, 2, &exponent) || *digits != '\0' || exponent > 18)
        return false;
    *ret_bits = 0;
    *ret_tens = is_negative ? -(int)exponent : (int)exponent;
    return true;
}

/* The digits before and after the point as one number; *ret_tens is how often it must be divided by ten. */
static bool quantity_number(const char **text, uint64_t *ret_number, int *ret_tens)
{
    uint64_t number = 0;
    int digits = 0, after_point = -1;
    for (;; (*text)++) {
        if (**text == '.' && after_point < 0) {
            after_point = 0;
        } else if (**text >= '0' && **text <= '9') {
            if (++digits > 18)
                return false;
            number = number * 10 + (uint64_t)(**text - '0');
            after_point += after_point >= 0;
        } else {
            break;
        }
    }
    *ret_number = number;
    *ret_tens = after_point > 0 ? -after_point : 0;
    return digits > 0;
}

bool kube_quantity(const char *text, uint64_t *ret_value)
{
    uint64_t number;
    int point_tens, tens;
    unsigned bits;
    if (*text == '+')
        text++;
    if (!quantity_number(&text, &number, &point_tens) || !quantity_scale(text, &bits, &tens))
        return false;
    /* number < 10^18 < 2^60, so that neither 2^60 nor 10^18 overflows 128 bits. */
    unsigned __int128 value = (unsigned __int128)number << bits;
    for (tens += point_tens; tens > 0; tens--)
        value *= 10;
    for (; tens < 0; tens++) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    if (value > UINT64_MAX)
        return false;
    *ret_value = (uint64_t)value;
    return true;
}
