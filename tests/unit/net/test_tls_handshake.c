/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_handshake.c: the handshake of the TLS transport, and what comes in its place; certificates. */
#include "unit/net/tls_harness.h"

static void both_versions_shake_hands_and_carry_bytes_both_ways(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        close_transport(false);
        close_client(false);
        SSL_CTX_set_min_proto_version(user.client.context, versions[i]);
        SSL_CTX_set_max_proto_version(user.client.context, versions[i]);
        connect_client();
        finish_handshake();
        assert_int_equal(SSL_version(user.client.ssl), versions[i]);
        user.echoes = true;
        buffer_clear(&user.heard);
        say("ping");
        turn_until(buffer_len(&user.heard) == 4);
        expect_text(&user.heard, "ping");
    }
}

static void older_versions_are_refused(void **state)
{
    (void)state;
    SSL_CTX_set_min_proto_version(user.client.context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(user.client.context, TLS1_1_VERSION);
    SSL_CTX_set_security_level(user.client.context, 0);
    SSL_CTX_set_cipher_list(user.client.context, "ALL");
    tls_client_start(&user.client);
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, -EPROTO);
    turn_until(user.client_state == -1); /* by an alert */
}

static void http_1_is_chosen_and_h2_alone_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        struct bytes offer;
        const char *chosen;
    } cases[] = {
        {BYTES("\x02h2\x08http/1.1"), "http/1.1"},
        {BYTES("\x08http/1.1"), "http/1.1"},
        {BYTES("\x02h2"), ""},
        {BYTES("\x08http/1.0\x09http/1.1x"), ""},
        {BYTES(""), ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        close_transport(false);
        close_client(false);
        connect_client();
        SSL_set_alpn_protos(user.client.ssl, (const unsigned char *)cases[i].offer.data, (unsigned)cases[i].offer.len);
        finish_handshake();
        const unsigned char *name;
        unsigned len;
        SSL_get0_alpn_selected(user.client.ssl, &name, &len);
        assert_true(bytes_equal_str(bytes_make((const char *)name, len), cases[i].chosen));
    }
}

static void a_handshake_may_come_byte_by_byte(void **state)
{
    (void)state;
    user.echoes = true;
    tls_client_read(&user.client, &user.heard);
    for (int i = 0; i < ENOUGH_TURNS && !SSL_is_init_finished(user.client.ssl); i++) {
        tls_client_take(&user.client, &user.sealed);
        if (!buffer_is_empty(&user.sealed)) {
            assert_int_equal(send(user.fd, buffer_bytes(&user.sealed).data, 1, MSG_NOSIGNAL), 1);
            buffer_consume(&user.sealed, 1);
        }
        reactor_turn(user.reactor, 0);
        client_receive();
        tls_client_feed(&user.client, buffer_bytes(&user.wire));
        buffer_clear(&user.wire);
        tls_client_read(&user.client, &user.heard);
    }
    assert_int_equal(user.readable, 0);
    say("made it");
    turn_until(buffer_len(&user.heard) == 7);
}

static void nothing_is_sent_or_read_before_the_handshake_and_then_it_is_told(void **state)
{
    (void)state;
    char data[8];
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), -EAGAIN);
    buffer_append_str(&user.out, "welcome");
    owner_send();
    assert_int_equal(buffer_len(&user.out), 7);
    settle();
    assert_int_equal(user.writable, 1);
    expect_text(&user.heard, "welcome");
}

static void bytes_that_come_with_the_last_flight_are_told(void **state)
{
    (void)state;
    for (int i = 0; i < ENOUGH_TURNS && !SSL_is_init_finished(user.client.ssl); i++) {
        reactor_turn(user.reactor, 0);
        client_receive();
        tls_client_feed(&user.client, buffer_bytes(&user.wire));
        buffer_clear(&user.wire);
        tls_client_read(&user.client, &user.heard);
        if (SSL_is_init_finished(user.client.ssl))
            tls_client_write(&user.client, BYTES("eager"));
        client_send();
    }
    turn_until(user.readable == 1);
    expect_text(&user.got, "eager");
}

static void a_session_is_resumed_by_its_ticket(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        SSL_CTX_set_min_proto_version(user.client.context, versions[i]);
        SSL_CTX_set_max_proto_version(user.client.context, versions[i]);
        SSL_SESSION_free(user.client.session);
        user.client.session = NULL;
        for (int connection = 0; connection < 2; connection++) {
            close_transport(false);
            close_client(false);
            connect_client();
            finish_handshake();
            assert_int_equal(SSL_session_reused(user.client.ssl), connection);
            assert_non_null(user.client.session);
        }
    }
}

static void a_client_cannot_renegotiate(void **state)
{
    (void)state;
    close_transport(false);
    close_client(false);
    SSL_CTX_set_max_proto_version(user.client.context, TLS1_2_VERSION);
    connect_client();
    finish_handshake();
    assert_int_equal(SSL_renegotiate(user.client.ssl), 1);
    SSL_do_handshake(user.client.ssl);
    turn_until(user.client_state == -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
}

static void garbage_in_place_of_a_hello_is_an_error(void **state)
{
    (void)state;
    static const struct bytes cases[] = {
        BYTES("\x00\x01\x02\x03\x04\x05\x06\x07"),
        BYTES("SSH-2.0-OpenSSH_9.2\r\n"),
        BYTES("\x16\x03\x01\xff\xff\x01\x00\xff\xff\x03\x03"),
        BYTES("\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"),
        BYTES("get / http/1.1\r\n\r\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        close_transport(false);
        close_client(false);
        connect_client();
        send_raw(cases[i]);
        for (int left = ENOUGH_TURNS; user.got_end == 1 && left > 0; left--)
            reactor_turn(user.reactor, 1);
        assert_int_equal(user.got_end, -EPROTO);
        assert_int_equal(user.transport->watch.events, 0); /* or else every turn would wake */
        assert_int_equal(transport_recv(user.transport, &(char){0}, 1), -EPROTO);
        assert_int_equal(transport_sendv(user.transport, &(struct iovec){(char[]){'x'}, 1}, 1), -EPROTO);
    }
}

static void http_without_tls_is_answered_in_http(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"};
    static const struct bytes head = BYTES("HTTP/1.0 400 Bad Request\r\n");
    static const struct bytes tail = BYTES("\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        close_transport(false);
        close_client(false);
        connect_client();
        buffer_clear(&user.wire);
        struct buffer request = {0};
        buffer_printf(&request, "%s /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n", methods[i]);
        fill(&request, 20000);
        send_raw(buffer_bytes(&request));
        buffer_deinit(&request);
        for (int left = ENOUGH_TURNS; user.got_end == 1 && left > 0; left--)
            reactor_turn(user.reactor, 1);
        assert_int_equal(user.got_end, -EPROTO);
        close_transport(false);
        while (user.ended == 0)
            client_receive();
        assert_int_equal(user.ended, 1);
        int error = -1;
        socklen_t size = sizeof(error);
        assert_int_equal(getsockopt(user.fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
        assert_int_equal(error, 0); /* no reset, which makes some systems forget the answer */
        assert_true(bytes_starts_with(buffer_bytes(&user.wire), head));
        assert_true(bytes_ends_with(buffer_bytes(&user.wire), tail));
    }
}

static void start_again_with_timeout(uint32_t timeout_ms)
{
    close_transport(false);
    close_client(false);
    tls_server_free(user.server);
    user.server = tls_pem_server(&pem, timeout_ms);
    connect_client();
}

static void a_handshake_that_takes_too_long_is_an_error(void **state)
{
    (void)state;
    start_again_with_timeout(5);
    tls_client_read(&user.client, &user.heard);
    client_send();
    for (int left = ENOUGH_TURNS; user.got_end == 1 && left > 0; left--)
        reactor_turn(user.reactor, 1); /* and the client says no more */
    assert_int_equal(user.got_end, -EPROTO);
    assert_int_equal(user.readable, 1);
}

static void a_late_handshake_is_told_to_an_owner_that_only_waits_to_write(void **state)
{
    (void)state;
    start_again_with_timeout(5);
    transport_want_read(user.transport, false);
    buffer_append_str(&user.out, "never");
    owner_send();
    for (int left = ENOUGH_TURNS; user.sent_end == 1 && left > 0; left--)
        reactor_turn(user.reactor, 1);
    assert_int_equal(user.sent_end, -EPROTO);
    assert_int_equal(user.gone, 1);
    assert_int_equal(user.readable, 0);
    transport_want_read(user.transport, true);
    turn_until(user.readable == 1);
    assert_int_equal(user.got_end, -EPROTO);
}

static void a_finished_handshake_has_no_deadline(void **state)
{
    (void)state;
    start_again_with_timeout(1000); /* the handshake itself takes a few, on a busy machine many */
    user.echoes = true;
    finish_handshake();
    uint64_t start_ms = reactor_now_ms(user.reactor);
    turn_until(reactor_now_ms(user.reactor) > start_ms + 1010);
    assert_int_equal(user.got_end, 1);
    say("still here");
    turn_until(buffer_len(&user.heard) == 10);
}

static void leaving_in_the_handshake_is_an_error_and_looking_in_is_a_reset(void **state)
{
    (void)state;
    close_client(false);
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, -ECONNRESET);

    close_transport(false);
    connect_client();
    send_raw(BYTES("\x16\x03\x01"));
    close_client(false);
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, -EPROTO);
}

static void a_server_may_be_freed_before_its_transports(void **state)
{
    (void)state;
    tls_server_free(user.server);
    user.server = NULL;
    user.echoes = true;
    say("ping");
    turn_until(buffer_len(&user.heard) == 4);
}

static void unusable_certificates_and_keys_are_refused_with_a_sentence(void **state)
{
    (void)state;
    struct tls_pem other;
    tls_pem_init(&other);
    struct bytes chain = buffer_bytes(&pem.certificate), key = buffer_bytes(&pem.key);
    struct buffer cut = {0}, locked = {0};
    buffer_append(&cut, chain);
    buffer_append(&cut, bytes_make(chain.data, chain.len / 2)); /* a second certificate that is not whole */
    buffer_append_str(&cut, "\n-----END CERTIFICATE-----\n");
    EVP_PKEY *plain = EVP_EC_gen("P-256");
    BIO *text = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(text, plain, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
    EVP_PKEY_free(plain);
    tls_take_pem(text, &locked);
    const struct {
        struct bytes chain, key;
        const char *says;
    } cases[] = {
        {BYTES(""), key, "certificate chain"},
        {BYTES("nonsense"), key, "certificate chain"},
        {key, key, "certificate chain"},
        {buffer_bytes(&cut), key, "certificate chain"},
        {chain, BYTES(""), "key"},
        {chain, bytes_make(key.data, key.len / 2), "key"},
        {chain, buffer_bytes(&locked), "key"},
        {chain, buffer_bytes(&other.key), "key"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char error[300] = "";
        struct tls_server_config config = {.chain_pem = cases[i].chain, .key_pem = cases[i].key};
        assert_null(tls_server_new(&config, error));
        assert_non_null(strstr(error, cases[i].says));
    }
    buffer_deinit(&cut);
    buffer_deinit(&locked);
    tls_pem_deinit(&other);
}

static void a_chain_is_sent_whole(void **state)
{
    (void)state;
    struct buffer chain = {0};
    struct tls_pem issuer;
    tls_pem_init(&issuer);
    buffer_append(&chain, buffer_bytes(&pem.certificate));
    buffer_append(&chain, buffer_bytes(&issuer.certificate));
    tls_server_free(user.server);
    char error[300];
    struct tls_server_config config = {.chain_pem = buffer_bytes(&chain), .key_pem = buffer_bytes(&pem.key)};
    user.server = tls_server_new(&config, error);
    close_transport(false);
    close_client(false);
    connect_client();
    finish_handshake();
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(user.client.ssl)), 2);
    tls_pem_deinit(&issuer);
    buffer_deinit(&chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH_TEST(both_versions_shake_hands_and_carry_bytes_both_ways),
        FRESH_TEST(older_versions_are_refused),
        FRESH_TEST(http_1_is_chosen_and_h2_alone_is_passed_over),
        FRESH_TEST(a_handshake_may_come_byte_by_byte),
        FRESH_TEST(nothing_is_sent_or_read_before_the_handshake_and_then_it_is_told),
        FRESH_TEST(bytes_that_come_with_the_last_flight_are_told),
        FRESH_TEST(a_session_is_resumed_by_its_ticket),
        FRESH_TEST(a_client_cannot_renegotiate),
        FRESH_TEST(garbage_in_place_of_a_hello_is_an_error),
        FRESH_TEST(http_without_tls_is_answered_in_http),
        FRESH_TEST(a_handshake_that_takes_too_long_is_an_error),
        FRESH_TEST(a_late_handshake_is_told_to_an_owner_that_only_waits_to_write),
        FRESH_TEST(a_finished_handshake_has_no_deadline),
        FRESH_TEST(leaving_in_the_handshake_is_an_error_and_looking_in_is_a_reset),
        CONNECTED_TEST(a_server_may_be_freed_before_its_transports),
        CONNECTED_TEST(unusable_certificates_and_keys_are_refused_with_a_sentence),
        FRESH_TEST(a_chain_is_sent_whole),
    };
    return cmocka_run_group_tests(tests, make_pem, free_pem);
}
