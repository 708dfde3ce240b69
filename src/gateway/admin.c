/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c: a page per path, each written into one buffer. */
#include "gateway/admin.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/explain_page.h"
#include "gateway/pool_gauges.h"
#include "gateway/score_table.h"

struct admin {
    struct reactor *reactor;
    struct listen_socket *socket;
    struct listener *listener;
    struct http_server *server;
    struct metrics *metrics;
    unsigned shard;
    struct control *control;
    const struct store *store;
    const struct arm_memories *memories;
    const struct memory_budget *budget;
};

struct page {
    const char *path;
    const char *content_type;
    unsigned (*write)(struct admin *admin, struct exchange *exchange, struct buffer *out); /* the status */
};

static unsigned write_healthz(struct admin *admin, struct exchange *exchange, struct buffer *out)
{
    (void)admin, (void)exchange;
    buffer_append_str(out, "ok\n");
    return 200;
}

static unsigned write_readyz(struct admin *admin, struct exchange *exchange, struct buffer *out)
{
    (void)exchange;
    bool is_ready = control_is_ready(admin->control);
    buffer_append_str(out, is_ready ? "ready\n" : "not ready\n");
    return is_ready ? 200 : 503;
}

static void set_gauge(struct admin *admin, enum metric_id id, const char *const *labels, int64_t value)
{
    metric_set(metrics_series(admin->metrics, admin->shard, id, labels), value);
}

static int64_t resident_bytes(void)
{
    unsigned long long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    int got = fscanf(file, "%llu %llu", &total, &resident);
    fclose(file);
    return got == 2 ? (int64_t)resident * sysconf(_SC_PAGESIZE) : 0;
}

static int64_t open_descriptors(void)
{
    int64_t count = -3; /* ".", ".." and the folder itself */
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Of a counter that is kept elsewhere. */
static void raise_counter(struct admin *admin, enum metric_id id, uint64_t value)
{
    metric_add(metrics_series(admin->metrics, admin->shard, id, NULL),
               (int64_t)value - metrics_value(admin->metrics, id, NULL));
}

static void set_store_figures(struct admin *admin)
{
    struct store_figures figures;
    store_figures(admin->store, &figures);
    raise_counter(admin, METRIC_STORE_WRITES, figures.writes);
    raise_counter(admin, METRIC_STORE_COMMITS, figures.commits);
    raise_counter(admin, METRIC_STORE_COMMIT_ERRORS, figures.commit_errors);
    raise_counter(admin, METRIC_STORE_COMMIT_TIME, figures.commit_us_sum);
    set_gauge(admin, METRIC_STORE_COMMIT_MAX, NULL, (int64_t)figures.commit_us_max);
    set_gauge(admin, METRIC_STORE_OBJECTS, NULL, (int64_t)figures.objects);
    set_gauge(admin, METRIC_STORE_DISK_BYTES, NULL, (int64_t)figures.disk_bytes);
    set_gauge(admin, METRIC_STORE_PENDING, NULL, (int64_t)figures.pending);
    set_gauge(admin, METRIC_STORE_FAILING, NULL, figures.last_error != 0);
    set_gauge(admin, METRIC_STORE_LOG_EVENTS, NULL, (int64_t)figures.log_events);
    set_gauge(admin, METRIC_STORE_LOG_BYTES, NULL, (int64_t)figures.log_bytes);
}

static unsigned write_metrics(struct admin *admin, struct exchange *exchange, struct buffer *out)
{
    (void)exchange;
    pool_gauges_set(control_pools(admin->control), admin->metrics, admin->shard, reactor_now_ms(admin->reactor));
    control_set_canary_gauges(admin->control, admin->metrics, admin->shard);
    const struct route_snapshot *snapshot = control_snapshot(admin->control);
    set_gauge(admin, METRIC_SNAPSHOT_GENERATION, NULL, snapshot != NULL ? (int64_t)snapshot->generation : 0);
    set_gauge(admin, METRIC_PROCESS_RSS, NULL, resident_bytes());
    set_gauge(admin, METRIC_PROCESS_FDS, NULL, open_descriptors());
    set_gauge(admin, METRIC_MEMORY_BUDGET, NULL, (int64_t)admin->budget->limit_bytes);
    set_gauge(admin, METRIC_MEMORY_HELD, NULL, (int64_t)admin->budget->held_bytes);
    set_store_figures(admin);
    metrics_write(admin->metrics, out);
    return 200;
}

static unsigned write_snapshot(struct admin *admin, struct exchange *exchange, struct buffer *out)
{
    (void)exchange;
    struct json_writer writer;
    jw_init(&writer, out);
    jw_begin_object(&writer);
    if (control_snapshot(admin->control) != NULL) {
        jw_key(&writer, "snapshot");
        route_snapshot_write(control_snapshot(admin->control), &writer);
        jw_key(&writer, "statuses");
        status_report_write(control_report(admin->control), &writer);
    }
    jw_end_object(&writer);
    buffer_append_char(out, '\n');
    return 200;
}

static void write_names(struct json_writer *writer, const char *key, const struct name_list *list)
{
    jw_key(writer, key);
    jw_begin_array(writer);
    for (unsigned i = 0; i < list->len; i++)
        jw_str(writer, list->names[i]);
    jw_end_array(writer);
}

/* What this process sent there, and learnt of it. */
static void write_work(struct json_writer *writer, const struct endpoint *endpoint)
{
    const struct endpoint_work *work = &endpoint->work;
    jw_member_u64(writer, "prefilling", atomic_load(&work->prefilling));
    jw_member_u64(writer, "prefillTokens", atomic_load(&work->prefill_tokens));
    jw_member_u64(writer, "promptTokens", atomic_load(&work->prompt_tokens));
    jw_member_double(writer, "ttftMs", atomic_load(&work->ttft_ms));
    jw_member_double(writer, "pace", atomic_load(&work->pace));
    jw_member_u64(writer, "kvCacheTokens", atomic_load(&endpoint->load.kv_tokens));
}

static void write_endpoint(struct json_writer *writer, struct endpoint *endpoint, uint64_t now_ms,
                           const struct score_table *table)
{
    struct pick_score score;
    schedule_score(endpoint, BYTES(""), now_ms, &score);
    uint64_t scraped_ms = atomic_load(&endpoint->load.scraped_ms);
    jw_begin_object(writer);
    jw_member_str(writer, "address", endpoint->text);
    jw_member_str(writer, "pod", endpoint->pod);
    jw_member_bool(writer, "ready", atomic_load(&endpoint->load.is_ready));
    jw_member_bool(writer, "healthy", atomic_load(&endpoint->load.is_healthy));
    jw_member_bool(writer, "avoided", score.is_avoided);
    jw_member_u64(writer, "inFlight", score.in_flight);
    jw_member_u64(writer, "waiting", score.waiting);
    jw_member_u64(writer, "running", score.running);
    jw_member_double(writer, "kvCacheUsage", score.kv_permille / 1000.0);
    write_work(writer, endpoint);
    jw_key(writer, "scores");
    score_row_write_json(table, score_table_find(table, endpoint->text), writer);
    jw_key(writer, "scrapedMsAgo");
    if (scraped_ms == 0)
        jw_null(writer);
    else
        jw_u64(writer, now_ms > scraped_ms ? now_ms - scraped_ms : 0);
    pthread_mutex_lock(&endpoint->lock);
    write_names(writer, "models", &endpoint->models);
    write_names(writer, "runningAdapters", &endpoint->running_loras);
    write_names(writer, "waitingAdapters", &endpoint->waiting_loras);
    pthread_mutex_unlock(&endpoint->lock);
    jw_end_object(writer);
}

static unsigned write_pools(struct admin *admin, struct exchange *exchange, struct buffer *out)
{
    struct json_writer writer;
    uint64_t now_ms = reactor_now_ms(admin->reactor);
    struct pool *pool;
    jw_init(&writer, out);
    jw_begin_array(&writer);
    for (size_t cursor = 0; (pool = pool_registry_next(control_pools(admin->control), &cursor)) != NULL;) {
        struct score_table table;
        score_table_make(pool, &(struct pick_request){.now_ms = now_ms}, exchange->arena, &table);
        jw_begin_object(&writer);
        jw_member_str(&writer, "kind", pool->is_service ? "Service" : "InferencePool");
        jw_member_str(&writer, "namespace", pool->namespace_);
        jw_member_str(&writer, "name", pool->name);
        jw_key(&writer, "endpoints");
        jw_begin_array(&writer);
        pthread_mutex_lock(&pool->lock);
        for (unsigned i = 0; i < pool->member_count; i++)
            write_endpoint(&writer, pool->members[i], now_ms, &table);
        pthread_mutex_unlock(&pool->lock);
        jw_end_array(&writer);
        jw_end_object(&writer);
    }
    jw_end_array(&writer);
    buffer_append_char(out, '\n');
    return 200;
}

static unsigned write_canaries(struct admin *admin, struct exchange *exchange, struct buffer *out)
{
    (void)exchange;
    struct json_writer writer;
    jw_init(&writer, out);
    control_write_canaries(admin->control, &writer);
    buffer_append_char(out, '\n');
    return 200;
}

static unsigned write_explain(struct admin *admin, struct exchange *exchange, struct buffer *out)
{
    return explain_page_write(control_snapshot(admin->control), admin->memories, exchange, out);
}

static const struct page pages[] = {
    {"/healthz", "text/plain", write_healthz},
    {"/readyz", "text/plain", write_readyz},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
    {"/debug/snapshot", "application/json", write_snapshot},
    {"/debug/pools", "application/json", write_pools},
    {"/debug/canaries", "application/json", write_canaries},
    {"/debug/explain", "text/plain; charset=utf-8", write_explain},
};

static void on_request_head(struct exchange *exchange)
{
    struct admin *admin = exchange->server_data;
    const struct http_request *request = &exchange->request;
    if (request->method != HTTP_GET && request->method != HTTP_HEAD) {
        exchange_answer_error(exchange, 405, "read_only", "the admin listener is read-only", NULL);
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        if (!bytes_equal_str(request->path, pages[i].path))
            continue;
        struct buffer body = {0};
        unsigned status = pages[i].write(admin, exchange, &body);
        exchange_answer(exchange, status, pages[i].content_type, buffer_bytes(&body));
        buffer_deinit(&body);
        return;
    }
    exchange_answer_error(
        exchange, 404, "no_page",
        "the pages here are /healthz /readyz /metrics /debug/snapshot /debug/pools /debug/canaries /debug/explain",
        NULL);
}

static void on_request_body(struct exchange *exchange, struct bytes chunk, bool last)
{
    (void)exchange, (void)chunk, (void)last;
}

static void on_nothing(struct exchange *exchange)
{
    (void)exchange;
}

static const struct http_handler handler = {
    .on_request_head = on_request_head,
    .on_request_body = on_request_body,
    .on_can_send = on_nothing,
    .on_aborted = on_nothing,
};

static void on_accept(void *owner_data, int fd, const struct address *peer)
{
    struct admin *admin = owner_data;
    http_server_accept(admin->server, fd, peer, NULL);
}

static void on_accept_error(void *owner_data, int error)
{
    (void)owner_data, (void)error; /* the listener pauses; the workers' listeners report the same shortage */
}

static const struct listener_owner listener_owner = {.on_accept = on_accept, .on_accept_error = on_accept_error};

int admin_start(struct reactor *reactor, const struct address *at, struct metrics *metrics, unsigned shard,
                struct control *control, const struct store *store, const struct arm_memories *memories,
                const struct memory_budget *budget, struct admin **ret_admin)
{
    struct listen_socket *socket = NULL;
    int error = listen_socket_open(at, &socket);
    if (error < 0)
        return error;
    struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL)
        abort();
    struct http_server_config config = http_server_defaults;
    config.max_connections = 256;
    admin->reactor = reactor;
    admin->socket = socket;
    admin->metrics = metrics;
    admin->shard = shard;
    admin->control = control;
    admin->store = store;
    admin->memories = memories;
    admin->budget = budget;
    admin->server = http_server_new(reactor, &config, &handler, NULL, admin);
    admin->listener = listener_start(reactor, socket, &listener_owner, admin);
    if (admin->listener == NULL) {
        error = -errno;
        admin_stop(admin);
        return error;
    }
    *ret_admin = admin;
    return 0;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL)
        return;
    if (admin->listener != NULL)
        listener_stop(admin->listener);
    http_server_free(admin->server);
    listen_socket_give_back(admin->socket);
    free(admin);
}

const struct address *admin_address(const struct admin *admin)
{
    return listen_socket_address(admin->socket);
}
