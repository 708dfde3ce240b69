/* SPDX-License-Identifier: Apache-2.0 */
/* test_client.c: calls against a server whose bytes the test writes by hand. */
#include "unit/http/harness.h"

#include "http/client.h"

struct world {
    struct reactor *reactor;
    struct client_connection *connection;
    struct client_call call;
    struct iovec pieces[3];
    struct address at;
    int listening;
    int fd; /* the server's end */
    struct buffer request;
    struct buffer log; /* callbacks in order */
    struct buffer body;
    unsigned body_pieces;
    unsigned status;
    int failure; /* -1: none */
    bool pauses, pauses_in_body, cancels_in_head, closes_in_body, calls_again;
};

static void start_call(struct world *world, enum http_method method, const char *head, struct bytes body);

static struct world *world_of(struct client_call *call)
{
    return container_of(call, struct world, call);
}

static void on_head(struct client_call *call, const struct http_response *response)
{
    struct world *world = world_of(call);
    world->status = response->status;
    buffer_append_str(&world->log, "head ");
    if (world->pauses)
        client_call_pause(call);
    if (world->cancels_in_head)
        client_call_cancel(call);
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    struct world *world = world_of(call);
    buffer_append(&world->body, chunk);
    world->body_pieces += chunk.len > 0;
    if (world->pauses_in_body)
        client_call_pause(call);
    if (!last)
        return;
    assert_null(call->connection);
    buffer_append_str(&world->log, "last ");
    if (world->closes_in_body)
        client_connection_close(world->connection);
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    struct world *world = world_of(call);
    assert_null(call->connection);
    world->failure = (int)failure;
    buffer_printf(&world->log, "%s ", client_failure_text(failure));
}

static const struct client_call_handler handler = {.on_head = on_head, .on_body = on_body, .on_failed = on_failed};

static void on_idle(struct client_connection *connection)
{
    struct world *world = client_connection_data(connection);
    assert_true(client_connection_is_usable(connection));
    buffer_append_str(&world->log, "idle ");
    if (world->calls_again) {
        world->calls_again = false;
        start_call(world, HTTP_GET, "GET /2 HTTP/1.1\r\n\r\n", BYTES(""));
    }
}

static void on_closed(struct client_connection *connection)
{
    struct world *world = client_connection_data(connection);
    world->connection = NULL;
    buffer_append_str(&world->log, "closed ");
}

static const struct client_owner owner = {.on_idle = on_idle, .on_closed = on_closed};

static void start_call(struct world *world, enum http_method method, const char *head, struct bytes body)
{
    world->failure = -1;
    world->status = 0;
    buffer_clear(&world->body);
    world->pieces[0] = (struct iovec){(void *)(uintptr_t)head, strlen(head)};
    world->pieces[1] = (struct iovec){(void *)(uintptr_t)body.data, body.len};
    client_call_start(&world->call, world->connection, method, world->pieces, 2, &handler);
}

static void get(struct world *world)
{
    start_call(world, HTTP_GET, "GET / HTTP/1.1\r\n\r\n", BYTES(""));
}

/* Its answer may come. */
static void get_and_send(struct world *world)
{
    get(world);
    reactor_turn(world->reactor, 0);
}

static void world_open(struct world *world)
{
    *world = (struct world){.failure = -1, .fd = -1};
    world->reactor = reactor_new("test");
    assert_non_null(world->reactor);
    world->listening = listen_on_loopback(&world->at);
    set_nonblocking(world->listening);
    world->connection = client_connect(world->reactor, &world->at, &client_defaults, &owner, world);
}

static bool accepts(struct world *world)
{
    if (world->fd < 0)
        world->fd = accept4(world->listening, NULL, NULL, SOCK_NONBLOCK);
    return world->fd >= 0;
}

/* With a connection and its first GET received by the server. */
static void world_start(struct world *world)
{
    world_open(world);
    get(world);
    turn_until(world->reactor, accepts(world));
    int ended = 0;
    turn_until(world->reactor, (drain_fd(world->fd, &world->request, &ended), has_text(&world->request, "\r\n\r\n")));
}

static void world_stop(struct world *world)
{
    if (world->connection != NULL)
        client_connection_close(world->connection);
    reactor_free(world->reactor);
    if (world->fd >= 0)
        close(world->fd);
    close(world->listening);
    buffer_deinit(&world->request);
    buffer_deinit(&world->log);
    buffer_deinit(&world->body);
}

static void say(struct world *world, const char *text)
{
    send_all(world->fd, bytes_of(text));
}

static bool log_is(const struct world *world, const char *text)
{
    return bytes_equal_str(buffer_bytes(&world->log), text);
}

#define until_log(world, text) turn_until((world)->reactor, log_is((world), (text)))

/* Its connection has carried one call, and waits for another. */
static void world_start_idle(struct world *world)
{
    world_start(world);
    say(world, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    until_log(world, "head last idle ");
    buffer_clear(&world->log);
    buffer_clear(&world->request);
}

static void a_call_may_start_before_the_connection_stands(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    assert_false(client_connection_is_usable(world.connection));
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    until_log(&world, "head last idle ");
    assert_int_equal(world.status, 200);
    assert_true(bytes_equal_str(buffer_bytes(&world.body), "hi"));
    assert_int_equal(client_connection_served(world.connection), 1);
    world_stop(&world);
}

static void a_connection_carries_many_calls(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    for (int i = 0; i < 5; i++) {
        buffer_clear(&world.log);
        say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        until_log(&world, "head last idle ");
        get_and_send(&world);
    }
    assert_int_equal(client_connection_served(world.connection), 5);
    world_stop(&world);
}

static void the_owner_may_start_the_next_call_when_told_of_idleness(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    world.calls_again = true;
    say(&world, "HTTP/1.1 204 No Content\r\n\r\n");
    until_log(&world, "head last idle ");
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    until_log(&world, "head last idle head last idle ");
    world_stop(&world);
}

static void a_response_is_the_same_wherever_the_network_cuts(void **state)
{
    (void)state;
    static const char *const responses[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    };
    struct world world;
    world_start(&world);
    for (unsigned i = 0; i < ARRAY_LEN(responses); i++) {
        size_t len = strlen(responses[i]);
        for (size_t cut = 1; cut < len; cut++) {
            buffer_clear(&world.log);
            send_all(world.fd, bytes_make(responses[i], cut));
            reactor_turn(world.reactor, 0);
            send_all(world.fd, bytes_make(responses[i] + cut, len - cut));
            until_log(&world, "head last idle ");
            assert_true(bytes_equal_str(buffer_bytes(&world.body), "hello"));
            get(&world);
        }
    }
    world_stop(&world);
}

static void chunks_that_come_together_are_one_piece(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    say(&world, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0003;x\r\ntwo\r\n5\r\nth");
    until_log(&world, "head ");
    assert_true(bytes_equal_str(buffer_bytes(&world.body), "onetwoth"));
    assert_int_equal(world.body_pieces, 1);
    say(&world, "ree\r\n4\r\nfour\r\n0\r\n\r\n");
    until_log(&world, "head last idle ");
    assert_true(bytes_equal_str(buffer_bytes(&world.body), "onetwothreefour"));
    assert_int_equal(world.body_pieces, 2);
    world_stop(&world);
}

static void what_is_wrong_behind_chunks_does_not_hide_them(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    say(&world, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\nx");
    until_log(&world, "head bad_response closed ");
    assert_true(bytes_equal_str(buffer_bytes(&world.body), "onetwo"));
    world_stop(&world);
}

static void a_body_may_end_with_the_connection(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    say(&world, "HTTP/1.1 200 OK\r\n\r\nsome");
    until_log(&world, "head ");
    say(&world, " more");
    close(world.fd);
    world.fd = -1;
    until_log(&world, "head last closed ");
    assert_true(bytes_equal_str(buffer_bytes(&world.body), "some more"));
    world_stop(&world);
}

static void connection_close_is_honoured(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    say(&world, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
    until_log(&world, "head last closed ");
    world_stop(&world);
}

static void a_head_response_has_no_body(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    say(&world, "HTTP/1.1 204 No Content\r\n\r\n");
    until_log(&world, "head last idle ");
    buffer_clear(&world.log);
    start_call(&world, HTTP_HEAD, "HEAD / HTTP/1.1\r\n\r\n", BYTES(""));
    reactor_turn(world.reactor, 0);
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
    until_log(&world, "head last idle ");
    world_stop(&world);
}

static void bytes_behind_a_response_close_the_connection(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiX");
    until_log(&world, "head last closed ");
    world_stop(&world);
}

static void bytes_on_an_idle_connection_close_it(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        struct world world;
        world_start(&world);
        say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        until_log(&world, "head last idle ");
        if (how == 0)
            say(&world, "HTTP/1.1 408 Request Timeout\r\n\r\n");
        else
            shutdown(world.fd, SHUT_WR);
        until_log(&world, "head last idle closed ");
        world_stop(&world);
    }
}

static void failures_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        bool resets;
        const char *log;
    } cases[] = {
        {"", false, "closed_before_response closed "},
        {"", true, "closed_before_response closed "},
        {"SSH-2.0-x\r\n", false, "bad_response closed "},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", false, "bad_response closed "},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false, "bad_response closed "},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false, "head bad_response closed "},
        {"HTTP/1.1 200", false, "cut_response closed "},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", false, "head cut_response closed "},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", false, "head cut_response closed "},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct world world;
        world_start(&world);
        say(&world, cases[i].said);
        if (cases[i].resets)
            close_with_reset(world.fd);
        else
            close(world.fd);
        world.fd = -1;
        until_log(&world, cases[i].log);
        world_stop(&world);
    }
}

static void a_reset_in_an_endless_body_is_a_cut(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    say(&world, "HTTP/1.1 200 OK\r\n\r\nsome");
    until_log(&world, "head ");
    close_with_reset(world.fd);
    world.fd = -1;
    until_log(&world, "head cut_response closed ");
    world_stop(&world);
}

static void a_refused_connection_fails_the_call(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    client_connection_close(world.connection);
    close(world.listening);
    world.connection = client_connect(world.reactor, &world.at, &client_defaults, &owner, &world);
    get(&world);
    assert_int_equal(buffer_len(&world.log), 0);
    until_log(&world, "connect_failed closed ");
    world.listening = dup(0);
    world_stop(&world);
}

static void what_cannot_even_start_fails_the_call_later(void **state)
{
    (void)state;
    struct world world;
    struct address nowhere = {.sa.generic.sa_family = AF_UNIX, .len = 3};
    world_open(&world);
    client_connection_close(world.connection);
    world.connection = client_connect(world.reactor, &nowhere, &client_defaults, &owner, &world);
    assert_non_null(world.connection);
    get(&world);
    assert_int_equal(buffer_len(&world.log), 0);
    until_log(&world, "connect_failed closed ");
    world_stop(&world);
}

static void a_connect_that_takes_too_long_fails(void **state)
{
    (void)state;
    struct world world;
    struct client_config config = client_defaults;
    config.connect_timeout_ms = 0;
    world_open(&world);
    client_connection_close(world.connection);
    /* A full backlog leaves a connection half open. */
    assert_int_equal(listen(world.listening, 0), 0);
    int fillers[8];
    for (unsigned i = 0; i < ARRAY_LEN(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], &world.at.sa.generic, world.at.len);
    }
    world.connection = client_connect(world.reactor, &world.at, &config, &owner, &world);
    get(&world);
    until_log(&world, "connect_timeout closed ");
    for (unsigned i = 0; i < ARRAY_LEN(fillers); i++)
        close(fillers[i]);
    world_stop(&world);
}

static void a_large_request_leaves_in_pieces(void **state)
{
    (void)state;
    enum { SIZE = 5 * 1000 * 1000 };
    struct world world;
    char *data = malloc(SIZE);
    memset(data, 'x', SIZE);
    world_start(&world);
    say(&world, "HTTP/1.1 204 No Content\r\n\r\n");
    until_log(&world, "head last idle ");
    buffer_clear(&world.request);
    start_call(&world, HTTP_POST, "POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n", bytes_make(data, SIZE));
    assert_true(world.call.piece_count > 0);
    int ended = 0;
    turn_until(world.reactor, (drain_fd(world.fd, &world.request, &ended), buffer_len(&world.request) > SIZE));
    turn_until(world.reactor, world.call.piece_count == 0);
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    until_log(&world, "head last idle head last idle ");
    assert_int_equal(buffer_len(&world.request), SIZE + 44);
    free(data);
    world_stop(&world);
}

static void an_early_response_ends_the_connection(void **state)
{
    (void)state;
    enum { SIZE = 8 * 1000 * 1000 };
    static const bool resets[] = {false, true};
    for (unsigned i = 0; i < ARRAY_LEN(resets); i++) {
        struct world world;
        char *data = calloc(1, SIZE);
        world_open(&world);
        start_call(&world, HTTP_POST, "POST / HTTP/1.1\r\n\r\n", bytes_make(data, SIZE));
        turn_until(world.reactor, accepts(&world));
        settle(world.reactor);
        say(&world, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
        if (resets[i]) { /* unread bytes make it a reset */
            close(world.fd);
            world.fd = -1;
        }
        until_log(&world, "head last closed ");
        assert_int_equal(world.status, 413);
        free(data);
        world_stop(&world);
    }
}

static void a_server_that_leaves_while_sending_is_a_failed_send(void **state)
{
    (void)state;
    enum { SIZE = 8 * 1000 * 1000 };
    struct world world;
    char *data = calloc(1, SIZE);
    world_open(&world);
    start_call(&world, HTTP_POST, "POST / HTTP/1.1\r\n\r\n", bytes_make(data, SIZE));
    turn_until(world.reactor, accepts(&world));
    settle(world.reactor);
    close(world.fd);
    world.fd = -1;
    until_log(&world, "send_failed closed ");
    free(data);
    world_stop(&world);
}

/* The server has closed the idle connection, and the client does not know it yet. */
static void a_stale_connection_fails_before_any_response(void **state)
{
    (void)state;
    struct world world;
    world_start_idle(&world);
    close(world.fd);
    world.fd = -1;
    assert_true(client_connection_is_usable(world.connection));
    assert_true(client_connection_served(world.connection) > 0);
    get(&world);
    until_log(&world, "closed_before_response closed ");
    world_stop(&world);
}

static void a_request_leaves_at_the_end_of_the_turn(void **state)
{
    (void)state;
    struct world world;
    int ended = 0;
    world_start_idle(&world);
    get(&world);
    drain_fd(world.fd, &world.request, &ended);
    assert_true(buffer_is_empty(&world.request));
    assert_true(client_call_unsent(&world.call) > 0);
    reactor_turn(world.reactor, 0);
    drain_fd(world.fd, &world.request, &ended);
    assert_true(has_text(&world.request, "GET / HTTP/1.1\r\n\r\n"));
    assert_int_equal(client_call_unsent(&world.call), 0);
    world_stop(&world);
}

/* More of it is to follow: what waits for room must know whether there is any. */
static void an_open_request_leaves_at_once(void **state)
{
    (void)state;
    struct world world;
    int ended = 0;
    world_start_idle(&world);
    start_call(&world, HTTP_POST, "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n", BYTES("ab"));
    client_call_keep_open(&world.call);
    assert_int_equal(client_call_unsent(&world.call), 0);
    drain_fd(world.fd, &world.request, &ended);
    assert_true(has_text(&world.request, "\r\n\r\nab"));
    world_stop(&world);
}

/* Its next answer is not one of those that may wait. */
static void a_paced_call_leaves_its_connection_unpaced(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_int_equal(reactor_set_window(world.reactor, 10 * 1000 * 1000), 0);
    get(&world);
    turn_until(world.reactor, accepts(&world));
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    until_log(&world, "head ");
    client_call_pace(&world.call);
    say(&world, "01");
    turn_until(world.reactor, buffer_len(&world.body) == 2);
    say(&world, "23");
    until_log(&world, "head last idle ");
    for (unsigned i = 0; i < 3; i++) {
        buffer_clear(&world.log);
        get_and_send(&world);
        say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        reactor_turn(world.reactor, 0);
        assert_true(log_is(&world, "head last idle "));
    }
    world_stop(&world);
}

static void a_paused_response_waits(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    world.pauses = true;
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    until_log(&world, "head ");
    say(&world, "56789");
    settle(world.reactor);
    shutdown(world.fd, SHUT_WR); /* must not overtake what is still unread */
    settle(world.reactor);
    assert_int_equal(buffer_len(&world.body), 0);
    client_call_resume(&world.call);
    assert_int_equal(buffer_len(&world.body), 0);
    until_log(&world, "head last idle closed ");
    assert_true(bytes_equal_str(buffer_bytes(&world.body), "0123456789"));
    world_stop(&world);
}

/* The end came with what was read before the pause: there is nothing left but to tell it. */
static void the_end_of_a_paused_response_is_told_after_the_pause(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    world.pauses_in_body = true;
    say(&world, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    until_log(&world, "head ");
    turn_until(world.reactor, buffer_len(&world.body) == 2);
    settle(world.reactor);
    assert_true(log_is(&world, "head "));
    client_call_resume(&world.call);
    until_log(&world, "head last idle ");
    world_stop(&world);
}

static void a_paused_response_leaves_a_reusable_connection(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    world.pauses = true;
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0123");
    until_log(&world, "head ");
    client_call_resume(&world.call);
    until_log(&world, "head last idle ");
    world.pauses = false;
    get_and_send(&world);
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n4567");
    until_log(&world, "head last idle head last idle ");
    world_stop(&world);
}

static void a_cancelled_call_closes_at_once(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_call_cancel(&world.call);
    assert_int_equal(buffer_len(&world.log), 0);
    until_log(&world, "closed ");
    int ended = 0;
    turn_until(world.reactor, (drain_fd(world.fd, &world.request, &ended), ended != 0));
    world_stop(&world);
}

static void a_call_may_be_cancelled_in_its_callback(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    world.cancels_in_head = true;
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0123");
    until_log(&world, "head closed ");
    world_stop(&world);
}

static void closing_in_the_last_callback_tells_nothing_more(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    world.closes_in_body = true;
    say(&world, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0123");
    until_log(&world, "head last ");
    world.connection = NULL;
    settle(world.reactor);
    assert_true(log_is(&world, "head last "));
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_may_start_before_the_connection_stands),
        cmocka_unit_test(a_connection_carries_many_calls),
        cmocka_unit_test(the_owner_may_start_the_next_call_when_told_of_idleness),
        cmocka_unit_test(a_response_is_the_same_wherever_the_network_cuts),
        cmocka_unit_test(chunks_that_come_together_are_one_piece),
        cmocka_unit_test(what_is_wrong_behind_chunks_does_not_hide_them),
        cmocka_unit_test(a_body_may_end_with_the_connection),
        cmocka_unit_test(connection_close_is_honoured),
        cmocka_unit_test(a_head_response_has_no_body),
        cmocka_unit_test(bytes_behind_a_response_close_the_connection),
        cmocka_unit_test(bytes_on_an_idle_connection_close_it),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(a_reset_in_an_endless_body_is_a_cut),
        cmocka_unit_test(a_refused_connection_fails_the_call),
        cmocka_unit_test(what_cannot_even_start_fails_the_call_later),
        cmocka_unit_test(a_connect_that_takes_too_long_fails),
        cmocka_unit_test(a_large_request_leaves_in_pieces),
        cmocka_unit_test(an_early_response_ends_the_connection),
        cmocka_unit_test(a_server_that_leaves_while_sending_is_a_failed_send),
        cmocka_unit_test(a_stale_connection_fails_before_any_response),
        cmocka_unit_test(a_request_leaves_at_the_end_of_the_turn),
        cmocka_unit_test(an_open_request_leaves_at_once),
        cmocka_unit_test(a_paced_call_leaves_its_connection_unpaced),
        cmocka_unit_test(a_paused_response_waits),
        cmocka_unit_test(the_end_of_a_paused_response_is_told_after_the_pause),
        cmocka_unit_test(a_paused_response_leaves_a_reusable_connection),
        cmocka_unit_test(a_cancelled_call_closes_at_once),
        cmocka_unit_test(a_call_may_be_cancelled_in_its_callback),
        cmocka_unit_test(closing_in_the_last_callback_tells_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
