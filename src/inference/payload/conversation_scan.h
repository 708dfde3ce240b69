/* SPDX-License-Identifier: Apache-2.0 */
/* conversation_scan.h: recognises a conversation by what was said in it, while openai_scan reads the request body.
 *
 * Reads "messages" (OpenAI and Anthropic) or "input" (Responses): of each message its role, its text (a string or text
 * parts) and the ids of its tool calls.  Messages that the assistant sent in a row are one, as they were one answer.
 * Not counted: system and developer messages (clients put the time of day into them), reasoning, images, and everything
 * else that clients change between two turns.
 *
 * Pure.  Two conversations of the same words have the same hash: nobody could tell them apart. */
#ifndef INFERENCE_PAYLOAD_CONVERSATION_SCAN_H
#define INFERENCE_PAYLOAD_CONVERSATION_SCAN_H

#include "inference/payload/reply_hash.h"

/* Ids of tool calls, roles and types are cut there; answers cut ids at the same length. */
#define CONVERSATION_WORD_BYTES 64

struct conversation_scan {
    /* Results, right once the body was read.  A hash covers the messages from the first one on. */
    bool has_opening;      /* a user message before the first one of the assistant */
    bool has_reply;        /* a message of the assistant: not the first turn */
    uint64_t opening_hash; /* of those user messages alone; 0 when none */
    uint64_t first_hash;   /* up to the assistant's first message, included */
    uint64_t last_hash;    /* up to the assistant's last message, included */
    uint64_t hash;         /* of all messages */

    /* The automaton. */
    unsigned item_member; /* of the message being read */
    unsigned part_member; /* of the part of content or tool_calls being read */
    unsigned role;
    unsigned item_type;
    unsigned part_type;
    bool item_has_text;
    bool run_has_text;
    bool is_in_run; /* the assistant's messages so far in a row */
    unsigned call_id_len, part_id_len;
    char call_id[CONVERSATION_WORD_BYTES];
    char part_id[CONVERSATION_WORD_BYTES];
    struct reply_hash item;
    struct reply_hash run;
};

void conversation_scan_init(struct conversation_scan *scan);
/* The hash under which the next turn is looked for: all messages and the reply to them. */
uint64_t conversation_next_hash(const struct conversation_scan *scan, uint64_t reply_hash);

/* What openai_scan tells, in document order.  Levels: 1 the member's value, 3 a message, 5 a part of its content or one
 * of its tool calls. */
enum conversation_use { CONVERSATION_SKIP, CONVERSATION_WORD, CONVERSATION_TEXT };
void conversation_begin(struct conversation_scan *scan); /* a member "messages" or "input"; the last one counts */
void conversation_key(struct conversation_scan *scan, unsigned level, struct bytes name);
/* What a string that begins now is for. */
enum conversation_use conversation_use(const struct conversation_scan *scan, unsigned level);
void conversation_text(struct conversation_scan *scan, struct bytes piece);
void conversation_word(struct conversation_scan *scan, unsigned level, struct bytes word);
/* A value ended: level 4 after a part, level 2 after a message, level 1 after the member. */
void conversation_end(struct conversation_scan *scan, unsigned level);

#endif
