/* compact_fill.h - a block put together from its short ids and what is here already.
 *
 * Layer: p2p. Pure. One table of short ids is made for a block, and every transaction that is known
 * is held against it: nothing is allocated for any of them. Begin, offer, then either finish at
 * once or keep, request, supply and finish. Spec: BIP-152, cmpctblock */
#ifndef P2P_CORE_COMPACT_FILL_H
#define P2P_CORE_COMPACT_FILL_H

#include "p2p/core/compact.h"

/* Slots of the table that are looked at for one short id, at most. Chance does not bring that
 * about, as the table is never half full and its hash is ours. Core has such a limit, too. */
#define COMPACT_FILL_PROBES_MAX 64
/* Bytes of all transactions. A block that has more is none: it is not kept, and nothing more need
 * be offered. */
#define COMPACT_FILL_BYTES_MAX BLOCK_SERIALIZED_MAX_BYTES

enum compact_result {
    COMPACT_OK,
    COMPACT_FAILED,  /* nobody need be at fault: short ids collide. The whole block may be asked for
                      */
    COMPACT_INVALID, /* whoever sent it is */
};

/* Where a transaction is from. */
enum compact_from {
    COMPACT_FROM_NOWHERE, /* missing */
    COMPACT_FROM_SENDER,  /* it was prefilled */
    COMPACT_FROM_POOL,
    COMPACT_FROM_EXTRA, /* the pool has it no more, or never took it */
    COMPACT_FROM_TWO,   /* two have its short id: missing, and stays so */
    COMPACT_FROM_REPLY, /* it was asked for */
};

/* One block that is being put together. Owns its memory. */
struct compact_fill {
    struct block block; /* n_tx transactions; those that are missing have no bytes */
    struct siphash_key key;
    struct arena arena;
    enum compact_from *from; /* n_tx */
    uint64_t *table;     /* short id << 16 | index; UINT64_MAX: free. NULL: not needed any more */
    uint64_t multiplier; /* odd: of the table's hash */
    unsigned table_bits;
    uint32_t n_missing, n_prefilled, n_extra;
    size_t bytes; /* of the transactions that are here */
    bool is_finished;
};

/* Begin with what a message tells, whose bytes are borrowed.
 *
 * In:       arena   of the decoded message: taken over
 *           random  any number: makes the table's hash one that nobody can foresee
 * Out:      fill    to be freed with compact_fill_deinit(), whatever is returned
 * Returns:  INVALID: the indexes or counts cannot be a block's; FAILED: short ids collide */
NODISCARD enum compact_result compact_fill_begin(struct compact_fill *fill,
                                                 const struct compact_block *message,
                                                 const struct arena *arena, uint64_t random);
/* Free what it owns. A zeroed one may be freed, too. */
void compact_fill_deinit(struct compact_fill *fill);

/* Here is a transaction, borrowed until compact_fill_keep() or the end: is it one of the block's?
 * Two that differ and have the same short id are both refused: it has to be asked for.
 *
 * Returns:  false if no more need be offered */
bool compact_fill_offer(struct compact_fill *fill, const struct tx *tx, enum compact_from from);

/* An answer is to be waited for: copy all that is borrowed, which is no more than a block has. */
void compact_fill_keep(struct compact_fill *fill);
/* Write a getblocktxn for what is missing. */
void compact_fill_request(const struct compact_fill *fill, struct writer *w);
/* Here is what was missing, in order; borrowed until the end.
 *
 * Returns:  INVALID: too many or too few */
NODISCARD enum compact_result compact_fill_supply(struct compact_fill *fill, const struct tx *txs,
                                                  uint32_t n);

/* Nothing is missing: is it the block that the header commits to? Once.
 *
 * In:       check_witness  segwit is active: a commitment to the witnesses must hold, too
 *           scratch        rewound before the return
 * Returns:  FAILED: it is not, maybe because of a short id that two transactions share. */
NODISCARD enum compact_result compact_fill_finish(struct compact_fill *fill, bool check_witness,
                                                  struct arena *scratch);
/* How many bytes the finished block has. */
size_t compact_fill_len(const struct compact_fill *fill);
/* Write these. */
void compact_fill_write(const struct compact_fill *fill, uint8_t *bytes, size_t len);
/* What its n_tx transactions are called, from xmalloc. */
struct tx_ids *compact_fill_ids(const struct compact_fill *fill);

#endif
