/* SPDX-License-Identifier: Apache-2.0 */
/* answer_template.c: most events of a stream differ from the one before in their text only.
 *
 * Pure.  What stands around the text of an event in which nothing else counts is kept; the next event that begins and
 * ends with the same bytes needs two comparisons and no reading.  That is exact, not a guess: the same bytes in the
 * same state mean the same. */
#include "inference/payload/answer_internal.h"
#include "inference/payload/answer_skip.h"

void answer_template_begin(struct answer_scan *scan)
{
    scan->form.text = NULL;
    scan->form.text_end = NULL;
    scan->form.is_plain = true;
}

void answer_template_keep(struct answer_scan *scan, const char *event, const char *end)
{
    struct answer_template *form = &scan->form;
    if (!form->is_plain || !form->is_silent || form->text_end == NULL)
        return;
    size_t head_len = (size_t)(form->text - event), tail_len = (size_t)(end - form->text_end);
    if (head_len > sizeof form->head || tail_len > sizeof form->tail)
        return;
    memcpy(form->head, event, head_len);
    memcpy(form->tail, form->text_end, tail_len);
    form->use = form->text_use;
    form->head_len = (uint16_t)head_len;
    form->tail_len = (uint8_t)tail_len;
}

const char *answer_template_match(struct answer_scan *scan, const char *at, const char *end)
{
    const struct answer_template *form = &scan->form;
    if (form->head_len == 0 || end - at < form->head_len + 1 + form->tail_len ||
        memcmp(at, form->head, form->head_len) != 0)
        return NULL;
    const char *text = at + form->head_len;
    const char *tail = answer_find_quote(text, end);
    if (tail == end || *tail != '"')
        return NULL;
    struct bytes word = bytes_make(text, (size_t)(tail - text));
    tail++;
    if (memchr(word.data, '\n', word.len) != NULL) /* a line's end, not a string's */
        return NULL;
    if (end - tail < form->tail_len || memcmp(tail, form->tail, form->tail_len) != 0)
        return NULL;
    if (word.len > 0) {
        scan->use = form->use;
        answer_note_output(scan);
        scan->has_output = false; /* the event is over */
        if (scan->wants_hash && form->use == USE_TEXT)
            reply_hash_add_text(&scan->hash, word);
    }
    return tail + form->tail_len;
}
