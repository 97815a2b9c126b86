/* score.c - see score.h. */
#include "p2p/peer/score.h"

#include "util/assert.h"

#define RATE_WEIGHT   0.3    /* of a new measurement; the first counts whole */
#define RATE_SPAN_US  100000 /* delivery time that makes one: single blocks come in bursts */
#define RATE_FIRST_US 10000  /* and the first one */

static const struct {
    const char *text;
    enum fault_action action;
} faults[] = {
#define X(name, text, action) {text, FAULT_ACTION_##action},
    FAULTS(X)
#undef X
};

enum fault_action fault_action(enum fault fault)
{
    ASSERT(fault < FAULT_COUNT);
    return faults[fault].action;
}

const char *fault_text(enum fault fault)
{
    ASSERT(fault < FAULT_COUNT);
    return faults[fault].text;
}

void score_init(struct score *score)
{
    *score =
        (struct score){.ping_us = -1, .min_ping_us = -1, .last_tx_us = -1, .last_block_us = -1};
}

void score_ping(struct score *score, int64_t rtt_us)
{
    if (rtt_us < 0)
        return;
    score->ping_us = rtt_us;
    if (score->min_ping_us < 0 || rtt_us < score->min_ping_us)
        score->min_ping_us = rtt_us;
}

void score_block(struct score *score, uint64_t len, int64_t busy_us, int64_t now_us)
{
    ASSERT(len > 0);
    score->useful_bytes += len;
    score->last_block_us = now_us;
    score->measured_bytes += len;
    score->measured_us += busy_us > 0 ? busy_us : 0;
    bool is_first = score->rate_bytes_s <= 0;
    if (score->measured_us < (is_first ? RATE_FIRST_US : RATE_SPAN_US))
        return;
    double rate = (double)score->measured_bytes * 1e6 / (double)score->measured_us;
    score->rate_bytes_s =
        is_first ? rate : (1 - RATE_WEIGHT) * score->rate_bytes_s + RATE_WEIGHT * rate;
    score->measured_bytes = 0;
    score->measured_us = 0;
}

void score_tx(struct score *score, uint64_t len, bool is_new, int64_t now_us)
{
    ASSERT(len > 0);
    if (!is_new) {
        score->wasted_bytes += len;
        return;
    }
    score->useful_bytes += len;
    score->first_txs++;
    score->last_tx_us = now_us;
}
