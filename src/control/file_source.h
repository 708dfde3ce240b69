/* SPDX-License-Identifier: Apache-2.0 */
/* file_source.h: manifests from files, folders and standard input, and the word that some of them changed.
 *
 * Folders are read as `kubectl apply -f` reads them: *.yaml, *.yml and *.json, in order of name, not deeper.  Control
 * thread (reading without a reactor works too, for `check`). */
#ifndef CONTROL_FILE_SOURCE_H
#define CONTROL_FILE_SOURCE_H

#include "kube/api/manifest.h"
#include "net/reactor.h"

struct file_source;

/* paths are copied; "-" is standard input, read once. */
struct file_source *file_source_new(const char *const *paths, unsigned count);
void file_source_free(struct file_source *source);
/* Reads everything now.  Unreadable files are problems (reason "Unreadable"). */
void file_source_read(struct file_source *source, struct manifest *manifest, struct problems *problems);
/* Tells of changes, some milliseconds after the last write.  0 or -errno. */
int file_source_watch(struct file_source *source, struct reactor *reactor, void (*on_change)(void *context),
                      void *context);

#endif
