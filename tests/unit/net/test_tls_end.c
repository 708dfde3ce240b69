/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_end.c: how a connection over TLS ends. */
#include "unit/net/tls_harness.h"

static void close_notify_is_the_end_and_the_other_way_stays_open(void **state)
{
    (void)state;
    say("last words");
    SSL_shutdown(user.client.ssl);
    client_send();
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, 0);
    expect_text(&user.got, "last words");
    buffer_append_str(&user.out, "an answer");
    owner_send();
    turn_until(buffer_len(&user.heard) == 9);
    transport_want_read(user.transport, false);
    close_client(false);
    settle();
    assert_int_equal(user.gone, 0); /* it was told by the zero */
}

static void the_end_that_came_with_the_last_bytes_is_told_after_them(void **state)
{
    (void)state;
    tls_client_write(&user.client, BYTES("last words"));
    SSL_shutdown(user.client.ssl);
    client_send();
    user.reads_max = 1;
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, 0);
    expect_text(&user.got, "last words");
    assert_int_equal(user.readable, 2);
    settle();
    assert_int_equal(user.readable, 2);
}

static void fin_without_close_notify_is_the_end(void **state)
{
    (void)state;
    say("last words");
    shutdown(user.fd, SHUT_WR);
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, 0);
    expect_text(&user.got, "last words");
    buffer_append_str(&user.out, "an answer");
    owner_send();
    turn_until(buffer_len(&user.heard) == 9);
    unsigned before = user.readable;
    settle();
    assert_int_equal(user.readable, before); /* or else every turn would wake */
}

static void after_shutting_the_writing_side_reading_goes_on(void **state)
{
    (void)state;
    transport_shutdown_write(user.transport);
    assert_int_equal(transport_sendv(user.transport, &(struct iovec){(char[]){'x'}, 1}, 1), -EPIPE);
    turn_until(user.ended == 1);
    assert_int_equal(user.client_state, 0); /* by close_notify */
    say("more");
    turn_until(buffer_len(&user.got) == 4);
    shutdown(user.fd, SHUT_WR);
    turn_until(user.got_end == 0);
}

static void new_keys_that_are_asked_for_after_the_end_of_writing_do_not_end_the_reading(void **state)
{
    (void)state;
    transport_shutdown_write(user.transport);
    turn_until(user.ended == 1);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(SSL_key_update(user.client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        say("in new keys");
        turn_until(buffer_len(&user.got) == 11 * i || user.got_end != 1);
    }
    assert_int_equal(user.got_end, 1);
}

static void closing_sends_close_notify_and_fin(void **state)
{
    (void)state;
    buffer_append_str(&user.out, "bye");
    owner_send();
    close_transport(false);
    turn_until(user.ended == 1);
    expect_text(&user.heard, "bye");
    assert_int_equal(user.client_state, 0);
}

static void closing_by_reset_tells_the_peer_that_it_was_cut(void **state)
{
    (void)state;
    close_transport(true);
    turn_until(user.ended != 0);
    assert_int_equal(user.ended, -ECONNRESET);
    assert_int_equal(user.client_state, 1);
}

static void closing_with_half_a_record_sent_is_harmless(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill_the_socket(&text);
    struct transport *transport = user.transport;
    close_transport(false);
    transport_close(transport, true);
    transport_want_read(transport, false);
    turn_until(user.ended == 1);
    assert_true(bytes_starts_with(buffer_bytes(&text), buffer_bytes(&user.heard)));
    buffer_deinit(&text);
}

static void a_reset_is_read_as_an_error(void **state)
{
    (void)state;
    close_client(true);
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, -ECONNRESET);
    buffer_append_str(&user.out, "x");
    owner_send();
    assert_int_equal(user.sent_end, -ECONNRESET);
}

static void sending_to_a_peer_that_reset_is_an_error_and_no_signal(void **state)
{
    (void)state;
    transport_want_read(user.transport, false);
    close_client(true);
    turn_until(user.gone == 1);
    buffer_append_str(&user.out, "x");
    owner_send();
    assert_true(user.sent_end < 0);
}

static void a_broken_record_is_an_error(void **state)
{
    (void)state;
    send_raw(BYTES("\x17\x03\x03\x00\x20 0123456789abcdef0123456789abcdef"));
    turn_until(user.got_end != 1);
    assert_int_equal(user.got_end, -EBADMSG);
}

static void expect_gone_once(bool reset)
{
    transport_want_read(user.transport, false);
    say("unread");
    close_client(reset);
    turn_until(user.gone == 1);
    settle();
    assert_int_equal(user.gone, 1);
    assert_int_equal(user.readable, 0);
    assert_int_equal(user.transport->watch.events, 0); /* or else every turn would wake */
}

static void a_peer_that_closes_while_reading_is_paused_is_told_once(void **state)
{
    (void)state;
    expect_gone_once(false);
    transport_want_read(user.transport, true);
    turn_until(user.got_end == 0);
    expect_text(&user.got, "unread");
}

static void a_peer_that_resets_while_reading_is_paused_is_told_once(void **state)
{
    (void)state;
    expect_gone_once(true);
}

static void a_transport_may_be_closed_by_its_own_callbacks(void **state)
{
    (void)state;
    user.closes_at_readable = 1;
    say("bye");
    turn_until(user.readable == 1);
    settle();
    assert_int_equal(user.readable, 1);
}

static void a_transport_may_be_closed_when_told_of_what_is_inside(void **state)
{
    (void)state;
    user.read_size = 1;
    user.reads_max = 1;
    user.closes_at_readable = 2;
    say("bye");
    turn_until(user.readable == 2);
    settle();
    assert_int_equal(user.readable, 2);
}

static void closing_spares_what_is_inside(void **state)
{
    (void)state;
    user.read_size = 1;
    user.reads_max = 1;
    user.closes_after_reading = true;
    say("bye");
    turn_until(user.readable == 1);
    settle();
    assert_int_equal(user.readable, 1);
}

static void shutting_the_writing_side_with_half_a_record_sent_leaves_reading_alone(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill_the_socket(&text);
    buffer_clear(&user.out);
    transport_want_write(user.transport, false);
    transport_shutdown_write(user.transport);
    say("more");
    turn_until(user.ended == 1);
    assert_true(bytes_starts_with(buffer_bytes(&text), buffer_bytes(&user.heard)));
    expect_text(&user.got, "more");
    assert_int_equal(user.got_end, 1);
    buffer_deinit(&text);
}

static void closing_while_writable_spares_the_waiting_bytes(void **state)
{
    (void)state;
    user.closes_when_writable = true;
    say("unread");
    transport_want_write(user.transport, true);
    turn_until(user.writable == 1);
    settle();
    assert_int_equal(user.readable, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTED_TEST(close_notify_is_the_end_and_the_other_way_stays_open),
        CONNECTED_TEST(the_end_that_came_with_the_last_bytes_is_told_after_them),
        CONNECTED_TEST(fin_without_close_notify_is_the_end),
        CONNECTED_TEST(after_shutting_the_writing_side_reading_goes_on),
        CONNECTED_TEST(new_keys_that_are_asked_for_after_the_end_of_writing_do_not_end_the_reading),
        CONNECTED_TEST(closing_sends_close_notify_and_fin),
        CONNECTED_TEST(closing_by_reset_tells_the_peer_that_it_was_cut),
        CONNECTED_TEST(closing_with_half_a_record_sent_is_harmless),
        CONNECTED_TEST(a_reset_is_read_as_an_error),
        CONNECTED_TEST(sending_to_a_peer_that_reset_is_an_error_and_no_signal),
        CONNECTED_TEST(a_broken_record_is_an_error),
        CONNECTED_TEST(a_peer_that_closes_while_reading_is_paused_is_told_once),
        CONNECTED_TEST(a_peer_that_resets_while_reading_is_paused_is_told_once),
        CONNECTED_TEST(a_transport_may_be_closed_by_its_own_callbacks),
        CONNECTED_TEST(a_transport_may_be_closed_when_told_of_what_is_inside),
        CONNECTED_TEST(closing_spares_what_is_inside),
        CONNECTED_TEST(shutting_the_writing_side_with_half_a_record_sent_leaves_reading_alone),
        CONNECTED_TEST(closing_while_writable_spares_the_waiting_bytes),
    };
    return cmocka_run_group_tests(tests, make_pem, free_pem);
}
