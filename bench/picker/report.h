/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: what came of the runs, as a table for people and as rows for programs. */
#ifndef BENCH_PICKER_REPORT_H
#define BENCH_PICKER_REPORT_H

#include "fleet.h"
#include "options.h"

struct row {
    const struct workload *workload;
    const struct policy *policy;
    unsigned load; /* percent */
    double rate;   /* requests per second */
    uint64_t seed;
    bool is_reference; /* what Serin is measured against in this workload */
    struct run_result result;
};

/* Medians over the seeds, the TTFT p90 as a ratio to the reference's of the same seed, and whether the goals hold. */
void report_print(const struct row *rows, unsigned count, const struct options *options);
/* A JSON array; folders on the way are made. */
bool report_write(const struct row *rows, unsigned count, const char *path);

#endif
