/* SPDX-License-Identifier: Apache-2.0 */
/* sequential.h: an always-valid test of "the canary's mean is within its limit" against a concurrent stable arm.
 *
 * Values lie in [0, 1]: failures, exceedances of a cut, shares.  The limit is ratio * stable's mean + increase, where
 * stable's mean may be anything and may drift.  Evidence is a betting capital that grows on average only when the
 * hypothesis under test is wrong, so it may be looked at after every block: the chance that it ever reaches 1/alpha
 * is at most alpha.  docs/canary-analysis.md derives it and names the assumptions.  Pure; fixed memory. */
#ifndef CANARY_SEQUENTIAL_H
#define CANARY_SEQUENTIAL_H

enum { SEQUENTIAL_BETS = 6 };

/* What evidence is gathered for; the opposite is what is put to the test. */
enum sequential_side {
    SIDE_WORSE, /* the canary is beyond its limit */
    SIDE_WITHIN /* the canary is within its limit */
};

/* One stratum of one block: what both arms did in the same time. */
struct paired_cell {
    double canary_n, canary_sum; /* canary_sum <= canary_n */
    double stable_n, stable_sum;
    double ratio, increase; /* ratio 0: an absolute limit, stable is not looked at; increase < 1 */
    double expected;        /* stable's mean as expected before the block: only the power depends on it */
};

/* What the canary did in a block, and what the limit would have allowed it by what stable did. */
struct block_sums {
    double observed, allowed;
};

/* How much one block can say, whatever happens in it: what makes one bad moment one bad moment. */
struct sequential_stakes {
    double gain_max; /* it multiplies the capital by e^gain_max at most */
    double stake;    /* it costs this part of the capital at most, 0..1 */
};

struct sequential {
    enum sequential_side side;
    struct sequential_stakes stakes;
    unsigned blocks;                 /* with canary values */
    double at_work[SEQUENTIAL_BETS]; /* capital; 1/(blocks + 1) more waits for its block */
    /* The open block. */
    double log_block[SEQUENTIAL_BETS];
    struct block_sums now;
    double canary_n;
    /* Over the closed blocks, old ones fading: how many, sums, products of a block with itself and the one before. */
    double remembered;
    struct block_sums former, total;
    double observed_observed[2], observed_allowed[2], allowed_allowed[2];
};

void sequential_init(struct sequential *test, enum sequential_side side, struct sequential_stakes stakes);
/* Adds a cell to the open block; cells without canary values, or without the stable values they need, tell nothing. */
void sequential_add(struct sequential *test, const struct paired_cell *cell);
void sequential_end_block(struct sequential *test);

/* How many blocks tell what one independent block would, as neighbours resemble each other; at least 1.  Evidence
 * counts by this much less. */
double sequential_redundancy(const struct sequential *test);
/* Natural logarithm of the capital, redundancy taken off.  Evidence at level alpha: at least ln(1/alpha). */
double sequential_evidence(const struct sequential *test);

#endif
