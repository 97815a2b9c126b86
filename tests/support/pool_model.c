/* pool_model.c - see pool_model.h: what is in the mempool and in the chain. */
#include "support/pool_model.h"

struct model_counts model_counts;

void model_fail(const struct pool_model *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("FAILED: seed %llu, operation %d (%s): ", (unsigned long long)m->seed, m->op, m->what);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    exit(1);
}

/* -- Lists ------------------------------------------------------------------------------------- */

bool model_list_has(const struct model_list *list, int tx)
{
    for (int i = 0; i < list->n; i++)
        if (list->at[i] == tx)
            return true;
    return false;
}

void model_list_add(struct model_list *list, int tx)
{
    if (!model_list_has(list, tx))
        list->at[list->n++] = tx;
}

bool model_has(const struct pool_model *m, int tx)
{
    for (int i = 0; i < m->n_pool; i++)
        if (m->pool[i].tx == tx)
            return true;
    return false;
}

bool model_spends(const struct pool_model *m, int child, int parent)
{
    for (uint32_t i = 0; i < m->tx[child].tx.n_in; i++)
        if (m->tx[child].in[i].tx == parent)
            return true;
    return false;
}

int64_t model_modified_fee(const struct pool_model *m, int tx)
{
    return m->tx[tx].fee_sat + m->tx[tx].delta_sat;
}

struct model_list model_all(const struct pool_model *m)
{
    struct model_list all = {.n = m->n_pool};
    for (int i = 0; i < m->n_pool; i++)
        all.at[i] = m->pool[i].tx;
    return all;
}

struct model_list model_with_descendants(const struct pool_model *m, const struct model_list *set)
{
    struct model_list list = *set;
    for (int i = 0; i < list.n; i++)
        for (int k = 0; k < m->n_pool; k++)
            if (model_spends(m, m->pool[k].tx, list.at[i]))
                model_list_add(&list, m->pool[k].tx);
    return list;
}

struct model_list model_parents(const struct pool_model *m, int tx)
{
    struct model_list list = {0};
    for (uint32_t i = 0; i < m->tx[tx].tx.n_in; i++)
        if (m->tx[tx].in[i].tx >= 0 && model_has(m, m->tx[tx].in[i].tx))
            model_list_add(&list, m->tx[tx].in[i].tx);
    return list;
}

struct model_list model_ancestors(const struct pool_model *m, int tx)
{
    struct model_list list = model_parents(m, tx);
    for (int i = 0; i < list.n; i++) {
        struct model_list more = model_parents(m, list.at[i]);
        for (int k = 0; k < more.n; k++)
            model_list_add(&list, more.at[k]);
    }
    return list;
}

/* -- The chain --------------------------------------------------------------------------------- */

int32_t model_tip_height(const struct pool_model *m)
{
    return m->base_height + m->chain.n;
}

int32_t model_height_of(const struct pool_model *m, int tx)
{
    for (int i = 0; i < m->chain.n; i++)
        for (int k = 0; k < m->chain.at[i].n; k++)
            if (m->chain.at[i].tx[k] == tx)
                return m->base_height + 1 + i;
    return -1;
}

static bool is_same(struct model_out a, struct model_out b)
{
    return a.tx == b.tx && a.vout == b.vout;
}

static bool spends_out(const struct model_tx *tx, struct model_out out)
{
    for (uint32_t j = 0; j < tx->tx.n_in; j++)
        if (is_same(tx->in[j], out))
            return true;
    return false;
}

static bool is_spent_in_chain(const struct pool_model *m, struct model_out out)
{
    for (int i = 0; i < m->chain.n; i++)
        for (int k = 0; k < m->chain.at[i].n; k++)
            if (spends_out(&m->tx[m->chain.at[i].tx[k]], out))
                return true;
    return false;
}

bool model_is_coin(const struct pool_model *m, struct model_out out, int32_t *height,
                   bool *is_coinbase)
{
    *height = out.tx < 0 ? m->coin[out.vout].height : model_height_of(m, out.tx);
    *is_coinbase = out.tx < 0 && m->coin[out.vout].is_coinbase;
    return *height >= 0 && !is_spent_in_chain(m, out);
}

bool model_is_valid_in_block(const struct pool_model *m, int tx)
{
    const struct model_tx *it = &m->tx[tx];
    int32_t own = model_tip_height(m);
    if (it->fee_sat < 0 || model_height_of(m, tx) >= 0)
        return false;
    for (uint32_t i = 0; i < it->tx.n_in; i++) {
        int32_t height;
        bool is_coinbase;
        uint32_t sequence = it->tx.in[i].sequence;
        if (!model_is_coin(m, it->in[i], &height, &is_coinbase))
            return false;
        if (is_coinbase && own - height < 100)
            return false;
        if (sequence != SEQUENCE_FINAL && (int64_t)it->tx.lock_time >= own)
            return false;
        if (sequence < 0xffff && height + (int32_t)sequence > own)
            return false;
    }
    return true;
}
