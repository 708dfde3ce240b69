/* SPDX-License-Identifier: Apache-2.0 */
/* openapi_schemas.c: writes the tables of schema.h as JSON schemas.  Pure.  Tables nest at most ten deep, which with
 * three levels of JSON for a list of objects stays within the writer's 32. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kube/apiserver/openapi_internal.h"

/* Components that were asked for, each once, in the order of the first asking. */
struct components {
    const struct schema *items[64];
    size_t len;
};

/* A component of its own, because clients show its name as the type. */
static const struct schema schema_int_or_string = {
    .name = "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    .description = "A number or a text.",
};

/* A run of lines of a table. */
struct lines {
    const struct schema_field *items;
    size_t len;
};

static size_t depth_of(const struct schema_field *field)
{
    return strspn(field->name, ".");
}

/* The lines below the first one. */
static struct lines children_of(struct lines lines)
{
    size_t end = 1;
    while (end < lines.len && depth_of(&lines.items[end]) > depth_of(&lines.items[0]))
        end++;
    return (struct lines){lines.items + 1, end - 1};
}

/* The next line of the same depth is after the first one and its children. */
static struct lines next_sibling(struct lines lines)
{
    size_t count = 1 + children_of(lines).len;
    return (struct lines){lines.items + count, lines.len - count};
}

static const struct schema *component_of(const struct schema_field *field)
{
    return (field->type & T_TYPE_MASK) == T_INT_OR_STRING ? &schema_int_or_string : field->of;
}

static void components_add_fields(struct components *components, const struct schema *schema);

static void components_add(struct components *components, const struct schema *schema)
{
    for (size_t i = 0; i < components->len; i++) {
        if (components->items[i] == schema)
            return;
    }
    assert(components->len < ARRAY_LEN(components->items));
    components->items[components->len++] = schema;
    components_add_fields(components, schema);
}

/* What the fields refer to. */
static void components_add_fields(struct components *components, const struct schema *schema)
{
    for (size_t i = 0; i < schema->len; i++) {
        const struct schema *component = component_of(&schema->fields[i]);
        if (component != NULL)
            components_add(components, component);
    }
}

/* Texts between bars. */
static void write_values(struct json_writer *writer, const char *values)
{
    jw_key(writer, "enum");
    jw_begin_array(writer);
    for (;;) {
        size_t len = strcspn(values, "|");
        jw_string(writer, bytes_make(values, len));
        if (values[len] == '\0')
            break;
        values += len + 1;
    }
    jw_end_array(writer);
}

static void write_scalar(struct json_writer *writer, const struct schema_field *field)
{
    static const struct {
        const char *type, *format;
    } forms[T_TYPE_MASK + 1] = {
        [T_STRING] = {"string"},           [T_INT] = {"integer", "int32"}, [T_LONG] = {"integer", "int64"},
        [T_NUMBER] = {"number", "double"}, [T_BOOL] = {"boolean"},         [T_TIME] = {"string", "date-time"},
        [T_BYTES] = {"string", "byte"},
    };
    unsigned type = field->type & T_TYPE_MASK;
    jw_member_str(writer, "type", forms[type].type);
    if (forms[type].format != NULL)
        jw_member_str(writer, "format", forms[type].format);
    if (field->values != NULL)
        write_values(writer, field->values);
}

static void write_lines(struct json_writer *writer, struct lines lines, bool is_open);

/* The members of the schema of one value of the field: what it is, not what it is for. */
static void write_value(struct json_writer *writer, struct lines lines, bool is_item)
{
    const struct schema_field *field = lines.items;
    const struct schema *component = component_of(field);
    unsigned type = field->type & T_TYPE_MASK;
    if (component != NULL && is_item) {
        openapi_write_reference(writer, bytes_of(component->name));
    } else if (component != NULL) { /* beside a reference nothing else would count */
        jw_key(writer, "allOf");
        jw_begin_array(writer);
        jw_begin_object(writer);
        openapi_write_reference(writer, bytes_of(component->name));
        jw_end_object(writer);
        jw_end_array(writer);
    } else if (type == T_OBJECT) {
        write_lines(writer, children_of(lines), (field->type & T_OPEN) != 0);
    } else if (type == T_ANY) {
        write_lines(writer, (struct lines){NULL, 0}, true);
    } else {
        write_scalar(writer, field);
    }
}

/* `kubectl explain` prints descriptions but no defaults, so the one tells the other. */
static void write_description(struct json_writer *writer, const struct schema_field *field)
{
    struct buffer text = {0};
    buffer_append_str(&text, field->description);
    if (field->fallback != NULL && field->fallback[0] != '[')
        buffer_printf(&text, " Default: %s.", field->fallback);
    jw_member_string(writer, "description", buffer_bytes(&text));
    buffer_deinit(&text);
}

static void write_field(struct json_writer *writer, struct lines lines)
{
    const struct schema_field *field = lines.items;
    jw_begin_object(writer);
    write_description(writer, field);
    if (field->type & (T_LIST | T_MAP)) {
        jw_member_str(writer, "type", field->type & T_LIST ? "array" : "object");
        jw_key(writer, field->type & T_LIST ? "items" : "additionalProperties");
        jw_begin_object(writer);
        write_value(writer, lines, true);
        jw_end_object(writer);
    } else {
        write_value(writer, lines, false);
    }
    if (field->fallback != NULL) {
        jw_key(writer, "default");
        jw_raw(writer, bytes_of(field->fallback));
    }
    jw_end_object(writer);
}

static void write_required(struct json_writer *writer, struct lines lines)
{
    bool is_first = true;
    for (; lines.len > 0; lines = next_sibling(lines)) {
        if ((lines.items->type & T_REQUIRED) == 0)
            continue;
        if (is_first) {
            jw_key(writer, "required");
            jw_begin_array(writer);
            is_first = false;
        }
        jw_str(writer, lines.items->name + depth_of(lines.items));
    }
    if (!is_first)
        jw_end_array(writer);
}

static void write_properties(struct json_writer *writer, struct lines lines)
{
    for (; lines.len > 0; lines = next_sibling(lines)) {
        jw_key(writer, lines.items->name + depth_of(lines.items));
        write_field(writer, lines);
    }
}

/* An object with these fields. */
static void write_lines(struct json_writer *writer, struct lines lines, bool is_open)
{
    jw_member_str(writer, "type", "object");
    write_required(writer, lines);
    if (lines.len > 0) {
        jw_key(writer, "properties");
        jw_begin_object(writer);
        write_properties(writer, lines);
        jw_end_object(writer);
    }
    if (is_open)
        jw_member_bool(writer, "x-kubernetes-preserve-unknown-fields", true);
}

static void write_int_or_string(struct json_writer *writer)
{
    static const char *const types[] = {"integer", "string"};
    jw_key(writer, "anyOf");
    jw_begin_array(writer);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        jw_begin_object(writer);
        jw_member_str(writer, "type", types[i]);
        jw_end_object(writer);
    }
    jw_end_array(writer);
    jw_member_bool(writer, "x-kubernetes-int-or-string", true);
}

static void write_component(struct json_writer *writer, const struct schema *schema)
{
    jw_key(writer, schema->name);
    jw_begin_object(writer);
    jw_member_str(writer, "description", schema->description);
    if (schema == &schema_int_or_string)
        write_int_or_string(writer);
    else
        write_lines(writer, (struct lines){schema->fields, schema->len}, schema->is_open);
    jw_end_object(writer);
}

/* apiVersion, kind and metadata, as every object and list has them. */
static void write_head(struct json_writer *writer, const struct api_resource *resource, const char *kind,
                       const struct schema *metadata)
{
    char version[128], name[128];
    snprintf(version, sizeof version, "Group and version: %s.", resource->api_version);
    snprintf(name, sizeof name, "Kind: %s.", kind);
    const struct schema_field head[] = {
        {"apiVersion", T_STRING, version},
        {"kind", T_STRING, name},
        {"metadata", T_OBJECT, metadata->description, .of = metadata},
    };
    write_properties(writer, (struct lines){head, ARRAY_LEN(head)});
}

static void begin_kind(struct json_writer *writer, const struct api_resource *resource, const char *suffix,
                       const char *description)
{
    struct buffer name = {0};
    openapi_append_component(&name, resource, suffix);
    buffer_append_char(&name, '\0');
    jw_key(writer, buffer_bytes(&name).data);
    buffer_deinit(&name);
    jw_begin_object(writer);
    jw_member_str(writer, "description", description);
    jw_member_str(writer, "type", "object");
}

static void end_kind(struct json_writer *writer, const struct api_resource *resource, const char *kind)
{
    jw_key(writer, "x-kubernetes-group-version-kind");
    jw_begin_array(writer);
    jw_begin_object(writer);
    jw_member_str(writer, "group", resource->group);
    jw_member_str(writer, "kind", kind);
    jw_member_str(writer, "version", resource->version);
    jw_end_object(writer);
    jw_end_array(writer);
    jw_end_object(writer);
}

static void write_kind(struct json_writer *writer, const struct api_resource *resource, const struct schema *schema)
{
    struct lines lines = {schema->fields, schema->len};
    begin_kind(writer, resource, "", schema->description);
    write_required(writer, lines);
    jw_key(writer, "properties");
    jw_begin_object(writer);
    write_head(writer, resource, resource->kind_name, &schema_object_meta);
    write_properties(writer, lines);
    jw_end_object(writer);
    if (resource->is_built_in)
        jw_member_bool(writer, "x-kubernetes-preserve-unknown-fields", true);
    end_kind(writer, resource, resource->kind_name);
}

static void write_list_kind(struct json_writer *writer, const struct api_resource *resource)
{
    struct buffer component = {0};
    openapi_append_component(&component, resource, "");
    begin_kind(writer, resource, "List", "A list of objects.");
    jw_key(writer, "required");
    jw_begin_array(writer);
    jw_str(writer, "items");
    jw_end_array(writer);
    jw_key(writer, "properties");
    jw_begin_object(writer);
    write_head(writer, resource, resource->list_kind, &schema_list_meta);
    jw_key(writer, "items");
    jw_begin_object(writer);
    jw_member_str(writer, "description", "The objects.");
    jw_member_str(writer, "type", "array");
    jw_key(writer, "items");
    jw_begin_object(writer);
    openapi_write_reference(writer, buffer_bytes(&component));
    jw_end_object(writer);
    jw_end_object(writer);
    jw_end_object(writer);
    end_kind(writer, resource, resource->list_kind);
    buffer_deinit(&component);
}

void openapi_write_schemas(struct json_writer *writer, struct api_resources resources)
{
    struct components components = {.len = 0};
    components_add(&components, &schema_object_meta);
    for (size_t i = 0; i < resources.len; i++) {
        const struct api_resource *resource = &resources.items[i];
        const struct schema *schema = schema_of(resource);
        assert(schema != NULL);
        write_kind(writer, resource, schema);
        if (resource_can(resource, API_LIST)) {
            components_add(&components, &schema_list_meta);
            write_list_kind(writer, resource);
        }
        components_add_fields(&components, schema);
        if (resource_has(resource, API_SCALE))
            components_add(&components, &schema_scale);
    }
    for (size_t i = 0; i < components.len; i++)
        write_component(writer, components.items[i]);
}
