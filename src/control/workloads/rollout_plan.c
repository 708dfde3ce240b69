/* SPDX-License-Identifier: Apache-2.0 */
/* rollout_plan.c: sums and shares of replicas.  Numbers are bounded by the caller (a few hundred), so products fit. */
#include "control/workloads/rollout_plan.h"

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned resolve(struct count_or_percent value, unsigned desired, bool is_up)
{
    if (!value.is_percent)
        return value.value;
    uint64_t hundredths = (uint64_t)value.value * desired + (is_up ? 99 : 0);
    return hundredths / 100 < UINT32_MAX ? (unsigned)(hundredths / 100) : UINT32_MAX;
}

void rollout_limits_of(const struct deployment_spec *spec, unsigned desired, struct rollout_limits *ret_limits)
{
    *ret_limits = (struct rollout_limits){.desired = desired};
    if (spec->is_recreate)
        return;
    /* More than twice the pods serves nobody. */
    ret_limits->surge = smaller(resolve(spec->max_surge, desired, true), desired);
    ret_limits->unavailable = smaller(resolve(spec->max_unavailable, desired, false), desired);
    if (ret_limits->surge == 0 && ret_limits->unavailable == 0)
        ret_limits->unavailable = smaller(1, desired);
}

static unsigned sum(const struct rollout_set *sets, unsigned count)
{
    unsigned total = 0;
    for (unsigned i = 0; i < count; i++)
        total += sets[i].replicas;
    return total;
}

/* What a set says may be older than what it was told. */
static unsigned available(const struct rollout_set *set)
{
    return smaller(set->available, set->replicas);
}

static bool step_new(const struct rollout_limits *limits, struct rollout_set *newest, unsigned old_total)
{
    if (newest->replicas > limits->desired) {
        newest->replicas = limits->desired;
        return true;
    }
    unsigned most = limits->desired + limits->surge, total = newest->replicas + old_total;
    if (total >= most || newest->replicas == limits->desired)
        return false;
    newest->replicas += smaller(most - total, limits->desired - newest->replicas);
    return true;
}

/* Takes at most `most` from olds, oldest first; with only_unhealthy no available ones.  How many it took. */
static unsigned take_from(struct rollout_set *olds, unsigned count, unsigned most, bool only_unhealthy)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < count && taken < most; i++) {
        unsigned candidates = only_unhealthy ? olds[i].replicas - available(&olds[i]) : olds[i].replicas;
        unsigned share = smaller(candidates, most - taken);
        olds[i].replicas -= share;
        taken += share;
    }
    return taken;
}

static bool step_olds(const struct rollout_limits *limits, const struct rollout_set *newest, struct rollout_set *olds,
                      unsigned count)
{
    unsigned total = sum(olds, count) + newest->replicas;
    unsigned least = limits->desired - smaller(limits->unavailable, limits->desired);
    unsigned starting = newest->replicas - available(newest);
    if (total <= least + starting)
        return false;
    unsigned taken = take_from(olds, count, total - least - starting, true);
    unsigned alive = available(newest);
    for (unsigned i = 0; i < count; i++)
        alive += available(&olds[i]);
    if (alive > least)
        taken += take_from(olds, count, alive - least, false);
    return taken > 0;
}

bool rollout_step(const struct rollout_limits *limits, struct rollout_set *newest, struct rollout_set *olds,
                  unsigned old_count)
{
    return step_new(limits, newest, sum(olds, old_count)) || step_olds(limits, newest, olds, old_count);
}

bool rollout_recreate(const struct rollout_limits *limits, struct rollout_set *newest, struct rollout_set *olds,
                      unsigned old_count, bool pods_left)
{
    if (take_from(olds, old_count, UINT32_MAX, false) > 0)
        return true;
    if (pods_left || newest->replicas == limits->desired)
        return false;
    newest->replicas = limits->desired;
    return true;
}

/* The one set that a change of scale can go to: the only active one, or the one to come.  -1: there are several. */
static int only_set(const struct rollout_set *sets, unsigned count, int newest)
{
    int only = newest >= 0 ? newest : (int)count - 1;
    unsigned active = 0;
    for (unsigned i = 0; i < count; i++) {
        if (sets[i].replicas > 0) {
            only = (int)i;
            active++;
        }
    }
    return active <= 1 ? only : -1;
}

/* What a set of this size grew to (or shrank to) if all grew alike, rounded. */
static unsigned share_of(const struct rollout_set *set, unsigned most)
{
    unsigned before = set->most_before;
    if (before == 0)
        return set->replicas;
    return (unsigned)(((uint64_t)set->replicas * most * 2 + before) / (2ull * before));
}

/* Largest first; among equals the newer one when there is more to give, the older one when less.  NULL: none left. */
static struct rollout_set *pick_largest(struct rollout_set *sets, unsigned count, bool is_up)
{
    struct rollout_set *best = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (!sets[i].is_done && sets[i].was > 0 &&
            (best == NULL || sets[i].was > best->was || (is_up && sets[i].was == best->was)))
            best = &sets[i];
    }
    return best;
}

static unsigned step_of(const struct rollout_set *set, unsigned most, bool is_up)
{
    unsigned goal = share_of(set, most);
    if (is_up)
        return goal > set->replicas ? goal - set->replicas : 0;
    return goal < set->replicas ? set->replicas - goal : 0;
}

static void scale_alike(const struct rollout_limits *limits, struct rollout_set *sets, unsigned count)
{
    unsigned most = limits->desired > 0 ? limits->desired + limits->surge : 0, total = sum(sets, count);
    bool is_up = most > total;
    unsigned left = is_up ? most - total : total - most;
    struct rollout_set *set, *largest = NULL;
    for (unsigned i = 0; i < count; i++) {
        sets[i].was = sets[i].replicas;
        sets[i].is_done = false;
    }
    while ((set = pick_largest(sets, count, is_up)) != NULL) {
        unsigned step = smaller(step_of(set, most, is_up), left);
        set->replicas = is_up ? set->replicas + step : set->replicas - step;
        set->is_done = true;
        left -= step;
        if (largest == NULL)
            largest = set;
    }
    if (largest != NULL) /* what rounding left over */
        largest->replicas = is_up ? largest->replicas + left : largest->replicas - smaller(left, largest->replicas);
}

void rollout_scale(const struct rollout_limits *limits, bool is_recreate, bool is_resized, struct rollout_set *sets,
                   unsigned count, int newest)
{
    int only = only_set(sets, count, newest);
    if (only >= 0) {
        sets[only].replicas = limits->desired;
        return;
    }
    if (newest >= 0 && sets[newest].replicas == limits->desired && available(&sets[newest]) == limits->desired) {
        for (unsigned i = 0; i < count; i++)
            sets[i].replicas = (int)i == newest ? limits->desired : 0;
        return;
    }
    if (is_resized && !is_recreate)
        scale_alike(limits, sets, count);
}
