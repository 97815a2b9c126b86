/* coin.h - an unspent transaction output, and its compressed form for store and undo data.
 *
 * Layer: chain. One coin has one encoding: any other form of it is refused when it is read. */
#ifndef CHAIN_COINS_COIN_H
#define CHAIN_COINS_COIN_H

#include "consensus/tx.h"

#define COIN_HEIGHT_MAX ((UINT32_C(1) << 31) - 1)

struct coin {
    int64_t value_sat;
    struct span script_pubkey; /* borrowed */
    uint32_t height;           /* of the block that created it */
    bool coinbase;
};

/* Scripts that are stored by a short payload instead of their bytes. */
enum coin_script_class {
    COIN_SCRIPT_RAW,     /* payload: the script itself */
    COIN_SCRIPT_P2PKH,   /* 20 bytes */
    COIN_SCRIPT_P2SH,    /* 20 bytes */
    COIN_SCRIPT_P2PK_02, /* 32 bytes: x of a compressed key */
    COIN_SCRIPT_P2PK_03,
    COIN_SCRIPT_P2WPKH, /* 20 bytes */
    COIN_SCRIPT_P2WSH,  /* 32 bytes */
    COIN_SCRIPT_P2TR,   /* 32 bytes */
    COIN_SCRIPT_CLASS_COUNT,
};

#define COIN_SCRIPT_EXPANDED_MAX 35 /* longest script that a class other than RAW stands for */

/* Find the class of a script and the part of it that must be kept (borrowed from script). */
enum coin_script_class coin_script_classify(struct span script, struct span *payload);

/* Rebuild the script of a class other than RAW from its payload. Returns its length. */
size_t coin_script_expand(enum coin_script_class class, const uint8_t *payload,
                          uint8_t out[COIN_SCRIPT_EXPANDED_MAX]);

/* An amount with its zeros taken off, as Core's coins have it too; 0 .. MAX_MONEY_SAT. */
uint64_t coin_amount_compress(uint64_t amount_sat);
/* The opposite of any number; UINT64_MAX where the amount is beyond MAX_MONEY_SAT. */
uint64_t coin_amount_expand(uint64_t code);

/* Compressed: varint(height * 2 + coinbase), varint(compressed amount), class, payload. */
void coin_encode(struct writer *w, const struct coin *coin);

/* Decode; the script is expanded into arena. Fails the reader if malformed. */
bool coin_decode(struct reader *r, struct arena *arena, struct coin *coin);

#endif
