/* SPDX-License-Identifier: Apache-2.0 */
/* http_route_internal.h: what http_route.c takes from http_route_match.c. */
#ifndef KUBE_API_HTTP_ROUTE_INTERNAL_H
#define KUBE_API_HTTP_ROUTE_INTERNAL_H

#include "kube/api/decode.h"
#include "kube/api/http_route.h"

/* parent is a rule: its matches, at least one after defaulting. */
void http_route_decode_matches(struct field *parent, struct http_route_rule *rule);
/* parent is a rule or a backendRef: the types of its filters. */
const char **http_route_decode_filters(struct field *parent, unsigned *ret_count);
/* A rule that was not given: matches everything, has no backends. */
void http_route_default_rule(struct arena *arena, struct http_route_rule *rule);

#endif
