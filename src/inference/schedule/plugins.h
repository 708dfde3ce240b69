/* SPDX-License-Identifier: Apache-2.0 */
/* plugins.h: the one table of filters, scorers and pickers.
 *
 * All are pure: they read facts and parameters and return numbers.  To add one: a function, a row in plugins.c. */
#ifndef INFERENCE_SCHEDULE_PLUGINS_H
#define INFERENCE_SCHEDULE_PLUGINS_H

#include "base/bytes.h"
#include "inference/schedule/facts.h"

struct plugin;

enum { PLUGIN_PARAMETERS_MAX = 16, PLUGIN_NAME_BYTES = 64, PLUGIN_TEXT_BYTES = 256 };

/* The candidates of a pick that are still in the running: candidates[kept[i]], i < count. */
struct pick_state {
    const struct request_facts *request;
    const struct candidate *candidates;
    unsigned *kept;
    unsigned count;
    uint64_t *random; /* the pick's own sequence; see pick_random() */
};

static inline const struct candidate *pick_candidate(const struct pick_state *state, unsigned i)
{
    return &state->candidates[state->kept[i]];
}

/* The next number of a pick's sequence. */
uint64_t pick_random(uint64_t *state);
/* Uniform in (0, 1]. */
double pick_random_unit(uint64_t *state);

/* Drops candidates from state->kept; their order stays.  Dropping all means that the pick fails. */
typedef void (*filter_fn)(const struct plugin *plugin, struct pick_state *state);
/* ret_scores[i] of candidate i of the kept ones: 0 = avoid, 1 = best; what is outside is cut. */
typedef void (*score_fn)(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
/* The place of the chosen one among the kept ones, of which there is at least one. */
typedef unsigned (*picker_fn)(const struct plugin *plugin, const struct pick_state *state, const double *scores);

enum parameter_kind {
    PARAMETER_NUMBER, /* min..max */
    PARAMETER_INTEGER,
    PARAMETER_BOOL,
    PARAMETER_TEXT, /* accepted and of no effect here */
    PARAMETER_KEPT, /* any value, the same */
    /* Kept as texts (plugin_text()). */
    PARAMETER_NAME,
    PARAMETER_NAMES,      /* as endpoint_label_is_among() takes them */
    PARAMETER_LABELS,     /* an object of labels, as a selector (label_selector.h) */
    PARAMETER_EXPRESSIONS /* a list of matchExpressions, the same */
};

struct parameter_syntax {
    const char *name;
    enum parameter_kind kind;
    double fallback, min, max;
    const char *text; /* of a name; NULL: it must be given */
};

enum plugin_role {
    PLUGIN_FILTER,
    PLUGIN_SCORER,
    PLUGIN_PICKER,
    PLUGIN_HANDLER,  /* which profiles run */
    PLUGIN_BUILT_IN, /* what this program does in any case */
    PLUGIN_MISSING   /* known, not built: refused with a word on what to use */
};

struct plugin_kind {
    const char *type; /* as in an EndpointPickerConfig */
    enum plugin_role role;
    filter_fn filter;
    score_fn score;
    picker_fn pick;
    const char *note;                      /* of a missing one */
    const struct parameter_syntax *syntax; /* NULL-ended; NULL: takes none */
};

/* A configured one. */
struct plugin {
    const struct plugin_kind *kind;
    char name[PLUGIN_NAME_BYTES];
    double weight;                        /* of a scorer */
    double values[PLUGIN_PARAMETERS_MAX]; /* in the order of the syntax; of texts: the place in `texts` */
    char texts[PLUGIN_TEXT_BYTES];        /* one behind the other, each with its NUL; the first is "" */
    unsigned texts_len;
};

const struct plugin_kind *plugin_find(struct bytes type);
/* Walks the table; NULL at the end. */
const struct plugin_kind *plugin_at(unsigned index);
/* With all parameters at their defaults. */
struct plugin plugin_default(const struct plugin_kind *kind);
/* "" when it was not given. */
static inline const char *plugin_text(const struct plugin *plugin, unsigned parameter)
{
    return plugin->texts + (size_t)plugin->values[parameter];
}
/* False: there is no room. */
bool plugin_add_text(struct plugin *plugin, unsigned parameter, struct bytes text);
/* A parameter that must be given and is not; NULL: none. */
const char *plugin_lacks(const struct plugin *plugin);

/* The rows' functions.  scorers_load.c */
void score_queue(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_running(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_kv_cache(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_load_aware(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_active_requests(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_token_load(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_latency(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
/* scorers_affinity.c */
void score_prefix(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_no_hit(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_adapter(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
void score_session(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
/* scorer_prompt_cost.c */
extern const struct parameter_syntax prompt_cost_syntax[];
void score_prompt_cost(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
/* What the endpoint's next step takes with this request in it, in tokens of prefill: what `pace` is measured against.
 */
double prompt_cost_foreseen(const struct candidate *candidate, const struct request_facts *request);
/* filters.c */
void filter_prefix_affinity(const struct plugin *plugin, struct pick_state *state);
void filter_session(const struct plugin *plugin, struct pick_state *state);
void filter_utilization(const struct plugin *plugin, struct pick_state *state);
void filter_concurrency(const struct plugin *plugin, struct pick_state *state);
/* filters_choice.c */
void filter_label_selector(const struct plugin *plugin, struct pick_state *state);
void filter_label(const struct plugin *plugin, struct pick_state *state);
void filter_named(const struct plugin *plugin, struct pick_state *state);
void score_header_label(const struct plugin *plugin, const struct pick_state *state, double *ret_scores);
/* pickers.c */
unsigned pick_max_score(const struct plugin *plugin, const struct pick_state *state, const double *scores);
unsigned pick_at_random(const struct plugin *plugin, const struct pick_state *state, const double *scores);
unsigned pick_weighted(const struct plugin *plugin, const struct pick_state *state, const double *scores);
unsigned pick_better_of_two(const struct plugin *plugin, const struct pick_state *state, const double *scores);

#endif
