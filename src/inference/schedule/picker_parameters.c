/* SPDX-License-Identifier: Apache-2.0 */
/* picker_parameters.c: the parameters of a plugin, by its syntax.  Texts go into the plugin's own room, label selectors
 * in the form that label_selector.h reads. */
#include "inference/schedule/picker_config_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buffer.h"
#include "inference/schedule/label_selector.h"

void picker_config_bad(struct decoding *decoding, const char *name, const char *reason, const char *format, ...)
{
    char path[PATH_BYTES * 2], message[512];
    const char *dot = decoding->path[0] != '\0' && name != NULL ? "." : "";
    snprintf(path, sizeof path, "%s%s%.200s", decoding->path, dot, name != NULL ? name : "");
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    problems_add(decoding->problems, path, reason, "%s", message);
}

size_t picker_config_enter(struct decoding *decoding, const char *name, int index)
{
    size_t len = strlen(decoding->path);
    size_t room = sizeof decoding->path - len;
    const char *dot = len > 0 && name[0] != '\0' ? "." : "";
    if (index < 0)
        snprintf(decoding->path + len, room, "%s%s", dot, name);
    else
        snprintf(decoding->path + len, room, "%s%s[%d]", dot, name, index);
    return len;
}

void picker_config_leave(struct decoding *decoding, size_t len)
{
    decoding->path[len] = '\0';
}

static int find_parameter(const struct plugin_kind *kind, const char *name)
{
    for (int i = 0; kind->syntax != NULL && kind->syntax[i].name != NULL; i++)
        if (strcmp(kind->syntax[i].name, name) == 0 || strcmp(kind->syntax[i].name, "*") == 0)
            return i;
    return -1;
}

void picker_config_number(struct decoding *decoding, const struct parameter_syntax *syntax, json_t *value,
                          double *ret_number)
{
    bool is_right = syntax->kind == PARAMETER_INTEGER ? json_is_integer(value) : json_is_number(value);
    double number = json_number_value(value);
    if (!is_right || !(number >= syntax->min && number <= syntax->max))
        picker_config_bad(decoding, syntax->name, "Invalid", "must be %s from %g to %g",
                          syntax->kind == PARAMETER_INTEGER ? "an integer" : "a number", syntax->min, syntax->max);
    else
        *ret_number = number;
}

/* Texts. */

/* A key, a value or the name of a header: nothing in it that the encodings use between them. */
static bool is_word(const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value))
        return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == '=')
            return false;
    return true;
}

static void append(struct buffer *out, char sign, const char *key, const json_t *values)
{
    const json_t *value;
    size_t index;
    if (sign != '\0')
        buffer_append_char(out, sign);
    buffer_append_str(out, key);
    buffer_append_char(out, ' ');
    json_array_foreach(values, index, value)
    {
        buffer_append_str(out, json_string_value(value));
        buffer_append_char(out, ' ');
    }
}

static bool are_words(const json_t *values)
{
    const json_t *value;
    size_t index;
    json_array_foreach(values, index, value) if (!is_word(value)) return false;
    return json_is_array(values);
}

/* {key: value} */
static bool encode_labels(json_t *labels, struct buffer *out)
{
    const char *key;
    json_t *value;
    json_object_foreach(labels, key, value)
    {
        if (!is_word(value) || key[strcspn(key, " =\n")] != '\0' || key[0] == '\0')
            return false;
        json_t *values = json_pack("[O]", value);
        append(out, SELECT_IN, key, values);
        json_decref(values);
        buffer_append_char(out, '\n');
    }
    return json_is_object(labels);
}

static char sign_of(const char *name)
{
    static const struct {
        const char *name;
        enum select_operator sign;
    } operators[] = {
        {"In", SELECT_IN}, {"NotIn", SELECT_NOT_IN}, {"Exists", SELECT_EXISTS}, {"DoesNotExist", SELECT_ABSENT}};
    for (unsigned i = 0; i < ARRAY_LEN(operators); i++)
        if (name != NULL && strcmp(name, operators[i].name) == 0)
            return (char)operators[i].sign;
    return '\0';
}

/* [{key, operator, values}] */
static bool encode_expressions(json_t *list, struct buffer *out)
{
    json_t *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        json_t *key = json_object_get(item, "key"), *values = json_object_get(item, "values");
        char sign = sign_of(json_string_value(json_object_get(item, "operator")));
        bool wants_values = sign == SELECT_IN || sign == SELECT_NOT_IN;
        if (!is_word(key) || json_string_length(key) == 0 || sign == '\0' || (values != NULL && !are_words(values)) ||
            wants_values != (json_array_size(values) > 0))
            return false;
        append(out, sign, json_string_value(key), values);
        buffer_append_char(out, '\n');
    }
    return json_is_array(list);
}

static bool encode(enum parameter_kind kind, json_t *value, struct buffer *out)
{
    switch (kind) {
    case PARAMETER_NAME:
        buffer_append_str(out, json_is_string(value) ? json_string_value(value) : "");
        return is_word(value);
    case PARAMETER_NAMES:
        if (!are_words(value))
            return false;
        append(out, '\0', "", value);
        return true;
    case PARAMETER_LABELS:
        return encode_labels(value, out);
    case PARAMETER_EXPRESSIONS:
        return encode_expressions(value, out);
    default:
        return false;
    }
}

static void decode_text(struct decoding *decoding, unsigned index, json_t *value, struct plugin *plugin)
{
    static const char *const shapes[] = {
        [PARAMETER_NAME] = "a text without blanks",
        [PARAMETER_NAMES] = "a list of texts without blanks",
        [PARAMETER_LABELS] = "labels with their values",
        [PARAMETER_EXPRESSIONS] = "a list of {key, operator: In|NotIn|Exists|DoesNotExist, values}",
    };
    const struct parameter_syntax *syntax = &plugin->kind->syntax[index];
    struct buffer text = {0};
    if (!encode(syntax->kind, value, &text))
        picker_config_bad(decoding, syntax->name, "Invalid", "must be %s", shapes[syntax->kind]);
    else if (!plugin_add_text(plugin, index, buffer_bytes(&text)))
        picker_config_bad(decoding, syntax->name, "Invalid", "is too long: %s has room for %d bytes",
                          plugin->kind->type, PLUGIN_TEXT_BYTES);
    buffer_deinit(&text);
}

static void decode_parameter(struct decoding *decoding, unsigned index, json_t *value, struct plugin *plugin)
{
    const struct parameter_syntax *syntax = &plugin->kind->syntax[index];
    switch (syntax->kind) {
    case PARAMETER_NUMBER:
    case PARAMETER_INTEGER:
        picker_config_number(decoding, syntax, value, &plugin->values[index]);
        break;
    case PARAMETER_BOOL:
        if (json_is_boolean(value))
            plugin->values[index] = json_is_true(value);
        else
            picker_config_bad(decoding, syntax->name, "Invalid", "must be true or false");
        break;
    case PARAMETER_TEXT:
        if (!json_is_string(value))
            picker_config_bad(decoding, syntax->name, "Invalid", "must be a text");
        break;
    case PARAMETER_KEPT:
        break;
    case PARAMETER_NAME:
    case PARAMETER_NAMES:
    case PARAMETER_LABELS:
    case PARAMETER_EXPRESSIONS:
        decode_text(decoding, index, value, plugin);
        break;
    }
}

static void decode_members(struct decoding *decoding, json_t *parameters, struct plugin *plugin)
{
    const char *name;
    json_t *value;
    size_t outer = picker_config_enter(decoding, "parameters", -1);
    json_object_foreach(parameters, name, value)
    {
        int index = find_parameter(plugin->kind, name);
        if (index < 0)
            picker_config_bad(decoding, name, "Invalid", "is no parameter of %s", plugin->kind->type);
        else if (!json_is_null(value))
            decode_parameter(decoding, (unsigned)index, value, plugin);
    }
    picker_config_leave(decoding, outer);
}

void picker_config_parameters(struct decoding *decoding, json_t *item, struct plugin *plugin)
{
    json_t *parameters = json_object_get(item, "parameters");
    size_t before = decoding->problems->count;
    if (parameters != NULL && !json_is_null(parameters) && !json_is_object(parameters))
        picker_config_bad(decoding, "parameters", "Invalid", "must be an object");
    else
        decode_members(decoding, parameters, plugin);
    const char *lacking = plugin_lacks(plugin);
    size_t outer = picker_config_enter(decoding, "parameters", -1);
    if (lacking != NULL && decoding->problems->count == before)
        picker_config_bad(decoding, lacking, "Required", "must be given");
    picker_config_leave(decoding, outer);
}
