/* p2p_risk.c - how likely it is that all whom we hear are one party: an eclipse.
 *
 * Nothing here decides anything: it is for the operator. Each sign alone can be chance, a small
 * network or a slow hour; two of them are worth a look, a better chain that does not come is an
 * alarm. Hazards 70 and 71 */
#include <stdlib.h>

#include "p2p/state.h"
#include "util/alloc.h"

#define RISK_HEADER_LAG_BLOCKS 6    /* as many as a merchant waits for */
#define RISK_SOURCE_SHARE      0.25 /* of new, told by one group; 64 of 1,024 buckets are 1/16 */
#define RISK_GROUP_SHARE       0.10 /* of tried, held by one group; 8 of 256 buckets are 1/32 */
#define RISK_PLACES_MIN        64   /* fewer say nothing */
#define RISK_OUTBOUND_MIN      4
#define RISK_REASONS_MAX       6
#define RISK_TIP_SPACINGS      6 /* of the network's time between blocks: once in 400 by chance */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts the hashes. Out: n_kinds  how many different ones. Returns: how often the commonest is */
static size_t commonest(uint64_t *hashes, size_t n, size_t *n_kinds)
{
    size_t best = 0;
    *n_kinds = 0;
    qsort(hashes, n, sizeof *hashes, by_value);
    for (size_t i = 0, run = 0; i < n; i++) {
        bool is_new = i == 0 || hashes[i] != hashes[i - 1];
        run = is_new ? 1 : run + 1;
        *n_kinds += is_new;
        best = MAX_OF(best, run);
    }
    return best;
}

static uint64_t hash_of(const struct p2p *p2p, const struct net_address *address)
{
    struct net_group group = net_grouping_of(&p2p->grouping, address);
    return net_group_hash(p2p->key, &group);
}

/* What the group that told most has of new, or the largest group of tried. */
static double largest_share(const struct p2p *p2p, bool tried, size_t *n_places)
{
    ARRAY(uint64_t) hashes = {NULL, 0, 0};
    struct address_place place;
    size_t at = 0, n_kinds;
    while (address_book_next_place(p2p->book, tried, &at, &place))
        *ARRAY_ADD(&hashes) = hash_of(p2p, tried ? &place.entry.address.at : &place.entry.told_by);
    *n_places = hashes.n;
    size_t most = hashes.n > 0 ? commonest(hashes.at, hashes.n, &n_kinds) : 0;
    double share = hashes.n > 0 ? (double)most / (double)hashes.n : 0;
    ARRAY_FREE(&hashes);
    return share;
}

static void look_at_peers(const struct p2p *p2p, struct net_eclipse_risk *risk)
{
    const struct block_node *tip = chain_tip(p2p->chain);
    uint64_t hashes[P2P_FULL_OUTBOUND + P2P_BLOCK_ONLY_OUTBOUND + P2P_MANUAL_MAX];
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next) {
        const struct block_node *best = peer->headers.best_known;
        bool is_ours = peer->state == PEER_READY && peer->address.network != NET_NONE &&
                       (peer->class == PEER_FULL || peer->class == PEER_BLOCK_ONLY ||
                        peer->class == PEER_MANUAL);
        if (!is_ours || risk->n_outbound == COUNT_OF(hashes))
            continue;
        hashes[risk->n_outbound++] = hash_of(p2p, &peer->address);
        risk->n_forked += best && block_node_ancestor(tip, best->height) != best &&
                          block_node_ancestor(best, tip->height) != tip;
    }
    if (risk->n_outbound > 0)
        (void)commonest(hashes, risk->n_outbound, &risk->n_outbound_groups);
    risk->header_lag = chain_best_header(p2p->chain)->height - tip->height;
    risk->tip_age_s = (p2p_now_us(p2p) - p2p->stale.moved_us) / 1000000;
}

struct reasons {
    const char *at[RISK_REASONS_MAX];
    size_t n;
};

static void reason_if(struct reasons *reasons, bool holds, const char *why)
{
    ASSERT(reasons->n < RISK_REASONS_MAX);
    if (holds)
        reasons->at[reasons->n++] = why;
}

void p2p_eclipse_risk(void *ctx, net_eclipse_risk_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    struct net_eclipse_risk risk = {.has_asmap = p2p->grouping.asmap.len > 0};
    struct reasons reasons = {.n = 0};
    int64_t spacing_s = p2p->network->pow_target_spacing_s;
    look_at_peers(p2p, &risk);
    risk.new_source_share = largest_share(p2p, false, &risk.n_new);
    risk.tried_group_share = largest_share(p2p, true, &risk.n_tried);
    bool is_syncing = chain_is_initial_download(p2p->chain);
    bool is_withheld = !is_syncing && risk.header_lag >= RISK_HEADER_LAG_BLOCKS;
    reason_if(&reasons, is_withheld, "a better chain is known whose blocks do not come");
    reason_if(&reasons, risk.n_outbound < RISK_OUTBOUND_MIN, "few outbound peers");
    reason_if(&reasons,
              risk.n_outbound >= RISK_OUTBOUND_MIN && 2 * risk.n_outbound_groups < risk.n_outbound,
              "outbound peers share network groups");
    reason_if(&reasons, 2 * risk.n_forked > risk.n_outbound,
              "most outbound peers follow another chain");
    reason_if(&reasons, !is_syncing && risk.tip_age_s > RISK_TIP_SPACINGS * spacing_s,
              "no block has come for long");
    reason_if(&reasons,
              (risk.n_new >= RISK_PLACES_MIN && risk.new_source_share > RISK_SOURCE_SHARE) ||
                  (risk.n_tried >= RISK_PLACES_MIN && risk.tried_group_share > RISK_GROUP_SHARE),
              "one network group fills the address book");
    risk.level = is_withheld || reasons.n >= 3 ? "high" : reasons.n > 0 ? "elevated" : "low";
    risk.reasons = reasons.at;
    risk.n_reasons = reasons.n;
    fn(arg, &risk);
}
