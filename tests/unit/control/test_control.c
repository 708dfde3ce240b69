/* SPDX-License-Identifier: Apache-2.0 */
/* The reconcile loop over a store: what makes a snapshot, what only makes members, when statuses are written, and when
 * all is ready.  The test plays the workers: it adopts what was published. */
#include "unit/control/world.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "control/control.h"

#define POD(name)                                                                                                      \
    "apiVersion: v1\n"                                                                                                 \
    "kind: Pod\n"                                                                                                      \
    "metadata: {name: " name ", labels: {app: x}}\n"                                                                   \
    "spec: {containers: [{name: c, image: i}]}\n"                                                                      \
    "---\n"
#define SERVED CLASS GATEWAY POOL("p") ROUTE("r", "{name: g}", REF("p"))

struct scene {
    struct world world;
    struct metrics *metrics;
    struct control *control;
    struct file_source *source;
    unsigned published, readied, stopped, scraped;
    uint64_t generation; /* of the newest snapshot */
    int bind_error;
    char folder[32];
    char file[64];
};

static void on_publish(void *context, struct route_snapshot *snapshot)
{
    struct scene *scene = context;
    scene->published++;
    scene->generation = snapshot->generation;
    route_snapshot_give_back(snapshot);
}

static int on_bind(void *context, const char *ip, uint16_t port)
{
    (void)ip;
    return ((struct scene *)context)->bind_error != 0 ? ((struct scene *)context)->bind_error : port;
}

static void on_scrape(void *context, struct endpoint *endpoint)
{
    (void)endpoint;
    ((struct scene *)context)->scraped++;
}

static void on_ready(void *context)
{
    ((struct scene *)context)->readied++;
}

static void on_stopped(void *context)
{
    ((struct scene *)context)->stopped++;
}

static int setup(void **state)
{
    struct scene *scene = must(calloc(1, sizeof *scene));
    log_set_level(LOG_LEVEL_ERROR);
    world_open(&scene->world);
    scene->metrics = metrics_new(1, 10);
    strcpy(scene->folder, "/tmp/serin-test-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->file, sizeof scene->file, "%s/a.yaml", scene->folder);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    control_free(scene->control);
    file_source_free(scene->source);
    metrics_free(scene->metrics);
    world_close(&scene->world);
    (void)unlink(scene->file);
    rmdir(scene->folder);
    free(scene);
    return 0;
}

static void make_control(struct scene *scene)
{
    static const char *const addresses[] = {"127.0.0.1"};
    struct control_config config = {
        .addresses = addresses,
        .address_count = 1,
        .workloads = {.program = "/nonexistent", .log_dir = "/nonexistent", .speed = 1},
        .default_buffer_limit_bytes = 1,
        .status_retry_ms = 5,
        .metrics = scene->metrics,
    };
    struct control_hooks hooks = {
        .publish = on_publish,
        .bind = on_bind,
        .scrape = on_scrape,
        .ready = on_ready,
        .stopped = on_stopped,
        .context = scene,
    };
    scene->control = control_new(scene->world.reactor, scene->world.store, scene->world.recorder, &config, &hooks);
}

/* Until the snapshot of that number is published. */
static void await_publish(struct scene *scene, unsigned number)
{
    while (scene->published < number)
        reactor_turn(scene->world.reactor, -1);
}

/* The first snapshot; the namespaces that always exist may have made another one at once. */
static void await_first(struct scene *scene)
{
    await_publish(scene, 1);
    world_settle(&scene->world);
    scene->published = 1;
}

/* Without files: what is in the store is served. */
static void start(struct scene *scene)
{
    make_control(scene);
    assert_int_equal(control_start(scene->control, NULL), 0);
    await_first(scene);
}

static void adopt(struct scene *scene)
{
    control_adopted(scene->control, scene->generation);
    world_settle(&scene->world);
}

static void write_file(struct scene *scene, const char *yaml)
{
    char temporary[80];
    snprintf(temporary, sizeof temporary, "%s.new", scene->file);
    FILE *file = fopen(temporary, "we");
    assert_non_null(file);
    fputs(yaml, file);
    fclose(file);
    assert_int_equal(rename(temporary, scene->file), 0);
}

static int start_with_file(struct scene *scene, const char *yaml)
{
    write_file(scene, yaml);
    make_control(scene);
    scene->source = file_source_new((const char *[]){scene->folder}, 1);
    return control_start(scene->control, scene->source);
}

static int64_t reloads(const struct scene *scene, const char *result)
{
    return metrics_value(scene->metrics, METRIC_RELOADS, (const char *[]){result});
}

static void await_reload(const struct scene *scene, const char *result, int64_t count)
{
    while (reloads(scene, result) < count)
        reactor_turn(scene->world.reactor, -1);
}

static const char *programmed(struct scene *scene)
{
    json_t *list = json_object_get(world_status(&scene->world, KUBE_GATEWAY, "g"), "conditions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *condition = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(condition, "type")), "Programmed") == 0)
            return json_string_value(json_object_get(condition, "status"));
    }
    return "absent";
}

static unsigned members(struct scene *scene)
{
    unsigned count = 0;
    struct pool *pool;
    for (size_t cursor = 0; (pool = pool_registry_next(control_pools(scene->control), &cursor)) != NULL;)
        count += pool->member_count;
    return count;
}

static void what_the_store_holds_is_served_without_files(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, SERVED);
    world_settle(&scene->world);
    start(scene);
    assert_null(control_snapshot(scene->control));
    adopt(scene);
    assert_int_equal(control_snapshot(scene->control)->generation, scene->generation);
    assert_true(control_is_ready(scene->control));
    assert_int_equal(reloads(scene, "taken"), 0);
}

static void statuses_are_written_when_every_worker_serves_by_them(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, SERVED);
    start(scene);
    world_settle(&scene->world);
    assert_string_equal(programmed(scene), "absent");
    assert_int_equal(scene->readied, 0);
    adopt(scene);
    assert_string_equal(programmed(scene), "True");
    assert_int_equal(scene->readied, 1);
}

static void ready_is_told_once_and_not_before_its_statuses_are_durable(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, SERVED);
    start(scene);
    world_settle(&scene->world);
    unsigned entered = scene->world.disk.entered;
    memory_disk_hold(&scene->world.disk);
    control_adopted(scene->control, scene->generation);
    reactor_turn(scene->world.reactor, 0);
    memory_disk_await_commit(&scene->world.disk, entered + 1);
    assert_true(control_is_ready(scene->control));
    assert_int_equal(scene->readied, 0);
    memory_disk_release(&scene->world.disk, 0);
    world_settle(&scene->world);
    assert_int_equal(scene->readied, 1);
    world_put(&scene->world, GATEWAY_ON("g", "81"));
    await_publish(scene, 2);
    adopt(scene);
    assert_int_equal(scene->readied, 1);
}

static void a_gateway_that_cannot_be_served_is_not_ready(void **state)
{
    struct scene *scene = *state;
    scene->bind_error = -EADDRINUSE;
    world_put(&scene->world, SERVED);
    start(scene);
    adopt(scene);
    assert_string_equal(programmed(scene), "False");
    assert_false(control_is_ready(scene->control));
    assert_int_equal(scene->readied, 0);
}

static void an_empty_store_is_ready_at_once(void **state)
{
    struct scene *scene = *state;
    start(scene);
    adopt(scene);
    assert_int_equal(scene->readied, 1);
}

static void statuses_events_and_config_maps_make_no_snapshot(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, CLASS GATEWAY ROUTE("r", "{name: g}", "{name: none, port: 80}"));
    start(scene);
    adopt(scene); /* statuses, and an Event about the route */
    assert_string_not_equal(world_events(&scene->world, "r"), "");
    world_put(&scene->world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n---\n"
                             "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s}\n---\n"
                             "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: l}\n");
    world_settle(&scene->world);
    assert_int_equal(scene->published, 1);
    world_put(&scene->world, SERVICE("none"));
    await_publish(scene, 2);
    world_delete(&scene->world, KUBE_SERVICE, "none");
    await_publish(scene, 3);
}

static void a_snapshot_that_was_overtaken_writes_no_status(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, SERVED);
    start(scene);
    uint64_t first = scene->generation;
    world_put(&scene->world, GATEWAY_ON("g", "81"));
    await_publish(scene, 2);
    control_adopted(scene->control, first);
    world_settle(&scene->world);
    assert_string_equal(programmed(scene), "absent");
    adopt(scene);
    assert_string_equal(programmed(scene), "True");
}

static void pods_are_members_and_no_configuration(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, SERVED);
    start(scene);
    adopt(scene);
    world_put(&scene->world, POD("a"));
    world_settle(&scene->world);
    assert_int_equal(members(scene), 0); /* it has no address yet */
    json_t *status =
        json_pack("{s:s, s:[{s:s, s:s}]}", "podIP", "127.0.0.9", "conditions", "type", "Ready", "status", "True");
    assert_true(object_set_status(scene->world.store, KUBE_POD, "default", "a", status, 0));
    world_settle(&scene->world);
    assert_int_equal(members(scene), 1);
    assert_int_equal(scene->scraped, 1);
    world_delete(&scene->world, KUBE_POD, "a");
    world_settle(&scene->world);
    assert_int_equal(members(scene), 0);
    assert_int_equal(scene->published, 1);
}

static void files_are_stored_and_served_and_later_edits_as_well(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(start_with_file(scene, SERVED), 0);
    await_first(scene);
    adopt(scene);
    assert_string_equal(programmed(scene), "True");
    assert_int_equal(reloads(scene, "taken"), 1);
    write_file(scene, SERVED GATEWAY_ON("h", "81"));
    await_publish(scene, 2);
    adopt(scene);
    assert_non_null(store_get(scene->world.store, KUBE_GATEWAY, "default", "h"));
    assert_int_equal(reloads(scene, "taken"), 2);
    write_file(scene, SERVED);
    await_publish(scene, 3);
    assert_null(store_get(scene->world.store, KUBE_GATEWAY, "default", "h"));
}

static void an_edit_with_a_problem_changes_nothing(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(start_with_file(scene, SERVED), 0);
    await_first(scene);
    adopt(scene);
    log_set_level(LOG_LEVEL_ERROR);
    uint64_t version = store_version(scene->world.store);
    write_file(scene, CLASS "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: nowhere}\n");
    await_reload(scene, "refused", 1);
    world_settle(&scene->world);
    assert_int_equal(store_version(scene->world.store), version);
    assert_int_equal(scene->published, 1);
}

static void bad_manifests_at_the_start_are_refused(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(start_with_file(scene, "kind: Nonsense\n"), -1);
    assert_int_equal(scene->published, 0);
    assert_int_equal(reloads(scene, "refused"), 1);
}

static void an_edit_that_becomes_durable_in_pieces_is_compiled_whole(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(start_with_file(scene, SERVED), 0);
    await_first(scene);
    adopt(scene);
    unsigned entered = scene->world.disk.entered;
    memory_disk_hold(&scene->world.disk);
    world_put(&scene->world, SERVICE("other")); /* holds the disk, so that the edit waits in parts */
    memory_disk_await_commit(&scene->world.disk, entered + 1);
    write_file(scene, SERVED GATEWAY_ON("h", "81"));
    while (world_figures(&scene->world).pending < 2)
        reactor_turn(scene->world.reactor, -1);
    memory_disk_let_go(&scene->world.disk, 0);
    while (store_get(scene->world.store, KUBE_SERVICE, "default", "other") == NULL)
        reactor_turn(scene->world.reactor, -1);
    reactor_turn(scene->world.reactor, 0);
    assert_int_equal(scene->published, 1);
    memory_disk_release(&scene->world.disk, 0);
    await_publish(scene, 2);
    world_settle(&scene->world);
    assert_int_equal(scene->published, 2);
}

static void statuses_that_the_disk_refused_are_written_when_it_works_again(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, SERVED);
    start(scene);
    memory_disk_release(&scene->world.disk, -ENOSPC);
    control_adopted(scene->control, scene->generation);
    while (world_figures(&scene->world).commit_errors < 2) /* the second one is of a retry */
        reactor_turn(scene->world.reactor, -1);
    const struct stored *durable = store_get(scene->world.store, KUBE_GATEWAY, "default", "g");
    assert_null(json_object_get(durable->object->tree, "status"));
    assert_int_equal(scene->readied, 0);
    assert_int_equal(control_snapshot(scene->control)->generation, scene->generation); /* traffic goes on */
    memory_disk_release(&scene->world.disk, 0);
    while (scene->readied == 0)
        reactor_turn(scene->world.reactor, -1);
    durable = store_get(scene->world.store, KUBE_GATEWAY, "default", "g");
    assert_non_null(json_object_get(durable->object->tree, "status"));
}

static void stopping_ends_the_workloads(void **state)
{
    struct scene *scene = *state;
    start(scene);
    control_stop(scene->control, 0);
    world_settle(&scene->world);
    assert_int_equal(scene->stopped, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_store_holds_is_served_without_files),
        TEST(statuses_are_written_when_every_worker_serves_by_them),
        TEST(ready_is_told_once_and_not_before_its_statuses_are_durable),
        TEST(a_gateway_that_cannot_be_served_is_not_ready),
        TEST(an_empty_store_is_ready_at_once),
        TEST(statuses_events_and_config_maps_make_no_snapshot),
        TEST(a_snapshot_that_was_overtaken_writes_no_status),
        TEST(pods_are_members_and_no_configuration),
        TEST(files_are_stored_and_served_and_later_edits_as_well),
        TEST(an_edit_with_a_problem_changes_nothing),
        TEST(bad_manifests_at_the_start_are_refused),
        TEST(an_edit_that_becomes_durable_in_pieces_is_compiled_whole),
        TEST(statuses_that_the_disk_refused_are_written_when_it_works_again),
        TEST(stopping_ends_the_workloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
