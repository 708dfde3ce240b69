/* SPDX-License-Identifier: Apache-2.0 */
/* namespaces.c: Namespaces begin with a ServiceAccount `default` and end when nothing is left in them. */
#include "control/workloads/controllers.h"
#include "control/workloads/metadata.h"

void namespaces_make(struct pass *pass)
{
    static const char *const names[] = {"default", "kube-system"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (store_head(pass->store, KUBE_NAMESPACE, "", names[i]) == NULL)
            pass_create(pass, KUBE_NAMESPACE, json_pack("{s:{s:s}}", "metadata", "name", names[i]));
}

static void give_account(struct pass *pass, const struct kube_object *namespace_)
{
    if (store_head(pass->store, KUBE_SERVICE_ACCOUNT, namespace_->name, "default") == NULL)
        pass_create(pass, KUBE_SERVICE_ACCOUNT,
                    json_pack("{s:{s:s, s:s}}", "metadata", "name", "default", "namespace", namespace_->name));
}

/* Deletes what is not being deleted yet; how many objects there are still. */
static unsigned empty(struct pass *pass, const char *name)
{
    unsigned left = 0;
    for (unsigned kind = 0; kind < KUBE_KIND_COUNT; kind++) {
        if (!kube_kind_info((enum kube_kind)kind)->is_namespaced)
            continue;
        const struct heads *heads = pass_heads(pass, (enum kube_kind)kind, name);
        for (unsigned i = 0; i < heads->len; i++) {
            const struct kube_object *object = heads->items[i]->object;
            if (!metadata_is_deleting(object))
                pass_delete(pass, object, "Background", -1);
            left += store_head(pass->store, object->kind, object->namespace_, object->name) != NULL;
        }
    }
    return left;
}

/* Its last finalizer, and with it the Namespace. */
static void release(struct pass *pass, const struct kube_object *namespace_)
{
    json_t *tree = tree_edit(namespace_);
    json_object_set_new(tree_edit_member(tree, "spec"), "finalizers", json_array());
    pass_update(pass, namespace_, tree);
}

void namespaces_sync(struct pass *pass)
{
    const struct heads *namespaces = pass_heads(pass, KUBE_NAMESPACE, "");
    for (unsigned i = 0; i < namespaces->len; i++) {
        const struct kube_object *namespace_ = namespaces->items[i]->object;
        if (!metadata_is_deleting(namespace_))
            give_account(pass, namespace_);
        else if (empty(pass, namespace_->name) == 0 &&
                 json_array_size(json_object_get(spec_of(namespace_), "finalizers")) > 0)
            release(pass, namespace_);
    }
}
