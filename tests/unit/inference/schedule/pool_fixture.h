/* SPDX-License-Identifier: Apache-2.0 */
/* pool_fixture.h: a pool of loopback endpoints that nobody connects to, for tests of picks.  One thread sets it up. */
#ifndef UNIT_INFERENCE_SCHEDULE_POOL_FIXTURE_H
#define UNIT_INFERENCE_SCHEDULE_POOL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "inference/prefix_hash.h"
#include "inference/schedule/scheduler.h"

enum { MEMBERS_MAX = 16 };

struct fixture {
    struct pool_registry *registry;
    struct pool *pool;
};

static inline int set_up(void **state)
{
    static struct fixture fixture;
    fixture.registry = pool_registry_new();
    fixture.pool = pool_registry_take(fixture.registry, false, "default", "pool", 0);
    *state = &fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    pool_give_back(fixture->pool);
    pool_registry_free(fixture->registry);
    return 0;
}

static inline void fill(struct pool *pool, unsigned count)
{
    static char ips[MEMBERS_MAX][32];
    struct pool_member members[MEMBERS_MAX];
    for (unsigned i = 0; i < count; i++) {
        snprintf(ips[i], sizeof ips[i], "127.0.0.%u", i + 1);
        members[i] = (struct pool_member){.ip = ips[i], .port = 8000, .pod = "default/p", .is_ready = true};
    }
    pool_set_members(pool, members, count, NULL);
}

/* Picks and keeps it in flight. */
static inline struct endpoint *start(struct pool *pool, const struct pick_request *request,
                                     struct pick_ticket *ret_ticket)
{
    return schedule_pick(pool, request, ret_ticket);
}

static inline void end(struct pick_ticket *ticket, uint64_t now_ms)
{
    struct endpoint *endpoint = ticket->endpoint;
    schedule_release(ticket, now_ms, 0);
    endpoint_give_back(endpoint);
}

static inline struct endpoint *pick_with(struct pool *pool, const struct pick_request *request)
{
    struct pick_ticket ticket;
    struct endpoint *endpoint = start(pool, request, &ticket);
    if (endpoint != NULL)
        end(&ticket, request->now_ms); /* the pool still holds it */
    return endpoint;
}

static inline struct endpoint *pick(struct pool *pool)
{
    return pick_with(pool, &(struct pick_request){.now_ms = 1000});
}

static inline void make_prompt(uint64_t name, uint64_t *hashes, unsigned count)
{
    struct random_state random;
    random_seed(&random, name);
    for (unsigned i = 0; i < count; i++)
        hashes[i] = random_next(&random);
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
