/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: reads the command line by tables: flags that mean something here, and flags of real servers that do not.
 *
 * Real servers have hundreds of flags and get new ones monthly, so an unknown one is dropped with a warning: the value
 * after it too, unless it looks like another flag. */
#include "sim/options.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "sim/ignored_flags.h"

#define MAX_NAME_LEN 64

struct parser {
    struct sim_options *options;
    FILE *errors;
    char **argv;
    int argc, next;
    const char *flag; /* as typed, for messages */
};

PRINTF_LIKE(2, 3) static bool fail(struct parser *parser, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("serin sim: ", parser->errors);
    vfprintf(parser->errors, format, args);
    fputc('\n', parser->errors);
    va_end(args);
    return false;
}

static bool bad_value(struct parser *parser, struct bytes value, const char *wanted)
{
    return fail(parser, "%s: \"%.*s\" is not %s", parser->flag, (int)(value.len < 100 ? value.len : 100), value.data,
                wanted);
}

/* ret_value untouched on failure. */
static bool take_count(struct parser *parser, struct bytes value, uint64_t least, uint64_t most, uint64_t *ret_value)
{
    unsigned long long number = 0;
    char wanted[80];
    if (bytes_to_u64(value, most, &number) && number >= least) {
        *ret_value = number;
        return true;
    }
    snprintf(wanted, sizeof wanted, "a whole number from %llu to %llu", (unsigned long long)least,
             (unsigned long long)most);
    return bad_value(parser, value, wanted);
}

static bool take_port_into(struct parser *parser, struct bytes value, uint16_t *ret_port)
{
    uint64_t port = 0;
    if (!take_count(parser, value, 0, 65535, &port))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool take_model(struct parser *parser, struct bytes value)
{
    if (value.len == 0)
        return bad_value(parser, value, "a model");
    parser->options->model = value;
    return true;
}

static bool take_host(struct parser *parser, struct bytes value)
{
    parser->options->host = arena_strndup(parser->options->arena, value);
    return true;
}

static bool take_port(struct parser *parser, struct bytes value)
{
    return take_port_into(parser, value, &parser->options->port);
}

static bool take_control_port(struct parser *parser, struct bytes value)
{
    return take_port_into(parser, value, &parser->options->control_port);
}

static bool take_served_name(struct parser *parser, struct bytes value)
{
    struct sim_options *options = parser->options;
    if (value.len == 0)
        return bad_value(parser, value, "a name");
    options->served_names[options->served_name_count++] = value;
    return true;
}

/* 8192, 8k (thousands), 8K (1024s); "auto" and "-1" leave the default. */
static bool take_max_model_len(struct parser *parser, struct bytes value)
{
    static const struct {
        char suffix;
        uint64_t factor;
    } suffixes[] = {{'k', 1000}, {'K', 1024}, {'m', 1000000}, {'M', 1024 * 1024}};
    struct bytes digits = value;
    uint64_t factor = 1;
    if (bytes_equal_str(value, "auto") || bytes_equal_str(value, "-1"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (value.len > 1 && value.data[value.len - 1] == suffixes[i].suffix) {
            factor = suffixes[i].factor;
            digits.len--;
        }
    }
    unsigned long long number = 0;
    if (!bytes_to_u64(digits, 100000000 / factor, &number) || number == 0)
        return bad_value(parser, value, "a length in tokens (8192, 8k, 8K)");
    parser->options->max_model_len = number * factor;
    return true;
}

static bool take_max_num_seqs(struct parser *parser, struct bytes value)
{
    return take_count(parser, value, 1, 1000000, &parser->options->max_num_seqs);
}

static bool take_enable_lora(struct parser *parser, struct bytes value)
{
    (void)value;
    parser->options->enable_lora = true;
    return true;
}

static bool take_max_loras(struct parser *parser, struct bytes value)
{
    parser->options->has_max_loras = true;
    return take_count(parser, value, 1, 100000, &parser->options->max_loras);
}

static bool take_max_cpu_loras(struct parser *parser, struct bytes value)
{
    parser->options->has_max_cpu_loras = true;
    return take_count(parser, value, 1, 100000, &parser->options->max_cpu_loras);
}

static bool add_adapter(struct parser *parser, struct bytes value, struct bytes name, struct bytes path)
{
    struct sim_options *options = parser->options;
    if (name.len == 0 || path.len == 0)
        return bad_value(parser, value, "name=path or {\"name\":...,\"path\":...}");
    struct sim_adapter_option *adapter = &options->adapters[options->adapter_count++];
    adapter->name = arena_copy(options->arena, name);
    adapter->path = arena_copy(options->arena, path);
    return true;
}

static bool take_lora_module(struct parser *parser, struct bytes value)
{
    char error[200];
    if (value.len == 0 || value.data[0] != '{') {
        size_t equals = bytes_find(value, '=');
        struct bytes path = equals < value.len ? bytes_skip(value, equals + 1) : BYTES("");
        return add_adapter(parser, value, bytes_make(value.data, equals), path);
    }
    json_t *root = json_read(value, error);
    bool ok = add_adapter(parser, value, bytes_of(json_string_value(json_object_get(root, "name"))),
                          bytes_of(json_string_value(json_object_get(root, "path"))));
    json_decref(root);
    return ok;
}

/* sglang needs no other flag for adapters. */
static bool take_lora_path(struct parser *parser, struct bytes value)
{
    parser->options->enable_lora = true;
    return take_lora_module(parser, value);
}

static bool take_seed(struct parser *parser, struct bytes value)
{
    return take_count(parser, value, 0, UINT64_MAX, &parser->options->seed);
}

static bool take_behaviour(struct parser *parser, struct bytes value)
{
    char error[BEHAVIOUR_ERROR_SIZE];
    return behaviour_parse(&parser->options->behaviour, value, error) || fail(parser, "%s: %s", parser->flag, error);
}

static bool take_speed(struct parser *parser, struct bytes value)
{
    char *end = NULL, *text = arena_strndup(parser->options->arena, value);
    double speed = strtod(text, &end);
    if (end == text || *end != '\0' || !(speed >= 0.001 && speed <= 1e6))
        return bad_value(parser, value, "a factor from 0.001 to 1000000");
    parser->options->speed = speed;
    return true;
}

static bool take_grace(struct parser *parser, struct bytes value)
{
    uint64_t seconds = 0;
    if (!take_count(parser, value, 0, 86400, &seconds))
        return false;
    parser->options->grace_ms = seconds * 1000;
    return true;
}

static bool take_parent_death(struct parser *parser, struct bytes value)
{
    (void)value;
    parser->options->parent_death = true;
    return true;
}

enum arity { SWITCH, ONE, MANY };

struct flag {
    const char *name;
    enum arity arity;
    bool (*take)(struct parser *parser, struct bytes value);
};

/* clang-format off */
static const struct flag flags[] = {
    {"--model",             ONE,    take_model},
    {"--model-path",        ONE,    take_model}, /* sglang */
    {"--host",              ONE,    take_host},
    {"--port",              ONE,    take_port},
    {"--served-model-name", MANY,   take_served_name},
    {"--max-model-len",     ONE,    take_max_model_len},
    {"--context-length",    ONE,    take_max_model_len}, /* sglang */
    {"--max-num-seqs",      ONE,    take_max_num_seqs},
    {"--max-running-requests", ONE, take_max_num_seqs}, /* sglang */
    {"--enable-lora",       SWITCH, take_enable_lora},
    {"--max-loras",         ONE,    take_max_loras},
    {"--max-loras-per-batch", ONE,  take_max_loras}, /* sglang */
    {"--max-cpu-loras",     ONE,    take_max_cpu_loras},
    {"--lora-modules",      MANY,   take_lora_module},
    {"--lora-paths",        MANY,   take_lora_path}, /* sglang */
    {"--seed",              ONE,    take_seed},
    {"--random-seed",       ONE,    take_seed}, /* sglang */
    {"--sim",               ONE,    take_behaviour},
    {"--sim-speed",         ONE,    take_speed},
    {"--sim-control-port",  ONE,    take_control_port},
    {"--grace",             ONE,    take_grace},
    {"--parent-death",      SWITCH, take_parent_death},
};
/* clang-format on */

static bool has_next_value(const struct parser *parser)
{
    return parser->next < parser->argc && parser->argv[parser->next][0] != '-';
}

static bool take_values(struct parser *parser, const struct flag *flag, const char *inline_value)
{
    if (flag->arity == SWITCH)
        return inline_value == NULL ? flag->take(parser, BYTES("")) : fail(parser, "%s takes no value", flag->name);
    bool has_value = inline_value != NULL;
    if (has_value && !flag->take(parser, bytes_of(inline_value)))
        return false;
    /* "-1" is a value for one flag. */
    if (!has_value && flag->arity == ONE && parser->next < parser->argc &&
        (has_next_value(parser) || strcmp(parser->argv[parser->next], "-1") == 0))
        return flag->take(parser, bytes_of(parser->argv[parser->next++]));
    while (flag->arity == MANY && has_next_value(parser)) {
        has_value = true;
        if (!flag->take(parser, bytes_of(parser->argv[parser->next++])))
            return false;
    }
    return has_value || fail(parser, "%s needs a value", flag->name);
}

static void ignore(struct parser *parser, const char *name, bool has_inline_value)
{
    if (ignored_flag_is_switch(name))
        return;
    bool is_known = ignored_flag_takes_value(name);
    if (!is_known)
        fprintf(parser->errors, "serin sim: warning: ignoring %s\n", parser->flag);
    if (has_inline_value || parser->next >= parser->argc)
        return;
    /* The last word behind an unknown flag is rather the model than a value, when there is no model yet. */
    bool is_model = !is_known && parser->options->model.len == 0 && parser->next == parser->argc - 1;
    const char *word = parser->argv[parser->next];
    bool is_negative_number = word[0] == '-' && strspn(word + 1, "0123456789.") > 0;
    if ((has_next_value(parser) && !is_model) || (is_known && is_negative_number))
        parser->next++;
}

static bool take_flag(struct parser *parser, const char *argument)
{
    /* vLLM reads --max_model_len as --max-model-len. */
    char name[MAX_NAME_LEN];
    size_t len = strcspn(argument, "=");
    const char *inline_value = argument[len] == '=' ? argument + len + 1 : NULL;
    parser->flag = argument;
    if (len >= sizeof name)
        len = sizeof name - 1;
    for (size_t i = 0; i < len; i++)
        name[i] = argument[i] == '_' ? '-' : argument[i];
    name[len] = '\0';
    parser->flag = arena_strndup(parser->options->arena, bytes_make(name, len));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strcmp(flags[i].name, name) == 0)
            return take_values(parser, &flags[i], inline_value);
    if (strncmp(name, "--sim", 5) == 0)
        return fail(parser, "unknown flag %s (serin sim --help)", name);
    ignore(parser, name, inline_value != NULL);
    return true;
}

static bool take_positional(struct parser *parser, const char *argument)
{
    if (parser->options->model.len > 0)
        return fail(parser, "unexpected argument \"%s\": the model is %.*s", argument, (int)parser->options->model.len,
                    parser->options->model.data);
    return take_model(parser, bytes_of(argument));
}

/* "vllm serve", "serve", "python3 -m sglang.launch_server" in front say nothing. */
static void skip_program(struct parser *parser)
{
    while (parser->next < parser->argc) {
        const char *word = parser->argv[parser->next];
        if (strcmp(word, "-m") == 0)
            parser->next += 2;
        else if (strcmp(word, "vllm") == 0 || strcmp(word, "serve") == 0 || strcmp(word, "--") == 0 ||
                 strncmp(word, "python", 6) == 0)
            parser->next++;
        else
            return;
    }
}

static void set_defaults(struct sim_options *options, struct arena *arena, int argc)
{
    *options = (struct sim_options){
        .arena = arena,
        .host = "127.0.0.1",
        .port = 8000,
        .max_loras = 1,
        .max_model_len = 32768,
        .max_num_seqs = 256,
        .grace_ms = 30000,
        .speed = 1,
        .behaviour = behaviour_defaults,
    };
    options->served_names = ARENA_ARRAY(arena, struct bytes, (size_t)argc + 1);
    options->adapters = ARENA_ARRAY(arena, struct sim_adapter_option, (size_t)argc + 1);
}

static bool check_whole(struct parser *parser)
{
    struct sim_options *options = parser->options;
    if (options->model.len == 0)
        return fail(parser, "no model given (serin sim --help)");
    if (options->served_name_count == 0)
        options->served_names[options->served_name_count++] = options->model;
    if (!options->has_max_cpu_loras || options->max_cpu_loras < options->max_loras)
        options->max_cpu_loras = options->max_loras;
    if (options->adapter_count > 0 && !options->enable_lora)
        return fail(parser, "--lora-modules needs --enable-lora");
    return true;
}

enum options_outcome sim_options_parse(int argc, char **argv, struct arena *arena, FILE *errors,
                                       struct sim_options *ret_options)
{
    struct parser parser = {.options = ret_options, .errors = errors, .argv = argv, .argc = argc, .next = 1};
    set_defaults(ret_options, arena, argc);
    skip_program(&parser);
    while (parser.next < argc) {
        const char *argument = argv[parser.next++];
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
            return OPTIONS_HELP;
        bool ok = argument[0] == '-' && argument[1] != '\0' ? take_flag(&parser, argument)
                                                            : take_positional(&parser, argument);
        if (!ok)
            return OPTIONS_BAD;
    }
    return check_whole(&parser) ? OPTIONS_OK : OPTIONS_BAD;
}

void sim_options_write_help(FILE *out)
{
    struct buffer keys = {0};
    behaviour_write_help(&keys);
    fputs(
        "usage: serin sim [serve] MODEL [flags of vllm serve]\n"
        "\n"
        "A simulated model server: OpenAI's API and vLLM's metrics, with the timing of a model and the words of none.\n"
        "\n"
        "  serin sim serve /models/Qwen-2.5-7B-Instruct --port 8000 --served-model-name mymodel \\\n"
        "      --sim ttft=80ms,itl=12ms\n"
        "\n"
        "Flags that mean something here (others are accepted and ignored):\n"
        "  --host IP (127.0.0.1)  --port PORT (8000; 0: any)  --served-model-name NAME...\n"
        "  --max-model-len N (32768)  --max-num-seqs N (256)  --seed N\n"
        "  --enable-lora  --max-loras N (1)  --max-cpu-loras N  --lora-modules NAME=PATH|JSON...\n"
        "  --grace SECONDS (30): how long SIGTERM lets running requests finish\n"
        "  --parent-death: die with the process that started this one\n"
        "  --sim KEY=VALUE,...: behaviour, keys below; durations like 80ms, 1.5s, 200us\n"
        "  --sim-speed F (1): divides start-up times\n"
        "  --sim-control-port PORT: a second port that refuse=1 does not close\n"
        "\n"
        "Behaviour keys:\n",
        out);
    fprintf(out, "%.*s", (int)buffer_len(&keys), keys.data);
    buffer_deinit(&keys);
    fputs("\n"
          "Without max_tokens a chat answer has about `length` tokens; with it, exactly so many.\n"
          "\n"
          "Control endpoints, for tests:\n"
          "  GET  /sim/state     counts: running, waiting, held, requests, finished, aborted, failed, ...\n"
          "  GET  /sim/requests  the last 100 requests\n"
          "  GET  /sim/config    the behaviour in force\n"
          "  POST /sim/config    any behaviour keys, and \"fake-metrics\": {waiting, running, kv, ...} or null\n"
          "  POST /sim/hold      {\"at\":\"first-token\"} or {\"at\":\"event\",\"event\":N}, and \"count\":K for the "
          "next K only\n"
          "  POST /sim/release   lets all go on and forgets the holds; {\"count\":K}: only the K held first\n",
          out);
}
