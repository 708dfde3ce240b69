/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_connect.c: the client side of TLS against our own server side, both on one reactor over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "unit/net/tls_peer.h"

enum { ENOUGH_TURNS = 5000, LARGE = 300 * 1000 };

/* Both ends; each says what it hears back when it echoes. */
struct end {
    struct transport *transport;
    struct buffer heard, out;
    int connected; /* 1 before on_connected, then its error */
    bool echoes, is_over;
};

struct world {
    struct reactor *reactor;
    struct tls_pem pem;
    struct tls_server *server;
    struct address at;
    int listening;
    struct end client, peer;
};

static void flush(struct end *end)
{
    while (!buffer_is_empty(&end->out)) {
        struct bytes out = buffer_bytes(&end->out);
        struct iovec piece = {(void *)(uintptr_t)out.data, out.len};
        ssize_t sent = transport_sendv(end->transport, &piece, 1);
        if (sent <= 0)
            break;
        buffer_consume(&end->out, (size_t)sent);
    }
    transport_want_write(end->transport, !buffer_is_empty(&end->out));
}

static void on_connected(struct transport *transport, int error)
{
    struct end *end = transport->owner_data;
    assert_int_equal(end->connected, 1);
    end->connected = error;
    if (error == 0)
        flush(end);
}

static void on_readable(struct transport *transport)
{
    struct end *end = transport->owner_data;
    char data[4000];
    ssize_t got = transport_recv(transport, data, sizeof data);
    if (got > 0) {
        buffer_append(end->echoes ? &end->out : &end->heard, bytes_make(data, (size_t)got));
        flush(end);
    } else if (got != -EAGAIN) {
        end->is_over = true;
        transport_want_read(transport, false);
    }
}

static void on_writable(struct transport *transport)
{
    flush(transport->owner_data);
}

static const struct transport_owner owner = {
    .on_connected = on_connected, .on_readable = on_readable, .on_writable = on_writable};

static int set_up(void **state)
{
    struct world *world = test_calloc(1, sizeof *world);
    tls_pem_init(&world->pem);
    world->server = tls_pem_server(&world->pem, 0);
    world->reactor = reactor_new("test");
    world->listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(address_make(&world->at, BYTES("127.0.0.1"), 0));
    assert_int_equal(bind(world->listening, &world->at.sa.generic, world->at.len), 0);
    assert_int_equal(listen(world->listening, 4), 0);
    assert_int_equal(getsockname(world->listening, &world->at.sa.generic, &world->at.len), 0);
    world->client.connected = 1;
    world->peer.echoes = true;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    struct end *ends[] = {&world->client, &world->peer};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (ends[i]->transport != NULL)
            transport_close(ends[i]->transport, true);
        buffer_deinit(&ends[i]->heard);
        buffer_deinit(&ends[i]->out);
    }
    reactor_free(world->reactor);
    if (world->listening >= 0)
        close(world->listening);
    tls_server_free(world->server);
    tls_pem_deinit(&world->pem);
    test_free(world);
    return 0;
}

static void dial(struct world *world, struct bytes authority, const char *name)
{
    char error[300];
    int start_error = 0;
    struct tls_trust *trust = tls_trust_new(authority, error);
    assert_non_null(trust);
    world->client.transport =
        tls_connect(world->reactor, &world->at, trust, name, &owner, &world->client, &start_error);
    tls_trust_free(trust); /* the transport keeps what it needs */
    assert_non_null(world->client.transport);
    assert_int_equal(world->client.connected, 1);
}

static void accept_peer(struct world *world)
{
    int fd = accept4(world->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        world->peer.transport = tls_adopt(world->reactor, fd, world->server, &owner, &world->peer);
}

static void turn_until_connected(struct world *world)
{
    for (int left = ENOUGH_TURNS; left > 0 && world->client.connected == 1; left--) {
        if (world->peer.transport == NULL && world->listening >= 0)
            accept_peer(world);
        reactor_turn(world->reactor, 1);
    }
    assert_int_not_equal(world->client.connected, 1);
}

static void what_is_said_before_the_handshake_is_over_comes_back_whole(void **state)
{
    struct world *world = *state;
    dial(world, buffer_bytes(&world->pem.certificate), "localhost");
    for (size_t i = 0; i < LARGE; i++)
        buffer_append_char(&world->client.out, (char)(i * 7 + i / 251));
    struct buffer said = {0};
    buffer_append(&said, buffer_bytes(&world->client.out));
    turn_until_connected(world);
    assert_int_equal(world->client.connected, 0);
    for (int left = ENOUGH_TURNS; left > 0 && buffer_len(&world->client.heard) < LARGE; left--)
        reactor_turn(world->reactor, 1);
    assert_true(bytes_equal(buffer_bytes(&world->client.heard), buffer_bytes(&said)));
    buffer_deinit(&said);
}

static void the_end_of_the_server_is_heard(void **state)
{
    struct world *world = *state;
    dial(world, buffer_bytes(&world->pem.certificate), "localhost");
    turn_until_connected(world);
    for (int left = ENOUGH_TURNS; left > 0 && world->peer.transport == NULL; left--)
        accept_peer(world);
    buffer_append_str(&world->client.out, "hello");
    flush(&world->client);
    for (int left = ENOUGH_TURNS; left > 0 && buffer_is_empty(&world->client.heard); left--)
        reactor_turn(world->reactor, 1);
    transport_close(world->peer.transport, false);
    world->peer.transport = NULL;
    for (int left = ENOUGH_TURNS; left > 0 && !world->client.is_over; left--)
        reactor_turn(world->reactor, 1);
    assert_true(world->client.is_over);
}

static void expect_failure(struct world *world, int error)
{
    turn_until_connected(world);
    assert_int_equal(world->client.connected, error);
    for (int i = 0; i < 20; i++) /* nothing follows */
        reactor_turn(world->reactor, 0);
    assert_true(buffer_is_empty(&world->client.heard) && !world->client.is_over);
}

static void a_certificate_of_an_unknown_authority_is_not_trusted(void **state)
{
    struct world *world = *state;
    struct tls_pem other;
    tls_pem_init(&other);
    dial(world, buffer_bytes(&other.certificate), "localhost");
    expect_failure(world, -EKEYREJECTED);
    tls_pem_deinit(&other);
}

static void a_certificate_for_another_name_is_not_trusted(void **state)
{
    struct world *world = *state;
    dial(world, buffer_bytes(&world->pem.certificate), "example.com");
    expect_failure(world, -EKEYREJECTED);
}

static void an_address_must_be_in_the_certificate_as_well(void **state)
{
    struct world *world = *state;
    dial(world, buffer_bytes(&world->pem.certificate), "127.0.0.1");
    expect_failure(world, -EKEYREJECTED);
}

static void the_systems_authorities_do_not_know_ours(void **state)
{
    struct world *world = *state;
    dial(world, BYTES(""), "localhost");
    expect_failure(world, -EKEYREJECTED);
}

static void a_server_that_speaks_no_tls_is_told_as_such(void **state)
{
    struct world *world = *state;
    dial(world, buffer_bytes(&world->pem.certificate), "localhost");
    int fd = -1;
    while ((fd = accept(world->listening, NULL, NULL)) < 0)
        reactor_turn(world->reactor, 1);
    assert_int_equal(write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 28);
    close(world->listening);
    world->listening = -1;
    expect_failure(world, -EPROTO);
    close(fd);
}

static void a_server_that_is_not_there_refuses(void **state)
{
    struct world *world = *state;
    close(world->listening);
    world->listening = -1;
    char error[300];
    int start_error = 0;
    struct tls_trust *trust = tls_trust_new(buffer_bytes(&world->pem.certificate), error);
    world->client.transport =
        tls_connect(world->reactor, &world->at, trust, "localhost", &owner, &world->client, &start_error);
    if (world->client.transport == NULL)
        assert_int_equal(start_error, -ECONNREFUSED);
    else
        expect_failure(world, -ECONNREFUSED);
    tls_trust_free(trust);
}

static void a_connection_may_be_closed_at_any_point(void **state)
{
    struct world *world = *state;
    for (int turns = 0; turns < 12; turns++) {
        world->client.connected = 1;
        dial(world, buffer_bytes(&world->pem.certificate), "localhost");
        for (int i = 0; i < turns; i++) {
            if (world->peer.transport == NULL)
                accept_peer(world);
            reactor_turn(world->reactor, 1);
        }
        transport_close(world->client.transport, turns % 2 == 0);
        world->client.transport = NULL;
        reactor_turn(world->reactor, 1);
        if (world->peer.transport != NULL)
            transport_close(world->peer.transport, true);
        world->peer.transport = NULL;
        reactor_turn(world->reactor, 1);
    }
}

static void an_authority_that_is_none_is_refused_with_a_sentence(void **state)
{
    struct world *world = *state;
    char error[300] = "";
    static const char *const bad[] = {"nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_null(tls_trust_new(bytes_of(bad[i]), error));
        assert_int_equal(strncmp(error, "the authority's certificate is not usable", 41), 0);
    }
    assert_null(tls_trust_new(buffer_bytes(&world->pem.key), error));
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_is_said_before_the_handshake_is_over_comes_back_whole),
        WORLD_TEST(the_end_of_the_server_is_heard),
        WORLD_TEST(a_certificate_of_an_unknown_authority_is_not_trusted),
        WORLD_TEST(a_certificate_for_another_name_is_not_trusted),
        WORLD_TEST(an_address_must_be_in_the_certificate_as_well),
        WORLD_TEST(the_systems_authorities_do_not_know_ours),
        WORLD_TEST(a_server_that_speaks_no_tls_is_told_as_such),
        WORLD_TEST(a_server_that_is_not_there_refuses),
        WORLD_TEST(a_connection_may_be_closed_at_any_point),
        WORLD_TEST(an_authority_that_is_none_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
