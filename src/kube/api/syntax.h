/* SPDX-License-Identifier: Apache-2.0 */
/* syntax.h: what names, keys and other short texts of Kubernetes objects may look like.  Each syntax is a constant that
 * the decoding layer takes; internal to kube/api. */
#ifndef KUBE_API_SYNTAX_H
#define KUBE_API_SYNTAX_H

#include "base/bytes.h"

struct text_syntax {
    size_t max_len; /* 0: no limit */
    bool may_be_empty;
    bool (*is_valid)(struct bytes text); /* NULL: anything; never asked about an empty text */
    const char *expected;                /* "must be ...": the answer when it is not valid */
};

extern const struct text_syntax syntax_any;             /* any text, also empty */
extern const struct text_syntax syntax_given;           /* any text but the empty one */
extern const struct text_syntax syntax_dns_label;       /* RFC 1123 label */
extern const struct text_syntax syntax_dns_label_1035;  /* the same, starting with a letter (Service names) */
extern const struct text_syntax syntax_dns_subdomain;   /* labels joined by dots */
extern const struct text_syntax syntax_group;           /* API group: "" is core */
extern const struct text_syntax syntax_kind;            /* API kind */
extern const struct text_syntax syntax_reference_name;  /* name of another object: only its length counts */
extern const struct text_syntax syntax_hostname;        /* lower case, may start with "*." */
extern const struct text_syntax syntax_header_name;     /* RFC 9110 token */
extern const struct text_syntax syntax_controller_name; /* example.com/name */
extern const struct text_syntax syntax_protocol;        /* HTTP or example.com/name */
extern const struct text_syntax syntax_port_name;       /* RFC 6335 5.1 service name */
extern const struct text_syntax syntax_label_key;
extern const struct text_syntax syntax_label_value;
extern const struct text_syntax syntax_env_name;
extern const struct text_syntax syntax_ip_address; /* IPv4 or IPv6 */

bool syntax_is_ipv4(const char *text);
bool syntax_is_ipv6(const char *text);
/* NULL when text obeys the syntax; else what it must be ("must not be empty", "must be ...").  A length limit that is
 * passed goes to *ret_max_len and the answer is "". */
const char *syntax_complaint(const struct text_syntax *syntax, struct bytes text, size_t *ret_max_len);

#endif
