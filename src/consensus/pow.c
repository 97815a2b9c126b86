/* pow.c - proof of work.
 *
 * Every 2,016 blocks (main network) the target is multiplied by the time that they took and divided
 * by the time that they should take. All arithmetic is on whole numbers of 256 bits, as a node that
 * rounded otherwise would leave the chain. The product never overflows: the time taken is bounded
 * by four timespans, and on the public networks the limit is small enough for
 * that; elsewhere a product that is beyond the limit is not made. */
#include "consensus/pow.h"

#include "consensus/tx.h"
#include "util/assert.h"

struct u256 pow_target_from_bits(uint32_t bits, bool *negative, bool *overflow)
{
    unsigned size = bits >> 24;
    uint32_t mantissa = bits & 0x7fffff;
    /* With fewer than three bytes, the lower ones of the mantissa fall off. */
    if (size < 3)
        mantissa >>= 8 * (3 - size);
    if (negative)
        *negative = mantissa != 0 && (bits & 0x800000) != 0;
    /* More than 256 bits: the mantissa's three bytes end at byte size, so a size of 33 leaves room
     * for two of them, 34 for one, above that for none. A mantissa of zero is zero at any size, and
     * neither negative nor too large. */
    if (overflow)
        *overflow = mantissa != 0 && (size > 34 || (mantissa > 0xff && size > 33) ||
                                      (mantissa > 0xffff && size > 32));
    if (size <= 3)
        return u256_of(mantissa);
    return u256_shl(u256_of(mantissa), 8 * (size - 3));
}

uint32_t pow_target_to_bits(struct u256 target)
{
    unsigned size = (u256_bits(target) + 7) / 8;
    uint32_t mantissa;
    if (size <= 3)
        mantissa = (uint32_t)target.limb[0] << (8 * (3 - size));
    else
        mantissa = (uint32_t)u256_shr(target, 8 * (size - 3)).limb[0];
    /* The top bit is the sign: move the mantissa down where it would be taken for one. */
    if (mantissa & 0x800000) {
        mantissa >>= 8;
        size++;
    }
    return mantissa | (uint32_t)size << 24;
}

/* The target of bits, or zero (never a valid target) if they are none. Zero would ask for a hash of
 * zero, which nobody finds. */
static struct u256 valid_target(uint32_t bits)
{
    bool negative, overflow;
    struct u256 target = pow_target_from_bits(bits, &negative, &overflow);
    return negative || overflow ? u256_of(0) : target;
}

bool pow_check(const struct network *network, const struct block_hash *hash, uint32_t bits)
{
    ASSERT(network);
    struct u256 target = valid_target(bits);
    if (u256_is_zero(target) || u256_compare(target, u256_from_le(network->pow_limit)) > 0)
        return false;
    return u256_compare(u256_from_le(hash->b), target) <= 0;
}

struct u256 pow_block_work(uint32_t bits)
{
    struct u256 target = valid_target(bits);
    if (u256_is_zero(target))
        return target;
    /* 2^256 does not fit, but 2^256 / (t + 1) = (2^256 - 1 - t) / (t + 1) + 1 does */
    struct u256 quotient = u256_div(u256_not(target), u256_add(target, u256_of(1)));
    return u256_add(quotient, u256_of(1));
}

int32_t pow_retarget_interval(const struct network *network)
{
    ASSERT(network->pow_target_spacing_s > 0);
    return (int32_t)(network->pow_target_timespan_s / network->pow_target_spacing_s);
}

/* target * span / timespan, at most the limit. */
static struct u256 scale_target(const struct network *network, uint32_t bits, int64_t span_s)
{
    ASSERT(span_s > 0);
    struct u256 limit = u256_from_le(network->pow_limit);
    struct u256 target = pow_target_from_bits(bits, NULL, NULL);
    struct u256 span = u256_of((uint64_t)span_s);
    struct u256 timespan = u256_of((uint64_t)network->pow_target_timespan_s);
    /* The quotient first: then nothing is ever larger than the result, and what is lost by that is
     * added. */
    struct u256 quotient = u256_div(target, timespan);
    struct u256 rest = u256_sub(target, u256_mul(quotient, timespan.limb[0]));
    if (u256_compare(quotient, u256_div(limit, span)) > 0)
        return limit;
    target = u256_add(u256_mul(quotient, (uint64_t)span_s),
                      u256_div(u256_mul(rest, (uint64_t)span_s), timespan));
    return u256_compare(target, limit) > 0 ? limit : target;
}

/* The next period's bits, from the times of the one that ends with prev. */
static uint32_t retarget(const struct network *network, const struct header_view *view,
                         const void *prev)
{
    struct header_facts last = view->facts(prev);
    if (network->pow_no_retargeting)
        return last.bits;

    /* From a period's first block to its last are 2,015 intervals, not the 2,016 that the timespan
     * is made for: the first implementation was off by one, and all have to be. */
    int32_t first_height = last.height - (pow_retarget_interval(network) - 1);
    ASSERT(first_height >= 0);
    struct header_facts first = view->facts(view->ancestor(prev, first_height));

    int64_t timespan_s = network->pow_target_timespan_s;
    /* A period's times can be wrong by much, by accident or on purpose: in no case does the
     * difficulty change by more than four times, up or down. */
    int64_t actual_s = (int64_t)last.time - (int64_t)first.time;
    actual_s = MAX_OF(actual_s, timespan_s / 4);
    actual_s = MIN_OF(actual_s, timespan_s * 4);

    /* The last block of a period may be one of minimum difficulty, the first may not; so the
     * period's real difficulty is that of its first block. BIP-94, 2. Block Storm Fix */
    uint32_t bits = network->enforce_bip94 ? first.bits : last.bits;
    return pow_target_to_bits(scale_target(network, bits, actual_s));
}

/* The last bits that were not granted by the 20-minute rule. Back to a period's first block, which
 * never has the exception, or to one that was not granted it. The walk is short where blocks are
 * mined in earnest; on testnet it can be a whole period. */
static uint32_t real_bits(const struct header_view *view, const void *node, int32_t interval,
                          uint32_t limit_bits)
{
    for (;;) {
        struct header_facts facts = view->facts(node);
        const void *prev = view->prev(node);
        if (!prev || facts.height % interval == 0 || facts.bits != limit_bits)
            return facts.bits;
        node = prev;
    }
}

/* Within a period nothing changes. The test networks have an exception, so that the chain goes on
 * when a strong miner has left: who waits for 20 minutes by the block's time may mine at the least
 * difficulty. The next block in time needs the period's real one again. */
uint32_t pow_next_bits(const struct network *network, const struct header_view *view,
                       const void *prev, uint32_t time)
{
    ASSERT(view);
    ASSERT(network && prev);
    struct header_facts last = view->facts(prev);
    int32_t interval = pow_retarget_interval(network);
    if ((last.height + 1) % interval == 0)
        return retarget(network, view, prev);
    if (!network->pow_allow_min_difficulty)
        return last.bits;

    uint32_t limit_bits = pow_target_to_bits(u256_from_le(network->pow_limit));
    /* BIP-94, 1. 20-minute Exception Rule */
    if ((int64_t)time > (int64_t)last.time + 2 * network->pow_target_spacing_s)
        return limit_bits;
    return real_bits(view, prev, interval, limit_bits);
}

/* Round a target as bits do. Both ends of the range are compared in the form that headers can
 * hold. */
static struct u256 rounded(struct u256 target)
{
    return pow_target_from_bits(pow_target_to_bits(target), NULL, NULL);
}

/* Only at a change of period may bits change at all, and there by four times at most; on networks
 * with the 20-minute rule everything is possible. */
bool pow_is_transition_permitted(const struct network *network, int32_t height, uint32_t old_bits,
                                 uint32_t new_bits)
{
    ASSERT(network);
    if (network->pow_allow_min_difficulty)
        return true;
    if (height % pow_retarget_interval(network) != 0)
        return old_bits == new_bits;

    int64_t timespan_s = network->pow_target_timespan_s;
    struct u256 target = pow_target_from_bits(new_bits, NULL, NULL);
    struct u256 easiest = rounded(scale_target(network, old_bits, timespan_s * 4));
    struct u256 hardest = rounded(scale_target(network, old_bits, timespan_s / 4));
    return u256_compare(target, easiest) <= 0 && u256_compare(target, hardest) >= 0;
}

int64_t pow_subsidy_sat(const struct network *network, int32_t height)
{
    ASSERT(network);
    ASSERT(height >= 0);
    uint32_t halvings = (uint32_t)height / network->subsidy_halving_interval;
    /* A shift by the width of the type or more is undefined in C. */
    return halvings >= 64 ? 0 : network->subsidy_first_sat >> halvings;
}
