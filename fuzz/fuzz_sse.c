/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the last whole event is the same in one piece, in two, and by the plainest search. */
/* uses: http_codec */
#include <stdint.h>
#include <stdlib.h>

#include "http/codec/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t plain_search(struct bytes stream)
{
    size_t whole = 0;
    for (size_t i = 1; i < stream.len; i++) {
        bool is_lf = stream.data[i] == '\n';
        bool after_lf = stream.data[i - 1] == '\n';
        bool after_lf_cr = i >= 2 && stream.data[i - 1] == '\r' && stream.data[i - 2] == '\n';
        if (is_lf && (after_lf || after_lf_cr))
            whole = i + 1;
    }
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes stream = bytes_make((const char *)data + 1, size - 1);
    size_t cut = stream.len > 0 ? data[0] % (stream.len + 1) : 0;
    struct sse_tail tail = {0};
    struct bytes first = bytes_make(stream.data, cut), second = bytes_skip(stream, cut);
    size_t whole = sse_whole_events(&tail, first);
    sse_tail_move(&tail, first);
    size_t more = sse_whole_events(&tail, second);
    struct sse_tail none = {0};
    size_t expected = plain_search(stream);
    if (sse_whole_events(&none, stream) != expected || (more > 0 ? cut + more : whole) != expected)
        abort();
    return 0;
}
