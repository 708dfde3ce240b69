/* SPDX-License-Identifier: Apache-2.0 */
/* Single calls against a server played by hand: each ends once, and leaves no connection. */
#include "unit/http/harness.h"

#include "http/single_call.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

struct world {
    struct reactor *reactor;
    struct single_call call;
    struct address at;
    int listening;
    int fd;
    unsigned ends;
    enum single_end end;
};

static void on_done(struct single_call *call, enum single_end end)
{
    struct world *world = container_of(call, struct world, call);
    world->ends++;
    world->end = end;
}

static int setup(void **state)
{
    struct world *world = must(calloc(1, sizeof *world));
    world->fd = -1;
    world->reactor = reactor_new("test");
    world->listening = listen_on_loopback(&world->at);
    set_nonblocking(world->listening);
    single_call_init(&world->call, world->reactor, on_done);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    single_call_deinit(&world->call);
    reactor_free(world->reactor);
    close(world->listening);
    if (world->fd >= 0)
        close(world->fd);
    free(world);
    return 0;
}

static void ask(struct world *world, const char *body, size_t keep_bytes, uint32_t timeout_ms)
{
    single_call_start(&world->call, &(struct single_request){.to = &world->at,
                                                             .method = HTTP_GET,
                                                             .head = BYTES(REQUEST),
                                                             .body = bytes_of(body),
                                                             .keep_bytes = keep_bytes,
                                                             .timeout_ms = timeout_ms});
}

static bool is_accepted(struct world *world)
{
    if (world->fd < 0)
        world->fd = accept4(world->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return world->fd >= 0;
}

static void answer(struct world *world, const char *text)
{
    turn_until(world->reactor, is_accepted(world));
    assert_int_equal(write(world->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The other end sees the connection go. */
static bool is_left(struct world *world)
{
    char scratch[256];
    ssize_t got;
    while ((got = read(world->fd, scratch, sizeof scratch)) > 0)
        ;
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static void a_whole_answer_is_kept_and_the_connection_is_not(void **state)
{
    struct world *world = *state;
    ask(world, "body", 100, 60000);
    answer(world, "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello");
    turn_until(world->reactor, world->ends > 0);
    assert_int_equal(world->end, SINGLE_ANSWERED);
    assert_int_equal(world->call.status, 201);
    assert_false(world->call.is_truncated);
    assert_true(bytes_equal(buffer_bytes(&world->call.answer), BYTES("hello")));
    turn_until(world->reactor, is_left(world));
    assert_int_equal(world->ends, 1);
}

static void of_a_long_answer_nothing_beyond_the_limit_is_kept(void **state)
{
    struct world *world = *state;
    ask(world, "", 3, 60000);
    answer(world, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    turn_until(world->reactor, world->ends > 0);
    assert_int_equal(world->end, SINGLE_ANSWERED);
    assert_true(world->call.is_truncated);
    assert_true(buffer_len(&world->call.answer) <= 3);
}

static void an_answer_that_is_cut_fails(void **state)
{
    struct world *world = *state;
    ask(world, "", 100, 60000);
    answer(world, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    close(world->fd);
    world->fd = -1;
    turn_until(world->reactor, world->ends > 0);
    assert_int_equal(world->end, SINGLE_FAILED);
    assert_int_equal(world->call.failure, CLIENT_FAILURE_CUT);
}

static void silence_ends_in_time(void **state)
{
    struct world *world = *state;
    ask(world, "", 100, 5);
    turn_until(world->reactor, world->ends > 0);
    assert_int_equal(world->end, SINGLE_TIMED_OUT);
}

static void one_that_runs_is_not_started_again_and_a_stopped_one_says_nothing(void **state)
{
    struct world *world = *state;
    ask(world, "", 100, 60000);
    ask(world, "", 100, 60000);
    turn_until(world->reactor, is_accepted(world));
    settle(world->reactor);
    assert_true(accept4(world->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) < 0);
    single_call_stop(&world->call);
    turn_until(world->reactor, is_left(world));
    assert_int_equal(world->ends, 0);
    close(world->fd);
    world->fd = -1;
    ask(world, "", 100, 60000);
    answer(world, "HTTP/1.1 204 No Content\r\n\r\n");
    turn_until(world->reactor, world->ends > 0);
    assert_int_equal(world->call.status, 204);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_whole_answer_is_kept_and_the_connection_is_not),
        TEST(of_a_long_answer_nothing_beyond_the_limit_is_kept),
        TEST(an_answer_that_is_cut_fails),
        TEST(silence_ends_in_time),
        TEST(one_that_runs_is_not_started_again_and_a_stopped_one_says_nothing),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
