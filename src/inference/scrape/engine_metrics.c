/* SPDX-License-Identifier: Apache-2.0 */
/* engine_metrics.c: one pass over a Prometheus text page, taking apart only the lines of wanted families.
 *
 * Pure.  A page has thousands of histogram lines that nobody here needs, and it is read many times a second: lines are
 * dropped by their first bytes and the length of their name, and the next page of a server is only looked at where its
 * last one had something.  Lines that make no sense are passed over.  To know another engine: rows in the table. */
#include "inference/scrape/engine_metrics.h"

#include <math.h>
#include <stdint.h>

#include "base/compiler.h"
#include "inference/scrape/page_lines.h"
#include "observe/prometheus_parse.h"

#define LIST_BYTES sizeof(((struct engine_metrics *)NULL)->running_loras)

enum gauge {
    GAUGE_WAITING,
    GAUGE_RUNNING,
    GAUGE_KV,
    GAUGE_KV_OLD, /* counts when there is no GAUGE_KV */
    GAUGE_BLOCK_TOKENS,
    GAUGE_BLOCKS,
    GAUGE_STARTED,
    GAUGE_LORAS,      /* labels; the value is a time */
    GAUGE_CACHE_INFO, /* labels; the value is 1 */
    GAUGE_COUNT
};

struct family {
    struct bytes name;
    enum gauge gauge;
    const char *label; /* NULL: any label set */
    const char *value;
};

#define FAMILY(name_, gauge_)                                                                                          \
    {                                                                                                                  \
        BYTES_INIT(name_), gauge_, NULL, NULL                                                                          \
    }
#define LABELLED(name_, label_, value_, gauge_)                                                                        \
    {                                                                                                                  \
        BYTES_INIT(name_), gauge_, label_, value_                                                                      \
    }

static const struct family families[] = {
    FAMILY("vllm:num_requests_waiting", GAUGE_WAITING),
    FAMILY("vllm:num_requests_running", GAUGE_RUNNING),
    FAMILY("vllm:kv_cache_usage_perc", GAUGE_KV),
    FAMILY("vllm:gpu_cache_usage_perc", GAUGE_KV_OLD), /* before vLLM 0.10 */
    FAMILY("vllm:lora_requests_info", GAUGE_LORAS),
    FAMILY("vllm:cache_config_info", GAUGE_CACHE_INFO),

    FAMILY("sglang:num_queue_reqs", GAUGE_WAITING),
    FAMILY("sglang:num_running_reqs", GAUGE_RUNNING),
    FAMILY("sglang:token_usage", GAUGE_KV),
    FAMILY("sglang:cache_config_info", GAUGE_CACHE_INFO),

    FAMILY("trtllm_num_requests_waiting", GAUGE_WAITING),
    FAMILY("trtllm_num_requests_running", GAUGE_RUNNING),
    FAMILY("trtllm_kv_cache_utilization", GAUGE_KV),
    FAMILY("trtllm_kv_cache_tokens_per_block", GAUGE_BLOCK_TOKENS),
    FAMILY("trtllm_kv_cache_max_blocks", GAUGE_BLOCKS),

    LABELLED("nv_trt_llm_request_metrics", "request_type", "waiting", GAUGE_WAITING),
    LABELLED("nv_trt_llm_request_metrics", "request_type", "scheduled", GAUGE_RUNNING),
    LABELLED("nv_trt_llm_kv_cache_block_metrics", "kv_cache_block_type", "fraction", GAUGE_KV),
    LABELLED("nv_trt_llm_kv_cache_block_metrics", "kv_cache_block_type", "tokens_per", GAUGE_BLOCK_TOKENS),
    LABELLED("nv_trt_llm_kv_cache_block_metrics", "kv_cache_block_type", "max", GAUGE_BLOCKS),
    FAMILY("nv_inference_pending_request_count", GAUGE_WAITING), /* Triton with any backend */

    FAMILY("process_start_time_seconds", GAUGE_STARTED),
};

struct gauge_sum {
    double sum;
    unsigned count;
};

struct reading {
    const struct metric_names *names; /* NULL: none */
    struct page_layout *layout;       /* to be written; NULL: not wanted */
    uint64_t beginnings[4];           /* bit n: a wanted name's first bytes have the hash n */
    uint64_t lengths;                 /* bit n: a wanted name has n bytes, modulo 64 */
    bool wants_short;                 /* a name of less than eight bytes: any line may begin with it */
    struct gauge_sum sums[GAUGE_COUNT];
    struct gauge_sum named[GAUGE_KV + 1]; /* by the operator's names */
    struct bytes loras;                   /* the labels of the newest series */
    double loras_time;
    struct bytes cache_info;
};

/* A number below 256 from the first eight bytes. */
static unsigned hash_beginning(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return (unsigned)(word * 0x9e3779b97f4a7c15u >> 56);
}

static bool has_label(struct bytes labels, const char *label, const char *value)
{
    char text[64];
    return label == NULL || label[0] == '\0' ||
           (prometheus_label(labels, label, text, sizeof text) && strcmp(text, value) == 0);
}

static void add(struct gauge_sum *sum, double value)
{
    sum->sum += value;
    sum->count++;
}

static void add_known(struct reading *reading, const struct family *family, const struct prometheus_sample *sample)
{
    struct gauge_sum *sum = &reading->sums[family->gauge];
    if (!has_label(sample->labels, family->label, family->value))
        return;
    /* The value of the adapters' gauge is the time of its last change: former label sets stay on the page. */
    if (family->gauge == GAUGE_LORAS && (sum->count == 0 || sample->value >= reading->loras_time)) {
        reading->loras = sample->labels;
        reading->loras_time = sample->value;
    }
    if (family->gauge == GAUGE_CACHE_INFO)
        reading->cache_info = sample->labels;
    add(sum, sample->value);
}

static const struct metric_selector *selector_of(const struct metric_names *names, unsigned gauge)
{
    return gauge == GAUGE_WAITING ? &names->waiting : gauge == GAUGE_RUNNING ? &names->running : &names->kv;
}

static void add_named(struct reading *reading, const struct prometheus_sample *sample)
{
    for (unsigned gauge = GAUGE_WAITING; gauge <= GAUGE_KV; gauge++) {
        const struct metric_selector *selector = selector_of(reading->names, gauge);
        if (bytes_equal_str(sample->name, selector->name) &&
            has_label(sample->labels, selector->label, selector->value))
            add(&reading->named[gauge], sample->value);
    }
}

/* What the configuration or the build of a server decides: a server that goes on does not change it. */
static bool is_fixed(enum gauge gauge)
{
    return gauge == GAUGE_BLOCK_TOKENS || gauge == GAUGE_BLOCKS || gauge == GAUGE_CACHE_INFO;
}

/* The wanted name that equals it, which lives as long as the names do; empty: none. */
static struct bytes find_wanted(const struct reading *reading, struct bytes name, bool *ret_is_fixed)
{
    struct bytes found = BYTES("");
    *ret_is_fixed = true;
    for (unsigned i = 0; i < ARRAY_LEN(families); i++)
        if (bytes_equal(families[i].name, name)) {
            found = families[i].name;
            *ret_is_fixed = *ret_is_fixed && is_fixed(families[i].gauge);
        }
    for (unsigned gauge = GAUGE_WAITING; gauge <= GAUGE_KV && reading->names != NULL; gauge++) {
        struct bytes given = bytes_of(selector_of(reading->names, gauge)->name);
        if (bytes_equal(given, name)) {
            found = given;
            *ret_is_fixed = false;
        }
    }
    return found;
}

/* line: one that begins with a wanted name. */
static void add_line(struct bytes line, struct bytes name, struct reading *reading)
{
    struct prometheus_sample sample;
    size_t cursor = 0;
    if (!prometheus_next(line, &cursor, &sample) || !isfinite(sample.value) || sample.value < 0)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(families); i++)
        if (bytes_equal(families[i].name, name))
            add_known(reading, &families[i], &sample);
    if (reading->names != NULL)
        add_named(reading, &sample);
}

static void read_line(struct bytes page, size_t at, struct reading *reading)
{
    struct bytes name = page_line_name(page, at);
    if (name.len == 0 || name.data[0] == '#' || (reading->lengths >> name.len % 64 & 1) == 0)
        return;
    bool is_fixed;
    name = find_wanted(reading, name, &is_fixed);
    if (name.len == 0)
        return;
    if (reading->layout != NULL && !is_fixed)
        page_layout_note(reading->layout, page, at, name);
    add_line(bytes_make(page.data + at, page_line_end(page, at) - at), name, reading);
}

/* Nearly all lines end here. */
static bool may_be_wanted(const struct reading *reading, struct bytes rest)
{
    if (reading->wants_short || rest.len < sizeof(uint64_t))
        return reading->wants_short;
    unsigned hash = hash_beginning(rest.data);
    return (reading->beginnings[hash / 64] >> hash % 64 & 1) != 0;
}

static void read_page(struct bytes page, struct reading *reading)
{
    struct page_lines lines;
    page_lines_init(&lines, page);
    while (page_lines_next(&lines))
        for (unsigned i = 0; i < lines.count; i++) {
            if (may_be_wanted(reading, bytes_skip(page, lines.starts[i])))
                read_line(page, lines.starts[i], reading);
        }
}

static void want(struct reading *reading, const char *name, size_t len)
{
    reading->lengths |= 1ull << len % 64;
    if (len < sizeof(uint64_t)) {
        reading->wants_short = true;
        return;
    }
    unsigned hash = hash_beginning(name);
    reading->beginnings[hash / 64] |= 1ull << hash % 64;
}

static void want_names(struct reading *reading)
{
    for (unsigned i = 0; i < ARRAY_LEN(families); i++)
        want(reading, families[i].name.data, families[i].name.len);
    for (unsigned gauge = GAUGE_WAITING; gauge <= GAUGE_KV && reading->names != NULL; gauge++) {
        const char *name = selector_of(reading->names, gauge)->name;
        if (name[0] != '\0')
            want(reading, name, strlen(name));
    }
}

/* A list that is too long ends after its last whole name. */
static void copy_list(struct bytes labels, const char *name, char target[LIST_BYTES])
{
    char text[LIST_BYTES + 1]; /* one more: what fills it was cut */
    if (!prometheus_label(labels, name, text, sizeof text))
        text[0] = '\0';
    size_t len = strlen(text);
    if (len == LIST_BYTES)
        while (len > 0 && text[--len] != ',')
            ;
    memcpy(target, text, len);
    target[len] = '\0';
}

static unsigned to_unsigned(double value, unsigned limit)
{
    return value < limit ? (unsigned)value : limit;
}

/* The operator's name first. */
static const struct gauge_sum *choose(const struct reading *reading, enum gauge gauge)
{
    if (reading->named[gauge].count > 0)
        return &reading->named[gauge];
    bool is_old = gauge == GAUGE_KV && reading->sums[GAUGE_KV].count == 0;
    return &reading->sums[is_old ? GAUGE_KV_OLD : gauge];
}

static bool take_gauge(const struct gauge_sum *sum, unsigned *ret_value)
{
    *ret_value = to_unsigned(sum->sum, 1000000000);
    return sum->count > 0;
}

static unsigned long long number_label(struct bytes labels, const char *name)
{
    char number[16];
    unsigned long long value = 0;
    if (!prometheus_label(labels, name, number, sizeof number) || !bytes_to_u64(bytes_of(number), 1000000000, &value))
        return 0;
    return value;
}

static void take_loras(struct bytes labels, struct engine_metrics *metrics)
{
    metrics->max_loras = to_unsigned((double)number_label(labels, "max_lora"), 1000000);
    copy_list(labels, "running_lora_adapters", metrics->running_loras);
    copy_list(labels, "waiting_lora_adapters", metrics->waiting_loras);
}

static unsigned long long cache_tokens(const struct reading *reading)
{
    struct bytes info = reading->cache_info;
    if (info.len > 0) {
        unsigned long long block = number_label(info, "block_size"); /* vLLM; SGLang says page_size */
        return block > 0 ? block * number_label(info, "num_gpu_blocks")
                         : number_label(info, "page_size") * number_label(info, "num_pages");
    }
    const struct gauge_sum *tokens = &reading->sums[GAUGE_BLOCK_TOKENS], *blocks = &reading->sums[GAUGE_BLOCKS];
    if (tokens->count == 0 || blocks->count == 0)
        return 0;
    return (unsigned long long)to_unsigned(tokens->sum, 1000000) * to_unsigned(blocks->sum, 1000000000);
}

static void conclude(const struct reading *reading, struct engine_metrics *metrics)
{
    const struct gauge_sum *kv = choose(reading, GAUGE_KV);
    metrics->has_waiting = take_gauge(choose(reading, GAUGE_WAITING), &metrics->waiting);
    metrics->has_running = take_gauge(choose(reading, GAUGE_RUNNING), &metrics->running);
    metrics->has_kv = kv->count > 0;
    metrics->kv_permille = kv->count > 0 ? to_unsigned(kv->sum / kv->count * 1000 + 0.5, 1000) : 0;
    metrics->started_s = reading->sums[GAUGE_STARTED].sum;
    metrics->has_loras = reading->sums[GAUGE_LORAS].count > 0;
    metrics->max_loras = 0;
    metrics->running_loras[0] = metrics->waiting_loras[0] = '\0';
    if (metrics->has_loras)
        take_loras(reading->loras, metrics);
}

static void read_whole(struct bytes page, struct reading *reading, struct engine_metrics *ret_metrics)
{
    want_names(reading);
    read_page(page, reading);
    conclude(reading, ret_metrics);
    ret_metrics->kv_tokens = cache_tokens(reading);
}

void engine_metrics_read(struct bytes page, const struct metric_names *names, struct engine_metrics *ret_metrics)
{
    struct reading reading = {.names = names};
    read_whole(page, &reading, ret_metrics);
}

/* False: some group is not where it should be. */
static bool read_groups(struct bytes page, struct page_layout *layout, struct reading *reading)
{
    size_t from = 0;
    ptrdiff_t moved = 0;
    for (unsigned i = 0; i < layout->count; i++) {
        struct page_group *group = &layout->groups[i];
        struct bytes name = bytes_make(group->name, group->name_len);
        size_t at;
        if (!page_layout_find(group, page, from, moved, &at))
            return false;
        moved = (ptrdiff_t)at - (ptrdiff_t)group->at;
        group->at = (uint32_t)at;
        for (; page_line_has_name(page, at, name); at = from) {
            from = page_line_end(page, at);
            add_line(bytes_make(page.data + at, from - at), name, reading);
        }
    }
    return true;
}

void engine_metrics_read_next(struct bytes page, const struct metric_names *names, struct page_layout *layout,
                              struct engine_metrics *ret_metrics)
{
    struct reading reading = {.names = names};
    if (page_layout_is_known(layout) && read_groups(page, layout, &reading)) {
        conclude(&reading, ret_metrics);
        ret_metrics->kv_tokens = 0;
        return;
    }
    *layout = (struct page_layout){0};
    reading = (struct reading){.names = names, .layout = layout};
    read_whole(page, &reading, ret_metrics);
}
