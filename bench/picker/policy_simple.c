/* SPDX-License-Identifier: Apache-2.0 */
/* policy_simple.c: random, round-robin, and least-request by the policy's own count. */
#include <stdlib.h>

#include "policy.h"

struct simple {
    unsigned endpoints;
    unsigned next;
    struct random_state random;
    unsigned in_flight[64];
};

static void *simple_new(const struct policy_setup *setup)
{
    struct simple *simple = must(calloc(1, sizeof *simple));
    simple->endpoints = setup->endpoints;
    random_seed(&simple->random, setup->seed * 31 + 5);
    return simple;
}

static unsigned pick_random(void *state, struct call *call, const struct view *const *views, uint64_t now_ns)
{
    (void)call, (void)views, (void)now_ns;
    struct simple *simple = state;
    return (unsigned)random_below(&simple->random, simple->endpoints);
}

static unsigned pick_round_robin(void *state, struct call *call, const struct view *const *views, uint64_t now_ns)
{
    (void)call, (void)views, (void)now_ns;
    struct simple *simple = state;
    return simple->next++ % simple->endpoints;
}

static unsigned pick_least_request(void *state, struct call *call, const struct view *const *views, uint64_t now_ns)
{
    (void)call, (void)views, (void)now_ns;
    struct simple *simple = state;
    unsigned best = 0, equals = 0;
    for (unsigned i = 0; i < simple->endpoints; i++) {
        if (equals > 0 && simple->in_flight[i] > simple->in_flight[best])
            continue;
        equals = equals > 0 && simple->in_flight[i] == simple->in_flight[best] ? equals + 1 : 1;
        if (random_below(&simple->random, equals) == 0)
            best = i;
    }
    simple->in_flight[best]++;
    return best;
}

static void count_finished(void *state, struct call *call, uint64_t now_ns)
{
    (void)now_ns;
    struct simple *simple = state;
    simple->in_flight[call->endpoint]--;
}

const struct policy policy_random = {.name = "random", .new = simple_new, .free = free, .pick = pick_random};
const struct policy policy_round_robin = {
    .name = "round-robin", .new = simple_new, .free = free, .pick = pick_round_robin};
const struct policy policy_least_request = {.name = "least-request",
                                            .new = simple_new,
                                            .free = free,
                                            .pick = pick_least_request,
                                            .on_finished = count_finished};
