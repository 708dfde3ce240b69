/* SPDX-License-Identifier: Apache-2.0 */
/* test_scraper.c: a scraper against a small HTTP server in the same thread: each turn runs the reactor once, then the
 * server once.  Nothing waits for a duration: turns go on until what is expected has happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "inference/scrape/scraper.h"

enum { CONNECTIONS_MAX = 32, TURNS_MAX = 5000, RESULTS_MAX = 64 };

enum behaviour {
    ANSWERS,
    ANSWERS_CHUNKED,
    ANSWERS_AND_CLOSES,
    CLOSES_AT_SECOND_REQUEST, /* without an answer: the keep-alive race */
    CUTS,
    STAYS_SILENT,
};

struct server_connection {
    int fd;
    struct buffer in;
    unsigned requests;
};

struct server {
    int listener;
    uint16_t port;
    enum behaviour behaviour;
    unsigned status;
    const char *metrics;
    const char *models;
    struct server_connection connections[CONNECTIONS_MAX];
    unsigned accepted;
    unsigned metrics_requests;
    unsigned models_requests;
};

struct fixture {
    struct reactor *reactor;
    struct scraper_config config;
    struct scraper *scraper;
    struct endpoint *endpoint;
    struct server server;
    unsigned good, bad;
    uint64_t bad_at_ms[RESULTS_MAX];
};

static const char good_metrics[] =
    "vllm:num_requests_running 3\nvllm:num_requests_waiting 2\nvllm:kv_cache_usage_perc 0.5\n"
    "vllm:lora_requests_info{max_lora=\"4\",running_lora_adapters=\"a,b\",waiting_lora_adapters=\"c\"} 1\n";
static const char good_models[] =
    "{\"object\":\"list\",\"data\":[{\"id\":\"base\",\"x\":1},{\"id\":\"lora\"},{\"id\":5},7]}";

/* The server. */

static void server_open(struct server *server)
{
    *server = (struct server){.status = 200, .metrics = good_metrics, .models = good_models};
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 64), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

static void connection_close(struct server_connection *connection)
{
    if (connection->fd > 0)
        close(connection->fd);
    buffer_deinit(&connection->in);
    *connection = (struct server_connection){0};
}

static void server_close(struct server *server)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        connection_close(&server->connections[i]);
    close(server->listener);
    server->listener = -1;
}

static void answer(struct server *server, struct server_connection *connection, const char *body)
{
    struct buffer out = {0};
    buffer_printf(&out, "HTTP/1.1 %u Status\r\n", server->status);
    if (server->behaviour == ANSWERS_CHUNKED)
        buffer_printf(&out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n", strlen(body), body);
    else
        buffer_printf(&out, "Content-Length: %zu\r\n%s\r\n%s", strlen(body) + (server->behaviour == CUTS ? 1 : 0),
                      server->behaviour == ANSWERS_AND_CLOSES ? "Connection: close\r\n" : "", body);
    assert_int_equal(write(connection->fd, out.data + out.head, buffer_len(&out)), buffer_len(&out));
    buffer_deinit(&out);
}

static void serve_request(struct server *server, struct server_connection *connection, struct bytes request)
{
    bool wants_models = bytes_starts_with(request, BYTES("GET /v1/models HTTP/1.1\r\n"));
    assert_true(wants_models || bytes_starts_with(request, BYTES("GET /metrics HTTP/1.1\r\n")));
    char host[64];
    snprintf(host, sizeof host, "\r\nhost: 127.0.0.1:%u\r\n", server->port);
    assert_non_null(memmem(request.data, request.len, host, strlen(host)));
    *(wants_models ? &server->models_requests : &server->metrics_requests) += 1;
    connection->requests++;
    if (server->behaviour == STAYS_SILENT)
        return;
    if (server->behaviour == CLOSES_AT_SECOND_REQUEST && connection->requests == 2) {
        connection_close(connection);
        return;
    }
    answer(server, connection, wants_models ? server->models : server->metrics);
    if (server->behaviour == ANSWERS_AND_CLOSES || server->behaviour == CUTS)
        connection_close(connection);
}

static void serve_connection(struct server *server, struct server_connection *connection)
{
    ssize_t got = recv(connection->fd, buffer_reserve(&connection->in, 4096), 4096, MSG_DONTWAIT);
    if (got == 0) {
        connection_close(connection);
        return;
    }
    if (got > 0)
        buffer_commit(&connection->in, (size_t)got);
    struct bytes in = buffer_bytes(&connection->in);
    const char *end = in.len > 0 ? memmem(in.data, in.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL)
        return;
    struct buffer request = connection->in;
    connection->in = (struct buffer){0};
    serve_request(server, connection, bytes_make(in.data, (size_t)(end - in.data) + 4));
    buffer_deinit(&request);
}

static void server_turn(struct server *server)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        struct server_connection *connection = &server->connections[i];
        if (connection->fd > 0) {
            serve_connection(server, connection);
            continue;
        }
        int fd = server->listener < 0 ? -1 : accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        connection->fd = fd;
        server->accepted++;
    }
}

/* The fixture. */

static void note_result(void *context, bool ok)
{
    struct fixture *fixture = context;
    fixture->good += ok ? 1 : 0;
    if (!ok && fixture->bad < RESULTS_MAX)
        fixture->bad_at_ms[fixture->bad] = reactor_now_ms(fixture->reactor);
    fixture->bad += ok ? 0 : 1;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.reactor = reactor_new("test")};
    server_open(&fixture.server);
    fixture.config = scraper_defaults;
    fixture.config.interval_ms = 1;
    fixture.config.idle_interval_ms = 1;
    fixture.config.models_interval_ms = 5;
    fixture.config.whole_page_interval_ms = 5;
    fixture.config.on_result = note_result;
    fixture.config.context = &fixture;
    fixture.endpoint = endpoint_new("127.0.0.1", fixture.server.port, "default/p", false);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    scraper_free(fixture->scraper);
    assert_int_equal(atomic_load(&fixture->endpoint->users), 1);
    endpoint_give_back(fixture->endpoint);
    server_close(&fixture->server);
    reactor_turn(fixture->reactor, 0);
    reactor_free(fixture->reactor);
    return 0;
}

static void start(struct fixture *fixture)
{
    fixture->scraper = scraper_new(fixture->reactor, &fixture->config);
    scraper_add(fixture->scraper, fixture->endpoint);
    assert_int_equal(scraper_count(fixture->scraper), 1);
}

static void turn(struct fixture *fixture)
{
    reactor_turn(fixture->reactor, 1);
    server_turn(&fixture->server);
}

#define TURN_UNTIL(fixture, condition)                                                                                 \
    do {                                                                                                               \
        for (unsigned turns = 0; !(condition); turns++) {                                                              \
            assert_true(turns < TURNS_MAX);                                                                            \
            turn(fixture);                                                                                             \
        }                                                                                                              \
    } while (0)

static void expect_values(struct endpoint *endpoint)
{
    assert_int_equal(atomic_load(&endpoint->load.running), 3);
    assert_int_equal(atomic_load(&endpoint->load.waiting), 2);
    assert_int_equal(atomic_load(&endpoint->load.kv_permille), 500);
    assert_int_equal(atomic_load(&endpoint->load.max_loras), 4);
    assert_true(atomic_load(&endpoint->load.scraped_ms) > 0);
    assert_true(endpoint_has_lora(endpoint, BYTES("b")));
    assert_true(endpoint_has_lora(endpoint, BYTES("c")));
}

static void metrics_and_models_are_read_on_one_connection(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    TURN_UNTIL(fixture, fixture->server.metrics_requests >= 20 && fixture->server.models_requests >= 2);
    TURN_UNTIL(fixture, endpoint_lists_model(fixture->endpoint, BYTES("lora")));
    expect_values(fixture->endpoint);
    assert_true(endpoint_lists_model(fixture->endpoint, BYTES("base")));
    assert_int_equal(fixture->server.accepted, 1);
    assert_int_equal(fixture->bad, 0);
    TURN_UNTIL(fixture, fixture->server.metrics_requests > fixture->server.models_requests + 5);
}

static void chunked_pages_are_read(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.behaviour = ANSWERS_CHUNKED;
    start(fixture);
    TURN_UNTIL(fixture, fixture->good >= 3 && endpoint_lists_model(fixture->endpoint, BYTES("base")));
    expect_values(fixture->endpoint);
}

static void adapters_that_left_the_page_are_forgotten(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    TURN_UNTIL(fixture, endpoint_has_lora(fixture->endpoint, BYTES("a")));
    fixture->server.metrics = "vllm:num_requests_running 1\n";
    TURN_UNTIL(fixture, !endpoint_has_lora(fixture->endpoint, BYTES("a")));
    assert_int_equal(atomic_load(&fixture->endpoint->load.waiting), 2); /* not on the page: as it was */
}

static void a_server_that_closes_after_each_answer_is_asked_on_new_connections(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.behaviour = ANSWERS_AND_CLOSES;
    start(fixture);
    TURN_UNTIL(fixture, fixture->good >= 5);
    assert_true(fixture->server.accepted >= 5);
    assert_int_equal(fixture->bad, 0);
}

static void a_kept_connection_that_ends_under_a_request_is_no_failure(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.behaviour = CLOSES_AT_SECOND_REQUEST;
    start(fixture);
    TURN_UNTIL(fixture, fixture->good >= 5);
    assert_int_equal(fixture->bad, 0);
    assert_true(fixture->server.accepted >= 5);
}

static void a_failed_scrape_leaves_the_last_values(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    TURN_UNTIL(fixture, fixture->good >= 3 && endpoint_lists_model(fixture->endpoint, BYTES("base")));
    fixture->server.status = 500;
    fixture->server.metrics = "vllm:num_requests_running 9\n";
    TURN_UNTIL(fixture, fixture->bad >= 3);
    fixture->server.status = 200;
    fixture->server.metrics = fixture->server.models = "nothing of use";
    TURN_UNTIL(fixture, fixture->bad >= 6);
    fixture->server.behaviour = CUTS;
    TURN_UNTIL(fixture, fixture->bad >= 8);
    expect_values(fixture->endpoint);
    assert_true(endpoint_lists_model(fixture->endpoint, BYTES("base")));
    fixture->server.behaviour = ANSWERS;
    fixture->server.metrics = "vllm:num_requests_running 9\n";
    TURN_UNTIL(fixture, atomic_load(&fixture->endpoint->load.running) == 9);
}

static void a_page_that_is_too_large_is_a_failure(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.max_response_bytes = 100;
    start(fixture);
    TURN_UNTIL(fixture, fixture->bad >= 2);
    assert_int_equal(atomic_load(&fixture->endpoint->load.scraped_ms), 0);
}

static void a_silent_server_is_given_up_and_asked_again(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.timeout_ms = 250; /* long enough for a busy machine to answer in time afterwards */
    fixture->server.behaviour = STAYS_SILENT;
    start(fixture);
    TURN_UNTIL(fixture, fixture->bad >= 2);
    assert_true(fixture->server.accepted >= 1);
    fixture->server.behaviour = ANSWERS;
    TURN_UNTIL(fixture, fixture->good >= 2);
    expect_values(fixture->endpoint);
}

static void a_server_that_is_not_there_is_asked_less_and_less(void **state)
{
    struct fixture *fixture = *state;
    close(fixture->server.listener);
    fixture->server.listener = -1;
    fixture->config.models_interval_ms = 100000;
    start(fixture);
    TURN_UNTIL(fixture, fixture->bad >= 7);
    /* The models page fails once, at first, before or after the first of the other. */
    for (unsigned i = 2; i + 1 < 7; i++)
        assert_true(fixture->bad_at_ms[i + 1] - fixture->bad_at_ms[i] >= 1u << i);
    assert_int_equal(fixture->good, 0);
}

static void an_endpoint_that_becomes_ready_is_asked_soon(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.status = 503;
    fixture->config.interval_ms = fixture->config.models_interval_ms = 2500; /* doubled: 5 s */
    start(fixture);
    TURN_UNTIL(fixture, fixture->bad >= 2);
    fixture->server.status = 200;
    atomic_store(&fixture->endpoint->load.is_ready, true);
    uint64_t ready_ms = reactor_now_ms(fixture->reactor);
    TURN_UNTIL(fixture, fixture->good >= 2);
    assert_true(reactor_now_ms(fixture->reactor) - ready_ms < 5000);
    assert_true(endpoint_lists_model(fixture->endpoint, BYTES("base")));
}

static void an_idle_server_is_asked_less_often_until_it_is_sent_something(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.metrics = "vllm:num_requests_running 0\nvllm:num_requests_waiting 0\n";
    fixture->config.interval_ms = 1;
    fixture->config.idle_interval_ms = 100000;
    fixture->config.models_interval_ms = 1;
    start(fixture);
    TURN_UNTIL(fixture, fixture->server.models_requests >= 10);
    assert_in_range(fixture->server.metrics_requests, 1, 2); /* the first may come before the grid's first point */
    atomic_store(&fixture->endpoint->load.in_flight, 1);
    scraper_free(fixture->scraper);
    unsigned before = fixture->server.metrics_requests;
    start(fixture);
    TURN_UNTIL(fixture, fixture->server.metrics_requests >= before + 10);
}

static void the_size_of_the_cache_and_the_operators_names_are_applied(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.metrics = "queue 5\nvllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\"} 1\n";
    endpoint_set_metric_names(fixture->endpoint, "waiting=queue");
    start(fixture);
    TURN_UNTIL(fixture, atomic_load(&fixture->endpoint->load.waiting) == 5);
    assert_int_equal(atomic_load(&fixture->endpoint->load.kv_tokens), 1600);
    endpoint_set_metric_names(fixture->endpoint, "");
    fixture->server.metrics = "vllm:num_requests_waiting 6\nqueue 5\n";
    TURN_UNTIL(fixture, atomic_load(&fixture->endpoint->load.waiting) == 6);
}

static void a_family_that_is_new_on_a_page_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.metrics = "vllm:num_requests_waiting 6\n";
    start(fixture);
    TURN_UNTIL(fixture, fixture->good >= 3);
    fixture->server.metrics = "vllm:num_requests_waiting 6\nvllm:num_requests_running 4\n";
    TURN_UNTIL(fixture, atomic_load(&fixture->endpoint->load.running) == 4);
}

static void a_server_that_began_anew_has_nothing_cached(void **state)
{
    struct fixture *fixture = *state;
    struct prefix_index *index = prefix_index_new(4, 1024);
    fixture->endpoint->prefixes = index;
    fixture->endpoint->prefix_owner = prefix_index_add_owner(index, 100);
    fixture->server.metrics = "vllm:num_requests_waiting 6\nprocess_start_time_seconds 1000.5\n";
    start(fixture);
    TURN_UNTIL(fixture, atomic_load(&fixture->endpoint->load.waiting) == 6);
    prefix_index_insert(index, fixture->endpoint->prefix_owner, (uint64_t[]){7, 8, 9}, 0, 3);
    unsigned good = fixture->good;
    TURN_UNTIL(fixture, fixture->good >= good + 3);
    assert_int_equal(prefix_index_entries(index), 3);
    fixture->server.metrics = "vllm:num_requests_waiting 7\nprocess_start_time_seconds 1001.5\n";
    TURN_UNTIL(fixture, atomic_load(&fixture->endpoint->load.waiting) == 7);
    TURN_UNTIL(fixture, prefix_index_entries(index) == 0);
    fixture->endpoint->prefix_owner = PREFIX_NO_OWNER;
    scraper_free(fixture->scraper);
    fixture->scraper = NULL;
    prefix_index_free(index);
}

static void a_removed_endpoint_is_let_go(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    TURN_UNTIL(fixture, fixture->good >= 2);
    atomic_store(&fixture->endpoint->load.is_removed, true);
    TURN_UNTIL(fixture, scraper_count(fixture->scraper) == 0);
    assert_int_equal(atomic_load(&fixture->endpoint->users), 1);
}

static void a_scraper_may_end_in_the_middle_of_a_call(void **state)
{
    struct fixture *fixture = *state;
    fixture->server.behaviour = STAYS_SILENT;
    start(fixture);
    TURN_UNTIL(fixture, fixture->server.metrics_requests + fixture->server.models_requests > 0);
}

static void many_endpoints_are_scraped_side_by_side(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    struct endpoint *others[20];
    for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = endpoint_new("127.0.0.1", fixture->server.port, "default/q", false);
        scraper_add(fixture->scraper, others[i]);
    }
    assert_int_equal(scraper_count(fixture->scraper), 21);
    for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
        TURN_UNTIL(fixture, endpoint_lists_model(others[i], BYTES("lora")) && endpoint_has_lora(others[i], BYTES("a")));
        atomic_store(&others[i]->load.is_removed, true);
        endpoint_give_back(others[i]);
    }
    TURN_UNTIL(fixture, scraper_count(fixture->scraper) == 1);
    assert_int_equal(fixture->bad, 0);
}

#define SCRAPER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRAPER_TEST(metrics_and_models_are_read_on_one_connection),
        SCRAPER_TEST(chunked_pages_are_read),
        SCRAPER_TEST(adapters_that_left_the_page_are_forgotten),
        SCRAPER_TEST(a_server_that_closes_after_each_answer_is_asked_on_new_connections),
        SCRAPER_TEST(a_kept_connection_that_ends_under_a_request_is_no_failure),
        SCRAPER_TEST(a_failed_scrape_leaves_the_last_values),
        SCRAPER_TEST(a_page_that_is_too_large_is_a_failure),
        SCRAPER_TEST(a_silent_server_is_given_up_and_asked_again),
        SCRAPER_TEST(a_server_that_is_not_there_is_asked_less_and_less),
        SCRAPER_TEST(an_endpoint_that_becomes_ready_is_asked_soon),
        SCRAPER_TEST(an_idle_server_is_asked_less_often_until_it_is_sent_something),
        SCRAPER_TEST(the_size_of_the_cache_and_the_operators_names_are_applied),
        SCRAPER_TEST(a_family_that_is_new_on_a_page_is_noticed),
        SCRAPER_TEST(a_server_that_began_anew_has_nothing_cached),
        SCRAPER_TEST(a_removed_endpoint_is_let_go),
        SCRAPER_TEST(a_scraper_may_end_in_the_middle_of_a_call),
        SCRAPER_TEST(many_endpoints_are_scraped_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
