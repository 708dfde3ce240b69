/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h: one GET to a running gateway's admin listener. */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/buffer.h"
#include "net/address.h"

/* The body goes to out.  The status, or -1 with a constant sentence in *ret_why. */
int fetch(const struct address *from, struct bytes target, struct buffer *out, const char **ret_why);

#endif
