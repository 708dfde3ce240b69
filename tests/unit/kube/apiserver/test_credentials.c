/* SPDX-License-Identifier: Apache-2.0 */
/* test_credentials.c: the API server's certificates, token and kubeconfig in a folder of the test's own. */
#include "kube/apiserver/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/yaml.h"

#define NOW_MS 1790000000000u
#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

static const char *const all_files[] = {"pki/ca.crt", "pki/ca.key", "pki/server.crt", "pki/server.key", "token"};

struct place {
    char root[64];
    char data[256]; /* does not exist at first */
    struct address listen;
    struct credentials *credentials;
    char error[CREDENTIALS_ERROR_SIZE];
};

static struct place place;

static const char *path_of(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", place.data, name);
    return path;
}

static int set_up(void **state)
{
    *state = &place;
    place = (struct place){.root = "/tmp/serin-credentials-XXXXXX"};
    if (mkdtemp(place.root) == NULL)
        return -1;
    snprintf(place.data, sizeof(place.data), "%s/data", place.root);
    return address_make(&place.listen, BYTES("192.0.2.7"), 6473) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    credentials_free(place.credentials);
    for (size_t i = 0; i < ARRAY_LEN(all_files); i++)
        unlink(path_of(all_files[i]));
    unlink(path_of("kubeconfig"));
    rmdir(path_of("pki"));
    rmdir(place.data);
    return rmdir(place.root); /* nothing else may be left */
}

static bool open_at(uint64_t now_ms)
{
    credentials_free(place.credentials);
    place.error[0] = '\0';
    place.credentials = credentials_open(place.data, &place.listen, now_ms, place.error);
    return place.credentials != NULL;
}

static void open_well(void)
{
    assert_true(open_at(NOW_MS));
    assert_string_equal(place.error, "");
}

static void read_file(const char *name, struct buffer *ret_text)
{
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    buffer_clear(ret_text);
    buffer_commit(ret_text, fread(buffer_reserve(ret_text, 65536), 1, 65536, file));
    fclose(file);
}

static void write_file(const char *name, struct bytes text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
    fclose(file);
}

static X509 *parse(struct bytes pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

/* As a client does: name, purpose, chain and time. */
static int verify(const char *host_or_ip, uint64_t at_ms)
{
    X509 *ca = parse(credentials_ca(place.credentials));
    X509 *certificate = parse(credentials_certificate(place.credentials));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX_init(context, store, certificate, NULL);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, (time_t)(at_ms / 1000));
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host_or_ip) != 1)
        X509_VERIFY_PARAM_set1_host(param, host_or_ip, 0);
    int result = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(ca);
    X509_free(certificate);
    return result;
}

static void the_first_start_makes_everything_for_this_user_only(void **state)
{
    (void)state;
    struct stat status;
    mode_t before = umask(0);
    open_well();
    umask(before);
    for (size_t i = 0; i < ARRAY_LEN(all_files); i++) {
        assert_int_equal(stat(path_of(all_files[i]), &status), 0);
        assert_int_equal(status.st_mode, S_IFREG | 0600);
    }
    assert_int_equal(stat(path_of("pki"), &status), 0);
    assert_int_equal(status.st_mode, S_IFDIR | 0700);
    assert_int_equal(stat(place.data, &status), 0);
    assert_int_equal(status.st_mode, S_IFDIR | 0700);
}

static void a_umask_that_takes_everything_does_not_lock_us_out(void **state)
{
    (void)state;
    assert_int_equal(mkdir(place.data, 0700), 0);
    assert_int_equal(mkdir(path_of("pki"), 0700), 0);
    mode_t before = umask(0777);
    open_well();
    umask(before);
    struct stat status;
    assert_int_equal(stat(path_of("pki/ca.key"), &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
}

static void the_certificate_is_good_for_its_names_and_its_year(void **state)
{
    (void)state;
    open_well();
    static const char *const good[] = {"localhost", "127.0.0.1", "::1", "192.0.2.7"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(verify(good[i], NOW_MS), X509_V_OK);
    assert_int_equal(verify("192.0.2.8", NOW_MS), X509_V_ERR_IP_ADDRESS_MISMATCH);
    assert_int_equal(verify("example.org", NOW_MS), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify("localhost", NOW_MS - DAY_MS / 25), X509_V_OK);
    assert_int_equal(verify("localhost", NOW_MS - DAY_MS / 20), X509_V_ERR_CERT_NOT_YET_VALID);
    assert_int_equal(verify("localhost", NOW_MS + 364 * DAY_MS), X509_V_OK);
    assert_int_equal(verify("localhost", NOW_MS + 366 * DAY_MS), X509_V_ERR_CERT_HAS_EXPIRED);
}

static void the_authority_is_one_for_ten_years(void **state)
{
    (void)state;
    open_well();
    char name[32];
    X509 *ca = parse(credentials_ca(place.credentials));
    X509_NAME_get_text_by_NID(X509_get_subject_name(ca), NID_commonName, name, sizeof(name));
    assert_string_equal(name, "serin");
    assert_true(X509_check_ca(ca) > 0);
    assert_int_equal(X509_get_key_usage(ca) & KU_KEY_CERT_SIGN, KU_KEY_CERT_SIGN);
    time_t before = (time_t)((NOW_MS + 3650 * DAY_MS) / 1000), after = (time_t)((NOW_MS + 3654 * DAY_MS) / 1000);
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(ca), &before), 1);
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(ca), &after), -1);
    X509_free(ca);
}

static void the_token_is_a_line_of_43_characters(void **state)
{
    (void)state;
    open_well();
    struct buffer text = {0};
    struct bytes token = credentials_token(place.credentials);
    assert_int_equal(token.len, 43);
    for (size_t i = 0; i < token.len; i++)
        assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", token.data[i]));
    read_file("token", &text);
    assert_int_equal(buffer_len(&text), 44);
    assert_true(bytes_starts_with(buffer_bytes(&text), token));
    assert_true(bytes_ends_with(buffer_bytes(&text), BYTES("\n")));
    buffer_deinit(&text);
}

static void the_next_start_finds_the_same(void **state)
{
    (void)state;
    struct buffer first[ARRAY_LEN(all_files)] = {0}, second = {0};
    open_well();
    for (size_t i = 0; i < ARRAY_LEN(all_files); i++)
        read_file(all_files[i], &first[i]);
    assert_true(open_at(NOW_MS + 300 * DAY_MS));
    for (size_t i = 0; i < ARRAY_LEN(all_files); i++) {
        read_file(all_files[i], &second);
        assert_true(bytes_equal(buffer_bytes(&first[i]), buffer_bytes(&second)));
    }
    assert_true(bytes_equal(credentials_ca(place.credentials), buffer_bytes(&first[0])));
    assert_true(bytes_equal(credentials_certificate(place.credentials), buffer_bytes(&first[2])));
    assert_true(bytes_equal(credentials_key(place.credentials), buffer_bytes(&first[3])));
    assert_int_equal(credentials_token(place.credentials).len, 43);
    for (size_t i = 0; i < ARRAY_LEN(all_files); i++)
        buffer_deinit(&first[i]);
    buffer_deinit(&second);
}

/* Opens anew; whether the server's certificate is another one.  Authority and token must be as before. */
static bool is_renewed_at(uint64_t now_ms)
{
    struct buffer before[ARRAY_LEN(all_files)] = {0}, after = {0};
    bool is_renewed = false;
    for (size_t i = 0; i < ARRAY_LEN(all_files); i++)
        read_file(all_files[i], &before[i]);
    assert_true(open_at(now_ms));
    for (size_t i = 0; i < ARRAY_LEN(all_files); i++) {
        read_file(all_files[i], &after);
        bool is_same = bytes_equal(buffer_bytes(&before[i]), buffer_bytes(&after));
        bool is_of_server = strncmp(all_files[i], "pki/server", 10) == 0;
        assert_true(is_same || is_of_server);
        is_renewed = is_renewed || !is_same;
        buffer_deinit(&before[i]);
    }
    buffer_deinit(&after);
    return is_renewed;
}

static void the_certificate_is_renewed_when_the_address_is_missing(void **state)
{
    (void)state;
    open_well();
    assert_true(address_make(&place.listen, BYTES("2001:db8::5"), 6473));
    assert_true(is_renewed_at(NOW_MS));
    assert_int_equal(verify("2001:db8::5", NOW_MS), X509_V_OK);
    assert_false(is_renewed_at(NOW_MS));
    assert_true(address_make(&place.listen, BYTES("127.0.0.1"), 6473));
    assert_false(is_renewed_at(NOW_MS));
    assert_true(address_make(&place.listen, BYTES("0.0.0.0"), 6473));
    assert_false(is_renewed_at(NOW_MS));
    assert_true(address_make(&place.listen, BYTES("::"), 6473));
    assert_false(is_renewed_at(NOW_MS));
}

static void the_certificate_is_renewed_in_its_last_thirty_days(void **state)
{
    (void)state;
    open_well();
    assert_false(is_renewed_at(NOW_MS + 334 * DAY_MS));
    assert_true(is_renewed_at(NOW_MS + 336 * DAY_MS));
    assert_int_equal(verify("localhost", NOW_MS + 366 * DAY_MS), X509_V_OK);
    assert_true(is_renewed_at(NOW_MS + 5 * 365 * DAY_MS)); /* long over */
}

static void the_certificate_is_renewed_when_the_clock_went_back_before_it(void **state)
{
    (void)state;
    open_well();
    assert_false(is_renewed_at(NOW_MS - DAY_MS / 25));
    assert_true(is_renewed_at(NOW_MS - 10 * DAY_MS));
}

static void the_certificate_is_renewed_when_it_is_not_the_authoritys(void **state)
{
    (void)state;
    open_well();
    struct buffer certificate = {0}, key = {0};
    read_file("pki/server.crt", &certificate);
    read_file("pki/server.key", &key);
    assert_int_equal(unlink(path_of("pki/ca.crt")), 0);
    assert_int_equal(unlink(path_of("pki/ca.key")), 0);
    open_well(); /* another authority */
    write_file("pki/server.crt", buffer_bytes(&certificate));
    write_file("pki/server.key", buffer_bytes(&key));
    assert_true(is_renewed_at(NOW_MS));
    assert_int_equal(verify("localhost", NOW_MS), X509_V_OK);
    buffer_deinit(&certificate);
    buffer_deinit(&key);
}

static void a_start_that_was_cut_short_is_finished_by_the_next(void **state)
{
    (void)state;
    open_well();
    struct buffer key = {0};
    read_file("pki/server.key", &key);
    assert_int_equal(unlink(path_of("pki/server.crt")), 0); /* the key was written, the certificate was not */
    assert_true(open_at(NOW_MS));
    write_file("pki/server.key", buffer_bytes(&key)); /* renewed: the new key was not written */
    assert_true(is_renewed_at(NOW_MS));
    assert_int_equal(verify("localhost", NOW_MS), X509_V_OK);

    read_file("pki/ca.key", &key);
    assert_int_equal(unlink(path_of("pki/ca.crt")), 0);
    assert_true(open_at(NOW_MS));
    struct buffer again = {0};
    read_file("pki/ca.key", &again);
    assert_true(bytes_equal(buffer_bytes(&key), buffer_bytes(&again)));
    assert_int_equal(verify("localhost", NOW_MS), X509_V_OK);

    write_file("pki/ca.crt.tmp", BYTES("half a certif"));
    assert_int_equal(unlink(path_of("pki/ca.crt")), 0);
    open_well();
    assert_int_equal(access(path_of("pki/ca.crt.tmp"), F_OK), -1);
    buffer_deinit(&key);
    buffer_deinit(&again);
}

static void the_authoritys_key_may_be_kept_elsewhere_until_it_is_needed(void **state)
{
    (void)state;
    open_well();
    assert_int_equal(unlink(path_of("pki/ca.key")), 0);
    open_well();
    assert_int_equal(access(path_of("pki/ca.key"), F_OK), -1);
    assert_true(address_make(&place.listen, BYTES("192.0.2.99"), 6473));
    assert_false(open_at(NOW_MS));
    assert_non_null(strstr(place.error, "pki/ca.key: missing"));
}

static void broken_files_are_named_and_stay_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct bytes text;
        const char *says;
    } cases[] = {
        {"pki/ca.crt", BYTES("nonsense"), "no certificate in PEM form"},
        {"pki/ca.crt", BYTES(""), "empty"},
        {"pki/ca.key", BYTES("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "no private key"},
        {"pki/ca.key", BYTES(""), "empty"},
        {"pki/server.crt", BYTES("-----BEGIN CERTIFICATE-----\n"), "no certificate in PEM form"},
        {"pki/server.key", BYTES("\0\0\0"), "no private key"},
        {"token", BYTES(""), "empty"},
        {"token", BYTES("\n"), "not one line"},
        {"token", BYTES("short\n"), "not one line"},
        {"token", BYTES("two tokens, and words between them\n"), "not one line"},
        {"token", BYTES("first-line-of-a-token\nsecond-line-of-a-token\n"), "not one line"},
        {"token", BYTES("quote\"quote\"quote\"quote\"\n"), "not one line"},
    };
    struct buffer good = {0}, now = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_well();
        read_file(cases[i].name, &good);
        write_file(cases[i].name, cases[i].text);
        assert_false(open_at(NOW_MS));
        assert_non_null(strstr(place.error, path_of(cases[i].name)));
        assert_non_null(strstr(place.error, cases[i].says));
        assert_true(strstr(place.error, "restore") != NULL || strstr(place.error, "remove") != NULL);
        assert_null(strchr(place.error, '\n'));
        read_file(cases[i].name, &now);
        assert_true(bytes_equal(buffer_bytes(&now), cases[i].text));
        write_file(cases[i].name, buffer_bytes(&good));
    }
    buffer_deinit(&good);
    buffer_deinit(&now);
}

static void an_authority_that_is_none_or_over_or_not_the_keys_is_refused(void **state)
{
    (void)state;
    struct buffer ca = {0}, key = {0}, other = {0};
    open_well();
    read_file("pki/ca.crt", &ca);
    read_file("pki/ca.key", &key);
    read_file("pki/server.crt", &other);
    write_file("pki/ca.crt", buffer_bytes(&other));
    assert_false(open_at(NOW_MS));
    assert_non_null(strstr(place.error, "pki/ca.crt: not the certificate of an authority"));
    write_file("pki/ca.crt", buffer_bytes(&ca));

    assert_false(open_at(NOW_MS + 3660 * DAY_MS));
    assert_non_null(strstr(place.error, "pki/ca.crt: expired"));

    read_file("pki/server.key", &other);
    write_file("pki/ca.key", buffer_bytes(&other));
    assert_false(open_at(NOW_MS));
    assert_non_null(strstr(place.error, "pki/ca.key: not the key of ca.crt"));
    buffer_deinit(&ca);
    buffer_deinit(&key);
    buffer_deinit(&other);
}

static void what_cannot_be_read_or_written_is_an_error_with_its_reason(void **state)
{
    (void)state;
    open_well();
    assert_int_equal(unlink(path_of("token")), 0);
    assert_int_equal(mkdir(path_of("token"), 0700), 0);
    assert_false(open_at(NOW_MS));
    assert_non_null(strstr(place.error, "/token: cannot read: Is a directory"));
    assert_int_equal(rmdir(path_of("token")), 0);

    struct buffer huge = {0};
    while (buffer_len(&huge) <= 64 * 1024)
        buffer_append_str(&huge, "0123456789abcdef");
    write_file("token", buffer_bytes(&huge));
    assert_false(open_at(NOW_MS));
    assert_non_null(strstr(place.error, "/token: cannot read: File too large"));
    buffer_deinit(&huge);

    snprintf(place.data, sizeof(place.data), "%s/nowhere/data", place.root);
    assert_false(open_at(NOW_MS));
    assert_non_null(strstr(place.error, "/nowhere/data: cannot make the folder: No such file"));
    snprintf(place.data, sizeof(place.data), "%s/data/token", place.root);
    assert_false(open_at(NOW_MS));
    assert_non_null(strstr(place.error, "/token: cannot make the folder: Not a directory"));
    snprintf(place.data, sizeof(place.data), "%s/data", place.root);
}

static void the_token_opens_and_nothing_else_does(void **state)
{
    (void)state;
    static const char token[] = "0123456789-._~+/=ABCDEF";
    static const struct {
        const char *header;
        bool matches;
    } cases[] = {
        {"Bearer 0123456789-._~+/=ABCDEF", true},
        {"bearer 0123456789-._~+/=ABCDEF", true},
        {"BEARER   0123456789-._~+/=ABCDEF ", true},
        {"Bearer 0123456789-._~+/=ABCDEf", false},
        {"Bearer 0123456789-._~+/=ABCDE", false},
        {"Bearer 0123456789-._~+/=ABCDEFG", false},
        {"Bearer", false},
        {"Bearer ", false},
        {"Bearer0123456789-._~+/=ABCDEF", false},
        {"Basic 0123456789-._~+/=ABCDEF", false},
        {"0123456789-._~+/=ABCDEF", false},
        {"", false},
    };
    open_well();
    write_file("token", bytes_of(token)); /* a person's own, no line end */
    open_well();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(credentials_token_matches(place.credentials, bytes_of(cases[i].header)), cases[i].matches);
    assert_false(credentials_token_matches(place.credentials, (struct bytes){0}));
}

static bool keep_document(json_t *document, size_t line, void *context)
{
    (void)line;
    *(json_t **)context = json_incref(document);
    return true;
}

static json_t *read_kubeconfig(void)
{
    struct buffer text = {0};
    json_t *config = NULL;
    char error[200];
    read_file("kubeconfig", &text);
    assert_int_equal(yaml_parse(buffer_bytes(&text), keep_document, &config, error), 0);
    assert_non_null(config);
    buffer_deinit(&text);
    return config;
}

static void a_kubeconfig_says_where_and_who(void **state)
{
    (void)state;
    static const struct {
        struct bytes listen;
        const char *server;
    } cases[] = {
        {BYTES("127.0.0.1:6473"), "https://127.0.0.1:6473"},
        {BYTES("[2001:db8::5]:443"), "https://[2001:db8::5]:443"},
        {BYTES("0.0.0.0:6473"), "https://127.0.0.1:6473"},
        {BYTES("[::]:6473"), "https://[::1]:6473"},
    };
    open_well();
    write_file("token", BYTES("1234567890123456\n")); /* must stay a string */
    open_well();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address listen;
        struct stat status;
        const char *kind, *version, *current, *server, *ca, *token, *cluster, *user, *namespace_, *names[3];
        assert_true(address_parse(&listen, cases[i].listen));
        assert_true(credentials_write_kubeconfig(place.credentials, path_of("kubeconfig"), &listen, place.error));
        assert_int_equal(stat(path_of("kubeconfig"), &status), 0);
        assert_int_equal(status.st_mode, S_IFREG | 0600);
        json_t *config = read_kubeconfig();
        assert_int_equal(
            json_unpack(config,
                        "{s:s, s:s, s:s, s:[{s:s, s:{s:s, s:s}}!], s:[{s:s, s:{s:s}}!], s:[{s:s, s:{s:s,s:s,s:s}}!]}",
                        "apiVersion", &version, "kind", &kind, "current-context", &current, "clusters", "name",
                        &names[0], "cluster", "server", &server, "certificate-authority-data", &ca, "users", "name",
                        &names[1], "user", "token", &token, "contexts", "name", &names[2], "context", "cluster",
                        &cluster, "user", &user, "namespace", &namespace_),
            0);
        assert_string_equal(version, "v1");
        assert_string_equal(kind, "Config");
        assert_string_equal(server, cases[i].server);
        assert_string_equal(token, "1234567890123456");
        assert_string_equal(namespace_, "default");
        const char *const all[] = {current, cluster, user, names[0], names[1], names[2]};
        for (size_t n = 0; n < ARRAY_LEN(all); n++)
            assert_string_equal(all[n], "serin");
        unsigned char decoded[4096];
        int len = EVP_DecodeBlock(decoded, (const unsigned char *)ca, (int)strlen(ca));
        assert_true(len > 0 && bytes_starts_with(bytes_make((const char *)decoded, (size_t)len),
                                                 credentials_ca(place.credentials)));
        json_decref(config);
    }
    assert_false(
        credentials_write_kubeconfig(place.credentials, "/nonexistent/kubeconfig", &place.listen, place.error));
    assert_non_null(strstr(place.error, "/nonexistent/kubeconfig: cannot write: No such file"));
    assert_false(credentials_write_kubeconfig(place.credentials, path_of("pki"), &place.listen, place.error));
    assert_non_null(strstr(place.error, "/pki: cannot write: Is a directory"));
    assert_int_equal(access(path_of("pki.tmp"), F_OK), -1);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(the_first_start_makes_everything_for_this_user_only),
        PLACE_TEST(a_umask_that_takes_everything_does_not_lock_us_out),
        PLACE_TEST(the_certificate_is_good_for_its_names_and_its_year),
        PLACE_TEST(the_authority_is_one_for_ten_years),
        PLACE_TEST(the_token_is_a_line_of_43_characters),
        PLACE_TEST(the_next_start_finds_the_same),
        PLACE_TEST(the_certificate_is_renewed_when_the_address_is_missing),
        PLACE_TEST(the_certificate_is_renewed_in_its_last_thirty_days),
        PLACE_TEST(the_certificate_is_renewed_when_the_clock_went_back_before_it),
        PLACE_TEST(the_certificate_is_renewed_when_it_is_not_the_authoritys),
        PLACE_TEST(a_start_that_was_cut_short_is_finished_by_the_next),
        PLACE_TEST(the_authoritys_key_may_be_kept_elsewhere_until_it_is_needed),
        PLACE_TEST(broken_files_are_named_and_stay_as_they_are),
        PLACE_TEST(an_authority_that_is_none_or_over_or_not_the_keys_is_refused),
        PLACE_TEST(what_cannot_be_read_or_written_is_an_error_with_its_reason),
        PLACE_TEST(the_token_opens_and_nothing_else_does),
        PLACE_TEST(a_kubeconfig_says_where_and_who),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
