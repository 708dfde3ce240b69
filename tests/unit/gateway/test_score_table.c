/* SPDX-License-Identifier: Apache-2.0 */
/* test_score_table.c: scores of a pool's endpoints as text and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/score_table.h"
#include "inference/schedule/picker_config.h"

/* Three endpoints of which the last is not ready: waiting 0 and 4, KV use 0.2 and 0.5. */
struct scene {
    struct pool_registry *registry;
    struct pool *pool;
    struct arena *arena;
    struct score_table table;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.registry = pool_registry_new(), .arena = arena_new(0)};
    scene.pool = pool_registry_take(scene.registry, false, "default", "p", 0);
    static const struct pool_member members[] = {
        {.ip = "127.0.0.1", .port = 80, .is_ready = true},
        {.ip = "127.0.0.2", .port = 80, .is_ready = true},
        {.ip = "127.0.0.3", .port = 80},
    };
    pool_set_members(scene.pool, members, 3, NULL);
    atomic_store(&scene.pool->members[1]->load.waiting, 4);
    atomic_store(&scene.pool->members[0]->load.kv_permille, 200);
    atomic_store(&scene.pool->members[1]->load.kv_permille, 500);
    struct problems problems;
    struct profile profile;
    problems_init(&problems, scene.arena);
    assert_true(scorer_list_parse(BYTES("queue-scorer=2,kv-cache-utilization-scorer=0.5"), "", &problems, &profile));
    schedule_set_profile(scene.pool, &profile);
    score_table_make(scene.pool, &(struct pick_request){0}, scene.arena, &scene.table);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    pool_give_back(scene->pool);
    pool_registry_free(scene->registry);
    arena_free(scene->arena);
    return 0;
}

static void each_endpoint_that_could_be_picked_has_a_row(void **state)
{
    struct scene *scene = *state;
    const struct score_table *table = &scene->table;
    assert_int_equal(table->row_count, 2);
    assert_int_equal(table->scorer_count, 2);
    const struct score_row *row = score_table_find(table, "127.0.0.2:80");
    assert_true(row->scores[0] == 0 && row->scores[1] == 0.5 && row->total == 0.25);
    row = score_table_find(table, "127.0.0.1:80");
    assert_true(row->scores[0] == 1 && row->scores[1] == 0.8 && row->total == 2.4);
    assert_null(score_table_find(table, "127.0.0.3:80"));
}

static void rows_are_written_as_text(void **state)
{
    struct scene *scene = *state;
    struct buffer out = {0};
    score_table_write_text(&scene->table, &out);
    buffer_append_char(&out, '\0');
    const char *text = buffer_bytes(&out).data;
    assert_non_null(strstr(text, " queue-scorer x 2  kv-cache-utilization-scorer x 0.5  total\n"));
    assert_non_null(strstr(text, "  127.0.0.1:80 "));
    assert_non_null(strstr(text, " 0.800  2.400\n"));
    assert_non_null(strstr(text, " 0.500  0.250\n"));
    buffer_deinit(&out);
}

static void a_row_is_written_as_json_and_none_as_null(void **state)
{
    struct scene *scene = *state;
    struct buffer out = {0};
    struct json_writer writer;
    jw_init(&writer, &out);
    jw_begin_array(&writer);
    score_row_write_json(&scene->table, score_table_find(&scene->table, "127.0.0.2:80"), &writer);
    score_row_write_json(&scene->table, NULL, &writer);
    jw_end_array(&writer);
    buffer_append_char(&out, '\0');
    assert_string_equal(buffer_bytes(&out).data,
                        "[{\"queue-scorer\":0,\"kv-cache-utilization-scorer\":0.5,\"total\":0.25},null]");
    buffer_deinit(&out);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(each_endpoint_that_could_be_picked_has_a_row),
        SCENE_TEST(rows_are_written_as_text),
        SCENE_TEST(a_row_is_written_as_json_and_none_as_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
