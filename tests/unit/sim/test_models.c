/* SPDX-License-Identifier: Apache-2.0 */
/* test_models.c: served names and adapters. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "sim/models.h"

static struct models *make(void)
{
    const struct bytes names[] = {BYTES("mymodel"), BYTES("other"), BYTES("mymodel")};
    struct models *models = models_new(BYTES("/models/Qwen-2.5-7B-Instruct/"), names, 3);
    assert_int_equal(models_load_adapter(models, BYTES("travel-v1"), BYTES("/lora/1")), MODELS_OK);
    return models;
}

static char *introduction(struct arena *arena, const struct model *model)
{
    struct buffer out = {0};
    for (unsigned i = 0; i < model->voice.len; i++)
        buffer_append(&out, model->voice.pieces[i].plain);
    char *text = arena_strndup(arena, buffer_bytes(&out));
    buffer_deinit(&out);
    return text;
}

static void models_say_honestly_what_they_are(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct models *models = make();
    assert_string_equal(introduction(arena, models_find(models, BYTES("other"))),
                        "I am a simulated Qwen-2.5-7B-Instruct (served as other).");
    assert_string_equal(introduction(arena, models_find(models, BYTES("travel-v1"))),
                        "I am a simulated Qwen-2.5-7B-Instruct with the adapter travel-v1.");
    models_free(models);
    arena_free(arena);
}

static void no_name_means_the_first(void **state)
{
    (void)state;
    struct models *models = make();
    assert_true(bytes_equal_str(models_find(models, BYTES(""))->name, "mymodel"));
    assert_null(models_find(models, BYTES("nobody")));
    models_free(models);
}

static void adapters_come_and_go(void **state)
{
    (void)state;
    struct models *models = make();
    assert_int_equal(models_load_adapter(models, BYTES("travel-v1"), BYTES("/x")), MODELS_TAKEN);
    assert_int_equal(models_load_adapter(models, BYTES("mymodel"), BYTES("/x")), MODELS_TAKEN);
    assert_int_equal(models_unload_adapter(models, BYTES("mymodel")), MODELS_UNKNOWN);
    assert_int_equal(models_unload_adapter(models, BYTES("travel-v1")), MODELS_OK);
    assert_int_equal(models_unload_adapter(models, BYTES("travel-v1")), MODELS_UNKNOWN);
    models_free(models);
}

static void an_adapter_in_use_outlives_its_unloading(void **state)
{
    (void)state;
    struct models *models = make();
    struct model *adapter = models_find(models, BYTES("travel-v1"));
    models_take(adapter);
    assert_int_equal(models_unload_adapter(models, BYTES("travel-v1")), MODELS_OK);
    assert_null(models_find(models, BYTES("travel-v1")));
    assert_true(bytes_equal_str(adapter->name, "travel-v1"));
    models_give_back(adapter);
    models_free(models);
}

static void the_list_names_parents_and_roots(void **state)
{
    (void)state;
    struct models *models = make();
    struct buffer out = {0};
    struct json_writer json;
    char error[200];
    jw_init(&json, &out);
    models_write(models, &json, 5, 8192);
    json_t *root = json_read(buffer_bytes(&out), error);
    json_t *data = json_object_get(root, "data");
    assert_int_equal(json_array_size(data), 3);
    json_t *adapter = json_array_get(data, 2);
    assert_string_equal(json_string_value(json_object_get(adapter, "id")), "travel-v1");
    assert_string_equal(json_string_value(json_object_get(adapter, "parent")), "mymodel");
    assert_string_equal(json_string_value(json_object_get(adapter, "root")), "/lora/1");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(data, 0), "max_model_len")), 8192);
    json_decref(root);
    buffer_deinit(&out);
    models_free(models);
}

static void adapters_in_use_are_listed(void **state)
{
    (void)state;
    struct models *models = make();
    struct buffer out = {0};
    assert_int_equal(models_load_adapter(models, BYTES("b"), BYTES("/b")), MODELS_OK);
    models_find(models, BYTES("travel-v1"))->use.running = 2;
    models_find(models, BYTES("b"))->use.running = 1;
    models_find(models, BYTES("b"))->use.waiting = 1;
    models_write_running(models, &out);
    assert_true(bytes_equal_str(buffer_bytes(&out), "travel-v1,b"));
    buffer_clear(&out);
    models_write_waiting(models, &out);
    assert_true(bytes_equal_str(buffer_bytes(&out), "b"));
    buffer_deinit(&out);
    models_free(models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_say_honestly_what_they_are),
        cmocka_unit_test(no_name_means_the_first),
        cmocka_unit_test(adapters_come_and_go),
        cmocka_unit_test(an_adapter_in_use_outlives_its_unloading),
        cmocka_unit_test(the_list_names_parents_and_roots),
        cmocka_unit_test(adapters_in_use_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
