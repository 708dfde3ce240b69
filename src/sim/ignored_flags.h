/* SPDX-License-Identifier: Apache-2.0 */
/* ignored_flags.h: flags of real model servers (vLLM, sglang) that mean nothing to a simulator.  Pure. */
#ifndef SIM_IGNORED_FLAGS_H
#define SIM_IGNORED_FLAGS_H

#include <stdbool.h>

/* name: with its dashes, underscores turned into dashes. */
bool ignored_flag_takes_value(const char *name);
/* "--enforce-eager", and "--no-..." of such a switch. */
bool ignored_flag_is_switch(const char *name);

#endif
