/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate.h: which form of an answer a client asked for, and whether it already has it. */
#ifndef KUBE_APISERVER_NEGOTIATE_H
#define KUBE_APISERVER_NEGOTIATE_H

#include "base/bytes.h"

enum answer_form {
    ANSWER_JSON,              /* the resource itself */
    ANSWER_DISCOVERY_V2,      /* APIGroupDiscoveryList */
    ANSWER_DISCOVERY_V2BETA1, /* the same in its older version: kubectl 1.27-1.29 */
    ANSWER_TABLE,             /* meta.k8s.io/v1 Table */
    ANSWER_METADATA,          /* PartialObjectMetadata: metadata-only clients */
    ANSWER_METADATA_LIST,     /* PartialObjectMetadataList */
    ANSWER_FORM_COUNT         /* none of those offered: 406 */
};
#define OFFER(form)        (1u << (form))
#define OFFER_DISCOVERY    (OFFER(ANSWER_DISCOVERY_V2) | OFFER(ANSWER_DISCOVERY_V2BETA1))
#define OFFER_OBJECT_FORMS (OFFER(ANSWER_TABLE) | OFFER(ANSWER_METADATA))
#define OFFER_LIST_FORMS   (OFFER(ANSWER_TABLE) | OFFER(ANSWER_METADATA_LIST))
/* A watch sends objects one by one, but clients ask for the form of the list that went before. */
#define OFFER_WATCH_FORMS (OFFER_OBJECT_FORMS | OFFER_LIST_FORMS)

/* The form that the Accept field prefers (RFC 9110 12.5.1) among those offered, a set of OFFER() bits; JSON always is.
 * An empty field accepts everything. */
enum answer_form negotiate(struct bytes accept, unsigned offered);
/* What to answer with it. */
const char *answer_content_type(enum answer_form form);

/* A strong entity tag of a body, quotes included: NUL-ended. */
struct entity_tag {
    char text[19];
};
struct entity_tag entity_tag_of(struct bytes body);
/* If-None-Match (RFC 9110 13.1.2, weak comparison) names the tag: answer 304 without a body. */
bool entity_tag_matches(const struct entity_tag *tag, struct bytes if_none_match);

#endif
