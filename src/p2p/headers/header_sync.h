/* header_sync.h - headers first: who knows which chain, and asking for what we lack.
 *
 * Layer: p2p. While far behind, one peer at a time is asked for headers; it is replaced, not
 * blamed, if it is slow, and goes if it answers nothing at all. Headers of a chain with little work
 * go through header_presync. doc/decisions/0250 */
#ifndef P2P_HEADERS_HEADER_SYNC_H
#define P2P_HEADERS_HEADER_SYNC_H

#include "consensus/block.h"
#include "p2p/peer/score.h"
#include "util/reader.h"

struct block_node;
struct header_presync;
struct p2p;
struct peer;

/* While we are far behind, the next peer is asked as well if one brings nothing new for so long,
 * ... */
#define HEADER_SYNC_PATIENCE_US INT64_C(20000000)
/* ... or fewer new headers a second than that, measured over that time; at once if an answer brings
 * nothing, and that one not again before the same time has passed. */
#define HEADER_SYNC_RATE 100
/* One that we have chosen and that was not asked yet is next if one that came to us has been asked
 * for so long, or if the one that is asked has told all it has. */
#define HEADER_SYNC_OUTRANK_US INT64_C(2000000)
/* Who owes headers for so long, and so much more for each header that there should be, goes if
 * there is another one of our choice. Core HEADERS_DOWNLOAD_TIMEOUT_BASE and .._PER_HEADER */
#define HEADER_SYNC_ANSWER_US     INT64_C(900000000)
#define HEADER_SYNC_PER_HEADER_US 1000

/* What we know of one peer's chain. */
struct peer_headers {
    const struct block_node *best_known; /* most work that it announced; NULL: none */
    const struct block_node *best_sent;  /* the best header that we told it of */
    struct block_hash unknown;           /* it announced this, whose header we lack */
    bool has_unknown;
    bool is_started;                 /* it is asked of our own accord, not for an inv alone */
    int64_t owes_since_us;           /* the same, and has answered nothing since; 0: it has */
    bool is_asked;                   /* it owes us headers */
    int64_t asked_us;                /* when it was asked last; 0: never */
    const struct block_node *walked; /* it was asked for what follows this, the end of an answer */
    int64_t useless_us;              /* when it answered with nothing new last; 0: never */
    bool was_asked_for_inv;          /* before it was started: it is asked so once */
    bool ask_again;                  /* it announced more meanwhile: ask when it has answered */
    struct header_presync *presync;  /* NULL: none under way */
};

struct header_sync {
    uint64_t sync_peer;         /* who is asked while we are far behind; 0: nobody */
    int64_t since_us;           /* it is asked since then */
    int64_t until_us;           /* its time, longer with each header that is new */
    struct block_hash last_inv; /* for that one more peer was asked, of those not started yet */
    bool was_inbound;           /* the last one that was asked: outbound ones are next */
    bool is_synced;             /* one peer has told us all it has: now everybody is asked */
    uint64_t n_answers; /* messages of headers that have come: there may be blocks to ask for */
};

/* A peer is ready: it is asked for headers, now or when its turn comes. */
void header_sync_peer_ready(struct p2p *p2p, struct peer *peer);
/* A peer is gone: another one is asked in its place. */
void header_sync_peer_gone(struct p2p *p2p, struct peer *peer);

/* It announced a block by its hash. Returns: true if we know its header. */
bool header_sync_announced(struct p2p *p2p, struct peer *peer, const struct block_hash *hash);
/* It announced blocks whose headers we lack: ask it, but while we are far behind only one more peer
 * for each block, and each of those once. Core: m_inv_triggered_getheaders_before_sync */
void header_sync_ask_for_inv(struct p2p *p2p, struct peer *peer);
/* What it announced, if we have learned its header since. */
void header_sync_resolve(struct p2p *p2p, struct peer *peer);
/* The peer has the node's block and all before it. */
void header_sync_update_known(struct peer *peer, const struct block_node *node);

/* Least work that a chain must show before its headers are kept. */
struct u256 header_sync_min_work(const struct p2p *p2p);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t header_sync_tick(struct p2p *p2p, int64_t now_us);

/* The handler of "headers". */
enum fault header_sync_on_headers(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
