/* SPDX-License-Identifier: Apache-2.0 */
/* observation.c: lookups in observation.def, and how statuses and finish words map. */
#include "canary/observation.h"

#include <string.h>

#include "base/compiler.h"

static const struct {
    const char *name;
    bool is_judged, is_failure;
} outcomes[OUTCOME_COUNT] = {
#define X(id, name, is_judged, is_failure, meaning) [OUTCOME_##id] = {name, is_judged, is_failure},
    CANARY_OUTCOMES(X)
#undef X
};

static const char *const finishes[FINISH_COUNT] = {
#define X(id, name) [FINISH_##id] = name,
    CANARY_FINISHES(X)
#undef X
};

static const char *const values[VALUE_COUNT] = {
#define X(id, field, name, unit) [VALUE_##id] = name,
    CANARY_VALUES(X)
#undef X
};

/* The words of the OpenAI, Anthropic and Responses dialects that mean the same. */
static const struct {
    const char *word;
    enum finish finish;
} words[] = {
    /* First what is said most. */
    {"stop", FINISH_STOP},
    {"length", FINISH_LENGTH},
    {"tool_calls", FINISH_TOOL_CALLS},
    {"end_turn", FINISH_STOP},
    {"stop_sequence", FINISH_STOP},
    {"completed", FINISH_STOP},
    {"max_tokens", FINISH_LENGTH},
    {"max_output_tokens", FINISH_LENGTH},
    {"tool_use", FINISH_TOOL_CALLS},
    {"function_call", FINISH_TOOL_CALLS},
    {"content_filter", FINISH_CONTENT_FILTER},
    {"refusal", FINISH_CONTENT_FILTER},
};

const char *outcome_name(enum outcome outcome)
{
    return outcomes[outcome].name;
}

bool outcome_is_judged(enum outcome outcome)
{
    return outcomes[outcome].is_judged;
}

bool outcome_is_failure(enum outcome outcome)
{
    return outcomes[outcome].is_failure;
}

const char *finish_name(enum finish finish)
{
    return finishes[finish];
}

enum finish finish_of(const char *word)
{
    if (word == NULL)
        return FINISH_NONE;
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (word[0] == words[i].word[0] && strcmp(word, words[i].word) == 0)
            return words[i].finish;
    return FINISH_OTHER;
}

const char *value_name(enum value value)
{
    return values[value];
}

enum outcome outcome_of_status(unsigned status, bool is_own_limit)
{
    if (status < 400)
        return OUTCOME_OK;
    if ((status == 429 && !is_own_limit) || status == 529)
        return OUTCOME_THROTTLED;
    if (status == 504)
        return OUTCOME_TIMEOUT;
    return status >= 500 ? OUTCOME_SERVER_ERROR : OUTCOME_CLIENT_ERROR;
}
