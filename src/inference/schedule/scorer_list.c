/* SPDX-License-Identifier: Apache-2.0 */
/* scorer_list.c: reads weights in one line, "queue-scorer=2, prefix-cache-scorer=3", into a profile.  Pure. */
#include <math.h>
#include <stdlib.h>

#include "inference/schedule/picker_config.h"

static const double weight_max = 1e6;

static bool parse_weight(struct bytes text, double *ret_weight)
{
    char copy[32], *end;
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    double weight = strtod(copy, &end);
    if (*end != '\0' || !isfinite(weight) || weight < 0 || weight > weight_max)
        return false;
    *ret_weight = weight;
    return true;
}

static bool has_scorer(const struct profile *profile, const struct plugin_kind *kind)
{
    for (unsigned i = 0; i < profile->scorer_count; i++)
        if (profile->scorers[i].kind == kind)
            return true;
    return false;
}

static const char *add_scorer(struct bytes item, struct profile *profile)
{
    size_t equals = bytes_find(item, '=');
    const struct plugin_kind *kind = plugin_find(bytes_trim(bytes_make(item.data, equals)));
    double weight = 1;
    if (kind == NULL || kind->role != PLUGIN_SCORER)
        return "is no scorer";
    struct plugin made = plugin_default(kind);
    if (plugin_lacks(&made) != NULL)
        return "has parameters that must be given: use serin.dev/picker";
    if (has_scorer(profile, kind))
        return "stands twice";
    if (equals < item.len && !parse_weight(bytes_trim(bytes_skip(item, equals + 1)), &weight))
        return "needs a weight from 0 to 1000000";
    if (profile->scorer_count == PROFILE_SCORERS_MAX)
        return "is one too many";
    struct plugin *scorer = &profile->scorers[profile->scorer_count++];
    *scorer = made;
    scorer->weight = weight;
    return NULL;
}

bool scorer_list_parse(struct bytes text, const char *path, struct problems *problems, struct profile *ret_profile)
{
    struct profile profile = {.picker = plugin_default(plugin_find(BYTES("max-score-picker")))};
    size_t before = problems->count;
    for (struct bytes rest = text; rest.len > 0;) {
        size_t comma = bytes_find(rest, ',');
        struct bytes item = bytes_trim(bytes_make(rest.data, comma));
        const char *wrong = add_scorer(item, &profile);
        if (wrong != NULL)
            problems_add(problems, path, "Invalid", "\"%.*s\" %s", (int)(item.len < 100 ? item.len : 100), item.data,
                         wrong);
        rest = bytes_skip(rest, comma < rest.len ? comma + 1 : comma);
    }
    if (profile.scorer_count == 0 && problems->count == before)
        problems_add(problems, path, "Invalid", "must name a scorer, like queue-scorer=2, prefix-cache-scorer=3");
    if (problems->count > before)
        return false;
    *ret_profile = profile;
    return true;
}
