/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_scalar.c: the scalar rules of YAML 1.1 in the dialect of Kubernetes tools.  Pure; any thread.  Knows nothing of
 * documents, anchors or lines. */
#include "base/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/compiler.h"

enum kind { KIND_STRING, KIND_NULL, KIND_BOOL, KIND_INT, KIND_REAL, KIND_NOT_A_NUMBER };

struct scalar {
    enum kind kind;
    bool truth;
    int64_t integer;
    double real;
};

enum { LONGEST_NUMBER = 255 }; /* what is longer is text */

static const struct {
    const char *word;
    enum kind kind;
    bool truth;
} words[] = {
    {"", KIND_NULL, false},
    {"~", KIND_NULL, false},
    {"null", KIND_NULL, false},
    {"Null", KIND_NULL, false},
    {"NULL", KIND_NULL, false},
    {"true", KIND_BOOL, true},
    {"True", KIND_BOOL, true},
    {"TRUE", KIND_BOOL, true},
    {"yes", KIND_BOOL, true},
    {"Yes", KIND_BOOL, true},
    {"YES", KIND_BOOL, true},
    {"on", KIND_BOOL, true},
    {"On", KIND_BOOL, true},
    {"ON", KIND_BOOL, true},
    {"false", KIND_BOOL, false},
    {"False", KIND_BOOL, false},
    {"FALSE", KIND_BOOL, false},
    {"no", KIND_BOOL, false},
    {"No", KIND_BOOL, false},
    {"NO", KIND_BOOL, false},
    {"off", KIND_BOOL, false},
    {"Off", KIND_BOOL, false},
    {"OFF", KIND_BOOL, false},
    {".inf", KIND_NOT_A_NUMBER, false},
    {".Inf", KIND_NOT_A_NUMBER, false},
    {".INF", KIND_NOT_A_NUMBER, false},
    {"+.inf", KIND_NOT_A_NUMBER, false},
    {"+.Inf", KIND_NOT_A_NUMBER, false},
    {"+.INF", KIND_NOT_A_NUMBER, false},
    {"-.inf", KIND_NOT_A_NUMBER, false},
    {"-.Inf", KIND_NOT_A_NUMBER, false},
    {"-.INF", KIND_NOT_A_NUMBER, false},
    {".nan", KIND_NOT_A_NUMBER, false},
    {".NaN", KIND_NOT_A_NUMBER, false},
    {".NAN", KIND_NOT_A_NUMBER, false},
};

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

/* Cuts 0x, 0o, 0b or the 0 of an old octal from the digits. */
static unsigned take_base(const char **digits)
{
    const char *text = *digits;
    if (text[0] != '0' || text[1] == '\0')
        return 10;
    char mark = (char)(text[1] | 0x20);
    unsigned base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    *digits += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    return base;
}

static bool parse_integer(const char *text, int64_t *ret_value)
{
    bool is_negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    unsigned base = take_base(&text);
    /* Counted downwards: INT64_MIN has no positive twin. */
    int64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        int digit = digit_of(*text);
        if (digit >= (int)base || __builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_sub_overflow(value, (int64_t)digit, &value))
            return false;
    }
    if (!is_negative && value == INT64_MIN)
        return false;
    *ret_value = is_negative ? value : -value;
    return true;
}

static const char *skip_digits(const char *text)
{
    while (*text >= '0' && *text <= '9')
        text++;
    return text;
}

/* [-+]? ( digits [. digits?] | . digits ) ( [eE] [-+]? digits )?: narrower than strtod(), which knows hex and "inf". */
static bool has_real_form(const char *text)
{
    if (*text == '-' || *text == '+')
        text++;
    const char *whole = text;
    text = skip_digits(text);
    bool has_whole = text > whole;
    if (*text == '.') {
        const char *fraction = ++text;
        text = skip_digits(text);
        if (!has_whole && text == fraction)
            return false;
    } else if (!has_whole) {
        return false;
    }
    if (*text == 'e' || *text == 'E') {
        text += text[1] == '-' || text[1] == '+' ? 2 : 1;
        const char *exponent = text;
        text = skip_digits(text);
        if (text == exponent)
            return false;
    }
    return *text == '\0';
}

static bool parse_real(const char *text, double *ret_value)
{
    if (!has_real_form(text))
        return false;
    *ret_value = strtod(text, NULL);
    return isfinite(*ret_value);
}

static bool may_be_number(struct bytes text)
{
    return text.len > 0 && text.len <= LONGEST_NUMBER && memchr("+-.0123456789", text.data[0], 13) != NULL;
}

static size_t copy_without_underscores(struct bytes text, char out[LONGEST_NUMBER + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '_')
            out[len++] = text.data[i];
    }
    out[len] = '\0';
    return len;
}

static struct scalar resolve_number(struct bytes text)
{
    struct scalar scalar = {.kind = KIND_STRING};
    char plain[LONGEST_NUMBER + 1];
    if (!may_be_number(text))
        return scalar;
    /* A NUL inside (only quoted text with !!int has one) would cut the number short. */
    size_t len = copy_without_underscores(text, plain);
    if (strlen(plain) != len)
        return scalar;
    if (parse_integer(plain, &scalar.integer)) {
        scalar.kind = KIND_INT;
    } else if (parse_real(plain, &scalar.real)) {
        const double exact = 0x1p53; /* up to here a double holds every integer */
        bool is_whole =
            fabs(scalar.real) < exact && trunc(scalar.real) >= scalar.real && trunc(scalar.real) <= scalar.real;
        scalar.kind = is_whole ? KIND_INT : KIND_REAL;
        scalar.integer = is_whole ? (int64_t)scalar.real : 0;
    }
    return scalar;
}

static struct scalar resolve(struct bytes text)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (bytes_equal_str(text, words[i].word))
            return (struct scalar){.kind = words[i].kind, .truth = words[i].truth};
    }
    return resolve_number(text);
}

static json_t *make_string(struct bytes text, const char **ret_problem)
{
    if (memchr(text.data, '\0', text.len) != NULL) {
        *ret_problem = "a string contains NUL";
        return NULL;
    }
    json_t *value = json_stringn(text.data, text.len);
    if (value == NULL)
        *ret_problem = "a string is not valid UTF-8";
    return value;
}

static json_t *make_value(struct scalar scalar, struct bytes text, const char **ret_problem)
{
    switch (scalar.kind) {
    case KIND_NULL:
        return json_null();
    case KIND_BOOL:
        return json_boolean(scalar.truth);
    case KIND_INT:
        return json_integer(scalar.integer);
    case KIND_REAL:
        return json_real(scalar.real);
    case KIND_NOT_A_NUMBER:
        *ret_problem = "infinity and not-a-number have no JSON form";
        return NULL;
    case KIND_STRING:
        break;
    }
    return make_string(text, ret_problem);
}

/* The core tags; the tag must agree with what the text looks like. */
static bool tag_allows(const char *tag, enum kind kind)
{
    static const struct {
        const char *tag;
        enum kind kind;
    } allowed[] = {
        {"tag:yaml.org,2002:null", KIND_NULL},  {"tag:yaml.org,2002:bool", KIND_BOOL},
        {"tag:yaml.org,2002:int", KIND_INT},    {"tag:yaml.org,2002:float", KIND_INT},
        {"tag:yaml.org,2002:float", KIND_REAL}, {"tag:yaml.org,2002:float", KIND_NOT_A_NUMBER},
    };
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if (kind == allowed[i].kind && strcmp(tag, allowed[i].tag) == 0)
            return true;
    }
    return false;
}

json_t *yaml_scalar_value(struct bytes text, const char *tag, bool is_plain, const char **ret_problem)
{
    if (tag == NULL)
        return is_plain ? make_value(resolve(text), text, ret_problem) : make_string(text, ret_problem);
    if (strcmp(tag, "!") == 0 || strcmp(tag, "tag:yaml.org,2002:str") == 0)
        return make_string(text, ret_problem);
    struct scalar scalar = resolve(text);
    if (tag_allows(tag, scalar.kind))
        return make_value(scalar, text, ret_problem);
    *ret_problem = "the tag is not supported or does not fit the value";
    return NULL;
}
