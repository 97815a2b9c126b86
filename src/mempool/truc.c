/* truc.c - see truc.h. All messages are Core's: tools take them apart. */
#include "mempool/truc.h"

#include <stdarg.h>
#include <stdio.h>

#include "util/hex.h"

#define NAME_BYTES (2 * HEX_ID_BYTES + 16)

/* "TXID (wtxid=WTXID)" */
static const char *name_of(const struct tx *tx, char name[NAME_BYTES])
{
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES];
    snprintf(name, NAME_BYTES, "%s (wtxid=%s)", hex_encode_reversed(txid, span_of(tx->txid.b, 32)),
             hex_encode_reversed(wtxid, span_of(tx->wtxid.b, 32)));
    return name;
}

static bool too_many_ancestors(struct verdict *verdict, const struct tx *tx)
{
    char name[NAME_BYTES];
    return verdict_set(verdict, REJECT_TRUC_VIOLATION, "tx %s would have too many ancestors",
                       name_of(tx, name));
}

static bool too_many_descendants(struct verdict *verdict, const struct tx *parent)
{
    char name[NAME_BYTES];
    return verdict_set(verdict, REJECT_TRUC_VIOLATION, "tx %s would exceed descendant count limit",
                       name_of(parent, name));
}

static bool is_truc(const struct tx *tx)
{
    return tx->version == POLICY_TRUC_VERSION;
}

/* Version 3 spends version 3 alone, and the other way round. */
static bool check_version(struct verdict *verdict, const struct tx *tx, const struct tx *parent)
{
    static const char *const kinds[] = {"non-version=3 tx", "version=3 tx"};
    char child_name[NAME_BYTES], parent_name[NAME_BYTES];
    if (is_truc(tx) == is_truc(parent))
        return true;
    return verdict_set(verdict, REJECT_TRUC_VIOLATION, "%s %s cannot spend from %s %s",
                       kinds[is_truc(tx)], name_of(tx, child_name), kinds[is_truc(parent)],
                       name_of(parent, parent_name));
}

static bool check_size(struct pool_check *check, struct verdict *verdict, const char *kind,
                       uint32_t max_vbytes)
{
    char name[NAME_BYTES];
    if (check->vbytes <= max_vbytes)
        return true;
    return verdict_set(verdict, REJECT_TRUC_VIOLATION, "%s %s is too big: %u > %u virtual bytes",
                       kind, name_of(&check->tx, name), check->vbytes, max_vbytes);
}

/* Does a child of the parent go for it? Then it takes that child's place. */
static bool replaces_child_of(const struct pool_check *check, const struct pool_entry *parent)
{
    for (uint32_t i = 0; i < check->n_conflicts; i++)
        for (uint32_t k = 0; k < parent->pub.n_children; k++)
            if (check->conflicts[i]->pub.index == parent->pub.children[k])
                return true;
    return false;
}

/* Of a parent that has one child, which has none and no other parent. */
static struct pool_entry *only_sibling(const struct mempool *mempool,
                                       const struct pool_entry *parent)
{
    struct pool_entry *child = mempool->slots.at[parent->pub.children[0]];
    bool is_pair = parent->pub.n_children == 1 && child->pub.n_children == 0 &&
                   child->pub.n_parents == 1 && parent->pub.n_parents == 0;
    return is_pair ? child : NULL;
}

bool pool_truc_check(struct pool_check *check, struct pool_entry **sibling)
{
    struct verdict *verdict = &check->verdict;
    struct pool_entry *const *parents = check->parents;
    *sibling = NULL;
    for (uint32_t i = 0; i < check->n_parents; i++)
        if (!check_version(verdict, &check->tx, &parents[i]->pub.tx))
            return false;
    if (!is_truc(&check->tx))
        return true;
    if (!check_size(check, verdict, "version=3 tx", POLICY_TRUC_VBYTES_MAX))
        return false;
    if (check->n_parents == 0)
        return true;
    if (check->n_parents > 1 || parents[0]->pub.n_parents > 0)
        return too_many_ancestors(verdict, &check->tx);
    if (!check_size(check, verdict, "version=3 child tx", POLICY_TRUC_CHILD_VBYTES_MAX))
        return false;
    if (parents[0]->pub.n_children == 0 || replaces_child_of(check, parents[0]))
        return true;
    *sibling = only_sibling(check->mempool, parents[0]);
    return too_many_descendants(verdict, &parents[0]->pub.tx);
}

/* -- In a package ------------------------------------------------------------------------------ */

static bool spends_from(const struct tx *tx, const struct txid *txid)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (txid_equal(&tx->in[i].prevout.txid, txid))
            return true;
    return false;
}

/* It has exactly one parent: nobody else of the package may spend from that, nor from it. */
static bool check_family(struct pool_check *const *checks, uint32_t n, uint32_t number,
                         const struct tx *parent, struct verdict *verdict)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i == number)
            continue;
        if (spends_from(&checks[i]->tx, &parent->txid))
            return too_many_descendants(verdict, parent);
        if (spends_from(&checks[i]->tx, &checks[number]->tx.txid))
            return too_many_ancestors(verdict, &checks[i]->tx);
    }
    return true;
}

bool pool_truc_check_in_package(struct pool_check *const *checks, uint32_t n, uint32_t number,
                                struct verdict *verdict)
{
    struct pool_check *check = checks[number];
    const struct tx *parent = NULL;
    uint32_t n_parents = check->n_parents + (uint32_t)__builtin_popcount(check->parents_before);
    if (is_truc(&check->tx) && n_parents > 1)
        return too_many_ancestors(verdict, &check->tx);
    if (is_truc(&check->tx) && n_parents == 1 &&
        !check_size(check, verdict, "version=3 child tx", POLICY_TRUC_CHILD_VBYTES_MAX))
        return false;
    for (uint32_t i = 0; i < check->n_parents; i++) {
        parent = &check->parents[i]->pub.tx;
        if (!check_version(verdict, &check->tx, parent))
            return false;
    }
    for (uint32_t bits = check->parents_before; bits; bits &= bits - 1) {
        parent = &checks[__builtin_ctz(bits)]->tx;
        if (!check_version(verdict, &check->tx, parent))
            return false;
    }
    if (!is_truc(&check->tx) || !parent)
        return true;
    if (!check_family(checks, n, number, parent, verdict))
        return false;
    if (check->n_parents > 0 && check->parents[0]->pub.n_children > 0)
        return too_many_descendants(verdict, parent);
    return true;
}
