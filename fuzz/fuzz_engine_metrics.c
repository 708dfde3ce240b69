/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_engine_metrics.c: any page reads without a fault, and what is told keeps its bounds. */
/* uses: inference_scrape */
#include <stdint.h>
#include <stdlib.h>

#include "inference/scrape/engine_metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct engine_metrics metrics;
    engine_metrics_read(bytes_make((const char *)data, size), NULL, &metrics);
    if (metrics.kv_permille > 1000 || memchr(metrics.running_loras, '\0', sizeof metrics.running_loras) == NULL ||
        memchr(metrics.waiting_loras, '\0', sizeof metrics.waiting_loras) == NULL)
        abort();
    if (!metrics.has_loras && (metrics.max_loras != 0 || metrics.running_loras[0] != '\0'))
        abort();
    return 0;
}
