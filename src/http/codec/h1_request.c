/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request.c: request lines, the four forms of a target, and what Host may say (RFC 9112 3).
 *
 * Pure; results point into the arena's copy of the head. */
#include "http/codec/authority.h"
#include "http/codec/chars.h"
#include "http/codec/h1_head.h"

enum h1_error h1_request_line_read(struct bytes line, struct h1_start_line *ret_start)
{
    const char *end = line.data + line.len;
    const char *method_end = chars_walk(line.data, end, CHAR_TOKEN);
    if (method_end == line.data || method_end == end || *method_end != ' ')
        return H1_ERROR_REQUEST_LINE;
    const char *target = method_end + 1;
    const char *target_end = chars_walk_target(target, end);
    if (target_end < end && *target_end != ' ')
        return H1_ERROR_TARGET;
    if (target_end == target || target_end == end)
        return H1_ERROR_REQUEST_LINE;

    struct bytes version = bytes_make(target_end + 1, (size_t)(end - target_end - 1));
    ret_start->method = bytes_make(line.data, (size_t)(method_end - line.data));
    ret_start->target = bytes_make(target, (size_t)(target_end - target));
    return h1_version_read(version, H1_ERROR_REQUEST_LINE, &ret_start->version_minor);
}

static void set_target(struct http_request *request, struct bytes target)
{
    size_t path_len = bytes_find(target, '?');
    request->target = target;
    request->path = bytes_make(target.data, path_len);
    request->query = bytes_skip(target, path_len < target.len ? path_len + 1 : path_len);
}

/* The length of "http://" or "https://" at the front, 0 when neither is there. */
static size_t scheme_len(struct bytes target)
{
    if (bytes_starts_with_nocase(target, BYTES("http://")))
        return 7;
    if (bytes_starts_with_nocase(target, BYTES("https://")))
        return 8;
    return 0;
}

static enum h1_error set_authority(struct http_request *request, struct bytes text)
{
    struct authority authority;
    if (!authority_read(text, &authority))
        return H1_ERROR_TARGET;
    request->authority = text;
    request->host = authority.host;
    return H1_OK;
}

/* RFC 9112 3.2.2; what follows the authority becomes the origin form. */
static enum h1_error set_absolute_target(struct http_request *request, struct bytes rest, struct arena *arena)
{
    size_t len = 0;
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?')
        len++;
    struct bytes path_and_query = bytes_skip(rest, len);
    if (path_and_query.len == 0) {
        /* RFC 9112 3.2.4: without path and query OPTIONS asks about the server as a whole. */
        set_target(request, request->method == HTTP_OPTIONS ? BYTES("*") : BYTES("/"));
    } else if (path_and_query.data[0] == '?') {
        char *target = arena_alloc(arena, path_and_query.len + 1);
        target[0] = '/';
        memcpy(target + 1, path_and_query.data, path_and_query.len);
        set_target(request, bytes_make(target, path_and_query.len + 1));
    } else {
        set_target(request, path_and_query);
    }
    return set_authority(request, bytes_make(rest.data, len));
}

/* RFC 9112 3.2.3: host and port and nothing else. */
static enum h1_error set_connect_target(struct http_request *request, struct bytes target)
{
    struct authority authority;
    if (!authority_read(target, &authority) || authority.port.len == 0)
        return H1_ERROR_TARGET;
    request->target = target;
    request->authority = target;
    request->host = authority.host;
    return H1_OK;
}

static enum h1_error read_target(struct http_request *request, struct bytes target, struct arena *arena)
{
    if (request->method == HTTP_CONNECT)
        return set_connect_target(request, target);
    if (LIKELY(target.data[0] == '/')) {
        set_target(request, target);
        return H1_OK;
    }
    if (bytes_equal(target, BYTES("*")) && request->method == HTTP_OPTIONS) {
        set_target(request, target);
        return H1_OK;
    }
    size_t scheme = scheme_len(target);
    return scheme > 0 ? set_absolute_target(request, bytes_skip(target, scheme), arena) : H1_ERROR_TARGET;
}

/* RFC 9112 3.2: exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0.  A target's authority goes before it. */
static enum h1_error read_host(struct http_request *request, const struct h1_notes *notes)
{
    if (notes->hosts == 0)
        return request->version_minor == 0 ? H1_OK : H1_ERROR_HOST;
    struct authority authority;
    if (notes->hosts > 1 || !authority_read(notes->host->value, &authority))
        return H1_ERROR_HOST;
    if (request->authority.len > 0) {
        notes->host->value = request->authority;
        notes->host->line_len = 0; /* not what came */
        return H1_OK;
    }
    request->authority = notes->host->value;
    request->host = authority.host;
    return H1_OK;
}

/* start and notes: of the head whose fields the request has. */
static enum h1_error understand(const struct h1_start_line *start, const struct h1_notes *notes, struct arena *arena,
                                struct http_request *request)
{
    request->method = http_method_of(start->method);
    request->method_text = start->method;
    request->version_minor = start->version_minor;
    enum h1_error error = read_target(request, start->target, arena);
    if (error != H1_OK)
        return error;
    error = h1_framing_decide(notes, start->version_minor, &request->framing, &request->content_length);
    if (error != H1_OK)
        return error;
    request->keep_alive = h1_keeps_alive(notes, start->version_minor);
    request->expects_continue = notes->expects_continue && start->version_minor >= 1;
    return read_host(request, notes);
}

enum h1_status h1_parse_request_head(struct h1_head_parser *parser, struct bytes data, struct arena *arena,
                                     struct http_request *ret_request)
{
    struct h1_start_line start;
    struct h1_notes notes;
    struct http_request request = {
        .target = BYTES(""), .path = BYTES(""), .query = BYTES(""), .authority = BYTES(""), .host = BYTES("")};
    enum h1_status status = h1_head_read(parser, data, H1_REQUEST, arena, &start, &request.fields, &notes);
    if (status != H1_DONE)
        return status;
    parser->error = understand(&start, &notes, arena, &request);
    if (parser->error != H1_OK)
        return H1_BAD;
    *ret_request = request;
    return H1_DONE;
}
