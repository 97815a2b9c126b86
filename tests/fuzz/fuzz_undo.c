/* fuzz_undo.c - whatever decodes as the undo data of a block encodes to the same bytes. */
#include <stddef.h>
#include <stdint.h>

#include "chain/disk/undo.h"
#include "util/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    /* The first two bytes say how many inputs the block's two transactions have. */
    struct tx tx[3] = {{.n_in = 1}, {.n_in = data[0]}, {.n_in = data[1]}};
    struct block block = {.tx = tx, .n_tx = 3};
    struct span raw = span_of(data + 2, size - 2);
    struct arena arena;
    struct undo undo;
    arena_init(&arena, 1024);
    if (undo_decode(raw, &block, &arena, &undo)) {
        ASSERT(undo.n_spent == (size_t)data[0] + data[1]);
        struct buffer again;
        buffer_init(&again);
        struct writer w = writer_to_growing(&again);
        undo_encode(&w, &undo);
        ASSERT(span_equal(buffer_span(&again), raw));
        buffer_deinit(&again);
    }
    arena_deinit(&arena);
    return 0;
}
