/* SPDX-License-Identifier: Apache-2.0 */
/* hop_headers.c: field by field, what is forwarded. */
#include "proxy/hop_headers.h"

#include "http/codec/h1_write.h"

/* Prefixes of fields that choose an endpoint behind a picker: from a client they would be a way around it. */
static bool is_steering(struct bytes name)
{
    if (name.len < 8 || (name.data[0] | 0x20) != 'x' || name.data[1] != '-')
        return false;
    switch (name.data[2] | 0x20) {
    case 'd':
        return bytes_starts_with_nocase(name, BYTES("x-data-parallel-"));
    case 'e':
        return bytes_starts_with_nocase(name, BYTES("x-encoder-"));
    case 'g':
        return bytes_starts_with_nocase(name, BYTES("x-gateway-destination-"));
    case 'k':
        return bytes_starts_with_nocase(name, BYTES("x-kv-cache-source-"));
    case 'p':
        return bytes_starts_with_nocase(name, BYTES("x-prefiller-"));
    case 's': /* as in X-Stainless-Os and its eight like, of each request by OpenAI's libraries */
        return (name.data[3] | 0x20) == 'e' && bytes_starts_with_nocase(name, BYTES("x-serin-"));
    default:
        return false;
    }
}

static bool is_withheld(const struct bytes *withheld, unsigned count, struct bytes name)
{
    for (unsigned i = 0; i < count; i++)
        if (bytes_equal_nocase(name, withheld[i]))
            return true;
    return false;
}

static bool is_hop_by_hop(enum http_field_id id)
{
    switch (id) {
    case HTTP_FIELD_CONNECTION:
    case HTTP_FIELD_KEEP_ALIVE:
    case HTTP_FIELD_PROXY_CONNECTION:
    case HTTP_FIELD_PROXY_AUTHENTICATE:
    case HTTP_FIELD_PROXY_AUTHORIZATION:
    case HTTP_FIELD_TE:
    case HTTP_FIELD_TRAILER:
    case HTTP_FIELD_TRANSFER_ENCODING:
    case HTTP_FIELD_CONTENT_LENGTH:
    case HTTP_FIELD_UPGRADE:
        return true;
    default:
        return false;
    }
}

/* RFC 9110 7.6.1: Connection lists more fields of this hop.  NULL when it lists none, as nearly always. */
static const struct http_field *find_naming_connection(const struct http_fields *fields)
{
    const struct http_field *connection = http_fields_find(fields, HTTP_FIELD_CONNECTION);
    bool is_plain = connection == NULL || bytes_equal_nocase(connection->value, BYTES("keep-alive")) ||
                    bytes_equal_nocase(connection->value, BYTES("close"));
    return is_plain ? NULL : connection;
}

static bool has_option(struct bytes options, struct bytes name)
{
    while (options.len > 0) {
        size_t end = bytes_find(options, ',');
        if (bytes_equal_nocase(bytes_trim(bytes_make(options.data, end)), name))
            return true;
        options = bytes_skip(options, end < options.len ? end + 1 : end);
    }
    return false;
}

static bool connection_names(const struct http_field *connection, struct bytes name)
{
    return connection != NULL && has_option(connection->value, name);
}

static void write_forwarded(struct buffer *out, const struct exchange *exchange)
{
    struct bytes forwarded;
    char peer[ADDRESS_TEXT_SIZE] = "";
    if (exchange->peer != NULL)
        address_ip_text(exchange->peer, peer);
    buffer_append(out, BYTES("X-Forwarded-For: "));
    if (http_fields_find(&exchange->request.fields, HTTP_FIELD_X_FORWARDED_FOR) != NULL &&
        http_fields_joined(&exchange->request.fields, BYTES("X-Forwarded-For"), exchange->arena, &forwarded)) {
        buffer_append(out, forwarded);
        buffer_append(out, BYTES(", "));
    }
    buffer_append_str(out, peer);
    buffer_append(out, BYTES("\r\nX-Forwarded-Proto: http\r\n"));
}

void hop_write_request(struct buffer *out, const struct exchange *exchange, struct bytes host, int64_t content_length,
                       const char *request_id, const struct bytes *withheld, unsigned withheld_count)
{
    const struct http_request *request = &exchange->request;
    const struct http_field *connection = find_naming_connection(&request->fields);
    struct h1_lines lines = {0};
    bool has_request_id = false;

    h1_write_request_line(out, request->method_text, request->target);
    h1_write_known_field(out, BYTES("Host"), request->authority.len > 0 ? request->authority : host);
    for (unsigned i = 0; i < request->fields.len; i++) {
        const struct http_field *field = &request->fields.items[i];
        if (is_hop_by_hop(field->id) || field->id == HTTP_FIELD_HOST || field->id == HTTP_FIELD_EXPECT ||
            field->id == HTTP_FIELD_X_FORWARDED_FOR || field->id == HTTP_FIELD_X_FORWARDED_PROTO)
            continue;
        if (field->id == HTTP_FIELD_OTHER && (is_steering(field->name) || connection_names(connection, field->name)))
            continue;
        if (withheld_count > 0 && is_withheld(withheld, withheld_count, field->name))
            continue;
        has_request_id = has_request_id || field->id == HTTP_FIELD_X_REQUEST_ID;
        h1_write_lines_field(out, &lines, field);
    }
    h1_write_lines_end(out, &lines);
    write_forwarded(out, exchange);
    if (!has_request_id)
        h1_write_known_field(out, BYTES("X-Request-Id"), bytes_make(request_id, 32));
    if (content_length >= 0)
        h1_write_field_u64(out, BYTES("Content-Length"), (uint64_t)content_length);
    else if (content_length == HOP_CHUNKED)
        h1_write_known_field(out, BYTES("Transfer-Encoding"), BYTES("chunked"));
    h1_write_end_of_head(out);
}

static void add_own(struct http_fields *fields, struct bytes name, struct bytes value)
{
    if (value.len > 0)
        fields->items[fields->len++] = (struct http_field){.id = HTTP_FIELD_OTHER, .name = name, .value = value};
}

void hop_copy_response(struct http_fields *ret_fields, const struct http_response *response, struct bytes arm,
                       struct bytes revision, struct arena *arena)
{
    const struct http_field *connection = find_naming_connection(&response->fields);
    /* One allocation: never more fields than came, and ours. */
    ret_fields->items = ARENA_ARRAY(arena, struct http_field, response->fields.len + 2);
    ret_fields->capacity = response->fields.len + 2;
    ret_fields->len = 0;
    for (unsigned i = 0; i < response->fields.len; i++) {
        const struct http_field *field = &response->fields.items[i];
        if (is_hop_by_hop(field->id))
            continue;
        if (field->id == HTTP_FIELD_OTHER && connection_names(connection, field->name))
            continue;
        ret_fields->items[ret_fields->len++] = *field;
    }
    add_own(ret_fields, BYTES("x-serin-arm"), arm);
    add_own(ret_fields, BYTES("x-serin-revision"), revision);
}
