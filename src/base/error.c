/* SPDX-License-Identifier: Apache-2.0 */
/* error.c: collects problems in an arena, in order.  One owner, one thread.  Prints and logs nothing. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void problems_init(struct problems *problems, struct arena *arena)
{
    *problems = (struct problems){.arena = arena};
    problems->tail = &problems->first;
}

void problems_add(struct problems *problems, const char *field, const char *reason, const char *format, ...)
{
    struct problem *problem = ARENA_NEW(problems->arena, struct problem);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        abort();
    char *message = arena_alloc(problems->arena, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(message, (size_t)len + 1, format, args);
    va_end(args);
    problem->source = problems->source;
    problem->object = problems->object;
    problem->field = arena_strdup(problems->arena, field);
    problem->reason = reason;
    problem->message = message;
    *problems->tail = problem;
    problems->tail = &problem->next;
    problems->count++;
}

char *problem_text(const struct problem *problem, struct arena *arena)
{
    const char *parts[] = {problem->source, problem->object, problem->field};
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i] != NULL && parts[i][0] != '\0')
            text = arena_printf(arena, "%s%s: ", text, parts[i]);
    }
    return arena_printf(arena, "%s%s", text, problem->message);
}
