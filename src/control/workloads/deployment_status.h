/* SPDX-License-Identifier: Apache-2.0 */
/* deployment_status.h: what a Deployment says of itself: counts, Available, Progressing. */
#ifndef CONTROL_WORKLOADS_DEPLOYMENT_STATUS_H
#define CONTROL_WORKLOADS_DEPLOYMENT_STATUS_H

#include "control/workloads/deployment_sets.h"

/* Every replica is of the present template and available, and nothing old is left. */
bool deployment_is_complete(const struct deployment_sets *sets, const struct rollout_limits *limits);
/* Writes the status when it differs, and asks to be woken at the deadline of progress.  is_frozen: paused or being
 * deleted; nothing is said about progress then. */
void deployment_status_write(const struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits,
                             bool is_frozen);

#endif
