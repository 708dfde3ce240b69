/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of files and folders, and which edits are noticed. */
#include "unit/http/harness.h"

#include <dirent.h>
#include <sys/stat.h>

#include "control/file_source.h"

struct world {
    char folder[64];
    struct reactor *reactor;
    struct arena *arena;
    struct problems problems;
    struct manifest manifest;
    struct file_source *source;
    unsigned changes;
};

static void world_start(struct world *world)
{
    strcpy(world->folder, "/tmp/serin-test-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    world->reactor = reactor_new("test");
    world->arena = arena_new(0);
    problems_init(&world->problems, world->arena);
    manifest_init(&world->manifest);
    world->source = NULL;
    world->changes = 0;
}

static const char *path_of(struct world *world, const char *name)
{
    return arena_printf(world->arena, "%s/%s", world->folder, name);
}

static void write_to(struct world *world, const char *name, const char *text)
{
    FILE *file = fopen(path_of(world, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void world_stop(struct world *world)
{
    file_source_free(world->source);
    manifest_deinit(&world->manifest);
    arena_free(world->arena);
    reactor_free(world->reactor);
    DIR *folder = opendir(world->folder);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
    rmdir(world->folder);
}

static void follow(struct world *world, const char *const *paths, unsigned count)
{
    world->source = file_source_new(paths, count);
}

static void read_all_of(struct world *world)
{
    manifest_deinit(&world->manifest);
    manifest_init(&world->manifest);
    problems_init(&world->problems, world->arena);
    file_source_read(world->source, &world->manifest, &world->problems);
}

static void on_change(void *context)
{
    ((struct world *)context)->changes++;
}

static void watch(struct world *world)
{
    assert_int_equal(file_source_watch(world->source, world->reactor, on_change, world), 0);
}

/* A change that is noticed; then what is read. */
static void expect_change(struct world *world)
{
    turn_until(world->reactor, world->changes > 0);
    world->changes = 0;
    read_all_of(world);
}

#define NAMESPACE(name) "apiVersion: v1\nkind: Namespace\nmetadata: {name: " name "}\n"

static void a_folder_is_read_by_name_without_hidden_files_other_suffixes_and_folders_below(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    write_to(&world, "b.yml", NAMESPACE("second"));
    write_to(&world, "a.yaml", NAMESPACE("first"));
    write_to(&world, "c.json", "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"third\"}}");
    write_to(&world, ".hidden.yaml", "no: [yaml");
    write_to(&world, ".b.yml.swp", "no: [yaml");
    write_to(&world, "notes.txt", "no: [yaml");
    write_to(&world, "a.yaml~", "no: [yaml");
    assert_int_equal(mkdir(path_of(&world, "below"), 0700), 0);
    for (unsigned slash = 0; slash < 2; slash++) {
        const char *path = slash ? path_of(&world, "") : world.folder;
        follow(&world, &path, 1);
        read_all_of(&world);
        assert_int_equal(world.problems.count, 0);
        assert_int_equal(world.manifest.len, 3);
        assert_string_equal(world.manifest.objects[0]->name, "first");
        assert_string_equal(world.manifest.objects[1]->name, "second");
        assert_string_equal(world.manifest.objects[2]->name, "third");
        file_source_free(world.source);
        world.source = NULL;
    }
    rmdir(path_of(&world, "below"));
    world_stop(&world);
}

static void files_and_folders_may_be_mixed_and_missing_ones_are_problems_that_name_the_path(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    write_to(&world, "a.yaml", NAMESPACE("a"));
    const char *paths[] = {path_of(&world, "nowhere.yaml"), path_of(&world, "a.yaml"), path_of(&world, "nowhere")};
    follow(&world, paths, 3);
    read_all_of(&world);
    assert_int_equal(world.manifest.len, 1);
    assert_int_equal(world.problems.count, 2);
    assert_string_equal(world.problems.first->reason, "Unreadable");
    assert_non_null(strstr(problem_text(world.problems.first, world.arena), "nowhere.yaml"));
    world_stop(&world);
}

static void a_folder_that_bears_a_manifest_s_name_is_a_problem(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    assert_int_equal(mkdir(path_of(&world, "folder.yaml"), 0700), 0);
    const char *path = world.folder;
    follow(&world, &path, 1);
    read_all_of(&world);
    assert_int_equal(world.problems.count, 1);
    rmdir(path_of(&world, "folder.yaml"));
    world_stop(&world);
}

/* Reading it would wait for a writer. */
static void a_pipe_in_a_folder_is_a_problem(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    assert_int_equal(mkfifo(path_of(&world, "pipe.yaml"), 0600), 0);
    const char *path = world.folder;
    follow(&world, &path, 1);
    read_all_of(&world);
    assert_int_equal(world.problems.count, 1);
    assert_non_null(strstr(problem_text(world.problems.first, world.arena), "pipe.yaml"));
    world_stop(&world);
}

static void edits_of_a_folder_are_noticed_whatever_way_they_come(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    write_to(&world, "a.yaml", NAMESPACE("a"));
    const char *path = world.folder;
    follow(&world, &path, 1);
    watch(&world);
    write_to(&world, "a.yaml", NAMESPACE("written"));
    expect_change(&world);
    assert_string_equal(world.manifest.objects[0]->name, "written");
    write_to(&world, ".new", NAMESPACE("renamed"));
    expect_change(&world);
    assert_int_equal(rename(path_of(&world, ".new"), path_of(&world, "a.yaml")), 0);
    expect_change(&world);
    assert_string_equal(world.manifest.objects[0]->name, "renamed");
    write_to(&world, "b.yaml", NAMESPACE("b"));
    expect_change(&world);
    assert_int_equal(world.manifest.len, 2);
    assert_int_equal(unlink(path_of(&world, "a.yaml")), 0);
    expect_change(&world);
    assert_int_equal(world.manifest.len, 1);
    assert_string_equal(world.manifest.objects[0]->name, "b");
    world_stop(&world);
}

static void a_single_file_is_followed_over_renames_and_its_own_absence(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    write_to(&world, "a.yaml", NAMESPACE("a"));
    const char *path = path_of(&world, "a.yaml");
    follow(&world, &path, 1);
    watch(&world);
    for (unsigned i = 0; i < 3; i++) { /* more than once: each rename puts another file there */
        write_to(&world, "new", NAMESPACE("b"));
        assert_int_equal(rename(path_of(&world, "new"), path), 0);
        expect_change(&world);
        assert_string_equal(world.manifest.objects[0]->name, "b");
    }
    assert_int_equal(unlink(path), 0);
    expect_change(&world);
    assert_int_equal(world.problems.count, 1);
    write_to(&world, "a.yaml", NAMESPACE("back"));
    expect_change(&world);
    assert_int_equal(world.problems.count, 0);
    assert_string_equal(world.manifest.objects[0]->name, "back");
    world_stop(&world);
}

static void a_file_that_does_not_exist_yet_is_noticed_when_it_comes(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    const char *path = path_of(&world, "later.yaml");
    follow(&world, &path, 1);
    watch(&world);
    write_to(&world, "later.yaml", NAMESPACE("later"));
    expect_change(&world);
    assert_int_equal(world.problems.count, 0);
    assert_int_equal(world.manifest.len, 1);
    world_stop(&world);
}

/* As a checkout does, and `ln -sfn` with a link to the release in force. */
static void a_folder_that_is_replaced_is_followed_on(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    const char *path = path_of(&world, "manifests/");
    assert_int_equal(mkdir(path_of(&world, "one"), 0700), 0);
    assert_int_equal(mkdir(path_of(&world, "two"), 0700), 0);
    write_to(&world, "one/a.yaml", NAMESPACE("one"));
    write_to(&world, "two/a.yaml", NAMESPACE("two"));
    assert_int_equal(symlink("one", path_of(&world, "manifests")), 0);
    follow(&world, &path, 1);
    watch(&world);
    assert_int_equal(symlink("two", path_of(&world, "next")), 0);
    assert_int_equal(rename(path_of(&world, "next"), path_of(&world, "manifests")), 0);
    expect_change(&world);
    assert_string_equal(world.manifest.objects[0]->name, "two");
    write_to(&world, "two/a.yaml", NAMESPACE("edited"));
    expect_change(&world);
    assert_string_equal(world.manifest.objects[0]->name, "edited");
    assert_int_equal(unlink(path_of(&world, "manifests")), 0);
    expect_change(&world);
    assert_int_equal(world.problems.count, 1);
    assert_int_equal(mkdir(path_of(&world, "manifests"), 0700), 0);
    expect_change(&world);
    write_to(&world, "manifests/a.yaml", NAMESPACE("again"));
    expect_change(&world);
    assert_string_equal(world.manifest.objects[0]->name, "again");
    for (unsigned i = 0; i < 3; i++) {
        const char *folder = ((const char *[]){"one", "two", "manifests"})[i];
        unlink(arena_printf(world.arena, "%s/%s/a.yaml", world.folder, folder));
        rmdir(path_of(&world, folder));
    }
    world_stop(&world);
}

static void what_happens_beside_the_folder_is_no_change(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    const char *path = path_of(&world, "manifests");
    assert_int_equal(mkdir(path, 0700), 0);
    follow(&world, &path, 1);
    watch(&world);
    write_to(&world, "other.yaml", NAMESPACE("other"));
    settle(world.reactor);
    write_to(&world, "manifests/a.yaml", NAMESPACE("a"));
    expect_change(&world);
    settle(world.reactor);
    assert_int_equal(world.changes, 0);
    unlink(path_of(&world, "manifests/a.yaml"));
    rmdir(path);
    world_stop(&world);
}

static void a_burst_of_writes_is_told_once(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    const char *path = world.folder;
    follow(&world, &path, 1);
    watch(&world);
    for (unsigned i = 0; i < 50; i++)
        write_to(&world, "a.yaml", NAMESPACE("a"));
    turn_until(world.reactor, world.changes > 0);
    settle(world.reactor);
    assert_int_equal(world.changes, 1);
    world_stop(&world);
}

static void a_folder_that_cannot_be_watched_is_an_error(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    const char *path = path_of(&world, "nowhere/a.yaml");
    follow(&world, &path, 1);
    assert_int_equal(file_source_watch(world.source, world.reactor, on_change, &world), -ENOENT);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_read_by_name_without_hidden_files_other_suffixes_and_folders_below),
        cmocka_unit_test(files_and_folders_may_be_mixed_and_missing_ones_are_problems_that_name_the_path),
        cmocka_unit_test(a_folder_that_bears_a_manifest_s_name_is_a_problem),
        cmocka_unit_test(a_pipe_in_a_folder_is_a_problem),
        cmocka_unit_test(edits_of_a_folder_are_noticed_whatever_way_they_come),
        cmocka_unit_test(a_single_file_is_followed_over_renames_and_its_own_absence),
        cmocka_unit_test(a_file_that_does_not_exist_yet_is_noticed_when_it_comes),
        cmocka_unit_test(a_folder_that_is_replaced_is_followed_on),
        cmocka_unit_test(what_happens_beside_the_folder_is_no_change),
        cmocka_unit_test(a_burst_of_writes_is_told_once),
        cmocka_unit_test(a_folder_that_cannot_be_watched_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
