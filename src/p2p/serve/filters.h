/* filters.h - block filters and their headers for light clients (BIP157, -peerblockfilters).
 *
 * Layer: p2p. They come from the chain's index, off the loop, a part at a time and as fast as the
 * peer reads; its other messages wait meanwhile (hazards 51 and 52). What Core disconnects for ends
 * the connection. */
#ifndef P2P_SERVE_FILTERS_H
#define P2P_SERVE_FILTERS_H

#include "p2p/peer/score.h"
#include "util/buffer.h"
#include "util/reader.h"

struct p2p;
struct peer;
struct block_node;

/* Blocks that one request is for. BIP-157, getcfilters; BIP-157, getcfheaders */
#define FILTERS_MAX        1000
#define FILTER_HEADERS_MAX 2000
/* BIP-157, getcfcheckpt */
#define FILTER_CHECKPOINT_INTERVAL 1000
/* Blocks that one read of the index is for, and bytes of filters after which it ends. */
#define FILTERS_PART_BLOCKS 1000
#define FILTERS_PART_BYTES  (256u << 10)
/* Reads for all peers at a time; more wait, in the order of the list of peers. */
#define FILTERS_READS_MAX 4

enum filters_kind { FILTERS_NONE, FILTERS_FILTERS, FILTERS_HEADERS, FILTERS_CHECKPOINTS };

/* One request under way. */
struct peer_filters {
    enum filters_kind kind; /* NONE: none is */
    const struct block_node *last;
    int32_t next;        /* height of the block to be read next */
    bool is_reading;     /* a read is under way */
    bool has_previous;   /* the reply begins with the block before the range */
    struct buffer reply; /* of headers and checkpoints: what has been read of them */
};

/* What all peers share. */
struct filters {
    size_t n_reads; /* under way */
    size_t n_busy;  /* peers with a request under way */
};

/* A request is being served. */
bool filters_is_busy(const struct peer *peer);
/* Go on with those that can. Returns: INT64_MAX: who waits is called when something has changed */
int64_t filters_tick(struct p2p *p2p, int64_t now_us);
/* A peer is gone. */
void filters_peer_gone(struct p2p *p2p, struct peer *peer);

/* The handler of "getcfilters". */
enum fault filters_on_getcfilters(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "getcfheaders". */
enum fault filters_on_getcfheaders(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "getcfcheckpt". */
enum fault filters_on_getcfcheckpt(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
