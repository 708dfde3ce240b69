/* SPDX-License-Identifier: Apache-2.0 */
/* spares.h: memory of one size that is used again and again.  One owner, one thread; what is handed out is not
 * counted: it goes back, or is freed with free(). */
#ifndef BASE_SPARES_H
#define BASE_SPARES_H

#include <stddef.h>

struct spares {
    size_t size;    /* of each; at least a pointer's */
    unsigned limit; /* more are not kept */
    unsigned count;
    void *first; /* each begins with the pointer to the next */
};

#define SPARES(type, max) ((struct spares){.size = sizeof(type), .limit = (max)})

/* Not cleared.  Aborts when memory is out. */
void *spares_take(struct spares *spares);
/* Accepts NULL. */
void spares_give_back(struct spares *spares, void *memory);
/* Frees what is kept. */
void spares_deinit(struct spares *spares);

#endif
