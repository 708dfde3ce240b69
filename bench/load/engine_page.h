/* SPDX-License-Identifier: Apache-2.0 */
/* engine_page.h: a metrics page as vLLM writes it, for benchmarks of who reads it. */
#ifndef BENCH_ENGINE_PAGE_H
#define BENCH_ENGINE_PAGE_H

#include "base/buffer.h"

/* About 30 KB: the gauges in front, then the histograms of which such a page mostly consists.  number: of the page, so
 * that values and their widths differ from one to the next. */
void engine_page_write(struct buffer *page, unsigned number);

#endif
