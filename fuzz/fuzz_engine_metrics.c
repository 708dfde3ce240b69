/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_engine_metrics.c: any pages read without a fault, what is told keeps its bounds, and a page that is read where
 * the one before had its families says what a whole reading says.  The pages of a server are divided by form feeds;
 * each is read twice. */
/* uses: inference_scrape */
#include <stdint.h>
#include <stdlib.h>

#include "inference/scrape/engine_metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_bounds(const struct engine_metrics *metrics)
{
    check(metrics->kv_permille <= 1000);
    check(memchr(metrics->running_loras, '\0', sizeof metrics->running_loras) != NULL);
    check(memchr(metrics->waiting_loras, '\0', sizeof metrics->waiting_loras) != NULL);
    check(metrics->has_loras || (metrics->max_loras == 0 && metrics->running_loras[0] == '\0'));
}

/* Sums may be infinite, but not NaN: nothing negative is summed. */
static void check_same(const struct engine_metrics *a, const struct engine_metrics *b)
{
    check(a->has_waiting == b->has_waiting && a->has_running == b->has_running);
    check(a->has_kv == b->has_kv && a->has_loras == b->has_loras);
    check(a->waiting == b->waiting && a->running == b->running && a->kv_permille == b->kv_permille);
    check(a->started_s == b->started_s && a->max_loras == b->max_loras);
    check(strcmp(a->running_loras, b->running_loras) == 0 && strcmp(a->waiting_loras, b->waiting_loras) == 0);
    check(a->kv_tokens == b->kv_tokens || a->kv_tokens == 0);
}

/* Every place that is remembered is one of the page's; where it has no others, nothing is missing. */
static void check_layouts(const struct page_layout *layout, const struct page_layout *whole)
{
    unsigned found = 0;
    for (unsigned i = 0; i < whole->count && found < layout->count; i++)
        found += layout->groups[found].at == whole->groups[i].at && layout->groups[found].name == whole->groups[i].name;
    check(found == layout->count || whole->is_overfull);
}

static void read_page(struct bytes page, struct page_layout *layout)
{
    struct page_layout whole_layout = {0};
    struct engine_metrics metrics, next, whole;
    engine_metrics_read(page, NULL, &metrics);
    engine_metrics_read_next(page, NULL, &whole_layout, &whole);
    engine_metrics_read_next(page, NULL, layout, &next);
    check_bounds(&metrics);
    check_bounds(&next);
    check_same(&whole, &metrics);
    check(whole.kv_tokens == metrics.kv_tokens);
    check_layouts(layout, &whole_layout);
    if (layout->count == whole_layout.count && layout->is_overfull == whole_layout.is_overfull)
        check_same(&next, &metrics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct page_layout layout = {0};
    struct bytes rest = size > 0 ? bytes_make((const char *)data, size) : BYTES("");
    for (bool is_last = false; !is_last;) {
        struct bytes page = bytes_make(rest.data, bytes_find(rest, '\f'));
        read_page(page, &layout);
        read_page(page, &layout);
        is_last = page.len == rest.len;
        rest = bytes_skip(rest, is_last ? page.len : page.len + 1);
    }
    return 0;
}
