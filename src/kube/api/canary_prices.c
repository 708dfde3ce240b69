/* SPDX-License-Identifier: Apache-2.0 */
/* canary_prices.c: decodes what the tokens of each arm cost, and asks for it where a guard looks at cost. */
#include "kube/api/canary_internal.h"

#include <string.h>

enum { PRICE_MAX = 1000000, MILLION = 1000000 };

static uint64_t decode_micros(struct field *price, const char *name, enum presence presence, uint64_t fallback)
{
    if (presence == OPTIONAL && !field_has(price, name))
        return fallback;
    return (uint64_t)(decode_number(price, name, presence, 0, PRICE_MAX, 0) * MILLION + 0.5);
}

static void decode_price(struct field *prices, const char *name, struct canary_price *price)
{
    struct field object = decode_object(prices, name, OPTIONAL);
    price->is_given = field_has(prices, name);
    price->input_micros = decode_micros(&object, "inputPerMillion", REQUIRED, 0);
    price->cached_micros = decode_micros(&object, "cachedInputPerMillion", OPTIONAL, price->input_micros);
    price->output_micros = decode_micros(&object, "outputPerMillion", REQUIRED, 0);
    decode_end(&object);
}

/* Without a price there would be no data, and no verdict, for ever. */
static void ask_for_prices(const struct field *prices, const struct canary_spec *canary)
{
    static const char why[] = "must be given: a guard looks at cost";
    bool needs_canary = false, needs_stable = false;
    for (unsigned i = 0; i < canary->analysis.guard_count; i++) {
        const struct canary_guard *guard = &canary->analysis.guards[i];
        bool is_cost = guard->metric != NULL && strcmp(guard->metric, "cost") == 0;
        needs_canary |= is_cost;
        needs_stable |= is_cost && guard->has_relative;
    }
    if (needs_stable && !canary->stable_price.is_given)
        field_problem(prices, "stable", "Required", why);
    if (needs_canary && !canary->canary_price.is_given)
        field_problem(prices, "canary", "Required", why);
}

void canary_decode_prices(struct field *spec, struct canary_spec *canary)
{
    struct field prices = decode_object(spec, "prices", OPTIONAL);
    decode_price(&prices, "stable", &canary->stable_price);
    decode_price(&prices, "canary", &canary->canary_price);
    if (prices.value != NULL || !field_has(spec, "prices"))
        ask_for_prices(&prices, canary);
    decode_end(&prices);
}
