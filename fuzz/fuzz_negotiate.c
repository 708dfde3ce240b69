/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_negotiate.c: any bytes as Accept and If-None-Match: an answer in any case, and never a form that was not
 * offered.
 */
/* uses: kube_apiserver */
#include <stdint.h>
#include <stdlib.h>

#include "kube/apiserver/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned offers[] = {0, OFFER_DISCOVERY, OFFER_OBJECT_FORMS, OFFER_LIST_FORMS, OFFER_WATCH_FORMS};
    struct bytes field = {(const char *)data, size};
    struct entity_tag tag = entity_tag_of(field);
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        enum answer_form form = negotiate(field, offers[i]);
        if (form != ANSWER_JSON && form != ANSWER_FORM_COUNT && (offers[i] & OFFER(form)) == 0)
            abort();
        (void)answer_content_type(form);
    }
    (void)entity_tag_matches(&tag, field);
    return 0;
}
