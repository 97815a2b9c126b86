/* key_book.h - what is known of keys and scripts: whose they are, what hashes stand for.
 *
 * Layer: spend. Filled from descriptors, private keys or a PSBT; read by whoever signs or
 * describes. Core calls it a signing provider. */
#ifndef SPEND_BOOK_KEY_BOOK_H
#define SPEND_BOOK_KEY_BOOK_H

#include "crypto/key.h"
#include "spend/book/tap_tree.h"
#include "util/array.h"

/* Where a key comes from: the first four bytes of its root's hash, and the steps from there. */
struct key_origin {
    uint8_t fingerprint[4];
    uint32_t n_path;
    const uint32_t *path; /* BIP32_HARDENED and above: hardened */
};

struct book_key {
    uint8_t pubkey[65];
    uint8_t len; /* 33, or 65 */
    bool has_secret, has_origin;
    uint8_t hash[20], x_hash[20]; /* of pubkey; of its x, where that is all that scripts have */
    uint8_t secret[32];
    struct key_origin origin;
};

/* A script that is paid to by one of its hashes. */
struct book_script {
    struct span bytes;
    uint8_t hash160[20], sha256[32];
};

/* A taproot output. */
struct book_tap {
    uint8_t output[32], internal[32];
    int parity;
    struct tap_tree tree; /* n 0: no scripts */
    uint8_t root[32];     /* of a tree */
    uint8_t **paths;
};

/* An aggregate of keys. */
struct book_musig {
    uint8_t aggregate[33];
    const uint8_t *participants; /* 33 bytes each */
    size_t n;
};

/* Where entries are found by their hashes. */
struct book_slots {
    uint32_t *at; /* numbers of entries plus one, where their hashes lead; 0: free */
    size_t n;     /* a power of two, at least twice as many as entries; or 0 */
};

struct key_book {
    const struct ec_context *ec;
    struct arena *arena; /* of what entries point to */
    ARRAY(struct book_key) keys;
    ARRAY(struct book_script) scripts;
    ARRAY(struct book_tap) taps;
    ARRAY(struct book_musig) musigs;
    struct book_slots key_slots, x_slots, script_slots, tap_slots;
};

/* Begin with nothing. Borrows ec and arena. */
void key_book_init(struct key_book *book, const struct ec_context *ec, struct arena *arena);
/* Free and wipe it. */
void key_book_deinit(struct key_book *book);

/* Add a secret key. Returns: false if it is none. */
NODISCARD bool key_book_add_secret(struct key_book *book, const uint8_t secret[32],
                                   bool is_compressed);
/* Add a public key of 33 or 65 bytes; origin may be NULL, and is kept if there was none. */
void key_book_add_key(struct key_book *book, struct span pubkey, const struct key_origin *origin);
/* Add a script, borrowed. */
void key_book_add_script(struct key_book *book, struct span script);
/* Add a taproot output of an internal key and a tree, NULL for none, whose leaves are in the arena.
 * Returns: false if there is none, which a chance of 2^-128 is too. */
NODISCARD bool key_book_add_tap(struct key_book *book, const uint8_t internal[32],
                                const struct tap_tree *tree);
/* Add an aggregate of n participants of 33 bytes each, in the arena. */
void key_book_add_musig(struct key_book *book, const uint8_t aggregate[33],
                        const uint8_t *participants, size_t n);

/* Look a key up by its bytes, by their hash, by its x alone; NULL: unknown. */
const struct book_key *key_book_find(const struct key_book *book, struct span pubkey);
/* By the hash of its bytes. */
const struct book_key *key_book_find_hash(const struct key_book *book, struct span hash);
/* By its x alone: of the two that there may be the one that more is known of, which is first a
 * secret, then an origin. Of a musig() the aggregate may be there beside its negation. */
const struct book_key *key_book_find_x(const struct key_book *book, const uint8_t x[32]);
/* By the hash of its x: one of those that have it. */
const struct book_key *key_book_find_x_hash(const struct key_book *book, struct span hash);
/* A script by either hash. */
const struct book_script *key_book_find_script(const struct key_book *book, struct span hash);
/* A taproot output by its key. */
const struct book_tap *key_book_find_tap(const struct key_book *book, const uint8_t output[32]);

#endif
