/* SPDX-License-Identifier: Apache-2.0 */
/* watches.c: streams of changes.
 *
 * A watch is a position in the store's log.  It sends what the client takes and waits when the client is slow; one that
 * falls so far behind that the log has forgotten its next event ends with 410, and its client lists again.  Nothing is
 * queued per watch but the objects that a new watch begins with. */
#include <stdlib.h>

#include "base/clock.h"
#include "kube/apiserver/call.h"

enum {
    BOOKMARK_MS = 60 * 1000,
    DEFAULT_TIMEOUT_S = 30 * 60, /* without timeoutSeconds; a cluster draws 30-60 minutes */
    MAX_TIMEOUT_S = 24 * 60 * 60
};

struct watch {
    struct list link; /* in the server's list */
    struct api_call *call;
    struct store_watcher watcher;
    uint64_t position;       /* every event up to here was sent or does not concern this watch */
    uint64_t sent;           /* the newest version that the client was told */
    struct stored **initial; /* to be sent first; counted from initial_next on */
    size_t initial_len;
    size_t initial_next;
    bool owes_initial_end; /* the bookmark that says that the initial objects were all */
    bool has_columns;      /* of the Table form: the client has them */
    bool is_over;
    struct wheel_timer bookmark;
    struct wheel_timer end;
};

static void send_event(struct watch *watch, const char *type, const struct stored *stored)
{
    struct api_call *call = watch->call;
    struct buffer line = {0};
    struct json_writer writer;
    buffer_printf(&line, "{\"type\":\"%s\",\"object\":", type);
    if (call->form == ANSWER_TABLE) {
        struct table_options options = table_options_of(call, stored->version);
        struct table_writer table;
        options.without_columns = watch->has_columns;
        table_begin(&table, &options, &line);
        write_row(call->target.resource, stored, &table);
        table_end(&table);
        watch->has_columns = true;
    } else if (call->form == ANSWER_METADATA || call->form == ANSWER_METADATA_LIST) {
        jw_init(&writer, &line);
        table_write_metadata(&writer, stored->object->tree);
    } else {
        write_stored(call->target.resource, stored, &line);
    }
    buffer_append_str(&line, "}\n");
    exchange_send(call->exchange, buffer_bytes(&line));
    buffer_deinit(&line);
    watch->sent = stored->version;
}

/* Tells the client how far it is, so that it can resume from there. */
static void send_bookmark(struct watch *watch, bool is_initial_end)
{
    struct api_call *call = watch->call;
    const struct api_resource *resource = call->target.resource;
    struct buffer line = {0};
    buffer_printf(&line,
                  "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{"
                  "\"resourceVersion\":\"%llu\",\"creationTimestamp\":null%s}}}\n",
                  resource->kind_name, resource->api_version, (unsigned long long)watch->position,
                  is_initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
    exchange_send(call->exchange, buffer_bytes(&line));
    buffer_deinit(&line);
    watch->sent = watch->position;
}

/* Frees; the call's exchange is left as it is. */
void watch_stop(struct watch *watch)
{
    struct reactor *reactor = watch->call->server->reactor;
    list_remove(&watch->link);
    store_unwatch(&watch->watcher);
    reactor_timer_cancel(reactor, &watch->bookmark);
    reactor_timer_cancel(reactor, &watch->end);
    for (; watch->initial_next < watch->initial_len; watch->initial_next++)
        stored_give_back(watch->initial[watch->initial_next]);
    free(watch->initial);
    count_watches(watch->call->server, -1);
    watch->call->watch = NULL;
    free(watch);
}

static void finish(struct watch *watch)
{
    struct api_call *call = watch->call;
    struct exchange *exchange = call->exchange;
    call_release(call); /* stops the watch */
    exchange_finish(exchange);
}

/* The log has gone on without this watch. */
static void finish_expired(struct watch *watch)
{
    struct api_call *call = watch->call;
    struct buffer line = {0};
    struct json_writer writer;
    count_expired_watch(call->server);
    failure_set(&call->failure, FAILURE_EXPIRED, "too old resource version: %llu (%llu)",
                (unsigned long long)watch->position, (unsigned long long)store_version(call->server->config.store));
    buffer_append_str(&line, "{\"type\":\"ERROR\",\"object\":");
    jw_init(&writer, &line);
    failure_write(&call->failure, &writer);
    buffer_append_str(&line, "}\n");
    exchange_send(call->exchange, buffer_bytes(&line));
    buffer_deinit(&line);
    finish(watch);
}

static bool is_watched(const struct watch *watch, const struct stored *stored)
{
    const struct target *target = &watch->call->target;
    const struct kube_object *object = stored->object;
    return object->kind == target->resource->kind &&
           (target->namespace_[0] == '\0' || strcmp(object->namespace_, target->namespace_) == 0);
}

/* An object that begins to match appears, one that no longer does disappears. */
static void tell(struct watch *watch, const struct store_event *event)
{
    const struct selection *selection = &watch->call->selection;
    bool matches = event->type != STORE_DELETED && selection_matches(selection, event->now->object);
    bool matched = event->before != NULL && selection_matches(selection, event->before->object);
    if (matches)
        send_event(watch, matched ? "MODIFIED" : "ADDED", event->now);
    else if (matched)
        send_event(watch, "DELETED", event->now);
}

static void send_initial(struct watch *watch)
{
    while (watch->initial_next < watch->initial_len && exchange_send_room(watch->call->exchange) > 0) {
        struct stored *stored = watch->initial[watch->initial_next++];
        send_event(watch, "ADDED", stored);
        stored_give_back(stored);
    }
    if (watch->initial_next == watch->initial_len && watch->owes_initial_end) {
        watch->owes_initial_end = false;
        send_bookmark(watch, true);
    }
}

/* Sends what there is and what the client takes. */
static void pump(struct watch *watch)
{
    struct store *store = watch->call->server->config.store;
    send_initial(watch);
    while (watch->initial_next == watch->initial_len && exchange_send_room(watch->call->exchange) > 0) {
        if (!store_can_resume(store, watch->position)) {
            finish_expired(watch);
            return;
        }
        const struct store_event *event = store_event_after(store, watch->position);
        if (event == NULL)
            break;
        watch->position = event->version;
        if (is_watched(watch, event->now))
            tell(watch, event);
    }
    if (watch->is_over && watch->initial_next == watch->initial_len) {
        if (watch->call->target.query.allows_bookmarks)
            send_bookmark(watch, false);
        finish(watch);
    }
}

static void on_events(struct store_watcher *watcher)
{
    pump(container_of(watcher, struct watch, watcher));
}

void watch_can_send(struct watch *watch)
{
    pump(watch);
}

static void on_bookmark(struct wheel_timer *timer)
{
    struct watch *watch = container_of(timer, struct watch, bookmark);
    struct reactor *reactor = watch->call->server->reactor;
    if (watch->initial_next == watch->initial_len && exchange_send_room(watch->call->exchange) > 0)
        send_bookmark(watch, false);
    reactor_timer_set(reactor, &watch->bookmark, BOOKMARK_MS);
}

static void on_end(struct wheel_timer *timer)
{
    struct watch *watch = container_of(timer, struct watch, end);
    watch->is_over = true;
    pump(watch);
}

void watches_end(struct apiserver *server)
{
    LIST_FOR_EACH_SAFE (node, &server->watches) {
        struct watch *watch = LIST_ENTRY(node, struct watch, link);
        watch->is_over = true;
        pump(watch);
    }
}

/* --- beginning --- */

static void collect_initial(struct watch *watch)
{
    const struct api_call *call = watch->call;
    struct store *store = call->server->config.store;
    enum kube_kind kind = call->target.resource->kind;
    size_t capacity = store_count(store, kind);
    const struct stored *stored;
    struct store_cursor cursor = store_cursor_at(store, kind, call->target.namespace_, "", "");
    watch->initial = must(calloc(capacity + 1, sizeof *watch->initial));
    while (watch->initial_len < capacity && (stored = store_next(store, kind, &cursor)) != NULL) {
        if (selection_matches(&call->selection, stored->object))
            watch->initial[watch->initial_len++] = stored_take(stored);
    }
}

struct beginning {
    uint64_t position;
    bool from_now; /* with the present objects first */
};

static bool find_beginning(struct api_call *call, struct beginning *ret_beginning)
{
    const struct target_query *query = &call->target.query;
    struct store *store = call->server->config.store;
    unsigned long long version = 0;
    if (query->resource_version[0] != '\0' && !bytes_to_u64(bytes_of(query->resource_version), INT64_MAX, &version)) {
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "resourceVersion: \"%s\" is no version",
                    query->resource_version);
    } else if (version > store_version(store)) {
        failure_too_large_version(&call->failure, version, store_version(store));
    } else if (query->wants_initial_events && strcmp(query->resource_version_match, "NotOlderThan") != 0) {
        failure_set(&call->failure, FAILURE_INVALID,
                    "resourceVersionMatch: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    } else if (version != 0 && !query->wants_initial_events && !store_can_resume(store, version)) {
        failure_set(&call->failure, FAILURE_EXPIRED, "too old resource version: %llu (%llu)", version,
                    (unsigned long long)store_version(store));
    }
    ret_beginning->from_now = version == 0 || query->wants_initial_events;
    ret_beginning->position = ret_beginning->from_now ? store_version(store) : version;
    return !call->failure.is_set;
}

static bool may_watch(struct api_call *call)
{
    if (call->server->watch_count < call->server->config.limits.watches)
        return true;
    failure_set(&call->failure, FAILURE_TOO_MANY_REQUESTS, "%u watches are open, which is the limit",
                call->server->watch_count);
    call->failure.retry_after_s = 1;
    return false;
}

static void respond(struct api_call *call)
{
    struct http_fields fields = {0};
    http_fields_add(&fields, call->arena, BYTES("Content-Type"), BYTES("application/json"));
    http_fields_add(&fields, call->arena, BYTES("Cache-Control"), BYTES("no-cache, private"));
    count_answer(call, 200);
    exchange_respond(call->exchange, 200, &fields, -1);
}

static void arm_timers(struct watch *watch)
{
    const struct target_query *query = &watch->call->target.query;
    struct reactor *reactor = watch->call->server->reactor;
    uint64_t timeout_s = query->timeout_s != 0 ? query->timeout_s : DEFAULT_TIMEOUT_S;
    if (timeout_s > MAX_TIMEOUT_S)
        timeout_s = MAX_TIMEOUT_S;
    wheel_timer_init(&watch->end, on_end);
    wheel_timer_init(&watch->bookmark, on_bookmark);
    reactor_timer_set(reactor, &watch->end, timeout_s * 1000);
    if (query->allows_bookmarks)
        reactor_timer_set(reactor, &watch->bookmark, BOOKMARK_MS);
}

static void begin(struct api_call *call, const struct beginning *beginning)
{
    struct apiserver *server = call->server;
    struct watch *watch = must(calloc(1, sizeof *watch));
    watch->call = call;
    watch->position = beginning->position;
    watch->watcher.on_events = on_events;
    watch->owes_initial_end = call->target.query.wants_initial_events;
    call->watch = watch;
    list_push(&server->watches, &watch->link);
    count_watches(server, 1);
    if (beginning->from_now)
        collect_initial(watch);
    store_watch(server->config.store, &watch->watcher);
    arm_timers(watch);
    respond(call);
    pump(watch);
}

void watch_start(struct api_call *call)
{
    struct beginning beginning;
    const struct target *target = &call->target;
    /* A watch of one name is a watch of the collection narrowed to it. */
    if (target->name[0] != '\0')
        call->target.query.field_selector = arena_printf(call->arena, "metadata.name=%s", target->name);
    if (read_selection(call) && find_beginning(call, &beginning) && may_watch(call))
        begin(call, &beginning);
    else
        answer_failure(call);
}
