/* signet.c - the signed blocks of a signet.
 *
 *     coinbase output  OP_RETURN <aa21a9ed commitment> <ecc7daa2 solution>
 *     to_spend         has one output, whose script is the challenge; its scriptSig holds version,
 *                      previous hash, merkle root without the solution, and time of the block
 *     to_sign          spends that output; the solution is its scriptSig and witness */
#include "consensus/signet.h"

#include "consensus/block_check.h"
#include "consensus/merkle.h"
#include "consensus/script_iter.h"
#include "consensus/script_write.h"
#include "util/assert.h"

/* BIP-325, Specification */
static const uint8_t solution_header[4] = {0xec, 0xc7, 0xda, 0xa2};

#define COMPACT_SIZE_BYTES_MAX 9

/* The rules of segwit and before, whatever the height. */
#define SIGNET_SCRIPT_FLAGS                                                                        \
    (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_NULLDUMMY)

/* Something has to follow the header: a push of it alone is no solution. */
static bool has_solution_header(struct span push)
{
    return push.len > sizeof solution_header &&
           memcmp(push.p, solution_header, sizeof solution_header) == 0;
}

/* Copy the commitment script to out, with the first push that starts with the solution's header cut
 * down to the header: signatures cannot sign themselves. Returns true if there was one. Only the
 * first such push counts; others stay, and are signed with the rest. BIP-325, Specification */
static bool solution_cut(struct span script, struct arena *arena, struct span *out,
                         struct span *solution)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    uint8_t *copy = arena_alloc(arena, script.len);
    struct writer w = writer_to_buffer(copy, script.len);
    bool found = false;
    *solution = span_of(NULL, 0);
    while (script_next(&it, &op)) {
        if (op.push.len == 0) {
            write_u8(&w, op.opcode);
            continue;
        }
        struct span push = op.push;
        if (!found && has_solution_header(push)) {
            *solution = span_of(push.p + sizeof solution_header, push.len - sizeof solution_header);
            push.len = sizeof solution_header;
            found = true;
        }
        script_write_push(&w, push);
    }
    *out = found ? span_of(copy, w.len) : script;
    return found;
}

/* Root of the block's transactions with that coinbase. The coinbase without its solution has
 * another id, so the tree has another root: that is what was signed. */
static void modified_root(const struct block *block, const struct tx *coinbase, struct arena *arena,
                          uint8_t root[32])
{
    struct txid *ids = arena_alloc(arena, block->n_tx * sizeof *ids);
    memcpy(ids, block->txids, block->n_tx * sizeof *ids);
    ids[0] = coinbase->txid;
    bool mutated = merkle_root((const uint8_t *)ids, block->n_tx, arena, root);
    (void)mutated; /* the block's own tree has been checked for that */
}

/* A copy of the coinbase whose commitment script is another. */
static struct tx coinbase_with(const struct tx *coinbase, uint32_t index, struct span script,
                               struct arena *arena)
{
    ASSERT(index < coinbase->n_out);
    struct tx copy = *coinbase;
    copy.out = arena_alloc(arena, copy.n_out * sizeof *copy.out);
    memcpy(copy.out, coinbase->out, copy.n_out * sizeof *copy.out);
    copy.out[index].script_pubkey = script;
    tx_finish(&copy, arena);
    return copy;
}

/* One input, one output, version and lock time 0. Neither of the two transactions will ever be in a
 * block; they only give the interpreter what it needs. */
static struct tx tx_bare(struct arena *arena, struct span script_pubkey)
{
    struct tx tx = {.n_in = 1, .n_out = 1};
    tx.in = arena_calloc(arena, 1, sizeof *tx.in);
    tx.out = arena_calloc(arena, 1, sizeof *tx.out);
    tx.out[0].script_pubkey = script_pubkey;
    return tx;
}

/* What is signed: the header, with the root of the modified transactions, without bits and nonce
 * (so that a block can be signed before it is ground). Pushed after an OP_0.
 * BIP-325, Specification */
static struct span signed_data_script(const struct block *block, const uint8_t root[32],
                                      struct arena *arena)
{
    enum { DATA_BYTES = 4 + 32 + 32 + 4 };
    uint8_t *script = arena_alloc(arena, 2 + DATA_BYTES);
    struct writer w = writer_to_buffer(script, 2 + DATA_BYTES);
    write_u8(&w, OP_0);
    write_u8(&w, DATA_BYTES);
    write_u32(&w, (uint32_t)block->header.version);
    write_bytes(&w, block->header.prev.b, 32);
    write_bytes(&w, root, 32);
    write_u32(&w, block->header.time);
    return span_of(script, w.len);
}

/* The solution: a scriptSig and a witness stack, nothing behind them. BIP-325, Specification */
static bool solution_decode(struct span solution, struct tx_in *in)
{
    struct reader r = reader_of(solution);
    in->script_sig = read_var_span(&r);
    const uint8_t *start = r.at;
    uint64_t items = read_compact_size(&r);
    for (uint64_t i = 0; i < items && !r.failed; i++)
        (void)read_var_span(&r);
    if (!reader_finish(&r))
        return false;
    in->witness = items ? span_of(start, (size_t)(r.at - start)) : span_of(NULL, 0);
    return true;
}

/* The first one pays to the challenge and commits to the block in its scriptSig; the second one
 * spends it with the solution, to an output that nobody can spend. */
bool signet_txs_make(const struct block *block, struct span challenge, struct arena *arena,
                     struct signet_txs *txs)
{
    static const uint8_t op_return[1] = {OP_RETURN};
    uint32_t index = block_commitment_index(block);
    if (index == BLOCK_COMMITMENT_NONE)
        return false;

    struct span script, solution;
    bool found = solution_cut(block->tx[0].out[index].script_pubkey, arena, &script, &solution);
    struct tx coinbase = coinbase_with(&block->tx[0], index, script, arena);
    uint8_t root[32];
    modified_root(block, &coinbase, arena, root);

    txs->to_spend = tx_bare(arena, challenge);
    txs->to_spend.in[0].prevout.vout = OUTPOINT_INDEX_NULL;
    txs->to_spend.in[0].script_sig = signed_data_script(block, root, arena);
    tx_finish(&txs->to_spend, arena);

    txs->to_sign = tx_bare(arena, span_of(op_return, sizeof op_return));
    txs->to_sign.in[0].prevout.txid = txs->to_spend.txid;
    if (found && !solution_decode(solution, &txs->to_sign.in[0]))
        return false;
    tx_finish(&txs->to_sign, arena);
    return true;
}

/* The flags are fixed: they are part of the network's rules, and do not change with height. Taproot
 * is not among them: a challenge of that form would be met by anything. */
bool signet_txs_check(const struct signet_txs *txs, struct script_scratch *scratch)
{
    struct tx_sighash sighash;
    tx_sighash_init(&sighash, &txs->to_sign, txs->to_spend.out);
    struct script_check check = {.tx = &txs->to_sign,
                                 .input = 0,
                                 .flags = SIGNET_SCRIPT_FLAGS,
                                 .spent = txs->to_spend.out,
                                 .sighash = &sighash};
    return script_verify(&check, scratch) == SCRIPT_OK;
}

struct span signet_script_with(struct span script, struct span solution, struct arena *arena)
{
    struct span marked =
        script_join(arena, span_of(solution_header, sizeof solution_header), solution);
    return script_join(arena, script, script_push(arena, marked));
}

/* A witness is kept as its own encoding, with the count in front; an empty one is a count of 0. */
struct span signet_solution_encode(const struct tx_in *in, struct arena *arena)
{
    static const uint8_t no_items[1] = {0};
    struct span witness = in->witness.len > 0 ? in->witness : span_of(no_items, sizeof no_items);
    size_t room = in->script_sig.len + COMPACT_SIZE_BYTES_MAX + witness.len;
    uint8_t *bytes = arena_alloc(arena, room);
    struct writer w = writer_to_buffer(bytes, room);
    write_var_span(&w, in->script_sig);
    write_span(&w, witness);
    return span_of(bytes, w.len);
}

bool signet_check(const struct block *block, const struct network *network, struct arena *arena,
                  struct script_scratch *scratch)
{
    ASSERT(block && network);
    if (!network->signet_blocks || block_hash_equal(&block->hash, &network->genesis_hash))
        return true;

    struct arena_mark mark = arena_mark(arena);
    struct signet_txs txs;
    bool ok = signet_txs_make(block, network->signet_challenge, arena, &txs) &&
              signet_txs_check(&txs, scratch);
    arena_rewind(arena, mark);
    return ok;
}
