/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_canary_text.c: any JSON as a Canary and as its target: texts without control characters, and weights that stay
 * within their bounds. */
/* uses: cli */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "cli/canary_text.h"
#include "cli/canary_weight.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_clean(struct buffer *out)
{
    struct bytes text = buffer_bytes(out);
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < ' ' && text.data[i] != '\n')
            abort();
    }
    buffer_clear(out);
}

static void write_all(const json_t *canary)
{
    struct buffer out = {0};
    json_t *items = json_pack("[O]", canary);
    canary_text_show(canary, 0, &out);
    expect_clean(&out);
    canary_text_show(canary, 80, &out);
    expect_clean(&out);
    canary_text_list(items, true, 0, &out);
    expect_clean(&out);
    canary_text_history(canary, 8, &out);
    expect_clean(&out);
    canary_text_line(canary, &out);
    expect_clean(&out);
    canary_text_key(canary, &out);
    (void)canary_text_end(canary);
    buffer_deinit(&out);
    json_decref(items);
}

static void weigh(json_t *target, unsigned bp)
{
    for (int kind = CANARY_HTTP_ROUTE; kind <= CANARY_MODEL_REWRITE; kind++) {
        char error[CANARY_WEIGHT_ERROR_SIZE] = "";
        struct canary_spec spec = {
            .target = {.kind = (enum canary_target_kind)kind, .name = "x", .rule = ""}, .stable = "a", .canary = "b"};
        json_t *copy = json_deep_copy(target);
        if (!canary_weight_set(copy, &spec, bp, error) && error[0] == '\0')
            abort();
        json_decref(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[200];
    unsigned bp = size > 0 ? data[0] * 10000u / 255 : 0;
    json_t *tree = json_read(bytes_make((const char *)data, size), error);
    if (tree == NULL)
        return 0;
    write_all(tree);
    weigh(tree, bp);
    json_decref(tree);
    return 0;
}
