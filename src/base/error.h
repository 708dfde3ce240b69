/* SPDX-License-Identifier: Apache-2.0 */
/* error.h: what is wrong with an input: a machine reason, a sentence for people, and the field it is about.
 *
 * Used alike for manifests (`check`, later kubectl errors and status conditions), flags and configuration. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/arena.h"

struct problem {
    const char *source; /* "routes.yaml:12", or NULL */
    const char *object; /* "HTTPRoute default/inference-route", or NULL */
    const char *field;  /* "spec.rules[0].backendRefs[1].weight", or "" */
    const char *reason; /* CamelCase, one of the field's standard words: "Invalid", "Required", "NotSupported", ... */
    const char *message;
    struct problem *next;
};

/* In the order they were added; everything lives in the arena. */
struct problems {
    struct arena *arena;
    struct problem *first;
    struct problem **tail;
    size_t count;
    const char *source; /* stamped on each problem added */
    const char *object; /* the same */
};

void problems_init(struct problems *problems, struct arena *arena);
/* field and the formatted message are copied into the arena; reason must be a constant. */
void problems_add(struct problems *problems, const char *field, const char *reason, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* "source: object: field: message", without the parts that are missing. */
char *problem_text(const struct problem *problem, struct arena *arena);

#endif
