/* tx_json.h - scripts, transactions and blocks as the JSON that every wallet tool knows.
 *
 * Layer: rpc. Any thread: everything read is immutable. Spec: Core TxToUniv(), ScriptToUniv(),
 * ScriptToAsmStr(), blockToJSON(). */
#ifndef RPC_TX_JSON_H
#define RPC_TX_JSON_H

#include "chain/disk/undo.h"
#include "consensus/block.h"
#include "consensus/network.h"
#include "rpc/json_out.h"

/* A script as words. decode_sighash: a push that is a signature is shown with the name of its
 * hash type, as in "3044...[ALL]". */
void tx_json_write_asm(struct buffer *buffer, struct span script, bool decode_sighash);

enum tx_json_script_flags {
    TX_JSON_HEX = 1,
    TX_JSON_ADDRESS = 2, /* desc and address */
};
/* The fields of a script, into an open object. inside: see desc_infer(). */
void tx_json_put_script(struct json_out *out, const struct network *network, struct span script,
                        int flags, const struct span *inside);

/* The object "scriptPubKey" of an output, with all of these fields. */
void tx_json_field_script_pubkey(struct json_out *out, const struct network *network,
                                 struct span script);

/* How a transaction is shown. */
struct tx_json_style {
    const struct network *network;
    bool with_hex;
    bool with_prevouts; /* the outputs spent, if known */
};
/* The fields of a transaction, into an open object.
 * In:  spent  n_in coins in the order of the inputs, for fee and prevouts; NULL if unknown */
void tx_json_put_tx(struct json_out *out, const struct tx *tx, const struct coin *spent,
                    const struct tx_json_style *style);

/* A coinbase, the short form in getblock. One value. */
void tx_json_put_coinbase(struct json_out *out, const struct tx *tx);

#endif
