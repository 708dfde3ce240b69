/* SPDX-License-Identifier: Apache-2.0 */
/* text.h: the words of a simulated answer: who is speaking, then filler sentences chosen by a seed.
 *
 * Any token can be had by its index, so no answer is ever stored.  Pure. */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdint.h>

#include "base/arena.h"

struct text_piece {
    struct bytes plain;
    struct bytes json; /* escaped, without quotes */
};

/* What a model says of itself: the first tokens of its answers. */
struct text_voice {
    struct text_piece *pieces;
    unsigned len;
};

/* Splits the sentence into tokens (words with the space before them); all memory from the arena. */
void text_voice_init(struct text_voice *voice, struct arena *arena, struct bytes sentence);
/* The token at the index; the same for the same voice, seed and index. */
struct text_piece text_token(const struct text_voice *voice, uint64_t seed, uint64_t index);
/* The least number of tokens, at least wanted, after which a sentence ends. */
uint64_t text_sentence_end(const struct text_voice *voice, uint64_t wanted);
/* Looks for the earliest stop string that ends after min_tokens tokens of an answer of *total tokens.  If there is one,
 * cuts: *total tokens are left, the last of them only *ret_last_len bytes long. */
bool text_cut_at_stop(const struct text_voice *voice, uint64_t seed, uint64_t min_tokens, const struct bytes *stops,
                      unsigned stop_count, uint64_t *total, size_t *ret_last_len);
/* About how many tokens a model makes of so much text: one for four bytes. */
uint64_t text_token_count(struct bytes text);
/* Mixes a value into a hash; for seeds. */
uint64_t text_mix(uint64_t hash, uint64_t value);
uint64_t text_hash(uint64_t hash, struct bytes text);

#endif
