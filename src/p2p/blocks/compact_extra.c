/* compact_extra.c - see compact_extra.h. */
#include "p2p/blocks/compact_extra.h"

#include "util/alloc.h"

void compact_extra_init(struct compact_extra *extra, size_t max)
{
    ASSERT(max <= COMPACT_EXTRA_TXS_MAX);
    *extra = (struct compact_extra){.max = max};
}

void compact_extra_deinit(struct compact_extra *extra)
{
    for (size_t i = 0; i < extra->n; i++)
        xfree((void *)extra->txs[i].raw.p);
    xfree(extra->txs);
    *extra = (struct compact_extra){0};
}

void compact_extra_add(struct compact_extra *extra, const struct tx *tx)
{
    ASSERT(extra->n <= extra->max);
    if (extra->max == 0 || tx->raw.len == 0 || tx->raw.len > COMPACT_EXTRA_TX_BYTES)
        return;
    if (!extra->txs)
        extra->txs = xcalloc(extra->max, sizeof *extra->txs);
    struct tx *slot = &extra->txs[extra->at];
    xfree((void *)slot->raw.p);
    *slot = *tx;
    slot->raw.p = xmemdup(tx->raw.p, tx->raw.len);
    slot->in = NULL, slot->out = NULL;
    slot->n_in = slot->n_out = 0;
    extra->n = MAX_OF(extra->n, extra->at + 1);
    extra->at = (extra->at + 1) % extra->max;
}
