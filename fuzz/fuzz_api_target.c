/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of the API server: any path and query is taken apart or refused; names never hold a slash or NUL. */
/* uses: kube_apiserver */
#include <stdint.h>
#include <stdlib.h>

#include "kube/apiserver/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
    if (strchr(name, '/') != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_make((const char *)data, size);
    size_t cut = bytes_find(text, '?');
    struct bytes query = cut < text.len ? bytes_skip(text, cut + 1) : BYTES("");
    struct arena *arena = arena_new(0);
    struct target target;
    const char *why = NULL;
    if (!target_parse(bytes_make(text.data, cut), query, arena, &target, &why)) {
        if (why == NULL)
            abort();
    } else {
        check_name(target.namespace_);
        check_name(target.name);
        check_name(target.subresource);
        if (target.resource != NULL && strcmp(target.resource->plural, target.plural) != 0)
            abort();
    }
    arena_free(arena);
    return 0;
}
