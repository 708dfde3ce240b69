/* SPDX-License-Identifier: Apache-2.0 */
/* address.c: text to socket address and back, by inet_pton and inet_ntop.  Pure; never resolves names. */
#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/compiler.h"

static bool has_brackets(struct bytes ip)
{
    return ip.len >= 2 && ip.data[0] == '[' && ip.data[ip.len - 1] == ']';
}

bool address_make(struct address *ret_address, struct bytes ip, uint16_t port)
{
    bool is_bracketed = has_brackets(ip);
    if (is_bracketed)
        ip = bytes_make(ip.data + 1, ip.len - 2);
    char text[INET6_ADDRSTRLEN];
    if (ip.len == 0 || ip.len >= sizeof(text) || bytes_find(ip, '\0') < ip.len)
        return false;
    memcpy(text, ip.data, ip.len);
    text[ip.len] = '\0';

    struct address made = {.len = 0};
    if (!is_bracketed && inet_pton(AF_INET, text, &made.sa.v4.sin_addr) == 1) {
        made.sa.v4.sin_family = AF_INET;
        made.sa.v4.sin_port = htons(port);
        made.len = sizeof(made.sa.v4);
    } else {
        memset(&made.sa, 0, sizeof(made.sa));
        if (inet_pton(AF_INET6, text, &made.sa.v6.sin6_addr) != 1)
            return false;
        made.sa.v6.sin6_family = AF_INET6;
        made.sa.v6.sin6_port = htons(port);
        made.len = sizeof(made.sa.v6);
    }
    *ret_address = made;
    return true;
}

static size_t find_last_colon(struct bytes text)
{
    size_t at = text.len;
    while (at > 0 && text.data[at - 1] != ':')
        at--;
    return at > 0 ? at - 1 : text.len;
}

bool address_parse(struct address *ret_address, struct bytes text)
{
    size_t colon = find_last_colon(text);
    unsigned long long port;
    if (colon == text.len || !bytes_to_u64(bytes_skip(text, colon + 1), UINT16_MAX, &port))
        return false;
    struct bytes ip = bytes_make(text.data, colon);
    /* "::1" is an address without a port, not port 1 of "::" (RFC 3986 3.2.2 wants the brackets). */
    if (bytes_find(ip, ':') < ip.len && !has_brackets(ip))
        return false;
    return address_make(ret_address, ip, (uint16_t)port);
}

static char *put_number(char *to, unsigned value)
{
    unsigned place = 1;
    while (value / place >= 10)
        place *= 10;
    for (; place > 0; place /= 10)
        *to++ = (char)('0' + value / place % 10);
    return to;
}

/* Every request needs one or two: inet_ntop() formats with sprintf(), twenty times as slow.  The place of the NUL. */
static char *write_v4(const struct address *address, char *text)
{
    uint32_t ip = ntohl(address->sa.v4.sin_addr.s_addr);
    for (int shift = 24; shift >= 0; shift -= 8) {
        text = put_number(text, ip >> shift & 0xff);
        *text++ = shift > 0 ? '.' : '\0';
    }
    return text - 1;
}

static void v4_text(const struct address *address, char *text)
{
    char *end = write_v4(address, text);
    *end++ = ':';
    *put_number(end, address_port(address)) = '\0';
}

void address_ip_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    if (LIKELY(address->len != 0 && address->sa.generic.sa_family == AF_INET)) {
        write_v4(address, text);
        return;
    }
    if (address->len == 0 || inet_ntop(AF_INET6, &address->sa.v6.sin6_addr, text, ADDRESS_TEXT_SIZE) == NULL)
        snprintf(text, ADDRESS_TEXT_SIZE, "none");
}

void address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    char ip[ADDRESS_TEXT_SIZE];
    if (address->len == 0) {
        snprintf(text, ADDRESS_TEXT_SIZE, "none");
    } else if (address->sa.generic.sa_family == AF_INET6) {
        address_ip_text(address, ip);
        snprintf(text, ADDRESS_TEXT_SIZE, "[%.*s]:%u", INET6_ADDRSTRLEN, ip, address_port(address));
    } else {
        v4_text(address, text);
    }
}

uint16_t address_port(const struct address *address)
{
    if (address->len == 0)
        return 0;
    return ntohs(address->sa.generic.sa_family == AF_INET6 ? address->sa.v6.sin6_port : address->sa.v4.sin_port);
}

bool address_equal(const struct address *a, const struct address *b)
{
    if (a->len == 0 || b->len == 0)
        return a->len == b->len;
    if (a->sa.generic.sa_family != b->sa.generic.sa_family || address_port(a) != address_port(b))
        return false;
    if (a->sa.generic.sa_family == AF_INET6)
        return memcmp(&a->sa.v6.sin6_addr, &b->sa.v6.sin6_addr, sizeof(a->sa.v6.sin6_addr)) == 0 &&
               a->sa.v6.sin6_scope_id == b->sa.v6.sin6_scope_id;
    return a->sa.v4.sin_addr.s_addr == b->sa.v4.sin_addr.s_addr;
}

bool address_is_wildcard(const struct address *address)
{
    if (address->len == 0)
        return false;
    if (address->sa.generic.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&address->sa.v6.sin6_addr);
    return address->sa.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}
