/* ids.c - see ids.h. */
#include "consensus/ids.h"

#include <stdlib.h>

#include "util/assert.h"

int txids_compare(const void *a, const void *b)
{
    return txid_compare(a, b);
}

size_t txids_sort_unique(struct txid *ids, size_t n)
{
    ASSERT(ids || n == 0);
    if (n > 0)
        qsort(ids, n, sizeof *ids, txids_compare);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !txid_equal(&ids[kept - 1], &ids[i]))
            ids[kept++] = ids[i];
    return kept;
}
