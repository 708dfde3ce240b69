/* SPDX-License-Identifier: Apache-2.0 */
/* selectors.c: reads selectors and applies them. */
#include "kube/apiserver/selectors.h"

#include <stdio.h>

enum { MAX_TERMS = 256, MAX_VALUES = 1024 };

/* --- labels --- */

struct scanner {
    struct bytes rest;
    struct arena *arena;
    const char *why; /* NULL while it is going well */
};

static void skip_blanks(struct scanner *scanner)
{
    while (scanner->rest.len > 0 && (scanner->rest.data[0] == ' ' || scanner->rest.data[0] == '\t'))
        scanner->rest = bytes_skip(scanner->rest, 1);
}

static bool take(struct scanner *scanner, const char *token)
{
    skip_blanks(scanner);
    if (!bytes_starts_with(scanner->rest, bytes_of(token)))
        return false;
    scanner->rest = bytes_skip(scanner->rest, strlen(token));
    return true;
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '/';
}

/* A key or a value; values may be empty. */
static const char *take_word(struct scanner *scanner, bool may_be_empty)
{
    size_t len = 0;
    skip_blanks(scanner);
    while (len < scanner->rest.len && is_word_byte(scanner->rest.data[len]))
        len++;
    if (len == 0 && !may_be_empty && scanner->why == NULL)
        scanner->why = arena_printf(scanner->arena, "unable to parse requirement: found '%.*s', expected a name",
                                    scanner->rest.len < 20 ? (int)scanner->rest.len : 20, scanner->rest.data);
    const char *word = arena_strndup(scanner->arena, bytes_make(scanner->rest.data, len));
    scanner->rest = bytes_skip(scanner->rest, len);
    return word;
}

static void take_set(struct scanner *scanner, struct label_selector_term *term)
{
    const char *values[MAX_VALUES];
    unsigned count = 0;
    if (!take(scanner, "(")) {
        scanner->why = "unable to parse requirement: expected '(' behind in or notin";
        return;
    }
    do {
        if (count == MAX_VALUES) {
            scanner->why = "unable to parse requirement: too many values";
            return;
        }
        values[count++] = take_word(scanner, true);
    } while (take(scanner, ","));
    if (!take(scanner, ")") && scanner->why == NULL)
        scanner->why = "unable to parse requirement: expected ')' at the end of the values";
    term->values = ARENA_ARRAY(scanner->arena, const char *, count + 1);
    memcpy(term->values, values, count * sizeof *values);
    term->value_count = count;
}

static void take_one_value(struct scanner *scanner, struct label_selector_term *term)
{
    term->values = ARENA_ARRAY(scanner->arena, const char *, 2);
    term->values[0] = take_word(scanner, true);
    term->value_count = 1;
}

/* "in" and "notin" are operators only behind a key. */
static void take_operator(struct scanner *scanner, struct label_selector_term *term)
{
    if (take(scanner, "!=")) {
        term->op = SELECTOR_NOT_IN;
        take_one_value(scanner, term);
    } else if (take(scanner, "==") || take(scanner, "=")) {
        term->op = SELECTOR_IN;
        take_one_value(scanner, term);
    } else if (take(scanner, "notin")) {
        term->op = SELECTOR_NOT_IN;
        take_set(scanner, term);
    } else if (take(scanner, "in")) {
        term->op = SELECTOR_IN;
        take_set(scanner, term);
    } else {
        term->op = SELECTOR_EXISTS;
    }
}

bool label_selector_parse(const char *text, struct arena *arena, struct label_selector *ret_selector,
                          const char **ret_why)
{
    struct scanner scanner = {.rest = bytes_of(text), .arena = arena};
    struct label_selector_term terms[MAX_TERMS];
    unsigned len = 0;
    skip_blanks(&scanner);
    while (scanner.rest.len > 0 && scanner.why == NULL) {
        struct label_selector_term *term = &terms[len++];
        *term = (struct label_selector_term){.op = SELECTOR_DOES_NOT_EXIST};
        bool is_absent = take(&scanner, "!");
        term->key = take_word(&scanner, false);
        if (!is_absent)
            take_operator(&scanner, term);
        skip_blanks(&scanner);
        bool is_more = take(&scanner, ",");
        if (scanner.why == NULL && !is_more && scanner.rest.len > 0)
            scanner.why = arena_printf(arena, "unable to parse requirement: found '%.*s', expected ',' or the end",
                                       scanner.rest.len < 20 ? (int)scanner.rest.len : 20, scanner.rest.data);
        if (scanner.why == NULL && len == MAX_TERMS && scanner.rest.len > 0)
            scanner.why = "unable to parse requirement: too many requirements";
    }
    *ret_why = scanner.why;
    ret_selector->terms = ARENA_ARRAY(arena, struct label_selector_term, len + 1);
    for (unsigned i = 0; i < len; i++)
        ret_selector->terms[i] = terms[i];
    ret_selector->len = len;
    return scanner.why == NULL;
}

/* --- fields --- */

struct selectable {
    enum kube_kind kind;
    const char *path;
};

/* Besides metadata.name and metadata.namespace, which every kind has. */
static const struct selectable selectables[] = {
    {KUBE_POD, "spec.nodeName"},
    {KUBE_POD, "spec.restartPolicy"},
    {KUBE_POD, "spec.schedulerName"},
    {KUBE_POD, "spec.serviceAccountName"},
    {KUBE_POD, "status.phase"},
    {KUBE_POD, "status.podIP"},
    {KUBE_EVENT, "involvedObject.kind"},
    {KUBE_EVENT, "involvedObject.namespace"},
    {KUBE_EVENT, "involvedObject.name"},
    {KUBE_EVENT, "involvedObject.uid"},
    {KUBE_EVENT, "involvedObject.apiVersion"},
    {KUBE_EVENT, "involvedObject.resourceVersion"},
    {KUBE_EVENT, "involvedObject.fieldPath"},
    {KUBE_EVENT, "reason"},
    {KUBE_EVENT, "reportingComponent"},
    {KUBE_EVENT, "source"},
    {KUBE_EVENT, "type"},
    {KUBE_SECRET, "type"},
    {KUBE_NAMESPACE, "status.phase"},
    {KUBE_SERVICE, "spec.type"},
    {KUBE_SERVICE, "spec.clusterIP"},
    {KUBE_REPLICA_SET, "status.replicas"},
};

static bool is_selectable(enum kube_kind kind, const char *path)
{
    if (strcmp(path, "metadata.name") == 0 ||
        (strcmp(path, "metadata.namespace") == 0 && kube_kind_info(kind)->is_namespaced))
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(selectables); i++) {
        if (selectables[i].kind == kind && strcmp(selectables[i].path, path) == 0)
            return true;
    }
    return false;
}

/* events.k8s.io names the object that an Event is about otherwise. */
static const char *stored_path(enum kube_kind kind, const char *path, struct arena *arena)
{
    static const char prefix[] = "regarding.";
    if (kind == KUBE_EVENT && strncmp(path, prefix, sizeof prefix - 1) == 0)
        return arena_printf(arena, "involvedObject.%s", path + sizeof prefix - 1);
    return path;
}

/* Up to an unescaped end character; the escapes are taken out. */
static const char *take_field_text(const char **at, const char *ends, struct arena *arena)
{
    size_t max = strlen(*at), len = 0;
    char *text = arena_alloc(arena, max + 1);
    while (**at != '\0' && strchr(ends, **at) == NULL) {
        if (**at == '\\' && (*at)[1] != '\0')
            ++*at;
        text[len++] = *(*at)++;
    }
    text[len] = '\0';
    return text;
}

static bool take_field_term(const char **at, enum kube_kind kind, struct arena *arena, struct field_term *term,
                            const char **ret_why)
{
    const char *path = take_field_text(at, "=!,", arena);
    term->is_negated = **at == '!';
    if (term->is_negated)
        ++*at;
    if (**at != '=') {
        *ret_why = arena_printf(arena, "invalid selector: '%s'; can't understand it", path);
        return false;
    }
    ++*at;
    if (**at == '=' && !term->is_negated)
        ++*at;
    term->path = stored_path(kind, path, arena);
    term->value = take_field_text(at, ",", arena);
    if (is_selectable(kind, term->path))
        return true;
    *ret_why = arena_printf(arena, "field label not supported: %s", path);
    return false;
}

bool field_selector_parse(const char *text, enum kube_kind kind, struct arena *arena, struct selection *selection,
                          const char **ret_why)
{
    struct field_term terms[MAX_TERMS];
    unsigned count = 0;
    for (const char *at = text; *at != '\0';) {
        if (count == MAX_TERMS) {
            *ret_why = "too many field requirements";
            return false;
        }
        if (!take_field_term(&at, kind, arena, &terms[count++], ret_why))
            return false;
        if (*at == ',')
            at++;
    }
    selection->fields = ARENA_ARRAY(arena, struct field_term, count + 1);
    for (unsigned i = 0; i < count; i++)
        selection->fields[i] = terms[i];
    selection->field_count = count;
    return true;
}

/* The value at a dotted path as text; "" when it is absent or no scalar. */
static const char *value_at(const json_t *tree, const char *path, char number[24])
{
    if (strcmp(path, "source") == 0) /* of an Event: its component */
        path = "source.component";
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1)
        tree = json_object_getn(tree, path, (size_t)(dot - path));
    const json_t *value = json_object_get(tree, path);
    if (json_is_string(value))
        return json_string_value(value);
    if (!json_is_integer(value))
        return "";
    snprintf(number, 24, "%lld", (long long)json_integer_value(value));
    return number;
}

static bool term_matches(const struct field_term *term, const struct kube_object *object)
{
    char number[24];
    const char *value;
    if (strcmp(term->path, "metadata.name") == 0)
        value = object->name;
    else if (strcmp(term->path, "metadata.namespace") == 0)
        value = object->namespace_;
    else
        value = value_at(object->tree, term->path, number);
    return (strcmp(value, term->value) == 0) != term->is_negated;
}

bool selection_matches(const struct selection *selection, const struct kube_object *object)
{
    for (unsigned i = 0; i < selection->field_count; i++) {
        if (!term_matches(&selection->fields[i], object))
            return false;
    }
    return label_selector_match(&selection->labels, &object->labels);
}
