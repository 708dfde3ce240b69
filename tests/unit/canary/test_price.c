/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange costs: each kind of token by its price, and nothing where it is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "canary/price.h"

/* 2.50 for a million tokens in, 0.25 for cached ones, 10 for those out. */
static const struct token_price price = {2500000, 250000, 10000000};

static void each_kind_of_token_has_its_price(void **state)
{
    (void)state;
    static const struct {
        uint32_t prompt, cached;
        uint64_t output, cost;
    } rows[] = {
        {0, 0, 0, 0},
        {1000, 0, 0, 2500},
        {1000, 400, 0, 1600},
        {1000, 400, 200, 3600},
        {1000, 5000, 0, 250},                                 /* more cached than there was */
        {1, 0, 0, 3},                                         /* 2.5 */
        {4000000000u, 0, 4000000000u, UINT64_C(50000000000)}, /* no product overflows */
        {0, 0, UINT64_MAX - 1, UINT64_C(1000000000000000)},   /* whatever a server says of its tokens */
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct observation observation = {
            .prompt_tokens = rows[i].prompt, .cached_tokens = rows[i].cached, .output_tokens = rows[i].output};
        assert_int_equal(price_of(&price, &observation), rows[i].cost);
    }
}

static void without_its_output_nobody_knows(void **state)
{
    (void)state;
    struct observation observation = {.prompt_tokens = 10, .output_tokens = OBSERVATION_UNKNOWN};
    assert_true(price_of(&price, &observation) == OBSERVATION_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_token_has_its_price),
        cmocka_unit_test(without_its_output_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
