/* SPDX-License-Identifier: Apache-2.0 */
/* completion_write.c: the words of a completion, in the form that its API has. */
#include "base/json_write.h"
#include "sim/completion_internal.h"

static bool is_response(const struct completion *completion)
{
    return completion->request.kind == OPENAI_RESPONSE;
}

static struct bytes quoted(struct arena *arena, struct bytes text)
{
    struct buffer json = {0};
    jw_append_quoted(&json, text);
    struct bytes copy = arena_copy(arena, buffer_bytes(&json));
    buffer_deinit(&json);
    return copy;
}

void completion_init_answer(struct completion *completion, uint64_t id, uint64_t now_s)
{
    const struct openai_request *request = &completion->request;
    struct arena *arena = completion->exchange->arena;
    completion->response = (struct response){
        .id = id | 1, /* never 0 */
        .created_s = now_s,
        .model_json = completion->model->name_json,
        .previous_json = request->previous.len > 0 ? quoted(arena, request->previous) : BYTES("null"),
    };
    if (is_response(completion))
        return;
    answer_init(&completion->answer, arena, request->kind == OPENAI_CHAT, id, now_s, completion->model->name_json);
    completion->answer.include_usage = request->include_usage;
}

void completion_write_first(struct choice *choice, struct buffer *out)
{
    struct completion *completion = choice->completion;
    if (is_response(completion))
        response_begin_events(&completion->response, out);
    else if (completion->answer.is_chat)
        answer_role_event(&completion->answer, out, choice->index);
}

static struct text_piece choice_token(const struct choice *choice, uint64_t index)
{
    return text_token(&choice->completion->model->voice, choice->seed, index);
}

static void append_token(const struct choice *choice, struct buffer *out, uint64_t index)
{
    struct text_piece piece = choice_token(choice, index);
    if (index + 1 < choice->sequence.total_tokens || choice->last_len >= piece.plain.len) {
        buffer_append(out, piece.json);
        return;
    }
    struct buffer quoted = {0};
    jw_append_quoted(&quoted, bytes_make(piece.plain.data, choice->last_len));
    buffer_append(out, bytes_make(quoted.data + quoted.head + 1, buffer_len(&quoted) - 2));
    buffer_deinit(&quoted);
}

static void write_text_event(struct choice *choice, struct buffer *out, struct bytes text_json)
{
    struct completion *completion = choice->completion;
    if (is_response(completion))
        response_text_event(&completion->response, out, text_json);
    else
        answer_token_event(&completion->answer, out, choice->index, text_json);
}

void completion_write_token(struct choice *choice, struct buffer *out, uint64_t index)
{
    struct text_piece piece = choice_token(choice, index);
    if (index + 1 < choice->sequence.total_tokens || choice->last_len >= piece.plain.len) {
        write_text_event(choice, out, piece.json);
        return;
    }
    struct buffer text = {0};
    append_token(choice, &text, index);
    write_text_event(choice, out, buffer_bytes(&text));
    buffer_deinit(&text);
}

void completion_write_last(const struct choice *choice, struct buffer *out)
{
    if (!is_response(choice->completion)) /* its text is told once more first */
        answer_last_event(&choice->completion->answer, out, choice->index, choice->finish_reason);
}

static void append_text(const struct choice *choice, struct buffer *out)
{
    for (uint64_t i = 0; i < choice->sequence.total_tokens; i++)
        append_token(choice, out, i);
}

void completion_write_end(struct completion *completion, struct buffer *out)
{
    const struct choice *only = completion->choices;
    struct buffer text = {0};
    if (is_response(completion)) {
        append_text(only, &text);
        response_end_events(&completion->response, out, buffer_bytes(&text), only->finish_reason, completion->usage);
        buffer_deinit(&text);
        return;
    }
    if (completion->answer.include_usage)
        answer_usage_event(&completion->answer, out, completion->usage);
    buffer_append(out, ANSWER_DONE_EVENT);
}

static void write_choices(struct completion *completion, struct buffer *out)
{
    answer_begin(&completion->answer, out);
    for (unsigned i = 0; i < completion->choice_count; i++) {
        answer_begin_choice(&completion->answer, out, i);
        append_text(&completion->choices[i], out);
        answer_end_choice(&completion->answer, out, completion->choices[i].finish_reason);
    }
    answer_end(out, completion->usage);
}

static void write_response(struct completion *completion, struct buffer *out)
{
    struct buffer text = {0};
    append_text(completion->choices, &text);
    response_whole(&completion->response, out, buffer_bytes(&text), completion->choices->finish_reason,
                   completion->usage);
    buffer_deinit(&text);
}

void completion_write_whole(struct completion *completion, struct buffer *out)
{
    (is_response(completion) ? write_response : write_choices)(completion, out);
}
