/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: tokens by index.  Filler sentences all have the same number of tokens, so that an index says which sentence
 * and which word in it without knowing what came before.  Pure. */
#include "sim/text.h"

#include "base/buffer.h"
#include "base/json_write.h"

#define SENTENCE_TOKENS 8

#define W(word)                                                                                                        \
    {                                                                                                                  \
        {word, sizeof(word) - 1},                                                                                      \
        {                                                                                                              \
            word, sizeof(word) - 1                                                                                     \
        }                                                                                                              \
    }
/* clang-format off */
static const struct text_piece filler[][SENTENCE_TOKENS] = {
    {W(" No"), W(" weights"), W(" were"), W(" harmed"), W(" in"), W(" making"), W(" this"), W(" answer.")},
    {W(" These"), W(" words"), W(" only"), W(" fill"), W(" the"), W(" space"), W(" you"), W(" asked.")},
    {W(" A"), W(" real"), W(" model"), W(" would"), W(" say"), W(" something"), W(" useful"), W(" here.")},
    {W(" Tokens"), W(" arrive"), W(" one"), W(" by"), W(" one,"), W(" at"), W(" regular"), W(" times.")},
    {W(" Please"), W(" judge"), W(" the"), W(" timing,"), W(" not"), W(" the"), W(" meaning,"), W(" today.")},
    {W(" Rivers"), W(" run,"), W(" queues"), W(" grow,"), W(" and"), W(" slots"), W(" come"), W(" free.")},
    {W(" Every"), W(" stream"), W(" has"), W(" a"), W(" beginning,"), W(" middle,"), W(" and"), W(" end.")},
    {W(" The"), W(" quiet"), W(" machine"), W(" counts"), W(" its"), W(" words"), W(" with"), W(" care.")},
};
/* clang-format on */
#undef W

void text_voice_init(struct text_voice *voice, struct arena *arena, struct bytes sentence)
{
    struct buffer escaped = {0};
    unsigned words = 1;
    for (size_t i = 0; i < sentence.len; i++)
        words += sentence.data[i] == ' ';
    voice->pieces = ARENA_ARRAY(arena, struct text_piece, words);
    voice->len = 0;
    struct bytes rest = arena_copy(arena, sentence);
    while (rest.len > 0) {
        /* The space in front belongs to the word. */
        size_t end = 1 + bytes_find(bytes_skip(rest, 1), ' ');
        struct bytes word = bytes_make(rest.data, end);
        rest = bytes_skip(rest, end);
        buffer_clear(&escaped);
        jw_append_quoted(&escaped, word);
        struct bytes quoted = buffer_bytes(&escaped);
        voice->pieces[voice->len++] = (struct text_piece){
            .plain = word,
            .json = arena_copy(arena, bytes_make(quoted.data + 1, quoted.len - 2)),
        };
    }
    buffer_deinit(&escaped);
}

/* splitmix64's finisher. */
uint64_t text_mix(uint64_t hash, uint64_t value)
{
    uint64_t x = (hash ^ value) + 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t text_hash(uint64_t hash, struct bytes text)
{
    while (text.len >= 8) {
        uint64_t word;
        memcpy(&word, text.data, 8);
        hash = text_mix(hash, word);
        text = bytes_skip(text, 8);
    }
    uint64_t tail = 0;
    if (text.len > 0)
        memcpy(&tail, text.data, text.len);
    return text_mix(text_mix(hash, tail), text.len);
}

struct text_piece text_token(const struct text_voice *voice, uint64_t seed, uint64_t index)
{
    if (index < voice->len)
        return voice->pieces[index];
    uint64_t place = index - voice->len;
    uint64_t sentence = text_mix(seed, place / SENTENCE_TOKENS) % ARRAY_LEN(filler);
    return filler[sentence][place % SENTENCE_TOKENS];
}

uint64_t text_sentence_end(const struct text_voice *voice, uint64_t wanted)
{
    if (wanted <= voice->len)
        return voice->len;
    uint64_t sentences = (wanted - voice->len + SENTENCE_TOKENS - 1) / SENTENCE_TOKENS;
    return voice->len + sentences * SENTENCE_TOKENS;
}

/* Where the stop string begins, in bytes; SIZE_MAX when it is not there.  from: the first byte where it may end. */
static size_t find_stop(struct bytes text, size_t from, struct bytes stop)
{
    if (stop.len == 0 || stop.len > text.len)
        return SIZE_MAX;
    size_t start = from > stop.len ? from - stop.len : 0;
    const char *at = memmem(text.data + start, text.len - start, stop.data, stop.len);
    return at != NULL ? (size_t)(at - text.data) : SIZE_MAX;
}

bool text_cut_at_stop(const struct text_voice *voice, uint64_t seed, uint64_t min_tokens, const struct bytes *stops,
                      unsigned stop_count, uint64_t *total, size_t *ret_last_len)
{
    struct buffer text = {0};
    size_t from = 0, cut = SIZE_MAX;
    for (uint64_t i = 0; i < *total; i++) {
        if (i == min_tokens)
            from = buffer_len(&text) + 1;
        buffer_append(&text, text_token(voice, seed, i).plain);
    }
    if (min_tokens >= *total)
        from = SIZE_MAX;
    for (unsigned i = 0; i < stop_count && from != SIZE_MAX; i++) {
        size_t at = find_stop(buffer_bytes(&text), from, stops[i]);
        cut = at < cut ? at : cut;
    }
    buffer_deinit(&text);
    if (cut == SIZE_MAX)
        return false;
    uint64_t tokens = 0;
    size_t left = cut;
    *ret_last_len = 0;
    while (left > 0) {
        size_t len = text_token(voice, seed, tokens++).plain.len;
        *ret_last_len = len < left ? len : left;
        left -= *ret_last_len;
    }
    *total = tokens;
    return true;
}

uint64_t text_token_count(struct bytes text)
{
    return (text.len + 3) / 4;
}
