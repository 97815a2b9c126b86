/* script_cache.h - which transactions' scripts are known to hold.
 *
 * Layer: chain, loop thread only: what jobs need to know is copied into them. Scripts are most of
 * what a transaction costs, and most of a block's have been checked when they came alone. An entry
 * says that all scripts of the transaction of that wtxid hold by those flags. Nothing else has a
 * part in that: the wtxid covers witnesses as well (by the txid alone a wrong witness would pass),
 * outpoints commit to the outputs that are spent, and lock times are compared with the transaction.
 * Ids are kept and compared whole, so that no two can be taken for each other; the salt is for
 * their places, which a stranger could fill else (hazard 63).
 *
 * Each entry has two buckets where it may lie. Where both are full, one goes whose transaction is
 * in a block, else the older ones by turns: the same calls and the same salt always leave the same.
 * Core: the script execution cache of CheckInputScripts(), -maxsigcachesize */
#ifndef CHAIN_CORE_SCRIPT_CACHE_H
#define CHAIN_CORE_SCRIPT_CACHE_H

#include "consensus/ids.h"
#include "crypto/siphash.h"

/* Half of Core's DEFAULT_VALIDATION_CACHE_BYTES: the other half is for single signatures, which we
 * do not keep. */
#define SCRIPT_CACHE_BYTES_DEFAULT (16u << 20)
#define SCRIPT_CACHE_WAYS          7 /* entries of a bucket, which takes 256 bytes so */

struct script_cache_bucket {
    struct wtxid wtxid[SCRIPT_CACHE_WAYS];
    uint32_t flags[SCRIPT_CACHE_WAYS]; /* enum script_flag */
    uint8_t n;
    uint8_t next;  /* the one that goes next */
    uint8_t mined; /* a bit each: it is in a block, and hardly asked for again */
};

struct script_cache {
    struct siphash_key salt;
    struct script_cache_bucket *buckets; /* NULL until something is kept */
    size_t n_buckets;
    size_t max_bytes;
    size_t count; /* entries, for tests and assertions */
    uint32_t turn;
};

/* Make an empty cache, which owns no memory yet.
 *
 * In:  max_bytes  it never takes more, growing included; what is too small for one bucket keeps
 *                 nothing
 *      salt       random, unknown to strangers */
void script_cache_init(struct script_cache *cache, size_t max_bytes, struct siphash_key salt);
/* Free it. */
void script_cache_deinit(struct script_cache *cache);

/* All scripts of that transaction hold by flags. Something older may have to go for it. */
void script_cache_add(struct script_cache *cache, const struct wtxid *wtxid, uint32_t flags);
/* Is that known? By exactly these flags: stricter ones would do too, but nobody asks so. */
bool script_cache_has(const struct script_cache *cache, const struct wtxid *wtxid, uint32_t flags);
/* The same for a block that is being connected: it stays known, until its room is needed. */
bool script_cache_mined(struct script_cache *cache, const struct wtxid *wtxid, uint32_t flags);
/* What script_cache_has() will read is fetched. */
void script_cache_prefetch(const struct script_cache *cache, const struct wtxid *wtxid,
                           uint32_t flags);

/* What the table takes. Never above max_bytes. */
size_t script_cache_bytes(const struct script_cache *cache);

#endif
