/* SPDX-License-Identifier: Apache-2.0 */
/* h1_response.c: status lines and how the end of a response's body is known (RFC 9112 4 and 6.3).
 *
 * Pure; results point into the arena's copy of the head. */
#include "http/codec/chars.h"
#include "http/codec/h1_head.h"

enum { VERSION_LEN = 8, STATUS_END = VERSION_LEN + 1 + 3 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The reason may be empty, and servers are known that leave out the space before it as well. */
enum h1_error h1_status_line_read(struct bytes line, struct h1_start_line *ret_start)
{
    size_t version_len = bytes_find(line, ' ');
    enum h1_error error =
        h1_version_read(bytes_make(line.data, version_len), H1_ERROR_STATUS_LINE, &ret_start->version_minor);
    if (error != H1_OK)
        return error;
    if (line.len < STATUS_END || (line.len > STATUS_END && line.data[STATUS_END] != ' '))
        return H1_ERROR_STATUS_LINE;
    const char *code = line.data + VERSION_LEN + 1;
    if (code[0] < '1' || code[0] > '5' || !is_digit(code[1]) || !is_digit(code[2]))
        return H1_ERROR_STATUS_LINE;
    ret_start->status = (unsigned)(code[0] - '0') * 100 + (unsigned)(code[1] - '0') * 10 + (unsigned)(code[2] - '0');

    ret_start->reason = line.len > STATUS_END ? bytes_skip(line, STATUS_END + 1) : BYTES("");
    const char *reason_end = ret_start->reason.data + ret_start->reason.len;
    return chars_walk_value(ret_start->reason.data, reason_end) == reason_end ? H1_OK : H1_ERROR_STATUS_LINE;
}

/* RFC 9112 6.3, rules 1 and 2: whatever the fields say. */
static bool has_no_body(unsigned status, enum http_method request_method)
{
    return request_method == HTTP_HEAD || status < 200 || status == 204 || status == 304 ||
           (request_method == HTTP_CONNECT && status < 300);
}

/* start and notes: of the head whose fields the response has. */
static enum h1_error understand(const struct h1_start_line *start, const struct h1_notes *notes,
                                enum http_method request_method, struct http_response *response)
{
    response->status = start->status;
    response->reason = start->reason;
    response->version_minor = start->version_minor;
    response->keep_alive = h1_keeps_alive(notes, start->version_minor);
    enum h1_error error = h1_framing_decide(notes, start->version_minor, &response->framing, &response->content_length);
    if (error != H1_OK)
        return error;
    if (has_no_body(start->status, request_method)) {
        response->framing = HTTP_BODY_NONE;
        response->content_length = 0;
    } else if (response->framing == HTTP_BODY_NONE) {
        response->framing = HTTP_BODY_UNTIL_CLOSE;
        response->keep_alive = false;
    }
    return H1_OK;
}

enum h1_status h1_parse_response_head(struct h1_head_parser *parser, struct bytes data, enum http_method request_method,
                                      struct arena *arena, struct http_response *ret_response)
{
    struct h1_start_line start;
    struct h1_notes notes;
    struct http_response response = {0};
    enum h1_status status = h1_head_read(parser, data, H1_RESPONSE, arena, &start, &response.fields, &notes);
    if (status != H1_DONE)
        return status;
    parser->error = understand(&start, &notes, request_method, &response);
    if (parser->error != H1_OK)
        return H1_BAD;
    *ret_response = response;
    return H1_DONE;
}
