/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_openai_request.c: any body is either refused with a sentence or read into values in range. */
/* uses: sim base */
#include <assert.h>
#include <stdint.h>

#include "sim/openai_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = OPENAI_TEXT; kind <= OPENAI_RESPONSE; kind++) {
        struct arena *arena = arena_new(0);
        struct openai_request request;
        struct openai_problem problem;
        if (openai_request_parse(bytes_make((const char *)data, size), (enum openai_kind)kind, arena, &request,
                                 &problem)) {
            assert(request.n >= 1 && request.prompt_count >= 1);
            assert(request.n * request.prompt_count <= OPENAI_MAX_CHOICES);
            assert(request.stop_count <= OPENAI_MAX_STOPS);
            for (unsigned i = 0; i < request.prompt_count; i++)
                assert(request.prompts[i].tokens > 0);
        } else {
            assert(problem.message[0] != '\0');
        }
        arena_free(arena);
    }
    return 0;
}
