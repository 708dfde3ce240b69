/* SPDX-License-Identifier: Apache-2.0 */
/* bench_engine_metrics.c: what reading a vLLM-like metrics page of 30 KB costs in CPU time; 100 endpoints that are
 * scraped every 50 ms have 2,000 a second.
 *
 * make bench-micro */
#include <stdlib.h>
#include <time.h>

#include "../load/engine_page.h"
#include "inference/scrape/engine_metrics.h"
#include "rows.h"

enum { ROUNDS = 20000, PAGES = 8 };

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Each page 50 ms after another one: where its families stand is known, or is not. */
static void measure(const struct buffer *pages, bool is_known)
{
    struct engine_metrics metrics;
    struct page_layout layout = {0};
    unsigned long long sum = 0;
    double before_us = cpu_us();
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!is_known)
            layout = (struct page_layout){0};
        engine_metrics_read_next(buffer_bytes(&pages[i % PAGES]), NULL, &layout, &metrics);
        sum += metrics.running;
    }
    double each_us = (cpu_us() - before_us) / ROUNDS;
    if (sum == 0)
        abort();
    const char *how = is_known ? "where its families stood before" : "as a whole";
    print_row(each_us, -1, "us", "page of %zu bytes, %s", buffer_len(&pages[0]), how);
}

int main(void)
{
    struct buffer pages[PAGES] = {0};
    for (unsigned i = 0; i < PAGES; i++)
        engine_page_write(&pages[i], 1234 + i * 41);
    measure(pages, false);
    measure(pages, true);
    for (unsigned i = 0; i < PAGES; i++)
        buffer_deinit(&pages[i]);
    return 0;
}
