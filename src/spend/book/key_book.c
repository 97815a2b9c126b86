/* key_book.c - what is known of keys and scripts. */
#include "spend/book/key_book.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/mem.h"

enum { SLOTS_MIN = 64 };

void key_book_init(struct key_book *book, const struct ec_context *ec, struct arena *arena)
{
    ASSERT(book && arena);
    *book = (struct key_book){.ec = ec, .arena = arena};
}

void key_book_deinit(struct key_book *book)
{
    ASSERT(book);
    if (book->keys.n > 0)
        mem_wipe(book->keys.at, book->keys.n * sizeof *book->keys.at);
    ARRAY_FREE(&book->keys);
    xfree(book->slots);
    ARRAY_FREE(&book->scripts);
    ARRAY_FREE(&book->taps);
    ARRAY_FREE(&book->musigs);
}

/* Where a key of that hash is, or would be. A descriptor's range may have a million keys. */
static uint32_t *slot_of(const struct key_book *book, const uint8_t hash[20])
{
    ASSERT(book->n_slots > 2 * book->keys.n);
    uint64_t start;
    memcpy(&start, hash, sizeof start);
    size_t at = (size_t)start & (book->n_slots - 1);
    while (book->slots[at] && memcmp(book->keys.at[book->slots[at] - 1].hash, hash, 20) != 0)
        at = (at + 1) & (book->n_slots - 1);
    return &book->slots[at];
}

static void make_slots(struct key_book *book)
{
    if (book->n_slots > 2 * (book->keys.n + 1))
        return;
    xfree(book->slots);
    book->n_slots = book->n_slots > 0 ? 2 * book->n_slots : SLOTS_MIN;
    book->slots = xcalloc(book->n_slots, sizeof *book->slots);
    for (size_t i = 0; i < book->keys.n; i++)
        *slot_of(book, book->keys.at[i].hash) = (uint32_t)i + 1;
}

/* The entry of a key, a new one if it has none. */
static struct book_key *entry_of(struct key_book *book, struct span pubkey)
{
    ASSERT(pubkey.len == 33 || pubkey.len == 65);
    struct book_key key = {.len = (uint8_t)pubkey.len};
    memcpy(key.pubkey, pubkey.p, pubkey.len);
    hash160(pubkey, key.hash);
    make_slots(book);
    uint32_t *slot = slot_of(book, key.hash);
    if (*slot == 0) {
        *ARRAY_ADD(&book->keys) = key;
        *slot = (uint32_t)book->keys.n;
    }
    return &book->keys.at[*slot - 1];
}

bool key_book_add_secret(struct key_book *book, const uint8_t secret[32], bool is_compressed)
{
    ASSERT(book && book->ec && secret);
    struct ec_pubkey pubkey;
    uint8_t bytes[65];
    if (!seckey_pubkey(book->ec, secret, &pubkey))
        return false;
    size_t len = ec_pubkey_serialize(&pubkey, is_compressed, bytes);
    struct book_key *key = entry_of(book, span_of(bytes, len));
    key->has_secret = true;
    memcpy(key->secret, secret, sizeof key->secret);
    return true;
}

void key_book_add_key(struct key_book *book, struct span pubkey, const struct key_origin *origin)
{
    ASSERT(book);
    struct book_key *key = entry_of(book, pubkey);
    if (!origin || key->has_origin)
        return;
    key->has_origin = true;
    key->origin = *origin;
}

void key_book_add_script(struct key_book *book, struct span script)
{
    ASSERT(book);
    struct book_script *entry = ARRAY_ADD(&book->scripts);
    entry->bytes = script;
    hash160(script, entry->hash160);
    sha256(script, entry->sha256);
}

bool key_book_add_tap(struct key_book *book, const uint8_t internal[32],
                      const struct tap_tree *tree)
{
    ASSERT(book && internal);
    struct book_tap tap = {0};
    memcpy(tap.internal, internal, sizeof tap.internal);
    if (tree && tree->n > 0) {
        tap.tree = *tree;
        tap.paths = arena_calloc(book->arena, tree->n, sizeof *tap.paths);
        for (size_t i = 0; i < tree->n; i++)
            tap.paths[i] = arena_alloc(book->arena, 32 * (size_t)tree->leaves[i].depth + 1);
        tap_tree_root(tree, book->arena, tap.root, tap.paths);
    }
    if (!tap_output(internal, tap.tree.n > 0 ? tap.root : NULL, tap.output, &tap.parity))
        return false;
    *ARRAY_ADD(&book->taps) = tap;
    return true;
}

void key_book_add_musig(struct key_book *book, const uint8_t aggregate[33],
                        const uint8_t *participants, size_t n)
{
    ASSERT(book && participants && n > 0);
    struct book_musig *musig = ARRAY_ADD(&book->musigs);
    *musig = (struct book_musig){.participants = participants, .n = n};
    memcpy(musig->aggregate, aggregate, sizeof musig->aggregate);
}

const struct book_key *key_book_find(const struct key_book *book, struct span pubkey)
{
    ASSERT(book);
    uint8_t hash[20];
    hash160(pubkey, hash);
    return key_book_find_hash(book, span_of(hash, sizeof hash));
}

const struct book_key *key_book_find_hash(const struct key_book *book, struct span hash)
{
    ASSERT(book && hash.len == 20);
    if (book->n_slots == 0)
        return NULL;
    uint32_t number = *slot_of(book, hash.p);
    return number ? &book->keys.at[number - 1] : NULL;
}

const struct book_key *key_book_find_x(const struct key_book *book, const uint8_t x[32])
{
    ASSERT(book && x);
    uint8_t pubkey[33] = {2};
    memcpy(pubkey + 1, x, 32);
    const struct book_key *key = key_book_find(book, span_of(pubkey, sizeof pubkey));
    pubkey[0] = 3;
    return key ? key : key_book_find(book, span_of(pubkey, sizeof pubkey));
}

const struct book_script *key_book_find_script(const struct key_book *book, struct span hash)
{
    ASSERT(book);
    for (size_t i = 0; i < book->scripts.n; i++) {
        const struct book_script *script = &book->scripts.at[i];
        if (span_equal(hash, span_of(script->hash160, 20)) ||
            span_equal(hash, span_of(script->sha256, 32)))
            return script;
    }
    return NULL;
}

const struct book_tap *key_book_find_tap(const struct key_book *book, const uint8_t output[32])
{
    ASSERT(book && output);
    for (size_t i = 0; i < book->taps.n; i++) {
        if (memcmp(book->taps.at[i].output, output, 32) == 0)
            return &book->taps.at[i];
    }
    return NULL;
}
