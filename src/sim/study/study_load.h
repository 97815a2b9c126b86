/* study_load.h - valid, signed transactions for a simulated network.
 *
 * Layer: sim. Everything pays to one key by P2WPKH (BIP-141, P2WPKH). The oldest coin is spent
 * first: where there are more than are spent between two blocks, those spent are confirmed, mostly,
 * and no chain of unconfirmed transactions grows long. */
#ifndef SIM_STUDY_STUDY_LOAD_H
#define SIM_STUDY_STUDY_LOAD_H

#include "sim/sim_random.h"
#include "sim/sim_world.h"

#define STUDY_LOAD_INPUTS  2
#define STUDY_LOAD_OUTPUTS 2

struct study_load;

/* A transaction that was made. */
struct study_tx {
    char id[HEX_ID_BYTES];
    char *hex;    /* to be freed with xfree() */
    size_t bytes; /* on the wire */
    struct sim_coin coin[STUDY_LOAD_OUTPUTS];
    size_t n_coins;
};

/* No coins yet. Draws from random, which is copied. Owns: the caller. */
struct study_load *study_load_new(struct sim_random random);
/* NULL is allowed. */
void study_load_free(struct study_load *load);
/* What it can spend: the script of outputs. Borrowed for its life. */
struct span study_load_script(const struct study_load *load);
/* One more coin, of that script. */
void study_load_add(struct study_load *load, const struct sim_coin *coin);
/* Spend one or two coins to two new ones, for a fee at random; nobody has the new ones before
 * study_load_add().
 *
 * Returns:  false if there is no coin */
NODISCARD bool study_load_make(struct study_load *load, struct study_tx *made);

#endif
