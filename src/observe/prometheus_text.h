/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus_text.h: writes the Prometheus text format 0.0.4, line by line; the caller keeps the order and the values.
 */
#ifndef OBSERVE_PROMETHEUS_TEXT_H
#define OBSERVE_PROMETHEUS_TEXT_H

#include "base/buffer.h"

/* "# HELP name help" and "# TYPE name type"; type: "counter", "gauge" or "histogram". */
void prometheus_write_head(struct buffer *out, const char *name, const char *type, const char *help);
/* name="value", escaped, behind a comma when out is not empty: one label of a sample's labels. */
void prometheus_append_label(struct buffer *out, struct bytes name, struct bytes value);
/* `name{labels} ` or, without labels, `name `; the value and a newline follow. */
void prometheus_write_name(struct buffer *out, const char *name, struct bytes labels);
/* A whole sample. */
void prometheus_write_i64(struct buffer *out, const char *name, struct bytes labels, int64_t value);
/* Not finite values as NaN, +Inf, -Inf. */
void prometheus_write_double(struct buffer *out, const char *name, struct bytes labels, double value);
/* Microseconds as seconds, exactly. */
void prometheus_write_us(struct buffer *out, const char *name, struct bytes labels, uint64_t value_us);

#endif
