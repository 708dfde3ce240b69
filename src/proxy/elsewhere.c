/* SPDX-License-Identifier: Apache-2.0 */
/* elsewhere.c: an answer's head came: what it says of its endpoint, and whether another one shall be asked instead.
 *
 * Only while nothing of the answer was passed on, and, unless a policy names the status, only an endpoint that nothing
 * speaks against: an overload must not be multiplied, and when all say the same, the client gets to see it. */
#include "inference/trust.h"
#include "proxy/proxied.h"

/* Seconds; a date is as good as nothing said. */
static bool retry_after(const struct http_response *response, uint64_t *ret_ms)
{
    const struct http_field *field = http_fields_find_name(&response->fields, BYTES("retry-after"));
    unsigned long long seconds = 0;
    *ret_ms = 0;
    if (field == NULL)
        return false;
    if (bytes_to_u64(bytes_trim(field->value), 86400, &seconds))
        *ret_ms = seconds * 1000;
    return true;
}

/* A 404 for a model that the endpoint does not list; one for a path is the client's affair. */
static bool is_model_missing(const struct proxied *proxied, const struct http_response *response)
{
    struct bytes model = proxied->held->pick.target_model;
    return response->status == 404 && proxied->is_scanned && model.len > 0 &&
           !endpoint_lists_model(proxied->endpoint, model) && !endpoint_has_lora(proxied->endpoint, model);
}

static const char model_missing[] = "model_missing";

/* Tells the picker, and the metric's label of what speaks for another endpoint; NULL: nothing.  A plain 500 may be the
 * request's own fault: once. */
static const char *note_answer(struct proxied *proxied, const struct http_response *response, enum trust_sign *ret_sign)
{
    uint64_t retry_after_ms = 0, now_ms = reactor_now_ms(proxied->proxy->reactor);
    bool has_retry_after = response->status >= 400 && retry_after(response, &retry_after_ms);
    enum trust_sign sign = *ret_sign = trust_sign_of(response->status, has_retry_after);
    trust_note(proxied->endpoint, sign, retry_after_ms, now_ms);
    if (is_model_missing(proxied, response)) {
        trust_miss_model(proxied->endpoint, adapter_hash(proxied->held->pick.target_model), now_ms);
        return model_missing;
    }
    if (sign == TRUST_BUSY)
        return "busy";
    bool is_worth_it = sign == TRUST_BAD && (response->status != 500 || proxied->tries < 2);
    return is_worth_it ? "bad_status" : NULL;
}

static bool is_retry_status(const struct route_rule *rule, unsigned status)
{
    for (unsigned i = 0; i < rule->retry_status_count; i++)
        if (rule->retry_statuses[i] == status)
            return true;
    return false;
}

/* A policy that names statuses has the last word on them. */
bool elsewhere_try(struct proxied *proxied, const struct http_response *response)
{
    const struct route_rule *rule = proxied->rule;
    unsigned status = response->status;
    enum trust_sign sign = TRUST_GOOD;
    const char *reason = proxied->choice.arm->kind == POOL_ARM_POOL ? note_answer(proxied, response, &sign) : NULL;
    bool is_by_policy = rule->retry_status_count > 0 && reason != model_missing;
    if (is_by_policy)
        reason = is_retry_status(rule, status) ? "status" : NULL;
    if (reason == NULL || !forward_move(proxied, !is_by_policy, reason))
        return false;
    if (sign == TRUST_BAD)
        proxied->measure.cured_status = status;
    return true;
}

void elsewhere_note_failure(struct proxied *proxied)
{
    if (proxied->endpoint != NULL)
        trust_note(proxied->endpoint, TRUST_BAD, 0, reactor_now_ms(proxied->proxy->reactor));
}
