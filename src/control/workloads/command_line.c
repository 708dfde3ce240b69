/* SPDX-License-Identifier: Apache-2.0 */
/* command_line.c: shell words without a shell, and the model-server commands that the simulator stands for. */
#include "control/workloads/command_line.h"

struct word_list {
    const char **words;
    unsigned len, capacity;
};

static void add_word(struct word_list *list, struct arena *arena, const char *word)
{
    if (list->len + 1 >= list->capacity) {
        unsigned capacity = list->capacity > 0 ? list->capacity * 2 : 32;
        const char **words = ARENA_ARRAY(arena, const char *, capacity);
        if (list->len > 0)
            memcpy(words, list->words, list->len * sizeof *words);
        list->words = words;
        list->capacity = capacity;
    }
    list->words[list->len++] = word;
    list->words[list->len] = NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from *position into out (as large as the rest of the text); false when it needs a shell. */
static bool read_word(struct bytes text, size_t *position, char *out, size_t *ret_len)
{
    char quote = 0;
    size_t len = 0, i = *position;
    for (; i < text.len && (quote != 0 || !is_blank(text.data[i])); i++) {
        char c = text.data[i];
        if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (quote != 0 && c == quote) {
            quote = 0;
        } else if (c == '\\' && quote != '\'' && i + 1 < text.len) {
            i++;
            if (text.data[i] != '\n') /* a backslash at the end of a line joins the lines */
                out[len++] = text.data[i];
        } else if (c == '\0' || (quote != '\'' && (c == '$' || c == '`')) ||
                   (quote == 0 && strchr("|&;<>()", c) != NULL)) {
            return false;
        } else {
            out[len++] = c;
        }
    }
    *position = i;
    *ret_len = len;
    return quote == 0;
}

bool command_line_split(struct bytes text, struct arena *arena, const char ***ret_words, unsigned *ret_count)
{
    struct word_list list = {0};
    char *out = arena_alloc(arena, text.len + 1);
    for (size_t position = 0;;) {
        while (position < text.len &&
               (is_blank(text.data[position]) ||
                (text.data[position] == '\\' && position + 1 < text.len && text.data[position + 1] == '\n')))
            position += text.data[position] == '\\' ? 2 : 1;
        if (position >= text.len)
            break;
        size_t len = 0;
        if (!read_word(text, &position, out, &len))
            return false;
        add_word(&list, arena, arena_strndup(arena, bytes_make(out, len)));
    }
    *ret_words = list.words;
    *ret_count = list.len;
    return true;
}

static bool ends_in(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

static bool is_python(const char *word)
{
    return ends_in(word, "python") || ends_in(word, "python3");
}

/* How many words name the server; 0 when it is none that is known. */
static unsigned server_words(const char *const *words, unsigned count, uint16_t *ret_port)
{
    *ret_port = 8000;
    if (count >= 2 && ends_in(words[0], "vllm") && strcmp(words[1], "serve") == 0)
        return 2;
    if (count < 3 || !is_python(words[0]) || strcmp(words[1], "-m") != 0)
        return 0;
    if (strcmp(words[2], "vllm.entrypoints.openai.api_server") == 0)
        return 3;
    if (strcmp(words[2], "sglang.launch_server") == 0) {
        *ret_port = 30000;
        return 3;
    }
    return 0;
}

static void find_port(struct command_line *command)
{
    unsigned long long port = 0;
    for (unsigned i = 0; i < command->len; i++) {
        const char *value = NULL;
        if (strcmp(command->words[i], "--port") == 0 && i + 1 < command->len)
            value = command->words[i + 1];
        else if (strncmp(command->words[i], "--port=", 7) == 0)
            value = command->words[i] + 7;
        if (value != NULL && bytes_to_u64(bytes_of(value), 65535, &port) && port > 0)
            command->port = (uint16_t)port;
    }
}

bool command_line_of(const struct container_spec *container, struct arena *arena, struct command_line *ret_command,
                     const char **ret_why)
{
    struct word_list list = {0};
    for (unsigned i = 0; i < container->command_count; i++)
        add_word(&list, arena, container->command[i]);
    for (unsigned i = 0; i < container->arg_count; i++)
        add_word(&list, arena, container->args[i]);
    if (list.len >= 3 && (ends_in(list.words[0], "sh") || ends_in(list.words[0], "bash")) &&
        strcmp(list.words[1], "-c") == 0) {
        const char *script = list.words[2];
        if (!command_line_split(bytes_of(script), arena, &list.words, &list.len)) {
            *ret_why = "the command needs a shell; only one model-server command can be simulated";
            return false;
        }
    }
    if (list.len > 0 && strcmp(list.words[0], "exec") == 0) {
        list.words++;
        list.len--;
    }
    uint16_t port = 0;
    unsigned skip = server_words(list.words, list.len, &port);
    if (skip == 0) {
        *ret_why = "only `vllm serve` and `python -m sglang.launch_server` can be simulated";
        return false;
    }
    *ret_command = (struct command_line){.words = list.words + skip, .len = list.len - skip, .port = port};
    find_port(ret_command);
    return true;
}
