/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml.c: any bytes as YAML.  What is delivered must be writable as JSON and, read again, be the same tree. */
/* uses: base */
#include <stdint.h>
#include <stdlib.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check_document(json_t *document, size_t line, void *context)
{
    (void)context;
    char *text = json_dumps(document, JSON_ENCODE_ANY);
    if (line == 0 || text == NULL)
        abort();
    json_t *again = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (again == NULL || !json_equal(again, document))
        abort();
    json_decref(again);
    free(text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[200] = "";
    int result = yaml_parse(bytes_make((const char *)data, size), check_document, NULL, error);
    if ((result != 0) != bytes_starts_with(bytes_of(error), BYTES("line ")))
        abort();
    return 0;
}
