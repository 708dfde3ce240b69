/* SPDX-License-Identifier: Apache-2.0 */
/* string_skip.h: the hot loop of openai_scan: over the contents of a JSON string that nobody wants to read.  Private to
 * the module; all versions give the same answer. */
#ifndef INFERENCE_PAYLOAD_STRING_SKIP_H
#define INFERENCE_PAYLOAD_STRING_SKIP_H

/* From at, inside a string, to the first quote, control character, or backslash that does not start a whole two-byte
 * escape (\u, a forbidden one, or one cut by end); end when there is none. */
typedef const char *(*string_skip_fn)(const char *at, const char *end);

const char *string_skip_scalar(const char *at, const char *end);
#ifdef __x86_64__
const char *string_skip_sse2(const char *at, const char *end);
/* Only where __builtin_cpu_supports("avx2"). */
const char *string_skip_avx2(const char *at, const char *end);
#endif
/* The fastest one that this processor runs. */
string_skip_fn string_skip_best(void);
/* From at to the first quote, backslash or control character: what a reader takes as it stands. */
const char *string_run_end(const char *at, const char *end);

#endif
