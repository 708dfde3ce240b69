/* SPDX-License-Identifier: Apache-2.0 */
/* columns_canary.c: cells of Canary.  Pure; what the status does not have (yet) is empty. */
#include "kube/apiserver/columns.h"

void cell_canary_target(const struct table_cell *cell)
{
    buffer_printf(cell->scratch, "%s/%s", tree_text(cell->tree, "spec.targetRef.kind"),
                  tree_text(cell->tree, "spec.targetRef.name"));
    cell_write_scratch(cell, "");
}

void cell_canary_step(const struct table_cell *cell)
{
    int64_t count = cell_int_at(cell->tree, "status.step.count", 0);
    if (count > 0)
        buffer_printf(cell->scratch, "%lld/%lld", (long long)cell_int_at(cell->tree, "status.step.index", 0),
                      (long long)count);
    cell_write_scratch(cell, "");
}

/* A number with two decimals at most, so that 25 is "25%". */
void cell_percent(const struct table_cell *cell)
{
    const json_t *value = tree_at(cell->tree, cell->path);
    if (json_is_number(value)) {
        double hundredths = json_number_value(value) * 100;
        bool is_shown = hundredths >= 0 && hundredths < 1e9;
        unsigned rounded = is_shown ? (unsigned)(hundredths + 0.5) : 0;
        unsigned decimals = rounded % 100 == 0 ? 0 : rounded % 10 == 0 ? 1 : 2;
        if (is_shown)
            buffer_printf(cell->scratch, "%.*f%%", (int)decimals, rounded / 100.0);
    }
    cell_write_scratch(cell, "");
}
