/* SPDX-License-Identifier: Apache-2.0 */
/* A template's form is a user's tree: any JSON object has one, and the form of a spec that is a form is the same. */
/* uses: control_workloads */
#include <stdint.h>
#include <stdlib.h>

#include "control/workloads/template_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *spec = json_loadb((const char *)data, size, 0, NULL);
    if (spec == NULL)
        return 0;
    json_t *template = json_object();
    json_object_set_new(template, "spec", spec);
    json_t *form = template_form(template, "hash"), *again = template_form(form, "hash");
    if (!json_equal(json_object_get(form, "spec"), json_object_get(again, "spec")))
        abort();
    if (template_form_hash(form, 1) != template_form_hash(again, 1))
        abort();
    json_decref(again);
    json_decref(form);
    json_decref(template);
    return 0;
}
