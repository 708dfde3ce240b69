/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c: the worker's thread and the mail that it understands. */
#include "gateway/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

struct worker_listener {
    struct list link;
    struct worker *worker;
    struct listener *listener;
    const struct proxy_socket *socket_data;
};

struct worker {
    char name[24];
    struct reactor *reactor;
    struct http_server *server;
    struct proxy *proxy;
    struct scraper *scraper;
    struct list listeners;
    struct worker_config config;
    struct metric_series *accept_errors, *scrapes_ok, *scrapes_failed;
    struct log_limit accept_limit;
    struct wheel_timer drain_timer;
    void (*on_drained)(void *context);
    void *drain_context;
    pthread_t thread;
};

enum order_kind { ORDER_ADOPT, ORDER_LISTEN, ORDER_UNLISTEN, ORDER_SCRAPE, ORDER_DRAIN, ORDER_PING };

/* One piece of mail from the control thread. */
struct order {
    struct mail mail;
    struct worker *worker;
    enum order_kind kind;
    struct route_snapshot *snapshot;
    struct listen_socket *socket;
    const struct proxy_socket *socket_data;
    struct endpoint *endpoint;
    void (*on_adopted)(void *context, uint64_t generation);
    void (*on_drained)(void *context);
    void (*on_pong)(void *context);
    void *context;
};

static void on_accept(void *owner_data, int fd, const struct address *peer)
{
    struct worker_listener *held = owner_data;
    http_server_accept(held->worker->server, fd, peer, (void *)(uintptr_t)held->socket_data);
}

static void on_accept_error(void *owner_data, int error)
{
    struct worker *worker = ((struct worker_listener *)owner_data)->worker;
    metric_add(worker->accept_errors, 1);
    log_limited(&worker->accept_limit, LOG_LEVEL_ERROR, worker->name, "accept: %s; pausing", strerror(error));
}

static const struct listener_owner listener_owner = {.on_accept = on_accept, .on_accept_error = on_accept_error};

static void listen_on(struct worker *worker, struct listen_socket *socket, const struct proxy_socket *socket_data)
{
    struct worker_listener *held = calloc(1, sizeof *held);
    if (held == NULL)
        abort();
    held->worker = worker;
    held->socket_data = socket_data;
    held->listener = listener_start(worker->reactor, socket, &listener_owner, held);
    if (held->listener == NULL) {
        log_error(worker->name, "cannot listen: %s", strerror(errno));
        free(held);
    } else {
        list_push(&worker->listeners, &held->link);
    }
    listen_socket_give_back(socket);
}

static void leave(struct worker *worker, struct worker_listener *held)
{
    listener_stop(held->listener);
    http_server_drain_listener(worker->server, held->socket_data);
    list_remove(&held->link);
    free(held);
}

static void unlisten(struct worker *worker, const struct proxy_socket *socket_data)
{
    LIST_FOR_EACH_SAFE (node, &worker->listeners) {
        struct worker_listener *held = LIST_ENTRY(node, struct worker_listener, link);
        if (held->socket_data == socket_data || socket_data == NULL)
            leave(worker, held);
    }
}

static void on_drain_timer(struct wheel_timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, drain_timer);
    if (http_server_connections(worker->server) == 0)
        worker->on_drained(worker->drain_context);
    else
        reactor_timer_set(worker->reactor, &worker->drain_timer, 20);
}

static void drain(struct worker *worker, const struct order *order)
{
    unlisten(worker, NULL);
    http_server_drain(worker->server);
    worker->on_drained = order->on_drained;
    worker->drain_context = order->context;
    reactor_timer_set(worker->reactor, &worker->drain_timer, 0);
}

static void deliver(struct mail *mail)
{
    struct order *order = container_of(mail, struct order, mail);
    struct worker *worker = order->worker;
    switch (order->kind) {
    case ORDER_ADOPT:
        proxy_adopt(worker->proxy, order->snapshot);
        order->on_adopted(order->context, order->snapshot->generation);
        break;
    case ORDER_LISTEN:
        listen_on(worker, order->socket, order->socket_data);
        break;
    case ORDER_UNLISTEN:
        unlisten(worker, order->socket_data);
        break;
    case ORDER_SCRAPE:
        scraper_add(worker->scraper, order->endpoint);
        endpoint_give_back(order->endpoint);
        break;
    case ORDER_DRAIN:
        drain(worker, order);
        break;
    case ORDER_PING:
        order->on_pong(order->context);
        break;
    }
    free(order);
}

static void post(struct worker *worker, const struct order *order)
{
    struct order *copy = malloc(sizeof *copy);
    if (copy == NULL)
        abort();
    *copy = *order;
    copy->worker = worker;
    copy->mail.deliver = deliver;
    mailbox_post(reactor_mailbox(worker->reactor), &copy->mail);
}

void worker_adopt(struct worker *worker, struct route_snapshot *snapshot,
                  void (*on_adopted)(void *context, uint64_t generation), void *context)
{
    post(worker,
         &(struct order){.kind = ORDER_ADOPT, .snapshot = snapshot, .on_adopted = on_adopted, .context = context});
}

void worker_listen(struct worker *worker, struct listen_socket *socket, const struct proxy_socket *socket_data)
{
    post(worker,
         &(struct order){.kind = ORDER_LISTEN, .socket = listen_socket_take(socket), .socket_data = socket_data});
}

void worker_unlisten(struct worker *worker, const struct proxy_socket *socket_data)
{
    post(worker, &(struct order){.kind = ORDER_UNLISTEN, .socket_data = socket_data});
}

void worker_scrape(struct worker *worker, struct endpoint *endpoint)
{
    post(worker, &(struct order){.kind = ORDER_SCRAPE, .endpoint = endpoint_take(endpoint)});
}

void worker_drain(struct worker *worker, void (*on_drained)(void *context), void *context)
{
    post(worker, &(struct order){.kind = ORDER_DRAIN, .on_drained = on_drained, .context = context});
}

void worker_ping(struct worker *worker, void (*on_pong)(void *context), void *context)
{
    post(worker, &(struct order){.kind = ORDER_PING, .on_pong = on_pong, .context = context});
}

static void on_scraped(void *context, bool ok)
{
    struct worker *worker = context;
    metric_add(ok ? worker->scrapes_ok : worker->scrapes_failed, 1);
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    pthread_setname_np(pthread_self(), worker->name);
    reactor_run(worker->reactor);
    return NULL;
}

static void worker_free(struct worker *worker)
{
    unlisten(worker, NULL);
    reactor_timer_cancel(worker->reactor, &worker->drain_timer);
    http_server_free(worker->server);
    proxy_free(worker->proxy);
    scraper_free(worker->scraper);
    reactor_free(worker->reactor);
    free(worker);
}

int worker_start(const struct worker_config *config, struct worker **ret_worker)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        abort();
    worker->config = *config;
    list_init(&worker->listeners);
    snprintf(worker->name, sizeof worker->name, "worker %u", config->index);
    worker->reactor = reactor_new(worker->name);
    int error = worker->reactor != NULL ? reactor_set_window(worker->reactor, config->event_window_us) : -errno;
    if (error != 0) {
        reactor_free(worker->reactor);
        free(worker);
        return error;
    }
    unsigned shard = config->index;
    worker->accept_errors = metrics_series(config->metrics, shard, METRIC_ACCEPT_ERRORS, NULL);
    worker->scrapes_ok = metrics_series(config->metrics, shard, METRIC_SCRAPES, (const char *[]){"ok"});
    worker->scrapes_failed = metrics_series(config->metrics, shard, METRIC_SCRAPES, (const char *[]){"failed"});
    wheel_timer_init(&worker->drain_timer, on_drain_timer);
    struct scraper_config scraper = config->scraper;
    scraper.on_result = on_scraped;
    scraper.context = worker;
    worker->proxy = proxy_new(worker->reactor, &config->proxy, config->metrics, shard);
    worker->server = http_server_new(worker->reactor, &config->server, &proxy_handler, &proxy_observer, worker->proxy);
    worker->scraper = scraper_new(worker->reactor, &scraper);
    error = pthread_create(&worker->thread, NULL, run, worker);
    if (error != 0) {
        worker_free(worker);
        return -error;
    }
    *ret_worker = worker;
    return 0;
}

void worker_stop(struct worker *worker)
{
    reactor_stop(worker->reactor);
    pthread_join(worker->thread, NULL);
    reactor_turn(worker->reactor, 0); /* orders still in the mail own what they carry */
    worker_free(worker);
}
