/* fuzz_merkle_proof.c - a proof of any bytes names no more transactions than its block has. */
#include <stddef.h>
#include <stdint.h>

#include "consensus/merkle_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct merkle_proof proof;
    arena_init(&arena, 4096);
    if (merkle_proof_read(span_of(data, size), &arena, &proof))
        ASSERT(proof.n_ids <= proof.n_tx && (proof.is_whole || proof.n_ids == 0));
    arena_deinit(&arena);
    return 0;
}
