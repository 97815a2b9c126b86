/* reject.h - verdicts: why data from outside was refused, and what may be remembered of it.
 *
 * Layer: consensus. One list, reject.def, holds code, wire string, class and source. */
#ifndef CONSENSUS_REJECT_H
#define CONSENSUS_REJECT_H

#include "util/assert.h"

/* What a verdict lets us conclude. Decides what is cached and, in p2p, who is blamed. */
enum reject_class {
    REJECT_CLASS_NONE,
    REJECT_CLASS_CONSENSUS, /* invalid forever, whoever sends it */
    REJECT_CLASS_MUTATED,   /* this copy only: the hash says nothing about it. CVE-2012-2459 */
    REJECT_CLASS_MISSING,   /* a parent or input is unknown */
    REJECT_CLASS_EARLY,     /* not yet valid: ask again later */
    REJECT_CLASS_POLICY,    /* valid, but not relayed */
    REJECT_CLASS_PROTOCOL,  /* misframed */
    REJECT_CLASS_FAULT,     /* our own world failed: stop the node, blame nobody */
};

enum reject {
#define X(name, string, class, source) REJECT_##name,
#include "consensus/reject.def"
#undef X
    REJECT_COUNT,
};

/* Core's reject string ("bad-txns-vout-empty"); "" for REJECT_NONE. */
const char *reject_string(enum reject reject);
enum reject_class reject_class(enum reject reject);

/* A verdict with what is known beyond the code. */
struct verdict {
    enum reject code;
    int script_error; /* enum script_error if code is a script failure, else 0 */
    char detail[160]; /* Core's debug message, or "" */
};

#endif
