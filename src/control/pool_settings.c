/* SPDX-License-Identifier: Apache-2.0 */
/* pool_settings.c: from annotations to the scheduler.  A hash of the texts is kept per pool: the scheduler is told, and
 * problems are logged, only when they changed. */
#include "control/pool_settings.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/log.h"
#include "inference/scrape/engine_metrics.h"

#define PICKER        "serin.dev/picker"
#define PICKER_CONFIG "serin.dev/picker-config"
#define SCORERS       "serin.dev/scorers"
#define METRICS       "serin.dev/metrics"
#define STALE         "serin.dev/stale-metrics"
#define FLOW          "serin.dev/flow-control"
#define FIELD(name)   "metadata.annotations[" name "]"

static const char *annotation(const struct kube_object *object, const char *name)
{
    const char *text = kube_labels_get(&object->annotations, name);
    return text != NULL ? text : "";
}

/* NULL, with a problem when there is somewhere to tell it. */
static const char *find_config_text(const struct object_cache *cache, const struct kube_object *object,
                                    struct problems *problems)
{
    const char *place = annotation(object, PICKER_CONFIG), *slash = strchr(place, '/');
    char name[256] = "";
    size_t len = slash != NULL ? (size_t)(slash - place) : strlen(place);
    if (len < sizeof name)
        memcpy(name, place, len);
    const struct kube_object *map = object_cache_get(cache, KUBE_CONFIG_MAP, object->namespace_, name);
    const json_t *data = map != NULL ? json_object_get(map->tree, "data") : NULL;
    const char *text = NULL;
    if (slash != NULL)
        text = json_string_value(json_object_get(data, slash + 1));
    else if (json_object_size(data) == 1)
        text = json_string_value(json_object_iter_value(json_object_iter((json_t *)(uintptr_t)data)));
    if (text == NULL && problems != NULL)
        problems_add(problems, FIELD(PICKER_CONFIG), map == NULL ? "ConfigMapNotFound" : "Invalid", "%s \"%s\"",
                     map == NULL     ? "there is no ConfigMap"
                     : slash == NULL ? "one key of the ConfigMap must be named: it has not exactly one,"
                                     : "the ConfigMap has no such key:",
                     place);
    return text;
}

static void take_queue(const struct picker_config *config, struct gate_settings *gate)
{
    gate->has_queue = config->has_queue;
    if (config->queue_max_requests > 0)
        gate->limits.max_requests = config->queue_max_requests;
    if (config->queue_max_bytes > 0)
        gate->limits.max_bytes = config->queue_max_bytes;
    if (config->queue_ttl_ms > 0)
        gate->limits.ttl_ms = config->queue_ttl_ms;
}

/* An EndpointPickerConfig's own paths stand behind the place where it was found. */
static bool read_config(const char *text, const char *field, struct problems *problems, struct pool_settings *settings)
{
    struct picker_config config;
    struct problems inner;
    problems_init(&inner, problems->arena);
    if (picker_config_parse(bytes_of(text), &inner, &config)) {
        settings->profile = config.profile;
        settings->prefix_tokens = config.prefix_tokens;
        take_queue(&config, &settings->gate);
        return true;
    }
    for (const struct problem *problem = inner.first; problem != NULL; problem = problem->next)
        problems_add(problems, arena_printf(problems->arena, "%s: %s", field, problem->field), problem->reason, "%s",
                     problem->message);
    return false;
}

static void read_profile(const struct object_cache *cache, const struct kube_object *object, struct problems *problems,
                         struct pool_settings *settings)
{
    const char *inline_text = annotation(object, PICKER), *scorers = annotation(object, SCORERS);
    bool has_config = annotation(object, PICKER_CONFIG)[0] != '\0';
    int count = (inline_text[0] != '\0') + (scorers[0] != '\0') + has_config;
    if (count > 1) {
        problems_add(problems, "metadata.annotations", "Invalid",
                     "one of " PICKER ", " PICKER_CONFIG " and " SCORERS " may be there, not several");
        return;
    }
    if (inline_text[0] != '\0')
        read_config(inline_text, FIELD(PICKER), problems, settings);
    if (scorers[0] != '\0')
        scorer_list_parse(bytes_of(scorers), FIELD(SCORERS), problems, &settings->profile);
    const char *text = has_config ? find_config_text(cache, object, problems) : NULL;
    if (text != NULL)
        read_config(text, FIELD(PICKER_CONFIG), problems, settings);
}

static void read_stale(const char *text, struct problems *problems, struct stale_policy *policy)
{
    static const char *const actions[] = {
        [STALE_OWN_COUNTS] = "own-counts", [STALE_KEEP] = "keep", [STALE_EXCLUDE] = "exclude"};
    struct bytes rest = bytes_of(text);
    size_t comma = bytes_find(rest, ',');
    struct bytes action = bytes_trim(bytes_make(rest.data, comma));
    const char *age = comma < rest.len ? text + comma + 1 + strspn(text + comma + 1, " ") : NULL;
    uint64_t age_ms = policy->after_ms;
    bool is_known = false;
    for (unsigned i = 0; i < ARRAY_LEN(actions); i++)
        if (bytes_equal_str(action, actions[i])) {
            policy->action = (enum stale_action)i;
            is_known = true;
        }
    if (!is_known || (age != NULL && (!kube_duration_ms(age, &age_ms) || age_ms == 0 || age_ms > 3600000)))
        problems_add(problems, FIELD(STALE), "Invalid",
                     "must be own-counts, keep or exclude, perhaps with an age up to 1h: exclude,5s");
    policy->after_ms = (uint32_t)age_ms;
}

static bool take_decimal(const char *text, double max, double *ret_value)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0 && value <= max))
        return false;
    *ret_value = value;
    return true;
}

/* One of the words behind the first. */
static bool take_flow_option(const char *name, const char *value, struct gate_settings *gate)
{
    uint64_t number = 0;
    if (strcmp(name, "ttl") == 0)
        return kube_duration_ms(value, &gate->limits.ttl_ms) && gate->limits.ttl_ms > 0;
    if (strcmp(name, "bytes") == 0)
        return kube_quantity(value, &gate->limits.max_bytes) && gate->limits.max_bytes > 0;
    if (strcmp(name, "full-queue") == 0)
        return take_decimal(value, 1e6, &gate->queue_depth);
    if (strcmp(name, "full-cache") == 0)
        return take_decimal(value, 1, &gate->kv_usage);
    if (strcmp(name, "requests") == 0) {
        bool is_good = kube_quantity(value, &number) && number > 0 && number <= 1000000000;
        gate->limits.max_requests = (uint32_t)number;
        return is_good;
    }
    gate->limits.order = strcmp(value, "deadline") == 0 ? FLOW_DEADLINE : FLOW_FCFS;
    return strcmp(name, "order") == 0 && (strcmp(value, "deadline") == 0 || strcmp(value, "fcfs") == 0);
}

static void read_flow(const char *text, struct problems *problems, struct gate_settings *gate)
{
    char *rest = arena_strdup(problems->arena, text);
    const char *first = strsep(&rest, ",");
    bool is_good = strcmp(first, "queue") == 0 || strcmp(first, "shed") == 0;
    gate->has_queue = strcmp(first, "queue") == 0;
    for (char *word; is_good && (word = strsep(&rest, ",")) != NULL;) {
        char *name = word + strspn(word, " "), *equals = strchr(name, '=');
        if (equals != NULL)
            *equals = '\0';
        is_good = equals != NULL && take_flow_option(name, equals + 1, gate);
    }
    if (!is_good)
        problems_add(problems, FIELD(FLOW), "Invalid",
                     "must be shed or queue, perhaps with ttl=60s,order=fcfs|deadline,requests=5000,bytes=1G,"
                     "full-queue=5,full-cache=0.8");
}

bool pool_settings_read(const struct object_cache *cache, const struct kube_object *object, struct problems *problems,
                        struct pool_settings *ret_settings)
{
    struct pool_settings settings = {
        .stale = stale_policy_default, .gate = gate_settings_default, .metric_names = annotation(object, METRICS)};
    struct metric_names names;
    size_t before = problems->count;
    profile_init_default(&settings.profile);
    read_profile(cache, object, problems, &settings);
    if (settings.metric_names[0] != '\0')
        metric_names_parse(bytes_of(settings.metric_names), FIELD(METRICS), problems, &names);
    if (annotation(object, STALE)[0] != '\0')
        read_stale(annotation(object, STALE), problems, &settings.stale);
    if (annotation(object, FLOW)[0] != '\0')
        read_flow(annotation(object, FLOW), problems, &settings.gate);
    if (problems->count > before)
        return false;
    *ret_settings = settings;
    return true;
}

static uint64_t hash_texts(const struct object_cache *cache, const struct kube_object *object)
{
    const char *config = annotation(object, PICKER_CONFIG)[0] != '\0' ? find_config_text(cache, object, NULL) : NULL;
    const char *const texts[] = {annotation(object, PICKER),   annotation(object, PICKER_CONFIG),
                                 config != NULL ? config : "", annotation(object, SCORERS),
                                 annotation(object, METRICS),  annotation(object, STALE),
                                 annotation(object, FLOW)};
    uint64_t hash = 1;
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
        hash = XXH3_64bits_withSeed(texts[i], strlen(texts[i]), hash);
    return hash | 1; /* 0: never read */
}

static void apply_to_members(const struct pool_settings *settings, struct pool *pool)
{
    for (unsigned i = 0; i < pool->member_count; i++) {
        endpoint_set_metric_names(pool->members[i], settings->metric_names);
        endpoint_fix_prefix_tokens(pool->members[i], settings->prefix_tokens);
    }
}

void pool_settings_follow(const struct object_cache *cache, const struct kube_object *object, struct pool *pool)
{
    uint64_t hash = hash_texts(cache, object);
    bool is_new = hash != pool->settings_hash;
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct pool_settings settings;
    problems_init(&problems, arena);
    pool->settings_hash = hash;
    bool is_good = pool_settings_read(cache, object, &problems, &settings);
    if (is_good && is_new) {
        schedule_set_profile(pool, &settings.profile);
        schedule_set_stale_policy(pool, &settings.stale);
        pool_gate_set(pool, &settings.gate);
    }
    if (is_good)
        apply_to_members(&settings, pool);
    for (const struct problem *problem = problems.first; problem != NULL && is_new; problem = problem->next)
        log_error(pool->key, "%s; the former settings stay in force", problem_text(problem, arena));
    arena_free(arena);
}

static void check_kind(const struct object_cache *cache, enum kube_kind kind, struct problems *problems)
{
    const struct kube_object *object;
    struct pool_settings settings;
    for (size_t cursor = 0; (object = object_cache_next(cache, kind, &cursor)) != NULL;) {
        const char *former = problems->object;
        problems->object = kube_object_text(object, problems->arena);
        pool_settings_read(cache, object, problems, &settings);
        problems->object = former;
    }
}

void pool_settings_check(const struct object_cache *cache, struct problems *problems)
{
    check_kind(cache, KUBE_INFERENCE_POOL, problems);
    check_kind(cache, KUBE_INFERENCE_POOL_X, problems);
}
