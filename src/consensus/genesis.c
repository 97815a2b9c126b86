/* genesis.c - see genesis.h */
#include "consensus/genesis.h"

#include "consensus/opcodes.h"
#include "consensus/pow.h"
#include "consensus/script_write.h"

/* As the first chain's begins: the easiest bits of that network and the number 4, both pushed, then
 * the message. They mean nothing, and tools that know one genesis block know this form. */
static const uint8_t script_head[] = {4, 0xff, 0xff, 0x00, 0x1d, 1, 4};

static struct tx make_coinbase(const struct genesis *genesis, struct arena *arena)
{
    static const uint8_t nobody[] = {OP_RETURN};
    struct span push = script_push(arena, span_of_string(genesis->message));
    struct tx tx = {.version = 1, .n_in = 1, .n_out = 1};
    tx.in = arena_calloc(arena, 1, sizeof *tx.in);
    tx.out = arena_calloc(arena, 1, sizeof *tx.out);
    tx.in[0].prevout.vout = OUTPOINT_INDEX_NULL;
    tx.in[0].sequence = SEQUENCE_FINAL;
    tx.in[0].script_sig = script_join(arena, span_of(script_head, sizeof script_head), push);
    tx.out[0].script_pubkey = span_of(nobody, sizeof nobody);
    tx_finish(&tx, arena);
    return tx;
}

/* A tree of one transaction: its id is the root. */
static struct block make_block(const struct genesis *genesis, struct arena *arena)
{
    ASSERT(genesis->message[0] && strlen(genesis->message) <= GENESIS_MESSAGE_BYTES_MAX);
    struct block block = {.header = {.version = 1,
                                     .time = genesis->time,
                                     .bits = genesis->bits,
                                     .nonce = genesis->nonce},
                          .n_tx = 1};
    block.tx = arena_calloc(arena, 1, sizeof *block.tx);
    block.tx[0] = make_coinbase(genesis, arena);
    memcpy(block.header.merkle_root, block.tx[0].txid.b, sizeof block.header.merkle_root);
    return block;
}

struct span genesis_encode(const struct genesis *genesis, struct arena *arena,
                           struct block_hash *hash)
{
    ASSERT(genesis && arena && hash);
    struct block block = make_block(genesis, arena);
    struct writer counting = writer_counting();
    block_encode(&counting, &block, false);
    uint8_t *bytes = arena_alloc(arena, counting.len);
    struct writer w = writer_to_buffer(bytes, counting.len);
    block_encode(&w, &block, false);
    *hash = block_header_hash(&block.header);
    return span_of(bytes, counting.len);
}

bool genesis_mine(const struct network *network, struct genesis *genesis, struct arena *arena)
{
    ASSERT(network && genesis && arena);
    struct block_header header = make_block(genesis, arena).header;
    for (;;) {
        struct block_hash hash = block_header_hash(&header);
        if (pow_check(network, &hash, header.bits)) {
            genesis->nonce = header.nonce;
            return true;
        }
        if (header.nonce++ == UINT32_MAX)
            return false;
    }
}
