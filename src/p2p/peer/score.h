/* score.h - what a peer gave and cost, and what it may be blamed for.
 *
 * Layer: p2p. Only faults that the peer's own bytes prove are blamed; slowness, silence and
 * refusal are not. Scores are local: nobody is told. */
#ifndef P2P_PEER_SCORE_H
#define P2P_PEER_SCORE_H

#include <stdbool.h>
#include <stdint.h>

enum fault_action {
    FAULT_ACTION_NONE,
    FAULT_ACTION_DROP,       /* the connection ends */
    FAULT_ACTION_DISCOURAGE, /* and its address is not welcome until the next start */
};

/* X(name, "as logged", action). What an honest but old, odd or badly connected peer may do ends the
 * connection at most; only what takes intent is remembered against its address, since others may
 * come from the same one. A malformed message is dropped for and no more, as in Core. */
#define FAULTS(X)                                                                                  \
    X(NONE, "", NONE)                                                                              \
    X(MAGIC, "bytes of another network or protocol", DROP)                                         \
    X(OTHER_CHAIN, "its chain has the same magic and other rules", DROP)                           \
    X(V2_TERMINATOR, "V2 transport error: missing garbage terminator", DROP)                       \
    X(V2_PACKET, "V2 transport error: packet decryption failure", DROP)                            \
    X(V2_NETWORK, "V2 transport error: V1 peer with wrong MessageStart", DROP)                     \
    X(OVERSIZED, "a message longer than its kind may be", DROP)                                    \
    X(UNDERSIZED, "a message shorter than its kind must be", DROP)                                 \
    X(MALFORMED, "a message that cannot be decoded", DROP)                                         \
    X(CHECKSUM, "wrong checksums again and again", DROP)                                           \
    X(LATE_NEGOTIATION, "negotiation after the handshake", DROP)                                   \
    X(BAD_FEATURE, "a feature that breaks the form of features", DROP)                             \
    X(RECONCILIATION_TWICE, "txreconciliation protocol violation (sendtxrcncl received twice)",    \
      DROP)                                                                                        \
    X(RECONCILIATION_VERSION, "txreconciliation protocol violation", DROP)                         \
    X(RECONCILIATION_WITHOUT_RELAY, "sendtxrcncl where no transactions are relayed", DROP)         \
    X(OLD_VERSION, "a protocol version too old to be of use", DROP)                                \
    X(SELF, "it is ourselves", DROP)                                                               \
    X(LACKS_SERVICES, "it lacks services that we need", DROP)                                      \
    X(NOT_OFFERED, "a request for what we do not offer", DROP)                                     \
    X(FILTER_TYPE, "peer requested unsupported block filter type", DROP)                           \
    X(FILTER_BLOCK, "peer requested invalid block hash", DROP)                                     \
    X(FILTER_RANGE, "peer requested too many block filters, or none", DROP)                        \
    X(FILTER, "a Bloom filter or an element beyond the limits", DISCOURAGE)                        \
    X(PRUNED_REQUEST, "a request for a block below our pruning limit", DROP)                       \
    X(UPLOAD_LIMIT, "historical block serving limit reached", DROP)                                \
    X(COMPACT_INDEXES, "getblocktxn with out-of-bounds tx indices", DISCOURAGE)                    \
    X(COMPACT_INVALID, "invalid compact block", DISCOURAGE)                                        \
    X(COMPACT_TXS, "invalid compact block/non-matching block transactions", DISCOURAGE)            \
    X(COMPACT_AGAIN, "previous compact block reconstruction attempt failed", DISCOURAGE)           \
    X(SNAPSHOT_GREEDY, "more chunks of a snapshot asked for than may be", DROP)                    \
    X(SNAPSHOT_UNASKED, "a chunk of a snapshot that it was not asked for", DISCOURAGE)             \
    X(SNAPSHOT_CHUNK, "a chunk that is not of the snapshot that it told of", DISCOURAGE)           \
    X(SNAPSHOT_ROOT, "the snapshot that it told of is not what it should be", DROP)                \
    X(UNWANTED_TX, "a transaction, which it was told not to send", DROP)                           \
    X(HEADERS_UNORDERED, "headers that do not follow each other", DISCOURAGE)                      \
    X(HEADERS_POW, "headers without proof of work", DISCOURAGE)                                    \
    X(HEADER_INVALID, "an invalid header", DISCOURAGE)                                             \
    X(BLOCK_INVALID, "an invalid block", DISCOURAGE)                                               \
    X(BLOCK_MUTATED, "a block that was tampered with", DISCOURAGE)                                 \
    X(BLOCK_ORPHAN, "a block whose parent is unknown, unasked", DISCOURAGE)                        \
    X(TX_INVALID, "a transaction that can never be valid", DROP)                                   \
    X(TXS_FAIL, "transactions whose scripts fail, again and again", DISCOURAGE)

enum fault {
#define X(name, text, action) FAULT_##name,
    FAULTS(X)
#undef X
        FAULT_COUNT,
};

/* What is done about a fault. */
enum fault_action fault_action(enum fault fault);
/* How it is logged. */
const char *fault_text(enum fault fault);

/* A peer's account: what evict.c weighs and block_plan.c counts on. Times are monotonic
 * microseconds, -1 for never. Changed by the functions below alone. */
struct score {
    int64_t ping_us, min_ping_us;      /* round trips; -1: none yet */
    uint64_t useful_bytes;             /* blocks and transactions that were new to us */
    uint64_t wasted_bytes;             /* the same, that were not */
    uint32_t first_txs;                /* transactions that nobody gave us before */
    int64_t last_tx_us, last_block_us; /* when it last gave us something new */
    double rate_bytes_s;               /* of block delivery; 0: not measured yet */
    uint64_t measured_bytes;           /* delivered in measured_us, not yet part of the rate */
    int64_t measured_us;
};

/* An account of a peer that has done nothing yet. */
void score_init(struct score *score);
/* A ping came back. */
void score_ping(struct score *score, int64_t rtt_us);
/* It delivered len bytes of a block that it was busy with for busy_us. */
void score_block(struct score *score, uint64_t len, int64_t busy_us, int64_t now_us);
/* It delivered a transaction of len bytes, which nobody had given us before or somebody had. */
void score_tx(struct score *score, uint64_t len, bool is_new, int64_t now_us);

#endif
