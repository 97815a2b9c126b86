/* messages.c - see messages.h. */
#include "p2p/session/messages.h"

#include "p2p/headers/header_ask.h"
#include "p2p/session/handshake.h"
#include "p2p/snapshot/snapshot_fetch.h"
#include "p2p/snapshot/snapshot_serve.h"
#include "p2p/state.h"

#define LOCATOR_MAX (4 + 1 + 32 * WIRE_LOCATOR_MAX + 32)
#define INV_MAX     (3 + WIRE_INV_BYTES * WIRE_INV_MAX)
#define ADDR_MAX    (3 + 30 * WIRE_ADDRESSES_MAX)
#define ADDRV2_MAX  (3 + 533 * WIRE_ADDRESSES_MAX)
#define HEADERS_MAX (3 + 89 * WIRE_HEADERS_MAX)
#define VERSION_MAX WIRE_VERSION_BYTES_MAX
#define GETTXS_MAX  (32 + 3 + 3 * (COMPACT_TXS_MAX + 1))
#define ANY         FRAME_PAYLOAD_MAX

static enum fault on_not_found(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    size_t n = wire_count_decode(r, WIRE_INV_MAX, WIRE_INV_BYTES);
    for (size_t i = 0; i < n; i++) {
        struct wire_inv inv;
        wire_inv_decode(r, &inv);
        struct block_hash hash;
        memcpy(hash.b, inv.hash, 32);
        if (inv.type == INV_BLOCK || inv.type == INV_WITNESS_BLOCK || inv.type == INV_COMPACT_BLOCK)
            block_fetch_not_found(p2p, peer, &hash);
        else
            tx_relay_not_found(p2p, peer, &inv);
    }
    return r->failed ? FAULT_MALFORMED : FAULT_NONE;
}

static bool is_reconciling(const struct p2p *p2p)
{
    return p2p->options.tx_reconciliation;
}

/* Sorted by name. A length that only a hostile peer would send ends the connection; minima are what
 * the oldest peers that we speak to send.
 */
/* clang-format off */
const struct message messages[MESSAGES_COUNT] = {
    /* name        min max          phase              since */
    {"addr",        1, ADDR_MAX,    MESSAGE_READY,     0,     .handler = addr_relay_on_addr,
     .is_asked = addr_relay_is_asked},
    {"addrv2",      1, ADDRV2_MAX,  MESSAGE_READY,     0,     .handler = addr_relay_on_addrv2,
     .is_asked = addr_relay_is_asked}, /* BIP-155, Specification */
    {"block",      81, ANY,         MESSAGE_READY,     0,     .handler = block_fetch_on_block,
     .is_asked = block_late_is_asked, .heard = block_late_heard},
    {"blocktxn",   33, ANY,         MESSAGE_READY,     70014, .handler = compact_take_on_blocktxn,
     .is_asked = compact_take_is_asked, .heard = block_late_heard_compact}, /* BIP-152, blocktxn */
    {"cfcheckpt",   0, ANY,         MESSAGE_READY,     0,     .flags = MESSAGE_UNREAD},
    {"cfheaders",   0, ANY,         MESSAGE_READY,     0,     .flags = MESSAGE_UNREAD},
    {"cfilter",     0, ANY,         MESSAGE_READY,     0,     .flags = MESSAGE_UNREAD},
    {"cmpctblock", 90, ANY,         MESSAGE_READY,     70014,
     .handler = compact_take_on_cmpctblock, .is_asked = compact_take_is_asked,
     .heard = block_late_heard_compact}, /* BIP-152, cmpctblock */
    {"feature",     0, 1024,        MESSAGE_HANDSHAKE, 70017, .handler = handshake_on_feature,
     .flags = MESSAGE_IN_TIME}, /* BIP-434, feature message */
    {"feefilter",   8, 8,           MESSAGE_READY,     70013,
     .handler = relay_on_fee_filter}, /* BIP-133, Specification */
    {"filteradd",   0, 523,         MESSAGE_READY,     0,
     .handler = light_on_filteradd}, /* BIP-37, New messages */
    {"filterclear", 0, 64,          MESSAGE_READY,     0,     .handler = light_on_filterclear},
    {"filterload",  0, 36012,       MESSAGE_READY,     0,     .handler = light_on_filterload},
    {"getaddr",     0, 0,           MESSAGE_READY,     0,     .handler = addr_relay_on_getaddr},
    {"getblocks",  37, LOCATOR_MAX, MESSAGE_READY,     0,     .handler = locate_on_getblocks},
    {"getblocktxn", 33, GETTXS_MAX, MESSAGE_READY,     70014,
     .handler = serve_on_getblocktxn}, /* BIP-152, getblocktxn */
    {"getcfcheckpt", 33, 33,       MESSAGE_READY,     0,
     .handler = filters_on_getcfcheckpt}, /* BIP-157, New Messages */
    {"getcfheaders", 37, 37,       MESSAGE_READY,     0,     .handler = filters_on_getcfheaders},
    {"getcfilters", 37, 37,        MESSAGE_READY,     0,     .handler = filters_on_getcfilters},
    {"getdata",     1, INV_MAX,     MESSAGE_READY,     0,     .handler = serve_on_getdata,
     .flags = MESSAGE_PRIVATE},
    {"getheaders", 37, LOCATOR_MAX, MESSAGE_READY,     0,     .handler = locate_on_getheaders},
    {"getsnapchunk", 4, 4,         MESSAGE_READY,     0,     .handler = snapshot_serve_on_get,
     .is_on = snapshot_serve_is_on},
    {"headers",     1, HEADERS_MAX, MESSAGE_READY,     0,     .handler = header_sync_on_headers,
     .is_asked = header_is_asked},
    {"inv",         1, INV_MAX,     MESSAGE_READY,     0,     .handler = relay_on_inv},
    {"mempool",     0, 0,           MESSAGE_READY,     0,
     .handler = relay_on_mempool}, /* BIP-35, Specification */
    {"merkleblock", 0, ANY,         MESSAGE_READY,     0,     .flags = MESSAGE_UNREAD},
    {"notfound",    1, INV_MAX,     MESSAGE_READY,     0,     .handler = on_not_found},
    /* BIP-31, Specification */
    {"ping",        0, 64,          MESSAGE_READY,     0,     .handler = peer_on_ping},
    {"pong",        0, 64,          MESSAGE_READY,     60001, .handler = peer_on_pong,
     .flags = MESSAGE_PRIVATE},
    /* BIP-61, reject */
    {"reject",      0, 4096,        MESSAGE_READY,     0,     .flags = MESSAGE_UNREAD},
    {"sendaddrv2",  0, 64,          MESSAGE_HANDSHAKE, 70016, .handler = handshake_on_sendaddrv2,
     .flags = MESSAGE_IN_TIME}, /* BIP-155, Signaling support and compatibility */
    /* BIP-152, sendcmpct */
    {"sendcmpct",   9, 64,          MESSAGE_READY,     70014,
     .handler = compact_peers_on_sendcmpct},
    {"sendheaders", 0, 64,          MESSAGE_READY,     70012,
     .handler = handshake_on_sendheaders}, /* BIP-130, Specification */
    /* BIP-330, sendtxrcncl */
    {"sendtxrcncl", 0, 64,          MESSAGE_HANDSHAKE, 70016,
     .handler = reconciliation_on_sendtxrcncl, .flags = MESSAGE_IN_TIME, .is_on = is_reconciling},
    {"snapchunk",   4, SNAPSHOT_MESSAGE_MAX, MESSAGE_READY, 0,
     .handler = snapshot_fetch_on_chunk, .is_on = snapshot_fetch_is_on,
     .is_asked = snapshot_fetch_is_asked},
    {"tx",         10, ANY,         MESSAGE_READY,     0,     .handler = tx_relay_on_tx,
     .is_asked = tx_relay_is_asked},
    {"verack",      0, 64,          MESSAGE_HANDSHAKE, 0,     .handler = handshake_on_verack},
    {"version",    46, VERSION_MAX, MESSAGE_VERSION,   0,     .handler = handshake_on_version},
    {"wtxidrelay",  0, 64,          MESSAGE_HANDSHAKE, 70016, .handler = handshake_on_wtxidrelay,
     .flags = MESSAGE_IN_TIME}, /* BIP-339, Specification */
};
/* clang-format on */
