/* SPDX-License-Identifier: Apache-2.0 */
/* reviews.c: "may I?" and "who am I?".  There is one user, the holder of the token, who may do everything; nothing of a
 * review is stored. */
#include "kube/apiserver/call.h"
#include "kube/apiserver/object_rules.h"

#define USER_NAME "serin:admin"

static json_t *access_status(void)
{
    return json_pack("{s:b, s:s}", "allowed", 1, "reason", "the token of this server allows everything");
}

static json_t *rules_status(void)
{
    return json_pack("{s:[{s:[s], s:[s], s:[s]}], s:[{s:[s], s:[s]}], s:b}", "resourceRules", "verbs", "*", "apiGroups",
                     "*", "resources", "*", "nonResourceRules", "verbs", "*", "nonResourceURLs", "*", "incomplete", 0);
}

static json_t *identity_status(void)
{
    return json_pack("{s:{s:s, s:[s,s]}}", "userInfo", "username", USER_NAME, "groups", "system:masters",
                     "system:authenticated");
}

static json_t *status_of(const char *plural)
{
    if (strcmp(plural, "selfsubjectrulesreviews") == 0)
        return rules_status();
    return strcmp(plural, "selfsubjectreviews") == 0 ? identity_status() : access_status();
}

void review_create(struct api_call *call)
{
    const struct api_resource *resource = call->target.resource;
    json_t *tree = read_body(call);
    if (tree == NULL || !json_is_object(tree)) {
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "the body of the request must be a %s", resource->kind_name);
        json_decref(tree);
        answer_failure(call);
        return;
    }
    rules_set_text(tree, "apiVersion", resource->api_version);
    rules_set_text(tree, "kind", resource->kind_name);
    (void)rules_metadata(tree);
    json_object_set_new(tree, "status", status_of(resource->plural));
    answer_tree(call, 201, tree);
}
