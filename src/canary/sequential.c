/* SPDX-License-Identifier: Apache-2.0 */
/* sequential.c: bets on odds ratios, each priced so that it is fair at the limit whatever stable's mean is.
 *
 * A bet multiplies the capital by theta for each unit of canary, by eta for each unit of stable, and divides it by the
 * largest mean that this product can have under the hypothesis.  For values in [0, 1] with mean p the mean of
 * theta^value is at most 1 + p (theta - 1), hence the price below.  Comments call the limit's mean m = ratio p +
 * increase, theta - 1 = a, eta - 1 = b. */
#include "canary/sequential.h"

#include <math.h>
#include <stdbool.h>

#include "base/compiler.h"

/* Odds of a canary value over the odds that the limit allows: what each bet hopes for. */
static const double odds_worse[SEQUENTIAL_BETS] = {1.2, 1.6, 2.5, 4.5, 10, 40};
static const double odds_within[SEQUENTIAL_BETS] = {0.8, 0.6, 0.4, 0.22, 0.08, 0.015};

static const double EXPECTED_MIN = 1e-4, STABLE_BET_MIN = -0.999, STABLE_BET_MAX = 20;
/* Before blocks have shown how much they resemble their neighbours: as if so many had shown so much. */
static const double SUPPOSED_BLOCKS = 5, SUPPOSED_CORRELATION = 0.5, CORRELATION_MAX = 0.9;
/* What was learned of that counts less by this factor with every block. */
static const double FADE = 0.95;

void sequential_init(struct sequential *test, enum sequential_side side, struct sequential_stakes stakes)
{
    *test = (struct sequential){.side = side, .stakes = stakes};
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* How far canary's bet is taken back because stable's mean is itself only known from stable_n values: 0 when stable
 * is large or the limit absolute, the canary's share of the block when the arms differ in nothing but size. */
static double shrinkage(const struct paired_cell *cell, double expected, double limit)
{
    double canary_noise = limit * (1 - limit);
    double stable_noise = cell->ratio * cell->ratio * expected * (1 - expected);
    double weighted = cell->canary_n * stable_noise;
    return weighted / (cell->stable_n * canary_noise + weighted);
}

/* Stable's bet that makes the price smallest at the expected mean: there the price's slope in p is zero. */
static double stable_bet(const struct paired_cell *cell, double expected, double limit, double a)
{
    double pull = cell->canary_n * cell->ratio * a / (1 + limit * a);
    double weight = cell->stable_n + pull * expected;
    return weight > 0 ? clamp(-pull / weight, STABLE_BET_MIN, STABLE_BET_MAX) : STABLE_BET_MAX;
}

/* ln of the largest mean of the product over all p: n_c ln(1 + (ratio p + increase) a) + n_s ln(1 + p b) is concave in
 * p, its top is where the derivative vanishes, or at an end of the range that keeps the limit at most 1. */
static double log_price(const struct paired_cell *cell, double a, double b)
{
    if (cell->ratio <= 0)
        return cell->canary_n * log(1 + cell->increase * a);
    double at_zero = 1 + cell->increase * a;
    double curve = cell->ratio * a * b * (cell->canary_n + cell->stable_n);
    double slope = cell->canary_n * cell->ratio * a + cell->stable_n * b * at_zero;
    double p_max = (1 - cell->increase) / cell->ratio;
    double p = clamp(curve < 0 ? -slope / curve : slope > 0 ? 1 : 0, 0, p_max < 1 ? p_max : 1);
    return cell->canary_n * log(at_zero + cell->ratio * p * a) + cell->stable_n * log(1 + p * b);
}

static double bet_on(const struct paired_cell *cell, double odds, double expected, double limit, double shrink)
{
    double theta = odds / (1 + shrink * (odds - 1));
    double a = theta - 1;
    double b = cell->ratio > 0 ? stable_bet(cell, expected, limit, a) : 0;
    double won = cell->canary_sum > 0 ? cell->canary_sum * log(theta) : 0; /* most cells hold no failure */
    double paid_back = cell->stable_sum > 0 ? cell->stable_sum * log(1 + b) : 0;
    return won + paid_back - log_price(cell, a, b);
}

static void add_to_block(struct sequential *test, const struct paired_cell *cell)
{
    double stable_mean = cell->ratio > 0 ? cell->stable_sum / cell->stable_n : 0;
    test->now.observed += cell->canary_sum;
    test->now.allowed += cell->canary_n * fmin(1, cell->ratio * stable_mean + cell->increase);
    test->canary_n += cell->canary_n;
}

void sequential_add(struct sequential *test, const struct paired_cell *cell)
{
    bool is_paired = cell->ratio > 0;
    if (cell->canary_n <= 0 || (is_paired && cell->stable_n <= 0))
        return;
    const double *odds = test->side == SIDE_WORSE ? odds_worse : odds_within;
    double expected = clamp(cell->expected, EXPECTED_MIN, 1 - EXPECTED_MIN);
    double limit = clamp(cell->ratio * expected + cell->increase, EXPECTED_MIN, 1 - EXPECTED_MIN);
    double shrink = is_paired ? shrinkage(cell, expected, limit) : 0;
    for (unsigned i = 0; i < SEQUENTIAL_BETS; i++)
        test->log_block[i] += bet_on(cell, odds[i], expected, limit, shrink);
    add_to_block(test, cell);
}

/* What is not staked stays in the pocket, what a block brings is capped: either keeps a fair bet fair, also when the
 * values of a block depend on each other as they please. */
static void settle_bets(struct sequential *test)
{
    double stake = test->stakes.stake, most = exp(test->stakes.gain_max);
    double blocks = test->blocks + 1, fresh = 1 / (blocks * (blocks + 1));
    for (unsigned i = 0; i < SEQUENTIAL_BETS; i++) {
        double factor = fmin(1 - stake + stake * exp(test->log_block[i]), most);
        test->at_work[i] = (test->at_work[i] + fresh) * factor;
        test->log_block[i] = 0;
    }
}

static void add_products(struct sequential *test, const struct block_sums *other, unsigned lag)
{
    const struct block_sums *now = &test->now;
    test->observed_observed[lag] += now->observed * other->observed;
    test->observed_allowed[lag] += (now->observed * other->allowed + now->allowed * other->observed) / 2;
    test->allowed_allowed[lag] += now->allowed * other->allowed;
}

static void fade(struct sequential *test)
{
    test->remembered *= FADE;
    test->total.observed *= FADE;
    test->total.allowed *= FADE;
    for (unsigned lag = 0; lag < 2; lag++) {
        test->observed_observed[lag] *= FADE;
        test->observed_allowed[lag] *= FADE;
        test->allowed_allowed[lag] *= FADE;
    }
}

void sequential_end_block(struct sequential *test)
{
    if (test->canary_n <= 0)
        return;
    settle_bets(test);
    fade(test);
    add_products(test, &test->now, 0);
    if (test->blocks > 0)
        add_products(test, &test->former, 1);
    test->total.observed += test->now.observed;
    test->total.allowed += test->now.allowed;
    test->remembered++;
    test->former = test->now;
    test->now = (struct block_sums){0};
    test->canary_n = 0;
    test->blocks++;
}

/* Residuals are observed - scale * allowed, scale being what the canary does on the whole: a steady fault leaves none.
 * Blocks of a process whose neighbours correlate by r tell (1 - r) / (1 + r) of what independent ones would. */
double sequential_redundancy(const struct sequential *test)
{
    double scale = test->total.allowed > 0 ? test->total.observed / test->total.allowed : 0;
    double products[2];
    for (unsigned lag = 0; lag < 2; lag++)
        products[lag] = test->observed_observed[lag] - 2 * scale * test->observed_allowed[lag] +
                        scale * scale * test->allowed_allowed[lag];
    double found = products[0] > 0 ? clamp(products[1] / products[0], -1, 1) : 0;
    double correlation =
        (test->remembered * found + SUPPOSED_BLOCKS * SUPPOSED_CORRELATION) / (test->remembered + SUPPOSED_BLOCKS);
    correlation = clamp(correlation, 0, CORRELATION_MAX);
    return (1 + correlation) / (1 - correlation);
}

double sequential_evidence(const struct sequential *test)
{
    double redundancy = sequential_redundancy(test), waiting = 1.0 / (test->blocks + 1), sum = 0;
    for (unsigned i = 0; i < SEQUENTIAL_BETS; i++)
        sum += pow(test->at_work[i] + waiting, 1 / redundancy);
    return log(sum / SEQUENTIAL_BETS);
}
