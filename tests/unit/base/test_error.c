/* SPDX-License-Identifier: Apache-2.0 */
/* test_error.c: collecting problems and writing them as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"

static void problems_keep_their_order_and_their_place(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct problems problems;
    char field[] = "spec.port";
    problems_init(&problems, arena);
    assert_int_equal(problems.count, 0);
    assert_null(problems.first);
    problems.source = "routes.yaml:12";
    problems.object = "HTTPRoute default/r";
    problems_add(&problems, field, "Invalid", "must be at most %d", 65535);
    field[0] = 'x'; /* the field was copied */
    problems.source = NULL;
    problems_add(&problems, "", "Required", "a rule is needed");
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.first->reason, "Invalid");
    assert_string_equal(problem_text(problems.first, arena),
                        "routes.yaml:12: HTTPRoute default/r: spec.port: must be at most 65535");
    assert_string_equal(problem_text(problems.first->next, arena), "HTTPRoute default/r: a rule is needed");
    assert_null(problems.first->next->next);
    arena_free(arena);
}

static void a_problem_without_a_place_is_its_message(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct problem problem = {.field = "", .reason = "Invalid", .message = "no such file"};
    assert_string_equal(problem_text(&problem, arena), "no such file");
    problem.field = NULL;
    assert_string_equal(problem_text(&problem, arena), "no such file");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problems_keep_their_order_and_their_place),
        cmocka_unit_test(a_problem_without_a_place_is_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
