/* header_ask.h - questions for headers: getheaders.
 *
 * Layer: p2p, internal. At most one question is open with a peer, but for one that is old. */
#ifndef P2P_HEADERS_HEADER_ASK_H
#define P2P_HEADERS_HEADER_ASK_H

#include <stdbool.h>

#include "util/buffer.h"

struct block_node;
struct p2p;
struct peer;

#define HEADER_ASK_PAUSE_US  INT64_C(2000000)  /* the same peer, unless it has answered */
#define HEADER_ASK_ANSWER_US INT64_C(60000000) /* an answer may be so late */

/* The hashes of a locator for node, newest first, each step twice the last after ten: appended to
 * out as it goes on the wire, the count in front. */
void header_locator(const struct block_node *node, struct buffer *out);
/* Ask with that locator, now. */
void header_ask_send(struct p2p *p2p, struct peer *peer, const struct buffer *locator);

/* Ask for headers after node (NULL: our best header, or the tip if that is worth as much), newest
 * of locator first. */
void header_ask(struct p2p *p2p, struct peer *peer, const struct block_node *node);
/* From the block before our best header on: even a peer that knows no more answers with one header,
 * and so tells what it has. */
void header_ask_first(struct p2p *p2p, struct peer *peer);
/* From the block before the last that it told us of: its answer says how far it has come since. */
void header_ask_anew(struct p2p *p2p, struct peer *peer);
/* After our best header, but not before the last question was answered or is old: a peer that
 * announces on and on is asked once in a while only. */
void header_ask_soon(struct p2p *p2p, struct peer *peer);

/* The last question was answered, or is old. */
bool header_ask_is_due(const struct p2p *p2p, const struct peer *peer);
/* It was asked for headers, and they may still come. */
bool header_is_asked(const struct p2p *p2p, const struct peer *peer);

#endif
