/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tls_server.c: any bytes in place of a TLS client's, and any order of events on a connection over TLS.
 *
 * Without a leading 0xff the input is what a client sends: its end must be told, not a byte may reach the owner, and
 * how the bytes are cut must make no difference.  After 0xff it is a script of a client that has shaken hands: what one
 * side sends the other must hear, whole and in order, however reading is paused and whatever is in between. */
/* uses: net base */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tests/unit/net/tls_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MANY_TURNS = 4000, MAX_INPUT_BYTES = 64 * 1024, MAX_STEPS = 48, SCRIPT = 0xff };

struct side {
    size_t sent;  /* bytes of the pattern */
    size_t heard; /* the same, and all were right */
    bool is_shut;
};

struct fuzz {
    struct reactor *reactor;
    struct tls_client client;
    struct transport *transport;
    int fd; /* the client's end */
    struct side by_client, by_owner;
    struct buffer sealed; /* by the client, not yet sent */
    struct buffer out;    /* of the owner */
    size_t read_size;
    ssize_t end; /* of receiving, 1 before */
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static char pattern(size_t at)
{
    return (char)(at * 7 + (at >> 8) * 13);
}

static void append_pattern(struct buffer *buffer, struct side *side, size_t count)
{
    char *text = buffer_reserve(buffer, count);
    for (size_t i = 0; i < count; i++)
        text[i] = pattern(side->sent++);
    buffer_commit(buffer, count);
}

static void hear(struct side *side, struct bytes text)
{
    bool is_right = true;
    for (size_t i = 0; i < text.len; i++)
        is_right &= text.data[i] == pattern(side->heard++);
    require(is_right);
}

static void owner_send(struct fuzz *fuzz)
{
    struct bytes text = buffer_bytes(&fuzz->out);
    if (text.len > 0) {
        size_t half = text.len / 2;
        struct iovec pieces[] = {{fuzz->out.data + fuzz->out.head, half},
                                 {fuzz->out.data + fuzz->out.head + half, text.len - half}};
        ssize_t sent = transport_sendv(fuzz->transport, pieces, 2);
        if (sent > 0)
            buffer_consume(&fuzz->out, (size_t)sent);
        else if (sent != -EAGAIN)
            buffer_clear(&fuzz->out);
    }
    transport_want_write(fuzz->transport, !buffer_is_empty(&fuzz->out));
}

static void on_readable(struct transport *transport)
{
    struct fuzz *fuzz = transport->owner_data;
    char data[4096];
    ssize_t got = transport_recv(transport, data, fuzz->read_size);
    if (got > 0)
        hear(&fuzz->by_client, bytes_make(data, (size_t)got));
    else if (got != -EAGAIN)
        fuzz->end = got;
}

static void on_writable(struct transport *transport)
{
    owner_send(transport->owner_data);
}

static const struct transport_owner owner = {.on_readable = on_readable, .on_writable = on_writable};

static struct tls_server *server_of_this_process(void)
{
    static struct tls_server *server;
    if (server == NULL) {
        struct tls_pem pem;
        tls_pem_init(&pem);
        server = tls_pem_server(&pem, 0);
        tls_pem_deinit(&pem);
    }
    return server;
}

/* Contexts are dear to make, and keep nothing of a connection: tickets are thrown away. */
static SSL_CTX *client_context_of_this_process(void)
{
    static SSL_CTX *context;
    if (context == NULL)
        context = SSL_CTX_new(TLS_client_method());
    require(context != NULL && SSL_CTX_up_ref(context) == 1);
    return context;
}

static void start(struct fuzz *fuzz)
{
    int ends[2];
    *fuzz = (struct fuzz){.reactor = reactor_new("fuzz"), .read_size = 4096, .end = 1};
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    fuzz->fd = ends[0];
    fuzz->transport = tls_adopt(fuzz->reactor, ends[1], server_of_this_process(), &owner, fuzz);
    require(fuzz->transport != NULL);
}

static void stop(struct fuzz *fuzz)
{
    transport_close(fuzz->transport, false);
    reactor_free(fuzz->reactor);
    close(fuzz->fd);
    buffer_deinit(&fuzz->sealed);
    buffer_deinit(&fuzz->out);
}

static void discard_answers(struct fuzz *fuzz)
{
    char data[4096];
    while (recv(fuzz->fd, data, sizeof(data), 0) > 0)
        ;
}

static ssize_t end_of(struct bytes input, size_t step)
{
    struct fuzz fuzz;
    start(&fuzz);
    while (input.len > 0 && fuzz.end == 1) {
        size_t len = input.len < step ? input.len : step;
        ssize_t sent = send(fuzz.fd, input.data, len, MSG_NOSIGNAL);
        if (sent > 0)
            input = bytes_skip(input, (size_t)sent);
        reactor_turn(fuzz.reactor, 0);
        discard_answers(&fuzz);
    }
    shutdown(fuzz.fd, SHUT_WR);
    for (int i = 0; i < MANY_TURNS && fuzz.end == 1; i++)
        reactor_turn(fuzz.reactor, 0);
    require(fuzz.end != 1 && fuzz.by_client.heard == 0);
    ssize_t end = fuzz.end;
    stop(&fuzz);
    return end;
}

static void client_turn(struct fuzz *fuzz)
{
    struct buffer heard = {0};
    char data[16384];
    ssize_t got;
    while ((got = recv(fuzz->fd, data, sizeof(data), 0)) > 0)
        tls_client_feed(&fuzz->client, bytes_make(data, (size_t)got));
    tls_client_read(&fuzz->client, &heard);
    hear(&fuzz->by_owner, buffer_bytes(&heard));
    buffer_deinit(&heard);
    tls_client_take(&fuzz->client, &fuzz->sealed);
    struct bytes sealed = buffer_bytes(&fuzz->sealed);
    ssize_t sent = sealed.len > 0 ? send(fuzz->fd, sealed.data, sealed.len, MSG_NOSIGNAL) : 0;
    if (sent > 0)
        buffer_consume(&fuzz->sealed, (size_t)sent);
}

static void client_write(struct fuzz *fuzz, size_t count)
{
    struct buffer text = {0};
    append_pattern(&text, &fuzz->by_client, count);
    tls_client_write(&fuzz->client, buffer_bytes(&text));
    buffer_deinit(&text);
}

static void client_renew_keys(struct fuzz *fuzz, bool both)
{
    require(SSL_key_update(fuzz->client.ssl, both ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    require(SSL_do_handshake(fuzz->client.ssl) == 1);
}

static void client_shut(struct fuzz *fuzz)
{
    require(SSL_shutdown(fuzz->client.ssl) >= 0);
    fuzz->by_client.is_shut = true;
}

static void owner_write(struct fuzz *fuzz, size_t count)
{
    append_pattern(&fuzz->out, &fuzz->by_owner, count);
    owner_send(fuzz);
}

static void owner_shut(struct fuzz *fuzz)
{
    transport_shutdown_write(fuzz->transport);
    fuzz->by_owner.is_shut = true;
}

static void run_step(struct fuzz *fuzz, uint8_t step, uint8_t argument)
{
    switch (step % 9) {
    case 0:
        if (!fuzz->by_client.is_shut)
            client_write(fuzz, (size_t)argument * 80);
        break;
    case 1:
        if (!fuzz->by_owner.is_shut)
            owner_write(fuzz, (size_t)argument * 200);
        break;
    case 2:
        transport_want_read(fuzz->transport, argument % 2 == 0);
        break;
    case 3:
        fuzz->read_size = 1 + (size_t)argument * 16;
        break;
    case 4:
        if (!fuzz->by_client.is_shut)
            client_renew_keys(fuzz, argument % 2 == 0);
        break;
    case 5:
        client_turn(fuzz);
        break;
    case 6:
        reactor_turn(fuzz->reactor, 0);
        break;
    case 7:
        if (argument % 8 == 0 && !fuzz->by_client.is_shut)
            client_shut(fuzz);
        break;
    default:
        if (argument % 8 == 0 && buffer_is_empty(&fuzz->out))
            owner_shut(fuzz);
        break;
    }
}

static bool is_all_heard(const struct fuzz *fuzz)
{
    return fuzz->by_client.heard == fuzz->by_client.sent && fuzz->by_owner.heard == fuzz->by_owner.sent &&
           (!fuzz->by_client.is_shut || fuzz->end == 0);
}

static void run_script(const uint8_t *data, size_t size)
{
    struct fuzz fuzz;
    start(&fuzz);
    fuzz.client.context = client_context_of_this_process();
    tls_client_start(&fuzz.client);
    for (int i = 0; i < MANY_TURNS && !SSL_is_init_finished(fuzz.client.ssl); i++) {
        client_turn(&fuzz);
        reactor_turn(fuzz.reactor, 0);
    }
    require(SSL_is_init_finished(fuzz.client.ssl));
    for (size_t i = 0; i + 1 < size && i < MAX_STEPS * 2; i += 2)
        run_step(&fuzz, data[i], data[i + 1]);
    transport_want_read(fuzz.transport, true);
    if (fuzz.read_size < 1024)
        fuzz.read_size = 1024; /* or else the turns would not do */
    for (int i = 0; i < MANY_TURNS && !is_all_heard(&fuzz); i++) {
        client_turn(&fuzz);
        reactor_turn(fuzz.reactor, 0);
    }
    require(is_all_heard(&fuzz) && (fuzz.end == 1 || fuzz.by_client.is_shut));
    stop(&fuzz);
    tls_client_deinit(&fuzz.client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MAX_INPUT_BYTES)
        return 0;
    if (size > 0 && data[0] == SCRIPT) {
        run_script(data + 1, size - 1);
        return 0;
    }
    struct bytes input = bytes_make((const char *)data, size);
    ssize_t end = end_of(input, MAX_INPUT_BYTES);
    require(end_of(input, 7) == end);
    return 0;
}
