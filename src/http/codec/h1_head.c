/* SPDX-License-Identifier: Apache-2.0 */
/* h1_head.c: a head in one pass when it is all there, else in two: the first finds line ends and counts against the
 * limits while bytes arrive, the second takes the complete head apart in its final place.
 *
 * The one pass goes by masks and gives up where anything is unusual: what is wrong is told by the two, in the order of
 * the bytes: lines that are complete are examined before an error in a later line is told, so that any cutting of the
 * input gives the same answer.  Only questions about the head as a whole wait for its end. */
#include "http/codec/h1_head.h"

#include <assert.h>

#include "http/codec/chars.h"
#include "http/codec/field_lookup.h"
#include "http/codec/head_masks.h"

const struct h1_limits h1_default_limits = {
    .max_target_bytes = 8 * 1024,
    .max_line_bytes = 16 * 1024,
    .max_head_bytes = 64 * 1024,
    .max_fields = 100,
};

/* Room in the field list for what a server or proxy adds. */
#define SPARE_FIELDS 4
#define CRLF_LEN     2
/* The start line and the empty one. */
#define OTHER_LINES 2

struct error_text {
    unsigned status;
    const char *reason;
    const char *message;
};

static const struct error_text error_texts[H1_ERROR_COUNT] = {[H1_OK] = {200, "ok", "no error"},
#define X(id, status, reason, message) [H1_ERROR_##id] = {(status), (reason), (message)},
                                                              H1_ERRORS(X)
#undef X
};

unsigned h1_error_status(enum h1_error error)
{
    assert(error < H1_ERROR_COUNT);
    return error_texts[error].status;
}

const char *h1_error_reason(enum h1_error error)
{
    assert(error < H1_ERROR_COUNT);
    return error_texts[error].reason;
}

const char *h1_error_message(enum h1_error error)
{
    assert(error < H1_ERROR_COUNT);
    return error_texts[error].message;
}

void h1_head_parser_init(struct h1_head_parser *parser, const struct h1_limits *limits)
{
    *parser = (struct h1_head_parser){.limits = limits};
}

static enum h1_error start_line_error(enum h1_kind kind)
{
    return kind == H1_REQUEST ? H1_ERROR_REQUEST_LINE : H1_ERROR_STATUS_LINE;
}

/* Bytes of another protocol (TLS, for one) may never hold a line end: the first byte already tells. */
static bool may_start_head(char first, enum h1_kind kind)
{
    if (first == '\r' || first == '\n')
        return true;
    return kind == H1_REQUEST ? char_is(first, CHAR_TOKEN) : first == 'H';
}

/* line: the request line as far as it is known. */
static bool target_is_too_long(struct bytes line, size_t max_target_bytes)
{
    size_t method_len = bytes_find(line, ' ');
    if (method_len == line.len)
        return false;
    return bytes_find(bytes_skip(line, method_len + 1), ' ') > max_target_bytes;
}

/* Where the search for the present line's end has to stop, and the error of going further. */
static size_t search_stop(const struct h1_head_parser *parser, enum h1_error *ret_error)
{
    size_t line_stop = parser->line_start + parser->limits->max_line_bytes + CRLF_LEN;
    size_t head_stop = parser->limits->max_head_bytes;
    *ret_error = line_stop <= head_stop ? H1_ERROR_LINE_TOO_LONG : H1_ERROR_HEAD_TOO_LARGE;
    return line_stop <= head_stop ? line_stop : head_stop;
}

/* The line that ends at lf; *ret_is_end when it is the empty one behind the head. */
static enum h1_error take_line_end(struct h1_head_parser *parser, struct bytes data, size_t lf, enum h1_kind kind,
                                   bool *ret_is_end)
{
    size_t len = lf - parser->line_start;
    if (UNLIKELY(len == 0 || data.data[lf - 1] != '\r'))
        return H1_ERROR_BARE_LF;
    if (len > 1) {
        if (UNLIKELY(parser->lines > parser->limits->max_fields))
            return H1_ERROR_TOO_MANY_FIELDS;
        parser->lines++;
    } else if (parser->lines > 0) {
        parser->head_bytes = lf + 1;
        *ret_is_end = true;
        return H1_OK;
    } else if (kind != H1_REQUEST || parser->line_start > 0) {
        return start_line_error(kind);
    } else {
        parser->checked = lf + 1; /* the empty line before a request */
    }
    parser->line_start = lf + 1;
    parser->searched = lf + 1;
    return H1_OK;
}

static enum h1_error find_line_ends(struct h1_head_parser *parser, struct bytes data, enum h1_kind kind,
                                    bool *ret_is_end)
{
    while (!*ret_is_end) {
        enum h1_error stop_error;
        size_t stop = search_stop(parser, &stop_error);
        size_t end = data.len < stop ? data.len : stop;
        const char *lf = NULL;
        if (parser->searched < end)
            lf = memchr(data.data + parser->searched, '\n', end - parser->searched);
        size_t line_end = lf != NULL ? (size_t)(lf - data.data) : end;

        if (parser->lines == 0 && parser->line_start < end) {
            if (!may_start_head(data.data[parser->line_start], kind))
                return start_line_error(kind);
            struct bytes line = bytes_make(data.data + parser->line_start, line_end - parser->line_start);
            if (kind == H1_REQUEST && line.len > parser->limits->max_target_bytes &&
                target_is_too_long(line, parser->limits->max_target_bytes))
                return H1_ERROR_TARGET_TOO_LONG;
        }
        if (lf == NULL) {
            parser->searched = end;
            return data.len < stop ? H1_OK : stop_error;
        }
        enum h1_error error = take_line_end(parser, data, line_end, kind, ret_is_end);
        if (error != H1_OK)
            return error;
    }
    return H1_OK;
}

/* Why a field line is refused whose name ends at name_end, which is not followed by a colon. */
static enum h1_error name_error(const char *line, const char *name_end, const char *end)
{
    if (*line == ' ' || *line == '\t')
        return H1_ERROR_OBS_FOLD; /* RFC 9112 5.2 */
    if (*name_end == '\r' && end - name_end > 1 && name_end[1] != '\n')
        return H1_ERROR_BARE_CR;
    return H1_ERROR_FIELD_NAME; /* a space before the colon too: RFC 9112 5.1 */
}

/* *at: the start of a line; the bytes up to end are whole lines.  Moves *at behind the line. */
static inline enum h1_error read_field_line(const char **at, const char *end, struct http_field *ret_field)
{
    const char *line = *at;
    const char *name_end = chars_walk(line, end, CHAR_TOKEN);
    assert(name_end < end);
    if (UNLIKELY(name_end == line || *name_end != ':'))
        return name_error(line, name_end, end);

    const char *value = name_end + 1;
    while (*value == ' ' || *value == '\t')
        value++;
    const char *value_end = chars_walk_value(value, end);
    assert(end - value_end >= 2);
    if (UNLIKELY(value_end[0] != '\r'))
        return H1_ERROR_FIELD_VALUE;
    if (UNLIKELY(value_end[1] != '\n'))
        return H1_ERROR_BARE_CR;
    *at = value_end + 2;

    const char *trimmed_end = value_end;
    while (trimmed_end > value && (trimmed_end[-1] == ' ' || trimmed_end[-1] == '\t'))
        trimmed_end--;
    bool is_plain = value == name_end + 2 && name_end[1] == ' ' && trimmed_end == value_end;
    ret_field->line_len = is_plain ? (uint32_t)(*at - line) : 0;
    ret_field->name = bytes_make(line, (size_t)(name_end - line));
    ret_field->value = bytes_make(value, (size_t)(trimmed_end - value));
    return H1_OK;
}

/* line: without its CRLF. */
static enum h1_error start_line_of(struct bytes line, enum h1_kind kind, struct h1_start_line *ret_start)
{
    return kind == H1_REQUEST ? h1_request_line_read(line, ret_start) : h1_status_line_read(line, ret_start);
}

static enum h1_error read_start_line(const char **at, const char *end, enum h1_kind kind,
                                     struct h1_start_line *ret_start)
{
    const char *lf = memchr(*at, '\n', (size_t)(end - *at));
    assert(lf != NULL && lf > *at);
    struct bytes line = bytes_make(*at, (size_t)(lf - 1 - *at));
    *at = lf + 1;
    enum h1_error error = start_line_of(line, kind, ret_start);
    /* No start line may hold a CR, so one that was accepted need not be searched for it. */
    if (UNLIKELY(error != H1_OK) && memchr(line.data, '\r', line.len) != NULL)
        return H1_ERROR_BARE_CR;
    return error;
}

/* The lines that are complete and were not yet examined: for heads that arrive in pieces or are refused. */
static enum h1_error check_lines(struct h1_head_parser *parser, struct bytes data, enum h1_kind kind)
{
    if (parser->checked == parser->line_start)
        return H1_OK;
    const char *at = data.data + parser->checked;
    const char *end = data.data + parser->line_start;
    bool is_first = parser->checked <= CRLF_LEN; /* no start line is as short as that with its CRLF */
    while (at < end) {
        struct h1_start_line start;
        struct http_field field;
        enum h1_error error = is_first ? read_start_line(&at, end, kind, &start) : read_field_line(&at, end, &field);
        if (error != H1_OK)
            return error;
        is_first = false;
    }
    parser->checked = parser->line_start;
    return H1_OK;
}

/* The first pass.  On H1_DONE *ret_head is the head without a skipped empty line. */
static enum h1_status find_head_end(struct h1_head_parser *parser, struct bytes data, enum h1_kind kind,
                                    struct bytes *ret_head)
{
    bool is_end = false;
    enum h1_error error = find_line_ends(parser, data, kind, &is_end);
    if (LIKELY(is_end)) {
        size_t start = bytes_starts_with(data, BYTES("\r\n")) ? CRLF_LEN : 0;
        *ret_head = bytes_make(data.data + start, parser->head_bytes - start);
        return H1_DONE;
    }
    enum h1_error earlier = check_lines(parser, data, kind);
    parser->error = earlier != H1_OK ? earlier : error;
    return parser->error != H1_OK ? H1_BAD : H1_NEED_MORE;
}

/* Tokens between commas; the options that matter here are single words. */
static void note_connection(struct h1_notes *notes, struct bytes value)
{
    while (value.len > 0) {
        size_t len = bytes_find(value, ',');
        struct bytes option = bytes_trim(bytes_make(value.data, len));
        if (bytes_equal_nocase(option, BYTES("close")))
            notes->says_close = true;
        else if (bytes_equal_nocase(option, BYTES("keep-alive")))
            notes->says_keep_alive = true;
        value = bytes_skip(value, len < value.len ? len + 1 : len);
    }
}

static inline void note_field(struct h1_notes *notes, struct http_field *field)
{
    switch (field->id) {
    case HTTP_FIELD_HOST:
        notes->host = field;
        notes->hosts++;
        break;
    case HTTP_FIELD_CONTENT_LENGTH:
        notes->length = field;
        notes->lengths++;
        break;
    case HTTP_FIELD_TRANSFER_ENCODING:
        notes->coding = field;
        notes->codings++;
        break;
    case HTTP_FIELD_CONNECTION:
        note_connection(notes, field->value);
        break;
    case HTTP_FIELD_EXPECT:
        if (bytes_equal_nocase(field->value, BYTES("100-continue")))
            notes->expects_continue = true;
        break;
    default:
        break;
    }
}

static void fields_begin(struct http_fields *fields, unsigned most, struct arena *arena)
{
    fields->capacity = most + SPARE_FIELDS;
    fields->items = arena_alloc(arena, fields->capacity * sizeof(fields->items[0]));
    fields->len = 0;
}

static inline void field_end(struct http_fields *fields, struct h1_notes *notes)
{
    struct http_field *field = &fields->items[fields->len++];
    field->id = field_lookup(field->name);
    note_field(notes, field);
}

/* The second pass. */
static enum h1_error read_lines(const struct h1_head_parser *parser, struct bytes head, enum h1_kind kind,
                                struct arena *arena, struct h1_start_line *ret_start, struct http_fields *ret_fields,
                                struct h1_notes *ret_notes)
{
    const char *at = arena_copy(arena, head).data;
    const char *end = at + head.len - CRLF_LEN;
    enum h1_error error = read_start_line(&at, end, kind, ret_start);
    if (UNLIKELY(error != H1_OK))
        return error;
    fields_begin(ret_fields, parser->lines - 1, arena);
    *ret_notes = (struct h1_notes){0};
    while (at < end) {
        error = read_field_line(&at, end, &ret_fields->items[ret_fields->len]);
        if (UNLIKELY(error != H1_OK))
            return error;
        field_end(ret_fields, ret_notes);
    }
    return H1_OK;
}

/* The one pass: all here, and so short that no limit but that of the fields can be passed. */
static bool make_masks(const struct h1_head_parser *parser, struct bytes data, enum h1_kind kind,
                       struct head_masks *ret_masks)
{
    const struct h1_limits *limits = parser->limits;
    size_t most = data.len;
    most = most < limits->max_line_bytes ? most : limits->max_line_bytes;
    most = most < limits->max_target_bytes ? most : limits->max_target_bytes;
    most = most < limits->max_head_bytes ? most : limits->max_head_bytes;
    if (parser->searched > 0 || most == 0 || *data.data == '\r' || !may_start_head(*data.data, kind))
        return false;
    head_masks_make(data.data, most, ret_masks);
    return ret_masks->head_bytes > 0 && ret_masks->returns <= limits->max_fields + OTHER_LINES;
}

/* Where the line ends that `from` is in, if its first control character is the CR of a CRLF; else 0. */
static inline size_t line_end(const struct head_masks *masks, const char *head, size_t from)
{
    size_t end = head_masks_next(masks->controls, from);
    return head[end] == '\r' && head[end + 1] == '\n' ? end : 0;
}

/* No SP and no HTAB, of what a line may hold. */
static inline bool is_visible(char c)
{
    return (unsigned char)c > ' ';
}

/* *at: where a line starts in the head; moves behind it.  False: it is unusual. */
static inline bool read_masked_line(const struct head_masks *masks, const char *head, size_t *at,
                                    struct http_field *ret_field)
{
    size_t name = *at, colon = head_masks_next(masks->others, name);
    while (UNLIKELY(head[colon] != ':' && char_is(head[colon], CHAR_TOKEN)))
        colon = head_masks_next(masks->others, colon + 1);
    size_t end = line_end(masks, head, colon);
    if (UNLIKELY(head[colon] != ':' || colon == name || end == 0))
        return false;
    *at = end + CRLF_LEN;
    ret_field->name = bytes_make(head + name, colon - name);
    if (LIKELY(head[colon + 1] == ' ' && end > colon + 2 && is_visible(head[colon + 2]) && is_visible(head[end - 1]))) {
        ret_field->line_len = (uint32_t)(*at - name);
        ret_field->value = bytes_make(head + colon + 2, end - colon - 2);
    } else {
        ret_field->line_len = 0;
        ret_field->value = bytes_trim(bytes_make(head + colon + 1, end - colon - 1));
    }
    return true;
}

/* False, and nothing is changed: the two passes decide. */
static bool read_short_head(struct h1_head_parser *parser, struct bytes data, enum h1_kind kind, struct arena *arena,
                            struct h1_start_line *ret_start, struct http_fields *ret_fields, struct h1_notes *ret_notes)
{
    struct head_masks masks;
    if (!make_masks(parser, data, kind, &masks))
        return false;
    size_t at = line_end(&masks, data.data, 0), end = masks.head_bytes - CRLF_LEN;
    if (at == 0)
        return false;
    const char *head = arena_copy(arena, bytes_make(data.data, masks.head_bytes)).data;
    struct bytes line = bytes_make(head, at);
    if (UNLIKELY(start_line_of(line, kind, ret_start) != H1_OK))
        return false;
    at += CRLF_LEN;
    fields_begin(ret_fields, masks.returns - OTHER_LINES, arena);
    *ret_notes = (struct h1_notes){0};
    while (at < end) {
        if (!read_masked_line(&masks, head, &at, &ret_fields->items[ret_fields->len]))
            return false;
        field_end(ret_fields, ret_notes);
    }
    parser->head_bytes = masks.head_bytes;
    return true;
}

enum h1_status h1_head_read(struct h1_head_parser *parser, struct bytes data, enum h1_kind kind, struct arena *arena,
                            struct h1_start_line *ret_start, struct http_fields *ret_fields, struct h1_notes *ret_notes)
{
    struct bytes head;
    if (LIKELY(read_short_head(parser, data, kind, arena, ret_start, ret_fields, ret_notes)))
        return H1_DONE;
    enum h1_status status = find_head_end(parser, data, kind, &head);
    if (status == H1_DONE)
        parser->error = read_lines(parser, head, kind, arena, ret_start, ret_fields, ret_notes);
    return status == H1_DONE && parser->error != H1_OK ? H1_BAD : status;
}

enum h1_error h1_version_read(struct bytes text, enum h1_error malformed, unsigned *ret_minor)
{
    if (text.len != 8 || memcmp(text.data, "HTTP/", 5) != 0)
        return malformed;
    char major = text.data[5];
    char minor = text.data[7];
    if (major < '0' || major > '9' || text.data[6] != '.' || minor < '0' || minor > '9')
        return malformed;
    if (major != '1' || minor > '1')
        return H1_ERROR_VERSION;
    *ret_minor = (unsigned)(minor - '0');
    return H1_OK;
}

enum h1_error h1_framing_decide(const struct h1_notes *notes, unsigned version_minor, enum http_framing *ret_framing,
                                uint64_t *ret_length)
{
    *ret_framing = HTTP_BODY_NONE;
    *ret_length = 0;
    if (notes->codings > 0) {
        /* RFC 9112 6.1: the sign of a smuggled request; a list of codings or HTTP/1.0 behind it are no better. */
        if (notes->lengths > 0)
            return H1_ERROR_BOTH_LENGTHS;
        if (notes->codings > 1 || version_minor == 0 || !bytes_equal_nocase(notes->coding->value, BYTES("chunked")))
            return H1_ERROR_TRANSFER_ENCODING;
        *ret_framing = HTTP_BODY_CHUNKED;
    } else if (notes->lengths > 0) {
        /* Above INT64_MAX others may read a negative number. */
        unsigned long long length = 0;
        if (notes->lengths > 1 || !bytes_to_u64(notes->length->value, INT64_MAX, &length))
            return H1_ERROR_CONTENT_LENGTH;
        *ret_framing = HTTP_BODY_LENGTH;
        *ret_length = length;
    }
    return H1_OK;
}

bool h1_keeps_alive(const struct h1_notes *notes, unsigned version_minor)
{
    return !notes->says_close && (version_minor >= 1 || notes->says_keep_alive);
}
