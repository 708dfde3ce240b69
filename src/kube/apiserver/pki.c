/* SPDX-License-Identifier: Apache-2.0 */
/* pki.c: see pki.h.  What is made here of our own fails only for lack of memory, and aborts then. */
#include "kube/apiserver/pki.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/random.h"

enum {
    CA_DAYS = 3652, /* ten years */
    CERTIFICATE_DAYS = 365,
    RENEW_DAYS = 30,
    DAY_SECONDS = 24 * 60 * 60,
    SLACK_SECONDS = 60 * 60, /* clients whose clock is behind ours */
    SERIAL_BYTES = 16
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

EVP_PKEY *pki_key_new(void)
{
    return must(EVP_EC_gen("P-256"));
}

/* RFC 5280 4.1.2.2: positive, at most 20 bytes; at random, so that no two are alike without a memory of the last. */
static void set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    random_fill(bytes, sizeof(bytes));
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = must(BN_bin2bn(bytes, sizeof(bytes), NULL));
    require(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL);
    BN_free(number);
}

static X509 *certificate_new(EVP_PKEY *key, const char *common_name, int days, time_t now)
{
    X509 *certificate = must(X509_new());
    require(X509_set_version(certificate, X509_VERSION_3) == 1 && X509_set_pubkey(certificate, key) == 1);
    set_serial(certificate);
    require(X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -SLACK_SECONDS, &now) != NULL);
    require(X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, &now) != NULL);
    require(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                       (const unsigned char *)common_name, -1, -1, 0) == 1);
    return certificate;
}

static bool extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool is_added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

X509 *pki_ca_new(EVP_PKEY *key, time_t now)
{
    X509 *ca = certificate_new(key, "serin", CA_DAYS, now);
    require(X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1);
    require(extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
    require(extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign"));
    require(extend(ca, ca, NID_subject_key_identifier, "hash"));
    require(X509_sign(ca, key, EVP_sha256()) > 0);
    return ca;
}

static void append_names(struct buffer *text, const struct address *listen)
{
    static const char *const always[] = {"127.0.0.1", "::1"};
    char ip[ADDRESS_TEXT_SIZE];
    address_ip_text(listen, ip);
    bool is_listed = address_is_wildcard(listen);
    buffer_append_str(text, "DNS:localhost");
    for (size_t i = 0; i < ARRAY_LEN(always); i++) {
        buffer_printf(text, ",IP:%s", always[i]);
        is_listed = is_listed || strcmp(ip, always[i]) == 0;
    }
    if (!is_listed)
        buffer_printf(text, ",IP:%s", ip);
    buffer_append_char(text, '\0');
}

X509 *pki_certificate_new(EVP_PKEY *key, const struct address *listen, X509 *ca, EVP_PKEY *ca_key, time_t now)
{
    X509 *certificate = certificate_new(key, "serin-api", CERTIFICATE_DAYS, now);
    struct buffer names = {0};
    append_names(&names, listen);
    require(X509_set_issuer_name(certificate, X509_get_subject_name(ca)) == 1);
    require(extend(certificate, ca, NID_basic_constraints, "critical,CA:FALSE"));
    require(extend(certificate, ca, NID_key_usage, "critical,digitalSignature"));
    require(extend(certificate, ca, NID_ext_key_usage, "serverAuth"));
    require(extend(certificate, ca, NID_subject_alt_name, buffer_bytes(&names).data));
    require(extend(certificate, ca, NID_subject_key_identifier, "hash"));
    extend(certificate, ca, NID_authority_key_identifier, "keyid"); /* not with a CA that has no identifier */
    buffer_deinit(&names);
    bool is_signed = X509_sign(certificate, ca_key, EVP_sha256()) > 0;
    ERR_clear_error();
    if (is_signed)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static void take_text(BIO *bio, struct buffer *pem)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    buffer_append(pem, bytes_make(data, (size_t)len));
    BIO_free(bio);
}

void pki_key_write(EVP_PKEY *key, struct buffer *pem)
{
    BIO *bio = must(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    take_text(bio, pem);
}

void pki_certificate_write(X509 *certificate, struct buffer *pem)
{
    BIO *bio = must(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio, certificate) == 1);
    take_text(bio, pem);
}

/* Nobody sits at the keyboard. */
static int no_password(char *data, int size, int is_writing, void *context)
{
    (void)data, (void)size, (void)is_writing, (void)context;
    return -1;
}

EVP_PKEY *pki_key_read(struct bytes pem)
{
    BIO *bio = must(BIO_new_mem_buf(pem.data, (int)pem.len));
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

X509 *pki_certificate_read(struct bytes pem)
{
    BIO *bio = must(BIO_new_mem_buf(pem.data, (int)pem.len));
    X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return certificate;
}

bool pki_is_ca(X509 *certificate)
{
    return X509_check_ca(certificate) > 0;
}

bool pki_is_over(const X509 *certificate, time_t at)
{
    return X509_cmp_time(X509_get0_notAfter(certificate), &at) <= 0;
}

static bool names(X509 *certificate, const struct address *address)
{
    if (address->sa.generic.sa_family == AF_INET6)
        return X509_check_ip(certificate, address->sa.v6.sin6_addr.s6_addr, sizeof(struct in6_addr), 0) == 1;
    return X509_check_ip(certificate, (const unsigned char *)&address->sa.v4.sin_addr, sizeof(struct in_addr), 0) == 1;
}

static bool is_issued_by(X509 *certificate, X509 *ca)
{
    bool is_issued =
        X509_check_issued(ca, certificate) == X509_V_OK && X509_verify(certificate, X509_get0_pubkey(ca)) == 1;
    ERR_clear_error();
    return is_issued;
}

bool pki_is_good(X509 *certificate, EVP_PKEY *key, X509 *ca, const struct address *listen, time_t now)
{
    bool is_paired = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    bool has_begun = X509_cmp_time(X509_get0_notBefore(certificate), &now) < 0;
    return is_paired && has_begun && !pki_is_over(certificate, now + RENEW_DAYS * DAY_SECONDS) &&
           is_issued_by(certificate, ca) && (address_is_wildcard(listen) || names(certificate, listen));
}
