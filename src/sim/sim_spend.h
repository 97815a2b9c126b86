/* sim_spend.h - transactions of a simulated world: coins that anyone can spend, without signatures.
 *
 * Layer: sim. Everything pays to P2WSH of OP_1, which is standard, so nodes relay it. */
#ifndef SIM_SPEND_H
#define SIM_SPEND_H

#include "sim/sim_random.h"
#include "sim/sim_world.h"

#define SIM_SPEND_COINS   48
#define SIM_SPEND_INPUTS  2
#define SIM_SPEND_OUTPUTS 3
/* The address of that script on regtest. */
#define SIM_SPEND_ADDRESS "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"

/* Coins that were made at some time by somebody; some may be spent, or gone with a block that is
 * no longer in the chain: then nodes shall refuse who spends them. */
struct sim_spend {
    struct sim_coin coin[SIM_SPEND_COINS];
    size_t n;
    struct sim_random random;
    uint64_t n_accepted, n_refused;
    int32_t n_base; /* coinbases of the base that are known */
};

/* A transaction that was made. */
struct sim_spend_tx {
    char id[HEX_ID_BYTES];
    char *hex; /* to be freed with xfree() */
    struct sim_coin coin[SIM_SPEND_OUTPUTS];
    size_t n_coins;
};

/* No coins; draws from random, which is copied. */
void sim_spend_init(struct sim_spend *spend, struct sim_random random);
/* Know of one more coin; the place of an old one is used if there is no other. */
void sim_spend_add(struct sim_spend *spend, const struct sim_coin *coin);
/* Know of the coinbases of base that are mature in a block after height. */
void sim_spend_add_mature(struct sim_spend *spend, const struct sim_base *base, int32_t height);

/* Make a transaction that spends one or two of the coins, at random, to up to three new ones. Now
 * and then a spent coin is kept, so that conflicts come up.
 *
 * Returns:  false if there is no coin */
NODISCARD bool sim_spend_make(struct sim_spend *spend, struct sim_spend_tx *tx);
/* Make one and send it to a node, which must be on; its coins are known once the node takes it.
 * spend must live as long as the world. */
void sim_spend_send(struct sim_spend *spend, struct sim_world *world, size_t node);

#endif
