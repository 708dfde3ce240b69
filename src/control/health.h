/* SPDX-License-Identifier: Apache-2.0 */
/* health.h: active checks of endpoints that no Pod vouches for (those of labelled EndpointSlices).
 *
 * GET path every interval; one failed check takes the endpoint out, one good check brings it back.  Control thread. */
#ifndef CONTROL_HEALTH_H
#define CONTROL_HEALTH_H

#include "inference/endpoint.h"
#include "kube/api/object.h"
#include "net/reactor.h"

struct health;

struct health *health_new(struct reactor *reactor);
void health_free(struct health *health);
/* annotations of the EndpointSlice: serin.dev/health-interval ("2s"), serin.dev/health-path ("/health").  Takes its own
 * count of the endpoint; lets go once it is removed. */
void health_add(struct health *health, struct endpoint *endpoint, const struct kube_labels *annotations);

#endif
