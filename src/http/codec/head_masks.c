/* SPDX-License-Identifier: Apache-2.0 */
/* head_masks.c: 64 bytes at a time, by AVX2 or SSE2.  Pure; reads nothing behind the data. */
#include "http/codec/head_masks.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define AVX2          __attribute__((target("avx2")))

struct block_masks {
    uint64_t controls, others, returns;
};

/* A shuffle by the lower and one by the upper four bits of a byte give a bit for each class that these may belong to;
 * what both give is the byte's class.  Bytes from 0x80 up have none. */
enum {
    CONTROL_0 = 1,  /* 0x00..0x0f but HTAB */
    CONTROL_1 = 2,  /* 0x10..0x1f */
    DELETE = 4,     /* 0x7f */
    LETTER_A = 8,   /* 0x41..0x4f, 0x61..0x6f */
    LETTER_P = 16,  /* 0x50..0x5a, 0x70..0x7a */
    DIGIT = 32,     /* 0x30..0x39 */
    DASH = 64,      /* 0x2d */
    UNDERLINE = 128 /* 0x5f */
};
#define CONTROLS (CONTROL_0 | CONTROL_1 | DELETE)
#define BOTH     (CONTROL_0 | CONTROL_1)
#define LETTERS  (LETTER_A | LETTER_P)

AVX2 ALWAYS_INLINE __m256i classes32(__m256i bytes)
{
    const __m256i by_lower = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        BOTH | LETTER_P | DIGIT, BOTH | LETTERS | DIGIT, BOTH | LETTERS | DIGIT, BOTH | LETTERS | DIGIT,
        BOTH | LETTERS | DIGIT, BOTH | LETTERS | DIGIT, BOTH | LETTERS | DIGIT, BOTH | LETTERS | DIGIT,
        BOTH | LETTERS | DIGIT, CONTROL_1 | LETTERS | DIGIT, BOTH | LETTERS, BOTH | LETTER_A, BOTH | LETTER_A,
        BOTH | LETTER_A | DASH, BOTH | LETTER_A, (char)(BOTH | LETTER_A | DELETE | UNDERLINE)));
    const __m256i by_upper = _mm256_broadcastsi128_si256(_mm_setr_epi8(CONTROL_0, CONTROL_1, DASH, DIGIT, LETTER_A,
                                                                       (char)(LETTER_P | UNDERLINE), LETTER_A,
                                                                       LETTER_P | DELETE, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0f));
    return _mm256_and_si256(_mm256_shuffle_epi8(by_lower, _mm256_and_si256(bytes, _mm256_set1_epi8(0x0f))),
                            _mm256_shuffle_epi8(by_upper, upper));
}

/* A bit for each byte that has none of these bits. */
AVX2 ALWAYS_INLINE uint32_t lacking32(__m256i classes, int bits)
{
    __m256i found = _mm256_and_si256(classes, _mm256_set1_epi8((char)bits));
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256()));
}

ALWAYS_INLINE uint64_t both(uint32_t low, uint32_t high)
{
    return low | (uint64_t)high << 32;
}

AVX2 ALWAYS_INLINE uint32_t returns32(__m256i bytes)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\r')));
}

AVX2 static inline struct block_masks masks64_avx2(const char *at)
{
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(at + 32));
    __m256i low_classes = classes32(low), high_classes = classes32(high);
    return (struct block_masks){
        .controls = ~both(lacking32(low_classes, CONTROLS), lacking32(high_classes, CONTROLS)),
        .others = both(lacking32(low_classes, ~CONTROLS & 0xff), lacking32(high_classes, ~CONTROLS & 0xff)),
        .returns = both(returns32(low), returns32(high)),
    };
}

/* Between two bytes, without them.  Signed: bytes from 0x80 up are below every bound. */
ALWAYS_INLINE __m128i between16(__m128i bytes, char below, char above)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8(below)), _mm_cmplt_epi8(bytes, _mm_set1_epi8(above)));
}

ALWAYS_INLINE __m128i equal16(__m128i bytes, char c)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

static inline struct block_masks masks64_sse2(const char *at)
{
    struct block_masks masks = {0};
    for (unsigned part = 0; part < 4; part++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + part * 16));
        __m128i controls = _mm_andnot_si128(equal16(bytes, '\t'), between16(bytes, -1, ' '));
        controls = _mm_or_si128(controls, equal16(bytes, 0x7f));
        __m128i known = between16(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a' - 1, 'z' + 1);
        known = _mm_or_si128(known, between16(bytes, '0' - 1, '9' + 1));
        known = _mm_or_si128(known, _mm_or_si128(equal16(bytes, '-'), equal16(bytes, '_')));
        masks.controls |= (uint64_t)(unsigned)_mm_movemask_epi8(controls) << (part * 16);
        masks.others |= (uint64_t)((unsigned)_mm_movemask_epi8(known) ^ 0xffff) << (part * 16);
        masks.returns |= (uint64_t)(unsigned)_mm_movemask_epi8(equal16(bytes, '\r')) << (part * 16);
    }
    return masks;
}

/* Of the CRs of a block that stand two bytes behind another, the first that ends CR LF CR LF: the bytes of the head; 0
 * when there is none. */
ALWAYS_INLINE size_t find_end(const char *data, size_t len, size_t block, uint64_t candidates)
{
    for (; candidates != 0; candidates &= candidates - 1) {
        size_t at = block + (unsigned)__builtin_ctzll(candidates);
        if (at + 1 < len && data[at - 1] == '\n' && data[at + 1] == '\n')
            return at + 2;
    }
    return 0;
}

typedef struct block_masks (*masks64_fn)(const char *at);

/* masks64: a constant in each place from where this is called. */
ALWAYS_INLINE void make(const char *data, size_t len, struct head_masks *ret_masks, masks64_fn masks64)
{
    uint64_t before = 0; /* the CRs of the block before this one */
    unsigned returns = 0;
    ret_masks->head_bytes = 0;
    for (size_t at = 0; at < len && at < HEAD_MASKS_BYTES; at += 64) {
        char last[64];
        const char *block = data + at;
        if (len - at < 64) {
            memset(last, 0, sizeof last);
            block = memcpy(last, block, len - at);
        }
        struct block_masks masks = masks64(block);
        ret_masks->controls[at / 64] = masks.controls;
        ret_masks->others[at / 64] = masks.others;
        size_t end = find_end(data, len, at, masks.returns & (masks.returns << 2 | before >> 62));
        if (end > 0) {
            uint64_t behind = end - at < 64 ? ~0ull << (end - at) : 0; /* an end may lie in the next block */
            ret_masks->returns = returns + (unsigned)__builtin_popcountll(masks.returns & ~behind);
            ret_masks->head_bytes = end;
            return;
        }
        returns += (unsigned)__builtin_popcountll(masks.returns);
        before = masks.returns;
    }
}

AVX2 void head_masks_make_avx2(const char *data, size_t len, struct head_masks *ret_masks)
{
    make(data, len, ret_masks, masks64_avx2);
}

void head_masks_make_sse2(const char *data, size_t len, struct head_masks *ret_masks)
{
    make(data, len, ret_masks, masks64_sse2);
}

void head_masks_make(const char *data, size_t len, struct head_masks *ret_masks)
{
    if (__builtin_cpu_supports("avx2"))
        head_masks_make_avx2(data, len, ret_masks);
    else
        head_masks_make_sse2(data, len, ret_masks);
}
#else
void head_masks_make(const char *data, size_t len, struct head_masks *ret_masks)
{
    (void)data, (void)len;
    ret_masks->head_bytes = 0; /* line by line */
}
#endif
