/* SPDX-License-Identifier: Apache-2.0 */
/* scraper.c: a target per endpoint, each with a timer, a connection and at most one call.
 *
 * One reactor's thread; what was read goes into the endpoint, which all threads see.  A target waits (its timer is
 * armed) or calls (its timeout is armed), never both.  Targets are freed only from their own timer or with the scraper,
 * so no client callback ever returns into freed memory.  Does not decide on health. */
#include "inference/scrape/scraper.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "http/client.h"
#include "http/codec/h1_write.h"
#include "inference/scrape/engine_metrics.h"
#include "inference/trust.h"

enum { BACKOFF_MAX_MS = 5000, READY_CHECK_MS = 250, MODELS_MAX = 4096 };
/* Targets are spread over the interval in steps of so many ms: those of one step share a turn of the reactor, which the
 * more of them, the longer holds up everything else. */
enum { STEP_MS = 5, STEP_OF_FEW_MS = 10, FEW_TARGETS = 400 };

enum page { PAGE_METRICS, PAGE_MODELS, PAGE_COUNT };

static const char *const page_paths[PAGE_COUNT] = {"/metrics", "/v1/models"};

struct page_schedule {
    uint64_t due_ms;
    uint32_t backoff_ms; /* 0 after a good attempt */
};

struct target {
    struct list link;
    struct scraper *scraper;
    struct endpoint *endpoint; /* counted */
    struct wheel_timer due;
    struct wheel_timer timeout;
    struct page_schedule pages[PAGE_COUNT];
    struct client_connection *connection; /* NULL when none */
    struct client_call call;
    struct iovec piece;
    struct buffer requests[PAGE_COUNT]; /* written once */
    struct buffer body;
    enum page page; /* being asked for */
    unsigned status;
    bool is_reused; /* the connection had served before: its end may be the keep-alive race */
    bool was_ready; /* at the last attempt */
    bool had_loras;
    uint64_t started_ms;        /* the attempt */
    unsigned in_flight;         /* at its start: what the page can tell of */
    double server_started_s;    /* as its page said; 0: it did not */
    struct metric_names *names; /* the operator's; NULL: none */
    unsigned names_changes;     /* as of which `names` is */
    struct page_layout layout;  /* of /metrics */
    uint64_t whole_ms;          /* when a page was last read as a whole */
};

struct scraper {
    struct reactor *reactor;
    struct scraper_config config;
    struct client_config client;
    struct list targets;
    unsigned count;
    uint32_t spread; /* where in the interval the next target starts */
};

const struct scraper_config scraper_defaults = {
    .interval_ms = 50,
    .idle_interval_ms = 200,
    .models_interval_ms = 2000,
    .whole_page_interval_ms = 1000,
    .timeout_ms = 1000,
    .max_response_bytes = 4u << 20,
};

/* What the pages say. */

static void store(atomic_uint *value, unsigned now)
{
    atomic_store_explicit(value, now, memory_order_relaxed);
}

static void apply_loras(struct target *target, const struct engine_metrics *metrics)
{
    if (!metrics->has_loras && !target->had_loras)
        return;
    target->had_loras = metrics->has_loras;
    store(&target->endpoint->load.max_loras, metrics->max_loras);
    endpoint_set_loras(target->endpoint, bytes_of(metrics->running_loras), bytes_of(metrics->waiting_loras));
}

/* A server that began anew has an empty cache, whatever its address was sent before. */
static void apply_start(struct target *target, double started_s)
{
    if (target->server_started_s > 0 && started_s > 0 && started_s != target->server_started_s) {
        endpoint_forget_prefixes(target->endpoint);
        target->layout = (struct page_layout){0};
    }
    if (started_s > 0)
        target->server_started_s = started_s;
}

/* The operator's names, as they are now.  They were checked where they were given. */
static void refresh_names(struct target *target)
{
    struct endpoint *endpoint = target->endpoint;
    unsigned changes = atomic_load_explicit(&endpoint->metric_names_changes, memory_order_relaxed);
    if (changes == target->names_changes)
        return;
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct metric_names names;
    problems_init(&problems, arena);
    free(target->names);
    target->names = NULL;
    target->layout = (struct page_layout){0};
    pthread_mutex_lock(&endpoint->lock);
    if (endpoint->metric_names != NULL && metric_names_parse(bytes_of(endpoint->metric_names), "", &problems, &names)) {
        target->names = must(malloc(sizeof names));
        *target->names = names;
    }
    pthread_mutex_unlock(&endpoint->lock);
    target->names_changes = changes;
    arena_free(arena);
}

static void read_metrics(struct target *target, struct bytes page, struct engine_metrics *ret_metrics)
{
    uint64_t now_ms = reactor_now_ms(target->scraper->reactor);
    if (now_ms - target->whole_ms >= target->scraper->config.whole_page_interval_ms)
        target->layout = (struct page_layout){0};
    if (!page_layout_is_known(&target->layout))
        target->whole_ms = now_ms;
    engine_metrics_read_next(page, target->names, &target->layout, ret_metrics);
}

/* A page without any of the gauges is another server's: nothing of it counts. */
static bool apply_metrics(struct target *target, struct bytes page)
{
    struct endpoint_load *load = &target->endpoint->load;
    struct engine_metrics metrics;
    refresh_names(target);
    read_metrics(target, page, &metrics);
    if (!metrics.has_waiting && !metrics.has_running && !metrics.has_kv)
        return false;
    if (metrics.has_waiting)
        store(&load->waiting, metrics.waiting);
    if (metrics.has_running)
        store(&load->running, metrics.running);
    if (metrics.has_kv)
        store(&load->kv_permille, metrics.kv_permille);
    if (metrics.kv_tokens > 0)
        endpoint_set_kv_tokens(target->endpoint, metrics.kv_tokens);
    apply_loras(target, &metrics);
    apply_start(target, metrics.started_s);
    store(&load->in_flight_scraped, target->in_flight);
    atomic_store_explicit(&load->scraped_ms, reactor_now_ms(target->scraper->reactor), memory_order_relaxed);
    return true;
}

/* {"object":"list","data":[{"id":"..."},...]} */
static bool apply_models(struct target *target, struct bytes page)
{
    char error[200];
    json_t *root = json_read(page, error);
    const json_t *data = json_object_get(root, "data");
    bool is_list = json_is_array(data);
    size_t len = is_list ? json_array_size(data) : 0;
    struct bytes *names = calloc(len + 1, sizeof *names);
    if (names == NULL)
        abort();
    unsigned count = 0;
    for (size_t i = 0; i < len && count < MODELS_MAX; i++) {
        const json_t *id = json_object_get(json_array_get(data, i), "id");
        if (json_is_string(id))
            names[count++] = bytes_make(json_string_value(id), json_string_length(id));
    }
    if (is_list)
        endpoint_set_models(target->endpoint, names, count);
    for (unsigned i = 0; i < count; i++)
        trust_find_model(target->endpoint, adapter_hash(names[i]));
    free(names);
    json_decref(root);
    return is_list;
}

/* When to ask next. */

/* What it has is known here the moment that it is sent: a page can only tell of others' requests. */
static bool is_idle(const struct endpoint_load *load)
{
    return atomic_load_explicit(&load->in_flight, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&load->running, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&load->waiting, memory_order_relaxed) == 0;
}

static uint32_t interval_of(const struct target *target, enum page page)
{
    const struct scraper_config *config = &target->scraper->config;
    if (page == PAGE_MODELS)
        return config->models_interval_ms;
    bool is_rare = is_idle(&target->endpoint->load) && config->idle_interval_ms > config->interval_ms;
    return is_rare ? config->idle_interval_ms : config->interval_ms;
}

/* Good: the next point of the page's own grid, so that targets stay spread, but never before the server had as long a
 * rest as it took to answer.  Bad: twice as late as the last time. */
static void schedule_page(struct target *target, enum page page, bool is_ok)
{
    struct page_schedule *schedule = &target->pages[page];
    uint64_t now_ms = reactor_now_ms(target->scraper->reactor);
    uint32_t interval_ms = interval_of(target, page);
    if (is_ok) {
        uint64_t rested_ms = now_ms + (now_ms - target->started_ms);
        schedule->backoff_ms = 0;
        schedule->due_ms += interval_ms;
        if (schedule->due_ms < rested_ms)
            schedule->due_ms += (rested_ms - schedule->due_ms + interval_ms - 1) / interval_ms * interval_ms;
        return;
    }
    uint32_t former = schedule->backoff_ms > interval_ms ? schedule->backoff_ms : interval_ms;
    schedule->backoff_ms = former < BACKOFF_MAX_MS / 2 ? former * 2 : BACKOFF_MAX_MS;
    schedule->due_ms = now_ms + schedule->backoff_ms;
}

static enum page next_page(const struct target *target)
{
    return target->pages[PAGE_MODELS].due_ms < target->pages[PAGE_METRICS].due_ms ? PAGE_MODELS : PAGE_METRICS;
}

static void wait_for_next(struct target *target)
{
    struct reactor *reactor = target->scraper->reactor;
    uint64_t now_ms = reactor_now_ms(reactor);
    uint64_t due_ms = target->pages[next_page(target)].due_ms;
    uint64_t delay_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    /* A server that starts up is not waited for in full: its Pod tells when it is ready. */
    if (!target->was_ready && delay_ms > READY_CHECK_MS)
        delay_ms = READY_CHECK_MS;
    reactor_timer_set(reactor, &target->due, delay_ms);
}

static void close_connection(struct target *target)
{
    if (target->connection != NULL)
        client_connection_close(target->connection);
    target->connection = NULL;
}

static void end_attempt(struct target *target, bool is_ok)
{
    const struct scraper_config *config = &target->scraper->config;
    reactor_timer_cancel(target->scraper->reactor, &target->timeout);
    buffer_clear(&target->body);
    schedule_page(target, target->page, is_ok);
    wait_for_next(target);
    if (config->on_result != NULL)
        config->on_result(config->context, is_ok);
}

/* The call. */

static struct target *target_of(struct client_call *call)
{
    return container_of(call, struct target, call);
}

static void on_head(struct client_call *call, const struct http_response *response)
{
    target_of(call)->status = response->status;
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    struct target *target = target_of(call);
    if (buffer_len(&target->body) + chunk.len > target->scraper->config.max_response_bytes) {
        close_connection(target);
        end_attempt(target, false);
        return;
    }
    bool is_whole = last && buffer_is_empty(&target->body); /* most are: read where they were received */
    if (!is_whole)
        buffer_append(&target->body, chunk);
    if (!last)
        return;
    struct bytes page = is_whole ? chunk : buffer_bytes(&target->body);
    bool is_ok = target->status == 200 &&
                 (target->page == PAGE_METRICS ? apply_metrics(target, page) : apply_models(target, page));
    end_attempt(target, is_ok);
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    struct target *target = target_of(call);
    bool is_race = target->is_reused && (failure == CLIENT_FAILURE_SEND || failure == CLIENT_FAILURE_CLOSED);
    if (!is_race) {
        end_attempt(target, false);
        return;
    }
    reactor_timer_cancel(target->scraper->reactor, &target->timeout);
    reactor_timer_set(target->scraper->reactor, &target->due, 0);
}

static const struct client_call_handler call_handler = {.on_head = on_head, .on_body = on_body, .on_failed = on_failed};

static void on_connection_idle(struct client_connection *connection)
{
    (void)connection; /* kept for the next attempt */
}

static void on_connection_closed(struct client_connection *connection)
{
    struct target *target = client_connection_data(connection);
    if (target->connection == connection)
        target->connection = NULL;
}

static const struct client_owner connection_owner = {.on_idle = on_connection_idle, .on_closed = on_connection_closed};

static void on_timeout(struct wheel_timer *timer)
{
    struct target *target = container_of(timer, struct target, timeout);
    close_connection(target);
    end_attempt(target, false);
}

static void start_attempt(struct target *target)
{
    struct scraper *scraper = target->scraper;
    if (target->connection != NULL && !client_connection_is_usable(target->connection))
        close_connection(target);
    target->is_reused = target->connection != NULL;
    if (target->connection == NULL)
        target->connection =
            client_connect(scraper->reactor, &target->endpoint->address, &scraper->client, &connection_owner, target);
    target->status = 0;
    target->started_ms = reactor_now_ms(scraper->reactor);
    target->in_flight = atomic_load_explicit(&target->endpoint->load.in_flight, memory_order_relaxed);
    buffer_clear(&target->body);
    struct bytes request = buffer_bytes(&target->requests[target->page]);
    target->piece = (struct iovec){.iov_base = (char *)(uintptr_t)request.data, .iov_len = request.len};
    reactor_timer_set(scraper->reactor, &target->timeout, scraper->config.timeout_ms);
    client_call_start(&target->call, target->connection, HTTP_GET, &target->piece, 1, &call_handler);
}

/* Targets. */

static void target_free(struct target *target)
{
    struct scraper *scraper = target->scraper;
    reactor_timer_cancel(scraper->reactor, &target->due);
    reactor_timer_cancel(scraper->reactor, &target->timeout);
    close_connection(target);
    for (unsigned page = 0; page < PAGE_COUNT; page++)
        buffer_deinit(&target->requests[page]);
    buffer_deinit(&target->body);
    free(target->names);
    list_remove(&target->link);
    scraper->count--;
    endpoint_give_back(target->endpoint);
    free(target);
}

/* Whether the endpoint has become ready since the last attempt: then what was put off is due now. */
static void notice_ready(struct target *target, uint64_t now_ms)
{
    bool is_ready = atomic_load_explicit(&target->endpoint->load.is_ready, memory_order_relaxed);
    for (unsigned page = 0; page < PAGE_COUNT && is_ready && !target->was_ready; page++)
        if (target->pages[page].backoff_ms > 0)
            target->pages[page] = (struct page_schedule){.due_ms = now_ms};
    target->was_ready = is_ready;
}

static void on_due(struct wheel_timer *timer)
{
    struct target *target = container_of(timer, struct target, due);
    if (atomic_load_explicit(&target->endpoint->load.is_removed, memory_order_acquire)) {
        target_free(target);
        return;
    }
    uint64_t now_ms = reactor_now_ms(target->scraper->reactor);
    notice_ready(target, now_ms);
    target->page = next_page(target);
    if (target->pages[target->page].due_ms <= now_ms)
        start_attempt(target);
    else
        wait_for_next(target);
}

static void write_requests(struct target *target)
{
    for (unsigned page = 0; page < PAGE_COUNT; page++) {
        struct buffer *request = &target->requests[page];
        h1_write_request_line(request, BYTES("GET"), bytes_of(page_paths[page]));
        h1_write_field(request, BYTES("host"), bytes_of(target->endpoint->text));
        h1_write_field(request, BYTES("user-agent"), BYTES("serin"));
        h1_write_end_of_head(request);
    }
}

struct scraper *scraper_new(struct reactor *reactor, const struct scraper_config *config)
{
    assert(config->interval_ms > 0 && config->models_interval_ms > 0);
    struct scraper *scraper = calloc(1, sizeof *scraper);
    if (scraper == NULL)
        abort();
    scraper->reactor = reactor;
    scraper->config = *config;
    scraper->client = client_defaults;
    scraper->client.connect_timeout_ms = config->timeout_ms;
    list_init(&scraper->targets);
    return scraper;
}

void scraper_free(struct scraper *scraper)
{
    if (scraper == NULL)
        return;
    LIST_FOR_EACH_SAFE (link, &scraper->targets) {
        target_free(LIST_ENTRY(link, struct target, link));
    }
    free(scraper);
}

/* Starting points follow the golden ratio, which spreads any number of them over the interval. */
static uint64_t next_start_ms(struct scraper *scraper)
{
    uint64_t now_ms = reactor_now_ms(scraper->reactor);
    uint32_t spread_ms = (uint32_t)((uint64_t)scraper->spread * scraper->config.interval_ms >> 32);
    scraper->spread += 0x9e3779b9u;
    uint32_t step_ms = scraper->count <= FEW_TARGETS ? STEP_OF_FEW_MS : STEP_MS;
    return (now_ms + spread_ms) / step_ms * step_ms;
}

void scraper_add(struct scraper *scraper, struct endpoint *endpoint)
{
    struct target *target = calloc(1, sizeof *target);
    if (target == NULL)
        abort();
    target->scraper = scraper;
    target->endpoint = endpoint_take(endpoint);
    wheel_timer_init(&target->due, on_due);
    wheel_timer_init(&target->timeout, on_timeout);
    write_requests(target);
    list_push(&scraper->targets, &target->link);
    scraper->count++;
    uint64_t first_ms = next_start_ms(scraper);
    for (unsigned page = 0; page < PAGE_COUNT; page++)
        target->pages[page].due_ms = first_ms;
    wait_for_next(target);
}

unsigned scraper_count(const struct scraper *scraper)
{
    return scraper->count;
}
