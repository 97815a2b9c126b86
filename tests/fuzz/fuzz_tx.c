/* fuzz_tx.c - whatever decodes as a transaction encodes to the same bytes and keeps its id. */
#include <stddef.h>
#include <stdint.h>

#include "consensus/sigops.h"
#include "consensus/tx_check.h"
#include "util/alloc.h"

static void check_again(const struct tx *tx, struct arena *arena)
{
    uint8_t *copy = xmalloc(tx->raw.len);
    struct writer w = writer_to_buffer(copy, tx->raw.len);
    tx_encode(&w, tx, true);
    ASSERT(span_equal(span_of(copy, w.len), tx->raw));

    /* stripped of its witness it has the same txid */
    struct writer stripped = writer_to_buffer(copy, tx->raw.len);
    tx_encode(&stripped, tx, false);
    ASSERT(stripped.len == tx->base_bytes);
    struct reader r = reader_of(span_of(copy, stripped.len));
    struct tx plain;
    ASSERT(tx_decode(&r, arena, false, &plain) && reader_finish(&r));
    ASSERT(txid_equal(&plain.txid, &tx->txid));
    ASSERT(plain.has_witness == false);
    xfree(copy);
}

static void walk_witnesses(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct witness_iter it = witness_iter_of(tx->in[i].witness);
        struct span item;
        while (witness_next(&it, &item))
            continue;
        ASSERT(it.left == 0 && !it.r.failed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, 4096);
    for (int allow_witness = 0; allow_witness < 2; allow_witness++) {
        struct reader r = reader_of(span_of(data, size));
        struct tx tx;
        if (!tx_decode(&r, &arena, allow_witness, &tx))
            continue;
        check_again(&tx, &arena);
        walk_witnesses(&tx);
        (void)tx_legacy_sigops(&tx);
        if (tx_check(&tx, &arena) == REJECT_NONE)
            ASSERT(tx.n_in > 0 && tx.n_out > 0);
    }
    arena_deinit(&arena);
    return 0;
}
