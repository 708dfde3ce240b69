/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h: the model server of the benchmarks: answers OpenAI-like JSON or event streams, as the present run wants. */
#ifndef BENCH_ORIGIN_H
#define BENCH_ORIGIN_H

#include "traffic.h"

/* Listens; the loop has begun. */
void origin_start(const struct sockaddr_in *address);
/* What completion requests get from now on; NULL: 503. */
void origin_serve(struct run *run);
/* Sends the events that are due; returns nanoseconds until the next one, at most `most`. */
uint64_t origin_send_due(uint64_t most);

#endif
