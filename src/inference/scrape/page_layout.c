/* SPDX-License-Identifier: Apache-2.0 */
/* page_layout.c: groups of lines by their place.  A place counts only where the name begins a line there and the line
 * before has another one, so that a group is never entered in its middle. */
#include "inference/scrape/page_layout.h"

static bool ends_name(char c)
{
    return c == '{' || c == ' ' || c == '\t' || c == '\n';
}

struct bytes page_line_name(struct bytes page, size_t at)
{
    size_t end = at;
    while (end < page.len && !ends_name(page.data[end]))
        end++;
    return bytes_make(page.data + at, end - at);
}

bool page_line_has_name(struct bytes page, size_t at, struct bytes name)
{
    size_t end = at + name.len;
    return bytes_starts_with(bytes_skip(page, at), name) && (end == page.len || ends_name(page.data[end]));
}

size_t page_line_end(struct bytes page, size_t at)
{
    size_t end = at + bytes_find(bytes_skip(page, at), '\n');
    return end < page.len ? end + 1 : end;
}

void page_layout_note(struct page_layout *layout, struct bytes page, size_t at, struct bytes name)
{
    const struct page_group *last = layout->count > 0 ? &layout->groups[layout->count - 1] : NULL;
    bool is_next = last != NULL && at == layout->end && bytes_equal(bytes_make(last->name, last->name_len), name);
    layout->end = (uint32_t)page_line_end(page, at);
    if (is_next)
        return;
    layout->is_overfull = layout->is_overfull || layout->count == PAGE_LAYOUT_GROUPS;
    if (!layout->is_overfull)
        layout->groups[layout->count++] =
            (struct page_group){.name = name.data, .name_len = (uint32_t)name.len, .at = (uint32_t)at};
}

bool page_layout_is_known(const struct page_layout *layout)
{
    return layout->count > 0 && !layout->is_overfull;
}

static size_t line_before(struct bytes page, size_t at)
{
    const char *end = at > 1 ? memrchr(page.data, '\n', at - 1) : NULL;
    return end != NULL ? (size_t)(end - page.data) + 1 : 0;
}

/* at begins a line. */
static bool begins_group(struct bytes page, size_t at, struct bytes name)
{
    return page_line_has_name(page, at, name) && (at == 0 || !page_line_has_name(page, line_before(page, at), name));
}

bool page_layout_find(const struct page_group *group, struct bytes page, size_t from, ptrdiff_t moved, size_t *ret_at)
{
    struct bytes name = bytes_make(group->name, group->name_len);
    ptrdiff_t expected = (ptrdiff_t)group->at + moved;
    ptrdiff_t first = expected - PAGE_LAYOUT_DRIFT, last = expected + PAGE_LAYOUT_DRIFT;
    *ret_at = (size_t)expected;
    if (expected >= (ptrdiff_t)from && expected < (ptrdiff_t)page.len &&
        (expected == 0 || page.data[expected - 1] == '\n') && begins_group(page, *ret_at, name))
        return true;
    if (first > (ptrdiff_t)page.len)
        return false;
    size_t at = first <= (ptrdiff_t)from ? from : page_line_end(page, (size_t)first - 1);
    for (; at < page.len && (ptrdiff_t)at <= last; at = page_line_end(page, at))
        if (begins_group(page, at, name)) {
            *ret_at = at;
            return true;
        }
    return false;
}
