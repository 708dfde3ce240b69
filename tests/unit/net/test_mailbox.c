/* SPDX-License-Identifier: Apache-2.0 */
/* test_mailbox.c: order, waking, and several threads that post at once. */
#include "net/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { POSTERS = 4, LETTERS = 2000 };

struct letter {
    struct mail mail;
    struct inbox *inbox;
    unsigned poster;
    unsigned number;
};

struct inbox {
    struct mailbox *mailbox;
    unsigned received;
    unsigned next_from[POSTERS];
    unsigned disordered;
};

static void receive(struct mail *mail)
{
    struct letter *letter = container_of(mail, struct letter, mail);
    struct inbox *inbox = letter->inbox;
    inbox->received++;
    if (letter->number != inbox->next_from[letter->poster]++)
        inbox->disordered++;
    free(letter);
}

static void post(struct inbox *inbox, unsigned poster, unsigned number)
{
    struct letter *letter = calloc(1, sizeof(*letter));
    if (letter == NULL)
        abort();
    *letter = (struct letter){.mail.deliver = receive, .inbox = inbox, .poster = poster, .number = number};
    mailbox_post(inbox->mailbox, &letter->mail);
}

static bool is_awake(const struct inbox *inbox, int timeout_ms)
{
    struct pollfd fd = {.fd = mailbox_fd(inbox->mailbox), .events = POLLIN};
    return poll(&fd, 1, timeout_ms) == 1;
}

static void mail_wakes_the_receiver_and_comes_in_order(void **state)
{
    (void)state;
    struct inbox inbox = {.mailbox = mailbox_new()};
    assert_false(is_awake(&inbox, 0));
    for (unsigned i = 0; i < 3; i++)
        post(&inbox, 0, i);
    assert_true(is_awake(&inbox, 0));
    mailbox_deliver_all(inbox.mailbox);
    assert_int_equal(inbox.received, 3);
    assert_int_equal(inbox.disordered, 0);
    assert_false(is_awake(&inbox, 0));
    mailbox_free(inbox.mailbox);
}

static void post_again(struct mail *mail)
{
    struct letter *letter = container_of(mail, struct letter, mail);
    post(letter->inbox, 0, 0);
    free(letter);
}

static void mail_posted_while_delivering_wakes_the_receiver_again(void **state)
{
    (void)state;
    struct inbox inbox = {.mailbox = mailbox_new()};
    struct letter *first = calloc(1, sizeof(*first));
    assert_non_null(first);
    *first = (struct letter){.mail.deliver = post_again, .inbox = &inbox};
    mailbox_post(inbox.mailbox, &first->mail);
    mailbox_deliver_all(inbox.mailbox);
    assert_int_equal(inbox.received, 0);
    assert_true(is_awake(&inbox, 0));
    mailbox_deliver_all(inbox.mailbox);
    assert_int_equal(inbox.received, 1);
    mailbox_free(inbox.mailbox);
}

struct poster {
    pthread_t thread;
    struct inbox *inbox;
    unsigned id;
};

static void *post_many(void *argument)
{
    struct poster *poster = argument;
    for (unsigned i = 0; i < LETTERS; i++)
        post(poster->inbox, poster->id, i);
    return NULL;
}

static void every_letter_of_several_threads_arrives_in_its_poster_s_order(void **state)
{
    (void)state;
    struct inbox inbox = {.mailbox = mailbox_new()};
    struct poster posters[POSTERS];
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.inbox = &inbox, .id = i};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
    }
    /* Waits for readability only: a lost wake-up would end the wait here. */
    while (inbox.received < POSTERS * LETTERS) {
        assert_true(is_awake(&inbox, 30000));
        mailbox_deliver_all(inbox.mailbox);
    }
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    assert_int_equal(inbox.disordered, 0);
    mailbox_free(inbox.mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_wakes_the_receiver_and_comes_in_order),
        cmocka_unit_test(mail_posted_while_delivering_wakes_the_receiver_again),
        cmocka_unit_test(every_letter_of_several_threads_arrives_in_its_poster_s_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
