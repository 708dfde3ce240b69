/* SPDX-License-Identifier: Apache-2.0 */
/* discovery.h: what the API server tells about its groups, versions and resources.
 *
 * Every function appends one JSON document to out.  Two dialects: aggregated (all in one document, kubectl >= 1.26) and
 * legacy (a document for each level: `kubectl auth can-i`, curl, other clients); negotiate.h says which is wanted. */
#ifndef KUBE_APISERVER_DISCOVERY_H
#define KUBE_APISERVER_DISCOVERY_H

#include "base/buffer.h"
#include "kube/apiserver/negotiate.h"

/* GET /api and /apis; form is ANSWER_JSON (legacy) or one of the discovery forms.  The answer varies by Accept. */
void discovery_write_api(enum answer_form form, struct buffer *out);
void discovery_write_apis(enum answer_form form, struct buffer *out);
/* GET /apis/<group>: APIGroup.  False, nothing written: not served. */
bool discovery_write_group(struct bytes group, struct buffer *out);
/* GET /api/v1 (group ""), /apis/<group>/<version>: APIResourceList.  False, nothing written: not served. */
bool discovery_write_resources(struct bytes group, struct bytes version, struct buffer *out);
/* GET /version. */
void discovery_write_version(struct buffer *out);

#endif
