/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h: memcpy and memset to zero for the short runs of the data plane.
 *
 * Where a processor has registers of 512 bits the C library uses them from 64 bytes on, and the next instruction on
 * one of 128 bits, of which all compiled code is full, waits for some hundred cycles.  These use 128 bits. */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include <stddef.h>

/* The two may not overlap; with len 0 neither is looked at. */
void copy_bytes(void *to, const void *from, size_t len);
void copy_zeros(void *to, size_t len);

#endif
