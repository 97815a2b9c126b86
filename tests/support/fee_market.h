/* fee_market.h - a month of people who want to be in blocks, in virtual time: what fee estimators
 * are measured with.
 *
 * Transactions come, wait, and are taken by blocks that come at random and take the best feerates
 * first. Nothing here knows the estimators or looks at what they say. The same seed gives the same
 * month. */
#ifndef TESTS_SUPPORT_FEE_MARKET_H
#define TESTS_SUPPORT_FEE_MARKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKET_FLOOR_SAT_PER_KVB 100 /* -minrelaytxfee */

struct market_tx {
    uint64_t id;
    int64_t fee_sat;
    uint32_t vbytes;
};

/* What happens. Borrowed for the call. */
struct market_events {
    void *ctx;
    void (*came)(void *ctx, const struct market_tx *tx);
    void (*left)(void *ctx, const struct market_tx *tx);  /* evicted */
    void (*mined)(void *ctx, const struct market_tx *tx); /* before the block is told */
    /* full_sat_per_kvb: who came in time and paid more than this is in it. */
    void (*block)(void *ctx, int32_t height, double full_sat_per_kvb);
    void (*asked)(void *ctx); /* somebody wants to know what to pay, at a time of no meaning */
};

struct market;

/* room_vbytes: of a block; 1,000,000 is what there is, less is a market of the same shape with
 * fewer people. Owns: the caller. */
struct market *market_new(uint64_t seed, uint32_t room_vbytes, const struct market_events *events);
/* Free it. */
void market_free(struct market *market);
/* Go on until so many blocks more have come. */
void market_run(struct market *market, int32_t n_blocks);

/* What waits, by falling feerate: fees and virtual bytes of those within one percent of one
 * another; start with *at = 0. False at the end. */
bool market_next(const struct market *market, size_t *at, int64_t *fees_sat, uint64_t *vbytes);
uint32_t market_room_vbytes(const struct market *market);
/* The least that is let in. */
double market_min_sat_per_kvb(const struct market *market);
/* Virtual time. */
double market_now_s(const struct market *market);
/* Of all that has come so far, in blocks; blocks with room left. */
double market_blocks_wanted(const struct market *market);
int32_t market_blocks_with_room(const struct market *market);

#endif
