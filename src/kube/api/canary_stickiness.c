/* SPDX-License-Identifier: Apache-2.0 */
/* canary_stickiness.c: what makes requests belong together, from a Canary's spec or from an annotation's words. */
#include "kube/api/canary_internal.h"

#include <string.h>

enum { NAME_MAX_LEN = 128, SALT_MAX = 256 };

static const struct text_syntax salt_syntax = {.max_len = SALT_MAX};
static const struct text_syntax secret_key_syntax = {.max_len = 253};

static void decode_pin(struct field *object, struct canary_pin *pin)
{
    struct field field = decode_object(object, "pin", OPTIONAL);
    pin->header = field.value != NULL ? decode_text_or(&field, "header", &syntax_header_name, "x-serin-pin") : "";
    struct field secret = decode_object(&field, "secretRef", REQUIRED);
    pin->secret_name = decode_text(&secret, "name", REQUIRED, &syntax_reference_name);
    pin->secret_key = decode_text_or(&secret, "key", &secret_key_syntax, "token");
    decode_end(&secret);
    decode_end(&field);
}

void canary_decode_stickiness(struct field *spec, struct canary_spec *canary, const struct kube_object *object)
{
    struct canary_stickiness *stickiness = &canary->stickiness;
    struct field field = decode_object(spec, "stickiness", OPTIONAL);
    stickiness->header = decode_text_or(&field, "header", &syntax_header_name, "");
    stickiness->cookie = decode_text_or(&field, "cookie", &syntax_header_name, "");
    stickiness->default_keys = decode_bool(&field, "defaultKeys", true);
    stickiness->user = decode_bool(&field, "user", false);
    stickiness->api_key = decode_bool(&field, "apiKey", false);
    stickiness->derived_key = decode_bool(&field, "derivedKey", false);
    stickiness->new_conversations_only = decode_bool(&field, "newConversationsOnly", false);
    canary->salt = decode_text_or(&field, "salt", &salt_syntax, "");
    if (canary->salt[0] == '\0')
        canary->salt = arena_printf(object->arena, "%s/%s", object->namespace_, object->name);
    decode_pin(&field, &canary->pin);
    decode_end(&field);
}

/* ---- the annotation ---- */

/* Words without a value, and what they set. */
static bool *flag_of(struct bytes word, struct canary_stickiness *stickiness, bool *ret_value)
{
    const struct {
        const char *word;
        bool *flag;
        bool value;
    } flags[] = {
        {"user", &stickiness->user, true},
        {"api-key", &stickiness->api_key, true},
        {"derived-key", &stickiness->derived_key, true},
        {"new-conversations", &stickiness->new_conversations_only, true},
        {"no-default-keys", &stickiness->default_keys, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (bytes_equal_str(word, flags[i].word)) {
            *ret_value = flags[i].value;
            return flags[i].flag;
        }
    }
    return NULL;
}

static const char *parse_word(struct bytes word, struct arena *arena, struct canary_stickiness *stickiness)
{
    static const char header[] = "header=", cookie[] = "cookie=";
    bool value;
    bool *flag = flag_of(word, stickiness, &value);
    if (flag != NULL) {
        *flag = value;
        return NULL;
    }
    bool is_header = word.len >= strlen(header) && memcmp(word.data, header, strlen(header)) == 0;
    bool is_cookie = word.len >= strlen(cookie) && memcmp(word.data, cookie, strlen(cookie)) == 0;
    if (!is_header && !is_cookie)
        return arena_printf(arena, "unknown word \"%s\"", decode_shown_name(arena, arena_strndup(arena, word)));
    const char *name = arena_strndup(arena, bytes_skip(word, strlen(header))); /* both are as long */
    size_t max_len = 0;
    if (strlen(name) > NAME_MAX_LEN || syntax_complaint(&syntax_header_name, bytes_of(name), &max_len) != NULL)
        return arena_printf(arena, "%s= needs a %s name", is_header ? "header" : "cookie",
                            is_header ? "header" : "cookie");
    if (is_header)
        stickiness->header = name;
    else
        stickiness->cookie = name;
    return NULL;
}

static struct bytes trim(struct bytes word)
{
    while (word.len > 0 && word.data[0] == ' ')
        word = bytes_skip(word, 1);
    while (word.len > 0 && word.data[word.len - 1] == ' ')
        word.len--;
    return word;
}

const char *canary_stickiness_parse(const char *text, struct arena *arena, struct canary_stickiness *ret_stickiness)
{
    *ret_stickiness = (struct canary_stickiness){.header = "", .cookie = "", .default_keys = true};
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, ",");
        struct bytes word = trim(bytes_make(at, len));
        const char *wrong = word.len > 0 ? parse_word(word, arena, ret_stickiness) : NULL;
        if (wrong != NULL)
            return wrong;
        at += len + (at[len] == ',');
    }
    return NULL;
}
