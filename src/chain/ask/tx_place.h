/* tx_place.h - a row of the transaction index: where a transaction lies.
 *
 * Layer: chain. Pure. */
#ifndef CHAIN_ASK_TX_PLACE_H
#define CHAIN_ASK_TX_PLACE_H

#include "chain/tree/header_tree.h"
#include "consensus/tx.h"

#define TX_PLACE_TAG_BYTES 4
#define TX_PLACE_OLD_BYTES 8  /* rows of before: the block alone */
#define TX_PLACE_BYTES     28 /* height, tag, file, offset, length, first spent coin, CRC32C */

struct tx_place {
    int32_t height;                  /* of its block */
    uint8_t tag[TX_PLACE_TAG_BYTES]; /* that block's hash begins so */
    struct file_pos pos;             /* of its own bytes; file -1: not known. crc32c: see encode */
    uint32_t first_spent;            /* where its coins begin in the block's undo data */
};

/* Write the row of a transaction whose bytes are raw, and which lie at place->pos. The row's
 * CRC32C is that of its other fields followed by raw: place->pos.crc32c is not read. */
void tx_place_encode(const struct tx_place *place, struct span raw, uint8_t out[TX_PLACE_BYTES]);

/* Read a row of either form. False if it is of neither. */
NODISCARD bool tx_place_decode(struct span row, struct tx_place *place);

/* True if raw is what the row was written for. The transaction's id would not do: it says nothing
 * of witnesses, nor of the row. */
NODISCARD bool tx_place_proves(const struct tx_place *place, struct span raw);

#endif
