/* SPDX-License-Identifier: Apache-2.0 */
/* openai_request.c: reads a completion request by a jansson tree (a simulator may), checking what it uses and
 * ignoring the rest (temperature, tools, logprobs, ...).  Pure. */
#include "sim/openai_request.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_read.h"
#include "sim/text.h"

#define MESSAGE_TOKENS   4   /* what a chat template adds to a message */
#define PREAMBLE_TOKENS  3   /* and to the whole */
#define PART_TOKENS      256 /* an image or a sound, whatever its size */
#define MAX_TOKENS_LIMIT 100000000

struct reader {
    struct arena *arena;
    struct openai_request *request;
    struct openai_problem *problem;
};

PRINTF_LIKE(3, 4) static bool refuse(struct reader *reader, const char *param, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reader->problem->message, sizeof reader->problem->message, format, args);
    va_end(args);
    reader->problem->param = param;
    return false;
}

static struct bytes string_bytes(const json_t *value)
{
    return bytes_make(json_string_value(value), json_string_length(value));
}

/* Absent and null leave *ret_value alone. */
static bool read_bool(struct reader *reader, const json_t *object, const char *name, bool *ret_value)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_boolean(value))
        return refuse(reader, name, "%s must be true or false", name);
    *ret_value = json_is_true(value);
    return true;
}

static bool read_count(struct reader *reader, const json_t *object, const char *name, json_int_t least, json_int_t most,
                       bool *ret_found, uint64_t *ret_value)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return refuse(reader, name, "%s must be a whole number from %lld to %lld", name, (long long)least,
                      (long long)most);
    *ret_found = true;
    *ret_value = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_seed(struct reader *reader, const json_t *root)
{
    const json_t *value = json_object_get(root, "seed");
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value))
        return refuse(reader, "seed", "seed must be a whole number");
    reader->request->has_seed = true;
    reader->request->seed = (uint64_t)json_integer_value(value);
    return true;
}

static bool add_stop(struct reader *reader, const json_t *value)
{
    struct openai_request *request = reader->request;
    if (!json_is_string(value) || request->stop_count == OPENAI_MAX_STOPS)
        return refuse(reader, "stop", "stop must be a string or a list of at most %d strings", OPENAI_MAX_STOPS);
    if (json_string_length(value) > 0)
        request->stops[request->stop_count++] = arena_copy(reader->arena, string_bytes(value));
    return true;
}

static bool read_stops(struct reader *reader, const json_t *root)
{
    const json_t *value = json_object_get(root, "stop");
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_array(value))
        return add_stop(reader, value);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!add_stop(reader, json_array_get(value, i)))
            return false;
    return true;
}

static void add_block(struct reader *reader, struct openai_prompt *prompt)
{
    if (prompt->block_count == prompt->block_capacity) {
        unsigned capacity = prompt->block_capacity * 2 + 16;
        uint64_t *blocks = ARENA_ARRAY(reader->arena, uint64_t, capacity);
        if (prompt->block_count > 0)
            memcpy(blocks, prompt->blocks, prompt->block_count * sizeof *blocks);
        prompt->blocks = blocks;
        prompt->block_capacity = capacity;
    }
    prompt->chain = text_hash(prompt->chain, bytes_make(prompt->partial, sizeof prompt->partial));
    prompt->blocks[prompt->block_count++] = prompt->chain | 1; /* never 0 */
    prompt->partial_len = 0;
}

static void add_to_blocks(struct reader *reader, struct openai_prompt *prompt, struct bytes text)
{
    while (text.len > 0) {
        size_t room = sizeof prompt->partial - prompt->partial_len, len = text.len < room ? text.len : room;
        memcpy(prompt->partial + prompt->partial_len, text.data, len);
        prompt->partial_len += (unsigned)len;
        text = bytes_skip(text, len);
        if (prompt->partial_len == sizeof prompt->partial)
            add_block(reader, prompt);
    }
}

static void count_text(struct reader *reader, struct openai_prompt *prompt, const json_t *text)
{
    prompt->tokens += text_token_count(string_bytes(text));
    prompt->hash = text_hash(prompt->hash, string_bytes(text));
    add_to_blocks(reader, prompt, string_bytes(text));
}

/* Where the messages of the request stand. */
static const char *messages_name(const struct reader *reader)
{
    return reader->request->kind == OPENAI_RESPONSE ? "input" : "messages";
}

static bool count_parts(struct reader *reader, struct openai_prompt *prompt, const json_t *parts)
{
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        const json_t *text = json_object_get(part, "text");
        if (!json_is_object(part))
            return refuse(reader, messages_name(reader), "a part of a message's content must be an object");
        if (json_is_string(text))
            count_text(reader, prompt, text);
        else
            prompt->tokens += PART_TOKENS;
    }
    return true;
}

static bool count_message(struct reader *reader, struct openai_prompt *prompt, const json_t *message)
{
    const json_t *role = json_object_get(message, "role"), *content = json_object_get(message, "content");
    if (!json_is_object(message) || !json_is_string(role))
        return refuse(reader, messages_name(reader), "each message must be an object with a role");
    prompt->tokens += MESSAGE_TOKENS;
    prompt->hash = text_hash(prompt->hash, string_bytes(role));
    if (json_is_string(content))
        count_text(reader, prompt, content);
    else if (json_is_array(content))
        return count_parts(reader, prompt, content);
    else if (content != NULL && !json_is_null(content))
        return refuse(reader, messages_name(reader), "a message's content must be a string or a list of parts");
    return true;
}

static struct openai_prompt *begin_prompt(struct reader *reader)
{
    struct openai_prompt *prompt = ARENA_NEW(reader->arena, struct openai_prompt);
    prompt->tokens = PREAMBLE_TOKENS;
    prompt->chain = text_hash(0, reader->request->model); /* adapters' caches differ */
    reader->request->prompts = prompt;
    reader->request->prompt_count = 1;
    return prompt;
}

static bool read_messages(struct reader *reader, const json_t *root)
{
    const json_t *messages = json_object_get(root, "messages");
    if (!json_is_array(messages) || json_array_size(messages) == 0)
        return refuse(reader, "messages", "messages must be a list with at least one message");
    struct openai_prompt *prompt = begin_prompt(reader);
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (!count_message(reader, prompt, json_array_get(messages, i)))
            return false;
    return true;
}

static bool read_optional_text(struct reader *reader, const json_t *root, const char *name, const json_t **ret_text)
{
    const json_t *value = json_object_get(root, name);
    *ret_text = json_is_string(value) ? value : NULL;
    if (value == NULL || json_is_null(value) || *ret_text != NULL)
        return true;
    return refuse(reader, name, "%s must be a string", name);
}

/* An item without a role is a tool's result, a reasoning, ... */
static bool count_item(struct reader *reader, struct openai_prompt *prompt, const json_t *item)
{
    if (json_is_object(item) && json_object_get(item, "role") == NULL &&
        json_is_string(json_object_get(item, "type"))) {
        prompt->tokens += PART_TOKENS;
        return true;
    }
    return count_message(reader, prompt, item);
}

static bool read_input(struct reader *reader, const json_t *root)
{
    const json_t *input = json_object_get(root, "input"), *instructions, *previous;
    if (!json_is_string(input) && (!json_is_array(input) || json_array_size(input) == 0))
        return refuse(reader, "input", "input must be a string or a list with at least one item");
    if (!read_optional_text(reader, root, "instructions", &instructions) ||
        !read_optional_text(reader, root, "previous_response_id", &previous) ||
        !read_bool(reader, root, "store", &reader->request->is_stored))
        return false;
    struct openai_prompt *prompt = begin_prompt(reader);
    if (previous != NULL) {
        reader->request->previous = arena_copy(reader->arena, string_bytes(previous));
        prompt->hash = text_hash(prompt->hash, reader->request->previous);
    }
    if (instructions != NULL)
        count_text(reader, prompt, instructions);
    if (json_is_string(input))
        count_text(reader, prompt, input);
    for (size_t i = 0; i < json_array_size(input); i++)
        if (!count_item(reader, prompt, json_array_get(input, i)))
            return false;
    return true;
}

static bool count_token_ids(struct reader *reader, struct openai_prompt *prompt, const json_t *ids)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        if (!json_is_integer(id) || json_integer_value(id) < 0)
            return refuse(reader, "prompt", "token ids must be whole numbers");
        prompt->hash = text_mix(prompt->hash, (uint64_t)json_integer_value(id));
    }
    prompt->tokens = json_array_size(ids);
    return true;
}

static bool read_one_prompt(struct reader *reader, struct openai_prompt *prompt, const json_t *value)
{
    prompt->chain = text_hash(0, reader->request->model);
    if (json_is_string(value))
        count_text(reader, prompt, value);
    else if (!json_is_array(value))
        return refuse(reader, "prompt", "prompt must be a string, a list of strings, token ids or lists of token ids");
    else if (!count_token_ids(reader, prompt, value))
        return false;
    if (prompt->tokens == 0)
        prompt->tokens = 1; /* the token that begins a text */
    return true;
}

static bool read_prompt(struct reader *reader, const json_t *root)
{
    const json_t *prompt = json_object_get(root, "prompt");
    const json_t *first = json_array_get(prompt, 0);
    bool is_list = json_is_array(prompt) && !json_is_integer(first);
    size_t count = is_list ? json_array_size(prompt) : 1;
    if (prompt == NULL || json_is_null(prompt) || count == 0 || count > OPENAI_MAX_CHOICES)
        return refuse(reader, "prompt", "prompt is missing, empty, or a list of more than %d", OPENAI_MAX_CHOICES);
    reader->request->prompts = ARENA_ARRAY(reader->arena, struct openai_prompt, count);
    reader->request->prompt_count = (unsigned)count;
    for (size_t i = 0; i < count; i++)
        if (!read_one_prompt(reader, &reader->request->prompts[i], is_list ? json_array_get(prompt, i) : prompt))
            return false;
    return true;
}

static bool read_model(struct reader *reader, const json_t *root)
{
    const json_t *model = json_object_get(root, "model");
    if (model == NULL || json_is_null(model))
        return true;
    if (!json_is_string(model))
        return refuse(reader, "model", "model must be a string");
    reader->request->model = arena_copy(reader->arena, string_bytes(model));
    return true;
}

/* The newer name wins where both are given. */
static bool read_max_tokens(struct reader *reader, const json_t *root)
{
    static const char *const names[][2] = {[OPENAI_TEXT] = {"max_tokens", NULL},
                                           [OPENAI_CHAT] = {"max_tokens", "max_completion_tokens"},
                                           [OPENAI_RESPONSE] = {"max_output_tokens", NULL}};
    struct openai_request *request = reader->request;
    json_int_t least = request->kind == OPENAI_TEXT ? 0 : 1;
    for (unsigned i = 0; i < 2 && names[request->kind][i] != NULL; i++)
        if (!read_count(reader, root, names[request->kind][i], least, MAX_TOKENS_LIMIT, &request->has_max_tokens,
                        &request->max_tokens))
            return false;
    return true;
}

static bool read_stream_options(struct reader *reader, const json_t *root)
{
    const json_t *options = json_object_get(root, "stream_options");
    if (options == NULL || json_is_null(options))
        return true;
    if (!json_is_object(options))
        return refuse(reader, "stream_options", "stream_options must be an object");
    if (!reader->request->stream)
        return refuse(reader, "stream_options", "stream_options needs stream to be true");
    return read_bool(reader, options, "include_usage", &reader->request->include_usage);
}

static bool read_choices(struct reader *reader, const json_t *root)
{
    struct openai_request *request = reader->request;
    uint64_t n = 1;
    bool found = false;
    if (!read_count(reader, root, "n", 1, OPENAI_MAX_CHOICES, &found, &n))
        return false;
    if (n * request->prompt_count > OPENAI_MAX_CHOICES)
        return refuse(reader, "n", "n times the number of prompts must be at most %d", OPENAI_MAX_CHOICES);
    request->n = (unsigned)n;
    return true;
}

static bool read_request(struct reader *reader, const json_t *root)
{
    struct openai_request *request = reader->request;
    bool found = false;
    if (!json_is_object(root))
        return refuse(reader, NULL, "the body must be a JSON object");
    if (!read_model(reader, root) || !read_bool(reader, root, "stream", &request->stream) ||
        !read_bool(reader, root, "ignore_eos", &request->ignore_eos) || !read_stream_options(reader, root) ||
        !read_max_tokens(reader, root) || !read_seed(reader, root) || !read_stops(reader, root) ||
        !read_count(reader, root, "min_tokens", 0, MAX_TOKENS_LIMIT, &found, &request->min_tokens))
        return false;
    if (request->has_max_tokens && request->min_tokens > request->max_tokens)
        return refuse(reader, "min_tokens", "min_tokens must not be more than max_tokens");
    request->n = 1;
    if (request->kind == OPENAI_RESPONSE)
        return read_input(reader, root);
    return (request->kind == OPENAI_CHAT ? read_messages : read_prompt)(reader, root) && read_choices(reader, root);
}

bool openai_request_parse(struct bytes body, enum openai_kind kind, struct arena *arena,
                          struct openai_request *ret_request, struct openai_problem *ret_problem)
{
    struct reader reader = {arena, ret_request, ret_problem};
    char error[200];
    memset(ret_request, 0, sizeof *ret_request);
    memset(ret_problem, 0, sizeof *ret_problem);
    ret_request->kind = kind;
    ret_request->is_stored = kind == OPENAI_RESPONSE;
    json_t *root = json_read(body, error);
    if (root == NULL)
        return refuse(&reader, NULL, "the body is not JSON: %s", error);
    bool ok = read_request(&reader, root);
    json_decref(root);
    return ok;
}
