/* SPDX-License-Identifier: Apache-2.0 */
/* failure.c: fills and writes Status objects.  All texts are copied into the arena of whoever asks. */
#include "kube/apiserver/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *reason;
    unsigned status;
} reasons[] = {
#define X(id, reason, status) {reason, status},
    FAILURE_REASONS(X)
#undef X
};

void failure_init(struct failure *failure, struct arena *arena)
{
    *failure = (struct failure){.arena = arena, .message = "", .group = "", .kind = "", .name = "", .uid = ""};
}

static char *format_text(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0)
        abort();
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

void failure_set(struct failure *failure, enum failure_reason reason, const char *format, ...)
{
    if (failure->is_set)
        return;
    va_list args;
    va_start(args, format);
    failure->message = format_text(failure->arena, format, args);
    va_end(args);
    failure->reason = reason;
    failure->is_set = true;
}

/* "httproutes.gateway.networking.k8s.io", "services". */
static char *qualified(const char *word, const struct kube_kind_info *info, struct arena *arena)
{
    return arena_printf(arena, "%s%s%s", word, info->group[0] == '\0' ? "" : ".", info->group);
}

static char *usual_message(struct failure *failure, enum failure_reason reason, enum kube_kind kind, const char *name)
{
    struct arena *arena = failure->arena;
    const char *resource = qualified(kube_kind_info(kind)->plural, kube_kind_info(kind), arena);
    switch (reason) {
    case FAILURE_NOT_FOUND:
        return arena_printf(arena, "%s \"%s\" not found", resource, name);
    case FAILURE_ALREADY_EXISTS:
        return arena_printf(arena, "%s \"%s\" already exists", resource, name);
    default:
        return arena_printf(arena,
                            "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please apply "
                            "your changes to the latest version and try again",
                            resource, name);
    }
}

void failure_about(struct failure *failure, enum failure_reason reason, enum kube_kind kind, const char *name,
                   const char *format, ...)
{
    if (failure->is_set)
        return;
    if (format == NULL) {
        failure->message = usual_message(failure, reason, kind, name);
    } else {
        va_list args;
        va_start(args, format);
        failure->message = format_text(failure->arena, format, args);
        va_end(args);
    }
    failure->reason = reason;
    failure->group = kube_kind_info(kind)->group;
    failure->kind = kube_kind_info(kind)->plural;
    failure->name = arena_strdup(failure->arena, name);
    failure->is_set = true;
}

/* The words of metav1.CauseType for the words that decoders use. */
static const char *cause_reason(const char *reason)
{
    static const struct {
        const char *ours;
        const char *theirs;
    } table[] = {
        {"Required", "FieldValueRequired"},   {"NotSupported", "FieldValueNotSupported"},
        {"Forbidden", "FieldValueForbidden"}, {"Duplicate", "FieldValueDuplicate"},
        {"TooMany", "FieldValueTooMany"},     {"TooLong", "FieldValueTooLong"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(reason, table[i].ours) == 0)
            return table[i].theirs;
    }
    return "FieldValueInvalid";
}

void failure_invalid(struct failure *failure, enum kube_kind kind, const char *name, const struct problems *problems)
{
    if (failure->is_set)
        return;
    struct arena *arena = failure->arena;
    const struct kube_kind_info *info = kube_kind_info(kind);
    failure->causes = ARENA_ARRAY(arena, struct failure_cause, problems->count);
    const char *list = "";
    for (const struct problem *problem = problems->first; problem != NULL; problem = problem->next) {
        const char *field = problem->field[0] != '\0' ? problem->field : "metadata";
        failure->causes[failure->cause_count++] = (struct failure_cause){
            .reason = cause_reason(problem->reason), .message = problem->message, .field = field};
        list = arena_printf(arena, "%s%s%s: %s", list, list[0] == '\0' ? "" : ", ", field, problem->message);
    }
    failure->message = arena_printf(arena, "%s \"%s\" is invalid: %s%s%s", qualified(info->kind, info, arena), name,
                                    problems->count > 1 ? "[" : "", list, problems->count > 1 ? "]" : "");
    failure->reason = FAILURE_INVALID;
    failure->group = info->group;
    failure->kind = info->kind;
    failure->name = arena_strdup(arena, name);
    failure->is_set = true;
}

void failure_too_large_version(struct failure *failure, uint64_t wanted, uint64_t present)
{
    failure_set(failure, FAILURE_TIMEOUT, "Too large resource version: %llu, current: %llu", (unsigned long long)wanted,
                (unsigned long long)present);
    failure->causes = ARENA_ARRAY(failure->arena, struct failure_cause, 1);
    failure->causes[0] = (struct failure_cause){"ResourceVersionTooLarge", "Too large resource version", ""};
    failure->cause_count = 1;
    failure->retry_after_s = 1;
}

unsigned failure_status(const struct failure *failure)
{
    return reasons[failure->reason].status;
}

static void write_causes(const struct failure *failure, struct json_writer *writer)
{
    jw_key(writer, "causes");
    jw_begin_array(writer);
    for (unsigned i = 0; i < failure->cause_count; i++) {
        jw_begin_object(writer);
        jw_member_str(writer, "reason", failure->causes[i].reason);
        jw_member_str(writer, "message", failure->causes[i].message);
        jw_member_str(writer, "field", failure->causes[i].field);
        jw_end_object(writer);
    }
    jw_end_array(writer);
}

static void write_details(const struct failure *failure, struct json_writer *writer)
{
    const struct {
        const char *key;
        const char *value;
    } texts[] = {{"name", failure->name}, {"group", failure->group}, {"kind", failure->kind}, {"uid", failure->uid}};
    jw_key(writer, "details");
    jw_begin_object(writer);
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].value[0] != '\0')
            jw_member_str(writer, texts[i].key, texts[i].value);
    }
    if (failure->cause_count > 0)
        write_causes(failure, writer);
    if (failure->retry_after_s > 0)
        jw_member_u64(writer, "retryAfterSeconds", failure->retry_after_s);
    jw_end_object(writer);
}

void failure_write(const struct failure *failure, struct json_writer *writer)
{
    jw_begin_object(writer);
    jw_member_str(writer, "kind", "Status");
    jw_member_str(writer, "apiVersion", "v1");
    jw_key(writer, "metadata");
    jw_begin_object(writer);
    jw_end_object(writer);
    jw_member_str(writer, "status", "Failure");
    jw_member_str(writer, "message", failure->message);
    jw_member_str(writer, "reason", reasons[failure->reason].reason);
    write_details(failure, writer);
    jw_member_u64(writer, "code", failure_status(failure));
    jw_end_object(writer);
}
