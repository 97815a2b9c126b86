/* tx_verify.h - rules about a transaction and the coins it spends, and about its lock times.
 *
 * Layer: consensus. Pure: the caller looks the coins up.
 *
 * Three questions remain for a transaction that passed tx_check(). Do its coins exist, and are they
 * worth what it pays: tx_verify_inputs(). Has its time come: tx_is_final() for the lock time of the
 * whole, sequence_locks_of() for those of its inputs. May it spend them: script_verify(). The first
 * two cost little and depend on the place in the chain; the last costs nearly all the time and does
 * not, so its answer can be kept when the tip changes. */
#ifndef CONSENSUS_TX_VERIFY_H
#define CONSENSUS_TX_VERIFY_H

#include "consensus/network.h"
#include "consensus/reject.h"
#include "consensus/tx.h"

#define LOCK_TIME_THRESHOLD UINT32_C(500000000) /* below: a height; from here on: a time */

/* How a sequence number holds a relative lock time: with the top bit it is none; bit 22 chooses
 * between time and blocks; the lowest 16 bits are the amount. Time counts in units of 512 seconds,
 * so that 16 bits reach about as far as 65,535 blocks do, more than a year. The other bits have no
 * meaning and are ignored. BIP-68, Specification */
#define SEQUENCE_LOCK_DISABLE    (UINT32_C(1) << 31) /* BIP-68, Specification */
#define SEQUENCE_LOCK_TIME       (UINT32_C(1) << 22) /* units of 512 s, else blocks */
#define SEQUENCE_LOCK_MASK       UINT32_C(0xffff)
#define SEQUENCE_LOCK_TIME_SHIFT 9

/* What the rules ask about the coin that one input spends. The script is not among it: that it is
 * satisfied is asked apart, by script_verify(), for many inputs at once on other threads. */
struct spent_coin {
    int64_t value_sat;
    uint32_t height; /* of the block that created it */
    bool coinbase;
    bool missing; /* no such coin, or spent already; the rest is then not looked at */
};

/* Check a transaction that is no coinbase against its coins.
 *
 * In:       network       how old a coinbase has to be
 *           spent         n_in of them, in order of the inputs
 *           spend_height  of the block that holds tx, or would
 * Out:      fee_sat       set only if the result is REJECT_NONE
 * Returns:  the first rule broken, in Core's order: INPUTS_MISSING, PREMATURE_SPEND,
 *           INPUT_VALUES_OUT_OF_RANGE, IN_BELOW_OUT, FEE_OUT_OF_RANGE. These are verdicts on a
 *           block; for a transaction alone see reject_for_tx()
 * Spec:     Core CheckTxInputs() */
NODISCARD enum reject tx_verify_inputs(const struct tx *tx, const struct network *network,
                                       const struct spent_coin *spent, int32_t spend_height,
                                       int64_t *fee_sat);

/* What Core adds to a verdict of tx_verify_inputs() in its debug message; "" for some.
 *
 * In:       all as given there, and the verdict
 * Returns:  out, zero-terminated */
#define TX_VERIFY_DETAIL_BYTES 80
char *tx_verify_detail(enum reject reject, const struct tx *tx, const struct network *network,
                       const struct spent_coin *spent, int32_t spend_height,
                       char out[TX_VERIFY_DETAIL_BYTES]);

/* The verdict, with Core's debug message, where the script of an input has failed. */
void tx_script_verdict(struct verdict *verdict, enum reject reject, const struct tx *tx,
                       uint32_t input, int script_error);

/* The same rule for a transaction that is not in a block: missing coins and young coinbases may
 * be there later, so INPUTS_MISSING and PREMATURE_SPEND become INPUTS_UNKNOWN (class MISSING) and
 * PREMATURE_SPEND_YET (class EARLY). */
enum reject reject_for_tx(enum reject reject);

/* Sum of all outputs; the transaction has passed tx_check(). */
int64_t tx_output_total_sat(const struct tx *tx);

/* May tx be in a block at this height, whose lock times are measured by time_s (its own time, or
 * the median time past before it since BIP113)? Coinbases are no exception.
 *
 *     lock time             the transaction may be in
 *     0                     any block
 *     up to 499,999,999     a block above that height
 *     from 500,000,000      a block whose measure of time is above it
 *     any, all sequences    any block
 *     0xffffffff */
bool tx_is_final(const struct tx *tx, int32_t height, int64_t time_s);

/* The last height and time at which a transaction is still locked; -1 for none. Like the lock time
 * of a transaction, these name the last block that is too early: so a comparison with "less than"
 * is right for both, and an input without a lock is -1, before every block. BIP-68,
 * Specification */
struct sequence_locks {
    int32_t height;
    int64_t time_s;
};

/* Where the median times of blocks in the chain come from. */
struct median_time_source {
    void *ctx;
    /* Median time past of the block at height, in the chain below the one that holds tx. */
    int64_t (*at)(void *ctx, int32_t height);
};

/* Compute when the relative locks of tx open. Call it only where BIP68 is active.
 *
 * In:       spent   n_in of them; only heights are used. For a coin of the mempool: the height of
 *                   the next block
 *           times   asked only for inputs with a time lock, at the height before the coin's
 *
 * An example: a coin of height 100, a sequence of 10 blocks. The height is 109, and the transaction
 * may be in block 110. With 10 units of time instead it may be in a block whose predecessor has a
 * median time past of at least that of block 99 plus 5,120 seconds. */
struct sequence_locks sequence_locks_of(const struct tx *tx, const struct spent_coin *spent,
                                        const struct median_time_source *times);

/* Are the locks open in the block at height, whose predecessor has that median time past? */
bool sequence_locks_open(struct sequence_locks locks, int32_t height, int64_t prev_mtp_s);

#endif
