/* SPDX-License-Identifier: Apache-2.0 */
/* traffic.c: see traffic.h. */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

/* What changes from one event of a stream to the next is its text, as model servers have it: id and time of creation
 * are the stream's. */
#define EVENT_START                                                                                                    \
    "data: {\"id\":\"chatcmpl-01234\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"                    \
    "\"model\":\"chat\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token "
#define EVENT_MIDDLE " "
#define EVENT_END    "\"},\"finish_reason\":null}]}\n\n"

enum { TIME_DIGITS = 16, NUMBER_DIGITS = 8, ANSWER_BYTES = 1024 };

const char *const traffic_models[TRAFFIC_MODELS] = {"chat", "chat-v1", "chat-v2"};
const char traffic_done[] = "data: [DONE]\n\n";

void traffic_body_load(struct traffic_body *body, const char *path)
{
    static const char mark[] = "\"model\":\"chat\"";
    FILE *file = fopen(path, "rb");
    size_t room = 4u << 20;
    char *data = malloc(room);
    size_t len = file != NULL && data != NULL ? fread(data, 1, room, file) : 0;
    const char *found = len > 0 ? memmem(data, len, mark, sizeof mark - 1) : NULL;
    if (found == NULL) {
        fprintf(stderr, "bench_load: %s is no request body\n", path);
        exit(2);
    }
    fclose(file);
    *body = (struct traffic_body){{data, len}, (size_t)(found - data) + strlen("\"model\":\"")};
}

/* The name ends at its quote; it is at most as long as there is room. */
static size_t read_model(struct traffic_reader *reader, struct bytes piece)
{
    size_t used = 0;
    while (used < piece.len && piece.data[used] != '"') {
        if (reader->model_len == sizeof reader->model - 1) {
            reader->is_wrong = true;
            return piece.len;
        }
        reader->model[reader->model_len++] = piece.data[used++];
    }
    reader->has_model = used < piece.len;
    return used;
}

/* `offset`: where in the original the piece should be found. */
static void compare(struct traffic_reader *reader, const struct traffic_body *body, size_t offset, struct bytes piece)
{
    if (offset + piece.len > body->bytes.len || memcmp(body->bytes.data + offset, piece.data, piece.len) != 0)
        reader->is_wrong = true;
}

void traffic_read(struct traffic_reader *reader, const struct traffic_body *body, struct bytes piece)
{
    while (piece.len > 0) {
        size_t used = piece.len;
        if (reader->at < body->model_at) {
            size_t left = body->model_at - reader->at;
            used = used < left ? used : left;
            compare(reader, body, reader->at, bytes_make(piece.data, used));
        } else if (!reader->has_model) {
            used = read_model(reader, piece);
        } else {
            compare(reader, body, reader->at - reader->model_len + strlen(traffic_models[0]), piece);
        }
        reader->at += used;
        piece = bytes_skip(piece, used);
        if (used == 0 && !reader->has_model)
            return;
    }
}

int traffic_read_end(const struct traffic_reader *reader, const struct traffic_body *body, enum traffic_check check)
{
    if (check == CHECK_REENCODED)
        return reader->at == body->bytes.len - strlen(traffic_models[0]) + strlen(traffic_models[1]) ? 1 : -1;
    size_t expected = body->bytes.len - strlen(traffic_models[0]) + reader->model_len;
    if (reader->is_wrong || !reader->has_model || reader->at != expected)
        return -1;
    for (int i = 0; i < TRAFFIC_MODELS; i++)
        if (bytes_equal_str(bytes_make(reader->model, reader->model_len), traffic_models[i]))
            return (i == 0) == (check == CHECK_SAME) ? i : -1;
    return -1;
}

static size_t write_json(char *to, size_t room, unsigned model)
{
    int len =
        snprintf(to, room,
                 "{\"id\":\"chatcmpl-0123456789abcdef0123456789abcdef\",\"object\":\"chat.completion\",\"created\":"
                 "1700000000,\"model\":\"%s\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                 "\"content\":\"%0*d\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":"
                 "{\"prompt_tokens\":200,\"completion_tokens\":80,\"total_tokens\":280}}",
                 traffic_models[model], 290, 0);
    return (size_t)len;
}

/* Written once per model. */
static const char *answer_text(unsigned model, size_t *ret_len, size_t *ret_head_len)
{
    static char texts[TRAFFIC_MODELS][ANSWER_BYTES];
    static size_t lens[TRAFFIC_MODELS], head_lens[TRAFFIC_MODELS];
    if (lens[model] == 0) {
        char json[ANSWER_BYTES];
        size_t json_len = write_json(json, sizeof json, model);
        head_lens[model] = (size_t)snprintf(texts[model], ANSWER_BYTES,
                                            "HTTP/1.1 200 OK\r\ndate: Thu, 26 Nov 2026 12:00:00 GMT\r\nserver: uvicorn"
                                            "\r\ncontent-length: %zu\r\ncontent-type: application/json\r\n\r\n",
                                            json_len);
        memcpy(texts[model] + head_lens[model], json, json_len);
        lens[model] = head_lens[model] + json_len;
    }
    *ret_len = lens[model];
    *ret_head_len = head_lens[model];
    return texts[model];
}

struct bytes traffic_answer(unsigned model)
{
    size_t len, head_len;
    const char *text = answer_text(model, &len, &head_len);
    return bytes_make(text, len);
}

struct bytes traffic_answer_json(unsigned model)
{
    size_t len, head_len;
    const char *text = answer_text(model, &len, &head_len);
    return bytes_make(text + head_len, len - head_len);
}

static char *write_hex(char *to, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
    return to + digits;
}

static char *write_text(char *to, const char *text)
{
    size_t len = strlen(text);
    memcpy(to, text, len);
    return to + len;
}

void traffic_event_write(char event[static TRAFFIC_EVENT_BYTES], uint64_t time_ns, uint32_t number)
{
    _Static_assert(sizeof(EVENT_START EVENT_MIDDLE EVENT_END) - 1 + TIME_DIGITS + NUMBER_DIGITS == TRAFFIC_EVENT_BYTES,
                   "the size of an event");
    char *at = write_hex(write_text(event, EVENT_START), time_ns, TIME_DIGITS);
    write_text(write_hex(write_text(at, EVENT_MIDDLE), number, NUMBER_DIGITS), EVENT_END);
}

static bool read_text(const char **at, const char *text)
{
    size_t len = strlen(text);
    bool is_same = memcmp(*at, text, len) == 0;
    *at += len;
    return is_same;
}

static bool read_hex(const char **at, int digits, uint64_t *ret_value)
{
    *ret_value = 0;
    for (int i = 0; i < digits; i++) {
        char c = *(*at)++;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *ret_value = *ret_value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

bool traffic_event_read(const char event[static TRAFFIC_EVENT_BYTES], uint64_t *ret_time_ns, uint32_t *ret_number)
{
    uint64_t number = 0;
    bool is_right = read_text(&event, EVENT_START) && read_hex(&event, TIME_DIGITS, ret_time_ns) &&
                    read_text(&event, EVENT_MIDDLE) && read_hex(&event, NUMBER_DIGITS, &number) &&
                    read_text(&event, EVENT_END);
    *ret_number = (uint32_t)number;
    return is_right;
}

struct bytes traffic_field(struct bytes head, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *line = head.data, *end = head.data + head.len; line < end;) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        size_t len = line_end != NULL ? (size_t)(line_end - line) : (size_t)(end - line);
        if (len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0) {
            struct bytes value = bytes_trim(bytes_make(line + name_len + 1, len - name_len - 1));
            return bytes_make(value.data,
                              value.len > 0 && value.data[value.len - 1] == '\r' ? value.len - 1 : value.len);
        }
        line += len + 1;
    }
    return BYTES("");
}

void run_error(struct run *run, const char *what)
{
    if (run->errors++ == 0)
        snprintf(run->first_error, sizeof run->first_error, "%s", what);
}
