/* SPDX-License-Identifier: Apache-2.0 */
/* canary_pin.c: a key of a Secret, in either of its two forms. */
#include "kube/api/canary_pin.h"

#include "base/base64.h"

static bool read_token(const json_t *secret, const char *key, struct arena *arena, struct bytes *ret_token)
{
    const char *encoded = json_string_value(json_object_get(json_object_get(secret, "data"), key));
    const char *plain = json_string_value(json_object_get(json_object_get(secret, "stringData"), key));
    struct bytes token = bytes_of(plain);
    if (plain == NULL && (encoded == NULL || !base64_decode(bytes_of(encoded), arena, &token)))
        return false;
    /* Files end in a line feed, which no header can hold. */
    while (token.len > 0 && (token.data[token.len - 1] == '\n' || token.data[token.len - 1] == '\r'))
        token.len--;
    *ret_token = arena_copy(arena, token);
    return token.len > 0;
}

const char *canary_pin_read(const struct kube_object *canary, const json_t *secret, struct arena *arena,
                            struct bytes *ret_token)
{
    const struct canary_pin *pin = &((const struct canary_spec *)canary->spec)->pin;
    if (secret == NULL)
        return arena_printf(arena, "Secret %s/%s does not exist", canary->namespace_, pin->secret_name);
    if (!read_token(secret, pin->secret_key, arena, ret_token))
        return arena_printf(arena, "Secret %s/%s has nothing under the key %s", canary->namespace_, pin->secret_name,
                            pin->secret_key);
    return NULL;
}
