/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sim_behaviour.c: any annotation text is either refused as a whole or leaves values in range. */
/* uses: sim base */
#include <assert.h>
#include <stdint.h>

#include "sim/behaviour.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct behaviour behaviour = behaviour_defaults;
    char error[BEHAVIOUR_ERROR_SIZE];
    if (!behaviour_parse(&behaviour, bytes_make((const char *)data, size), error)) {
        assert(memcmp(&behaviour, &behaviour_defaults, sizeof behaviour) == 0);
        assert(strlen(error) < sizeof error);
        return 0;
    }
    assert(behaviour.ttft_us <= 86400000000u && behaviour.error_rate >= 0 && behaviour.error_rate <= 1);
    assert(behaviour.error_code >= 400 && behaviour.error_code <= 599 && behaviour.max_waiting >= 0);
    return 0;
}
