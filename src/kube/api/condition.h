/* SPDX-License-Identifier: Apache-2.0 */
/* condition.h: a status condition as a value. */
#ifndef KUBE_API_CONDITION_H
#define KUBE_API_CONDITION_H

#include <stdint.h>

#include "base/json_write.h"

enum condition_status { CONDITION_FALSE, CONDITION_TRUE, CONDITION_UNKNOWN };

struct condition {
    const char *type; /* "Accepted", "ResolvedRefs", "Programmed", "Conflicted" */
    enum condition_status status;
    const char *reason;  /* "Accepted", "NoMatchingParent", ... */
    const char *message; /* a sentence; "" */
    uint64_t observed_generation;
};

const char *condition_status_text(enum condition_status status); /* "True", "False", "Unknown" */
/* As an object {type,status,reason,message,observedGeneration}; lastTransitionTime is the status writer's. */
void condition_write(struct json_writer *writer, const struct condition *condition);

#endif
