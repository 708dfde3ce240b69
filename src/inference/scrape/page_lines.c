/* SPDX-License-Identifier: Apache-2.0 */
/* page_lines.c: line ends as bits of blocks of 64 bytes.  Lines are so long that a block mostly has none or one: two
 * places are written without asking, because a branch on each would be guessed wrong too often. */
#include "inference/scrape/page_lines.h"

#ifdef __SSE2__
#include <emmintrin.h>

static uint64_t ends_of_16(const char *at)
{
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8('\n')));
}

static uint64_t ends_of_block(const char *at)
{
    return ends_of_16(at) | ends_of_16(at + 16) << 16 | ends_of_16(at + 32) << 32 | ends_of_16(at + 48) << 48;
}
#else
static uint64_t ends_of_block(const char *at)
{
    uint64_t ends = 0;
    for (unsigned i = 0; i < PAGE_LINES_BLOCK; i++)
        ends |= (uint64_t)(at[i] == '\n') << i;
    return ends;
}
#endif

void page_lines_init(struct page_lines *lines, struct bytes page)
{
    lines->page = page;
    lines->at = 0;
    lines->count = 0;
}

/* Room for as many starts as a block has bytes is there. */
static unsigned add_starts(struct page_lines *lines, unsigned count, uint64_t ends)
{
    for (;;) {
        for (unsigned i = 0; i < 2; i++) {
            lines->starts[count] = lines->at + (unsigned)__builtin_ctzll(ends | 1ull << 63) + 1;
            count += ends != 0;
            ends &= ends - 1;
        }
        if (ends == 0)
            return count;
    }
}

bool page_lines_next(struct page_lines *lines)
{
    struct bytes page = lines->page;
    unsigned count = 0;
    if (lines->at == page.len)
        return false;
    if (lines->at == 0)
        lines->starts[count++] = 0;
    for (; count < PAGE_LINES_MAX && page.len - lines->at >= PAGE_LINES_BLOCK; lines->at += PAGE_LINES_BLOCK)
        count = add_starts(lines, count, ends_of_block(page.data + lines->at));
    for (; count < PAGE_LINES_MAX && page.len - lines->at < PAGE_LINES_BLOCK && lines->at < page.len; lines->at++)
        if (page.data[lines->at] == '\n')
            lines->starts[count++] = lines->at + 1;
    if (count > 0 && lines->starts[count - 1] == page.len)
        count--;
    lines->count = count;
    return true;
}
