/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_answer_scan.c: any answer, as a stream and as a whole one, in one piece and in many, must give the same. */
/* uses: inference_payload */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../tests/unit/inference/payload/answer_feeding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct bytes text, bool is_stream, const struct answer_scan *whole, size_t first, size_t step)
{
    struct answer_scan pieces;
    uint64_t told = answer_feed(&pieces, text, is_stream, first, step);
    const char *wrong = answer_differs(whole, &pieces);
    if (wrong == NULL && told != pieces.output_events)
        wrong = "told and counted";
    if (wrong == NULL)
        return;
    fprintf(stderr, "answer_scan: %s (stream %d, pieces of %zu, then %zu)\n", wrong, is_stream, first, step);
    abort();
}

/* An answer, and one that is like it but for its digits or letters, with what the one before left. */
static void compare_shaped(const uint8_t *data, size_t size)
{
    static char copy[1 << 16];
    struct answer_shape shape = {0};
    struct answer_scan scan, plain;
    size_t len = size < sizeof copy ? size : sizeof copy;
    if (len > 0)
        memcpy(copy, data, len);
    for (unsigned round = 0; round < 4; round++) {
        answer_feed_shaped(&scan, bytes_make(copy, len), &shape);
        answer_feed_shaped(&plain, bytes_make(copy, len), NULL);
        const char *wrong = answer_differs(&scan, &plain);
        if (wrong != NULL) {
            fprintf(stderr, "answer_scan: %s (round %u with a shape)\n", wrong, round);
            abort();
        }
        for (size_t i = 0; i < len; i++)
            if (round > 0 && copy[i] >= '0' && copy[i] < '9' && (i + round) % 3 != 0)
                copy[i] = (char)(copy[i] + 1);
            else if (round > 1 && i % 7 == 0 && copy[i] > ' ')
                copy[i] = (char)(copy[i] ^ 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    compare_shaped(data, size);
    struct bytes text = bytes_make((const char *)data, size);
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        struct answer_scan whole;
        answer_feed(&whole, text, is_stream, size, 1);
        compare(text, is_stream, &whole, 0, 1);
        compare(text, is_stream, &whole, size % 3, 17);
        size_t sum = 0;
        for (size_t i = 0; i < size; i++)
            sum += data[i];
        compare(text, is_stream, &whole, sum % (size + 1), size + 1);
    }
    return 0;
}
