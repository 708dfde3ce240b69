/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls.c: what the TLS transport does with bytes: reading, pausing, sending. */
#include "unit/net/tls_harness.h"

#include <sys/ioctl.h>

static void a_megabyte_goes_both_ways(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, MEGABYTE);
    user.echoes = true;
    tls_client_write(&user.client, buffer_bytes(&text));
    turn_until(buffer_len(&user.heard) == MEGABYTE);
    assert_true(bytes_equal(buffer_bytes(&user.heard), buffer_bytes(&text)));
    buffer_deinit(&text);
}

static void any_size_of_reading_gets_every_byte(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 7, 1000, 16384, 16385, 100000};
    struct buffer text = {0};
    fill(&text, 40000);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        user.read_size = sizes[i];
        user.reads_max = 1;
        buffer_clear(&user.got);
        tls_client_write(&user.client, buffer_bytes(&text));
        for (int left = 200000; buffer_len(&user.got) < 40000 && left > 0; left--) {
            reactor_turn(user.reactor, 0);
            client_send();
        }
        assert_true(bytes_equal(buffer_bytes(&user.got), buffer_bytes(&text)));
    }
    buffer_deinit(&text);
}

static int bytes_in_socket(void)
{
    int count = -1;
    assert_int_equal(ioctl(user.transport->watch.fd, FIONREAD, &count), 0);
    return count;
}

static void what_was_not_read_is_told_again_though_the_socket_is_empty(void **state)
{
    (void)state;
    user.read_size = 10;
    user.reads_max = 1;
    say("one record, read in three parts");
    turn_until(user.readable > 0);
    assert_int_equal(bytes_in_socket(), 0);
    turn_until(buffer_len(&user.got) == 31);
    settle();
    assert_int_equal(user.readable, 4); /* three full reads and the rest */
}

static void paused_reading_keeps_what_is_decrypted_until_resumed(void **state)
{
    (void)state;
    user.read_size = 4;
    user.reads_max = 1;
    user.pauses_when_readable = true;
    say("read later");
    turn_until(user.readable == 1);
    settle();
    assert_int_equal(user.readable, 1);
    assert_int_equal(bytes_in_socket(), 0);
    transport_want_read(user.transport, true);
    transport_want_read(user.transport, false);
    settle();
    assert_int_equal(user.readable, 1);
    user.read_size = 100;
    transport_want_read(user.transport, true);
    turn_until(user.readable == 2);
    expect_text(&user.got, "read later");
    transport_want_read(user.transport, true);
    settle();
    assert_int_equal(user.readable, 2);
}

static void an_owner_that_does_not_read_is_told_again_and_again(void **state)
{
    (void)state;
    user.read_size = 0;
    say("hello?");
    turn_until(user.readable >= 5);
}

static void pausing_and_resuming_at_every_step_loses_nothing(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 300000);
    user.read_size = 5000;
    user.reads_max = 1;
    tls_client_write(&user.client, buffer_bytes(&text));
    for (int i = 0; i < ENOUGH_TURNS && buffer_len(&user.got) < 300000; i++) {
        transport_want_read(user.transport, i % 3 != 0);
        reactor_turn(user.reactor, 0);
        client_send();
    }
    assert_true(bytes_equal(buffer_bytes(&user.got), buffer_bytes(&text)));
    buffer_deinit(&text);
}

static unsigned count_records(struct bytes wire)
{
    unsigned count = 0;
    for (; wire.len >= SSL3_RT_HEADER_LENGTH; count++) {
        size_t len = (size_t)((uint8_t)wire.data[3] << 8 | (uint8_t)wire.data[4]) + SSL3_RT_HEADER_LENGTH;
        assert_true(len <= wire.len);
        wire = bytes_skip(wire, len);
    }
    return count;
}

static void small_pieces_leave_in_one_record_and_one_segment(void **state)
{
    (void)state;
    struct iovec pieces[] = {{"head ", 5}, {"", 0}, {"body ", 5}, {"tail", 4}};
    assert_int_equal(transport_sendv(user.transport, pieces, 4), 14);
    client_receive();
    assert_int_equal(count_records(buffer_bytes(&user.wire)), 1);
    client_turn();
    expect_text(&user.heard, "head body tail");
}

static void pieces_of_all_sizes_are_sent_in_order_in_full_records(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 60000);
    char *data = text.data;
    struct iovec pieces[] = {{data, 100},           {data + 100, 16384},  {data + 16484, 1},
                             {data + 16485, 40000}, {data + 56485, 3000}, {data + 59485, 515}};
    assert_int_equal(transport_sendv(user.transport, pieces, 6), 60000);
    client_receive();
    assert_int_equal(count_records(buffer_bytes(&user.wire)), 4);
    client_turn();
    assert_true(bytes_equal(buffer_bytes(&user.heard), buffer_bytes(&text)));
    buffer_deinit(&text);
}

static void a_full_socket_says_eagain_and_goes_on_when_writable(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill_the_socket(&text);
    buffer_append_str(&user.out, "more is offered than before");
    buffer_append_str(&text, "more is offered than before");
    turn_until(buffer_len(&user.heard) == buffer_len(&text));
    assert_true(bytes_equal(buffer_bytes(&user.heard), buffer_bytes(&text)));
    assert_true(user.writable > 0);
    unsigned before = user.writable;
    settle();
    assert_int_equal(user.writable, before);
    buffer_deinit(&text);
}

static void a_record_that_was_begun_is_finished_though_nobody_waits(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill_the_socket(&text);
    size_t taken = buffer_len(&text) - buffer_len(&user.out);
    transport_want_write(user.transport, false);
    turn_until(buffer_len(&user.heard) == taken + 16384);
    transport_want_write(user.transport, true); /* its bytes were not reported as taken: they are not sent twice */
    turn_until(buffer_len(&user.heard) == buffer_len(&text));
    assert_true(bytes_equal(buffer_bytes(&user.heard), buffer_bytes(&text)));
    buffer_deinit(&text);
}

static void reading_goes_on_while_sending_is_blocked(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill_the_socket(&text);
    say("meanwhile");
    for (int left = ENOUGH_TURNS; buffer_is_empty(&user.got) && left > 0; left--)
        reactor_turn(user.reactor, 1);
    expect_text(&user.got, "meanwhile");
    turn_until(buffer_len(&user.heard) == buffer_len(&text));
    buffer_deinit(&text);
}

static void new_keys_are_taken_over_both_ways(void **state)
{
    (void)state;
    user.echoes = true;
    assert_int_equal(SSL_key_update(user.client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    say("new keys");
    turn_until(buffer_len(&user.heard) == 8);
    say(", and on");
    turn_until(buffer_len(&user.heard) == 16);
}

static void new_keys_may_be_asked_for_while_sending_is_blocked(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill_the_socket(&text);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(SSL_key_update(user.client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        say("new keys");
        for (int left = ENOUGH_TURNS; buffer_len(&user.got) < 8 * i && left > 0; left--)
            reactor_turn(user.reactor, 1);
        owner_send(); /* tries, in vain */
    }
    expect_text(&user.got, "new keysnew keysnew keys");
    turn_until(buffer_len(&user.heard) == buffer_len(&text));
    assert_true(bytes_equal(buffer_bytes(&user.heard), buffer_bytes(&text)));
    buffer_deinit(&text);
}

static void a_client_that_asks_for_new_keys_and_never_reads_is_cut(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill_the_socket(&text);
    for (int i = 0; i < 10000 && user.got_end == 1; i++) {
        assert_int_equal(SSL_key_update(user.client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(user.client.ssl), 1);
        client_send();
        reactor_turn(user.reactor, 0);
    }
    assert_int_equal(user.got_end, -ENOBUFS);
    buffer_deinit(&text);
}

static void records_without_data_do_not_hold_the_thread(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(SSL_key_update(user.client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(user.client.ssl), 1);
    }
    say("at last");
    assert_true(buffer_is_empty(&user.sealed)); /* all is in the socket */
    for (int left = ENOUGH_TURNS; buffer_is_empty(&user.got) && left > 0; left--)
        reactor_turn(user.reactor, 0);
    expect_text(&user.got, "at last");
    assert_true(user.readable > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTED_TEST(a_megabyte_goes_both_ways),
        CONNECTED_TEST(any_size_of_reading_gets_every_byte),
        CONNECTED_TEST(what_was_not_read_is_told_again_though_the_socket_is_empty),
        CONNECTED_TEST(paused_reading_keeps_what_is_decrypted_until_resumed),
        CONNECTED_TEST(an_owner_that_does_not_read_is_told_again_and_again),
        CONNECTED_TEST(pausing_and_resuming_at_every_step_loses_nothing),
        CONNECTED_TEST(small_pieces_leave_in_one_record_and_one_segment),
        CONNECTED_TEST(pieces_of_all_sizes_are_sent_in_order_in_full_records),
        CONNECTED_TEST(a_full_socket_says_eagain_and_goes_on_when_writable),
        CONNECTED_TEST(a_record_that_was_begun_is_finished_though_nobody_waits),
        CONNECTED_TEST(reading_goes_on_while_sending_is_blocked),
        CONNECTED_TEST(new_keys_are_taken_over_both_ways),
        CONNECTED_TEST(new_keys_may_be_asked_for_while_sending_is_blocked),
        CONNECTED_TEST(a_client_that_asks_for_new_keys_and_never_reads_is_cut),
        CONNECTED_TEST(records_without_data_do_not_hold_the_thread),
    };
    return cmocka_run_group_tests(tests, make_pem, free_pem);
}
