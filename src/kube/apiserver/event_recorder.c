/* SPDX-License-Identifier: Apache-2.0 */
/* event_recorder.c: Events as objects of the store.
 *
 * What was recorded is found again by a key of object, reason and message; the map forgets everything when it is full,
 * which costs a second Event at worst.  The oldest Events go when there are too many, whoever made them. */
#include "kube/apiserver/event_recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/random.h"
#include "kube/apiserver/change.h"
#include "kube/apiserver/object_rules.h"

enum {
    SWEEP_MS = 30 * 1000,
    LIFETIME_MS = 60 * 60 * 1000,
    BURST = 25,
    REFILL_MS = 10 * 1000,
    MAX_REMEMBERED = 4096,
    MAX_MESSAGE = 1024 /* the API's own limit */
};

/* An Event that was made, by its key. */
struct recorded {
    char key[17];
    char namespace_[64];
    char name[254];
};

/* How much an object may still say. */
struct talker {
    char uid[40];
    unsigned tokens;
    uint64_t refilled_ms;
};

struct event_recorder {
    struct reactor *reactor;
    struct store *store;
    unsigned max_events;
    struct hashmap *recorded; /* key -> struct recorded */
    struct hashmap *talkers;  /* uid -> struct talker */
    struct wheel_timer sweep;
};

static void empty(struct hashmap **map)
{
    void *value;
    for (size_t cursor = 0; hashmap_next(*map, &cursor, NULL, &value);)
        free(value);
    hashmap_free(*map);
    *map = hashmap_new();
}

/* When the Event last happened. */
static uint64_t last_ms(const struct stored *stored)
{
    const json_t *tree = stored->object->tree;
    static const char *const fields[] = {"lastTimestamp", "eventTime", "firstTimestamp"};
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        uint64_t time_ms = clock_parse_rfc3339(rules_text(tree, fields[i]));
        if (time_ms != 0)
            return time_ms;
    }
    return stored->object->created_ms;
}

/* False: the store takes no changes now. */
static bool delete_event(struct event_recorder *recorder, const struct kube_object *event, uint64_t now_ms)
{
    struct kube_object *held = kube_object_take(event);
    bool is_deleted = object_delete(recorder->store, KUBE_EVENT, held->namespace_, held->name, NULL, 0, now_ms);
    kube_object_give_back(held);
    return is_deleted;
}

/* The Event that happened longest ago. */
static const struct stored *find_oldest(const struct event_recorder *recorder, unsigned *ret_count)
{
    const struct stored *stored, *oldest = NULL;
    struct store_cursor cursor = store_cursor_at(recorder->store, KUBE_EVENT, "", "", "");
    *ret_count = 0;
    while ((stored = store_next_head(recorder->store, KUBE_EVENT, &cursor)) != NULL) {
        ++*ret_count;
        if (oldest == NULL || last_ms(stored) < last_ms(oldest))
            oldest = stored;
    }
    return oldest;
}

/* Removes what is too old or too many. */
static void trim(struct event_recorder *recorder, unsigned room)
{
    uint64_t now_ms = clock_wall_ms();
    unsigned count;
    for (;;) {
        const struct stored *oldest = find_oldest(recorder, &count);
        if (oldest == NULL || (count + room <= recorder->max_events && last_ms(oldest) + LIFETIME_MS > now_ms))
            return;
        if (!delete_event(recorder, oldest->object, now_ms))
            return;
    }
}

static void on_sweep(struct wheel_timer *timer)
{
    struct event_recorder *recorder = container_of(timer, struct event_recorder, sweep);
    trim(recorder, 0);
    reactor_timer_set(recorder->reactor, &recorder->sweep, SWEEP_MS);
}

struct event_recorder *event_recorder_new(struct reactor *reactor, struct store *store, unsigned max_events)
{
    struct event_recorder *recorder = must(calloc(1, sizeof *recorder));
    recorder->reactor = reactor;
    recorder->store = store;
    recorder->max_events = max_events;
    recorder->recorded = hashmap_new();
    recorder->talkers = hashmap_new();
    wheel_timer_init(&recorder->sweep, on_sweep);
    reactor_timer_set(reactor, &recorder->sweep, SWEEP_MS);
    return recorder;
}

void event_recorder_free(struct event_recorder *recorder)
{
    if (recorder == NULL)
        return;
    reactor_timer_cancel(recorder->reactor, &recorder->sweep);
    empty(&recorder->recorded);
    empty(&recorder->talkers);
    hashmap_free(recorder->recorded);
    hashmap_free(recorder->talkers);
    free(recorder);
}

static bool may_talk(struct event_recorder *recorder, const char *uid)
{
    uint64_t now_ms = reactor_now_ms(recorder->reactor);
    struct talker *talker = hashmap_get(recorder->talkers, bytes_of(uid));
    if (talker == NULL) {
        if (hashmap_len(recorder->talkers) >= MAX_REMEMBERED)
            empty(&recorder->talkers);
        talker = must(calloc(1, sizeof *talker));
        snprintf(talker->uid, sizeof talker->uid, "%s", uid);
        talker->tokens = BURST;
        talker->refilled_ms = now_ms;
        hashmap_put(recorder->talkers, bytes_of(talker->uid), talker);
    }
    uint64_t refill = (now_ms - talker->refilled_ms) / REFILL_MS;
    talker->tokens = refill + talker->tokens > BURST ? BURST : (unsigned)refill + talker->tokens;
    talker->refilled_ms += refill * REFILL_MS;
    if (talker->tokens == 0)
        return false;
    talker->tokens--;
    return true;
}

static void make_key(const struct kube_object *about, const char *reason, const char *message, char key[17])
{
    const char *parts[] = {about->uid, kube_kind_info(about->kind)->kind, about->namespace_, about->name, reason,
                           message};
    uint64_t hash = 0;
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        struct bytes part = bytes_of(parts[i]);
        hash = XXH3_64bits_withSeed(part.data != NULL ? part.data : "", part.len, hash);
    }
    snprintf(key, 17, "%016llx", (unsigned long long)hash);
}

/* Once more: count and time.  False when the Event is no longer there. */
static bool raise_count(struct event_recorder *recorder, const struct recorded *recorded, uint64_t now_ms)
{
    const struct stored *head = store_head(recorder->store, KUBE_EVENT, recorded->namespace_, recorded->name);
    if (head == NULL)
        return false;
    json_t *tree = json_copy(head->object->tree);
    json_int_t count = json_integer_value(json_object_get(tree, "count"));
    json_object_set_new(tree, "metadata", json_copy(json_object_get(tree, "metadata")));
    json_object_set_new(tree, "count", json_integer(count + 1));
    rules_set_time(tree, "lastTimestamp", now_ms);
    stored_give_back(object_update(recorder->store, KUBE_EVENT, recorded->namespace_, recorded->name, tree, now_ms));
    return true;
}

static json_t *reference_to(const struct kube_object *about)
{
    const struct kube_kind_info *info = kube_kind_info(about->kind);
    char api_version[128];
    snprintf(api_version, sizeof api_version, "%s%s%s", info->group, info->group[0] == '\0' ? "" : "/", info->version);
    json_t *reference =
        json_pack("{s:s, s:s, s:s}", "kind", info->kind, "name", about->name, "apiVersion", api_version);
    if (info->is_namespaced)
        rules_set_text(reference, "namespace", about->namespace_);
    rules_set_text(reference, "uid", about->uid);
    rules_set_text(reference, "resourceVersion",
                   rules_text(json_object_get(about->tree, "metadata"), "resourceVersion"));
    return reference;
}

static json_t *event_tree(const struct kube_object *about, const struct recorded *recorded, bool is_warning,
                          const char *component, const char *reason, const char *message, uint64_t now_ms)
{
    json_t *tree =
        json_pack("{s:{s:s, s:s}, s:o, s:s, s:s, s:s, s:{s:s}, s:i, s:s, s:s}", "metadata", "name", recorded->name,
                  "namespace", recorded->namespace_, "involvedObject", reference_to(about), "reason", reason, "message",
                  message, "type", is_warning ? "Warning" : "Normal", "source", "component", component, "count", 1,
                  "reportingComponent", component, "reportingInstance", "");
    if (tree == NULL) /* a text that is no UTF-8 */
        return NULL;
    rules_set_time(tree, "firstTimestamp", now_ms);
    rules_set_time(tree, "lastTimestamp", now_ms);
    return tree;
}

static struct recorded *remember(struct event_recorder *recorder, const struct kube_object *about, const char *key)
{
    if (hashmap_len(recorder->recorded) >= MAX_REMEMBERED)
        empty(&recorder->recorded);
    struct recorded *recorded = hashmap_get(recorder->recorded, bytes_of(key));
    if (recorded == NULL) {
        recorded = must(calloc(1, sizeof *recorded));
        snprintf(recorded->key, sizeof recorded->key, "%s", key);
        hashmap_put(recorder->recorded, bytes_of(recorded->key), recorded);
    }
    struct random_state random;
    random_seed_from_kernel(&random);
    const char *namespace_ = about->namespace_[0] != '\0' ? about->namespace_ : "default";
    snprintf(recorded->namespace_, sizeof recorded->namespace_, "%s", namespace_);
    snprintf(recorded->name, sizeof recorded->name, "%.230s.%016llx", about->name,
             (unsigned long long)random_next(&random));
    return recorded;
}

static void record(struct event_recorder *recorder, const struct kube_object *about, bool is_warning,
                   const char *component, const char *reason, const char *message)
{
    char key[17];
    uint64_t now_ms = clock_wall_ms();
    make_key(about, reason, message, key);
    const struct recorded *known = hashmap_get(recorder->recorded, bytes_of(key));
    if (known != NULL && raise_count(recorder, known, now_ms))
        return;
    trim(recorder, 1);
    struct recorded *recorded = remember(recorder, about, key);
    json_t *tree = event_tree(about, recorded, is_warning, component, reason, message, now_ms);
    if (tree != NULL)
        stored_give_back(object_create(recorder->store, KUBE_EVENT, tree, now_ms));
}

void event_record(struct event_recorder *recorder, const struct kube_object *about, bool is_warning,
                  const char *component, const char *reason, const char *format, ...)
{
    char message[MAX_MESSAGE];
    if (recorder == NULL || !may_talk(recorder, about->uid))
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    record(recorder, about, is_warning, component, reason, message);
}
