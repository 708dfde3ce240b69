/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h: what makes the API server trusted and its clients known: a certificate authority of its own, a server
 * certificate, one token.  Made at the first start, loaded afterwards.
 *
 *     <data>/pki/ca.crt, ca.key           for ten years; never replaced: clients hold the certificate
 *     <data>/pki/server.crt, server.key   for a year; renewed at a start that finds them unfit
 *     <data>/token                        one line; never replaced
 *
 * Whoever has ca.key elsewhere may take it away: it is needed for renewing only. */
#ifndef KUBE_APISERVER_CREDENTIALS_H
#define KUBE_APISERVER_CREDENTIALS_H

#include "base/bytes.h"
#include "net/address.h"

struct credentials;

enum { CREDENTIALS_ERROR_SIZE = 600 };

/* listen: what the certificate must be good for (localhost always is); now_ms: Unix time.  The folder is made when it
 * is missing.  NULL with one line in error: which file, what is wrong with it, what to do. */
struct credentials *credentials_open(const char *data_folder, const struct address *listen, uint64_t now_ms,
                                     char error[CREDENTIALS_ERROR_SIZE]);
void credentials_free(struct credentials *credentials);

/* PEM; certificate and key are the server's, for tls_server_new(). */
struct bytes credentials_ca(const struct credentials *credentials);
struct bytes credentials_certificate(const struct credentials *credentials);
struct bytes credentials_key(const struct credentials *credentials);
struct bytes credentials_token(const struct credentials *credentials);

/* authorization: the header's value, empty when there is none.  "Bearer <token>" (RFC 6750 2.1), compared in a time
 * that does not depend on where they differ. */
bool credentials_token_matches(const struct credentials *credentials, struct bytes authorization);

/* A kubeconfig for the server at this address (of a wildcard: at loopback), mode 0600.  false with one line in error.
 */
bool credentials_write_kubeconfig(const struct credentials *credentials, const char *path, const struct address *listen,
                                  char error[CREDENTIALS_ERROR_SIZE]);

#endif
