/* SPDX-License-Identifier: Apache-2.0 */
/* regex.c: PCRE2, whole-text matches, bytes rather than characters.
 *
 * A compiled pattern and its limits are only read while matching, so all workers share them; the match data is made per
 * call.  The limits bound what a hostile path can cost with a pattern that backtracks. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "route/regex.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_LIMIT_KIB = 1024 };

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

struct regex *regex_new(const char *pattern, char error[160])
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
    if (compiled == NULL) {
        PCRE2_UCHAR text[120];
        if (pcre2_get_error_message(code, text, sizeof text) < 0)
            text[0] = '\0';
        snprintf(error, 160, "%s at position %zu", (const char *)text, offset);
        return NULL;
    }
    struct regex *regex = calloc(1, sizeof *regex);
    if (regex == NULL)
        abort();
    regex->code = compiled;
    regex->limits = pcre2_match_context_create(NULL);
    if (regex->limits == NULL)
        abort();
    pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
    /* Without a just-in-time compiler the interpreter does the same, slower. */
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    return regex;
}

void regex_free(void *object)
{
    struct regex *regex = object;
    if (regex == NULL)
        return;
    pcre2_match_context_free(regex->limits);
    pcre2_code_free(regex->code);
    free(regex);
}

bool regex_matches(const struct regex *regex, struct bytes text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (data == NULL)
        abort();
    const char *subject = text.len > 0 ? text.data : "";
    int result = pcre2_match(regex->code, (PCRE2_SPTR)subject, text.len, 0, 0, data, regex->limits);
    pcre2_match_data_free(data);
    /* 0: matched, with more groups than the data has room for. */
    return result >= 0;
}
