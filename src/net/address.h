/* SPDX-License-Identifier: Apache-2.0 */
/* address.h: an IP address and port, its text, and its socket form. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/bytes.h"

struct address {
    union {
        struct sockaddr generic;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } sa;
    socklen_t len; /* 0: none */
};

#define ADDRESS_TEXT_SIZE 64

/* ip: "127.0.0.1", "::1" or "[::1]".  false when it is no IP address. */
bool address_make(struct address *ret_address, struct bytes ip, uint16_t port);
/* "127.0.0.1:8080" or "[::1]:8080". */
bool address_parse(struct address *ret_address, struct bytes text);
void address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* The IP alone: "127.0.0.1", "::1". */
void address_ip_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
uint16_t address_port(const struct address *address);
bool address_equal(const struct address *a, const struct address *b);
/* 0.0.0.0 and ::, whatever the port: an address to listen at, not to call. */
bool address_is_wildcard(const struct address *address);

#endif
