/* reconciliation.c - see reconciliation.h. */
#include "p2p/txs/reconciliation.h"

#include "crypto/hash.h"
#include "p2p/core/turn.h"
#include "p2p/p2p.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/send.h"

/* Both sides must come to the same, whoever called whom. BIP-330, 32-bit short transaction IDs */
static struct siphash_key make_key(uint64_t a, uint64_t b)
{
    uint8_t hash[32];
    struct sha256 h;
    tagged_hash_init_string(&h, "Tx Relay Salting");
    struct writer w = writer_to_sha256(&h);
    write_u64(&w, MIN_OF(a, b));
    write_u64(&w, MAX_OF(a, b));
    sha256_final(&h, hash);
    struct reader r = reader_of(span_of(hash, sizeof hash));
    struct siphash_key key;
    key.k0 = read_u64(&r);
    key.k1 = read_u64(&r);
    return key;
}

/* Core's conditions: the peer wants transactions, we take them, and it is not here for its
 * addresses alone. */
void reconciliation_offer(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GREETED);
    const struct p2p_options *options = p2p_options_of(p2p);
    if (!options->tx_reconciliation || options->blocks_only || !peer_may_send_txs(p2p, peer) ||
        peer->version.version < WIRE_VERSION_WTXID || !peer->version.relay ||
        peer->class == PEER_ADDR_FETCH)
        return;
    uint8_t bytes[4 + 8];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    peer->reconciliation.our_salt = p2p_random(p2p, UINT64_MAX);
    write_u32(&w, RECONCILIATION_VERSION);
    write_u64(&w, peer->reconciliation.our_salt);
    peer_send(p2p, peer, "sendtxrcncl", span_of(bytes, w.len));
    peer->reconciliation.state = RECONCILIATION_OFFERED;
}

/* It needs ids with witness. BIP-330, sendtxrcncl */
void reconciliation_settle(struct p2p *p2p, struct peer *peer)
{
    if (peer->reconciliation.state == RECONCILIATION_OFF ||
        (peer->reconciliation.state == RECONCILIATION_AGREED && peer->wants_wtxid))
        return;
    log_printf(p2p_log_of(p2p), LOG_TXRECONCILIATION, "Forget txreconciliation state of peer=%llu",
               peer_shown(peer->id));
    peer->reconciliation = (struct peer_reconciliation){0};
}

/* Who was told that we take no transactions, or says that he takes none, must not offer it. Higher
 * versions than ours mean ours. */
enum fault reconciliation_on_sendtxrcncl(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_GREETED);
    struct peer_reconciliation *have = &peer->reconciliation;
    if (!peer_may_send_txs(p2p, peer) || !peer->version.relay)
        return FAULT_RECONCILIATION_WITHOUT_RELAY;
    uint32_t version = read_u32(r);
    uint64_t salt = read_u64(r);
    if (r->failed)
        return FAULT_MALFORMED;
    if (have->state == RECONCILIATION_OFF) {
        log_printf(p2p_log_of(p2p), LOG_NET,
                   "Ignore unexpected txreconciliation signal from peer=%llu",
                   peer_shown(peer->id));
        return FAULT_NONE;
    }
    if (have->state == RECONCILIATION_AGREED)
        return FAULT_RECONCILIATION_TWICE;
    if (version < RECONCILIATION_VERSION)
        return FAULT_RECONCILIATION_VERSION;
    log_printf(p2p_log_of(p2p), LOG_TXRECONCILIATION, "Register peer=%llu (inbound=%d)",
               peer_shown(peer->id), !peer_is_outbound(peer));
    have->state = RECONCILIATION_AGREED;
    have->key = make_key(have->our_salt, salt);
    return FAULT_NONE;
}
