/* SPDX-License-Identifier: Apache-2.0 */
/* page_layout.h: where wanted lines stood on a server's last page.  Its next page has the same families in the same
 * order, moved by the digits that numbers before them have gained or lost.  Pure. */
#ifndef INFERENCE_SCRAPE_PAGE_LAYOUT_H
#define INFERENCE_SCRAPE_PAGE_LAYOUT_H

#include <stdint.h>

#include "base/bytes.h"

enum { PAGE_LAYOUT_GROUPS = 12, PAGE_LAYOUT_DRIFT = 256 /* how far a group is looked for, to both sides */ };

/* Lines that follow each other and begin with the same name. */
struct page_group {
    const char *name; /* borrowed */
    uint32_t name_len;
    uint32_t at;
};

/* Zeroed: nothing is known. */
struct page_layout {
    unsigned count;   /* of groups */
    bool is_overfull; /* there were more: it cannot be used */
    uint32_t end;     /* of the line noted last */
    struct page_group groups[PAGE_LAYOUT_GROUPS];
};

/* The name of the line at `at`: up to its labels or value. */
struct bytes page_line_name(struct bytes page, size_t at);
bool page_line_has_name(struct bytes page, size_t at, struct bytes name);
/* From behind the line at `at`. */
size_t page_line_end(struct bytes page, size_t at);

/* A wanted line; call it for all of them, in order.  The name outlives the layout; pages below 4 GiB. */
void page_layout_note(struct page_layout *layout, struct bytes page, size_t at, struct bytes name);
bool page_layout_is_known(const struct page_layout *layout);
/* Where the group stands on this page, not before `from`; moved: how far the one before it was from its place.  False:
 * nowhere near. */
bool page_layout_find(const struct page_group *group, struct bytes page, size_t from, ptrdiff_t moved, size_t *ret_at);

#endif
