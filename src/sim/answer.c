/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c: see answer.h.  Nothing is escaped here: pieces come escaped, reasons are constants.  Pure. */
#include "sim/answer.h"

static void append(struct buffer *out, struct bytes piece)
{
    buffer_append(out, piece);
}

void answer_init(struct answer *answer, struct arena *arena, bool is_chat, uint64_t id, uint64_t created_s,
                 struct bytes model_json)
{
    const char *prefix = is_chat ? "chatcmpl" : "cmpl";
    const char *object = is_chat ? "chat.completion" : "text_completion";
    struct buffer head = {0};
    buffer_printf(&head, "{\"id\":\"%s-%016llx\",\"object\":\"%s", prefix, (unsigned long long)id, object);
    size_t after_object = buffer_len(&head);
    buffer_printf(&head, "\",\"created\":%llu,\"model\":", (unsigned long long)created_s);
    buffer_append(&head, model_json);
    buffer_append_str(&head, ",\"choices\":[");
    answer->is_chat = is_chat;
    answer->whole_head = arena_copy(arena, buffer_bytes(&head));

    struct buffer event = {0};
    append(&event, BYTES("data: "));
    append(&event, bytes_make(answer->whole_head.data, after_object));
    if (is_chat)
        append(&event, BYTES(".chunk"));
    append(&event, bytes_skip(answer->whole_head, after_object));
    answer->event_head = arena_copy(arena, buffer_bytes(&event));
    buffer_deinit(&head);
    buffer_deinit(&event);
}

static void begin_event(const struct answer *answer, struct buffer *out, unsigned index)
{
    append(out, answer->event_head);
    append(out, BYTES("{\"index\":"));
    buffer_append_u64(out, index);
}

static void end_event(const struct answer *answer, struct buffer *out)
{
    append(out, answer->include_usage ? BYTES("}],\"usage\":null}\n\n") : BYTES("}]}\n\n"));
}

void answer_role_event(const struct answer *answer, struct buffer *out, unsigned index)
{
    begin_event(answer, out, index);
    append(out, BYTES(",\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null"));
    end_event(answer, out);
}

void answer_token_event(const struct answer *answer, struct buffer *out, unsigned index, struct bytes text_json)
{
    begin_event(answer, out, index);
    append(out, answer->is_chat ? BYTES(",\"delta\":{\"content\":\"") : BYTES(",\"text\":\""));
    append(out, text_json);
    append(out, answer->is_chat ? BYTES("\"},\"logprobs\":null,\"finish_reason\":null")
                                : BYTES("\",\"logprobs\":null,\"finish_reason\":null"));
    end_event(answer, out);
}

void answer_last_event(const struct answer *answer, struct buffer *out, unsigned index, const char *finish_reason)
{
    begin_event(answer, out, index);
    append(out, answer->is_chat ? BYTES(",\"delta\":{},\"logprobs\":null,\"finish_reason\":\"")
                                : BYTES(",\"text\":\"\",\"logprobs\":null,\"finish_reason\":\""));
    append(out, bytes_of(finish_reason));
    append(out, BYTES("\""));
    end_event(answer, out);
}

static void append_usage(struct buffer *out, struct answer_usage usage)
{
    append(out, BYTES("],\"usage\":{\"prompt_tokens\":"));
    buffer_append_u64(out, usage.prompt_tokens);
    append(out, BYTES(",\"completion_tokens\":"));
    buffer_append_u64(out, usage.completion_tokens);
    append(out, BYTES(",\"total_tokens\":"));
    buffer_append_u64(out, usage.prompt_tokens + usage.completion_tokens);
    if (usage.has_cached_tokens) {
        append(out, BYTES(",\"prompt_tokens_details\":{\"cached_tokens\":"));
        buffer_append_u64(out, usage.cached_tokens);
        append(out, BYTES("}"));
    }
    append(out, BYTES("}}"));
}

void answer_usage_event(const struct answer *answer, struct buffer *out, struct answer_usage usage)
{
    append(out, answer->event_head);
    append_usage(out, usage);
    append(out, BYTES("\n\n"));
}

void answer_begin(const struct answer *answer, struct buffer *out)
{
    append(out, answer->whole_head);
}

void answer_begin_choice(const struct answer *answer, struct buffer *out, unsigned index)
{
    append(out, index > 0 ? BYTES(",{\"index\":") : BYTES("{\"index\":"));
    buffer_append_u64(out, index);
    append(out, answer->is_chat ? BYTES(",\"message\":{\"role\":\"assistant\",\"content\":\"") : BYTES(",\"text\":\""));
}

void answer_end_choice(const struct answer *answer, struct buffer *out, const char *finish_reason)
{
    append(out, answer->is_chat ? BYTES("\"},\"logprobs\":null,\"finish_reason\":\"")
                                : BYTES("\",\"logprobs\":null,\"finish_reason\":\""));
    append(out, bytes_of(finish_reason));
    append(out, BYTES("\"}"));
}

void answer_end(struct buffer *out, struct answer_usage usage)
{
    append_usage(out, usage);
}
