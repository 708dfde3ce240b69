/* SPDX-License-Identifier: Apache-2.0 */
/* session_key.c: the default key chain. */
#include "proxy/session_key.h"

static const enum http_field_id chain[] = {
    HTTP_FIELD_X_CLAUDE_CODE_SESSION_ID, HTTP_FIELD_SESSION_ID_DASH, HTTP_FIELD_SESSION_ID, HTTP_FIELD_X_SESSION_ID,
    HTTP_FIELD_X_SESSION_AFFINITY,
};

struct bytes session_key(const struct http_fields *fields, const struct openai_scan *scan)
{
    for (unsigned i = 0; i < ARRAY_LEN(chain); i++) {
        const struct http_field *field = http_fields_find(fields, chain[i]);
        /* Cut as the scanner cuts keys: the same key counts the same in a header and in the body. */
        if (field != NULL && field->value.len > 0)
            return bytes_make(field->value.data, field->value.len < SCAN_KEY_BYTES ? field->value.len : SCAN_KEY_BYTES);
    }
    return openai_scan_session_key(scan);
}
