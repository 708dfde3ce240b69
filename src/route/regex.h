/* SPDX-License-Identifier: Apache-2.0 */
/* regex.h: a regular expression of a match, compiled once and used by all threads.  Private to route/. */
#ifndef ROUTE_REGEX_H
#define ROUTE_REGEX_H

#include "base/bytes.h"

struct regex;

/* NULL with a reason in error when the pattern is none. */
struct regex *regex_new(const char *pattern, char error[160]);
void regex_free(void *regex);
/* The whole of text, not a part of it.  A search that runs into the work limit finds nothing. */
bool regex_matches(const struct regex *regex, struct bytes text);

#endif
