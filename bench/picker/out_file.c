/* SPDX-License-Identifier: Apache-2.0 */
/* out_file.c: a disk that is full may be told only when the file is closed. */
#include "out_file.h"

#include <stdio.h>

bool out_file_write(struct bytes text, const char *path)
{
    FILE *file = fopen(path, "we");
    bool is_written = file != NULL && fwrite(text.data, 1, text.len, file) == text.len;
    is_written = file != NULL && fclose(file) == 0 && is_written;
    if (!is_written)
        perror(path);
    return is_written;
}
