/* coins_table.h - coins in memory: at most 90 bytes each, growth a little at a time.
 *
 * Layer: chain. Slots of 80 bytes lie in chunks and are named by number. The index is a set of
 * small groups of 6-byte entries (slot number and 18 bits of the hash); a group that fills up is
 * grown by a fifth, and one group is split in two (linear hashing) for every so many coins added.
 * No operation touches more than two groups, however large the table is. See
 * doc/decisions/0030-coins-table.md. */
#ifndef CHAIN_COINS_COINS_TABLE_H
#define CHAIN_COINS_COINS_TABLE_H

#include "chain/coins/coin.h"
#include "crypto/siphash.h"

#define COINS_SLOT_NONE UINT32_MAX
#define COINS_TABLE_MAX ((UINT32_C(1) << 30) - 2) /* slots that an index entry can name */
#define COINS_GROUP_MEAN                                                                           \
    160 /* coins per group, on average at most; none has many more than twice */

enum coins_flag {
    COINS_DIRTY = 1, /* differs from the level below */
    COINS_FRESH = 2, /* no level below has it unspent: forget it when it is spent */
    COINS_TOMB = 4,  /* spent; hides what the level below has */
};

struct coins_slot {
    struct outpoint outpoint;
    uint32_t height_code; /* height * 2 + coinbase; 0 in a tombstone */
    uint64_t packed;      /* value 51 bits, class 3, raw length 6, used 1, flags 3 */
    uint8_t payload[32];  /* of the script; or where it is kept, if longer; free: the next one */
};

/* A part of the index, with linear probing inside. At most 7 of 8 entries are in use. */
struct coins_group {
    uint8_t *entries;         /* owned; of 6 bytes, all zero: free. NULL while capacity is 0 */
    uint16_t capacity, count; /* entries; in use */
};

struct coins_table {
    struct siphash_key key; /* of the hashes: secret, since strangers choose txids (hazard 63) */
    struct coins_slot **chunks;         /* of 1,024 slots, the first of first_chunk_slots */
    uint32_t n_chunks, chunks_capacity; /* made; that chunks has room for */
    uint32_t n_slots;                   /* in use or free, from 0 */
    uint32_t first_chunk_slots;
    uint32_t free_slot;                /* head of the list, or COINS_SLOT_NONE */
    uint32_t count;                    /* in use, tombstones too */
    uint32_t n_dirty;                  /* of them: what a flush has to write */
    uint32_t n_long_scripts;           /* on the heap, so that freeing knows when to stop looking */
    struct coins_group **group_blocks; /* of COINS_GROUP_BLOCK groups each */
    uint32_t n_groups, group_blocks_capacity;
    size_t bytes;   /* all memory */
    uint64_t moved; /* index entries moved so far, for tests */
};

/* key must be the one that the callers' hashes are made with: siphash13_id(). */
void coins_table_init(struct coins_table *table, struct siphash_key key);
/* Free all of it at once, which takes long for a large table: see coins_table_free_some(). It is
 * empty and usable then. */
void coins_table_deinit(struct coins_table *table);

/* The slot of an outpoint (a tombstone too), or COINS_SLOT_NONE. */
uint32_t coins_table_find(const struct coins_table *table, const struct outpoint *outpoint,
                          uint64_t hash);
/* Add an outpoint that is not in the table. Its slot has no flags and value 0. Slots' pointers, and
 * scripts borrowed from them, are void afterwards. */
uint32_t coins_table_insert(struct coins_table *table, const struct outpoint *outpoint,
                            uint64_t hash);
/* Take a coin out of the table, with its script; its slot is given to one that comes later.
 *
 * In:  hash  of the outpoint in that slot (asserted) */
void coins_table_erase(struct coins_table *table, uint32_t slot, uint64_t hash);

/* What a slot holds. The first chunk may move when a coin is inserted; other slots stay. */
struct coins_slot *coins_table_slot(const struct coins_table *table, uint32_t slot);
/* Does it hold a coin or a tombstone? If not it is in the list of free ones, and nothing else of it
 * means anything. */
bool coins_slot_is_used(const struct coins_slot *slot);
/* Its flags, of enum coins_flag. */
static inline unsigned coins_slot_flags(const struct coins_slot *slot)
{
    return (unsigned)(slot->packed >> 61);
}

/* Set the flags of a slot (all of them). */
void coins_table_set_flags(struct coins_table *table, struct coins_slot *slot, unsigned flags);
/* Store a coin in a slot (copied), or make it a tombstone's empty one. Flags stay. */
void coins_table_set_coin(struct coins_table *table, struct coins_slot *slot,
                          const struct coin *coin);
/* Take the coin out of a slot, which stays with its outpoint: for a tombstone. Flags stay. */
void coins_table_clear_coin(struct coins_table *table, struct coins_slot *slot);
/* The coin in a slot. Its script is expanded into script_out, or borrowed from the slot. */
struct coin coins_slot_coin(const struct coins_slot *slot,
                            uint8_t script_out[COIN_SCRIPT_EXPANDED_MAX]);

/* Hints for the processor, see coins.h: fetch the index entry of a hash. Nothing is read. */
void coins_table_prefetch_index(const struct coins_table *table, uint64_t hash);
/* The second step: fetch the slot that the index names. Reads the index, so only once that has had
 * time to arrive. */
void coins_table_prefetch_slot(const struct coins_table *table, uint64_t hash);

/* Take the table apart, last slot first: drop the last slot, whatever it holds. No insert or erase
 * may follow; finding still works. False if the table is empty. */
bool coins_table_drop_last(struct coins_table *table);
/* Free about a chunk of a table that nobody will look at again. False when nothing is left. */
bool coins_table_free_some(struct coins_table *table);

#endif
