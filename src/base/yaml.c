/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.c: libyaml events -> jansson trees, one document at a time.  Any thread; no state outlives a call.
 *
 * The text is a user's or a network peer's: nesting is bounded because composing recurses, nodes are bounded because an
 * alias in an alias multiplies, and an anchor cannot contain itself.  Aliases become deep copies: whoever gets a tree
 * may change one part without changing another. */
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/hashmap.h"
#include "base/json_read.h"
#include "base/yaml_scalar.h"

enum {
    DEEPEST = 100,
    MOST_NODES = 1000000,
    BYTES_PER_NODE = 64, /* copied text is charged as if it were nodes */
    ERROR_SIZE = 200,
};

struct anchor {
    json_t *value;    /* NULL while the node is being read */
    bool is_replaced; /* a later node took the name, perhaps one inside this node */
};

struct reader {
    yaml_parser_t parser;
    struct bytes text;
    yaml_event_t event;  /* the one in hand; its type is YAML_NO_EVENT when there is none */
    size_t nodes;        /* so far, copies included */
    struct arena *arena; /* anchors of this document */
    struct hashmap *anchors;
    char *error;
};

/* Always NULL, so that failing functions can return it. */
static json_t *fail(struct reader *reader, size_t line, const char *format, ...) PRINTF_LIKE(3, 4);
static json_t *fail(struct reader *reader, size_t line, const char *format, ...)
{
    int len = snprintf(reader->error, ERROR_SIZE, "line %zu: ", line);
    va_list args;
    va_start(args, format);
    vsnprintf(reader->error + len, ERROR_SIZE - (size_t)len, format, args);
    va_end(args);
    return NULL;
}

static size_t line_of_event(const struct reader *reader)
{
    return reader->event.start_mark.line + 1;
}

static size_t line_of_offset(const struct reader *reader, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset && i < reader->text.len; i++)
        line += reader->text.data[i] == '\n';
    return line;
}

static void fail_from_parser(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "out of memory";
    if (parser->error == YAML_READER_ERROR)
        fail(reader, line_of_offset(reader, parser->problem_offset), "%s", problem);
    else if (parser->context != NULL)
        fail(reader, parser->problem_mark.line + 1, "%s: %s", parser->context, problem);
    else
        fail(reader, parser->problem_mark.line + 1, "%s", problem);
}

static void drop_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    reader->event = (yaml_event_t){.type = YAML_NO_EVENT};
}

static bool next_event(struct reader *reader)
{
    drop_event(reader);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return true;
    reader->event = (yaml_event_t){.type = YAML_NO_EVENT};
    fail_from_parser(reader);
    return false;
}

static bool count_nodes(struct reader *reader, size_t count, size_t line)
{
    reader->nodes += count;
    if (reader->nodes <= MOST_NODES)
        return true;
    fail(reader, line, "more than %d values, aliases included", MOST_NODES);
    return false;
}

/* What a copy of the tree costs in nodes; *deepest grows to its depth. */
static size_t weigh(json_t *tree, unsigned depth, unsigned *deepest)
{
    size_t weight = 1;
    if (depth > *deepest)
        *deepest = depth;
    if (json_is_string(tree))
        return weight + json_string_length(tree) / BYTES_PER_NODE;
    if (depth > DEEPEST)
        return weight;
    if (json_is_array(tree)) {
        for (size_t i = 0; i < json_array_size(tree); i++)
            weight += weigh(json_array_get(tree, i), depth + 1, deepest);
    } else if (json_is_object(tree)) {
        const char *key;
        json_t *value;
        json_object_foreach(tree, key, value)
        {
            weight += 1 + strlen(key) / BYTES_PER_NODE + weigh(value, depth + 1, deepest);
        }
    }
    return weight;
}

/* Anchors ---------------------------------------------------------------------------------------------------------- */

static struct anchor *declare_anchor(struct reader *reader, const char *name)
{
    if (name == NULL)
        return NULL;
    struct anchor *anchor = ARENA_NEW(reader->arena, struct anchor);
    struct anchor *old = hashmap_put(reader->anchors, arena_copy(reader->arena, bytes_of(name)), anchor);
    if (old != NULL) {
        old->is_replaced = true;
        json_decref(old->value);
    }
    return anchor;
}

static void forget_anchors(struct reader *reader)
{
    if (hashmap_len(reader->anchors) == 0)
        return;
    size_t cursor = 0;
    struct bytes name;
    void *anchor;
    while (hashmap_next(reader->anchors, &cursor, &name, &anchor))
        json_decref(((struct anchor *)anchor)->value);
    hashmap_free(reader->anchors);
    reader->anchors = hashmap_new();
    arena_reset(reader->arena);
}

static json_t *copy_alias(struct reader *reader, unsigned depth)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    size_t line = line_of_event(reader);
    const struct anchor *anchor = hashmap_get(reader->anchors, bytes_of(name));
    if (anchor == NULL)
        return fail(reader, line, "alias *%.60s has no anchor", name);
    if (anchor->value == NULL)
        return fail(reader, line, "anchor &%.60s contains itself", name);
    unsigned deepest = depth;
    if (!count_nodes(reader, weigh(anchor->value, depth, &deepest), line))
        return NULL;
    if (deepest > DEEPEST)
        return fail(reader, line, "nested deeper than %d levels", DEEPEST);
    json_t *copy = json_deep_copy(anchor->value);
    return copy != NULL ? copy : fail(reader, line, "out of memory");
}

/* Nodes ------------------------------------------------------------------------------------------------------------ */

static json_t *compose(struct reader *reader, unsigned depth);

static json_t *compose_scalar(struct reader *reader)
{
    const char *problem = "out of memory";
    struct bytes text = {(const char *)reader->event.data.scalar.value, reader->event.data.scalar.length};
    const char *tag = (const char *)reader->event.data.scalar.tag;
    bool is_plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    json_t *value = yaml_scalar_value(text, tag, is_plain, &problem);
    return value != NULL ? value : fail(reader, line_of_event(reader), "%s", problem);
}

static json_t *compose_sequence(struct reader *reader, unsigned depth)
{
    json_t *array = json_array();
    while (next_event(reader)) {
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return array;
        json_t *item = compose(reader, depth + 1);
        if (item == NULL || json_array_append_new(array, item) != 0)
            break;
    }
    json_decref(array);
    return NULL;
}

static bool is_merge_key(const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.length != 2 ||
        memcmp(event->data.scalar.value, "<<", 2) != 0)
        return false;
    const char *tag = (const char *)event->data.scalar.tag;
    return tag != NULL ? strcmp(tag, "tag:yaml.org,2002:merge") == 0
                       : event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* The key as the string that JSON wants; consumes `key`.  A new string, or NULL. */
static json_t *key_to_string(struct reader *reader, json_t *key, size_t line)
{
    json_t *text = NULL;
    if (json_is_string(key))
        return key;
    if (json_is_integer(key))
        text = json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(key));
    else if (json_is_real(key))
        text = json_sprintf("%g", json_real_value(key));
    else if (json_is_boolean(key))
        text = json_string(json_is_true(key) ? "true" : "false");
    else
        fail(reader, line, "a key must be a string");
    json_decref(key);
    return text;
}

/* Reads the key in hand, then moves on to its value.  A new string, or NULL. */
static json_t *compose_key(struct reader *reader, unsigned depth, const json_t *object)
{
    size_t line = line_of_event(reader);
    json_t *key = compose(reader, depth + 1);
    if (key == NULL)
        return NULL;
    key = key_to_string(reader, key, line);
    if (key == NULL)
        return NULL;
    if (json_object_get(object, json_string_value(key)) != NULL)
        fail(reader, line, "key \"%.60s\" appears twice", json_string_value(key));
    else if (next_event(reader))
        return key;
    json_decref(key);
    return NULL;
}

static bool compose_pair(struct reader *reader, unsigned depth, json_t *object)
{
    json_t *key = compose_key(reader, depth, object);
    if (key == NULL)
        return false;
    json_t *value = compose(reader, depth + 1);
    bool is_done = value != NULL && json_object_set_new_nocheck(object, json_string_value(key), value) == 0;
    json_decref(key);
    return is_done;
}

/* The value of "<<" as an array of objects, the strongest first. */
static json_t *compose_merge_source(struct reader *reader, unsigned depth)
{
    size_t line = line_of_event(reader);
    if (!next_event(reader))
        return NULL;
    json_t *source = compose(reader, depth + 1);
    if (json_is_object(source)) {
        json_t *array = json_array();
        json_array_append_new(array, source);
        source = array;
    }
    bool is_good = json_is_array(source);
    for (size_t i = 0; is_good && i < json_array_size(source); i++)
        is_good = json_is_object(json_array_get(source, i));
    if (is_good || source == NULL)
        return source;
    json_decref(source);
    return fail(reader, line, "\"<<\" needs a mapping or a list of mappings");
}

/* Keys of the mapping itself win over merged ones, wherever "<<" stands. */
static void merge(json_t *object, const json_t *sources)
{
    for (size_t i = 0; i < json_array_size(sources); i++)
        json_object_update_missing(object, json_array_get(sources, i));
}

static json_t *compose_mapping(struct reader *reader, unsigned depth)
{
    json_t *object = json_object();
    json_t *merged = NULL;
    bool is_good = true;
    while (is_good && next_event(reader)) {
        if (reader->event.type == YAML_MAPPING_END_EVENT) {
            merge(object, merged);
            json_decref(merged);
            return object;
        }
        if (!is_merge_key(&reader->event)) {
            is_good = compose_pair(reader, depth, object);
        } else if (merged == NULL) {
            merged = compose_merge_source(reader, depth);
            is_good = merged != NULL;
        } else {
            fail(reader, line_of_event(reader), "key \"<<\" appears twice");
            is_good = false;
        }
    }
    json_decref(merged);
    json_decref(object);
    return NULL;
}

static json_t *compose_collection(struct reader *reader, unsigned depth, const char *tag, bool is_mapping)
{
    size_t line = line_of_event(reader);
    if (depth >= DEEPEST)
        return fail(reader, line, "nested deeper than %d levels", DEEPEST);
    const char *own_tag = is_mapping ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
    if (tag != NULL && strcmp(tag, "!") != 0 && strcmp(tag, own_tag) != 0)
        return fail(reader, line, "the tag is not supported here");
    return is_mapping ? compose_mapping(reader, depth) : compose_sequence(reader, depth);
}

/* The node that starts with the event in hand; ends with the node's last event in hand.  NULL after fail(). */
static json_t *compose(struct reader *reader, unsigned depth)
{
    const yaml_event_t *event = &reader->event;
    struct anchor *anchor = NULL;
    json_t *node = NULL;
    if (!count_nodes(reader, 1, line_of_event(reader)))
        return NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return copy_alias(reader, depth);
    case YAML_SCALAR_EVENT:
        anchor = declare_anchor(reader, (const char *)event->data.scalar.anchor);
        node = compose_scalar(reader);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = declare_anchor(reader, (const char *)event->data.sequence_start.anchor);
        node = compose_collection(reader, depth, (const char *)event->data.sequence_start.tag, false);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = declare_anchor(reader, (const char *)event->data.mapping_start.anchor);
        node = compose_collection(reader, depth, (const char *)event->data.mapping_start.tag, true);
        break;
    default:
        return fail(reader, line_of_event(reader), "unexpected end of the document");
    }
    if (anchor != NULL && !anchor->is_replaced)
        anchor->value = json_incref(node);
    return node;
}

/* Documents -------------------------------------------------------------------------------------------------------- */

/* After DOCUMENT-START.  1: go on, 0: the callee has enough, -1: failed. */
static int read_document(struct reader *reader, yaml_document_fn on_document, void *context)
{
    if (!next_event(reader))
        return -1;
    size_t line = line_of_event(reader);
    json_t *document = compose(reader, 0);
    forget_anchors(reader);
    if (document == NULL)
        return -1;
    int result = 1;
    if (!next_event(reader)) /* DOCUMENT-END: what follows the root may still be wrong */
        result = -1;
    else if (!json_is_null(document) && !on_document(document, line, context))
        result = 0;
    json_decref(document);
    return result;
}

static int read_stream(struct reader *reader, yaml_document_fn on_document, void *context)
{
    while (next_event(reader)) {
        if (reader->event.type == YAML_STREAM_END_EVENT)
            return 0;
        if (reader->event.type != YAML_DOCUMENT_START_EVENT)
            continue; /* STREAM-START */
        int result = read_document(reader, on_document, context);
        if (result <= 0)
            return result;
    }
    return -1;
}

static int parse_yaml(struct bytes text, yaml_document_fn on_document, void *context, char *error)
{
    struct reader reader = {.text = text, .event = {.type = YAML_NO_EVENT}, .error = error};
    if (!yaml_parser_initialize(&reader.parser)) {
        fail(&reader, 1, "out of memory");
        return -1;
    }
    snprintf(error, ERROR_SIZE, "out of memory"); /* what stands when jansson fails to allocate */
    reader.arena = arena_new(0);
    reader.anchors = hashmap_new();
    /* Said aloud, else libyaml would read UTF-16 too. */
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.data, text.len);
    int result = read_stream(&reader, on_document, context);
    drop_event(&reader);
    forget_anchors(&reader);
    hashmap_free(reader.anchors);
    arena_free(reader.arena);
    yaml_parser_delete(&reader.parser);
    return result;
}

/* libyaml does not know JSON's surrogate pairs, so a text that is JSON as a whole is read as JSON.  NULL when it is
 * not, or is nested too deeply: then the YAML reader finds the words for what is wrong. */
static json_t *try_json(struct bytes text, size_t *ret_line)
{
    char ignored[ERROR_SIZE];
    size_t at = 0;
    while (at < text.len && memchr(" \t\r\n", text.data[at], 4) != NULL)
        at++;
    if (at == text.len || text.data[at] != '{')
        return NULL;
    json_t *root = json_read(text, ignored);
    unsigned deepest = 0;
    if (root == NULL || (weigh(root, 0, &deepest) <= MOST_NODES && deepest <= DEEPEST)) {
        *ret_line = 1;
        for (size_t i = 0; i < at; i++)
            *ret_line += text.data[i] == '\n';
        return root;
    }
    json_decref(root);
    return NULL;
}

int yaml_parse(struct bytes text, yaml_document_fn on_document, void *context, char error[200])
{
    size_t line;
    if (text.len == 0)
        return 0;
    json_t *root = try_json(text, &line);
    if (root == NULL)
        return parse_yaml(text, on_document, context, error);
    on_document(root, line, context);
    json_decref(root);
    return 0;
}
