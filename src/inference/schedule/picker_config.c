/* SPDX-License-Identifier: Apache-2.0 */
/* picker_config.c: decodes the plugins, then the profile that refers to them.
 *
 * A path is kept as text that grows and shrinks with the walk.  Values are used only when there was no problem. */
#include "inference/schedule/picker_config_internal.h"

#include "base/yaml.h"

static const char *const api_versions[] = {"llm-d.ai/v1alpha1", "inference.networking.x-k8s.io/v1alpha1", NULL};

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
        picker_config_bad(decoding, name, "Invalid", "is no field of an EndpointPickerConfig here");
}

/* "" when it is absent or wrong, which is told. */
static const char *text_of(struct decoding *decoding, json_t *object, const char *name, bool is_required)
{
    json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value)) {
        if (is_required)
            picker_config_bad(decoding, name, "Required", "must be given");
        return "";
    }
    if (!json_is_string(value) || json_string_length(value) == 0 || json_string_length(value) >= PLUGIN_NAME_BYTES) {
        picker_config_bad(decoding, name, "Invalid", "must be a text of 1 to %d bytes", PLUGIN_NAME_BYTES - 1);
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
        picker_config_bad(decoding, name, "Invalid", "must be a list");
        return NULL;
    }
    return list;
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
        picker_config_bad(decoding, "parameters.lruCapacityPerServer", "Invalid",
                          "must be an integer from 1 to 100000000");
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
        picker_config_bad(decoding, "type", "Invalid", "there is no plugin \"%s\"", type);
    else if (kind->role == PLUGIN_MISSING)
        picker_config_bad(decoding, "type", "NotSupported", "%s is not supported: %s", type, kind->note);
    return kind != NULL && kind->role != PLUGIN_MISSING ? kind : NULL;
}

static void decode_plugin(struct decoding *decoding, json_t *item)
{
    static const char *const names[] = {"type", "name", "parameters", NULL};
    if (!json_is_object(item)) {
        picker_config_bad(decoding, NULL, "Invalid", "must be an object");
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
        picker_config_bad(decoding, "name", "Duplicate", "there is another plugin \"%s\"", plugin.name);
    picker_config_parameters(decoding, item, &plugin);
    if (strcmp(kind->type, "approx-prefix-cache-producer") == 0)
        decode_prefix_producer(decoding, item);
    decoding->plugins[decoding->plugin_count++] = plugin;
}

static void decode_plugins(struct decoding *decoding, json_t *root)
{
    json_t *list = list_of(decoding, root, "plugins"), *item;
    size_t index;
    if (json_array_size(list) > PLUGINS_MAX)
        picker_config_bad(decoding, "plugins", "Invalid", "must have at most %d items", PLUGINS_MAX);
    json_array_foreach(list, index, item)
    {
        if (index == PLUGINS_MAX)
            return;
        size_t outer = picker_config_enter(decoding, "plugins", (int)index);
        decode_plugin(decoding, item);
        picker_config_leave(decoding, outer);
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
            picker_config_bad(decoding, NULL, "Invalid", "there must be one picker only, and \"%s\" is one already",
                              profile->picker.name);
        profile->picker = *plugin;
        break;
    default: /* what runs in any case */
        break;
    }
    if (is_full)
        picker_config_bad(decoding, NULL, "Invalid", "there are more than %d filters or %d scorers",
                          PROFILE_FILTERS_MAX, PROFILE_SCORERS_MAX);
}

static void decode_reference(struct decoding *decoding, json_t *item)
{
    static const char *const names[] = {"pluginRef", "weight", NULL};
    static const struct parameter_syntax weight_syntax = {"weight", PARAMETER_NUMBER, 1, 0, 1e6};
    if (!json_is_object(item)) {
        picker_config_bad(decoding, NULL, "Invalid", "must be an object");
        return;
    }
    check_names(decoding, item, names);
    const char *name = text_of(decoding, item, "pluginRef", true);
    const struct plugin *found = name[0] != '\0' ? find_plugin(decoding, name) : NULL;
    json_t *weight = json_object_get(item, "weight");
    if (found == NULL) {
        if (name[0] != '\0')
            picker_config_bad(decoding, "pluginRef", "Invalid", "there is no plugin \"%s\" under plugins", name);
        return;
    }
    struct plugin plugin = *found;
    if (weight != NULL && plugin.kind->role != PLUGIN_SCORER)
        picker_config_bad(decoding, "weight", "Invalid", "only scorers have a weight, and %s is none",
                          plugin.kind->type);
    else if (weight != NULL)
        picker_config_number(decoding, &weight_syntax, weight, &plugin.weight);
    add_plugin(decoding, &plugin);
}

static void decode_profile(struct decoding *decoding, json_t *profile)
{
    static const char *const names[] = {"name", "plugins", NULL};
    if (!json_is_object(profile)) {
        picker_config_bad(decoding, NULL, "Invalid", "must be an object");
        return;
    }
    check_names(decoding, profile, names);
    text_of(decoding, profile, "name", true);
    json_t *list = list_of(decoding, profile, "plugins"), *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        size_t outer = picker_config_enter(decoding, "plugins", (int)index);
        decode_reference(decoding, item);
        picker_config_leave(decoding, outer);
    }
}

/* Without a profile all filters, scorers and pickers make one. */
static void decode_profiles(struct decoding *decoding, json_t *root)
{
    json_t *list = list_of(decoding, root, "schedulingProfiles");
    if (json_array_size(list) > 1)
        picker_config_bad(decoding, "schedulingProfiles", "NotSupported", "must have one item: one profile runs");
    if (json_array_size(list) == 0) {
        for (unsigned i = 0; i < decoding->plugin_count; i++)
            add_plugin(decoding, &decoding->plugins[i]);
    } else {
        size_t outer = picker_config_enter(decoding, "schedulingProfiles", 0);
        decode_profile(decoding, json_array_get(list, 0));
        picker_config_leave(decoding, outer);
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
        size_t outer = picker_config_enter(decoding, "featureGates", (int)index);
        const char *gate = json_is_string(item) ? json_string_value(item) : "";
        if (is_one_of(gate, queue))
            decoding->config->has_queue = true;
        else if (!is_one_of(gate, harmless))
            picker_config_bad(decoding, NULL, "NotSupported", "there is no such gate here");
        picker_config_leave(decoding, outer);
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
        picker_config_bad(decoding, "apiVersion", "NotSupported", "must be %s or %s", api_versions[0], api_versions[1]);
    if (kind[0] != '\0' && strcmp(kind, "EndpointPickerConfig") != 0)
        picker_config_bad(decoding, "kind", "Invalid", "must be EndpointPickerConfig");
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
    size_t outer = picker_config_enter(decoding, "flowControl", -1);
    double request_limit = 0, byte_limit = 0;
    check_names(decoding, section, names);
    if (json_object_get(section, "maxRequests") != NULL)
        picker_config_number(decoding, &requests, json_object_get(section, "maxRequests"), &request_limit);
    if (json_object_get(section, "maxBytes") != NULL)
        picker_config_number(decoding, &bytes, json_object_get(section, "maxBytes"), &byte_limit);
    decoding->config->queue_max_requests = (uint32_t)request_limit;
    decoding->config->queue_max_bytes = (uint64_t)byte_limit;
    const char *ttl = text_of(decoding, section, "defaultRequestTTL", false);
    if (ttl[0] != '\0' && !parse_age(ttl, &decoding->config->queue_ttl_ms))
        picker_config_bad(decoding, "defaultRequestTTL", "Invalid", "must be a time like 60s");
    picker_config_leave(decoding, outer);
}

bool picker_config_decode(json_t *root, struct problems *problems, struct picker_config *ret_config)
{
    struct picker_config config = {0};
    struct decoding decoding = {.problems = problems, .config = &config};
    size_t before = problems->count;
    if (!json_is_object(root)) {
        picker_config_bad(&decoding, NULL, "Invalid", "must be an object");
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
