/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_metric_names.c: names are refused with one problem, or are whole and found again on a page. */
/* uses: inference_scrape */
#include <stdint.h>
#include <stdlib.h>

#include "inference/scrape/engine_metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct metric_names names;
    struct engine_metrics metrics;
    problems_init(&problems, arena);
    bool is_good = metric_names_parse(bytes_make((const char *)data, size), "x", &problems, &names);
    if (is_good != (problems.count == 0))
        abort();
    if (is_good && memchr(names.waiting.name, '\0', sizeof names.waiting.name) == NULL)
        abort();
    if (is_good)
        engine_metrics_read(bytes_make((const char *)data, size), &names, &metrics);
    arena_free(arena);
    return 0;
}
