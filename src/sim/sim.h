/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h: `serin sim`: one simulated model server with vLLM's HTTP surface. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

/* argv[0] is "sim".  Returns the exit code: 0 fine, 1 failed (one line on stderr), 2 wrong usage (one line). */
int sim_main(int argc, char **argv);

#endif
