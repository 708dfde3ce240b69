/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_protobuf.c: any bytes as a protobuf request body: an error in words, or a tree that names its kind, nests no
 * deeper than promised, and is the same again when it is printed and read. */
/* uses: kube_protobuf base */
#include <stdint.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "base/utf8.h"
#include "kube/protobuf/protobuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned depth_of(json_t *value)
{
    unsigned deepest = 0;
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member)
    {
        unsigned depth = depth_of(member);
        deepest = depth > deepest ? depth : deepest;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        unsigned depth = depth_of(json_array_get(value, i));
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static void check_object(json_t *object)
{
    if (!json_is_string(json_object_get(object, "apiVersion")) || !json_is_string(json_object_get(object, "kind")))
        abort();
    if (depth_of(object) > 101) /* 100 levels and a scalar */
        abort();
    char *text = json_dumps(object, 0);
    char error[200];
    json_t *again = text != NULL ? json_read(bytes_of(text), error) : NULL;
    if (again == NULL || !json_equal(again, object))
        abort();
    json_decref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[200] = "";
    json_t *object = protobuf_decode(bytes_make((const char *)data, size), error);
    if (object != NULL)
        check_object(object);
    else if (error[0] == '\0' || !utf8_is_valid(bytes_of(error)))
        abort();
    json_decref(object);
    return 0;
}
