/* known_by.c - see known_by.h. */
#include "p2p/core/known_by.h"

#include "util/alloc.h"

#define SLOTS_FIRST 64
#define WORD_PEERS  64 /* places of a word */

void known_by_init(struct known_by *known, struct siphash_key key, size_t n_max)
{
    ASSERT(known && n_max > 0);
    *known = (struct known_by){.key = key, .n_max = n_max};
}

void known_by_deinit(struct known_by *known)
{
    ASSERT(known);
    xfree(known->young.at);
    xfree(known->old.at);
    known->young = known->old = (struct known_by_rows){0};
    ARRAY_FREE(&known->places);
}

/* -- Rows ------------------------------------------------------------------------------------- */

/* Where the hash is, or the free row where it belongs. */
static uint64_t *find(const struct known_by_rows *rows, size_t n_words, uint64_t hash)
{
    ASSERT(rows->count < rows->slots);
    size_t at = (size_t)hash & (rows->slots - 1);
    uint64_t *row;
    while ((row = rows->at + at * (1 + n_words))[0] != 0 && row[0] != hash)
        at = (at + 1) & (rows->slots - 1);
    return row;
}

/* The same rows in another table, whose rows have as many words or more. */
static void rebuild(struct known_by_rows *rows, size_t slots, size_t n_words, size_t n_words_new)
{
    struct known_by_rows old = *rows;
    ASSERT(old.count < slots && n_words <= n_words_new);
    rows->slots = slots;
    rows->at = xcalloc(slots, (1 + n_words_new) * sizeof *rows->at);
    for (size_t i = 0; i < old.slots; i++) {
        const uint64_t *row = old.at + i * (1 + n_words);
        if (row[0] != 0)
            memcpy(find(rows, n_words_new, row[0]), row, (1 + n_words) * sizeof *row);
    }
    xfree(old.at);
}

static bool has_in(const struct known_by *known, const struct known_by_rows *rows, size_t place,
                   uint64_t hash)
{
    if (rows->slots == 0)
        return false;
    const uint64_t *row = find(rows, known->places.n, hash);
    return row[0] != 0 && (row[1 + place / WORD_PEERS] >> place % WORD_PEERS & 1);
}

/* -- Places ----------------------------------------------------------------------------------- */

static void add_word(struct known_by *known)
{
    size_t n_words = known->places.n;
    if (known->young.slots > 0)
        rebuild(&known->young, known->young.slots, n_words, n_words + 1);
    if (known->old.slots > 0)
        rebuild(&known->old, known->old.slots, n_words, n_words + 1);
    *ARRAY_ADD(&known->places) = 0;
}

size_t known_by_join(struct known_by *known)
{
    ASSERT(known);
    size_t word = 0;
    while (word < known->places.n && known->places.at[word] == UINT64_MAX)
        word++;
    if (word == known->places.n)
        add_word(known);
    size_t bit = 0;
    while (known->places.at[word] >> bit & 1)
        bit++;
    known->places.at[word] |= UINT64_C(1) << bit;
    return word * WORD_PEERS + bit;
}

static void clear_place(const struct known_by_rows *rows, size_t n_words, size_t place)
{
    for (size_t i = 0; i < rows->slots; i++)
        rows->at[i * (1 + n_words) + 1 + place / WORD_PEERS] &=
            ~(UINT64_C(1) << place % WORD_PEERS);
}

void known_by_leave(struct known_by *known, size_t place)
{
    ASSERT(known && place / WORD_PEERS < known->places.n);
    uint64_t *word = &known->places.at[place / WORD_PEERS];
    uint64_t bit = UINT64_C(1) << place % WORD_PEERS;
    ASSERT(*word & bit);
    *word &= ~bit;
    clear_place(&known->young, known->places.n, place);
    clear_place(&known->old, known->places.n, place);
}

/* -- Ids -------------------------------------------------------------------------------------- */

uint64_t known_by_hash(const struct known_by *known, const uint8_t id[32])
{
    uint64_t hash = siphash13_id(known->key, id, 0);
    return hash ? hash : 1;
}

bool known_by_has_hash(const struct known_by *known, size_t place, uint64_t hash)
{
    ASSERT(hash != 0 && place / WORD_PEERS < known->places.n);
    return has_in(known, &known->young, place, hash) || has_in(known, &known->old, place, hash);
}

bool known_by_has(const struct known_by *known, size_t place, const uint8_t id[32])
{
    ASSERT(known && id);
    return known_by_has_hash(known, place, known_by_hash(known, id));
}

/* The younger generation becomes the older one. */
static void turn_over(struct known_by *known)
{
    xfree(known->old.at);
    known->old = known->young;
    known->young = (struct known_by_rows){0};
}

/* Two ids with one hash are taken for one: 64 bits under a key that peers do not know, so that none
 * can be made to look like another on purpose. */
void known_by_add(struct known_by *known, size_t place, const uint8_t id[32])
{
    ASSERT(known && place / WORD_PEERS < known->places.n && known->young.count <= known->n_max);
    struct known_by_rows *rows = &known->young;
    size_t n_words = known->places.n;
    uint64_t hash = known_by_hash(known, id);
    uint64_t *row = rows->slots > 0 ? find(rows, n_words, hash) : NULL;
    if (!row || row[0] == 0) {
        if (rows->count == known->n_max)
            turn_over(known);
        if (4 * (rows->count + 1) > 3 * rows->slots)
            rebuild(rows, rows->slots ? 2 * rows->slots : SLOTS_FIRST, n_words, n_words);
        row = find(rows, n_words, hash);
        row[0] = hash;
        rows->count++;
    }
    row[1 + place / WORD_PEERS] |= UINT64_C(1) << place % WORD_PEERS;
}
