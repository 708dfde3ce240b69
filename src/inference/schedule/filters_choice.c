/* SPDX-License-Identifier: Apache-2.0 */
/* filters_choice.c: filters that go by what endpoints are, not by how they are: their labels, or their addresses as a
 * header names them.  Pure.  Unlike others they may leave nobody: who asks for what is not there gets an error. */
#include "inference/schedule/label_selector.h"
#include "inference/schedule/plugins.h"

static const char *labels_of(const struct candidate *candidate)
{
    const char *labels = candidate->endpoint->labels;
    return labels != NULL ? labels : "";
}

static void keep_if(struct pick_state *state, bool (*is_kept)(const struct candidate *, const void *),
                    const void *context)
{
    unsigned count = state->count;
    state->count = 0;
    for (unsigned i = 0; i < count; i++)
        if (is_kept(pick_candidate(state, i), context))
            state->kept[state->count++] = state->kept[i];
}

/* matchLabels, matchExpressions */
static bool is_selected(const struct candidate *candidate, const void *context)
{
    return endpoint_selector_matches(plugin_text(context, 0), labels_of(candidate)) &&
           endpoint_selector_matches(plugin_text(context, 1), labels_of(candidate));
}

void filter_label_selector(const struct plugin *plugin, struct pick_state *state)
{
    keep_if(state, is_selected, plugin);
}

/* label, validValues, allowsNoLabel */
static bool has_valid_label(const struct candidate *candidate, const void *context)
{
    const struct plugin *plugin = context;
    struct bytes value;
    if (!endpoint_label_find(labels_of(candidate), bytes_of(plugin_text(plugin, 0)), &value))
        return plugin->values[2] != 0;
    return endpoint_label_is_among(value, bytes_of(plugin_text(plugin, 1)));
}

void filter_label(const struct plugin *plugin, struct pick_state *state)
{
    keep_if(state, has_valid_label, plugin);
}

/* "10.0.0.7", "10.0.0.7:8000", "[fd00::7]", "[fd00::7]:8000"; without a port all ports of the pod. */
static bool is_named(const struct candidate *candidate, const void *context)
{
    const struct bytes *list = context;
    const struct endpoint *endpoint = candidate->endpoint;
    char text[ADDRESS_TEXT_SIZE];
    address_ip_text(&endpoint->address, text);
    for (struct bytes rest = *list; rest.len > 0;) {
        size_t end = bytes_find(rest, ',');
        struct bytes item = bytes_trim(bytes_make(rest.data, end));
        if (bytes_equal_str(item, endpoint->text) || bytes_equal_str(item, text))
            return true;
        if (item.len > 2 && item.data[0] == '[' && item.data[item.len - 1] == ']' &&
            bytes_equal_str(bytes_make(item.data + 1, item.len - 2), text))
            return true;
        rest = bytes_skip(rest, end < rest.len ? end + 1 : end);
    }
    return false;
}

static bool find_header(const struct request_facts *request, const char *name, struct bytes *ret_value)
{
    return request->header != NULL && request->header(request->header_context, bytes_of(name), ret_value);
}

/* headerName: the endpoints that it names; without the header all, with an empty one none. */
void filter_named(const struct plugin *plugin, struct pick_state *state)
{
    struct bytes list;
    if (find_header(state->request, plugin_text(plugin, 0), &list))
        keep_if(state, is_named, &list);
}

/* headerName, labelKey: where the label is what the header says. */
void score_header_label(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    struct bytes wanted, label;
    bool is_asked = find_header(state->request, plugin_text(plugin, 0), &wanted);
    for (unsigned i = 0; i < state->count; i++)
        ret_scores[i] =
            is_asked &&
            endpoint_label_find(labels_of(pick_candidate(state, i)), bytes_of(plugin_text(plugin, 1)), &label) &&
            bytes_equal(label, wanted);
}
