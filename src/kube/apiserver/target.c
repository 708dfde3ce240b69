/* SPDX-License-Identifier: Apache-2.0 */
/* target.c: takes URLs apart.  Paths are split before they are decoded; a decoded piece that is empty or holds a slash
 * or NUL names nothing. */
#include "kube/apiserver/target.h"

#include "http/codec/url.h"

enum { MAX_SEGMENTS = 10 };

struct path {
    const char *segments[MAX_SEGMENTS];
    unsigned len;
};

/* "", NULL-free and without a slash, or false. */
static bool decode_segment(struct bytes raw, struct arena *arena, const char **ret_text)
{
    struct bytes decoded;
    if (!url_decode(raw, URL_PATH, arena, &decoded) || decoded.len == 0)
        return false;
    if (memchr(decoded.data, '\0', decoded.len) != NULL || memchr(decoded.data, '/', decoded.len) != NULL)
        return false;
    *ret_text = arena_strndup(arena, decoded);
    return true;
}

/* "/a/b/" is read as "/a/b". */
static bool split_path(struct bytes text, struct arena *arena, struct path *ret_path)
{
    ret_path->len = 0;
    while (text.len > 0) {
        if (text.data[0] != '/')
            return false;
        text = bytes_skip(text, 1);
        if (text.len == 0)
            return true;
        size_t end = bytes_find(text, '/');
        if (ret_path->len == MAX_SEGMENTS ||
            !decode_segment(bytes_make(text.data, end), arena, &ret_path->segments[ret_path->len]))
            return false;
        ret_path->len++;
        text = bytes_skip(text, end);
    }
    return true;
}

static bool is(const struct path *path, unsigned index, const char *word)
{
    return index < path->len && strcmp(path->segments[index], word) == 0;
}

static const char *segment(const struct path *path, unsigned index)
{
    return index < path->len ? path->segments[index] : "";
}

/* What stands behind the group and version: [namespaces/NS/]plural[/name[/subresource]]. */
static void parse_resource(const struct path *path, unsigned at, struct target *target)
{
    /* "namespaces/NS" and its subresources are the namespace itself; anything else behind it lies in it. */
    bool is_inside = is(path, at, "namespaces") && path->len > at + 2 && !is(path, at + 2, "status") &&
                     !is(path, at + 2, "finalize");
    if (is_inside) {
        target->namespace_ = segment(path, at + 1);
        at += 2;
    }
    target->plural = segment(path, at);
    target->name = segment(path, at + 1);
    target->subresource = segment(path, at + 2);
    target->resource = resource_find(target->group, target->version, bytes_of(target->plural));
    bool is_misplaced = target->resource != NULL && !target->resource->is_namespaced && is_inside;
    bool is_nameless =
        target->resource != NULL && target->resource->is_namespaced && !is_inside && target->name[0] != '\0';
    target->kind = path->len > at + 3 || is_misplaced || is_nameless ? TARGET_UNKNOWN : TARGET_RESOURCE;
}

static void parse_group(const struct path *path, unsigned at, struct target *target)
{
    target->version = bytes_of(segment(path, at));
    if (path->len == at)
        target->kind = TARGET_GROUP;
    else if (path->len == at + 1)
        target->kind = TARGET_GROUP_VERSION;
    else
        parse_resource(path, at + 1, target);
}

static void parse_openapi(const struct path *path, struct bytes text, struct target *target)
{
    static const char prefix[] = "/openapi/v3/";
    if (is(path, 1, "v2") && path->len == 2) {
        target->kind = TARGET_OPENAPI_V2;
    } else if (is(path, 1, "v3") && path->len == 2) {
        target->kind = TARGET_OPENAPI_INDEX;
    } else if (is(path, 1, "v3")) {
        target->kind = TARGET_OPENAPI_DOCUMENT;
        target->document = bytes_skip(text, sizeof prefix - 1);
    }
}

static void parse_path(const struct path *path, struct bytes text, struct target *target)
{
    static const struct {
        const char *word;
        enum target_kind kind;
        bool has_below;
    } pages[] = {
        {"healthz", TARGET_HEALTH, true},
        {"livez", TARGET_HEALTH, true},
        {"readyz", TARGET_READY, true},
        {"version", TARGET_VERSION, false},
    };
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        if (is(path, 0, pages[i].word) && (pages[i].has_below || path->len == 1))
            target->kind = pages[i].kind;
    }
    if (is(path, 0, "openapi"))
        parse_openapi(path, text, target);
    if (is(path, 0, "api") && path->len == 1)
        target->kind = TARGET_API;
    else if (is(path, 0, "api"))
        parse_group(path, 1, target);
    else if (is(path, 0, "apis") && path->len == 1)
        target->kind = TARGET_APIS;
    else if (is(path, 0, "apis")) {
        target->group = bytes_of(segment(path, 1));
        parse_group(path, 2, target);
    }
}

enum parameter_type { TEXT, FLAG, GIVEN, COUNT, SIGNED };

struct parameter {
    const char *name;
    enum parameter_type type;
    size_t offset;
};

#define PARAMETER(name, type, member)                                                                                  \
    {                                                                                                                  \
        name, type, offsetof(struct target_query, member)                                                              \
    }
static const struct parameter parameters[] = {
    PARAMETER("labelSelector", TEXT, label_selector),
    PARAMETER("fieldSelector", TEXT, field_selector),
    PARAMETER("continue", TEXT, continue_),
    PARAMETER("resourceVersion", TEXT, resource_version),
    PARAMETER("resourceVersionMatch", TEXT, resource_version_match),
    PARAMETER("fieldManager", TEXT, field_manager),
    PARAMETER("fieldValidation", TEXT, field_validation),
    PARAMETER("includeObject", TEXT, include_object),
    PARAMETER("propagationPolicy", TEXT, propagation_policy),
    PARAMETER("container", TEXT, container),
    PARAMETER("limit", COUNT, limit),
    PARAMETER("timeoutSeconds", COUNT, timeout_s),
    PARAMETER("limitBytes", COUNT, limit_bytes),
    PARAMETER("gracePeriodSeconds", SIGNED, grace_s),
    PARAMETER("tailLines", SIGNED, tail_lines),
    PARAMETER("watch", FLAG, is_watch),
    PARAMETER("allowWatchBookmarks", FLAG, allows_bookmarks),
    PARAMETER("sendInitialEvents", FLAG, wants_initial_events),
    PARAMETER("force", FLAG, is_forced),
    PARAMETER("follow", FLAG, follows),
    PARAMETER("previous", FLAG, is_previous),
    PARAMETER("timestamps", FLAG, is_timestamped),
    PARAMETER("sinceSeconds", GIVEN, is_since),
    PARAMETER("sinceTime", GIVEN, is_since),
};

static bool read_flag(struct bytes text, bool *ret_value)
{
    static const char *const yes[] = {"true", "1", "t", "T", "True", "TRUE", ""};
    static const char *const no[] = {"false", "0", "f", "F", "False", "FALSE"};
    for (unsigned i = 0; i < ARRAY_LEN(yes); i++) {
        if (bytes_equal_str(text, yes[i])) {
            *ret_value = true;
            return true;
        }
    }
    *ret_value = false;
    for (unsigned i = 0; i < ARRAY_LEN(no); i++) {
        if (bytes_equal_str(text, no[i]))
            return true;
    }
    return false;
}

static bool read_parameter(const struct parameter *parameter, struct bytes text, struct arena *arena,
                           struct target_query *query)
{
    void *at = (char *)query + parameter->offset;
    unsigned long long number;
    switch (parameter->type) {
    case TEXT:
        *(const char **)at = arena_strndup(arena, text);
        return memchr(text.data, '\0', text.len) == NULL;
    case FLAG:
        return read_flag(text, at);
    case GIVEN:
        *(bool *)at = true;
        return true;
    case COUNT:
    case SIGNED:
        if (!bytes_to_u64(text, INT64_MAX, &number))
            return false;
        *(uint64_t *)at = number; /* the signed ones are never negative but by default */
        return true;
    }
    return false;
}

/* dryRun may be given many times and knows one word. */
static bool read_dry_run(struct bytes text, struct target_query *query)
{
    query->is_dry_run = true;
    return bytes_equal_str(text, "All");
}

static bool parse_query(struct bytes text, struct arena *arena, struct target_query *query, const char **ret_why)
{
    static const struct target_query none = {"", "", "", "", "", "", "", "", "", "", .grace_s = -1, .tail_lines = -1};
    struct url_query pieces;
    struct bytes name, value;
    *query = none;
    url_query_init(&pieces, text);
    while (url_query_next(&pieces, arena, &name, &value)) {
        bool is_good = !bytes_equal_str(name, "dryRun") || read_dry_run(value, query);
        for (unsigned i = 0; i < ARRAY_LEN(parameters) && is_good; i++) {
            if (bytes_equal_str(name, parameters[i].name))
                is_good = read_parameter(&parameters[i], value, arena, query);
        }
        if (!is_good) {
            *ret_why = arena_printf(arena, "parameter %.*s: \"%.*s\" is not a value for it", BYTES_ARG(name),
                                    BYTES_ARG(value));
            return false;
        }
    }
    return true;
}

bool target_parse(struct bytes path_text, struct bytes query, struct arena *arena, struct target *ret_target,
                  const char **ret_why)
{
    struct path path;
    *ret_target = (struct target){.kind = TARGET_UNKNOWN,
                                  .group = BYTES(""),
                                  .version = BYTES(""),
                                  .plural = "",
                                  .namespace_ = "",
                                  .name = "",
                                  .subresource = ""};
    if (!parse_query(query, arena, &ret_target->query, ret_why))
        return false;
    if (split_path(path_text, arena, &path))
        parse_path(&path, path_text, ret_target);
    return true;
}
