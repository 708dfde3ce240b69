/* SPDX-License-Identifier: Apache-2.0 */
/* columns_core.c: cells of ConfigMaps, Secrets, Services, EndpointSlices and Events that are put together from several
 * fields.  Pure; one cell at a time. */
#include <ctype.h>
#include <string.h>

#include "kube/apiserver/columns.h"
#include "kube/apiserver/human_duration.h"

/* A list in a cell names this many items and counts the rest. */
enum { ITEMS_SHOWN = 3 };

void cell_data_count(const struct table_cell *cell)
{
    size_t count = json_object_size(tree_at(cell->tree, "data"));
    jw_u64(cell->writer, count + json_object_size(tree_at(cell->tree, "binaryData")));
}

static void append_strings(struct buffer *text, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)list, i, item)
    {
        if (json_is_string(item))
            cell_append_item(text, json_string_value(item));
    }
}

static void append_ingress(struct buffer *text, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)list, i, item)
    {
        const char *address = tree_text(item, "ip");
        if (address[0] == '\0')
            address = tree_text(item, "hostname");
        if (address[0] != '\0')
            cell_append_item(text, address);
    }
}

/* What the type of a Service promises: a load balancer's address may still come. */
void cell_service_address(const struct table_cell *cell)
{
    const char *type = tree_text(cell->tree, "spec.type");
    bool is_balanced = strcmp(type, "LoadBalancer") == 0;
    if (strcmp(type, "ExternalName") == 0) {
        cell_write_text(cell, tree_text(cell->tree, "spec.externalName"), "<none>");
        return;
    }
    if (is_balanced)
        append_ingress(cell->scratch, tree_at(cell->tree, "status.loadBalancer.ingress"));
    append_strings(cell->scratch, tree_at(cell->tree, "spec.externalIPs"));
    cell_write_scratch(cell, is_balanced ? "<pending>" : "<none>");
}

/* "80/TCP", "80:30080/TCP" with a node port. */
void cell_service_ports(const struct table_cell *cell)
{
    size_t i;
    json_t *port;
    json_array_foreach((json_t *)tree_at(cell->tree, "spec.ports"), i, port)
    {
        const char *protocol = tree_text(port, "protocol");
        long long node_port = cell_int_at(port, "nodePort", 0);
        buffer_printf(cell->scratch, "%s%lld", i > 0 ? "," : "", (long long)cell_int_at(port, "port", 0));
        if (node_port > 0)
            buffer_printf(cell->scratch, ":%lld", node_port);
        buffer_append_char(cell->scratch, '/');
        buffer_append_str(cell->scratch, protocol[0] != '\0' ? protocol : "TCP");
    }
    cell_write_scratch(cell, "<none>");
}

static void write_with_rest(const struct table_cell *cell, size_t count)
{
    if (count > ITEMS_SHOWN)
        buffer_printf(cell->scratch, " + %zu more...", count - ITEMS_SHOWN);
    cell_write_scratch(cell, "<unset>");
}

void cell_slice_ports(const struct table_cell *cell)
{
    const json_t *ports = tree_at(cell->tree, "ports");
    size_t i;
    json_t *port;
    json_array_foreach((json_t *)ports, i, port)
    {
        const char *name = tree_text(port, "name");
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)cell_int_at(port, "port", 0));
        if (i >= ITEMS_SHOWN)
            break;
        if (tree_at(port, "port") != NULL)
            cell_append_item(cell->scratch, number);
        else
            cell_append_item(cell->scratch, name[0] != '\0' ? name : "*");
    }
    write_with_rest(cell, json_array_size(ports));
}

void cell_slice_addresses(const struct table_cell *cell)
{
    size_t i, j, count = 0;
    json_t *endpoint, *address;
    json_array_foreach((json_t *)tree_at(cell->tree, "endpoints"), i, endpoint)
    {
        json_array_foreach((json_t *)tree_at(endpoint, "addresses"), j, address)
        {
            if (count++ < ITEMS_SHOWN)
                cell_append_item(cell->scratch, json_is_string(address) ? json_string_value(address) : "");
        }
    }
    write_with_rest(cell, count);
}

/* Events come in the words of core/v1 or of events.k8s.io/v1 (events_view.h). */
static const char *event_text(const json_t *event, const char *core_path, const char *events_path)
{
    const char *text = tree_text(event, core_path);
    return text[0] != '\0' ? text : tree_text(event, events_path);
}

static uint64_t event_time(const json_t *event, const char *core_name, const char *events_name)
{
    uint64_t when = cell_time_at(event, core_name);
    return when != 0 ? when : cell_time_at(event, events_name);
}

static void write_since(const struct table_cell *cell, uint64_t when_ms)
{
    char text[16];
    human_age(when_ms, cell->now_ms, text);
    jw_str(cell->writer, text);
}

/* New recorders give only eventTime. */
static uint64_t first_seen(const json_t *event)
{
    uint64_t first = event_time(event, "firstTimestamp", "deprecatedFirstTimestamp");
    return first != 0 ? first : cell_time_at(event, "eventTime");
}

void cell_event_first_seen(const struct table_cell *cell)
{
    write_since(cell, first_seen(cell->tree));
}

void cell_event_seen(const struct table_cell *cell)
{
    uint64_t last = cell_time_at(cell->tree, "series.lastObservedTime");
    if (last == 0)
        last = event_time(cell->tree, "lastTimestamp", "deprecatedLastTimestamp");
    write_since(cell, last != 0 ? last : first_seen(cell->tree));
}

void cell_event_count(const struct table_cell *cell)
{
    int64_t count = cell_int_at(cell->tree, "count", cell_int_at(cell->tree, "deprecatedCount", 0));
    count = cell_int_at(cell->tree, "series.count", count);
    jw_i64(cell->writer, count > 0 ? count : 1);
}

/* "deployment/qwen", as kubectl takes it. */
void cell_event_object(const struct table_cell *cell)
{
    const char *kind = event_text(cell->tree, "involvedObject.kind", "regarding.kind");
    const char *name = event_text(cell->tree, "involvedObject.name", "regarding.name");
    for (; *kind != '\0'; kind++)
        buffer_append_char(cell->scratch, (char)tolower((unsigned char)*kind));
    if (name[0] != '\0') {
        buffer_append_char(cell->scratch, '/');
        buffer_append_str(cell->scratch, name);
    }
    cell_write_scratch(cell, "");
}

void cell_event_text(const struct table_cell *cell)
{
    bool is_message = strcmp(cell->path, "message") == 0;
    const char *text = is_message ? event_text(cell->tree, "message", "note")
                                  : event_text(cell->tree, "involvedObject.fieldPath", "regarding.fieldPath");
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1])) /* a trailing newline would break the row */
        len--;
    jw_string(cell->writer, bytes_make(text, len));
}

/* "component, host"; the older fields win, as they do in kubectl. */
void cell_event_source(const struct table_cell *cell)
{
    const char *component = event_text(cell->tree, "source.component", "deprecatedSource.component");
    const char *host = event_text(cell->tree, "source.host", "deprecatedSource.host");
    if (component[0] == '\0')
        component = event_text(cell->tree, "reportingComponent", "reportingController");
    if (host[0] == '\0')
        host = tree_text(cell->tree, "reportingInstance");
    buffer_append_str(cell->scratch, component);
    if (host[0] != '\0') {
        buffer_append_str(cell->scratch, ", ");
        buffer_append_str(cell->scratch, host);
    }
    cell_write_scratch(cell, "");
}
