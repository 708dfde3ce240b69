/* SPDX-License-Identifier: Apache-2.0 */
/* http_route_match.c: decodes the matches and filters of an HTTPRoute's rules. */
#include <string.h>

#include "kube/api/http_route_internal.h"

enum { MATCHES_MAX = 64, VALUE_MATCHES_MAX = 16, FILTERS_MAX = 16 };

static const struct text_syntax syntax_path = {.max_len = 1024};
static const struct text_syntax syntax_header_value = {.max_len = 4096};
static const struct text_syntax syntax_query_value = {.max_len = 1024};

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Only what RFC 3986 3.3 allows in a path: pchar, '/' and percent escapes. */
static bool has_path_characters(const char *path)
{
    for (; *path != '\0'; path++) {
        bool is_alnum =
            (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') || (*path >= '0' && *path <= '9');
        if (*path == '%' ? !is_hex(path[1]) || !is_hex(path[2])
                         : !is_alnum && strchr("-/._~!$&'()*+,;=:@", *path) == NULL)
            return false;
    }
    return true;
}

/* Exact and PathPrefix values; a regular expression is for the compiler of routes to judge. */
static void check_path(const struct field *match, const char *path)
{
    static const char *const forbidden[] = {"//", "/./", "/../", "%2f", "%2F", "#"};
    struct bytes text = bytes_of(path);
    if (path[0] != '/') {
        field_problem(match, "value", "Invalid", "must start with '/'");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
        if (strstr(path, forbidden[i]) != NULL) {
            field_problem(match, "value", "Invalid", "must not contain \"%s\"", forbidden[i]);
            return;
        }
    }
    if (bytes_ends_with(text, BYTES("/.")) || bytes_ends_with(text, BYTES("/..")))
        field_problem(match, "value", "Invalid", "must not end with \"/.\" or \"/..\"");
    else if (!has_path_characters(path))
        field_problem(match, "value", "Invalid", "must be a URL path; other characters need a %% escape");
}

static void decode_path(struct field *parent, struct http_route_match *match)
{
    static const char *const types[] = {
        [PATH_EXACT] = "Exact", [PATH_PREFIX] = "PathPrefix", [PATH_REGEX] = "RegularExpression", NULL};
    size_t reported = parent->decoder->problems->count;
    struct field path = decode_object(parent, "path", OPTIONAL);
    match->path_type = (enum path_match_type)decode_enum(&path, "type", OPTIONAL, types, PATH_PREFIX);
    match->path = decode_text_or(&path, "value", &syntax_path, "/");
    if (parent->decoder->problems->count == reported && match->path_type != PATH_REGEX)
        check_path(&path, match->path);
    decode_end(&path);
}

static struct value_match *decode_value_matches(struct field *parent, const char *name,
                                                const struct text_syntax *value_syntax, unsigned *ret_count)
{
    static const char *const types[] = {[VALUE_EXACT] = "Exact", [VALUE_REGEX] = "RegularExpression", NULL};
    struct field list = decode_list(parent, name, OPTIONAL, 0, VALUE_MATCHES_MAX);
    struct value_match *matches = ARENA_ARRAY(parent->decoder->arena, struct value_match, list.len);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        matches[i].type = (enum value_match_type)decode_enum(&item, "type", OPTIONAL, types, VALUE_EXACT);
        matches[i].name = decode_text(&item, "name", REQUIRED, &syntax_header_name);
        matches[i].value = decode_text(&item, "value", REQUIRED, value_syntax);
        for (size_t j = 0; j < i && matches[i].name[0] != '\0'; j++) {
            if (strcmp(matches[j].name, matches[i].name) == 0) {
                field_problem(&item, "name", "Invalid", "must be unique; %s[%zu] has the same name", name, j);
                break;
            }
        }
        decode_end(&item);
    }
    *ret_count = (unsigned)list.len;
    return matches;
}

static void decode_match(struct field *item, struct http_route_match *match)
{
    static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                          "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL};
    decode_path(item, match);
    match->headers = decode_value_matches(item, "headers", &syntax_header_value, &match->header_count);
    match->query = decode_value_matches(item, "queryParams", &syntax_query_value, &match->query_count);
    int method = decode_enum(item, "method", OPTIONAL, methods, -1);
    match->method = method < 0 ? "" : methods[method];
    decode_end(item);
}

void http_route_default_rule(struct arena *arena, struct http_route_rule *rule)
{
    rule->name = "";
    rule->match_count = 1;
    rule->matches = ARENA_NEW(arena, struct http_route_match);
    *rule->matches = (struct http_route_match){.path_type = PATH_PREFIX, .path = "/", .method = ""};
    rule->filter_types = ARENA_ARRAY(arena, const char *, 1);
}

void http_route_decode_matches(struct field *parent, struct http_route_rule *rule)
{
    struct arena *arena = parent->decoder->arena;
    struct field list = decode_list(parent, "matches", OPTIONAL, 0, MATCHES_MAX);
    rule->match_count = list.len > 0 ? (unsigned)list.len : 1;
    rule->matches = ARENA_ARRAY(arena, struct http_route_match, rule->match_count);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_match(&item, &rule->matches[i]);
    }
    if (list.len == 0)
        rule->matches[0] = (struct http_route_match){.path_type = PATH_PREFIX, .path = "/", .method = ""};
}

/* Each type has one field for its settings; that one must be there and no other. */
static const char *decode_filter(struct field *item)
{
    static const char *const types[] = {"RequestHeaderModifier",
                                        "ResponseHeaderModifier",
                                        "RequestMirror",
                                        "RequestRedirect",
                                        "URLRewrite",
                                        "ExtensionRef",
                                        "CORS",
                                        "ExternalAuth",
                                        NULL};
    static const char *const settings[ARRAY_LEN(types) - 1] = {"requestHeaderModifier",
                                                               "responseHeaderModifier",
                                                               "requestMirror",
                                                               "requestRedirect",
                                                               "urlRewrite",
                                                               "extensionRef",
                                                               "cors",
                                                               "externalAuth"};
    int type = decode_enum(item, "type", REQUIRED, types, -1);
    for (int i = 0; i < (int)ARRAY_LEN(settings); i++) {
        bool is_given = decode_object(item, settings[i], i == type ? REQUIRED : OPTIONAL).value != NULL;
        if (is_given && type >= 0 && i != type)
            field_problem(item, settings[i], "Invalid", "must not be given with type %s", types[type]);
    }
    decode_end(item);
    return type < 0 ? "" : types[type];
}

const char **http_route_decode_filters(struct field *parent, unsigned *ret_count)
{
    struct field list = decode_list(parent, "filters", OPTIONAL, 0, FILTERS_MAX);
    const char **types = ARENA_ARRAY(parent->decoder->arena, const char *, list.len + 1);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        types[i] = decode_filter(&item);
    }
    *ret_count = (unsigned)list.len;
    return types;
}
