/* SPDX-License-Identifier: Apache-2.0 */
/* events_view.h: one Event in the two vocabularies in which Kubernetes has it.
 *
 * Events are stored as core/v1; under events.k8s.io/v1 the same object is shown with other names for its fields
 * ("regarding" for "involvedObject").  Fields that neither side renames pass as they are, unknown ones too. */
#ifndef KUBE_APISERVER_EVENTS_VIEW_H
#define KUBE_APISERVER_EVENTS_VIEW_H

#include <jansson.h>

/* A new tree (json_decref), sharing nothing with the old one; NULL when the tree is no object. */
json_t *events_view_from_core(const json_t *event);
json_t *events_view_to_core(const json_t *event);

#endif
