/* SPDX-License-Identifier: Apache-2.0 */
/* private_file.h: small files with secrets: mode 0600, and either the old or the new content after a crash. */
#ifndef KUBE_APISERVER_PRIVATE_FILE_H
#define KUBE_APISERVER_PRIVATE_FILE_H

#include "base/buffer.h"

enum { PRIVATE_FILE_MAX_BYTES = 64 * 1024 };

/* Makes the folder (0700) when it is missing.  0 or -errno. */
int private_folder_make(const char *path);
/* Appends the content.  0, -ENOENT, -EFBIG (PRIVATE_FILE_MAX_BYTES), other -errno. */
int private_file_read(const char *path, struct buffer *ret_content);
/* Writes <path>.tmp, and gives it the name when it is on stable storage.  0 or -errno. */
int private_file_write(const char *path, struct bytes content);

#endif
