/* sim_eclipse.c - six weeks of an attack on the address book, in virtual time.
 *
 * Usage: sim_eclipse [--runs=200] [--seed=1] [--weeks=6] [--trace]
 *
 * A node knows 2,000 honest addresses in 1,500 network groups, of which 9 in 10 answer. An attacker
 * has 100,000 addresses in 32 groups of /16, which all answer, stay connected for ever and tell of
 * nobody but each other; he tells the node of all of them, from peers of his own, a few every two
 * minutes. Once a day he has the node restarted: it keeps its book and two anchors, and fills its
 * ten slots anew. Honest peers leave after a day or so. The network is abstract; the book
 * (address_book.h) and the choice (choose.h) are those of nodes, and so is what is done with who
 * answers.
 *
 * Fails if in any run all slots are the attacker's at any moment, or if his mean share of them is
 * above 15%; and, with the defences off (buckets, test before eviction, even choice, feelers,
 * anchors), unless he gets them all in most runs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "p2p/addr/address_book_file.h"
#include "p2p/connect/choose.h"
#include "p2p/core/wire.h"
#include "sim/sim_random.h"
#include "util/alloc.h"
#include "util/planted.h"

#define HONEST          2000
#define HONEST_GROUPS   1500
#define ATTACKER        100000
#define ATTACKER_GROUPS 32
#define SLOTS           10 /* 8 for everything, 2 for blocks only: those are the anchors */
#define BLOCK_ONLY      2
#define TICK_S          120 /* between feelers */
#define DAY_S           86400
#define HONEST_STAY_S   86400.0
#define ANSWER_MAX      1000
#define HONEST_ANSWER   (HONEST * 23 / 100)
#define SHARE_MAX       0.15
#define START_S         INT64_C(1700000000)

struct slot {
    bool is_taken, is_attacker;
    struct net_address address;
    struct net_group group;
    int64_t until_s;
};

struct world {
    struct env env;
    struct sim_random random;
    struct net_grouping grouping;
    struct address_book *book;
    bool has_defences;
    struct slot slots[SLOTS];
    int64_t now_s;
    uint32_t n_told; /* of the attacker's addresses, in a random order */
    uint32_t step, offset;
    double share_sum;
    size_t n_shares;
    bool was_eclipsed;
};

static void fill_random(void *ctx, void *out, size_t len)
{
    struct world *w = ctx;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t value = sim_random_u64(&w->random);
        memcpy((uint8_t *)out + i, &value, MIN_OF(len - i, sizeof value));
    }
}

static uint64_t below(struct world *w, uint64_t n)
{
    return sim_random_below(&w->random, n);
}

/* -- Addresses: 16 bits of group, then a number within it ----------------------------------------
 */

static struct net_address honest(uint32_t i)
{
    uint32_t group = i % HONEST_GROUPS, n = 1 + i / HONEST_GROUPS;
    const uint8_t bytes[4] = {(uint8_t)(16 + group / 256), (uint8_t)group, 7, (uint8_t)n};
    return net_address_of_ipv4(bytes, 8333);
}

static struct net_address attacker(uint32_t i)
{
    uint32_t group = i % ATTACKER_GROUPS, n = i / ATTACKER_GROUPS;
    const uint8_t bytes[4] = {90, (uint8_t)group, (uint8_t)(n / 256), (uint8_t)n};
    return net_address_of_ipv4(bytes, 8333);
}

static bool is_attacker(const struct net_address *address)
{
    return address->bytes[0] == 90;
}

/* Nine of ten honest ones do, today and always. */
static bool answers(const struct net_address *address)
{
    return is_attacker(address) || (address->bytes[1] * 7 + address->bytes[0]) % 10 != 0;
}

static void tell(struct world *w, const struct net_address *at, const struct net_address *by,
                 int64_t age_s)
{
    const struct net_peer_address address = {
        .at = *at, .services = NODE_NETWORK | NODE_WITNESS, .time = (uint32_t)(w->now_s - age_s)};
    (void)address_book_add(w->book, &address, ADDRESS_SOURCE_GOSSIP, by, 7200, w->now_s);
}

/* -- Connections ------------------------------------------------------------------------------- */

static bool may_call(void *ctx, const struct net_address *address)
{
    const struct world *w = ctx;
    for (size_t i = 0; i < SLOTS; i++)
        if (w->slots[i].is_taken && net_address_equal(&w->slots[i].address, address))
            return false;
    return true;
}

static bool is_up(void *ctx, const struct net_address *address)
{
    return !may_call(ctx, address);
}

static bool has_group(void *ctx, const struct net_address *address)
{
    const struct world *w = ctx;
    struct net_group group = net_grouping_of(&w->grouping, address);
    for (size_t i = 0; i < SLOTS; i++)
        if (w->slots[i].is_taken && net_group_equal(&w->slots[i].group, &group))
            return true;
    return false;
}

static struct choose choice(struct world *w)
{
    return (struct choose){.book = w->book,
                           .services_needed = NODE_NETWORK | NODE_WITNESS,
                           .ctx = w,
                           .may_call = may_call,
                           .is_up = is_up,
                           .has_group = has_group};
}

/* What a new peer answers to getaddr. */
static void take_answer(struct world *w, const struct net_address *by)
{
    bool lies = is_attacker(by);
    size_t n = lies ? ANSWER_MAX : HONEST_ANSWER;
    for (size_t i = 0; i < n; i++) {
        struct net_address at =
            lies ? attacker((uint32_t)below(w, ATTACKER)) : honest((uint32_t)below(w, HONEST));
        tell(w, &at, by, lies ? 0 : (int64_t)below(w, 3 * DAY_S));
    }
}

/* Dial one. Returns: it has answered */
static bool call(struct world *w, const struct net_address *address)
{
    address_book_attempt(w->book, address, true, w->now_s);
    if (!answers(address))
        return false;
    (void)address_book_good(w->book, address, w->now_s);
    return true;
}

static void connect_slot(struct world *w, size_t i, const struct net_address *address)
{
    double stay_s = -log(1.0 - (double)below(w, 1u << 30) / (1u << 30)) * HONEST_STAY_S;
    bool is_his = is_attacker(address);
    w->slots[i] = (struct slot){.is_taken = true,
                                .is_attacker = is_his,
                                .address = *address,
                                .group = net_grouping_of(&w->grouping, address),
                                .until_s = is_his ? INT64_MAX : w->now_s + (int64_t)stay_s};
    if (i >= BLOCK_ONLY) /* the others are not asked for addresses */
        take_answer(w, address);
}

static void fill_slots(struct world *w)
{
    struct choose choose = choice(w);
    for (size_t i = 0; i < SLOTS; i++) {
        struct net_peer_address address;
        for (int tries = 0; !w->slots[i].is_taken && tries < 20; tries++)
            if (choose_for_slot(&choose, w->now_s, &address) && call(w, &address.at))
                connect_slot(w, i, &address.at);
    }
}

static void feel(struct world *w)
{
    struct choose choose = choice(w);
    struct net_peer_address address;
    if (w->has_defences && choose_for_feeler(&choose, w->now_s, &address))
        (void)call(w, &address.at);
}

/* -- Time -------------------------------------------------------------------------------------- */

/* Through its file, as a node's: the places are the same afterwards. Hashing them all anew takes a
 * fifth of a second, so it is done once a week. */
static void reopen_book(struct world *w)
{
    static const uint8_t magic[4] = {1, 2, 3, 4};
    struct buffer bytes;
    char why[ADDRESS_BOOK_WHY_BYTES];
    buffer_init(&bytes);
    address_book_encode(w->book, magic, &bytes);
    address_book_free(w->book);
    w->book = address_book_new(&w->env, &w->grouping);
    if (address_book_decode(w->book, magic, buffer_span(&bytes), why) != ADDRESS_BOOK_READ)
        ASSERT(!"a book that we wrote");
    buffer_deinit(&bytes);
}

static void restart(struct world *w)
{
    for (size_t i = 0; i < SLOTS; i++) {
        bool is_anchor = w->has_defences && i < BLOCK_ONLY;
        if (w->slots[i].is_taken)
            address_book_connected(w->book, &w->slots[i].address, w->now_s);
        if (!is_anchor)
            w->slots[i].is_taken = false;
    }
    if ((w->now_s - START_S) / DAY_S % 7 == 6)
        reopen_book(w);
}

static void flood(struct world *w, uint32_t n)
{
    for (uint32_t i = 0; i < n && w->n_told < ATTACKER; i++) {
        uint32_t which = (uint32_t)(((uint64_t)w->n_told++ * w->step + w->offset) % ATTACKER);
        struct net_address at = attacker(which), by = attacker((uint32_t)below(w, ATTACKER));
        tell(w, &at, &by, 0);
    }
}

static void look(struct world *w)
{
    size_t n = 0, n_his = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        if (w->slots[i].until_s <= w->now_s)
            w->slots[i].is_taken = false;
        n += w->slots[i].is_taken;
        n_his += w->slots[i].is_taken && w->slots[i].is_attacker;
    }
    fill_slots(w);
    w->share_sum += n ? (double)n_his / (double)n : 0;
    w->n_shares++;
    w->was_eclipsed |= n == SLOTS && n_his == SLOTS;
}

static void begin(struct world *w, uint64_t seed, bool has_defences)
{
    *w = (struct world){.has_defences = has_defences, .now_s = START_S};
    w->random = sim_random_of(seed, has_defences);
    w->env.random.ctx = w;
    w->env.random.fill = fill_random;
#ifdef CAIRN_PLANT
    w->env.planted = has_defences ? PLANT_NONE : PLANT_BOOK_WITHOUT_BUCKETS;
#endif
    w->book = address_book_new(&w->env, &w->grouping);
    w->step = 99991; /* prime to ATTACKER: all are told, in some order */
    w->offset = (uint32_t)below(w, ATTACKER);
    for (uint32_t i = 0; i < HONEST; i++) {
        struct net_address at = honest(i), by = honest((uint32_t)below(w, 12) * 37);
        tell(w, &at, &by, (int64_t)below(w, DAY_S));
    }
    fill_slots(w);
}

static bool run(struct world *w, uint64_t seed, int weeks, bool has_defences)
{
    int64_t end_s = START_S + (int64_t)weeks * 7 * DAY_S, n_ticks = weeks * 7 * DAY_S / TICK_S;
    uint32_t per_tick = (uint32_t)(ATTACKER / n_ticks + 1);
    begin(w, seed, has_defences);
    for (; w->now_s < end_s; w->now_s += TICK_S) {
        flood(w, per_tick);
        look(w);
        feel(w);
        if ((w->now_s - START_S) % DAY_S == DAY_S - TICK_S)
            restart(w);
        if (!has_defences && w->was_eclipsed)
            break;
    }
    address_book_check(w->book);
    address_book_free(w->book);
    return w->was_eclipsed;
}

struct result {
    uint64_t runs, eclipsed;
    double share;
};

static struct result attack(uint64_t runs, uint64_t seed, int weeks, bool has_defences, bool traces)
{
    struct result result = {.runs = runs};
    for (uint64_t i = 0; i < runs; i++) {
        struct world w;
        bool is_eclipsed = run(&w, seed + i, weeks, has_defences);
        double share = w.share_sum / (double)w.n_shares;
        result.eclipsed += is_eclipsed;
        result.share += share / (double)runs;
        if (traces || (is_eclipsed && has_defences))
            printf("seed %" PRIu64 ": %s, share %.3f\n", seed + i,
                   is_eclipsed ? "ECLIPSED" : "not eclipsed", share);
    }
    printf("%s: %" PRIu64 " full eclipses in %" PRIu64 " runs, mean share of the slots %.1f%%\n",
           has_defences ? "with the defences" : "without them", result.eclipsed, runs,
           100 * result.share);
    return result;
}

int main(int argc, char **argv)
{
    uint64_t runs = 200, seed = 1;
    int weeks = 6;
    bool traces = false;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--runs=", 7) == 0) {
            runs = strtoull(argv[i] + 7, NULL, 10);
        } else if (strncmp(argv[i], "--seed=", 7) == 0) {
            seed = strtoull(argv[i] + 7, NULL, 10);
        } else if (strncmp(argv[i], "--weeks=", 8) == 0) {
            weeks = atoi(argv[i] + 8);
        } else if (strcmp(argv[i], "--trace") == 0) {
            traces = true;
        } else {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
    }
    struct result with = attack(runs, seed, weeks, true, traces);
    bool holds = runs > 0 && with.eclipsed == 0 && with.share <= SHARE_MAX;
#ifdef CAIRN_PLANT
    uint64_t few = MIN_OF(runs, UINT64_C(20));
    struct result without = attack(few, seed, weeks, false, traces);
    holds = holds && 2 * without.eclipsed > few;
#else
    printf("without them: this build cannot switch them off (CAIRN_PLANT)\n");
#endif
    return holds ? 0 : 1;
}
