/* SPDX-License-Identifier: Apache-2.0 */
/* managers.c: metadata.managedFields: which writer set which fields. */
#include "base/clock.h"
#include "kube/apiserver/change_internal.h"
#include "kube/apiserver/object_rules.h"
#include "kube/patch/managed_fields.h"

static json_t *managers_of(const json_t *tree)
{
    return json_object_get(json_object_get(tree, "metadata"), "managedFields");
}

/* Without a manager, a list that tree brings along stays (apply_patch() made it), else the present one: our own
 * controllers keep no record, since nobody applies against them and each record costs more than the write. */
static json_t *inherit_managers(const json_t *before, json_t *tree)
{
    json_t *older = managers_of(before);
    if (older != NULL && managers_of(tree) == NULL)
        json_object_set(rules_metadata(tree), "managedFields", older);
    return tree;
}

json_t *change_note_manager(struct change *change, enum kube_kind kind, const json_t *before, json_t *tree)
{
    const struct kube_kind_info *info = kube_kind_info(kind);
    char now[21];
    clock_rfc3339(change->now_wall_ms, now);
    struct apply_request request = {
        .manager = change->manager,
        .api_version = change->api_version != NULL ? change->api_version : rules_text(tree, "apiVersion"),
        .time = now,
        .subresource = change->part == CHANGE_STATUS ? "status" : "",
        .kind = info->kind,
        .group = info->group,
    };
    if (change->manager == NULL)
        return inherit_managers(before, tree);
    json_t *noted = managed_fields_update((json_t *)(uintptr_t)before, tree, &request);
    json_decref(tree);
    return noted;
}
