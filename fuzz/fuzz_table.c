/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_table.c: any JSON as an object of every kind: its Table is JSON with as many cells as columns.  Events
 * also go into the other vocabulary and back. */
/* uses: kube_apiserver */
#include <stdint.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "kube/apiserver/events_view.h"
#include "kube/apiserver/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(const struct api_resource *resource, const json_t *tree)
{
    struct table_options options = {
        .resource = resource, .include = TABLE_INCLUDE_OBJECT, .now_ms = INT64_C(1767323045000), .version = 7};
    struct buffer out = {0};
    table_write(&options, &tree, 1, &out);
    json_t *table = json_loadb(buffer_bytes(&out).data, buffer_len(&out), 0, NULL);
    const json_t *row = json_array_get(json_object_get(table, "rows"), 0);
    if (row == NULL ||
        json_array_size(json_object_get(row, "cells")) != json_array_size(json_object_get(table, "columnDefinitions")))
        abort();
    json_decref(table);
    buffer_deinit(&out);
}

static void check_view(const json_t *tree)
{
    json_t *core = events_view_to_core(tree);
    json_t *view = events_view_from_core(core);
    json_decref(core);
    json_decref(view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[200];
    struct api_resources all = resource_all();
    json_t *tree = json_read(bytes_make((const char *)data, size), error);
    if (tree == NULL)
        return 0;
    for (size_t i = 0; i < all.len; i++)
        check_table(&all.items[i], tree);
    check_view(tree);
    json_decref(tree);
    return 0;
}
