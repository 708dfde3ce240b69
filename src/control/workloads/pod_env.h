/* SPDX-License-Identifier: Apache-2.0 */
/* pod_env.h: the environment of a container, with what it takes from ConfigMaps, Secrets and the Pod itself; and its
 * words with $(NAME) filled in.  Reads heads of the store; starts nothing. */
#ifndef CONTROL_WORKLOADS_POD_ENV_H
#define CONTROL_WORKLOADS_POD_ENV_H

#include "kube/api/core.h"
#include "kube/store/store.h"

struct pod_env {
    struct hashmap *values; /* name -> value, both in the arena */
    const char **items;     /* "NAME=value", NULL-ended: what the process gets */
    size_t budget;          /* bytes that expansions may still make: a few references make a lot */
};

/* false with a sentence in *ret_why when an object or key is missing (and not optional), or when it is too much.
 * pod_ip: for fieldRef status.podIP.  pod_env_deinit() in any case. */
bool pod_env_resolve(struct pod_env *env, const struct store *store, const struct kube_object *pod, const char *pod_ip,
                     struct arena *arena, const char **ret_why);
void pod_env_deinit(struct pod_env *env);
/* $(NAME) becomes its value when there is one; $$ becomes $; everything else stays.  NULL: too large. */
const char *pod_env_expand(struct pod_env *env, const char *text, struct arena *arena);
/* The container with its command and args expanded, in the arena; NULL: too large. */
struct container_spec *pod_env_expand_command(struct pod_env *env, const struct container_spec *container,
                                              struct arena *arena);

#endif
