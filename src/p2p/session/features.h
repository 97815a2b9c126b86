/* features.h - what two peers can both do, told by name between version and verack.
 *
 * Layer: p2p. A new feature is a row: no number of the protocol has to be agreed on with others.
 * Names that we do not know are passed over. Spec: BIP-434, Specification */
#ifndef P2P_SESSION_FEATURES_H
#define P2P_SESSION_FEATURES_H

#include "p2p/peer/score.h"
#include "util/reader.h"
#include "util/writer.h"

struct p2p;
struct peer;

/* BIP-434, feature message */
#define FEATURE_NAME_MIN 4
#define FEATURE_NAME_MAX 80
#define FEATURE_DATA_MAX 512

/* Rows that a table may have: a bit each in struct peer. */
#define FEATURES_MAX 32

/* One row. */
struct feature {
    const char *name; /* FEATURE_NAME_MIN to FEATURE_NAME_MAX bytes; NULL: the end of the table */
    const char *data; /* what we tell of it, text; NULL: nothing */
    /* Write the data to w. Returns: false: there is none now, and the feature is not told. NULL:
     * data is what we tell */
    bool (*tell)(const struct p2p *p2p, struct writer *w);
    /* The peer has it, with that data, and so have we. Returns: false: of no use, as if it had not
     * said so. NULL: any data will do. */
    bool (*agree)(struct p2p *p2p, struct peer *peer, struct span data);
};

/* What we can. */
extern const struct feature features[];

/* Tell a peer, whose version is here, of all rows of a table. */
void features_send(struct p2p *p2p, struct peer *peer, const struct feature *table);

/* It tells us of one. Returns: its fault, if it does not keep to the form */
enum fault features_hear(struct p2p *p2p, struct peer *peer, const struct feature *table,
                         struct reader *r);

#endif
