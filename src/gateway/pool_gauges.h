/* SPDX-License-Identifier: Apache-2.0 */
/* pool_gauges.h: what /metrics says of pools and endpoints, set anew before each page.  Control thread. */
#ifndef GATEWAY_POOL_GAUGES_H
#define GATEWAY_POOL_GAUGES_H

#include "inference/pool.h"
#include "observe/metrics.h"

void pool_gauges_set(const struct pool_registry *pools, struct metrics *metrics, unsigned shard, uint64_t now_ms);

#endif
