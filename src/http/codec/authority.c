/* SPDX-License-Identifier: Apache-2.0 */
/* authority.c: takes host and port apart and checks both; pure. */
#include "http/codec/authority.h"

#include <arpa/inet.h>

#include "http/codec/chars.h"

static bool is_ipv6(struct bytes text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET6, copy, &address) == 1;
}

bool authority_read(struct bytes text, struct authority *ret_authority)
{
    struct authority found = {{"", 0}, {"", 0}};
    struct bytes rest;
    if (text.len > 0 && text.data[0] == '[') {
        size_t close = bytes_find(text, ']');
        if (close == text.len)
            return false;
        found.host = bytes_make(text.data + 1, close - 1);
        rest = bytes_skip(text, close + 1);
        if (!is_ipv6(found.host))
            return false;
    } else {
        const char *host_end = chars_walk(text.data, text.data + text.len, CHAR_HOST);
        found.host = bytes_make(text.data, (size_t)(host_end - text.data));
        rest = bytes_skip(text, found.host.len);
        if (found.host.len == 0)
            return false;
    }
    if (rest.len > 0) {
        unsigned long long port;
        found.port = bytes_skip(rest, 1);
        if (rest.data[0] != ':' || found.port.len > 5 || !bytes_to_u64(found.port, 65535, &port))
            return false;
    }
    *ret_authority = found;
    return true;
}
