/* SPDX-License-Identifier: Apache-2.0 */
/* page_lines.h: where the lines of a text begin, found many at a time.  Pure; internal to scrape. */
#ifndef INFERENCE_SCRAPE_PAGE_LINES_H
#define INFERENCE_SCRAPE_PAGE_LINES_H

#include <stdint.h>

#include "base/bytes.h"

enum { PAGE_LINES_BLOCK = 64, PAGE_LINES_MAX = 512 };

struct page_lines {
    struct bytes page;
    size_t at;      /* so far */
    unsigned count; /* of starts */
    size_t starts[PAGE_LINES_MAX + PAGE_LINES_BLOCK];
};

void page_lines_init(struct page_lines *lines, struct bytes page);
/* The next starts of lines, in order; the first is 0, and an end behind the last line end begins no line.  False: there
 * are no more (a true may come with no starts). */
bool page_lines_next(struct page_lines *lines);

#endif
