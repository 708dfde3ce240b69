/* SPDX-License-Identifier: Apache-2.0 */
/* models.h: what a simulated server serves: its model under one or more names, and LoRA adapters.
 *
 * An adapter that is unloaded while sequences use it lives on, nameless, until the last is done. */
#ifndef SIM_MODELS_H
#define SIM_MODELS_H

#include "base/arena.h"
#include "base/json_write.h"
#include "base/list.h"
#include "sim/engine.h"
#include "sim/text.h"

struct models;

struct model {
    struct bytes name;
    struct bytes root; /* the path it came from */
    bool is_adapter;
    struct adapter_use use; /* adapters only */
    struct text_voice voice;
    struct bytes name_json; /* with quotes */

    struct arena *arena; /* models.c's: holds the strings above */
    struct list link;
    unsigned users;
    bool is_unloaded;
};

enum models_outcome { MODELS_OK, MODELS_TAKEN, MODELS_UNKNOWN, MODELS_FULL };

/* path: "/models/Qwen-2.5-7B-Instruct", whose last part is what the answers call themselves.  names: what it is served
 * as, at least one. */
struct models *models_new(struct bytes path, const struct bytes *names, unsigned name_count);
/* Accepts NULL; no model may be in use. */
void models_free(struct models *models);

enum models_outcome models_load_adapter(struct models *models, struct bytes name, struct bytes path);
enum models_outcome models_unload_adapter(struct models *models, struct bytes name);
/* The empty name is the first served one; NULL when there is none such. */
struct model *models_find(struct models *models, struct bytes name);
struct model *models_first(struct models *models);
void models_take(struct model *model);
void models_give_back(struct model *model);

/* The answer to GET /v1/models. */
void models_write(const struct models *models, struct json_writer *json, uint64_t created_s, uint64_t max_model_len);
/* Names of the adapters that sequences run with, or wait for, joined by commas. */
void models_write_running(const struct models *models, struct buffer *out);
void models_write_waiting(const struct models *models, struct buffer *out);

#endif
