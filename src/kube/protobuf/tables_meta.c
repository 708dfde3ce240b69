/* SPDX-License-Identifier: Apache-2.0 */
/* tables_meta.c: meta/v1: the metadata of every object, label selectors, conditions, DeleteOptions.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field preconditions[] = {
    {1, "uid", TEXT}, {2, "resourceVersion", TEXT}, {0},
};

const struct message_field message_delete_options[] = {
    {1, "gracePeriodSeconds", INT},
    {2, "preconditions", MESSAGE, ONE, preconditions},
    {3, "orphanDependents", BOOL},
    {4, "propagationPolicy", TEXT},
    {5, "dryRun", TEXT, LIST},
    {6, "ignoreStoreReadErrorWithClusterBreakingPotential", BOOL},
    {0},
};

static const struct message_field owner_reference[] = {
    {1, "kind", TEXT}, {3, "name", TEXT}, {4, "uid", TEXT}, {5, "apiVersion", TEXT}, {6, "controller", BOOL},
    {7, "blockOwnerDeletion", BOOL}, {0},
};

static const struct message_field managed_fields_entry[] = {
    {1, "manager", TEXT, OMIT}, {2, "operation", TEXT, OMIT}, {3, "apiVersion", TEXT, OMIT}, {4, "time", TIME},
    {6, "fieldsType", TEXT, OMIT}, {7, "fieldsV1", FIELDS_V1}, {8, "subresource", TEXT, OMIT}, {0},
};

const struct message_field message_object_meta[] = {
    {1, "name", TEXT, OMIT},
    {2, "generateName", TEXT, OMIT},
    {3, "namespace", TEXT, OMIT},
    {4, "selfLink", TEXT, OMIT},
    {5, "uid", TEXT, OMIT},
    {6, "resourceVersion", TEXT, OMIT},
    {7, "generation", INT, OMIT},
    {8, "creationTimestamp", TIME},
    {9, "deletionTimestamp", TIME},
    {10, "deletionGracePeriodSeconds", INT},
    {11, "labels", TEXT, MAP},
    {12, "annotations", TEXT, MAP},
    {13, "ownerReferences", MESSAGE, LIST, owner_reference},
    {14, "finalizers", TEXT, LIST},
    {17, "managedFields", MESSAGE, LIST, managed_fields_entry},
    {0},
};

const struct message_field message_condition[] = {
    {1, "type", TEXT}, {2, "status", TEXT}, {3, "observedGeneration", INT, OMIT}, {4, "lastTransitionTime", TIME},
    {5, "reason", TEXT}, {6, "message", TEXT}, {0},
};

const struct message_field message_label_selector_requirement[] = {
    {1, "key", TEXT}, {2, "operator", TEXT}, {3, "values", TEXT, LIST}, {0},
};

const struct message_field message_label_selector[] = {
    {1, "matchLabels", TEXT, MAP}, {2, "matchExpressions", MESSAGE, LIST, message_label_selector_requirement}, {0},
};

const struct message_field message_field_selector_requirement[] = {
    {1, "key", TEXT}, {2, "operator", TEXT}, {3, "values", TEXT, LIST}, {0},
};
/* clang-format on */
