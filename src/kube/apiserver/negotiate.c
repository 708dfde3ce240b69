/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate.c: reads Accept and If-None-Match.  Pure; any thread.  What is malformed in them is skipped: neither field
 * can make a request fail but by naming only what we do not have. */
#include "kube/apiserver/negotiate.h"

#include <stdio.h>
#include <xxhash.h>

#include "base/compiler.h"

/* How Kubernetes spells a form: parameters of application/json. */
struct form_spelling {
    const char *as, *group, *version;
    const char *content_type;
};

/* Clients decode by the Content-Type of discovery answers; of the others only the body's kind counts. */
static const struct form_spelling spellings[ANSWER_FORM_COUNT] = {
    [ANSWER_JSON] = {"", "", "", "application/json"},
    [ANSWER_DISCOVERY_V2] = {"APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2",
                             "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"},
    [ANSWER_DISCOVERY_V2BETA1] = {"APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2beta1",
                                  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"},
    [ANSWER_TABLE] = {"Table", "meta.k8s.io", "v1", "application/json"},
    [ANSWER_METADATA] = {"PartialObjectMetadata", "meta.k8s.io", "v1", "application/json"},
    [ANSWER_METADATA_LIST] = {"PartialObjectMetadataList", "meta.k8s.io", "v1", "application/json"},
};

enum { QUALITY_ONE = 1000 };

/* One element of the field. */
struct media_range {
    struct bytes type; /* "application/json" */
    struct bytes as, group, version;
    unsigned quality; /* in thousandths */
};

/* Takes what stands before the next separator, trimmed; the rest stays in *text. */
static struct bytes take_until(struct bytes *text, char separator)
{
    size_t end = bytes_find(*text, separator);
    struct bytes taken = bytes_trim(bytes_make(text->data, end));
    *text = bytes_skip(*text, end < text->len ? end + 1 : end);
    return taken;
}

/* 1, 0, 0.5, 0.125: RFC 9110 12.4.2; anything else counts as 1. */
static unsigned parse_quality(struct bytes text)
{
    unsigned thousandths = 0;
    if (text.len < 2 || text.len > 5 || text.data[0] != '0' || text.data[1] != '.')
        return bytes_equal(text, BYTES("0")) ? 0 : QUALITY_ONE;
    for (size_t i = 2, unit = 100; i < text.len; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return QUALITY_ONE;
        thousandths += (unsigned)(text.data[i] - '0') * (unsigned)unit;
    }
    return thousandths;
}

static struct media_range parse_range(struct bytes text)
{
    struct media_range range = {.type = take_until(&text, ';'), .quality = QUALITY_ONE};
    while (text.len > 0) {
        struct bytes value = take_until(&text, ';');
        struct bytes name = take_until(&value, '=');
        if (bytes_equal(name, BYTES("as")))
            range.as = value;
        else if (bytes_equal(name, BYTES("g")))
            range.group = value;
        else if (bytes_equal(name, BYTES("v")))
            range.version = value;
        else if (bytes_equal_nocase(name, BYTES("q")))
            range.quality = parse_quality(value);
    }
    return range;
}

/* ANSWER_FORM_COUNT when it asks for what is not offered. */
static enum answer_form range_form(const struct media_range *range, unsigned offered)
{
    if (bytes_equal(range->type, BYTES("*/*")) || bytes_equal(range->type, BYTES("application/*")))
        return ANSWER_JSON;
    if (!bytes_equal_nocase(range->type, BYTES("application/json")))
        return ANSWER_FORM_COUNT;
    for (unsigned form = 0; form < ANSWER_FORM_COUNT; form++) {
        const struct form_spelling *spelling = &spellings[form];
        if (((offered | OFFER(ANSWER_JSON)) & OFFER(form)) != 0 && bytes_equal_str(range->as, spelling->as) &&
            (range->as.len == 0 ||
             (bytes_equal_str(range->group, spelling->group) && bytes_equal_str(range->version, spelling->version))))
            return (enum answer_form)form;
    }
    return ANSWER_FORM_COUNT;
}

enum answer_form negotiate(struct bytes accept, unsigned offered)
{
    enum answer_form best = ANSWER_FORM_COUNT;
    unsigned best_quality = 0;
    bool is_empty = true;
    while (accept.len > 0) {
        struct bytes element = take_until(&accept, ',');
        if (element.len == 0)
            continue;
        is_empty = false;
        struct media_range range = parse_range(element);
        enum answer_form form = range_form(&range, offered);
        if (form != ANSWER_FORM_COUNT && range.quality > best_quality) { /* of equals the first: clients order them */
            best = form;
            best_quality = range.quality;
        }
    }
    return is_empty ? ANSWER_JSON : best;
}

const char *answer_content_type(enum answer_form form)
{
    return form < ANSWER_FORM_COUNT ? spellings[form].content_type : spellings[ANSWER_JSON].content_type;
}

struct entity_tag entity_tag_of(struct bytes body)
{
    struct entity_tag tag;
    uint64_t hash = XXH3_64bits(body.len > 0 ? body.data : "", body.len);
    snprintf(tag.text, sizeof tag.text, "\"%016llx\"", (unsigned long long)hash);
    return tag;
}

bool entity_tag_matches(const struct entity_tag *tag, struct bytes if_none_match)
{
    while (if_none_match.len > 0) {
        struct bytes candidate = take_until(&if_none_match, ',');
        if (bytes_starts_with(candidate, BYTES("W/")))
            candidate = bytes_skip(candidate, 2);
        if (bytes_equal(candidate, BYTES("*")) || bytes_equal_str(candidate, tag->text))
            return true;
    }
    return false;
}
