/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_apply.h: the objects of the followed files brought into the store, as `kubectl apply --server-side
 * --force-conflicts` would, under the manager's name "serin-up".
 *
 * Fields that the files do not name keep what other writers gave them; what the files named before and name no longer
 * goes.  Only objects that this process applied are deleted when they leave the files.  Control thread. */
#ifndef CONTROL_MANIFEST_APPLY_H
#define CONTROL_MANIFEST_APPLY_H

#include "kube/api/manifest.h"
#include "kube/store/store.h"

struct manifest_apply;

/* on_settled: everything that one manifest_apply_run() wrote is durable, or failed and was logged (is_complete false:
 * not all of the manifest is in force).  The store is borrowed. */
struct manifest_apply *manifest_apply_new(struct store *store, void (*on_settled)(void *context, bool is_complete),
                                          void *context);
/* Accepts NULL.  Before the store closes; on_settled does not come any more. */
void manifest_apply_free(struct manifest_apply *apply);

/* Everything is checked first: false when there is any problem, and nothing was written then.  Else on_settled comes
 * once for this call, from inside when nothing differs.  What the store refuses after all is logged, and tried again by
 * the next call that names it. */
bool manifest_apply_run(struct manifest_apply *apply, const struct manifest *manifest, struct problems *problems,
                        uint64_t now_wall_ms);
/* No write of an earlier call is still under way: what readers see of the files is whole. */
bool manifest_apply_is_settled(const struct manifest_apply *apply);

#endif
