/* SPDX-License-Identifier: Apache-2.0 */
/* scraper.h: reads load metrics and model lists of model servers, on one reactor.
 *
 * Scraping is sharded: each endpoint belongs to one worker's scraper, chosen by the control thread.  One keep-alive
 * connection per endpoint; /metrics every interval (spread evenly), /v1/models at first and every models_interval.
 * A server that has nothing to do or is slow to answer is asked less often, and so is one that does not answer
 * (doubling up to 5 s); its last values stay. */
#ifndef INFERENCE_SCRAPE_SCRAPER_H
#define INFERENCE_SCRAPE_SCRAPER_H

#include "inference/pool.h"
#include "net/reactor.h"

struct scraper;

struct scraper_config {
    uint32_t interval_ms;        /* 50 */
    uint32_t idle_interval_ms;   /* 200: of a server that has nothing to do */
    uint32_t models_interval_ms; /* 2000 */
    /* 1000: how often all lines of a metrics page are looked at, not only families that were there before. */
    uint32_t whole_page_interval_ms;
    uint32_t timeout_ms;         /* 1000 */
    uint32_t max_response_bytes; /* 4 MiB: a larger page is a failed scrape */
    /* Called on the scraper's thread after each attempt; may be NULL. */
    void (*on_result)(void *context, bool ok);
    void *context;
};
extern const struct scraper_config scraper_defaults;

struct scraper *scraper_new(struct reactor *reactor, const struct scraper_config *config);
void scraper_free(struct scraper *scraper);
/* Takes its own count; lets go by itself once endpoint->load.is_removed.  On the scraper's thread. */
void scraper_add(struct scraper *scraper, struct endpoint *endpoint);
unsigned scraper_count(const struct scraper *scraper);

#endif
