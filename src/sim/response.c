/* SPDX-License-Identifier: Apache-2.0 */
/* response.c: see response.h.  One item of output with one part of text.  Nothing is escaped here.  Pure. */
#include "sim/response.h"

#include <string.h>

#include "sim/response_store.h"

static bool is_cut(const char *finish_reason)
{
    return strcmp(finish_reason, "length") == 0;
}

static void append_part(struct buffer *out, struct bytes text_json)
{
    buffer_append_str(out, "{\"type\":\"output_text\",\"text\":\"");
    buffer_append(out, text_json);
    buffer_append_str(out, "\",\"annotations\":[]}");
}

/* status "in_progress": without its content. */
static void append_item(const struct response *response, struct buffer *out, const char *status, struct bytes text_json)
{
    buffer_printf(out,
                  "{\"id\":\"msg_%016llx\",\"type\":\"message\",\"status\":\"%s\",\"role\":\"assistant\","
                  "\"content\":[",
                  (unsigned long long)response->id, status);
    if (strcmp(status, "in_progress") != 0)
        append_part(out, text_json);
    buffer_append_str(out, "]}");
}

static void begin_response(const struct response *response, struct buffer *out, const char *status)
{
    char id[RESPONSE_ID_SIZE];
    response_id_text(response->id, id);
    buffer_printf(out, "{\"id\":\"%s\",\"object\":\"response\",\"created_at\":%llu,\"status\":\"%s\",\"error\":null,",
                  id, (unsigned long long)response->created_s, status);
    buffer_append_str(out, strcmp(status, "incomplete") == 0
                               ? "\"incomplete_details\":{\"reason\":\"max_output_tokens\"},\"model\":"
                               : "\"incomplete_details\":null,\"model\":");
    buffer_append(out, response->model_json);
    buffer_append_str(out, ",\"previous_response_id\":");
    buffer_append(out, response->previous_json);
    buffer_append_str(out, ",\"parallel_tool_calls\":true,\"tool_choice\":\"auto\",\"tools\":[],\"output\":[");
}

void response_whole(const struct response *response, struct buffer *out, struct bytes text_json,
                    const char *finish_reason, struct answer_usage usage)
{
    const char *status = is_cut(finish_reason) ? "incomplete" : "completed";
    begin_response(response, out, status);
    append_item(response, out, status, text_json);
    buffer_printf(out,
                  "],\"usage\":{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":%llu},"
                  "\"output_tokens\":%llu,\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":%llu}}",
                  (unsigned long long)usage.prompt_tokens, (unsigned long long)usage.cached_tokens,
                  (unsigned long long)usage.completion_tokens,
                  (unsigned long long)usage.prompt_tokens + usage.completion_tokens);
}

static void begin_event(struct response *response, struct buffer *out, const char *type)
{
    buffer_printf(out, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%llu,", type, type,
                  (unsigned long long)response->event_count++);
}

static void end_event(struct buffer *out)
{
    buffer_append_str(out, "}\n\n");
}

static void append_place(const struct response *response, struct buffer *out)
{
    buffer_printf(out, "\"item_id\":\"msg_%016llx\",\"output_index\":0,\"content_index\":0,",
                  (unsigned long long)response->id);
}

void response_begin_events(struct response *response, struct buffer *out)
{
    static const char *const types[] = {"response.created", "response.in_progress"};
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        begin_event(response, out, types[i]);
        buffer_append_str(out, "\"response\":");
        begin_response(response, out, "in_progress");
        buffer_append_str(out, "],\"usage\":null}");
        end_event(out);
    }
    begin_event(response, out, "response.output_item.added");
    buffer_append_str(out, "\"output_index\":0,\"item\":");
    append_item(response, out, "in_progress", BYTES(""));
    end_event(out);
    begin_event(response, out, "response.content_part.added");
    append_place(response, out);
    buffer_append_str(out, "\"part\":");
    append_part(out, BYTES(""));
    end_event(out);
}

void response_text_event(struct response *response, struct buffer *out, struct bytes text_json)
{
    begin_event(response, out, "response.output_text.delta");
    append_place(response, out);
    buffer_append_str(out, "\"logprobs\":[],\"delta\":\"");
    buffer_append(out, text_json);
    buffer_append_str(out, "\"");
    end_event(out);
}

void response_end_events(struct response *response, struct buffer *out, struct bytes text_json,
                         const char *finish_reason, struct answer_usage usage)
{
    bool is_incomplete = is_cut(finish_reason);
    begin_event(response, out, "response.output_text.done");
    append_place(response, out);
    buffer_append_str(out, "\"logprobs\":[],\"text\":\"");
    buffer_append(out, text_json);
    buffer_append_str(out, "\"");
    end_event(out);
    begin_event(response, out, "response.content_part.done");
    append_place(response, out);
    buffer_append_str(out, "\"part\":");
    append_part(out, text_json);
    end_event(out);
    begin_event(response, out, "response.output_item.done");
    buffer_append_str(out, "\"output_index\":0,\"item\":");
    append_item(response, out, is_incomplete ? "incomplete" : "completed", text_json);
    end_event(out);
    begin_event(response, out, is_incomplete ? "response.incomplete" : "response.completed");
    buffer_append_str(out, "\"response\":");
    response_whole(response, out, text_json, finish_reason, usage);
    end_event(out);
}
