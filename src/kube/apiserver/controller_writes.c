/* SPDX-License-Identifier: Apache-2.0 */
/* controller_writes.c: the writes of our own controllers: one call each, nobody waits, what fails is logged (the next
 * pass of the controller tries again). */
#include "base/log.h"
#include "kube/apiserver/change.h"
#include "kube/apiserver/object_rules.h"

/* What the change left, counted for the caller; NULL and a log line when it was refused. */
static struct stored *finish(struct change *change, enum kube_kind kind, const char *namespace_, const char *name)
{
    struct stored *stored = NULL;
    if (change->failure.is_set) {
        log_warn(arena_printf(change->arena, "%s %s/%s", kube_kind_info(kind)->kind, namespace_, name),
                 "not written: %s", change->failure.message);
    } else {
        stored = stored_take(change->stored);
    }
    change_deinit(change);
    arena_free(change->arena);
    return stored;
}

struct stored *object_create(struct store *store, enum kube_kind kind, json_t *tree, uint64_t now_wall_ms)
{
    struct change change;
    change_init(&change, store, arena_new(0), now_wall_ms);
    const json_t *metadata = json_object_get(tree, "metadata");
    const char *name = arena_strdup(change.arena, rules_text(metadata, "name"));
    const char *namespace_ = arena_strdup(change.arena, rules_text(metadata, "namespace"));
    (void)change_create(&change, kind, tree);
    return finish(&change, kind, namespace_, name);
}

struct stored *object_update(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                             json_t *tree, uint64_t now_wall_ms)
{
    struct change change;
    change_init(&change, store, arena_new(0), now_wall_ms);
    (void)change_update(&change, kind, namespace_, name, tree);
    return finish(&change, kind, namespace_, name);
}

bool object_set_status(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                       json_t *status, uint64_t now_wall_ms)
{
    struct change change;
    change_init(&change, store, arena_new(0), now_wall_ms);
    change.part = CHANGE_STATUS;
    json_t *tree = json_object();
    json_object_set_new(tree, "status", status);
    bool is_written = change_update(&change, kind, namespace_, name, tree) && !change.is_unchanged;
    stored_give_back(finish(&change, kind, namespace_, name));
    return is_written;
}

bool object_delete(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                   const char *propagation, int64_t grace_s, uint64_t now_wall_ms)
{
    struct change change;
    struct deletion deletion = {.propagation = propagation, .grace_s = grace_s};
    change_init(&change, store, arena_new(0), now_wall_ms);
    bool is_done = change_delete(&change, kind, namespace_, name, &deletion);
    stored_give_back(finish(&change, kind, namespace_, name));
    return is_done;
}
