/* SPDX-License-Identifier: Apache-2.0 */
/* response_store.c: a ring.  Only requests that go on with something search it. */
#include "sim/response_store.h"

#include <stdio.h>

void response_id_text(uint64_t id, char text[RESPONSE_ID_SIZE])
{
    snprintf(text, RESPONSE_ID_SIZE, "resp_%016llx", (unsigned long long)id);
}

void response_store_add(struct response_store *store, uint64_t id, uint64_t tokens)
{
    store->stored[store->next] = (struct stored_response){id, tokens};
    store->next = (store->next + 1) % RESPONSE_STORE_MAX;
}

bool response_store_find(const struct response_store *store, struct bytes id_text, uint64_t *ret_tokens)
{
    for (unsigned i = 0; i < RESPONSE_STORE_MAX; i++) {
        char text[RESPONSE_ID_SIZE];
        if (store->stored[i].id == 0)
            continue;
        response_id_text(store->stored[i].id, text);
        if (!bytes_equal_str(id_text, text))
            continue;
        *ret_tokens = store->stored[i].tokens;
        return true;
    }
    return false;
}
