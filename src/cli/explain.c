/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c: `serin explain`: what would happen to a request; it is sent nowhere.
 *
 * From the manifests alone (-f), or by asking a running gateway (--admin), which knows the endpoints too. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/loaded.h"
#include "cli/options.h"
#include "http/codec/fields.h"
#include "http/codec/url.h"
#include "inference/prompt_prefix.h"
#include "route/explain.h"

struct explain_options {
    struct option_files files;
    struct address admin; /* len 0: from the files */
    const char *path;
    const char *host;
    const char *method;
    const char *body;
    struct http_fields fields;
    struct arena *arena;
};

static const char *take_admin(void *context, const char *value)
{
    struct explain_options *options = context;
    return address_parse(&options->admin, bytes_of(value)) ? NULL : "must be IP:PORT, as 127.0.0.1:6474";
}

static const char *take_path(void *context, const char *value)
{
    ((struct explain_options *)context)->path = value;
    return value[0] == '/' ? NULL : "must start with /";
}

static const char *take_host(void *context, const char *value)
{
    ((struct explain_options *)context)->host = value;
    return NULL;
}

static const char *take_method(void *context, const char *value)
{
    ((struct explain_options *)context)->method = value;
    return NULL;
}

static const char *take_header(void *context, const char *value)
{
    struct explain_options *options = context;
    size_t colon = bytes_find(bytes_of(value), ':');
    if (colon == 0 || value[colon] != ':')
        return "must be NAME:VALUE";
    http_fields_add(&options->fields, options->arena, bytes_make(value, colon),
                    bytes_trim(bytes_of(value + colon + 1)));
    return NULL;
}

static const char *take_body(void *context, const char *value)
{
    ((struct explain_options *)context)->body = value;
    return NULL;
}

static const struct option_spec specs[] = {
    {"--file", "-f", "FILE|DIR|-", "manifests; may be given several times", option_take_file},
    {"--admin", NULL, "IP:PORT", "ask a running gateway instead, with its endpoints' scores", take_admin},
    {"--path", NULL, "P", "path of the request, with its query", take_path},
    {"--host", NULL, "H", "its Host (none: a host that only catch-all listeners take)", take_host},
    {"--method", NULL, "M", "its method (POST with a body, else GET)", take_method},
    {"--header", NULL, "K:V", "a header; may be given several times", take_header},
    {"--body", NULL, "FILE", "its JSON body: the model and session key are read from it", take_body},
};

static bool read_body(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return false;
    size_t got;
    while ((got = fread(buffer_reserve(out, 65536), 1, 65536, file)) > 0)
        buffer_commit(out, got);
    bool is_good = ferror(file) == 0;
    fclose(file);
    return is_good;
}

static bool find_header(void *context, struct bytes name, struct bytes *ret_value)
{
    const struct explain_options *options = context;
    return http_fields_joined(&options->fields, name, options->arena, ret_value);
}

/* The body as a gateway would read it. */
struct body_facts {
    struct openai_scan scan;
    struct conversation_scan conversation;
};

static int scan_body(const struct explain_options *options, struct body_facts *facts)
{
    struct buffer body = {0};
    struct openai_scan *scan = &facts->scan;
    openai_scan_init(scan);
    conversation_scan_init(&facts->conversation);
    scan->conversation = &facts->conversation;
    if (options->body == NULL)
        return EXIT_FINE;
    bool is_read = read_body(options->body, &body);
    bool is_good = is_read && openai_scan_feed(scan, buffer_bytes(&body)) && openai_scan_finish(scan);
    buffer_deinit(&body);
    if (!is_good)
        fprintf(stderr, "serin explain: --body %s: %s\n", options->body,
                is_read ? scan_error_message(scan->error) : "cannot be read");
    return is_good ? EXIT_FINE : EXIT_FAILED;
}

static struct bytes method_of(const struct explain_options *options)
{
    if (options->method != NULL)
        return bytes_of(options->method);
    return options->body != NULL ? BYTES("POST") : BYTES("GET");
}

static int explain_files(struct explain_options *options, const struct loaded *loaded, const struct body_facts *facts)
{
    struct bytes target = bytes_of(options->path);
    size_t mark = bytes_find(target, '?');
    struct route_request request = {
        .socket_id = EXPLAIN_ALL_SOCKETS,
        .host = bytes_of(options->host),
        .path = bytes_make(target.data, mark),
        .query = mark < target.len ? bytes_skip(target, mark + 1) : BYTES(""),
        .method = method_of(options),
        .header = find_header,
        .context = options,
        .arena = options->arena,
    };
    struct split_request split = {
        .model = openai_scan_model(&facts->scan),
        .facts = {.header = find_header,
                  .context = options,
                  .path = request.path,
                  .scan = &facts->scan,
                  .conversation = &facts->conversation,
                  .arena = options->arena},
    };
    struct buffer out = {0};
    bool is_taken = route_explain(loaded->snapshot, &request, &split, &out) != NULL;
    fwrite(buffer_bytes(&out).data, 1, buffer_len(&out), stdout);
    buffer_deinit(&out);
    return is_taken ? EXIT_FINE : EXIT_FAILED;
}

static int load_and_explain(struct explain_options *options, const struct body_facts *facts)
{
    struct loaded loaded;
    int exit_code = EXIT_FAILED;
    loaded_init(&loaded, options->files.paths, options->files.count);
    if (loaded.snapshot != NULL)
        exit_code = explain_files(options, &loaded, facts);
    else
        fprintf(stderr, "serin explain: %s\n", problem_text(loaded.problems.first, loaded.arena));
    loaded_deinit(&loaded);
    return exit_code;
}

static void add_parameter(struct buffer *target, const char *name, struct bytes value)
{
    if (value.len == 0)
        return;
    buffer_append_char(target, bytes_find(buffer_bytes(target), '?') < buffer_len(target) ? '&' : '?');
    buffer_append_str(target, name);
    buffer_append_char(target, '=');
    url_encode(target, value);
}

/* Hashes only: what was said stays here. */
static void add_conversation(struct buffer *target, const struct conversation_scan *said, struct arena *arena)
{
    add_parameter(target, "turns",
                  bytes_of(arena_printf(arena, "%d,%d,%llu,%llu,%llu,%llu", said->has_opening, said->has_reply,
                                        (unsigned long long)said->opening_hash, (unsigned long long)said->first_hash,
                                        (unsigned long long)said->last_hash, (unsigned long long)said->hash)));
}

static int ask_and_explain(struct explain_options *options, const struct body_facts *facts)
{
    const struct openai_scan *scan = &facts->scan;
    struct buffer target = {0}, answer = {0};
    const char *why = NULL;
    buffer_append_str(&target, "/debug/explain");
    add_parameter(&target, "path", bytes_of(options->path));
    add_parameter(&target, "host", bytes_of(options->host));
    add_parameter(&target, "method", method_of(options));
    add_parameter(&target, "model", openai_scan_model(scan));
    add_conversation(&target, &facts->conversation, options->arena);
    for (unsigned key = 0; key < SCAN_KEY_COUNT; key++)
        add_parameter(&target, scan_session_key_name((enum scan_session_key)key),
                      openai_scan_session(scan, (enum scan_session_key)key));
    add_parameter(&target, "tokens",
                  bytes_of(arena_printf(options->arena, "%llu",
                                        (unsigned long long)scan->prompt_span.len / PROMPT_BYTES_PER_TOKEN)));
    for (unsigned i = 0; i < options->fields.len; i++) {
        const struct http_field *field = &options->fields.items[i];
        add_parameter(
            &target, "header",
            bytes_of(arena_printf(options->arena, "%.*s:%.*s", BYTES_ARG(field->name), BYTES_ARG(field->value))));
    }
    int status = fetch(&options->admin, buffer_bytes(&target), &answer, &why);
    if (status < 0)
        fprintf(stderr, "serin explain: --admin: %s\n", why);
    else
        fwrite(buffer_bytes(&answer).data, 1, buffer_len(&answer), stdout);
    buffer_deinit(&target);
    buffer_deinit(&answer);
    return status == 200 ? EXIT_FINE : EXIT_FAILED;
}

static int explain(struct explain_options *options)
{
    struct body_facts *facts = ARENA_NEW(options->arena, struct body_facts);
    if (scan_body(options, facts) != EXIT_FINE)
        return EXIT_FAILED;
    return options->admin.len > 0 ? ask_and_explain(options, facts) : load_and_explain(options, facts);
}

int cli_explain(int argc, char **argv)
{
    static const char summary[] =
        "Says which listener, route and rule take a request, why the others do not, and which "
        "arms may get it.";
    static const char example[] = "serin explain -f examples/canary --path /v1/chat/completions --body request.json";
    struct explain_options options = {.host = "", .arena = arena_new(0)};
    int exit_code = EXIT_USAGE;
    enum options_result result = options_read(argc, argv, specs, ARRAY_LEN(specs), summary, example, &options);
    bool has_source = options.admin.len > 0 ? options.files.count == 0 : options.files.count > 0;
    if (result == OPTIONS_HELP)
        exit_code = EXIT_FINE;
    else if (result == OPTIONS_OK && (!has_source || options.path == NULL))
        fprintf(stderr, "serin explain: --path P and either -f FILE|DIR or --admin IP:PORT are needed; "
                        "see `serin explain --help`\n");
    else if (result == OPTIONS_OK)
        exit_code = explain(&options);
    arena_free(options.arena);
    return exit_code;
}
