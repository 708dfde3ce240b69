/* SPDX-License-Identifier: Apache-2.0 */
/* tables_review.c: authorization.k8s.io/v1 and authentication.k8s.io/v1: what a client asks about itself.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field field_selector_attributes[] = {
    {1, "rawSelector", TEXT, OMIT}, {2, "requirements", MESSAGE, LIST, message_field_selector_requirement}, {0},
};

static const struct message_field label_selector_attributes[] = {
    {1, "rawSelector", TEXT, OMIT}, {2, "requirements", MESSAGE, LIST, message_label_selector_requirement}, {0},
};

static const struct message_field resource_attributes[] = {
    {1, "namespace", TEXT, OMIT},
    {2, "verb", TEXT, OMIT},
    {3, "group", TEXT, OMIT},
    {4, "version", TEXT, OMIT},
    {5, "resource", TEXT, OMIT},
    {6, "subresource", TEXT, OMIT},
    {7, "name", TEXT, OMIT},
    {8, "fieldSelector", MESSAGE, ONE, field_selector_attributes},
    {9, "labelSelector", MESSAGE, ONE, label_selector_attributes},
    {0},
};

static const struct message_field non_resource_attributes[] = {
    {1, "path", TEXT, OMIT}, {2, "verb", TEXT, OMIT}, {0},
};

static const struct message_field self_subject_access_review_spec[] = {
    {1, "resourceAttributes", MESSAGE, ONE, resource_attributes},
    {2, "nonResourceAttributes", MESSAGE, ONE, non_resource_attributes}, {0},
};

static const struct message_field subject_access_review_status[] = {
    {1, "allowed", BOOL}, {2, "reason", TEXT, OMIT}, {3, "evaluationError", TEXT, OMIT}, {4, "denied", BOOL, OMIT},
    {0},
};

const struct message_field message_self_subject_access_review[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, self_subject_access_review_spec},
    {3, "status", MESSAGE, ONE, subject_access_review_status}, {0},
};

static const struct message_field self_subject_rules_review_spec[] = {
    {1, "namespace", TEXT, OMIT}, {0},
};

static const struct message_field resource_rule[] = {
    {1, "verbs", TEXT, LIST}, {2, "apiGroups", TEXT, LIST}, {3, "resources", TEXT, LIST},
    {4, "resourceNames", TEXT, LIST}, {0},
};

static const struct message_field non_resource_rule[] = {
    {1, "verbs", TEXT, LIST}, {2, "nonResourceURLs", TEXT, LIST}, {0},
};

static const struct message_field subject_rules_review_status[] = {
    {1, "resourceRules", MESSAGE, LIST, resource_rule}, {2, "nonResourceRules", MESSAGE, LIST, non_resource_rule},
    {3, "incomplete", BOOL}, {4, "evaluationError", TEXT, OMIT}, {0},
};

const struct message_field message_self_subject_rules_review[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, self_subject_rules_review_spec},
    {3, "status", MESSAGE, ONE, subject_rules_review_status}, {0},
};

static const struct message_field user_info[] = {
    {1, "username", TEXT, OMIT}, {2, "uid", TEXT, OMIT}, {3, "groups", TEXT, LIST}, {4, "extra", TEXT_LIST, MAP}, {0},
};

static const struct message_field self_subject_review_status[] = {
    {1, "userInfo", MESSAGE, ONE, user_info}, {0},
};

const struct message_field message_self_subject_review[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "status", MESSAGE, ONE, self_subject_review_status}, {0},
};
/* clang-format on */
