/* SPDX-License-Identifier: Apache-2.0 */
/* canary_text.h: Canary objects as texts for people.  Pure: JSON trees in, text out.  Objects may be of any shape; what
 * one lacks is shown as "-". */
#ifndef CLI_CANARY_TEXT_H
#define CLI_CANARY_TEXT_H

#include <jansson.h>

#include "base/buffer.h"

/* A line for each of the items; age by now_ms (wall clock). */
void canary_text_list(const json_t *items, bool has_namespaces, int64_t now_ms, struct buffer *out);
/* Everything there is to know about one; the arms one beside the other where the terminal is too narrow for a line each
 * (columns; 0: no limit). */
void canary_text_show(const json_t *canary, size_t columns, struct buffer *out);
/* The latest `most` events, newest last. */
void canary_text_history(const json_t *canary, size_t most, struct buffer *out);
/* One line: where it is and why it is not further, without a line break. */
void canary_text_line(const json_t *canary, struct buffer *out);
/* What of that counts as a change: the same text as long as nothing happened (shares and times that move all the time
 * are not in it). */
void canary_text_key(const json_t *canary, struct buffer *out);

enum canary_end { CANARY_RUNS, CANARY_WON, CANARY_LOST };
/* Lost: rolled back, aborted or failed.  A status about an older spec says nothing: it runs. */
enum canary_end canary_text_end(const json_t *canary);
/* "default/chat" */
void canary_text_name(const json_t *canary, struct buffer *out);
/* "" when there is none. */
const char *canary_text_phase(const json_t *canary);

#endif
