/* fee_market.c - see fee_market.h. */
#include "support/fee_market.h"

#include <math.h>
#include <string.h>

#include "sim/sim_random.h"
#include "util/alloc.h"
#include "util/array.h"
#include "util/assert.h"

/* -- The load -------------------------------------------------------------------------------------
 *
 * Fixed before any estimate was looked at, and not to be bent to fit one. As what was seen on the
 * main network in recent years, in round numbers: */

#define DAY_S (24 * 3600.0)

/* Blocks are found at random; one in 200 is empty, since its miner had not validated the last one
 * yet. */
#define BLOCK_MEAN_S 600.0
#define EMPTY_SHARE  0.005

/* Demand by room, without bursts: blocks are nearly full by day, so that a backlog begins with each
 * run of slow blocks, and the mempool empties in most nights and at weekends. */
#define BASE_DEMAND   0.80
#define DAY_WAVE      0.35 /* up in the afternoon and down at night by so much */
#define WEEKEND_SHARE 0.85 /* of that on days 5 and 6 */

/* Every other day or so something happens that many want to be part of, for hours. */
#define BURST_EVERY_S (2 * DAY_S)
#define BURST_MEAN_S  (3 * 3600.0)
#define BURST_MIN     3.0
#define BURST_MAX     5.0

/* What people pay, in sat for 1,000 virtual bytes: log-normal around 4 sat/vB; one in twenty is in
 * a hurry and pays by a Pareto tail; one in seven has time, and pays between the least and 1
 * sat/vB. */
#define RATE_MEDIAN   4000.0
#define RATE_SIGMA    1.0
#define HURRY_SHARE   0.05
#define HURRY_MIN     10000.0
#define HURRY_ALPHA   1.2
#define PATIENT_SHARE 0.15
#define PATIENT_MAX   1000.0
#define RATE_MAX      5e6

/* Their sizes, log-normal: mean 303 virtual bytes. */
#define VBYTES_MEDIAN 220.0
#define VBYTES_SIGMA  0.8
#define VBYTES_MIN    110.0
#define VBYTES_MAX    100000.0

/* The mempool is bounded: 300 MB of memory are some 100 blocks. */
#define WAITING_BLOCKS_MAX 100

/* How often somebody asks. */
#define ASKED_MEAN_S 300.0

/* -- What waits ------------------------------------------------------------------------------ */

#define STEP    1.01
#define BUCKETS 1100 /* the last begins above RATE_MAX */

struct bucket {
    ARRAY(struct market_tx) txs;
    size_t first; /* those before are gone */
    int64_t fees_sat;
    uint64_t vbytes;
};

struct market {
    struct sim_random random;
    struct market_events events;
    uint32_t room_vbytes;
    double now_s, next_block_s, next_asked_s;
    double burst_from_s, burst_until_s, burst;
    double min_sat_per_kvb;
    int32_t height, n_with_room;
    uint64_t next_id, waiting_vbytes;
    double came_vbytes;
    struct bucket buckets[BUCKETS];
};

static double unit(struct sim_random *random)
{
    return ((double)(sim_random_u64(random) >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(struct sim_random *random, double mean)
{
    return -mean * log(unit(random));
}

static double normal(struct sim_random *random)
{
    double radius = sqrt(-2 * log(unit(random)));
    return radius * cos(6.283185307179586 * unit(random));
}

static size_t bucket_of(double sat_per_kvb)
{
    double at = log(sat_per_kvb / MARKET_FLOOR_SAT_PER_KVB) / log(STEP);
    return at < 0 ? 0 : at >= BUCKETS - 1 ? BUCKETS - 1 : (size_t)at;
}

/* All in the bucket below pay less. */
static double rate_of(size_t bucket)
{
    return MARKET_FLOOR_SAT_PER_KVB * pow(STEP, (double)bucket);
}

static void take_out(struct market *market, struct bucket *bucket, const struct market_tx *tx)
{
    bucket->fees_sat -= tx->fee_sat;
    bucket->vbytes -= tx->vbytes;
    market->waiting_vbytes -= tx->vbytes;
}

/* -- People ---------------------------------------------------------------------------------- */

static double draw_rate(struct sim_random *random)
{
    double kind = unit(random), rate;
    if (kind < HURRY_SHARE)
        rate = HURRY_MIN * pow(unit(random), -1 / HURRY_ALPHA);
    else if (kind < HURRY_SHARE + PATIENT_SHARE)
        rate = MARKET_FLOOR_SAT_PER_KVB * pow(PATIENT_MAX / MARKET_FLOOR_SAT_PER_KVB, unit(random));
    else
        rate = RATE_MEDIAN * exp(RATE_SIGMA * normal(random));
    return fmin(fmax(rate, MARKET_FLOOR_SAT_PER_KVB), RATE_MAX);
}

static double draw_vbytes(struct sim_random *random)
{
    double vbytes = VBYTES_MEDIAN * exp(VBYTES_SIGMA * normal(random));
    return fmin(fmax(vbytes, VBYTES_MIN), VBYTES_MAX);
}

/* Wanted room by room, now. */
static double demand(struct market *market)
{
    double day = market->now_s / DAY_S;
    double wave = 1 + DAY_WAVE * sin(6.283185307179586 * day);
    double week = fmod(day, 7) >= 5 ? WEEKEND_SHARE : 1;
    if (market->now_s >= market->burst_until_s) {
        market->burst_from_s = market->burst_until_s + exponential(&market->random, BURST_EVERY_S);
        market->burst_until_s = market->burst_from_s + exponential(&market->random, BURST_MEAN_S);
        market->burst = BURST_MIN + (BURST_MAX - BURST_MIN) * unit(&market->random);
    }
    return BASE_DEMAND * wave * week * (market->now_s >= market->burst_from_s ? market->burst : 1);
}

static void evict(struct market *market)
{
    size_t at = 0;
    while (market->waiting_vbytes > (uint64_t)WAITING_BLOCKS_MAX * market->room_vbytes) {
        struct bucket *bucket = &market->buckets[at];
        if (bucket->first == bucket->txs.n) {
            at++;
            continue;
        }
        const struct market_tx tx = bucket->txs.at[--bucket->txs.n];
        take_out(market, bucket, &tx);
        market->events.left(market->events.ctx, &tx);
        market->min_sat_per_kvb = rate_of(at + 1);
    }
}

static void come(struct market *market)
{
    double rate = draw_rate(&market->random), vbytes = draw_vbytes(&market->random);
    market->came_vbytes += vbytes;
    if (rate < market->min_sat_per_kvb)
        return;
    struct market_tx tx = {.id = market->next_id++, .vbytes = (uint32_t)vbytes};
    tx.fee_sat = (int64_t)ceil(rate * tx.vbytes / 1000);
    struct bucket *bucket = &market->buckets[bucket_of((double)tx.fee_sat * 1000 / tx.vbytes)];
    *ARRAY_ADD(&bucket->txs) = tx;
    bucket->fees_sat += tx.fee_sat;
    bucket->vbytes += tx.vbytes;
    market->waiting_vbytes += tx.vbytes;
    market->events.came(market->events.ctx, &tx);
    evict(market);
}

/* -- Blocks ---------------------------------------------------------------------------------- */

static void forget_taken(struct bucket *bucket)
{
    size_t n = bucket->txs.n - bucket->first;
    if (bucket->first > n) {
        memmove(bucket->txs.at, bucket->txs.at + bucket->first, n * sizeof *bucket->txs.at);
        bucket->txs.n = n;
        bucket->first = 0;
    }
}

/* Returns: the rate up to which it is full. */
static double fill(struct market *market)
{
    uint64_t taken = 0;
    for (size_t at = BUCKETS; at-- > 0;) {
        struct bucket *bucket = &market->buckets[at];
        while (bucket->first < bucket->txs.n) {
            const struct market_tx tx = bucket->txs.at[bucket->first];
            /* The last bytes are not worth a search for who fits. */
            if (taken + tx.vbytes > market->room_vbytes)
                return rate_of(at + 1);
            taken += tx.vbytes;
            bucket->first++;
            take_out(market, bucket, &tx);
            market->events.mined(market->events.ctx, &tx);
        }
        forget_taken(bucket);
    }
    market->n_with_room++;
    return 0;
}

static void find_block(struct market *market)
{
    bool is_empty = unit(&market->random) < EMPTY_SHARE;
    double full = is_empty ? INFINITY : fill(market);
    /* As the rolling minimum does, in some hours. */
    market->min_sat_per_kvb = fmax(market->min_sat_per_kvb * 0.97, MARKET_FLOOR_SAT_PER_KVB);
    market->height++;
    market->next_block_s = market->now_s + exponential(&market->random, BLOCK_MEAN_S);
    market->events.block(market->events.ctx, market->height, full);
}

/* -- The market ------------------------------------------------------------------------------ */

struct market *market_new(uint64_t seed, uint32_t room_vbytes, const struct market_events *events)
{
    ASSERT(room_vbytes >= VBYTES_MAX && rate_of(BUCKETS - 1) > RATE_MAX);
    struct market *market = xcalloc(1, sizeof *market);
    market->random = sim_random_of(seed, 0);
    market->room_vbytes = room_vbytes;
    market->events = *events;
    market->min_sat_per_kvb = MARKET_FLOOR_SAT_PER_KVB;
    market->next_block_s = exponential(&market->random, BLOCK_MEAN_S);
    market->next_asked_s = exponential(&market->random, ASKED_MEAN_S);
    return market;
}

void market_free(struct market *market)
{
    for (size_t i = 0; i < BUCKETS; i++)
        ARRAY_FREE(&market->buckets[i].txs);
    xfree(market);
}

void market_run(struct market *market, int32_t n_blocks)
{
    const double mean_vbytes = VBYTES_MEDIAN * exp(VBYTES_SIGMA * VBYTES_SIGMA / 2);
    int32_t end = market->height + n_blocks;
    while (market->height < end) {
        double wanted_per_s = demand(market) * market->room_vbytes / BLOCK_MEAN_S;
        double came_s = market->now_s + exponential(&market->random, mean_vbytes / wanted_per_s);
        double next_s = fmin(fmin(came_s, market->next_block_s), market->next_asked_s);
        market->now_s = next_s;
        if (next_s >= market->next_block_s) {
            find_block(market);
        } else if (next_s >= market->next_asked_s) {
            market->next_asked_s = next_s + exponential(&market->random, ASKED_MEAN_S);
            market->events.asked(market->events.ctx);
        } else {
            come(market);
        }
    }
}

bool market_next(const struct market *market, size_t *at, int64_t *fees_sat, uint64_t *vbytes)
{
    while (*at < BUCKETS) {
        const struct bucket *bucket = &market->buckets[BUCKETS - 1 - (*at)++];
        if (bucket->vbytes > 0) {
            *fees_sat = bucket->fees_sat;
            *vbytes = bucket->vbytes;
            return true;
        }
    }
    return false;
}

uint32_t market_room_vbytes(const struct market *market)
{
    return market->room_vbytes;
}

double market_min_sat_per_kvb(const struct market *market)
{
    return market->min_sat_per_kvb;
}

double market_now_s(const struct market *market)
{
    return market->now_s;
}

double market_blocks_wanted(const struct market *market)
{
    return market->came_vbytes / market->room_vbytes;
}

int32_t market_blocks_with_room(const struct market *market)
{
    return market->n_with_room;
}
