/* address_history.c - see address_history.h */
#include "chain/ask/address_history.h"

#include <stdlib.h>

/* An output, to be found by its mark. */
struct marked {
    uint64_t mark;
    size_t out;
};

void address_history_deinit(struct address_history *history)
{
    ARRAY_FREE(&history->rows);
    ARRAY_FREE(&history->outs);
    ARRAY_FREE(&history->spends);
}

static int compare_marks(const void *a, const void *b)
{
    uint64_t x = ((const struct marked *)a)->mark, y = ((const struct marked *)b)->mark;
    return (x > y) - (x < y);
}

static struct marked *sort_marks(const struct address_history *history)
{
    struct marked *marks = xcalloc(history->outs.n + 1, sizeof *marks);
    for (size_t i = 0; i < history->outs.n; i++) {
        const struct address_out *out = &history->outs.at[i];
        const struct txid *txid = &history->rows.at[out->row].txid;
        marks[i] = (struct marked){address_mark(history->key, txid, out->vout), i};
    }
    qsort(marks, history->outs.n, sizeof *marks, compare_marks);
    return marks;
}

static bool match_spends(struct address_history *history, const struct marked *marks)
{
    for (size_t i = 0; i < history->spends.n; i++) {
        const struct address_spend *spend = &history->spends.at[i];
        struct marked wanted = {.mark = spend->mark};
        const struct marked *found =
            history->outs.n ? bsearch(&wanted, marks, history->outs.n, sizeof *marks, compare_marks)
                            : NULL;
        if (!found || history->outs.at[found->out].spent_by != ADDRESS_UNSPENT)
            return false;
        struct address_out *out = &history->outs.at[found->out];
        out->spent_by = spend->row;
        history->rows.at[spend->row].spent_sat += out->value_sat;
    }
    return true;
}

bool address_history_match(struct address_history *history)
{
    ASSERT(history->rows.n <= ADDRESS_ROWS_MAX);
    for (size_t i = 0; i < history->outs.n; i++) {
        struct address_out *out = &history->outs.at[i];
        ASSERT(out->row < history->rows.n);
        out->spent_by = ADDRESS_UNSPENT;
        history->rows.at[out->row].received_sat += out->value_sat;
    }
    struct marked *marks = sort_marks(history);
    bool ok = match_spends(history, marks);
    xfree(marks);
    return ok;
}
