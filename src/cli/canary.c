/* SPDX-License-Identifier: Apache-2.0 */
/* canary.c: `serin canary`: its verbs and flags, and those verbs that only look. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/canary_command.h"
#include "cli/canary_text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "kube/api/object.h"

enum { NAME_MAX_LEN = 253, WATCH_INTERVAL_MS = 1000, HISTORY_ALL = 1000 };

/* ---- what the verbs share ---- */

int canary_fail(const struct canary_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "serin canary %s: ", command->verb);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_FAILED;
}

size_t canary_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void canary_print_json(const json_t *value, bool is_indented)
{
    json_dumpf(value, stdout, is_indented ? JSON_INDENT(4) : JSON_COMPACT);
    fputc('\n', stdout);
}

const char *canary_path(struct canary_command *command, const char *name)
{
    struct arena *arena = command->client.arena;
    const char *namespace_ = command->namespace_ != NULL ? command->namespace_ : command->client.config.namespace_;
    if (command->is_everywhere)
        return "/apis/serin.dev/v1alpha1/canaries";
    return arena_printf(arena, "/apis/serin.dev/v1alpha1/namespaces/%s/canaries%s%s", namespace_,
                        name != NULL ? "/" : "", name != NULL ? name : "");
}

json_t *canary_get(struct canary_command *command)
{
    json_t *canary = NULL;
    int status = api_client_call(&command->client, HTTP_GET, canary_path(command, command->name), "", NULL, &canary);
    if (status == 200)
        return canary;
    json_decref(canary);
    canary_fail(command, "%s", command->client.error);
    return NULL;
}

static void print_buffer(struct buffer *out)
{
    fwrite(buffer_bytes(out).data, 1, buffer_len(out), stdout);
    buffer_deinit(out);
}

/* ---- verbs that look ---- */

static int run_list(struct canary_command *command)
{
    json_t *list = NULL;
    struct buffer out = {0};
    int status = api_client_call(&command->client, HTTP_GET, canary_path(command, NULL), "", NULL, &list);
    const json_t *items = json_object_get(list, "items");
    if (status != 200) {
        json_decref(list);
        return canary_fail(command, "%s", command->client.error);
    }
    if (command->is_json)
        canary_print_json(list, true);
    else if (json_array_size(items) == 0)
        fprintf(stderr, "No canaries found%s.\n", command->is_everywhere ? "" : " in the namespace");
    else
        canary_text_list(items, command->is_everywhere, (int64_t)clock_wall_ms(), &out);
    print_buffer(&out);
    json_decref(list);
    return EXIT_FINE;
}

static int run_show(struct canary_command *command)
{
    json_t *canary = canary_get(command);
    struct buffer out = {0};
    if (canary == NULL)
        return EXIT_FAILED;
    if (command->is_json)
        canary_print_json(canary, true);
    else
        canary_text_show(canary, canary_columns(), &out);
    print_buffer(&out);
    json_decref(canary);
    return EXIT_FINE;
}

static int run_history(struct canary_command *command)
{
    json_t *canary = canary_get(command);
    struct buffer out = {0};
    if (canary == NULL)
        return EXIT_FAILED;
    json_t *none = json_array();
    json_t *history = json_object_get(json_object_get(canary, "status"), "history");
    if (command->is_json)
        canary_print_json(json_is_array(history) ? history : none, true);
    else if (json_array_size(history) == 0)
        fprintf(stderr, "Nothing happened yet.\n");
    else
        canary_text_history(canary, HISTORY_ALL, &out);
    print_buffer(&out);
    json_decref(none);
    json_decref(canary);
    return EXIT_FINE;
}

/* ---- flags ---- */

/* What may stand in a path without harm. */
static bool is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= NAME_MAX_LEN && text[0] != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static const char *take_name(void *context, const char *value)
{
    struct canary_command *command = context;
    if (command->name != NULL)
        return "one name is enough";
    command->name = value;
    return is_name(value) ? NULL : "must be a name: lower case letters, digits, '-' and '.'";
}

/* First the name, then the weight: words come in this order. */
static const char *take_name_or_percent(void *context, const char *value)
{
    struct canary_command *command = context;
    if (command->name == NULL)
        return take_name(context, value);
    if (command->percent_text != NULL)
        return "a name and a percentage are enough";
    command->percent_text = value;
    char number[16];
    size_t len = strlen(value);
    double percent = 0;
    if (len > 0 && value[len - 1] == '%')
        len--;
    snprintf(number, sizeof number, "%.*s", (int)(len < sizeof number ? len : 0), value);
    bool is_plain = strspn(number, "0123456789.") == strlen(number);
    if (!is_plain || !option_number(number, 0, 100, &percent))
        return "the weight must be a percentage, 0 to 100";
    double rest = percent * 100 - (double)(unsigned)(percent * 100 + 0.5);
    command->weight_bp = (unsigned)(percent * 100 + 0.5);
    return rest < 1e-6 && rest > -1e-6 ? NULL : "the weight must have at most two decimals";
}

static const char *take_kubeconfig(void *context, const char *value)
{
    ((struct canary_command *)context)->kubeconfig = value;
    return value[0] != '\0' ? NULL : "must name a file";
}

static const char *take_namespace(void *context, const char *value)
{
    ((struct canary_command *)context)->namespace_ = value;
    return is_name(value) ? NULL : "must be a name: lower case letters, digits and '-'";
}

static const char *take_output(void *context, const char *value)
{
    ((struct canary_command *)context)->is_json = true;
    return strcmp(value, "json") == 0 ? NULL : "must be json";
}

static const char *take_everywhere(void *context, const char *value)
{
    (void)value;
    ((struct canary_command *)context)->is_everywhere = true;
    return NULL;
}

static const char *take_full(void *context, const char *value)
{
    (void)value;
    ((struct canary_command *)context)->is_full = true;
    return NULL;
}

static const char *take_cut(void *context, const char *value)
{
    (void)value;
    ((struct canary_command *)context)->cuts = true;
    return NULL;
}

static const char *take_timeout(void *context, const char *value)
{
    struct canary_command *command = context;
    bool is_good = kube_duration_ms(value, &command->timeout_ms) && command->timeout_ms > 0;
    return is_good ? NULL : "must be a duration such as 30m";
}

static const char *take_interval(void *context, const char *value)
{
    struct canary_command *command = context;
    bool is_good = kube_duration_ms(value, &command->interval_ms) && command->interval_ms >= 100 &&
                   command->interval_ms <= 3600 * 1000;
    return is_good ? NULL : "must be a duration, 100ms to 1h";
}

#define NAME_ROW                                                                                                       \
    {                                                                                                                  \
        "NAME", NULL, NULL, "the Canary", take_name                                                                    \
    }
#define JSON_ROW                                                                                                       \
    {                                                                                                                  \
        "--output", "-o", "json", "print objects instead of texts", take_output                                        \
    }
#define WHERE_ROWS                                                                                                     \
    {"--namespace", "-n", "NAME", "where the Canary is", take_namespace},                                              \
    {                                                                                                                  \
        "--kubeconfig", NULL, "FILE", "how to reach the API server; else $KUBECONFIG, else ./serin-data/kubeconfig",   \
            take_kubeconfig                                                                                            \
    }

/* clang-format off */
static const struct option_spec list_flags[] = {
    {"--all-namespaces", "-A", NULL, "of all namespaces", take_everywhere}, JSON_ROW, WHERE_ROWS};
static const struct option_spec look_flags[] = {NAME_ROW, JSON_ROW, WHERE_ROWS};
static const struct option_spec watch_flags[] = {
    NAME_ROW, {"--timeout", NULL, "TIME", "give up after this time, with exit 1", take_timeout},
    {"--interval", NULL, "TIME", "time between two looks; 1s unless given", take_interval}, JSON_ROW, WHERE_ROWS};
static const struct option_spec weight_flags[] = {
    {"NAME PERCENT", NULL, NULL, "the Canary, and the share of its canary arm", take_name_or_percent}, WHERE_ROWS};
static const struct option_spec promote_flags[] = {
    NAME_ROW, {"--full", NULL, NULL, "all traffic at once, without the steps between", take_full}, WHERE_ROWS};
static const struct option_spec abort_flags[] = {
    NAME_ROW, {"--cut", NULL, NULL, "end the canary's running streams as well", take_cut}, WHERE_ROWS};
static const struct option_spec order_flags[] = {NAME_ROW, WHERE_ROWS};

#define FLAGS(array) array, ARRAY_LEN(array)

static const struct canary_verb {
    const char *name;
    int (*run)(struct canary_command *command);
    const struct option_spec *specs;
    unsigned spec_count;
    unsigned words; /* how many are needed */
    const char *summary;
    const char *example;
} verbs[] = {
    {"list", run_list, FLAGS(list_flags), 0, "Lists canaries.", "serin canary list -A"},
    {"show", run_show, FLAGS(look_flags), 1,
     "Shows a canary: its arms, their figures, the verdict, the next step and what it waits for.",
     "serin canary show chat"},
    {"watch", canary_run_watch, FLAGS(watch_flags), 1,
     "Follows a canary to its end: exit 0 when it was completed, 1 when it was rolled back, aborted or failed.",
     "serin canary watch chat --timeout 2h"},
    {"history", run_history, FLAGS(look_flags), 1, "Lists what happened in a release, newest last.",
     "serin canary history chat"},
    {"set-weight", canary_run_set_weight, FLAGS(weight_flags), 2,
     "Sets the canary arm's share by hand, in the route or model itself. The Canary pauses; resume gives it back.",
     "serin canary set-weight chat 12.5"},
    {"promote", canary_run_order, FLAGS(promote_flags), 1,
     "Goes on to the next step without waiting for its time, its number of requests or an approval.",
     "serin canary promote chat --full"},
    {"pause", canary_run_order, FLAGS(order_flags), 1, "Leaves the weights as they are until resume.",
     "serin canary pause chat"},
    {"resume", canary_run_order, FLAGS(order_flags), 1, "Gives a paused or held canary back to its controller.",
     "serin canary resume chat"},
    {"rollback", canary_run_order, FLAGS(order_flags), 1,
     "Takes the canary's share back to 0; running conversations finish.", "serin canary rollback chat"},
    {"abort", canary_run_order, FLAGS(abort_flags), 1,
     "Takes the canary's share back to 0 and drops pins to it; with --cut its running streams end.",
     "serin canary abort chat --cut"},
};
/* clang-format on */

static void print_verbs(FILE *out)
{
    fprintf(out, "Shows and steers canary releases.\n\nUsage: serin canary VERB ...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        fprintf(out, "  %-10s  %s\n", verbs[i].name, verbs[i].summary);
    fprintf(out, "\n`serin canary VERB --help` tells more.  Example:\n  serin canary show chat\n");
}

static int run_verb(const struct canary_verb *verb, int argc, char **argv)
{
    struct canary_command command = {.verb = verb->name, .interval_ms = WATCH_INTERVAL_MS};
    char called[40];
    snprintf(called, sizeof called, "canary %s", verb->name);
    argv[0] = called;
    enum options_result result =
        options_read(argc, argv, verb->specs, verb->spec_count, verb->summary, verb->example, &command);
    if (result != OPTIONS_OK)
        return result == OPTIONS_HELP ? EXIT_FINE : EXIT_USAGE;
    unsigned words = command.name == NULL ? 0 : command.percent_text == NULL ? 1 : 2;
    if (words < verb->words) {
        canary_fail(&command, "%s; see `serin canary %s --help`",
                    words == 0 ? "the name of a Canary is needed" : "a percentage is needed", verb->name);
        return EXIT_USAGE;
    }
    bool is_open = api_client_open(&command.client, command.kubeconfig);
    int exit_code = is_open ? verb->run(&command) : canary_fail(&command, "%s", command.client.error);
    api_client_close(&command.client);
    return exit_code;
}

int cli_canary(int argc, char **argv)
{
    if (argc < 2) {
        print_verbs(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_verbs(stdout);
        return EXIT_FINE;
    }
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return run_verb(&verbs[i], argc - 1, argv + 1);
    }
    fprintf(stderr, "serin canary: unknown verb \"%s\"; `serin canary --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
