/* SPDX-License-Identifier: Apache-2.0 */
/* test_listener.c: accepting on loopback: who gets a connection, and that none is lost when a listener goes. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

enum { ENOUGH_TURNS = 50, TURN_MS = 1000, MAX_CLIENTS = 64 };

/* One worker's side. */
struct taker {
    struct reactor *reactor;
    struct listener *listener;
    unsigned accepted, errors;
    int last_error;
    int last_flags, last_descriptor_flags, last_unsent_bytes;
    struct address last_peer;
    bool stops_on_accept;
};

static void take(void *owner_data, int fd, const struct address *peer)
{
    struct taker *taker = owner_data;
    taker->accepted++;
    taker->last_flags = fcntl(fd, F_GETFL);
    taker->last_descriptor_flags = fcntl(fd, F_GETFD);
    taker->last_peer = *peer;
    socklen_t size = sizeof(taker->last_unsent_bytes);
    getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &taker->last_unsent_bytes, &size);
    close(fd);
    if (taker->stops_on_accept) {
        taker->stops_on_accept = false;
        listener_stop(taker->listener);
        taker->listener = NULL;
    }
}

static void note_error(void *owner_data, int error)
{
    struct taker *taker = owner_data;
    taker->errors++;
    taker->last_error = error;
}

static const struct listener_owner owner = {.on_accept = take, .on_accept_error = note_error};

struct hall {
    struct listen_socket *socket;
    struct taker takers[2];
    int clients[MAX_CLIENTS];
    unsigned client_count;
};

static struct hall hall;

static void start(struct taker *taker)
{
    taker->reactor = reactor_new("taker");
    taker->listener = listener_start(taker->reactor, hall.socket, &owner, taker);
    assert_non_null(taker->listener);
}

static void stop(struct taker *taker)
{
    if (taker->listener != NULL)
        listener_stop(taker->listener);
    taker->listener = NULL;
}

static int set_up(void **state)
{
    *state = &hall;
    hall = (struct hall){.client_count = 0};
    struct address any_port;
    if (!address_make(&any_port, BYTES("127.0.0.1"), 0) || listen_socket_open(&any_port, &hall.socket) != 0)
        return -1;
    start(&hall.takers[0]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        stop(&hall.takers[i]);
        reactor_free(hall.takers[i].reactor);
    }
    listen_socket_give_back(hall.socket);
    for (unsigned i = 0; i < hall.client_count; i++)
        close(hall.clients[i]);
    return 0;
}

static void connect_clients(unsigned count)
{
    const struct address *at = listen_socket_address(hall.socket);
    for (unsigned i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, &at->sa.generic, at->len), 0);
        hall.clients[hall.client_count++] = fd;
    }
}

static void turn_until(struct taker *taker, const unsigned *counter, unsigned wanted)
{
    for (int i = 0; i < ENOUGH_TURNS && *counter < wanted; i++)
        reactor_turn(taker->reactor, TURN_MS);
    assert_int_equal(*counter, wanted);
}

static void an_accepted_connection_comes_with_its_peer_and_the_right_flags(void **state)
{
    (void)state;
    struct taker *taker = &hall.takers[0];
    connect_clients(1);
    turn_until(taker, &taker->accepted, 1);
    struct address client = {.len = sizeof(client.sa)};
    getsockname(hall.clients[0], &client.sa.generic, &client.len);
    assert_true(address_equal(&taker->last_peer, &client));
    assert_true((taker->last_flags & O_NONBLOCK) != 0);
    assert_true((taker->last_descriptor_flags & FD_CLOEXEC) != 0);
    /* What the kernel takes for a client that does not read. */
    assert_in_range(taker->last_unsent_bytes, 16 * 1024, 1024 * 1024);
}

static void the_port_that_the_kernel_gave_is_told(void **state)
{
    (void)state;
    assert_int_not_equal(address_port(listen_socket_address(hall.socket)), 0);
}

static void a_taken_port_is_an_error(void **state)
{
    (void)state;
    struct listen_socket *second = NULL;
    assert_int_equal(listen_socket_open(listen_socket_address(hall.socket), &second), -EADDRINUSE);
    assert_null(second);
}

static void a_port_is_free_again_after_the_last_holder_gives_it_back(void **state)
{
    (void)state;
    struct address address = *listen_socket_address(hall.socket);
    struct listen_socket *held = listen_socket_take(hall.socket);
    stop(&hall.takers[0]);
    listen_socket_give_back(hall.socket);
    hall.socket = NULL;
    assert_int_equal(listen_socket_open(&address, &hall.socket), -EADDRINUSE);
    listen_socket_give_back(held);
    assert_int_equal(listen_socket_open(&address, &hall.socket), 0);
}

static void an_address_that_is_not_ours_is_an_error(void **state)
{
    (void)state;
    struct address elsewhere;
    struct listen_socket *none = NULL;
    assert_true(address_make(&elsewhere, BYTES("192.0.2.1"), 0));
    assert_int_equal(listen_socket_open(&elsewhere, &none), -EADDRNOTAVAIL);
}

static void a_long_queue_is_taken_over_several_turns(void **state)
{
    (void)state;
    struct taker *taker = &hall.takers[0];
    connect_clients(40);
    reactor_turn(taker->reactor, TURN_MS);
    assert_in_range(taker->accepted, 1, 16);
    turn_until(taker, &taker->accepted, 40);
}

static void stopping_takes_what_is_queued_first(void **state)
{
    (void)state;
    connect_clients(40);
    stop(&hall.takers[0]);
    assert_int_equal(hall.takers[0].accepted, 40);
}

static void stopping_from_within_an_accept_loses_nothing(void **state)
{
    (void)state;
    struct taker *taker = &hall.takers[0];
    taker->stops_on_accept = true;
    connect_clients(20);
    reactor_turn(taker->reactor, TURN_MS);
    assert_int_equal(taker->accepted, 20);
    reactor_turn(taker->reactor, 0);
    assert_int_equal(taker->accepted, 20);
}

static void a_second_worker_goes_on_when_the_first_stops(void **state)
{
    (void)state;
    start(&hall.takers[1]);
    stop(&hall.takers[0]);
    connect_clients(3);
    turn_until(&hall.takers[1], &hall.takers[1].accepted, 3);
    assert_int_equal(hall.takers[0].accepted, 0);
}

static void lack_of_descriptors_pauses_accepting_and_is_told_once_per_pause(void **state)
{
    (void)state;
    struct taker *taker = &hall.takers[0];
    struct rlimit before, none;
    connect_clients(2);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    uint64_t start_ms = reactor_now_ms(taker->reactor);
    for (int i = 0; i < 5; i++)
        reactor_turn(taker->reactor, 0);
    uint64_t pauses = (reactor_now_ms(taker->reactor) - start_ms) / 100; /* more than none only on a stalled machine */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_in_range(taker->errors, 1, 1 + pauses);
    assert_int_equal(taker->last_error, EMFILE);
    assert_int_equal(taker->accepted, 0);
    turn_until(taker, &taker->accepted, 2);
}

static void stopping_during_a_pause_is_possible(void **state)
{
    (void)state;
    struct taker *taker = &hall.takers[0];
    struct rlimit before, none;
    connect_clients(1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn_until(taker, &taker->errors, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    stop(taker);
    assert_int_equal(taker->accepted, 1);
    reactor_turn(taker->reactor, 0);
}

#define LISTENER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTENER_TEST(an_accepted_connection_comes_with_its_peer_and_the_right_flags),
        LISTENER_TEST(the_port_that_the_kernel_gave_is_told),
        LISTENER_TEST(a_taken_port_is_an_error),
        LISTENER_TEST(a_port_is_free_again_after_the_last_holder_gives_it_back),
        LISTENER_TEST(an_address_that_is_not_ours_is_an_error),
        LISTENER_TEST(a_long_queue_is_taken_over_several_turns),
        LISTENER_TEST(stopping_takes_what_is_queued_first),
        LISTENER_TEST(stopping_from_within_an_accept_loses_nothing),
        LISTENER_TEST(a_second_worker_goes_on_when_the_first_stops),
        LISTENER_TEST(lack_of_descriptors_pauses_accepting_and_is_told_once_per_pause),
        LISTENER_TEST(stopping_during_a_pause_is_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
