/* sim_spend.c - see sim_spend.h */
#include "sim/sim_spend.h"

#include "consensus/network.h"
#include "consensus/opcodes.h"
#include "consensus/tx.h"
#include "sim/sim_anyone.h"
#include "util/alloc.h"
#include "util/arena.h"
#include "util/hex.h"

#define FEE_SAT      1000
#define LEAST_SAT    20000 /* smaller coins are not split any more */
#define KEPT_PERCENT 10

/* A witness of one item, which is the script. */
static const uint8_t witness[] = {1, 1, OP_1};

void sim_spend_init(struct sim_spend *spend, struct sim_random random)
{
    *spend = (struct sim_spend){.random = random};
}

void sim_spend_add(struct sim_spend *spend, const struct sim_coin *coin)
{
    ASSERT(coin);
    if (coin->value_sat < LEAST_SAT)
        return;
    size_t at =
        spend->n < SIM_SPEND_COINS ? spend->n++ : sim_random_below(&spend->random, SIM_SPEND_COINS);
    spend->coin[at] = *coin;
}

static struct sim_coin take(struct sim_spend *spend)
{
    size_t at = sim_random_below(&spend->random, spend->n);
    struct sim_coin coin = spend->coin[at];
    if (sim_random_below(&spend->random, 100) >= KEPT_PERCENT)
        spend->coin[at] = spend->coin[--spend->n];
    return coin;
}

static bool outpoint_equals(const struct outpoint *a, const struct outpoint *b)
{
    return a->vout == b->vout && memcmp(&a->txid, &b->txid, sizeof a->txid) == 0;
}

/* Fill the inputs; returns what they are worth. */
static int64_t spend_coins(struct sim_spend *spend, struct tx *tx)
{
    size_t wanted = 1 + sim_random_below(&spend->random, SIM_SPEND_INPUTS);
    int64_t total_sat = 0;
    while (tx->n_in < wanted && spend->n > 0) {
        struct sim_coin coin = take(spend);
        if (tx->n_in == 1 && outpoint_equals(&tx->in[0].prevout, &coin.outpoint))
            break;
        tx->in[tx->n_in++] = (struct tx_in){.prevout = coin.outpoint,
                                            .sequence = UINT32_MAX,
                                            .witness = span_of(witness, sizeof witness)};
        total_sat += coin.value_sat;
    }
    return total_sat;
}

bool sim_spend_make(struct sim_spend *spend, struct sim_spend_tx *made)
{
    struct tx_in in[SIM_SPEND_INPUTS];
    struct tx_out out[SIM_SPEND_OUTPUTS];
    struct tx tx = {.version = 2, .in = in, .out = out};
    int64_t total_sat = spend_coins(spend, &tx) - FEE_SAT;
    if (tx.n_in == 0)
        return false;
    tx.n_out = 1 + (uint32_t)sim_random_below(&spend->random, SIM_SPEND_OUTPUTS);
    for (uint32_t i = 0; i < tx.n_out; i++)
        out[i] = (struct tx_out){.value_sat = total_sat / tx.n_out,
                                 .script_pubkey = sim_anyone_script()};
    struct arena arena;
    arena_init(&arena, 4096);
    tx_finish(&tx, &arena);
    made->n_coins = tx.n_out;
    for (uint32_t i = 0; i < tx.n_out; i++)
        made->coin[i] = (struct sim_coin){.outpoint = {.txid = tx.txid, .vout = i},
                                          .value_sat = out[i].value_sat};
    hex_encode_reversed(made->id, span_of(tx.txid.b, sizeof tx.txid.b));
    made->hex = xmalloc(2 * tx.raw.len + 1);
    hex_encode(made->hex, tx.raw);
    arena_deinit(&arena);
    return true;
}

void sim_spend_add_mature(struct sim_spend *spend, const struct sim_base *base, int32_t height)
{
    ASSERT(spend);
    int32_t maturity = network_get(NETWORK_REGTEST)->coinbase_maturity; /* the base's network */
    while (spend->n_base < sim_base_height(base) && spend->n_base + 1 + maturity <= height + 1) {
        struct sim_coin coin = sim_base_coin(base, ++spend->n_base);
        sim_spend_add(spend, &coin);
    }
}

/* -- Sending ------------------------------------------------------------------------------------
 */

/* A transaction that a node looks at. */
struct sent {
    struct sim_spend *spend;
    struct sim_world *world;
    struct sim_spend_tx tx;
};

static void on_sent(void *arg, int status, const char *body)
{
    struct sent *sent = arg;
    if (status == 200) {
        sent->spend->n_accepted++;
        for (size_t i = 0; i < sent->tx.n_coins; i++)
            sim_spend_add(sent->spend, &sent->tx.coin[i]);
    } else {
        sent->spend->n_refused++;
        sim_world_trace(sent->world, "%s refused: %s", sent->tx.id, body);
    }
    xfree(sent);
}

void sim_spend_send(struct sim_spend *spend, struct sim_world *world, size_t node)
{
    struct sent *sent = xcalloc(1, sizeof *sent);
    *sent = (struct sent){.spend = spend, .world = world};
    if (!sim_spend_make(spend, &sent->tx)) {
        xfree(sent);
        return;
    }
    sim_world_trace(world, "%zu is sent %s", node, sent->tx.id);
    char *params = xasprintf("[\"%s\"]", sent->tx.hex);
    xfree(sent->tx.hex);
    sim_world_call(world, node, "sendrawtransaction", params, on_sent, sent);
    xfree(params);
}
