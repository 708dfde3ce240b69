/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus_parse.h: reads Prometheus text line by line, handing out only samples of wanted names; builds nothing. */
#ifndef OBSERVE_PROMETHEUS_PARSE_H
#define OBSERVE_PROMETHEUS_PARSE_H

#include "base/bytes.h"

struct prometheus_sample {
    struct bytes name;
    struct bytes labels; /* what stands between the braces, "" for none */
    double value;
};

/* Walks the text: *cursor starts at 0.  Skips comments, blank and malformed lines; false at the end.  A last line
 * without a newline counts as a line. */
bool prometheus_next(struct bytes text, size_t *cursor, struct prometheus_sample *ret_sample);
/* The value of a label, unescaped into out (size bytes, NUL-ended, cut when longer); false when absent. */
bool prometheus_label(struct bytes labels, const char *name, char *out, size_t size);

#endif
