/* SPDX-License-Identifier: Apache-2.0 */
/* Label and field selectors: any text is read or refused with a sentence, and what was read can be matched. */
/* uses: kube_apiserver */
#include <stdint.h>
#include <stdlib.h>

#include "kube/apiserver/selectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kube_label label = {"app", "chat"};
    struct kube_object object = {.kind = KUBE_POD, .name = "p", .namespace_ = "n", .labels = {&label, 1}};
    struct arena *arena = arena_new(0);
    char *text = arena_strndup(arena, bytes_make((const char *)data, size));
    struct selection selection = {0};
    const char *why = NULL;
    if (!label_selector_parse(text, arena, &selection.labels, &why) && why == NULL)
        abort();
    if (!field_selector_parse(text, KUBE_POD, arena, &selection, &why) && why == NULL)
        abort();
    (void)selection_matches(&selection, &object);
    arena_free(arena);
    return 0;
}
