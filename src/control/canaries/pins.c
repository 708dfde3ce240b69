/* SPDX-License-Identifier: Apache-2.0 */
/* pins.c: a Secret from the store, read as the routes read it. */
#include "control/canaries/pins.h"

#include "kube/api/canary_pin.h"

char *pins_problem(const struct store *store, const struct kube_object *canary)
{
    const struct canary_pin *pin = &((const struct canary_spec *)canary->spec)->pin;
    struct bytes token;
    if (pin->header[0] == '\0')
        return NULL;
    struct arena *arena = arena_new(0);
    const struct stored *secret = store_get(store, KUBE_SECRET, canary->namespace_, pin->secret_name);
    const char *problem = canary_pin_read(canary, secret != NULL ? secret->object->tree : NULL, arena, &token);
    char *copy = must(strdup(problem != NULL ? problem : ""));
    arena_free(arena);
    return copy;
}
