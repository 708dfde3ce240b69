/* SPDX-License-Identifier: Apache-2.0 */
/* test_reactor.c: the loop, turned by hand over socket pairs. */
#include "net/reactor.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { PAIRS = 3 };

struct end {
    struct reactor_watch watch;
    struct room *room;
    int other_fd; /* what is written here is read by the watch */
    unsigned events;
    void (*extra)(struct end *end);
};

struct room {
    struct reactor *reactor;
    struct end ends[PAIRS];
};

static void read_one(struct reactor_watch *watch, uint32_t events)
{
    (void)events;
    struct end *end = container_of(watch, struct end, watch);
    char byte;
    assert_int_equal(read(watch->fd, &byte, 1), 1);
    end->events++;
    if (end->extra != NULL)
        end->extra(end);
}

static struct room room;

static int set_up(void **state)
{
    *state = &room;
    room = (struct room){.reactor = reactor_new("test")};
    for (int i = 0; i < PAIRS; i++) {
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
            return -1;
        room.ends[i].room = &room;
        room.ends[i].other_fd = fds[1];
        reactor_watch_init(&room.ends[i].watch, fds[0], read_one);
        if (reactor_watch_set(room.reactor, &room.ends[i].watch, EPOLLIN) != 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        reactor_unwatch(room.reactor, &room.ends[i].watch);
        close(room.ends[i].watch.fd);
        close(room.ends[i].other_fd);
    }
    reactor_free(room.reactor);
    return 0;
}

static void poke(int i)
{
    assert_int_equal(write(room.ends[i].other_fd, "x", 1), 1);
}

static unsigned total_events(void)
{
    return room.ends[0].events + room.ends[1].events + room.ends[2].events;
}

static void a_readable_descriptor_is_told_to_its_watch_only(void **state)
{
    (void)state;
    poke(1);
    reactor_turn(room.reactor, 0);
    assert_int_equal(room.ends[1].events, 1);
    assert_int_equal(total_events(), 1);
    reactor_turn(room.reactor, 0);
    assert_int_equal(total_events(), 1);
}

static void unwatch_the_others(struct end *end)
{
    for (int i = 0; i < PAIRS; i++) {
        if (&end->room->ends[i] != end)
            reactor_unwatch(end->room->reactor, &end->room->ends[i].watch);
    }
}

static void an_event_collected_already_is_not_told_after_unwatching(void **state)
{
    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        room.ends[i].extra = unwatch_the_others;
        poke(i);
    }
    reactor_turn(room.reactor, 0);
    assert_int_equal(total_events(), 1);
    reactor_turn(room.reactor, 0);
    assert_int_equal(total_events(), 1);
}

static void a_watch_may_unwatch_itself_and_be_set_again(void **state)
{
    (void)state;
    struct end *end = &room.ends[0];
    reactor_unwatch(room.reactor, &end->watch);
    reactor_unwatch(room.reactor, &end->watch); /* harmless */
    poke(0);
    reactor_turn(room.reactor, 0);
    assert_int_equal(end->events, 0);
    assert_int_equal(reactor_watch_set(room.reactor, &end->watch, EPOLLIN), 0);
    reactor_turn(room.reactor, 0);
    assert_int_equal(end->events, 1);
}

static void watching_a_closed_descriptor_is_an_error(void **state)
{
    (void)state;
    struct reactor_watch watch;
    reactor_watch_init(&watch, -1, read_one);
    assert_int_equal(reactor_watch_set(room.reactor, &watch, EPOLLIN), -EBADF);
    assert_int_equal(watch.events, 0);
}

struct alarm {
    struct wheel_timer timer;
    unsigned rings;
};

static void ring(struct wheel_timer *timer)
{
    container_of(timer, struct alarm, timer)->rings++;
}

static void a_timer_ends_the_wait_and_runs(void **state)
{
    (void)state;
    struct alarm alarm = {.rings = 0};
    wheel_timer_init(&alarm.timer, ring);
    reactor_timer_set(room.reactor, &alarm.timer, 2);
    for (int turns = 0; alarm.rings == 0; turns++) {
        reactor_turn(room.reactor, -1);
        assert_true(turns < 4); /* it slept instead of spinning */
    }
    reactor_timer_set(room.reactor, &alarm.timer, UINT64_MAX);
    reactor_timer_cancel(room.reactor, &alarm.timer);
    reactor_turn(room.reactor, 0);
    assert_int_equal(alarm.rings, 1);
}

struct job {
    struct reactor_task task;
    struct reactor *reactor;
    unsigned runs;
    unsigned again;
};

static void run_job(struct reactor_task *task)
{
    struct job *job = container_of(task, struct job, task);
    job->runs++;
    if (job->again > 0) {
        job->again--;
        reactor_task_schedule(job->reactor, task);
    }
}

static void a_task_runs_once_a_turn_and_keeps_the_next_turn_from_waiting(void **state)
{
    (void)state;
    struct job job = {.reactor = room.reactor, .again = 1};
    reactor_task_init(&job.task, run_job);
    reactor_task_schedule(room.reactor, &job.task);
    reactor_task_schedule(room.reactor, &job.task); /* harmless */
    reactor_turn(room.reactor, -1);
    assert_int_equal(job.runs, 1);
    reactor_turn(room.reactor, -1);
    assert_int_equal(job.runs, 2);
    reactor_task_schedule(room.reactor, &job.task);
    reactor_task_cancel(&job.task);
    reactor_task_cancel(&job.task); /* harmless */
    reactor_turn(room.reactor, 0);
    assert_int_equal(job.runs, 2);
}

struct corpse {
    struct reactor_reclaim node;
    struct reactor *reactor;
    struct corpse *next;
    unsigned *freed;
};

static void bury(struct reactor_reclaim *node)
{
    struct corpse *corpse = container_of(node, struct corpse, node);
    ++*corpse->freed;
    if (corpse->next != NULL)
        reactor_reclaim_later(corpse->reactor, &corpse->next->node);
    free(corpse);
}

static struct corpse *corpse_new(struct corpse *next, unsigned *freed)
{
    struct corpse *corpse = calloc(1, sizeof(*corpse));
    assert_non_null(corpse);
    *corpse = (struct corpse){.node.reclaim = bury, .reactor = room.reactor, .next = next, .freed = freed};
    return corpse;
}

static void what_is_reclaimed_goes_at_the_end_of_the_turn_with_what_it_holds(void **state)
{
    (void)state;
    unsigned freed = 0;
    struct corpse *corpse = corpse_new(corpse_new(NULL, &freed), &freed);
    reactor_reclaim_later(room.reactor, &corpse->node);
    assert_int_equal(freed, 0);
    reactor_turn(room.reactor, -1);
    assert_int_equal(freed, 2);
}

struct letter {
    struct mail mail;
    struct reactor *reactor;
    unsigned *delivered;
    bool stops;
};

static void deliver(struct mail *mail)
{
    struct letter *letter = container_of(mail, struct letter, mail);
    ++*letter->delivered;
    if (letter->stops)
        reactor_stop(letter->reactor);
    free(letter);
}

static void post(struct reactor *reactor, unsigned *delivered, bool stops)
{
    struct letter *letter = calloc(1, sizeof(*letter));
    if (letter == NULL)
        abort();
    *letter = (struct letter){.mail.deliver = deliver, .reactor = reactor, .delivered = delivered, .stops = stops};
    mailbox_post(reactor_mailbox(reactor), &letter->mail);
}

static void mail_ends_the_wait_and_is_delivered(void **state)
{
    (void)state;
    unsigned delivered = 0;
    post(room.reactor, &delivered, false);
    post(room.reactor, &delivered, false);
    reactor_turn(room.reactor, -1);
    assert_int_equal(delivered, 2);
}

static void mail_to_a_stopped_reactor_is_delivered_when_it_is_freed(void **state)
{
    (void)state;
    struct reactor *reactor = reactor_new("stopped");
    unsigned delivered = 0;
    post(reactor, &delivered, false);
    reactor_free(reactor);
    assert_int_equal(delivered, 1);
}

static void *run_reactor(void *argument)
{
    reactor_run(argument);
    return NULL;
}

static void mail_from_another_thread_stops_the_loop(void **state)
{
    (void)state;
    struct reactor *reactor = reactor_new("other thread");
    unsigned delivered = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_reactor, reactor), 0);
    for (int i = 0; i < 100; i++)
        post(reactor, &delivered, i == 99);
    pthread_join(thread, NULL);
    reactor_free(reactor);
    assert_int_equal(delivered, 100);
}

static void another_thread_stops_the_loop(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) { /* before, while and after the loop starts to wait */
        struct reactor *reactor = reactor_new("other thread");
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, run_reactor, reactor), 0);
        reactor_stop(reactor);
        pthread_join(thread, NULL);
        reactor_free(reactor);
    }
}

struct received_signal {
    int signal;
    int pid;
    unsigned count;
};

static void note_signal(void *context, int signal, int pid)
{
    struct received_signal *received = context;
    *received = (struct received_signal){.signal = signal, .pid = pid, .count = received->count + 1};
}

static void a_signal_is_told_with_its_sender(void **state)
{
    (void)state;
    static const int signals[] = {SIGUSR1, SIGHUP};
    struct received_signal received = {.count = 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    assert_int_equal(reactor_watch_signals(room.reactor, signals, 2, note_signal, &received), 0);
    kill(getpid(), SIGUSR1);
    reactor_turn(room.reactor, -1);
    assert_int_equal(received.count, 1);
    assert_int_equal(received.signal, SIGUSR1);
    assert_int_equal(received.pid, getpid());
}

static void the_time_of_a_turn_stands_still_until_the_next(void **state)
{
    (void)state;
    reactor_turn(room.reactor, 0);
    uint64_t now_us = reactor_now_us(room.reactor);
    assert_int_equal(reactor_now_ms(room.reactor), now_us / 1000);
    assert_int_equal(reactor_now_us(room.reactor), now_us);
    assert_string_equal(reactor_name(room.reactor), "test");
}

#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Whether paced events are told now is up to the clock: long enough for a slow machine, short enough to wait for. */
enum { WINDOW_US = 300000 };

static void say(struct end *end)
{
    assert_int_equal(write(end->other_fd, "x", 1), 1);
}

static void turn_until_told(struct room *in, struct end *end, unsigned events)
{
    while (end->events < events)
        reactor_turn(in->reactor, -1);
    assert_int_equal(end->events, events);
}

/* Two of them come one behind the other, on a machine that may have halted between them for longer than counts as
 * that; gives when the last one was told. */
static uint64_t make_dense(struct room *in)
{
    assert_int_equal(reactor_set_window(in->reactor, WINDOW_US), 0);
    for (int i = 0; i < 2; i++)
        reactor_pace(in->reactor, &in->ends[i].watch, true);
    uint64_t told_us = 0, before_us;
    do {
        in->ends[0].events = 1;
        say(&in->ends[0]);
        turn_until_told(in, &in->ends[0], 2);
        before_us = told_us;
        told_us = reactor_now_us(in->reactor);
    } while (told_us - before_us >= 2ull * WINDOW_US);
    return told_us;
}

static void dense_paced_events_wait_for_each_other(void **state)
{
    struct room *in = *state;
    uint64_t told_us = make_dense(in);
    say(&in->ends[0]);
    say(&in->ends[1]);
    say(&in->ends[2]); /* is not paced */
    turn_until_told(in, &in->ends[2], 1);
    assert_true(in->ends[0].events == 2 || reactor_now_us(in->reactor) >= told_us + WINDOW_US);
    turn_until_told(in, &in->ends[0], 3);
    assert_true(reactor_now_us(in->reactor) >= told_us + WINDOW_US);
    assert_int_equal(in->ends[1].events, 1);
}

static void rare_paced_events_are_told_at_once(void **state)
{
    struct room *in = *state;
    uint64_t told_us = make_dense(in);
    while (reactor_now_us(in->reactor) < told_us + WINDOW_US) /* nothing came in the window */
        reactor_turn(in->reactor, -1);
    say(&in->ends[1]);
    reactor_turn(in->reactor, 0);
    assert_int_equal(in->ends[1].events, 1);
}

static void a_watch_that_is_not_paced_any_more_is_told_at_once(void **state)
{
    struct room *in = *state;
    make_dense(in);
    say(&in->ends[0]);
    say(&in->ends[1]);
    reactor_pace(in->reactor, &in->ends[0].watch, false);
    reactor_unwatch(in->reactor, &in->ends[1].watch);
    reactor_turn(in->reactor, 0);
    assert_int_equal(in->ends[0].events, 3);
    reactor_pace(in->reactor, &in->ends[1].watch, false); /* not watched: nothing moves */
    assert_int_equal(in->ends[1].watch.events, 0);
}

static void without_a_window_nothing_is_paced(void **state)
{
    struct room *in = *state;
    assert_int_equal(reactor_set_window(in->reactor, 0), 0);
    reactor_pace(in->reactor, &in->ends[0].watch, true);
    for (unsigned i = 0; i < 4; i++) {
        say(&in->ends[0]);
        reactor_turn(in->reactor, 0);
        assert_int_equal(in->ends[0].events, i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(a_readable_descriptor_is_told_to_its_watch_only),
        ROOM_TEST(an_event_collected_already_is_not_told_after_unwatching),
        ROOM_TEST(a_watch_may_unwatch_itself_and_be_set_again),
        ROOM_TEST(watching_a_closed_descriptor_is_an_error),
        ROOM_TEST(a_timer_ends_the_wait_and_runs),
        ROOM_TEST(a_task_runs_once_a_turn_and_keeps_the_next_turn_from_waiting),
        ROOM_TEST(what_is_reclaimed_goes_at_the_end_of_the_turn_with_what_it_holds),
        ROOM_TEST(mail_ends_the_wait_and_is_delivered),
        ROOM_TEST(dense_paced_events_wait_for_each_other),
        ROOM_TEST(rare_paced_events_are_told_at_once),
        ROOM_TEST(a_watch_that_is_not_paced_any_more_is_told_at_once),
        ROOM_TEST(without_a_window_nothing_is_paced),
        cmocka_unit_test(mail_to_a_stopped_reactor_is_delivered_when_it_is_freed),
        cmocka_unit_test(mail_from_another_thread_stops_the_loop),
        cmocka_unit_test(another_thread_stops_the_loop),
        ROOM_TEST(a_signal_is_told_with_its_sender),
        ROOM_TEST(the_time_of_a_turn_stands_still_until_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
