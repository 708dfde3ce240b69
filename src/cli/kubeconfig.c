/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig.c: follows the current context to its cluster and user. */
#include "cli/kubeconfig.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/yaml.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

struct reading {
    struct arena *arena;
    struct kubeconfig *config;
    json_t *root;
    char *error;
};

static bool refuse(char *error, const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, KUBECONFIG_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* "" when there is no such text. */
static const char *text_at(const struct reading *reading, const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? arena_strdup(reading->arena, text) : "";
}

/* The part called `name` of the list, such as clusters[].cluster; NULL, reported. */
static const json_t *find_part(struct reading *reading, const char *list, const char *part, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(reading->root, list), i, item)
    {
        const char *its_name = json_string_value(json_object_get(item, "name"));
        if (its_name != NULL && strcmp(its_name, name) == 0 && json_is_object(json_object_get(item, part)))
            return json_object_get(item, part);
    }
    refuse(reading->error, "there is no %s \"%.100s\" in its %s", part, name, list);
    return NULL;
}

/* "https://host:port/path"; an IPv6 address has brackets. */
static bool read_server(struct reading *reading, const char *server)
{
    static const char scheme[] = "https://";
    struct kubeconfig *config = reading->config;
    if (strncmp(server, scheme, strlen(scheme)) != 0)
        return refuse(reading->error, "server \"%.100s\" must start with https://", server);
    const char *at = server + strlen(scheme);
    bool is_v6 = at[0] == '[';
    size_t len = is_v6 ? strcspn(at + 1, "]/") : strcspn(at, ":/");
    config->host = arena_strndup(reading->arena, bytes_make(at + is_v6, len));
    at += is_v6 + len;
    bool is_closed = !is_v6 || *at == ']';
    at += is_v6 && is_closed;
    config->port = "443";
    if (*at == ':') {
        size_t digits = strspn(at + 1, "0123456789");
        config->port = arena_strndup(reading->arena, bytes_make(at + 1, digits));
        at += 1 + digits;
    }
    size_t path_len = strlen(at);
    while (path_len > 0 && at[path_len - 1] == '/')
        path_len--;
    config->path = arena_strndup(reading->arena, bytes_make(at, path_len));
    bool is_plain = strspn(config->path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/") ==
                    strlen(config->path);
    unsigned long long port = 0;
    bool is_port = bytes_to_u64(bytes_of(config->port), 65535, &port) && port > 0;
    if (!is_closed || len == 0 || (path_len > 0 && *at != '/') || !is_plain || !is_port)
        return refuse(reading->error, "server \"%.100s\" is no address", server);
    return true;
}

static bool read_cluster(struct reading *reading, const json_t *cluster)
{
    struct kubeconfig *config = reading->config;
    const char *data = text_at(reading, cluster, "certificate-authority-data");
    if (json_is_true(json_object_get(cluster, "insecure-skip-tls-verify")))
        return refuse(reading->error, "insecure-skip-tls-verify is not supported: name the certificate-authority");
    if (data[0] != '\0' && !base64_decode(bytes_of(data), reading->arena, &config->authority_pem))
        return refuse(reading->error, "certificate-authority-data is not base64");
    config->authority_file = data[0] == '\0' ? text_at(reading, cluster, "certificate-authority") : "";
    return read_server(reading, text_at(reading, cluster, "server"));
}

static bool read_user(struct reading *reading, const json_t *user)
{
    static const char *const unsupported[] = {"client-certificate", "client-certificate-data", "exec", "auth-provider",
                                              "username"};
    struct kubeconfig *config = reading->config;
    config->token = text_at(reading, user, "token");
    config->token_file = config->token[0] == '\0' ? text_at(reading, user, "tokenFile") : "";
    for (size_t i = 0; i < ARRAY_LEN(unsupported) && config->token[0] == '\0' && config->token_file[0] == '\0'; i++) {
        if (json_object_get(user, unsupported[i]) != NULL)
            return refuse(reading->error, "its user has %s, which is not supported: a token is needed", unsupported[i]);
    }
    return true;
}

static bool read_context(struct reading *reading)
{
    const char *name = text_at(reading, reading->root, "current-context");
    if (name[0] == '\0')
        return refuse(reading->error, "it has no current-context");
    const json_t *context = find_part(reading, "contexts", "context", name);
    if (context == NULL)
        return false;
    const char *namespace_ = text_at(reading, context, "namespace");
    reading->config->namespace_ = namespace_[0] != '\0' ? namespace_ : "default";
    const json_t *cluster = find_part(reading, "clusters", "cluster", text_at(reading, context, "cluster"));
    const json_t *user =
        cluster != NULL ? find_part(reading, "users", "user", text_at(reading, context, "user")) : NULL;
    return user != NULL && read_cluster(reading, cluster) && read_user(reading, user);
}

static bool take_document(json_t *document, size_t line, void *context)
{
    struct reading *reading = context;
    (void)line;
    reading->root = json_incref(document);
    return false;
}

bool kubeconfig_parse(struct bytes text, struct arena *arena, struct kubeconfig *ret_config,
                      char error[KUBECONFIG_ERROR_SIZE])
{
    char syntax_error[200] = "";
    struct reading reading = {.arena = arena, .config = ret_config, .error = error};
    *ret_config = (struct kubeconfig){.host = "",
                                      .port = "",
                                      .path = "",
                                      .authority_file = "",
                                      .token = "",
                                      .token_file = "",
                                      .namespace_ = "default"};
    bool is_read = yaml_parse(text, take_document, &reading, syntax_error) == 0 || reading.root != NULL;
    bool is_good = false;
    if (!is_read)
        refuse(error, "%s", syntax_error);
    else if (!json_is_object(reading.root))
        refuse(error, "it holds no configuration");
    else
        is_good = read_context(&reading);
    json_decref(reading.root);
    return is_good;
}

/* ---- files ---- */

static bool read_file(const char *path, struct arena *arena, struct bytes *ret_text, char *error)
{
    struct buffer text = {0};
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return refuse(error, "%.200s: %s", path, strerror(errno));
    size_t count = 1;
    while (count > 0 && buffer_len(&text) <= FILE_MAX_BYTES) {
        count = fread(buffer_reserve(&text, 4096), 1, 4096, file);
        buffer_commit(&text, count);
    }
    bool is_good = ferror(file) == 0 && buffer_len(&text) <= FILE_MAX_BYTES;
    fclose(file);
    *ret_text = arena_copy(arena, buffer_bytes(&text));
    buffer_deinit(&text);
    return is_good || refuse(error, "%.200s: cannot be read, or is longer than 1 MiB", path);
}

/* As seen from the configuration's folder. */
static const char *beside(const char *path, const char *name, struct arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (name[0] == '/' || slash == NULL)
        return name;
    return arena_printf(arena, "%.*s/%s", (int)(slash - path), path, name);
}

bool kubeconfig_read(const char *path, struct arena *arena, struct kubeconfig *ret_config,
                     char error[KUBECONFIG_ERROR_SIZE])
{
    struct bytes text = BYTES("");
    char why[KUBECONFIG_ERROR_SIZE] = "";
    if (!read_file(path, arena, &text, error))
        return false;
    if (!kubeconfig_parse(text, arena, ret_config, why))
        return refuse(error, "%.150s: %.200s", path, why);
    if (ret_config->authority_file[0] != '\0' &&
        !read_file(beside(path, ret_config->authority_file, arena), arena, &ret_config->authority_pem, error))
        return false;
    if (ret_config->token_file[0] != '\0') {
        if (!read_file(beside(path, ret_config->token_file, arena), arena, &text, error))
            return false;
        size_t len = strcspn(text.data, "\r\n");
        ret_config->token = arena_strndup(arena, bytes_make(text.data, len));
    }
    size_t len = strlen(ret_config->token);
    for (size_t i = 0; i < len; i++) {
        if (ret_config->token[i] <= ' ' || ret_config->token[i] > '~')
            return refuse(error, "%.200s: the token has characters that no token has", path);
    }
    return true;
}

const char *kubeconfig_default_path(struct arena *arena)
{
    const char *paths = getenv("KUBECONFIG");
    if (paths == NULL || strcspn(paths, ":") == 0)
        return "./serin-data/kubeconfig";
    return arena_strndup(arena, bytes_make(paths, strcspn(paths, ":")));
}
