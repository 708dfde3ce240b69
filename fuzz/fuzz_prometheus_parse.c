/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_prometheus_parse.c: any bytes as a metrics page.  What is handed out lies inside the page, in order, and is read
 * again as the same sample when it is written as a line of its own. */
/* uses: observe */
#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "observe/prometheus_parse.h"
#include "observe/prometheus_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_inside(struct bytes part, struct bytes whole)
{
    check(part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check_rewritten(const struct prometheus_sample *sample)
{
    struct buffer line = {0};
    buffer_append(&line, sample->name);
    prometheus_write_double(&line, "", sample->labels, sample->value);
    struct prometheus_sample again;
    size_t cursor = 0;
    check(prometheus_next(buffer_bytes(&line), &cursor, &again));
    check(cursor == buffer_len(&line));
    check(bytes_equal(again.name, sample->name) && bytes_equal(again.labels, sample->labels));
    check(again.value == sample->value || (again.value != again.value && sample->value != sample->value));
    buffer_deinit(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_make(size > 0 ? (const char *)data : "", size);
    struct prometheus_sample sample;
    size_t cursor = 0, before = 0;
    while (prometheus_next(text, &cursor, &sample)) {
        check(cursor > before && cursor <= size);
        before = cursor;
        check_inside(sample.name, text);
        check_inside(sample.labels, text);
        check_rewritten(&sample);
        char value[16];
        if (prometheus_label(sample.labels, "le", value, sizeof(value)))
            check(memchr(value, '\0', sizeof(value)) != NULL);
    }
    return 0;
}
