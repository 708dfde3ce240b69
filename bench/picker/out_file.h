/* SPDX-License-Identifier: Apache-2.0 */
/* out_file.h: what the benchmark leaves for other programs. */
#ifndef BENCH_PICKER_OUT_FILE_H
#define BENCH_PICKER_OUT_FILE_H

#include "base/bytes.h"

/* In the place of what the file held.  False, after a word on stderr, when it cannot be written. */
bool out_file_write(struct bytes text, const char *path);

#endif
