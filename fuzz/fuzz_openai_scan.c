/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_openai_scan.c: any body, whole and in pieces, must give the same answer, and the answer that a parse of the
 * whole tree gives. */
/* uses: inference_payload */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../tests/unit/inference/payload/scan_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(const char *wrong)
{
    if (wrong == NULL)
        return;
    fprintf(stderr, "openai_scan: %s\n", wrong);
    abort();
}

static void compare_feeding(const struct openai_scan *whole, struct bytes text, size_t first, size_t step)
{
    struct openai_scan pieces;
    oracle_scan(&pieces, text, first, step);
    insist(oracle_is_same(whole, &pieces) ? NULL : "pieces and whole differ");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_make((const char *)data, size);
    struct openai_scan whole;
    oracle_scan(&whole, text, size, 1);
    compare_feeding(&whole, text, 0, 1);
    compare_feeding(&whole, text, size % 3, 37);
    size_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    compare_feeding(&whole, text, sum % (size + 1), size + 1);
    insist(oracle_check(&whole, text));
    return 0;
}
