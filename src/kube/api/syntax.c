/* SPDX-License-Identifier: Apache-2.0 */
/* syntax.c: the syntaxes as hand-written checks: each is a few character classes, and none needs a regular expression.
 * Pure functions of their text. */
#include "kube/api/syntax.h"

#include <arpa/inet.h>

#define DNS_LABEL_MAX     63
#define DNS_SUBDOMAIN_MAX 253

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* All of text is made of characters for which is_inner holds, or of those in extra; first and last satisfy is_edge. */
static bool is_word(struct bytes text, bool (*is_edge)(char), const char *extra)
{
    if (text.len == 0 || !is_edge(text.data[0]) || !is_edge(text.data[text.len - 1]))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_edge(text.data[i]) && (text.data[i] == '\0' || strchr(extra, text.data[i]) == NULL))
            return false;
    }
    return true;
}

static bool is_dns_label(struct bytes text)
{
    return text.len <= DNS_LABEL_MAX && is_word(text, is_lower_alnum, "-");
}

static bool is_dns_label_1035(struct bytes text)
{
    return is_dns_label(text) && is_letter(text.data[0]);
}

/* The API server bounds the whole name, not each of its labels. */
static bool is_dns_subdomain(struct bytes text)
{
    if (text.len > DNS_SUBDOMAIN_MAX)
        return false;
    for (;;) {
        size_t dot = bytes_find(text, '.');
        if (!is_word(bytes_make(text.data, dot), is_lower_alnum, "-"))
            return false;
        if (dot == text.len)
            return true;
        text = bytes_skip(text, dot + 1);
    }
}

static bool is_kind(struct bytes text)
{
    return is_word(text, is_alnum, "-") && is_letter(text.data[0]);
}

static bool is_hostname(struct bytes text)
{
    char copy[DNS_SUBDOMAIN_MAX + 1] = "";
    if (text.len > DNS_SUBDOMAIN_MAX)
        return false;
    memcpy(copy, text.data, text.len);
    if (syntax_is_ipv4(copy))
        return false;
    return is_dns_subdomain(bytes_starts_with(text, BYTES("*.")) ? bytes_skip(text, 2) : text);
}

static bool is_header_name(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alnum(text.data[i]) && (text.data[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text.data[i]) == NULL))
            return false;
    }
    return true;
}

static bool is_controller_name(struct bytes text)
{
    size_t slash = bytes_find(text, '/');
    if (slash + 1 >= text.len || !is_dns_subdomain(bytes_make(text.data, slash)))
        return false;
    for (size_t i = slash + 1; i < text.len; i++) {
        if (!is_alnum(text.data[i]) && (text.data[i] == '\0' || strchr("/-._~%!$&'()*+,;=:", text.data[i]) == NULL))
            return false;
    }
    return true;
}

static bool is_protocol(struct bytes text)
{
    size_t slash = bytes_find(text, '/');
    if (slash == text.len)
        return is_word(text, is_alnum, "-");
    return is_dns_subdomain(bytes_make(text.data, slash)) && is_word(bytes_skip(text, slash + 1), is_alnum, "");
}

static bool is_port_name(struct bytes text)
{
    bool has_letter = false;
    for (size_t i = 0; i < text.len; i++) {
        has_letter = has_letter || is_letter(text.data[i]);
        if (i > 0 && text.data[i] == '-' && text.data[i - 1] == '-')
            return false;
    }
    return has_letter && is_word(text, is_lower_alnum, "-");
}

static bool is_label_value(struct bytes text)
{
    return text.len <= 63 && is_word(text, is_alnum, "-_.");
}

static bool is_label_key(struct bytes text)
{
    size_t slash = bytes_find(text, '/');
    if (slash == text.len)
        return is_label_value(text);
    return is_dns_subdomain(bytes_make(text.data, slash)) && is_label_value(bytes_skip(text, slash + 1));
}

static bool is_env_name(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~' || text.data[i] == '=')
            return false;
    }
    return true;
}

bool syntax_is_ipv4(const char *text)
{
    struct in_addr address;
    return inet_pton(AF_INET, text, &address) == 1;
}

bool syntax_is_ipv6(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_ip_address(struct bytes text)
{
    char copy[INET6_ADDRSTRLEN] = "";
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    return syntax_is_ipv4(copy) || syntax_is_ipv6(copy);
}

const char *syntax_complaint(const struct text_syntax *syntax, struct bytes text, size_t *ret_max_len)
{
    if (memchr(text.data, '\0', text.len) != NULL)
        return "must not contain a NUL character";
    if (text.len == 0)
        return syntax->may_be_empty ? NULL : "must not be empty";
    if (syntax->max_len > 0 && text.len > syntax->max_len) {
        *ret_max_len = syntax->max_len;
        return "";
    }
    return syntax->is_valid == NULL || syntax->is_valid(text) ? NULL : syntax->expected;
}

const struct text_syntax syntax_any = {.may_be_empty = true};
const struct text_syntax syntax_given = {.may_be_empty = false};
const struct text_syntax syntax_dns_label = {
    .max_len = DNS_LABEL_MAX,
    .is_valid = is_dns_label,
    .expected = "must be a DNS label: lower case letters, digits and '-'",
};
const struct text_syntax syntax_dns_label_1035 = {
    .max_len = DNS_LABEL_MAX,
    .is_valid = is_dns_label_1035,
    .expected = "must be a DNS label that starts with a letter: lower case letters, digits and '-'",
};
const struct text_syntax syntax_dns_subdomain = {
    .max_len = DNS_SUBDOMAIN_MAX,
    .is_valid = is_dns_subdomain,
    .expected = "must be a DNS name: lower case letters, digits, '-' and '.'",
};
const struct text_syntax syntax_group = {
    .max_len = DNS_SUBDOMAIN_MAX,
    .may_be_empty = true,
    .is_valid = is_dns_subdomain,
    .expected = "must be an API group (a DNS name), or \"\" for the core group",
};
const struct text_syntax syntax_kind = {
    .max_len = 63,
    .is_valid = is_kind,
    .expected = "must be a kind: letters, digits and '-', starting with a letter",
};
const struct text_syntax syntax_reference_name = {.max_len = DNS_SUBDOMAIN_MAX};
const struct text_syntax syntax_hostname = {
    .max_len = DNS_SUBDOMAIN_MAX,
    .is_valid = is_hostname,
    .expected = "must be a lower case DNS name, with \"*.\" in front or not; no IP address",
};
const struct text_syntax syntax_header_name = {
    .max_len = 256,
    .is_valid = is_header_name,
    .expected = "must be an HTTP token: letters, digits and !#$%&'*+-.^_`|~",
};
const struct text_syntax syntax_controller_name = {
    .max_len = 253,
    .is_valid = is_controller_name,
    .expected = "must be a DNS name, '/' and a path, such as example.com/gateway-controller",
};
const struct text_syntax syntax_protocol = {
    .max_len = 255,
    .is_valid = is_protocol,
    .expected = "must be a protocol name, such as HTTP or example.com/protocol",
};
const struct text_syntax syntax_port_name = {
    .max_len = 15,
    .is_valid = is_port_name,
    .expected = "must be a port name: lower case letters (at least one), digits and single '-'",
};
const struct text_syntax syntax_label_key = {
    .max_len = DNS_SUBDOMAIN_MAX + 1 + 63,
    .is_valid = is_label_key,
    .expected = "must have a key of the form [DNS name/]name, name being letters, digits, '-', '_', '.', at most 63",
};
const struct text_syntax syntax_label_value = {
    .max_len = 63,
    .may_be_empty = true,
    .is_valid = is_label_value,
    .expected = "must be letters, digits, '-', '_' or '.', with a letter or digit at both ends",
};
const struct text_syntax syntax_env_name = {
    .is_valid = is_env_name,
    .expected = "must be printable ASCII without '='",
};
const struct text_syntax syntax_ip_address = {
    .is_valid = is_ip_address,
    .expected = "must be an IPv4 or IPv6 address",
};
