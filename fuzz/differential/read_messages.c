/* SPDX-License-Identifier: Apache-2.0 */
/* read_messages.c: what Serin's parsers make of bytes, for compare.py.
 *
 * Standard input: records of a kind ('Q' requests, 'R' responses to GET, 'H' responses to HEAD), a length of four bytes
 * (big-endian) and so many bytes: what one connection carries until its end.  Standard output: one line of JSON for
 * each, as read_messages.js writes them.  The body of a request is also compared with a whole parse by jansson. */
#include <stdio.h>
#include <stdlib.h>

#include "../../tests/unit/inference/payload/scan_oracle.h"
#include "base/buffer.h"
#include "http/codec/h1_parse.h"

enum { MAX_RECORD = 1 << 20 };

/* Where the messages of a connection end. */
struct reading {
    struct bytes rest;
    struct bytes whole;
    struct arena *arena;
    struct buffer body;
    const char *end; /* "more": in the middle of a message, "done": between two, "closed": no more are read, "bad" */
    const char *reason;
    unsigned count;
};

static void put_text(const char *name, struct bytes text)
{
    printf("\"%s\":\"", name);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_fields(const struct http_fields *fields)
{
    printf(",\"fields\":[");
    for (unsigned i = 0; i < fields->len; i++) {
        printf("%s{", i > 0 ? "," : "");
        put_text("name", fields->items[i].name);
        putchar(',');
        put_text("value", fields->items[i].value);
        putchar('}');
    }
    putchar(']');
}

/* In two pieces: how a body is cut may not matter. */
static void put_scan(struct bytes body)
{
    struct openai_scan scan;
    oracle_scan(&scan, body, body.len / 2, body.len > 0 ? body.len : 1);
    const char *wrong = body.len > 0 ? oracle_check(&scan, body) : NULL;
    if (wrong != NULL)
        printf(",\"dom\":\"%s\"", wrong);
    if (scan.error != SCAN_OK)
        printf(",\"refused\":\"%s\"", scan_error_reason(scan.error));
    else if (scan.has_model) {
        putchar(',');
        put_text("model", openai_scan_model(&scan));
    }
}

static bool end(struct reading *reading, const char *how, enum h1_error error)
{
    reading->end = how;
    reading->reason = error != H1_OK ? h1_error_reason(error) : "";
    return false;
}

/* False when the body has no end here; reading->end says why. */
static bool read_body(struct reading *reading, enum http_framing framing, uint64_t content_length)
{
    struct h1_body body;
    struct bytes data;
    buffer_clear(&reading->body);
    if (framing == HTTP_BODY_UNTIL_CLOSE) {
        buffer_append(&reading->body, reading->rest);
        reading->rest.len = 0;
        return true;
    }
    h1_body_init(&body, framing, content_length, &h1_default_limits);
    for (;;) {
        switch (h1_body_next(&body, &reading->rest, &data)) {
        case H1_BODY_DATA:
            buffer_append(&reading->body, data);
            continue;
        case H1_BODY_NEED_MORE:
            return end(reading, "more", H1_OK);
        case H1_BODY_BAD:
            return end(reading, "bad", body.error);
        case H1_BODY_END:
            return true;
        }
    }
}

static bool read_head(struct reading *reading, enum h1_status status, const struct h1_head_parser *parser)
{
    if (status == H1_DONE) {
        reading->rest = bytes_skip(reading->rest, parser->head_bytes);
        return true;
    }
    return end(reading, status == H1_BAD ? "bad" : "more", status == H1_BAD ? parser->error : H1_OK);
}

static void put_end_of_message(struct reading *reading)
{
    printf(",\"at\":%zu,", (size_t)(reading->rest.data - reading->whole.data));
    put_text("body", buffer_bytes(&reading->body));
}

static bool read_request(struct reading *reading)
{
    struct h1_head_parser parser;
    struct http_request request;
    h1_head_parser_init(&parser, &h1_default_limits);
    enum h1_status status = h1_parse_request_head(&parser, reading->rest, reading->arena, &request);
    if (!read_head(reading, status, &parser))
        return false;
    printf("%s{", reading->count++ > 0 ? "," : "");
    put_text("method", request.method_text);
    putchar(',');
    put_text("target", request.target);
    put_fields(&request.fields);
    bool is_whole = read_body(reading, request.framing, request.content_length);
    if (is_whole) {
        put_end_of_message(reading);
        put_scan(buffer_bytes(&reading->body));
    }
    putchar('}');
    return is_whole && (request.keep_alive || end(reading, "closed", H1_OK));
}

static bool read_response(struct reading *reading, enum http_method method)
{
    struct h1_head_parser parser;
    struct http_response response;
    h1_head_parser_init(&parser, &h1_default_limits);
    enum h1_status status = h1_parse_response_head(&parser, reading->rest, method, reading->arena, &response);
    if (!read_head(reading, status, &parser))
        return false;
    printf("%s{\"status\":%u", reading->count++ > 0 ? "," : "", response.status);
    put_fields(&response.fields);
    bool is_whole = read_body(reading, response.framing, response.content_length);
    if (is_whole)
        put_end_of_message(reading);
    putchar('}');
    bool goes_on = response.keep_alive && response.framing != HTTP_BODY_UNTIL_CLOSE && response.status != 101;
    return is_whole && (goes_on || end(reading, "closed", H1_OK));
}

static void read_connection(char kind, struct bytes bytes)
{
    struct reading reading = {.rest = bytes, .whole = bytes, .arena = arena_new(0), .end = "done", .reason = ""};
    printf("{\"messages\":[");
    while (reading.rest.len > 0 &&
           (kind == 'Q' ? read_request(&reading) : read_response(&reading, kind == 'H' ? HTTP_HEAD : HTTP_GET)))
        ;
    printf("],\"end\":\"%s\",\"reason\":\"%s\"}\n", reading.end, reading.reason);
    buffer_deinit(&reading.body);
    arena_free(reading.arena);
}

int main(void)
{
    unsigned char head[5];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t len = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
        /* Of its exact size, so that a sanitizer sees a step too far. */
        char *bytes = len <= MAX_RECORD ? malloc(len > 0 ? len : 1) : NULL;
        if (bytes == NULL || fread(bytes, 1, len, stdin) != len)
            return 1;
        read_connection((char)head[0], bytes_make(bytes, len));
        fflush(stdout);
        free(bytes);
    }
    return 0;
}
