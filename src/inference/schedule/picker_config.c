/* SPDX-License-Identifier: Apache-2.0 */
/* picker_config.c: decodes the plugins, then the profile that refers to them.
 *
 * A path is kept as text that grows and shrinks with the walk.  Values are used only when there was no problem. */
#include "inference/schedule/picker_config.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/yaml.h"

enum { PLUGINS_MAX = 64, PATH_BYTES = 256 };

static const char *const api_versions[] = {"llm-d.ai/v1alpha1", "inference.networking.x-k8s.io/v1alpha1", NULL};

struct decoding {
    struct problems *problems;
    char path[PATH_BYTES];
    struct plugin plugins[PLUGINS_MAX];
    unsigned plugin_count;
    struct picker_config *config;
};

static void bad(struct decoding *decoding, const char *name, const char *reason, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* About `name` in the object whose path is in force; NULL: about that itself. */
static void bad(struct decoding *decoding, const char *name, const char *reason, const char *format, ...)
{
    char path[PATH_BYTES * 2], message[512];
    const char *dot = decoding->path[0] != '\0' && name != NULL ? "." : "";
    snprintf(path, sizeof path, "%s%s%.200s", decoding->path, dot, name != NULL ? name : "");
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    problems_add(decoding->problems, path, reason, "%s", message);
}

/* Goes down into `name` (with an index when it is not negative); returns what leave() takes. */
static size_t enter(struct decoding *decoding, const char *name, int index)
{
    size_t len = strlen(decoding->path);
    size_t room = sizeof decoding->path - len;
    const char *dot = len > 0 && name[0] != '\0' ? "." : "";
    if (index < 0)
        snprintf(decoding->path + len, room, "%s%s", dot, name);
    else
        snprintf(decoding->path + len, room, "%s%s[%d]", dot, name, index);
    return len;
}

static void leave(struct decoding *decoding, size_t len)
{
    decoding->path[len] = '\0';
}

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

static void check_names(struct decoding *decoding, json_t *object, const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) if (!is_one_of(name, known))
        bad(decoding, name, "Invalid", "is no field of an EndpointPickerConfig here");
}

/* "" when it is absent or wrong, which is told. */
static const char *text_of(struct decoding *decoding, json_t *object, const char *name, bool is_required)
{
    json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value)) {
        if (is_required)
            bad(decoding, name, "Required", "must be given");
        return "";
    }
    if (!json_is_string(value) || json_string_length(value) == 0 || json_string_length(value) >= PLUGIN_NAME_BYTES) {
        bad(decoding, name, "Invalid", "must be a text of 1 to %d bytes", PLUGIN_NAME_BYTES - 1);
        return "";
    }
    return json_string_value(value);
}

/* NULL when it is absent or wrong, which is told. */
static json_t *list_of(struct decoding *decoding, json_t *object, const char *name)
{
    json_t *list = json_object_get(object, name);
    if (list == NULL || json_is_null(list))
        return NULL;
    if (!json_is_array(list)) {
        bad(decoding, name, "Invalid", "must be a list");
        return NULL;
    }
    return list;
}

/* Parameters. */

static int find_parameter(const struct plugin_kind *kind, const char *name)
{
    for (int i = 0; kind->syntax != NULL && kind->syntax[i].name != NULL; i++)
        if (strcmp(kind->syntax[i].name, name) == 0 || strcmp(kind->syntax[i].name, "*") == 0)
            return i;
    return -1;
}

static void decode_number(struct decoding *decoding, const struct parameter_syntax *syntax, json_t *value,
                          double *ret_number)
{
    bool is_right = syntax->kind == PARAMETER_INTEGER ? json_is_integer(value) : json_is_number(value);
    double number = json_number_value(value);
    if (!is_right || !(number >= syntax->min && number <= syntax->max))
        bad(decoding, syntax->name, "Invalid", "must be %s from %g to %g",
            syntax->kind == PARAMETER_INTEGER ? "an integer" : "a number", syntax->min, syntax->max);
    else
        *ret_number = number;
}

static void decode_parameter(struct decoding *decoding, const struct parameter_syntax *syntax, json_t *value,
                             double *ret_number)
{
    switch (syntax->kind) {
    case PARAMETER_NUMBER:
    case PARAMETER_INTEGER:
        decode_number(decoding, syntax, value, ret_number);
        break;
    case PARAMETER_BOOL:
        if (json_is_boolean(value))
            *ret_number = json_is_true(value);
        else
            bad(decoding, syntax->name, "Invalid", "must be true or false");
        break;
    case PARAMETER_TEXT:
        if (!json_is_string(value))
            bad(decoding, syntax->name, "Invalid", "must be a text");
        break;
    case PARAMETER_KEPT:
        break;
    }
}

static void decode_parameters(struct decoding *decoding, json_t *item, struct plugin *plugin)
{
    json_t *parameters = json_object_get(item, "parameters"), *value;
    const char *name;
    if (parameters == NULL || json_is_null(parameters))
        return;
    if (!json_is_object(parameters)) {
        bad(decoding, "parameters", "Invalid", "must be an object");
        return;
    }
    size_t outer = enter(decoding, "parameters", -1);
    json_object_foreach(parameters, name, value)
    {
        int index = find_parameter(plugin->kind, name);
        if (index < 0)
            bad(decoding, name, "Invalid", "is no parameter of %s", plugin->kind->type);
        else if (!json_is_null(value))
            decode_parameter(decoding, &plugin->kind->syntax[index], value, &plugin->values[index]);
    }
    leave(decoding, outer);
}

/* The one part of the prefix producer that means something here. */
static void decode_prefix_producer(struct decoding *decoding, json_t *item)
{
    json_t *parameters = json_object_get(item, "parameters");
    json_t *auto_tune = json_object_get(parameters, "autoTune");
    json_t *blocks = json_object_get(parameters, "lruCapacityPerServer");
    json_t *tokens = json_object_get(parameters, "blockSizeTokens");
    if (!json_is_false(auto_tune) || blocks == NULL)
        return;
    json_int_t block_tokens =
        json_is_integer(tokens) && json_integer_value(tokens) > 64 ? json_integer_value(tokens) : 64;
    if (!json_is_integer(blocks) || json_integer_value(blocks) < 1 || json_integer_value(blocks) > 100000000 ||
        block_tokens > 1000000)
        bad(decoding, "parameters.lruCapacityPerServer", "Invalid", "must be an integer from 1 to 100000000");
    else
        decoding->config->prefix_tokens = (uint64_t)json_integer_value(blocks) * (uint64_t)block_tokens;
}

/* Plugins. */

static const struct plugin *find_plugin(const struct decoding *decoding, const char *name)
{
    for (unsigned i = 0; i < decoding->plugin_count; i++)
        if (strcmp(decoding->plugins[i].name, name) == 0)
            return &decoding->plugins[i];
    return NULL;
}

static const struct plugin_kind *decode_type(struct decoding *decoding, json_t *item)
{
    const char *type = text_of(decoding, item, "type", true);
    const struct plugin_kind *kind = plugin_find(bytes_of(type));
    if (type[0] == '\0')
        return NULL;
    if (kind == NULL)
        bad(decoding, "type", "Invalid", "there is no plugin \"%s\"", type);
    else if (kind->role == PLUGIN_MISSING)
        bad(decoding, "type", "NotSupported", "%s is not supported: %s", type, kind->note);
    return kind != NULL && kind->role != PLUGIN_MISSING ? kind : NULL;
}

static void decode_plugin(struct decoding *decoding, json_t *item)
{
    static const char *const names[] = {"type", "name", "parameters", NULL};
    if (!json_is_object(item)) {
        bad(decoding, NULL, "Invalid", "must be an object");
        return;
    }
    check_names(decoding, item, names);
    const char *name = text_of(decoding, item, "name", false);
    const struct plugin_kind *kind = decode_type(decoding, item);
    if (kind == NULL)
        return;
    struct plugin plugin = plugin_default(kind);
    if (name[0] != '\0')
        strncpy(plugin.name, name, sizeof plugin.name - 1);
    if (find_plugin(decoding, plugin.name) != NULL)
        bad(decoding, "name", "Duplicate", "there is another plugin \"%s\"", plugin.name);
    decode_parameters(decoding, item, &plugin);
    if (strcmp(kind->type, "approx-prefix-cache-producer") == 0)
        decode_prefix_producer(decoding, item);
    decoding->plugins[decoding->plugin_count++] = plugin;
}

static void decode_plugins(struct decoding *decoding, json_t *root)
{
    json_t *list = list_of(decoding, root, "plugins"), *item;
    size_t index;
    if (json_array_size(list) > PLUGINS_MAX)
        bad(decoding, "plugins", "Invalid", "must have at most %d items", PLUGINS_MAX);
    json_array_foreach(list, index, item)
    {
        if (index == PLUGINS_MAX)
            return;
        size_t outer = enter(decoding, "plugins", (int)index);
        decode_plugin(decoding, item);
        leave(decoding, outer);
    }
}

/* The profile. */

static void add_plugin(struct decoding *decoding, const struct plugin *plugin)
{
    struct profile *profile = &decoding->config->profile;
    bool is_full = false;
    switch (plugin->kind->role) {
    case PLUGIN_FILTER:
        is_full = profile->filter_count == PROFILE_FILTERS_MAX;
        if (!is_full)
            profile->filters[profile->filter_count++] = *plugin;
        break;
    case PLUGIN_SCORER:
        is_full = profile->scorer_count == PROFILE_SCORERS_MAX;
        if (!is_full)
            profile->scorers[profile->scorer_count++] = *plugin;
        break;
    case PLUGIN_PICKER:
        if (profile->picker.kind != NULL)
            bad(decoding, NULL, "Invalid", "there must be one picker only, and \"%s\" is one already",
                profile->picker.name);
        profile->picker = *plugin;
        break;
    default: /* what runs in any case */
        break;
    }
    if (is_full)
        bad(decoding, NULL, "Invalid", "there are more than %d filters or %d scorers", PROFILE_FILTERS_MAX,
            PROFILE_SCORERS_MAX);
}

static void decode_reference(struct decoding *decoding, json_t *item)
{
    static const char *const names[] = {"pluginRef", "weight", NULL};
    static const struct parameter_syntax weight_syntax = {"weight", PARAMETER_NUMBER, 1, 0, 1e6};
    if (!json_is_object(item)) {
        bad(decoding, NULL, "Invalid", "must be an object");
        return;
    }
    check_names(decoding, item, names);
    const char *name = text_of(decoding, item, "pluginRef", true);
    const struct plugin *found = name[0] != '\0' ? find_plugin(decoding, name) : NULL;
    json_t *weight = json_object_get(item, "weight");
    if (found == NULL) {
        if (name[0] != '\0')
            bad(decoding, "pluginRef", "Invalid", "there is no plugin \"%s\" under plugins", name);
        return;
    }
    struct plugin plugin = *found;
    if (weight != NULL && plugin.kind->role != PLUGIN_SCORER)
        bad(decoding, "weight", "Invalid", "only scorers have a weight, and %s is none", plugin.kind->type);
    else if (weight != NULL)
        decode_number(decoding, &weight_syntax, weight, &plugin.weight);
    add_plugin(decoding, &plugin);
}

static void decode_profile(struct decoding *decoding, json_t *profile)
{
    static const char *const names[] = {"name", "plugins", NULL};
    if (!json_is_object(profile)) {
        bad(decoding, NULL, "Invalid", "must be an object");
        return;
    }
    check_names(decoding, profile, names);
    text_of(decoding, profile, "name", true);
    json_t *list = list_of(decoding, profile, "plugins"), *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        size_t outer = enter(decoding, "plugins", (int)index);
        decode_reference(decoding, item);
        leave(decoding, outer);
    }
}

/* Without a profile all filters, scorers and pickers make one. */
static void decode_profiles(struct decoding *decoding, json_t *root)
{
    json_t *list = list_of(decoding, root, "schedulingProfiles");
    if (json_array_size(list) > 1)
        bad(decoding, "schedulingProfiles", "NotSupported", "must have one item: one profile runs");
    if (json_array_size(list) == 0) {
        for (unsigned i = 0; i < decoding->plugin_count; i++)
            add_plugin(decoding, &decoding->plugins[i]);
    } else {
        size_t outer = enter(decoding, "schedulingProfiles", 0);
        decode_profile(decoding, json_array_get(list, 0));
        leave(decoding, outer);
    }
    struct profile *profile = &decoding->config->profile;
    if (profile->picker.kind == NULL)
        profile->picker = plugin_default(plugin_find(BYTES("max-score-picker")));
}

static void decode_gates(struct decoding *decoding, json_t *root)
{
    static const char *const harmless[] = {"flowControl=false", "haPopulateNonLeaderDatastore",
                                           "haPopulateNonLeaderDatastore=true", "haPopulateNonLeaderDatastore=false",
                                           NULL};
    static const char *const queue[] = {"flowControl", "flowControl=true", NULL};
    json_t *list = list_of(decoding, root, "featureGates"), *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        size_t outer = enter(decoding, "featureGates", (int)index);
        const char *gate = json_is_string(item) ? json_string_value(item) : "";
        if (is_one_of(gate, queue))
            decoding->config->has_queue = true;
        else if (!is_one_of(gate, harmless))
            bad(decoding, NULL, "NotSupported", "there is no such gate here");
        leave(decoding, outer);
    }
}

static void check_header(struct decoding *decoding, json_t *root)
{
    static const char *const names[] = {
        "apiVersion", "kind",        "metadata",       "featureGates",       "plugins", "schedulingProfiles",
        "dataLayer",  "flowControl", "requestHandler", "saturationDetector", "parser",  NULL};
    check_names(decoding, root, names);
    const char *version = text_of(decoding, root, "apiVersion", true), *kind = text_of(decoding, root, "kind", true);
    if (version[0] != '\0' && !is_one_of(version, api_versions))
        bad(decoding, "apiVersion", "NotSupported", "must be %s or %s", api_versions[0], api_versions[1]);
    if (kind[0] != '\0' && strcmp(kind, "EndpointPickerConfig") != 0)
        bad(decoding, "kind", "Invalid", "must be EndpointPickerConfig");
}

/* "60s", "500ms" or "5m"; false when it is none. */
static bool parse_age(const char *text, uint64_t *ret_ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    size_t digits = strspn(text, "0123456789");
    unsigned long long count = 0;
    if (!bytes_to_u64(bytes_make(text, digits), 1000000000, &count) || count == 0)
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(text + digits, units[i].unit) == 0) {
            *ret_ms = count * units[i].ms;
            return true;
        }
    return false;
}

static void decode_flow_control(struct decoding *decoding, json_t *root)
{
    static const char *const names[] = {"maxRequests", "maxBytes", "defaultRequestTTL", NULL};
    static const struct parameter_syntax requests = {"maxRequests", PARAMETER_INTEGER, 0, 1, 1e9};
    static const struct parameter_syntax bytes = {"maxBytes", PARAMETER_INTEGER, 0, 1, 1e15};
    json_t *section = json_object_get(root, "flowControl");
    if (section == NULL || json_is_null(section))
        return;
    size_t outer = enter(decoding, "flowControl", -1);
    double request_limit = 0, byte_limit = 0;
    check_names(decoding, section, names);
    if (json_object_get(section, "maxRequests") != NULL)
        decode_number(decoding, &requests, json_object_get(section, "maxRequests"), &request_limit);
    if (json_object_get(section, "maxBytes") != NULL)
        decode_number(decoding, &bytes, json_object_get(section, "maxBytes"), &byte_limit);
    decoding->config->queue_max_requests = (uint32_t)request_limit;
    decoding->config->queue_max_bytes = (uint64_t)byte_limit;
    const char *ttl = text_of(decoding, section, "defaultRequestTTL", false);
    if (ttl[0] != '\0' && !parse_age(ttl, &decoding->config->queue_ttl_ms))
        bad(decoding, "defaultRequestTTL", "Invalid", "must be a time like 60s");
    leave(decoding, outer);
}

bool picker_config_decode(json_t *root, struct problems *problems, struct picker_config *ret_config)
{
    struct picker_config config = {0};
    struct decoding decoding = {.problems = problems, .config = &config};
    size_t before = problems->count;
    if (!json_is_object(root)) {
        bad(&decoding, NULL, "Invalid", "must be an object");
        return false;
    }
    check_header(&decoding, root);
    decode_gates(&decoding, root);
    decode_flow_control(&decoding, root);
    decode_plugins(&decoding, root);
    decode_profiles(&decoding, root);
    if (problems->count > before)
        return false;
    if (config.profile.scorer_count == 0 && config.profile.filter_count == 0 && decoding.plugin_count == 0)
        profile_init_default(&config.profile);
    *ret_config = config;
    return true;
}

/* Text. */

struct reading {
    struct problems *problems;
    struct picker_config *config;
    unsigned documents;
    bool is_good;
};

static bool on_document(json_t *document, size_t line, void *context)
{
    struct reading *reading = context;
    (void)line;
    if (++reading->documents > 1)
        return false;
    reading->is_good = picker_config_decode(document, reading->problems, reading->config);
    return true;
}

bool picker_config_parse(struct bytes text, struct problems *problems, struct picker_config *ret_config)
{
    struct picker_config config;
    struct reading reading = {.problems = problems, .config = &config};
    char error[200];
    if (yaml_parse(text, on_document, &reading, error) != 0) {
        problems_add(problems, "", "Invalid", "%s", error);
        return false;
    }
    if (reading.documents != 1)
        problems_add(problems, "", "Invalid", "there must be one document");
    if (!reading.is_good || reading.documents != 1)
        return false;
    *ret_config = config;
    return true;
}
