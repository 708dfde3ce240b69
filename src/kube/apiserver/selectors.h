/* SPDX-License-Identifier: Apache-2.0 */
/* selectors.h: labelSelector and fieldSelector of a URL.  Pure. */
#ifndef KUBE_APISERVER_SELECTORS_H
#define KUBE_APISERVER_SELECTORS_H

#include "kube/api/object.h"

struct field_term {
    const char *path; /* "metadata.name" */
    const char *value;
    bool is_negated;
};

/* What a list or watch is narrowed to; both parts ANDed, empty: everything. */
struct selection {
    struct label_selector labels;
    struct field_term *fields;
    unsigned field_count;
};

/* "a=b,c!=d,e in (f,g),h notin (i),j,!k".  False with a sentence in *ret_why. */
bool label_selector_parse(const char *text, struct arena *arena, struct label_selector *ret_selector,
                          const char **ret_why);
/* "metadata.name=x,status.phase!=y" of the fields that the kind can be selected by; \ escapes , = and \. */
bool field_selector_parse(const char *text, enum kube_kind kind, struct arena *arena, struct selection *selection,
                          const char **ret_why);
bool selection_matches(const struct selection *selection, const struct kube_object *object);
static inline bool selection_is_all(const struct selection *selection)
{
    return selection->labels.len == 0 && selection->field_count == 0;
}

#endif
