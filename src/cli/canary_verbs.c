/* SPDX-License-Identifier: Apache-2.0 */
/* canary_verbs.c: verbs that change something: orders to the controller by annotation, and weights by hand.
 *
 * Every write carries the version of the object that it was made from; when another one came in between, it is made
 * again from the newer object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/canary_command.h"
#include "cli/canary_text.h"
#include "cli/canary_weight.h"
#include "cli/cli.h"
#include "kube/api/canary_arms.h"

#define COMMAND_ANNOTATION "serin.dev/command"
#define CUT_ANNOTATION     "serin.dev/cut"

enum { TRIES = 5, CONFLICT = 409, NOT_FOUND = 404 };

static const char *annotation_of(const json_t *canary, const char *name)
{
    const json_t *annotations = json_object_get(json_object_get(canary, "metadata"), "annotations");
    const char *value = json_string_value(json_object_get(annotations, name));
    return value != NULL ? value : "";
}

/* Above every id before, also when clocks differ. */
static uint64_t next_id(const json_t *canary)
{
    const char *former = strchr(annotation_of(canary, COMMAND_ANNOTATION), '@');
    uint64_t id = clock_wall_ms(), former_id = former != NULL ? strtoull(former + 1, NULL, 10) : 0;
    return former_id >= id && former_id < UINT64_MAX ? former_id + 1 : id;
}

static const char *version_of(const json_t *object)
{
    const char *version = json_string_value(json_object_get(json_object_get(object, "metadata"), "resourceVersion"));
    return version != NULL ? version : "";
}

static json_t *order_patch(const struct canary_command *command, const json_t *canary)
{
    char order[64], id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)next_id(canary));
    snprintf(order, sizeof order, "%s%s@%s", command->verb, command->is_full ? " --full" : "", id);
    json_t *annotations = json_pack("{s:s}", COMMAND_ANNOTATION, order);
    if (command->cuts)
        json_object_set_new(annotations, CUT_ANNOTATION, json_string(id));
    return must(
        json_pack("{s:{s:s, s:o}}", "metadata", "resourceVersion", version_of(canary), "annotations", annotations));
}

/* The status of the write; -1 when it did not come to that (reported). */
static int try_order(struct canary_command *command)
{
    json_t *canary = canary_get(command), *answer = NULL;
    if (canary == NULL)
        return -1;
    json_t *patch = order_patch(command, canary);
    int status = api_client_call(&command->client, HTTP_PATCH, canary_path(command, command->name),
                                 "application/merge-patch+json", patch, &answer);
    json_decref(patch);
    json_decref(answer);
    json_decref(canary);
    if (status != 200 && status != CONFLICT)
        canary_fail(command, "%s", command->client.error);
    return status == 200 || status == CONFLICT ? status : -1;
}

int canary_run_order(struct canary_command *command)
{
    int status = CONFLICT;
    for (int tries = 0; tries < TRIES && status == CONFLICT; tries++)
        status = try_order(command);
    if (status == CONFLICT)
        return canary_fail(command, "%s is changed by somebody else all the time; try again", command->name);
    if (status < 0)
        return EXIT_FAILED;
    printf("canary.serin.dev/%s: %s%s%s was asked for; `serin canary show %s` tells what came of it\n", command->name,
           command->verb, command->is_full ? " --full" : "", command->cuts ? " --cut" : "", command->name);
    return EXIT_FINE;
}

/* ---- weights by hand ---- */

/* The target as it is now, and its path; NULL (reported). */
static json_t *get_target(struct canary_command *command, const struct kube_object *canary, const char **ret_path)
{
    const struct canary_target *target = &((const struct canary_spec *)canary->spec)->target;
    int status = NOT_FOUND;
    /* Of the group that is named, or of any. */
    for (const enum kube_kind *kind = canary_target_kinds(target->kind);
         *kind != KUBE_KIND_COUNT && status == NOT_FOUND; kind++) {
        const struct kube_kind_info *info = kube_kind_info(*kind);
        if (target->group[0] != '\0' && strcmp(target->group, info->group) != 0)
            continue;
        json_t *object = NULL;
        *ret_path = arena_printf(command->client.arena, "/apis/%s/%s/namespaces/%s/%s/%s", info->group, info->version,
                                 canary->namespace_, info->plural, target->name);
        status = api_client_call(&command->client, HTTP_GET, *ret_path, "", NULL, &object);
        if (status == 200)
            return object;
        json_decref(object);
    }
    canary_fail(command, "%s", command->client.error);
    return NULL;
}

static int write_target(struct canary_command *command, const struct kube_object *canary)
{
    const char *path = NULL;
    char error[CANARY_WEIGHT_ERROR_SIZE];
    json_t *target = get_target(command, canary, &path), *answer = NULL;
    int status = -1;
    if (target == NULL)
        return -1;
    if (!canary_weight_set(target, canary->spec, command->weight_bp, error))
        canary_fail(command, "%s", error);
    else
        status = api_client_call(&command->client, HTTP_PUT, path, "application/json", target, &answer);
    if (status >= 0 && status != 200 && status != CONFLICT) {
        canary_fail(command, "%s", command->client.error);
        status = -1;
    }
    json_decref(answer);
    json_decref(target);
    return status;
}

/* The status of the write; -1 when it did not come to that (reported). */
static int try_weight(struct canary_command *command)
{
    json_t *tree = canary_get(command);
    struct problems problems;
    if (tree == NULL)
        return -1;
    problems_init(&problems, command->client.arena);
    struct kube_object *canary = kube_object_decode(tree, &problems);
    int status = -1;
    if (canary != NULL)
        status = write_target(command, canary);
    else
        canary_fail(command, "%s", problem_text(problems.first, command->client.arena));
    if (status == 200) {
        const struct canary_spec *spec = canary->spec;
        printf("%s/%s: %s has %g%% now\n", kube_kind_info(canary_target_kinds(spec->target.kind)[0])->kind,
               spec->target.name, spec->canary, command->weight_bp / 100.0);
    }
    kube_object_give_back(canary);
    json_decref(tree);
    return status;
}

int canary_run_set_weight(struct canary_command *command)
{
    int status = CONFLICT;
    for (int tries = 0; tries < TRIES && status == CONFLICT; tries++)
        status = try_weight(command);
    if (status == CONFLICT)
        return canary_fail(command, "its target is changed by somebody else all the time; try again");
    return status == 200 ? EXIT_FINE : EXIT_FAILED;
}
