/* SPDX-License-Identifier: Apache-2.0 */
/* support.h: what the tests of kube/api share: a manifest with its problems, made from a text. */
#ifndef TESTS_UNIT_KUBE_API_SUPPORT_H
#define TESTS_UNIT_KUBE_API_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kube/api/manifest.h"

struct reading_fixture {
    struct arena *arena;
    struct problems problems;
    struct manifest manifest;
};

static inline void fixture_open(struct reading_fixture *fixture)
{
    fixture->arena = arena_new(0);
    problems_init(&fixture->problems, fixture->arena);
    manifest_init(&fixture->manifest);
}

static inline void fixture_close(struct reading_fixture *fixture)
{
    manifest_deinit(&fixture->manifest);
    arena_free(fixture->arena);
}

static inline void fixture_read(struct reading_fixture *fixture, const char *text)
{
    manifest_add(&fixture->manifest, "test.yaml", bytes_of(text), &fixture->problems);
}

static inline void fixture_expect_clean(struct reading_fixture *fixture)
{
    for (const struct problem *problem = fixture->problems.first; problem != NULL; problem = problem->next)
        print_error("%s\n", problem_text(problem, fixture->arena));
    assert_int_equal(fixture->problems.count, 0);
}

/* The only object of a good text, as its typed spec. */
static inline const void *fixture_spec(struct reading_fixture *fixture, const char *text)
{
    fixture_read(fixture, text);
    fixture_expect_clean(fixture);
    assert_int_equal(fixture->manifest.len, 1);
    return fixture->manifest.objects[0]->spec;
}

static inline const struct problem *fixture_problem(const struct reading_fixture *fixture, const char *field)
{
    for (const struct problem *problem = fixture->problems.first; problem != NULL; problem = problem->next) {
        if (strcmp(problem->field, field) == 0)
            return problem;
    }
    return NULL;
}

/* A manifest that must be refused, and what must be said about it. */
struct bad_manifest {
    const char *head;
    const char *body; /* flow style: a YAML document or an inner part of one */
    const char *field;
    const char *reason;
    const char *message; /* how it begins; "" = any */
};

static inline void check_bad_manifest(const struct bad_manifest *bad)
{
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, arena_printf(fixture.arena, "%s%s\n", bad->head, bad->body));
    const struct problem *problem = fixture_problem(&fixture, bad->field);
    bool is_named = problem != NULL && strcmp(problem->reason, bad->reason) == 0 &&
                    strncmp(problem->message, bad->message, strlen(bad->message)) == 0;
    if (!is_named) {
        print_error("%s%s\nexpected %s (%s)\n", bad->head, bad->body, bad->field, bad->reason);
        for (problem = fixture.problems.first; problem != NULL; problem = problem->next)
            print_error("  got %s (%s)\n", problem_text(problem, fixture.arena), problem->reason);
    }
    assert_true(is_named);
    assert_int_equal(fixture.manifest.len, 0);
    fixture_close(&fixture);
}

/* apiVersion, kind and a name, after which the rest of a document follows. */
#define MANIFEST_HEAD(version, kind) "apiVersion: " version "\nkind: " kind "\nmetadata: {name: x}\n"

#endif
