/* SPDX-License-Identifier: Apache-2.0 */
/* metric_names.c: reads an operator's names of gauges.  Pure. */
#include "inference/scrape/engine_metrics.h"

#include <ctype.h>

static bool is_name_char(char c, bool is_first)
{
    return isalpha((unsigned char)c) || c == '_' || c == ':' || (!is_first && isdigit((unsigned char)c));
}

static bool take_char(struct bytes *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != c)
        return false;
    *rest = bytes_skip(*rest, 1);
    return true;
}

/* The name at the front; false when there is none, or one that is longer than anybody's. */
static bool take_name(struct bytes *rest, char *target, size_t size)
{
    size_t len = 0;
    while (len < rest->len && is_name_char(rest->data[len], len == 0))
        len++;
    if (len == 0 || len >= size)
        return false;
    memcpy(target, rest->data, len);
    target[len] = '\0';
    *rest = bytes_skip(*rest, len);
    return true;
}

/* {label="value"}; values with escapes are not needed for any engine. */
static bool take_label(struct bytes *rest, struct metric_selector *selector)
{
    if (!take_name(rest, selector->label, sizeof selector->label) || !take_char(rest, '=') || !take_char(rest, '"'))
        return false;
    size_t len = bytes_find(*rest, '"');
    if (len == rest->len || len >= sizeof selector->value || bytes_find(bytes_make(rest->data, len), '\\') < len)
        return false;
    memcpy(selector->value, rest->data, len);
    selector->value[len] = '\0';
    *rest = bytes_skip(*rest, len + 1);
    return take_char(rest, '}');
}

static struct metric_selector *find(struct metric_names *names, const char *key)
{
    return strcmp(key, "waiting") == 0   ? &names->waiting
           : strcmp(key, "running") == 0 ? &names->running
           : strcmp(key, "kv") == 0      ? &names->kv
                                         : NULL;
}

static bool take_entry(struct bytes *rest, struct metric_names *names)
{
    char key[16];
    *rest = bytes_trim(*rest);
    if (!take_name(rest, key, sizeof key) || !take_char(rest, '='))
        return false;
    struct metric_selector *selector = find(names, key);
    if (selector == NULL || selector->name[0] != '\0' || !take_name(rest, selector->name, sizeof selector->name))
        return false;
    return !take_char(rest, '{') || take_label(rest, selector);
}

bool metric_names_parse(struct bytes text, const char *path, struct problems *problems, struct metric_names *ret_names)
{
    struct metric_names names = {0};
    struct bytes rest = text;
    do {
        if (!take_entry(&rest, &names)) {
            problems_add(problems, path, "Invalid",
                         "must look like waiting=NAME,running=NAME,kv=NAME{label=\"value\"}, not \"%.*s\"",
                         (int)(text.len < 200 ? text.len : 200), text.data);
            return false;
        }
        rest = bytes_trim(rest);
    } while (take_char(&rest, ','));
    if (rest.len > 0) {
        problems_add(problems, path, "Invalid", "has something behind its end: \"%.*s\"",
                     (int)(rest.len < 200 ? rest.len : 200), rest.data);
        return false;
    }
    *ret_names = names;
    return true;
}
