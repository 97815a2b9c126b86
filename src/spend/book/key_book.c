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
    ARRAY_FREE(&book->scripts);
    ARRAY_FREE(&book->taps);
    xfree(book->key_slots.at);
    xfree(book->x_slots.at);
    xfree(book->script_slots.at);
    xfree(book->tap_slots.at);
    ARRAY_FREE(&book->musigs);
}

/* -- Slots ------------------------------------------------------------------------------------ */

/* The hash under which entry number i is found. */
typedef struct span hash_of_fn(const struct key_book *book, size_t i);

static struct span hash_of_key(const struct key_book *book, size_t i)
{
    return span_of(book->keys.at[i].hash, 20);
}

static struct span x_hash_of_key(const struct key_book *book, size_t i)
{
    return span_of(book->keys.at[i].x_hash, 20);
}

/* Each script has two entries. */
static struct span hash_of_script(const struct key_book *book, size_t i)
{
    const struct book_script *script = &book->scripts.at[i / 2];
    return i % 2 ? span_of(script->sha256, 32) : span_of(script->hash160, 20);
}

static struct span hash_of_tap(const struct key_book *book, size_t i)
{
    return span_of(book->taps.at[i].output, 32);
}

/* Where an entry of that hash is, or would be. A descriptor's range may have a million. */
static uint32_t *slot_of(const struct key_book *book, const struct book_slots *slots,
                         hash_of_fn *hash_of, struct span hash)
{
    ASSERT(hash.len >= sizeof(uint64_t) && slots->n > 0);
    uint64_t start;
    memcpy(&start, hash.p, sizeof start);
    size_t at = (size_t)start & (slots->n - 1);
    while (slots->at[at] && !span_equal(hash_of(book, slots->at[at] - 1), hash))
        at = (at + 1) & (slots->n - 1);
    return &slots->at[at];
}

/* Have room for n entries; the first n_old are there. */
static void make_slots(const struct key_book *book, struct book_slots *slots, hash_of_fn *hash_of,
                       size_t n_old, size_t n)
{
    if (slots->n > 2 * n)
        return;
    xfree(slots->at);
    slots->n = slots->n > 0 ? 2 * slots->n : SLOTS_MIN;
    slots->at = xcalloc(slots->n, sizeof *slots->at);
    for (size_t i = 0; i < n_old; i++) {
        uint32_t *slot = slot_of(book, slots, hash_of, hash_of(book, i));
        *slot = *slot ? *slot : (uint32_t)i + 1;
    }
}

/* The number of the first entry of a hash, plus one; 0: none. */
static uint32_t find(const struct key_book *book, const struct book_slots *slots,
                     hash_of_fn *hash_of, struct span hash)
{
    return slots->n > 0 ? *slot_of(book, slots, hash_of, hash) : 0;
}

/* Entry number i is new: it is found, unless one before it has its hash. */
static void add_slot(const struct key_book *book, struct book_slots *slots, hash_of_fn *hash_of,
                     size_t i)
{
    make_slots(book, slots, hash_of, i, i + 1);
    uint32_t *slot = slot_of(book, slots, hash_of, hash_of(book, i));
    *slot = *slot ? *slot : (uint32_t)i + 1;
}

/* -- Added ------------------------------------------------------------------------------------ */

/* The entry of a key, a new one if it has none. */
static struct book_key *entry_of(struct key_book *book, struct span pubkey)
{
    ASSERT(pubkey.len == 33 || pubkey.len == 65);
    struct book_key key = {.len = (uint8_t)pubkey.len};
    memcpy(key.pubkey, pubkey.p, pubkey.len);
    hash160(pubkey, key.hash);
    uint32_t number = find(book, &book->key_slots, hash_of_key, span_of(key.hash, 20));
    if (number > 0)
        return &book->keys.at[number - 1];
    hash160(span_of(key.pubkey + 1, 32), key.x_hash);
    *ARRAY_ADD(&book->keys) = key;
    add_slot(book, &book->key_slots, hash_of_key, book->keys.n - 1);
    add_slot(book, &book->x_slots, x_hash_of_key, book->keys.n - 1);
    return &book->keys.at[book->keys.n - 1];
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
    add_slot(book, &book->script_slots, hash_of_script, 2 * book->scripts.n - 2);
    add_slot(book, &book->script_slots, hash_of_script, 2 * book->scripts.n - 1);
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
    add_slot(book, &book->tap_slots, hash_of_tap, book->taps.n - 1);
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
    uint32_t number = find(book, &book->key_slots, hash_of_key, hash);
    return number ? &book->keys.at[number - 1] : NULL;
}

/* How much is known of a key. */
static int worth(const struct book_key *key)
{
    return 2 * key->has_secret + key->has_origin;
}

const struct book_key *key_book_find_x(const struct key_book *book, const uint8_t x[32])
{
    ASSERT(book && x);
    const struct book_key *best = NULL;
    uint8_t pubkey[33];
    memcpy(pubkey + 1, x, 32);
    for (pubkey[0] = 2; pubkey[0] <= 3; pubkey[0]++) {
        const struct book_key *key = key_book_find(book, span_of(pubkey, sizeof pubkey));
        if (!best || (key && worth(key) > worth(best)))
            best = key;
    }
    return best;
}

const struct book_key *key_book_find_x_hash(const struct key_book *book, struct span hash)
{
    ASSERT(book && hash.len == 20);
    uint32_t number = find(book, &book->x_slots, x_hash_of_key, hash);
    return number ? &book->keys.at[number - 1] : NULL;
}

const struct book_script *key_book_find_script(const struct key_book *book, struct span hash)
{
    ASSERT(book);
    uint32_t number = find(book, &book->script_slots, hash_of_script, hash);
    return number ? &book->scripts.at[(number - 1) / 2] : NULL;
}

const struct book_tap *key_book_find_tap(const struct key_book *book, const uint8_t output[32])
{
    ASSERT(book && output);
    uint32_t number = find(book, &book->tap_slots, hash_of_tap, span_of(output, 32));
    return number ? &book->taps.at[number - 1] : NULL;
}
