/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h: the small declarative layer in which each kind's decoder reads as the list of its fields.
 *
 * A struct field is a place in the tree on the stack of whoever decodes it; the chain of parents is the dotted path of
 * a problem.  Every decode_...() marks the name as known, reports what is wrong with it and answers with a usable value
 * in any case (a default, "", 0), so that one pass finds all problems.  Nothing is reported below a field that is
 * absent or was of the wrong type.  Texts are borrowed from the tree.  Explicit null counts as absent.  Internal to
 * kube/api. */
#ifndef KUBE_API_DECODE_H
#define KUBE_API_DECODE_H

#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "kube/api/object.h"
#include "kube/api/syntax.h"

#define FIELD_KNOWN_MAX 48

/* What is common to one decoding of one object. */
struct decoder {
    struct arena *arena;
    struct problems *problems;
    bool is_strict; /* unknown fields are problems */
};

struct field {
    struct decoder *decoder;
    const struct field *parent; /* NULL: the object itself */
    const char *name;           /* in its parent; NULL for an item of a list */
    size_t index;               /* in its list */
    json_t *value;              /* borrowed; NULL when absent or of the wrong type */
    size_t len;                 /* of a list: how many items to decode */
    const char *known[FIELD_KNOWN_MAX];
    unsigned known_count;
};

enum presence { OPTIONAL, REQUIRED };

struct field decode_root(struct decoder *decoder, json_t *tree);

/* Reports about the field itself, or about `name` in it when that is not NULL. */
void field_problem(const struct field *field, const char *name, const char *reason, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Given and not null; says nothing about the type.  Marks the name as known. */
bool field_has(struct field *parent, const char *name);

struct field decode_object(struct field *parent, const char *name, enum presence presence);
/* min..max items; of a list that is too long the first max are decoded. */
struct field decode_list(struct field *parent, const char *name, enum presence presence, size_t min, size_t max);
/* Item `index` (< list->len) as an object. */
struct field decode_item(const struct field *list, size_t index);
/* Reports fields that no call asked for; for strict kinds only.  The last call on each object. */
void decode_end(const struct field *object);

const char *decode_text(struct field *parent, const char *name, enum presence presence,
                        const struct text_syntax *syntax);
/* Optional, with a default. */
const char *decode_text_or(struct field *parent, const char *name, const struct text_syntax *syntax,
                           const char *fallback);
/* Optional list of texts: NULL-ended, never NULL. */
const char **decode_texts(struct field *parent, const char *name, size_t max, const struct text_syntax *syntax,
                          unsigned *ret_count);
int64_t decode_int(struct field *parent, const char *name, enum presence presence, int64_t min, int64_t max,
                   int64_t fallback);
/* An integer or a fraction. */
double decode_number(struct field *parent, const char *name, enum presence presence, double min, double max,
                     double fallback);
/* 1..65535; 0 when absent. */
uint16_t decode_port(struct field *parent, const char *name, enum presence presence);
/* A number 1..65535 or a port name; the one that it is not becomes 0 or "".  False when absent or wrong. */
bool decode_port_or_name(struct field *parent, const char *name, enum presence presence, uint16_t *ret_port,
                         const char **ret_name);
bool decode_bool(struct field *parent, const char *name, bool fallback);
/* Position in names (NULL-ended), fallback when absent or wrong. */
int decode_enum(struct field *parent, const char *name, enum presence presence, const char *const *names, int fallback);
/* GEP-2257.  False when absent or wrong; the output is then 0. */
bool decode_duration(struct field *parent, const char *name, uint64_t *ret_ms);
/* RFC 3339, as Kubernetes writes times; 0 when absent. */
uint64_t decode_time(struct field *parent, const char *name);
/* A map of label keys to label values with min..max entries, sorted. */
struct kube_labels decode_labels(struct field *parent, const char *name, enum presence presence, size_t min,
                                 size_t max);
/* The same with values of any text. */
struct kube_labels decode_annotations(struct field *parent, const char *name);
/* matchLabels and matchExpressions. */
struct label_selector decode_selector(struct field *parent, const char *name, enum presence presence);

/* False and a problem when text, which the field or `name` in it holds, does not obey the syntax. */
bool decode_check_text(const struct field *field, const char *name, struct bytes text,
                       const struct text_syntax *syntax);
/* A user's name as shown on a terminal: of bounded length, without control characters. */
const char *decode_shown_name(struct arena *arena, const char *name);

/* Fields that are kept in the tree without a look inside; NULL-ended. */
void decode_kept(struct field *parent, const char *const *names);
/* Fields that the kind has and that are not built: reported when given, never ignored in silence; NULL-ended. */
void decode_unsupported(struct field *parent, const char *const *names);

#endif
