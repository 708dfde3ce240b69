/* SPDX-License-Identifier: Apache-2.0 */
/* trace_file.h: a trace as a file, for a client that replays it against real processes (live.py). */
#ifndef BENCH_PICKER_TRACE_FILE_H
#define BENCH_PICKER_TRACE_FILE_H

#include "workload.h"

/* A JSON object per session that arrives within end_s, in their order: "at_s", "system" (-1: none), "system_tokens",
 * "adapter" (0: none), and its "turns", each with "pause_s" before it and the tokens of its own part of the prompt
 * ("own") and of its answer ("answer").  False, after a word on stderr, when the file cannot be written. */
bool trace_write(const struct workload *workload, double rate, uint64_t seed, double end_s, const char *path);

#endif
