/* fuzz_block.c - whatever decodes as a block encodes to the same bytes; no rule may crash on it. */
#include <stddef.h>
#include <stdint.h>

#include "consensus/block_check.h"
#include "consensus/signet.h"
#include "util/alloc.h"

static void check_rules(const struct block *block, struct arena *arena)
{
    struct verdict verdict;
    struct signet_txs txs;
    const struct network *network = network_get(NETWORK_SIGNET);
    bool ok = block_check(block, network_get(NETWORK_REGTEST), 0, arena, &verdict);
    ASSERT(ok == (verdict.code == REJECT_NONE));
    (void)block_is_mutated(block, true, arena);
    if (!ok)
        return; /* what follows may rely on the context-free rules */
    for (int32_t height = 0; height < 2; height++) {
        ok = block_check_context(block, network, height, 0, arena, &verdict);
        ASSERT(ok == (verdict.code == REJECT_NONE));
    }
    ok = signet_txs_make(block, network->signet_challenge, arena, &txs);
    ASSERT(!ok || txs.to_sign.n_in == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct block block;
    arena_init(&arena, 4096);
    if (block_decode(span_of(data, size), &arena, &block)) {
        uint8_t *copy = xmalloc(size);
        struct writer w = writer_to_buffer(copy, size);
        block_encode(&w, &block, true);
        ASSERT(w.len == size && memcmp(copy, data, size) == 0);
        xfree(copy);

        struct writer stripped = writer_counting();
        block_encode(&stripped, &block, false);
        ASSERT(stripped.len == block.base_bytes);
        check_rules(&block, &arena);
    }
    arena_deinit(&arena);
    return 0;
}
