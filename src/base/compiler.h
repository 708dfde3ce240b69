/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.h: the few attributes and macros used everywhere. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>

#define MUST_CHECK            __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define LIKELY(x)             __builtin_expect(!!(x), 1)
#define UNLIKELY(x)           __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a)          (sizeof(a) / sizeof((a)[0]))
#define CACHE_LINE            64
#define STAYS_APART           __attribute__((noinline)) /* profiles show it by its name */

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* For allocations of sizes that we choose: memory, or abort when there is none. */
void *must(void *memory);

#endif
