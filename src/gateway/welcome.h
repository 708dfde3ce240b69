/* SPDX-License-Identifier: Apache-2.0 */
/* welcome.h: what `serin up` prints once everything serves: `ready`, alone on its line, and what to type next. */
#ifndef GATEWAY_WELCOME_H
#define GATEWAY_WELCOME_H

#include <stdio.h>

#include "route/status_report.h"

void welcome_print(FILE *out, const struct status_report *report, const char *admin);

#endif
