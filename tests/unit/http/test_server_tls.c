/* SPDX-License-Identifier: Apache-2.0 */
/* test_server_tls.c: the HTTP server over TLS: the same answers, and handshakes that fail. */
#include "unit/http/server_harness.h"
#include "unit/net/tls_peer.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

enum { BIG = 700 * 1000 };

struct secure {
    struct world world; /* what its client gets is sealed */
    struct tls_pem pem;
    struct tls_server *tls;
    struct tls_client client;
    struct buffer sealed; /* by the client, not yet sent */
    struct buffer text;   /* as the client reads it */
    int client_state;     /* as tls_client_read() */
};

static struct secure secure;

static void client_turn(void)
{
    tls_client_feed(&secure.client, buffer_bytes(&secure.world.got));
    buffer_clear(&secure.world.got);
    if (secure.client_state == 1)
        secure.client_state = tls_client_read(&secure.client, &secure.text);
    tls_client_take(&secure.client, &secure.sealed);
    struct bytes sealed = buffer_bytes(&secure.sealed);
    ssize_t sent = sealed.len > 0 ? send(secure.world.fd, sealed.data, sealed.len, MSG_NOSIGNAL) : 0;
    if (sent > 0)
        buffer_consume(&secure.sealed, (size_t)sent);
}

#define until_secure(condition)                                                                                        \
    do {                                                                                                               \
        int left = MAX_TURNS;                                                                                          \
        while (!(condition) && left-- > 0) {                                                                           \
            reactor_turn(secure.world.reactor, 1);                                                                     \
            world_read(&secure.world);                                                                                 \
            client_turn();                                                                                             \
        }                                                                                                              \
        assert_true(condition);                                                                                        \
    } while (0)

static int set_up(void **state)
{
    *state = &secure;
    secure = (struct secure){.client_state = 1};
    tls_pem_init(&secure.pem);
    secure.tls = tls_pem_server(&secure.pem, 0);
    struct http_server_config config = http_server_defaults;
    config.tls = secure.tls;
    world_start(&secure.world, &config);
    tls_client_init(&secure.client);
    tls_client_start(&secure.client);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_stop(&secure.world);
    tls_server_free(secure.tls);
    tls_client_deinit(&secure.client);
    tls_pem_deinit(&secure.pem);
    buffer_deinit(&secure.sealed);
    buffer_deinit(&secure.text);
    return 0;
}

static void say(struct bytes text)
{
    until_secure(SSL_is_init_finished(secure.client.ssl));
    tls_client_write(&secure.client, text);
}

static void append_pattern(struct buffer *buffer, size_t size)
{
    for (unsigned i = 0; i < size; i++)
        buffer_append_char(buffer, (char)('a' + i % 23));
}

static void requests_are_answered_one_after_the_other_and_pipelined(void **state)
{
    (void)state;
    say(BYTES(GET("/now")));
    until_secure(count_text(&secure.text, "\r\n\r\nnow") == 1);
    say(BYTES(GET("/now") GET("/now")));
    until_secure(count_text(&secure.text, "\r\n\r\nnow") == 3);
    assert_int_equal(secure.world.refused, 0);
    assert_null(secure.world.reason);
}

static void a_large_body_arrives_whole_and_goes_back_whole(void **state)
{
    (void)state;
    struct buffer body = {0};
    append_pattern(&body, BIG);
    say(BYTES("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 700000\r\n\r\n"));
    tls_client_write(&secure.client, buffer_bytes(&body));
    until_secure(buffer_len(&secure.text) > BIG);
    assert_true(bytes_ends_with(buffer_bytes(&secure.text), buffer_bytes(&body)));
    buffer_deinit(&body);
}

static void a_paused_body_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct buffer body = {0};
    append_pattern(&body, BIG);
    secure.world.pauses = true;
    say(BYTES("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 700000\r\n\r\n"));
    tls_client_write(&secure.client, buffer_bytes(&body));
    until_secure(secure.world.exchange != NULL);
    for (int i = 0; i < 50; i++) {
        reactor_turn(secure.world.reactor, 0);
        client_turn();
    }
    assert_int_equal(buffer_len(&secure.world.body), 0);
    exchange_resume_body(secure.world.exchange);
    until_secure(buffer_len(&secure.text) > BIG);
    assert_true(bytes_ends_with(buffer_bytes(&secure.text), buffer_bytes(&body)));
    buffer_deinit(&body);
}

static void an_early_answer_survives_the_rest_of_the_body(void **state)
{
    (void)state;
    struct buffer body = {0};
    append_pattern(&body, BIG);
    say(BYTES("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 700000\r\n\r\n"));
    tls_client_write(&secure.client, buffer_bytes(&body));
    until_secure(secure.world.ended != 0);
    assert_int_equal(secure.world.ended, 1);
    assert_true(has_text(&secure.text, "HTTP/1.1 413 "));
    assert_int_equal(secure.client_state, 0); /* close_notify */
    until_secure(buffer_is_empty(&secure.sealed));
    shutdown(secure.world.fd, SHUT_WR);
    until_secure(secure.world.open == 0);
    buffer_deinit(&body);
}

static void a_handshake_that_fails_is_counted_and_closed(void **state)
{
    (void)state;
    world_send(&secure.world, "SSH-2.0-OpenSSH_9.2\r\n");
    until(&secure.world, secure.world.ended != 0);
    assert_string_equal(secure.world.reason, "tls_handshake");
    assert_int_equal(secure.world.refused, 0);
    assert_int_equal(secure.world.open, 0);
    assert_int_equal(buffer_len(&secure.world.log), 0);
}

static void plain_http_is_told_to_come_back_with_tls(void **state)
{
    (void)state;
    world_send(&secure.world, GET("/now"));
    until(&secure.world, secure.world.ended != 0);
    assert_int_equal(secure.world.ended, 1);
    assert_true(has_text(&secure.world.got, "HTTP/1.0 400 Bad Request\r\n"));
    assert_true(has_text(&secure.world.got, "Client sent an HTTP request to an HTTPS server.\n"));
    assert_string_equal(secure.world.reason, "tls_handshake");
}

static void a_look_whether_the_port_is_open_is_not_counted(void **state)
{
    (void)state;
    close(secure.world.fd);
    secure.world.fd = -1;
    until(&secure.world, secure.world.open == 0);
    assert_null(secure.world.reason);
}

static void a_refused_connection_is_told_over_tls(void **state)
{
    (void)state;
    http_server_free(secure.world.server);
    struct http_server_config config = http_server_defaults;
    config.tls = secure.tls;
    config.max_connections = 0;
    static const struct http_server_observer observer = {.on_connection = on_connection};
    static const struct http_handler handler = {0};
    secure.world.server = http_server_new(secure.world.reactor, &config, &handler, &observer, &secure.world);
    world_connect(&secure.world, 0);
    tls_client_start(&secure.client);
    until_secure(secure.world.ended != 0);
    assert_true(has_text(&secure.text, "HTTP/1.1 503 "));
}

#define SECURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SECURE_TEST(requests_are_answered_one_after_the_other_and_pipelined),
        SECURE_TEST(a_large_body_arrives_whole_and_goes_back_whole),
        SECURE_TEST(a_paused_body_goes_on_where_it_stopped),
        SECURE_TEST(an_early_answer_survives_the_rest_of_the_body),
        SECURE_TEST(a_handshake_that_fails_is_counted_and_closed),
        SECURE_TEST(plain_http_is_told_to_come_back_with_tls),
        SECURE_TEST(a_look_whether_the_port_is_open_is_not_counted),
        SECURE_TEST(a_refused_connection_is_told_over_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
