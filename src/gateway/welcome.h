/* SPDX-License-Identifier: Apache-2.0 */
/* welcome.h: what `serin up` prints: how to reach its API server, then, once everything serves, `ready`, alone on its
 * line, and what to type next. */
#ifndef GATEWAY_WELCOME_H
#define GATEWAY_WELCOME_H

#include <stdio.h>

#include "route/status_report.h"

/* `export KUBECONFIG=...` with the whole path of the file in the data folder. */
void welcome_print_kubeconfig(FILE *out, const char *data);
void welcome_print(FILE *out, const struct status_report *report, const char *admin);

#endif
