/* SPDX-License-Identifier: Apache-2.0 */
/* pki.h: keys and certificates: made, written as PEM, read back, judged.  No files, no clock. */
#ifndef KUBE_APISERVER_PKI_H
#define KUBE_APISERVER_PKI_H

#include <openssl/x509.h>
#include <time.h>

#include "base/buffer.h"
#include "net/address.h"

/* Elliptic curve P-256.  The caller frees, as of everything below. */
EVP_PKEY *pki_key_new(void);
/* A root of our own: CN "serin", ten years. */
X509 *pki_ca_new(EVP_PKEY *key, time_t now);
/* For a year, for localhost, 127.0.0.1, ::1 and the address, unless that is a wildcard.  NULL when the CA's key cannot
 * sign. */
X509 *pki_certificate_new(EVP_PKEY *key, const struct address *listen, X509 *ca, EVP_PKEY *ca_key, time_t now);

void pki_key_write(EVP_PKEY *key, struct buffer *pem);
void pki_certificate_write(X509 *certificate, struct buffer *pem);
/* NULL when it is none (a key with a password is none). */
EVP_PKEY *pki_key_read(struct bytes pem);
/* The first one; NULL when it is none. */
X509 *pki_certificate_read(struct bytes pem);

bool pki_is_ca(X509 *certificate);
bool pki_is_over(const X509 *certificate, time_t at);
/* Whether it is the key's, the CA's, made for these addresses, and valid now and for the next 30 days. */
bool pki_is_good(X509 *certificate, EVP_PKEY *key, X509 *ca, const struct address *listen, time_t now);

#endif
