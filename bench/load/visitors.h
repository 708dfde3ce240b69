/* SPDX-License-Identifier: Apache-2.0 */
/* visitors.h: the clients of a run: keep-alive connections in closed loop, or one stream each. */
#ifndef BENCH_VISITORS_H
#define BENCH_VISITORS_H

#include "traffic.h"

/* Connects run->connections clients; they begin at once. */
void visitors_start(struct run *run);
/* Those that have had an answer (of a stream: its head). */
unsigned visitors_served(void);
unsigned visitors_open(void);
/* Closes those that have nothing under way; with run->is_ending the others follow when they are done.  all: at once. */
void visitors_leave(bool all);

#endif
