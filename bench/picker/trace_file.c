/* SPDX-License-Identifier: Apache-2.0 */
/* trace_file.c: draws all sessions of a trace at once: what they ask does not depend on when they are answered. */
#include "trace_file.h"

#include "base/json_write.h"
#include "out_file.h"

static void write_turns(struct json_writer *writer, struct session *session, const struct workload *workload)
{
    uint32_t history = workload->system_tokens;
    uint64_t pause_ns = 0;
    jw_key(writer, "turns");
    jw_begin_array(writer);
    do {
        jw_begin_object(writer);
        jw_member_double(writer, "pause_s", (double)pause_ns / 1e9);
        jw_member_u64(writer, "own", session->prompt_tokens - history);
        jw_member_u64(writer, "answer", session->answer_tokens);
        jw_end_object(writer);
        history = session->prompt_tokens + session->answer_tokens;
    } while (session_next_turn(session, workload, &pause_ns));
    jw_end_array(writer);
}

static void write_session(struct buffer *out, struct session *session, const struct workload *workload, uint64_t at_ns)
{
    struct json_writer writer;
    jw_init(&writer, out);
    jw_begin_object(&writer);
    jw_member_double(&writer, "at_s", (double)at_ns / 1e9);
    jw_member_i64(&writer, "system", session->system);
    jw_member_u64(&writer, "system_tokens", workload->system_tokens);
    jw_member_u64(&writer, "adapter", session->adapter);
    write_turns(&writer, session, workload);
    jw_end_object(&writer);
    buffer_append_char(out, '\n');
}

bool trace_write(const struct workload *workload, double rate, uint64_t seed, double end_s, const char *path)
{
    struct buffer out = {0};
    struct trace trace;
    trace_init(&trace, workload, rate, seed);
    for (uint64_t at_ns; (double)(at_ns = trace_next_ns(&trace)) < end_s * 1e9;) {
        struct session *session = trace_take(&trace);
        write_session(&out, session, workload, at_ns);
        session_free(session);
    }
    trace_deinit(&trace);
    bool is_written = out_file_write(buffer_bytes(&out), path);
    buffer_deinit(&out);
    return is_written;
}
