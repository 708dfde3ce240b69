/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c: see credentials.h.
 *
 * Each pair is written key first, so that a start that was cut short between the two goes on at the next one.  Nothing
 * that clients hold a copy of is replaced: what cannot be read is an error, and a person decides. */
#include "kube/apiserver/credentials.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/random.h"
#include "kube/apiserver/pki.h"
#include "kube/apiserver/private_file.h"

enum { TOKEN_BYTES = 32, TOKEN_MIN_CHARS = 16, TOKEN_MAX_CHARS = 512 };

struct credentials {
    struct buffer ca_pem;
    struct buffer certificate_pem;
    struct buffer key_pem;
    struct buffer token;
};

/* What credentials_open() works with. */
struct opening {
    struct credentials *credentials;
    const char *data_folder;
    const struct address *listen;
    time_t now;
    X509 *ca;
    EVP_PKEY *ca_key; /* may be missing */
    X509 *certificate;
    EVP_PKEY *key;
    char *error;
};

#define CA_HELP "restore it, or move ca.crt and ca.key away to get new ones (clients then need the new kubeconfig)"

static bool fail(char *error, const char *format, ...) PRINTF_LIKE(2, 3);
static bool fail(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, CREDENTIALS_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

static bool path_of(struct opening *opening, const char *name, char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/%s", opening->data_folder, name);
    return len < PATH_MAX || fail(opening->error, "%.200s...: the path is too long", opening->data_folder);
}

static bool make_folder(struct opening *opening, const char *path)
{
    int error = private_folder_make(path);
    return error == 0 || fail(opening->error, "%s: cannot make the folder: %s", path, strerror(-error));
}

/* true with nothing in ret_content when the file is missing. */
static bool load(struct opening *opening, const char *name, struct buffer *ret_content)
{
    char path[PATH_MAX];
    if (!path_of(opening, name, path))
        return false;
    int error = private_file_read(path, ret_content);
    if (error == -ENOENT)
        return true;
    if (error != 0)
        return fail(opening->error, "%s: cannot read: %s; make it readable for this user", path, strerror(-error));
    /* An empty file is a broken one, not a missing one. */
    return !buffer_is_empty(ret_content) || fail(opening->error, "%s: the file is empty; restore or remove it", path);
}

static bool store(struct opening *opening, const char *name, struct bytes content)
{
    char path[PATH_MAX];
    if (!path_of(opening, name, path))
        return false;
    int error = private_file_write(path, content);
    return error == 0 || fail(opening->error, "%s: cannot write: %s", path, strerror(-error));
}

static bool load_key(struct opening *opening, const char *name, const char *help, struct buffer *pem,
                     EVP_PKEY **ret_key)
{
    if (!load(opening, name, pem))
        return false;
    if (buffer_is_empty(pem))
        return true;
    *ret_key = pki_key_read(buffer_bytes(pem));
    return *ret_key != NULL ||
           fail(opening->error, "%s/%s: no private key in PEM form; %s", opening->data_folder, name, help);
}

static bool load_certificate(struct opening *opening, const char *name, const char *help, struct buffer *pem,
                             X509 **ret_certificate)
{
    if (!load(opening, name, pem))
        return false;
    if (buffer_is_empty(pem))
        return true;
    *ret_certificate = pki_certificate_read(buffer_bytes(pem));
    return *ret_certificate != NULL ||
           fail(opening->error, "%s/%s: no certificate in PEM form; %s", opening->data_folder, name, help);
}

static bool check_ca(struct opening *opening)
{
    const char *folder = opening->data_folder;
    if (!pki_is_ca(opening->ca))
        return fail(opening->error, "%s/pki/ca.crt: not the certificate of an authority; " CA_HELP, folder);
    if (pki_is_over(opening->ca, opening->now))
        return fail(opening->error, "%s/pki/ca.crt: expired (or the clock is wrong); " CA_HELP, folder);
    if (opening->ca_key != NULL && X509_check_private_key(opening->ca, opening->ca_key) != 1)
        return fail(opening->error, "%s/pki/ca.key: not the key of ca.crt; " CA_HELP, folder);
    return true;
}

static bool make_ca(struct opening *opening)
{
    struct buffer key_pem = {0};
    bool is_made = true;
    if (opening->ca_key == NULL) {
        opening->ca_key = pki_key_new();
        pki_key_write(opening->ca_key, &key_pem);
        is_made = store(opening, "pki/ca.key", buffer_bytes(&key_pem));
        buffer_deinit(&key_pem);
    }
    opening->ca = pki_ca_new(opening->ca_key, opening->now);
    pki_certificate_write(opening->ca, &opening->credentials->ca_pem);
    return is_made && store(opening, "pki/ca.crt", buffer_bytes(&opening->credentials->ca_pem));
}

static bool open_ca(struct opening *opening)
{
    struct buffer key_pem = {0};
    bool is_loaded = load_certificate(opening, "pki/ca.crt", CA_HELP, &opening->credentials->ca_pem, &opening->ca) &&
                     load_key(opening, "pki/ca.key", CA_HELP, &key_pem, &opening->ca_key);
    buffer_deinit(&key_pem);
    if (!is_loaded)
        return false;
    return opening->ca != NULL ? check_ca(opening) : make_ca(opening);
}

static bool make_certificate(struct opening *opening)
{
    struct credentials *credentials = opening->credentials;
    const char *folder = opening->data_folder;
    if (opening->ca_key == NULL)
        return fail(opening->error, "%s/pki/ca.key: missing, and server.crt must be renewed; " CA_HELP, folder);
    EVP_PKEY_free(opening->key);
    X509_free(opening->certificate);
    opening->key = pki_key_new();
    opening->certificate =
        pki_certificate_new(opening->key, opening->listen, opening->ca, opening->ca_key, opening->now);
    if (opening->certificate == NULL)
        return fail(opening->error, "%s/pki/ca.key: cannot sign with it; " CA_HELP, folder);
    buffer_clear(&credentials->key_pem);
    buffer_clear(&credentials->certificate_pem);
    pki_key_write(opening->key, &credentials->key_pem);
    pki_certificate_write(opening->certificate, &credentials->certificate_pem);
    return store(opening, "pki/server.key", buffer_bytes(&credentials->key_pem)) &&
           store(opening, "pki/server.crt", buffer_bytes(&credentials->certificate_pem));
}

static bool open_certificate(struct opening *opening)
{
    static const char help[] = "remove server.crt and server.key to get new ones";
    struct credentials *credentials = opening->credentials;
    if (!load_certificate(opening, "pki/server.crt", help, &credentials->certificate_pem, &opening->certificate) ||
        !load_key(opening, "pki/server.key", help, &credentials->key_pem, &opening->key))
        return false;
    bool is_there = opening->certificate != NULL && opening->key != NULL;
    if (is_there && pki_is_good(opening->certificate, opening->key, opening->ca, opening->listen, opening->now))
        return true;
    return make_certificate(opening);
}

/* RFC 6750 2.1: b64token. */
static bool is_token(struct bytes text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
    if (text.len < TOKEN_MIN_CHARS || text.len > TOKEN_MAX_CHARS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (memchr(allowed, text.data[i], sizeof(allowed) - 1) == NULL)
            return false;
    }
    return true;
}

static bool make_token(struct opening *opening)
{
    struct buffer *token = &opening->credentials->token;
    unsigned char secret[TOKEN_BYTES];
    random_fill(secret, sizeof(secret));
    base64url_append(token, bytes_make((const char *)secret, sizeof(secret)));
    OPENSSL_cleanse(secret, sizeof(secret));
    buffer_append_char(token, '\n');
    return store(opening, "token", buffer_bytes(token));
}

static bool open_token(struct opening *opening)
{
    struct buffer *token = &opening->credentials->token;
    if (!load(opening, "token", token) || (buffer_is_empty(token) && !make_token(opening)))
        return false;
    struct bytes line = buffer_bytes(token);
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    token->tail = token->head + line.len;
    return is_token(line) ||
           fail(opening->error,
                "%s/token: not one line of %d to %d letters, digits and -._~+/=; restore it, or remove "
                "it to get a new one (clients then need the new kubeconfig)",
                opening->data_folder, TOKEN_MIN_CHARS, TOKEN_MAX_CHARS);
}

struct credentials *credentials_open(const char *data_folder, const struct address *listen, uint64_t now_ms,
                                     char error[CREDENTIALS_ERROR_SIZE])
{
    struct opening opening = {.credentials = must(calloc(1, sizeof(struct credentials))),
                              .data_folder = data_folder,
                              .listen = listen,
                              .now = (time_t)(now_ms / 1000),
                              .error = error};
    char pki_folder[PATH_MAX];
    bool is_open = path_of(&opening, "pki", pki_folder) && make_folder(&opening, data_folder) &&
                   make_folder(&opening, pki_folder) && open_ca(&opening) && open_certificate(&opening) &&
                   open_token(&opening);
    X509_free(opening.ca);
    EVP_PKEY_free(opening.ca_key);
    X509_free(opening.certificate);
    EVP_PKEY_free(opening.key);
    if (is_open)
        return opening.credentials;
    credentials_free(opening.credentials);
    return NULL;
}

void credentials_free(struct credentials *credentials)
{
    if (credentials == NULL)
        return;
    buffer_deinit(&credentials->ca_pem);
    buffer_deinit(&credentials->certificate_pem);
    buffer_deinit(&credentials->key_pem);
    buffer_deinit(&credentials->token);
    free(credentials);
}

struct bytes credentials_ca(const struct credentials *credentials)
{
    return buffer_bytes(&credentials->ca_pem);
}

struct bytes credentials_certificate(const struct credentials *credentials)
{
    return buffer_bytes(&credentials->certificate_pem);
}

struct bytes credentials_key(const struct credentials *credentials)
{
    return buffer_bytes(&credentials->key_pem);
}

struct bytes credentials_token(const struct credentials *credentials)
{
    return buffer_bytes(&credentials->token);
}

bool credentials_token_matches(const struct credentials *credentials, struct bytes authorization)
{
    static const struct bytes scheme = BYTES("Bearer ");
    if (!bytes_starts_with_nocase(authorization, scheme))
        return false;
    struct bytes given = bytes_trim(bytes_skip(authorization, scheme.len));
    struct bytes token = buffer_bytes(&credentials->token);
    return given.len == token.len && CRYPTO_memcmp(given.data, token.data, token.len) == 0;
}

/* Where clients on this machine reach it. */
static void append_server(struct buffer *text, const struct address *listen)
{
    struct address at = *listen;
    char where[ADDRESS_TEXT_SIZE];
    if (address_is_wildcard(listen)) {
        bool is_v6 = listen->sa.generic.sa_family == AF_INET6;
        address_make(&at, is_v6 ? BYTES("::1") : BYTES("127.0.0.1"), address_port(listen));
    }
    address_text(&at, where);
    buffer_printf(text, "    server: \"https://%s\"\n", where);
}

/* Tokens have no character that means something between the quotes. */
static void append_kubeconfig(struct buffer *text, const struct credentials *credentials, const struct address *listen)
{
    buffer_append_str(text, "apiVersion: v1\nkind: Config\ncurrent-context: serin\nclusters:\n"
                            "- name: serin\n  cluster:\n");
    append_server(text, listen);
    buffer_append_str(text, "    certificate-authority-data: ");
    base64_append(text, credentials_ca(credentials));
    buffer_append_str(text, "\nusers:\n- name: serin\n  user:\n    token: \"");
    buffer_append(text, credentials_token(credentials));
    buffer_append_str(text, "\"\ncontexts:\n- name: serin\n  context:\n    cluster: serin\n    user: serin\n"
                            "    namespace: default\n");
}

bool credentials_write_kubeconfig(const struct credentials *credentials, const char *path, const struct address *listen,
                                  char error[CREDENTIALS_ERROR_SIZE])
{
    struct buffer text = {0};
    append_kubeconfig(&text, credentials, listen);
    int result = private_file_write(path, buffer_bytes(&text));
    buffer_deinit(&text);
    return result == 0 || fail(error, "%s: cannot write: %s", path, strerror(-result));
}
