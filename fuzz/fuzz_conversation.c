/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_conversation.c: the messages of any body, whole and in pieces, must give the same hashes, those that a parse of
 * the whole tree gives. */
/* uses: inference_payload */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../tests/unit/inference/payload/conversation_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(const char *wrong)
{
    if (wrong == NULL)
        return;
    fprintf(stderr, "conversation_scan: %s\n", wrong);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_make((const char *)data, size);
    struct conversation_scan whole, pieces;
    struct openai_scan scan;
    static const size_t steps[] = {1, 3, 17};
    conversation_read(&whole, &scan, text, size + 1);
    bool is_whole = scan.error == SCAN_OK && scan.is_complete;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        conversation_read(&pieces, &scan, text, steps[i]);
        insist(conversation_is_same(&whole, &pieces) ? NULL : "pieces and whole differ");
    }
    if (is_whole)
        insist(conversation_check(&whole, text));
    return 0;
}
