/* sim_spend.h - transactions of a simulated world: coins that anyone can spend, without signatures.
 *
 * Layer: sim. Everything pays to P2WSH of OP_1, which is standard, so nodes relay it. */
#ifndef SIM_SPEND_H
#define SIM_SPEND_H

#include "sim/sim_random.h"
#include "sim/sim_world.h"

#define SIM_SPEND_COINS  48
#define SIM_SPEND_INPUTS 2
/* The address of that script on regtest. */
#define SIM_SPEND_ADDRESS "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"

/* Coins that were made at some time by somebody; some may be spent, or gone with a block that is
 * no longer in the chain: then nodes shall refuse who spends them. */
struct sim_spend {
    struct sim_coin coin[SIM_SPEND_COINS];
    size_t n;
    struct sim_random random;
};

/* No coins; draws from random, which is copied. */
void sim_spend_init(struct sim_spend *spend, struct sim_random random);
/* Know of one more coin; the place of an old one is used if there is no other. */
void sim_spend_add(struct sim_spend *spend, const struct sim_coin *coin);

/* Make a transaction that spends one or two of them, at random, to up to three new ones, which are
 * known from now on. Now and then a spent coin is kept, so that conflicts come up.
 *
 * Out:      id   the transaction's, as text
 * Returns:  the transaction as hexadecimal text, to be freed with xfree(); NULL if there is no coin
 */
char *sim_spend_make(struct sim_spend *spend, char id[HEX_ID_BYTES]);

#endif
