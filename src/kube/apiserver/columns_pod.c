/* SPDX-License-Identifier: Apache-2.0 */
/* columns_pod.c: cells of Pods and of what holds a pod template: how far a pod came is told by its containers, which no
 * single field says.  Pure; one cell at a time. */
#include <stdlib.h>
#include <string.h>

#include "kube/apiserver/columns.h"
#include "kube/apiserver/human_duration.h"

/* A pod with this condition has left its init containers behind. */
static bool is_condition_true(const json_t *pod, const char *type)
{
    const json_t *condition = cell_condition(tree_at(pod, "status.conditions"), type);
    return strcmp(tree_text(condition, "status"), "True") == 0;
}

/* An init container that goes on beside the others. */
static bool is_sidecar(const json_t *pod, const json_t *status)
{
    size_t i;
    json_t *container;
    json_array_foreach((json_t *)tree_at(pod, "spec.initContainers"), i, container)
    {
        if (strcmp(tree_text(container, "name"), tree_text(status, "name")) == 0)
            return strcmp(tree_text(container, "restartPolicy"), "Always") == 0;
    }
    return false;
}

/* The first init container that the others still wait for, its number in *ret_index; NULL when there is none. */
static const json_t *pending_init(const json_t *pod, size_t *ret_index)
{
    size_t i;
    json_t *status;
    if (is_condition_true(pod, "Initialized"))
        return NULL;
    json_array_foreach((json_t *)tree_at(pod, "status.initContainerStatuses"), i, status)
    {
        bool has_started = json_is_true(tree_at(status, "started")) && is_sidecar(pod, status);
        bool is_done =
            tree_at(status, "state.terminated") != NULL && cell_int_at(status, "state.terminated.exitCode", 0) == 0;
        *ret_index = i;
        if (!is_done && !has_started)
            return status;
    }
    return NULL;
}

/* Why a container ended, or "" when it did not. */
static void append_end(struct buffer *text, const json_t *status)
{
    const json_t *terminated = tree_at(status, "state.terminated");
    const char *reason = tree_text(terminated, "reason");
    long long signal = cell_int_at(terminated, "signal", 0);
    if (terminated == NULL)
        return;
    if (reason[0] != '\0')
        buffer_append_str(text, reason);
    else if (signal != 0)
        buffer_printf(text, "Signal:%lld", signal);
    else
        buffer_printf(text, "ExitCode:%lld", (long long)cell_int_at(terminated, "exitCode", 0));
}

static void append_init_status(struct buffer *text, const json_t *pod, const json_t *status, size_t index)
{
    const char *waiting = tree_text(status, "state.waiting.reason");
    size_t count = json_array_size(tree_at(pod, "spec.initContainers"));
    buffer_append_str(text, "Init:");
    if (tree_at(status, "state.terminated") != NULL)
        append_end(text, status);
    else if (waiting[0] != '\0' && strcmp(waiting, "PodInitializing") != 0)
        buffer_append_str(text, waiting);
    else
        buffer_printf(text, "%zu/%zu", index, count);
}

/* What the containers say: the first one that waits or ended speaks for the pod. */
static void append_container_status(struct buffer *text, const json_t *pod)
{
    const json_t *statuses = tree_at(pod, "status.containerStatuses");
    bool has_running = false;
    size_t i;
    json_t *status;
    json_array_foreach((json_t *)statuses, i, status)
    {
        has_running = has_running || tree_at(status, "state.running") != NULL;
        if (!buffer_is_empty(text))
            continue;
        buffer_append_str(text, tree_text(status, "state.waiting.reason"));
        if (buffer_is_empty(text))
            append_end(text, status);
    }
    /* One container ended well, another goes on. */
    if (has_running && bytes_equal(buffer_bytes(text), BYTES("Completed"))) {
        buffer_clear(text);
        buffer_append_str(text, is_condition_true(pod, "Ready") ? "Running" : "NotReady");
    }
}

static bool is_over(const char *phase)
{
    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

void cell_pod_status(const struct table_cell *cell)
{
    const char *phase = tree_text(cell->tree, "status.phase");
    const char *reason = tree_text(cell->tree, "status.reason");
    const json_t *scheduled = cell_condition(tree_at(cell->tree, "status.conditions"), "PodScheduled");
    size_t index = 0;
    const json_t *init = pending_init(cell->tree, &index);
    if (tree_at(cell->tree, "metadata.deletionTimestamp") != NULL && !is_over(phase)) {
        jw_str(cell->writer, strcmp(reason, "NodeLost") == 0 ? "Unknown" : "Terminating");
        return;
    }
    if (init != NULL)
        append_init_status(cell->scratch, cell->tree, init, index);
    else
        append_container_status(cell->scratch, cell->tree);
    if (reason[0] == '\0')
        reason = strcmp(tree_text(scheduled, "reason"), "SchedulingGated") == 0 ? "SchedulingGated" : phase;
    cell_write_scratch(cell, reason[0] != '\0' ? reason : "Unknown");
}

static bool is_ready(const json_t *status)
{
    return json_is_true(tree_at(status, "ready")) && tree_at(status, "state.running") != NULL;
}

/* Sidecars count like containers. */
void cell_pod_ready(const struct table_cell *cell)
{
    size_t i, ready = 0, total = json_array_size(tree_at(cell->tree, "spec.containers"));
    json_t *item;
    json_array_foreach((json_t *)tree_at(cell->tree, "spec.initContainers"), i, item)
    {
        total += strcmp(tree_text(item, "restartPolicy"), "Always") == 0;
    }
    json_array_foreach((json_t *)tree_at(cell->tree, "status.containerStatuses"), i, item)
    {
        ready += is_ready(item);
    }
    json_array_foreach((json_t *)tree_at(cell->tree, "status.initContainerStatuses"), i, item)
    {
        ready += is_ready(item) && is_sidecar(cell->tree, item);
    }
    buffer_printf(cell->scratch, "%zu/%zu", ready, total);
    cell_write_scratch(cell, "");
}

/* "0", "3 (5m ago)": of the init containers while they run, else of the others. */
void cell_pod_restarts(const struct table_cell *cell)
{
    size_t i, index;
    int64_t restarts = 0;
    uint64_t last_ms = 0;
    json_t *status;
    const char *statuses =
        pending_init(cell->tree, &index) != NULL ? "status.initContainerStatuses" : "status.containerStatuses";
    json_array_foreach((json_t *)tree_at(cell->tree, statuses), i, status)
    {
        uint64_t ended_ms = cell_time_at(status, "lastState.terminated.finishedAt");
        int64_t count = cell_int_at(status, "restartCount", 0);
        restarts += count > 0 && count <= INT32_MAX ? count : 0;
        last_ms = ended_ms > last_ms ? ended_ms : last_ms;
    }
    buffer_printf(cell->scratch, "%lld", (long long)restarts);
    if (restarts > 0 && last_ms > 0) {
        char ago[16];
        human_age(last_ms, cell->now_ms, ago);
        buffer_printf(cell->scratch, " (%s ago)", ago);
    }
    cell_write_scratch(cell, "");
}

void cell_pod_gates(const struct table_cell *cell)
{
    const json_t *gates = tree_at(cell->tree, "spec.readinessGates");
    size_t i, count = 0;
    json_t *gate;
    json_array_foreach((json_t *)gates, i, gate)
    {
        count += is_condition_true(cell->tree, tree_text(gate, "conditionType"));
    }
    if (json_array_size(gates) > 0)
        buffer_printf(cell->scratch, "%zu/%zu", count, json_array_size(gates));
    cell_write_scratch(cell, "<none>");
}

/* Names or images of the containers of a template. */
void cell_container_items(const struct table_cell *cell)
{
    size_t i;
    json_t *container;
    json_array_foreach((json_t *)tree_at(cell->tree, "spec.template.spec.containers"), i, container)
    {
        cell_append_item(cell->scratch, tree_text(container, cell->path));
    }
    cell_write_scratch(cell, "<none>");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "a=1,b=2" in the order of the keys. */
static void append_labels(struct buffer *text, const json_t *labels)
{
    size_t count = 0, len = json_object_size(labels);
    const char **keys = must(calloc(len + 1, sizeof keys[0]));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)labels, key, value)
    {
        if (json_is_string(value))
            keys[count++] = key;
    }
    qsort(keys, count, sizeof keys[0], by_text);
    for (size_t i = 0; i < count; i++) {
        cell_append_item(text, keys[i]);
        buffer_append_char(text, '=');
        buffer_append_str(text, json_string_value(json_object_get(labels, keys[i])));
    }
    free(keys);
}

/* "tier in (a,b)", "!canary". */
static void append_expression(struct buffer *text, const json_t *expression)
{
    const char *operator_ = tree_text(expression, "operator");
    size_t i;
    json_t *value;
    if (!buffer_is_empty(text))
        buffer_append_char(text, ',');
    if (strcmp(operator_, "DoesNotExist") == 0)
        buffer_append_char(text, '!');
    buffer_append_str(text, tree_text(expression, "key"));
    if (strcmp(operator_, "In") != 0 && strcmp(operator_, "NotIn") != 0)
        return;
    buffer_append_str(text, strcmp(operator_, "In") == 0 ? " in (" : " notin (");
    json_array_foreach((json_t *)tree_at(expression, "values"), i, value)
    {
        buffer_append_str(text, i > 0 ? "," : "");
        buffer_append_str(text, json_is_string(value) ? json_string_value(value) : "");
    }
    buffer_append_char(text, ')');
}

/* A label selector, or the plain map of labels that a Service has. */
void cell_selector(const struct table_cell *cell)
{
    const json_t *selector = tree_at(cell->tree, cell->path);
    const json_t *labels = tree_at(selector, "matchLabels");
    size_t i;
    json_t *expression;
    append_labels(cell->scratch, json_is_object(labels) ? labels : selector);
    json_array_foreach((json_t *)tree_at(selector, "matchExpressions"), i, expression)
    {
        append_expression(cell->scratch, expression);
    }
    cell_write_scratch(cell, "<none>");
}
