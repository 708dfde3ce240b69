/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a Pod as kubectl reads it. */
#include "unit/control/workloads/world.h"

#include "control/workloads/pod_status.h"

static const char pod_text[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  nodeName: serin\n"
                               "  containers: [{name: c, image: i}, {name: side, image: j}]\n";

static const struct kube_object *pod_in(const struct world *world)
{
    return world_get(world, KUBE_POD, "p");
}

static void report(struct world *world, struct pod_report report)
{
    if (report.phase == NULL)
        report.phase = "Running";
    if (report.ip == NULL)
        report.ip = "127.1.0.1";
    json_t *status = pod_status_build(pod_in(world), &report, world->now_ms);
    assert_non_null(status);
    world_set_status(world, pod_in(world), status);
}

static const json_t *container(const struct world *world, unsigned index)
{
    return json_array_get(world_at(pod_in(world), "status.containerStatuses"), index);
}

static const json_t *state_of(const struct world *world, const char *which, const char *name)
{
    return json_object_get(json_object_get(container(world, 0), which), name);
}

static const char *ready_since(const struct world *world)
{
    return json_text(condition_find(world_at(pod_in(world), "status.conditions"), "Ready"), "lastTransitionTime");
}

WORLD_TEST(a_running_pod_tells_its_address_and_both_of_its_containers)
{
    world_apply(world, pod_text);
    report(world, (struct pod_report){.state = CONTAINER_RUNNING, .is_ready = true, .started_wall_ms = world->now_ms});
    const struct pod_spec *spec = pod_in(world)->spec;
    assert_string_equal(spec->phase, "Running");
    assert_string_equal(spec->pod_ip, "127.1.0.1");
    assert_true(spec->is_ready);
    assert_string_equal(json_text(status_of(pod_in(world)), "hostIP"), "127.0.0.1");
    assert_int_equal(json_array_size(world_at(pod_in(world), "status.containerStatuses")), 2);
    assert_true(json_is_true(json_object_get(container(world, 1), "ready")));
    assert_string_equal(json_text(container(world, 1), "image"), "j");
    assert_non_null(state_of(world, "state", "running"));
    static const char *const types[] = {"PodScheduled", "Initialized", "ContainersReady", "Ready"};
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        assert_string_equal(json_text(condition_find(world_at(pod_in(world), "status.conditions"), types[i]), "status"),
                            "True");
}

WORLD_TEST(the_time_of_a_condition_moves_only_with_its_status)
{
    char first[21];
    clock_rfc3339(world->now_ms, first);
    world_apply(world, pod_text);
    struct pod_report running = {.state = CONTAINER_RUNNING, .is_ready = true, .started_wall_ms = world->now_ms};
    report(world, running);
    world->now_ms += 60000;
    running.restarts = 1;
    report(world, running);
    assert_string_equal(ready_since(world), first);
    assert_string_equal(json_text(status_of(pod_in(world)), "startTime"), first);
    running.is_ready = false;
    report(world, running);
    assert_string_not_equal(ready_since(world), first);
    assert_int_equal(((const struct pod_spec *)pod_in(world)->spec)->ready_since_ms, 0);
}

WORLD_TEST(ends_are_told_with_code_and_signal)
{
    world_apply(world, pod_text);
    struct pod_exit killed = pod_exit_of(9, world->now_ms - 5000, world->now_ms); /* a wait status: signal 9 */
    report(world, (struct pod_report){.waiting_reason = CRASH_LOOP, .last = killed, .restarts = 2});
    assert_string_equal(json_text(state_of(world, "state", "waiting"), "reason"), CRASH_LOOP);
    assert_int_equal(json_count(state_of(world, "lastState", "terminated"), "exitCode"), 137);
    assert_int_equal(json_count(state_of(world, "lastState", "terminated"), "signal"), 9);
    assert_string_equal(json_text(state_of(world, "lastState", "terminated"), "reason"), "Error");
    assert_int_equal(pod_status_restarts(pod_in(world)), 2);
    struct pod_exit read = pod_status_last(pod_in(world));
    assert_true(read.is_set && read.code == 137 && read.signal == 9);
    report(world, (struct pod_report){.phase = "Succeeded", .state = CONTAINER_ENDED, .last = pod_exit_of(0, 0, 1)});
    assert_string_equal(json_text(state_of(world, "state", "terminated"), "reason"), "Completed");
    assert_int_equal(json_count(state_of(world, "state", "terminated"), "exitCode"), 0);
    assert_true(pod_is_over(pod_in(world)));
    assert_int_equal(pod_exit_of(3 << 8, 0, 0).code, 3);
}

WORLD_TEST(pods_that_only_a_user_can_help_are_stuck)
{
    world_apply(world, pod_text);
    assert_false(pod_is_stuck(pod_in(world)));
    report(world, (struct pod_report){.phase = "Pending", .ip = "", .waiting_reason = REASON_NOT_SIMULATED});
    assert_true(pod_is_stuck(pod_in(world)));
    assert_string_equal(((const struct pod_spec *)pod_in(world)->spec)->pod_ip, "");
    report(world, (struct pod_report){.waiting_reason = REASON_NO_CONFIG, .waiting_message = "m"});
    assert_true(pod_is_stuck(pod_in(world)));
    assert_string_equal(json_text(state_of(world, "state", "waiting"), "message"), "m");
    report(world, (struct pod_report){.waiting_reason = CRASH_LOOP});
    assert_false(pod_is_stuck(pod_in(world)));
    world_set_status(world, pod_in(world), pod_status_unschedulable(pod_in(world), "full", world->now_ms));
    assert_true(pod_is_stuck(pod_in(world)));
}

WORLD_TEST(a_pod_of_an_earlier_run_is_taken_back_once)
{
    world_apply(world, pod_text);
    assert_null(pod_status_lost(pod_in(world), world->now_ms)); /* it never ran */
    report(world, (struct pod_report){
                      .state = CONTAINER_RUNNING, .is_ready = true, .started_wall_ms = world->now_ms, .restarts = 3});
    world->now_ms += 1000;
    json_t *status = pod_status_lost(pod_in(world), world->now_ms);
    assert_non_null(status);
    world_set_status(world, pod_in(world), status);
    assert_false(((const struct pod_spec *)pod_in(world)->spec)->is_ready);
    assert_string_equal(((const struct pod_spec *)pod_in(world)->spec)->pod_ip, "127.1.0.1");
    assert_int_equal(pod_status_restarts(pod_in(world)), 4);
    assert_string_equal(json_text(state_of(world, "state", "waiting"), "reason"), "ContainerCreating");
    assert_string_equal(json_text(state_of(world, "lastState", "terminated"), "reason"), "Unknown");
    assert_null(pod_status_lost(pod_in(world), world->now_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_pod_tells_its_address_and_both_of_its_containers),
        cmocka_unit_test(the_time_of_a_condition_moves_only_with_its_status),
        cmocka_unit_test(ends_are_told_with_code_and_signal),
        cmocka_unit_test(pods_that_only_a_user_can_help_are_stuck),
        cmocka_unit_test(a_pod_of_an_earlier_run_is_taken_back_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
