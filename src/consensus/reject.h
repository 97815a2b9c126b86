/* reject.h - verdicts: why data from outside was refused, and what may be remembered of it.
 *
 * Layer: consensus. One list, reject.def, holds code, wire string, class and source.
 *
 * A verdict has a code for us, a string for others, and a class. The class is what a caller acts
 * on: whether a hash is remembered as bad, whether a peer is dropped, whether to ask again. So two
 * codes may share a string and differ in class, and a new rule needs no change where verdicts are
 * used. */
#ifndef CONSENSUS_REJECT_H
#define CONSENSUS_REJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

/* What a verdict lets us conclude. Decides what is cached and, in p2p, who is blamed. */
enum reject_class {
    REJECT_CLASS_NONE,
    REJECT_CLASS_CONSENSUS,      /* invalid forever, whoever sends it */
    REJECT_CLASS_MUTATED,        /* this copy only: the hash says nothing about it. CVE-2012-2459 */
    REJECT_CLASS_MISSING,        /* a parent or input is unknown */
    REJECT_CLASS_EARLY,          /* not yet valid: ask again later */
    REJECT_CLASS_POLICY,         /* valid, but not relayed */
    REJECT_CLASS_RECONSIDERABLE, /* the same, for its fees alone: a child may pay for it */
    REJECT_CLASS_PROTOCOL,       /* misframed */
    REJECT_CLASS_FAULT,          /* our own world failed: stop the node, blame nobody */
};

enum reject {
#define X(name, string, class, source) REJECT_##name,
#include "consensus/reject.def"
#undef X
    REJECT_COUNT,
};

/* Core's reject string ("bad-txns-vout-empty"); "" for REJECT_NONE. */
const char *reject_string(enum reject reject);

/* What may be remembered of data that was refused so. The two codes of one string exist for this:
 * the words are the same for clients, what is remembered is not. */
enum reject_class reject_class(enum reject reject);

/* A verdict with what is known beyond the code. */
#define VERDICT_DETAIL_BYTES 384 /* for the longest, which names two transactions */

struct verdict {
    enum reject code;
    int script_error;                  /* enum script_error if code is a script failure, else 0 */
    uint32_t version;                  /* of the block if code is BAD_VERSION, else 0 */
    char detail[VERDICT_DETAIL_BYTES]; /* Core's debug message, or "" */
};

/* Set a verdict's code and, by a printf format (may be NULL: none), its detail.
 * Returns:  true if code is REJECT_NONE, so that a check can end in it */
bool verdict_set(struct verdict *verdict, enum reject code, const char *format, ...) PRINTF(3, 4);

/* Room for any reason. */
#define VERDICT_REASON_BYTES 160

/* The whole reject reason as peers' logs and RPC clients see it: the wire string, and in two
 * cases what was found, "bad-version(0x00000001)" or "block-script-verify-flag-failed (...)".
 * Returns:  out, zero-terminated */
char *verdict_reason(const struct verdict *verdict, char out[VERDICT_REASON_BYTES]);

#endif
