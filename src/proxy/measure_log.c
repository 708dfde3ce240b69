/* SPDX-License-Identifier: Apache-2.0 */
/* measure_log.c: an ended exchange as a record of the access log.  Only where there is one. */
#include "base/clock.h"
#include "canary/tap.h"
#include "observe/access_log.h"
#include "proxy/measure_internal.h"

static void set(struct access_record *record, enum access_string id, struct bytes value)
{
    record->strings[id] = value;
}

static uint64_t known(uint64_t value)
{
    return value != OBSERVATION_UNKNOWN ? value : ACCESS_NONE;
}

static void describe_request(const struct proxied *proxied, struct access_record *record, char client[])
{
    const struct exchange *exchange = proxied->exchange;
    const struct http_request *request = &exchange->request;
    const struct http_field *id = http_fields_find(&request->fields, HTTP_FIELD_X_REQUEST_ID);
    address_text(exchange->peer, client);
    /* The one that the model server was given. */
    set(record, ACCESS_REQUEST_ID, id != NULL ? id->value : bytes_of(proxied->held->request_id));
    set(record, ACCESS_CLIENT, bytes_of(client));
    set(record, ACCESS_METHOD, request->method_text);
    set(record, ACCESS_HOST, request->host);
    set(record, ACCESS_PATH, request->path); /* queries hold secrets */
    if (proxied->is_scanned)
        set(record, ACCESS_MODEL, openai_scan_model(&proxied->held->scan));
    record->numbers[ACCESS_BYTES_IN] = proxied->body_bytes;
}

static struct bytes session_source(const struct split_choice *choice)
{
    const struct split_draw *draw = &choice->arm_draw;
    if (choice->target != NULL && choice->target_draw.reason != DRAW_ONLY)
        draw = &choice->target_draw;
    if (draw->key_name != NULL)
        return bytes_of(draw->key_name);
    return draw->reason != DRAW_ONLY ? bytes_of(draw_reason_label(draw->reason)) : BYTES("");
}

static void describe_route(const struct proxied *proxied, struct access_record *record)
{
    static const char *const roles[ARM_ROLES] = {[ARM_STABLE] = "stable", [ARM_CANARY] = "canary"};
    const struct split_choice *choice = &proxied->choice;
    const struct measure *measure = &proxied->measure;
    const struct endpoint *endpoint = measure_endpoint(proxied);
    if (proxied->rule != NULL) {
        set(record, ACCESS_ROUTE, bytes_of(proxied->rule->route));
        set(record, ACCESS_RULE, bytes_of(proxied->rule->rule_name));
    }
    if (choice->arm != NULL) {
        set(record, ACCESS_ARM, choice->arm_text);
        set(record, ACCESS_SESSION_SOURCE, session_source(choice));
    }
    if (choice->target != NULL)
        set(record, ACCESS_TARGET_MODEL, choice->target->name);
    if (endpoint != NULL) {
        set(record, ACCESS_ENDPOINT, bytes_of(endpoint->text));
        set(record, ACCESS_REVISION, bytes_of(endpoint->revision));
    }
    if (measure->tap_count > 0) { /* of two the model arm's, which is the nearer one */
        const struct tap_hold *hold = &measure->taps[measure->tap_count - 1];
        set(record, ACCESS_CANARY, bytes_of(canary_tap_name(hold->tap)));
        set(record, ACCESS_ROLE, bytes_of(roles[hold->role]));
    }
}

static void describe_answer(const struct proxied *proxied, const struct measured *measured,
                            struct access_record *record)
{
    const struct observation *sum = &measured->observation;
    const struct answer_scan *answer = proxied->answer;
    set(record, ACCESS_REASON, bytes_of(end_reason_text(measured->reason)));
    if (answer != NULL)
        set(record, ACCESS_FINISH, bytes_make(answer->finish, answer->finish_len));
    if (proxied->status != 0)
        record->numbers[ACCESS_STATUS] = proxied->status;
    record->numbers[ACCESS_BYTES_OUT] = proxied->measure.bytes_out;
    if (measured->has_usage) {
        record->numbers[ACCESS_PROMPT_TOKENS] = sum->prompt_tokens;
        record->numbers[ACCESS_CACHED_TOKENS] = sum->cached_tokens;
    }
    record->numbers[ACCESS_OUTPUT_TOKENS] = known(sum->output_tokens);
    record->numbers[ACCESS_TTFT] = known(sum->ttft_us);
    record->numbers[ACCESS_TPOT] = known(sum->tpot_us);
    record->numbers[ACCESS_TOTAL] = sum->total_us;
    record->numbers[ACCESS_RETRIES] = proxied->tries > 0 ? proxied->tries - 1 : 0;
    record->is_stream = sum->is_streaming;
}

void measure_log(struct proxied *proxied, const struct measured *measured)
{
    struct access_record record;
    char client[ADDRESS_TEXT_SIZE];
    access_record_init(&record);
    record.wall_ms = clock_wall_ms();
    describe_request(proxied, &record, client);
    describe_route(proxied, &record);
    describe_answer(proxied, measured, &record);
    access_log_write(proxied->proxy->config.access_log, proxied->proxy->shard, &record);
}
