/* coins_table.c - slots in chunks, and an index of groups that are split one after the other.
 *
 * An entry's 18 hash bits give its home within the group, so growing a group and closing gaps read
 * nothing but the entries. Only a split needs the whole hash, which is made again from the slots;
 * that happens once for each doubling of the table. */
#include "chain/coins/coins_table.h"

#include <string.h>

#include "util/alloc.h"
#include "util/endian.h"

enum {
    CHUNK_SLOTS = 1024,
    FIRST_SLOTS = 16, /* the first chunk grows from here, so that small nodes stay small */
    GROUP_BLOCK = 64,
    FIRST_CAPACITY = 8,
    ENTRY_BYTES = 6,
    TAG_BITS = 18,
    HEAP_OVERHEAD_BYTES = 16, /* what malloc adds to an allocation */
};

#define SLOT_BITS     30
#define SLOT_MASK     ((UINT64_C(1) << SLOT_BITS) - 1)
#define VALUE_BITS    51
#define CLASS_SHIFT   51
#define RAW_LEN_SHIFT 54
#define RAW_LEN_LONG  63 /* the script is on the heap */
#define USED          (UINT64_C(1) << 60)
#define FLAGS_SHIFT   61
#define CONTENTS_MASK ((UINT64_C(1) << 60) - 1)

_Static_assert(sizeof(struct coins_slot) == 80, "a coin takes 80 bytes");
_Static_assert(MAX_MONEY_SAT < INT64_C(1) << VALUE_BITS, "values fit");
_Static_assert(COIN_SCRIPT_CLASS_COUNT <= 8, "classes fit");

/* What payload holds of a script that is longer than itself. */
struct long_script {
    uint8_t *p;
    uint32_t len;
};

/* -- slots ------------------------------------------------------------------------------- */

struct coins_slot *coins_table_slot(const struct coins_table *table, uint32_t slot)
{
    VERIFY(slot < table->n_slots);
    return &table->chunks[slot / CHUNK_SLOTS][slot % CHUNK_SLOTS];
}

bool coins_slot_is_used(const struct coins_slot *slot)
{
    return slot->packed & USED;
}

static bool has_long_script(const struct coins_slot *slot)
{
    return (slot->packed >> RAW_LEN_SHIFT & 63) == RAW_LEN_LONG;
}

static struct long_script long_script_of(const struct coins_slot *slot)
{
    struct long_script script;
    memcpy(&script, slot->payload, sizeof script);
    return script;
}

/* Make sure that the chunk of slot number n_slots exists. */
static void make_room_for_slot(struct coins_table *table)
{
    uint32_t chunk = table->n_slots / CHUNK_SLOTS;
    ASSERT(table->n_slots < COINS_TABLE_MAX);
    if (chunk < table->n_chunks && (chunk > 0 || table->n_slots < table->first_chunk_slots))
        return;
    if (chunk == table->chunks_capacity) {
        uint32_t capacity = table->chunks_capacity ? 2 * table->chunks_capacity : 1;
        table->chunks = xrealloc(table->chunks, capacity, sizeof *table->chunks);
        memset(table->chunks + table->chunks_capacity, 0,
               (capacity - table->chunks_capacity) * sizeof *table->chunks);
        table->bytes += (capacity - table->chunks_capacity) * sizeof *table->chunks;
        table->chunks_capacity = capacity;
    }
    uint32_t slots = CHUNK_SLOTS, had = 0;
    if (chunk == 0) {
        had = table->first_chunk_slots;
        slots = had ? 2 * had : FIRST_SLOTS;
        table->first_chunk_slots = slots;
    }
    table->chunks[chunk] = xrealloc(table->chunks[chunk], slots, sizeof(struct coins_slot));
    table->bytes += (slots - had) * sizeof(struct coins_slot);
    if (had == 0) {
        table->bytes += HEAP_OVERHEAD_BYTES;
        table->n_chunks++;
    }
}

static uint32_t take_slot(struct coins_table *table)
{
    if (table->free_slot == COINS_SLOT_NONE) {
        make_room_for_slot(table);
        return table->n_slots++;
    }
    uint32_t slot = table->free_slot;
    table->free_slot = load_le32(coins_table_slot(table, slot)->payload);
    return slot;
}

/* Before a slot gets another script or none. The rest of it stays as it was: the caller overwrites
 * the length, or a second call would free the script again. */
static void release_long_script(struct coins_table *table, struct coins_slot *slot)
{
    if (!has_long_script(slot))
        return;
    struct long_script script = long_script_of(slot);
    table->bytes -= script.len + HEAP_OVERHEAD_BYTES;
    table->n_long_scripts--;
    xfree(script.p);
}

void coins_table_set_flags(struct coins_table *table, struct coins_slot *slot, unsigned flags)
{
    table->n_dirty += flags & COINS_DIRTY;
    table->n_dirty -= coins_slot_flags(slot) & COINS_DIRTY;
    slot->packed = (slot->packed & (CONTENTS_MASK | USED)) | (uint64_t)flags << FLAGS_SHIFT;
}

void coins_table_clear_coin(struct coins_table *table, struct coins_slot *slot)
{
    release_long_script(table, slot);
    slot->packed &= ~CONTENTS_MASK;
    slot->height_code = 0;
}

void coins_table_set_coin(struct coins_table *table, struct coins_slot *slot,
                          const struct coin *coin)
{
    ASSERT(coin->value_sat >= 0 && coin->value_sat <= MAX_MONEY_SAT);
    ASSERT(coin->height <= COIN_HEIGHT_MAX);
    struct span payload;
    enum coin_script_class class = coin_script_classify(coin->script_pubkey, &payload);
    uint64_t raw_len = class == COIN_SCRIPT_RAW ? payload.len : 0;
    release_long_script(table, slot);
    if (payload.len > sizeof slot->payload) {
        ASSERT(payload.len <= UINT32_MAX);
        raw_len = RAW_LEN_LONG;
        struct long_script script = {.p = xmemdup(payload.p, payload.len),
                                     .len = (uint32_t)payload.len};
        memcpy(slot->payload, &script, sizeof script);
        table->bytes += script.len + HEAP_OVERHEAD_BYTES;
        table->n_long_scripts++;
    } else if (payload.len) {
        memcpy(slot->payload, payload.p, payload.len);
    }
    slot->height_code = coin->height * 2 + coin->coinbase;
    slot->packed = (slot->packed & ~CONTENTS_MASK) | (uint64_t)coin->value_sat |
                   (uint64_t) class << CLASS_SHIFT | raw_len << RAW_LEN_SHIFT;
}

struct coin coins_slot_coin(const struct coins_slot *slot,
                            uint8_t script_out[COIN_SCRIPT_EXPANDED_MAX])
{
    struct coin coin = {
        .value_sat = (int64_t)(slot->packed & ((UINT64_C(1) << VALUE_BITS) - 1)),
        .height = slot->height_code / 2,
        .coinbase = slot->height_code % 2,
    };
    enum coin_script_class class = (enum coin_script_class)(slot->packed >> CLASS_SHIFT & 7);
    if (class != COIN_SCRIPT_RAW) {
        size_t len = coin_script_expand(class, slot->payload, script_out);
        coin.script_pubkey = span_of(script_out, len);
    } else if (has_long_script(slot)) {
        struct long_script script = long_script_of(slot);
        coin.script_pubkey = span_of(script.p, script.len);
    } else {
        coin.script_pubkey = span_of(slot->payload, slot->packed >> RAW_LEN_SHIFT & 63);
    }
    return coin;
}

/* -- index ---------------------------------------------------------------------------------- */

static uint64_t load_entry(const struct coins_group *group, uint32_t at)
{
    const uint8_t *p = group->entries + (size_t)at * ENTRY_BYTES;
    return load_le32(p) | (uint64_t)load_le16(p + 4) << 32;
}

static void store_entry(struct coins_group *group, uint32_t at, uint64_t entry)
{
    uint8_t *p = group->entries + (size_t)at * ENTRY_BYTES;
    store_le32(p, (uint32_t)entry);
    store_le16(p + 4, (uint16_t)(entry >> 32));
}

/* 0 is a free entry, so slots are counted from 1. */
static uint64_t entry_of(uint32_t slot, uint64_t hash)
{
    return (slot + 1) | hash >> (64 - TAG_BITS) << SLOT_BITS;
}

static uint32_t slot_of(uint64_t entry)
{
    return (uint32_t)(entry & SLOT_MASK) - 1;
}

/* Where an entry would like to be: its hash bits, scaled to the capacity. */
static uint32_t home_of(const struct coins_group *group, uint64_t entry)
{
    return (uint32_t)((entry >> SLOT_BITS) * group->capacity >> TAG_BITS);
}

static uint32_t next_at(const struct coins_group *group, uint32_t at)
{
    return at + 1 == group->capacity ? 0 : at + 1;
}

/* Linear hashing: groups 0 .. n-1, of which those that this round has not yet split answer for
 * their other half too. */
static uint32_t group_number(uint32_t n_groups, uint64_t hash)
{
    uint32_t round = UINT32_C(1) << (31 - __builtin_clz(n_groups));
    uint32_t number = (uint32_t)hash & (2 * round - 1);
    return number < n_groups ? number : number & (round - 1);
}

static struct coins_group *group_at(const struct coins_table *table, uint32_t number)
{
    return &table->group_blocks[number / GROUP_BLOCK][number % GROUP_BLOCK];
}

static struct coins_group *group_of(const struct coins_table *table, uint64_t hash)
{
    return group_at(table, group_number(table->n_groups, hash));
}

/* Put an entry into the first free place from its home on. There must be one, or this never ends:
 * group_add() sees to it. */
static void group_place(struct coins_group *group, uint64_t entry)
{
    uint32_t at = home_of(group, entry);
    while (load_entry(group, at))
        at = next_at(group, at);
    store_entry(group, at, entry);
    group->count++;
}

static size_t entries_bytes(uint32_t capacity)
{
    return capacity ? (size_t)capacity * ENTRY_BYTES + HEAP_OVERHEAD_BYTES : 0;
}

/* Give group an empty array of capacity entries; the caller frees the old one. */
static void group_renew(struct coins_table *table, struct coins_group *group, uint32_t capacity)
{
    ASSERT(capacity <= UINT16_MAX);
    table->bytes += entries_bytes(capacity);
    table->bytes -= entries_bytes(group->capacity);
    group->entries = xcalloc(capacity, ENTRY_BYTES);
    group->capacity = (uint16_t)capacity;
    group->count = 0;
}

/* By a fifth rather than twice: groups are small, so that moving one is cheap, and what all of them
 * have free is what a coin costs beyond its slot. */
static void group_grow(struct coins_table *table, struct coins_group *group)
{
    struct coins_group old = *group;
    group_renew(table, group, old.capacity ? old.capacity + old.capacity / 5u + 4 : FIRST_CAPACITY);
    for (uint32_t at = 0; at < old.capacity; at++) {
        uint64_t entry = load_entry(&old, at);
        if (entry)
            group_place(group, entry);
    }
    table->moved += old.count;
    xfree(old.entries);
}

static void group_add(struct coins_table *table, struct coins_group *group, uint64_t entry)
{
    if ((group->count + 1u) * 8 > group->capacity * 7u)
        group_grow(table, group);
    group_place(group, entry);
}

/* Close the gap at `gap`, as hash_map.c does. */
static void group_remove(struct coins_group *group, uint32_t gap)
{
    uint32_t capacity = group->capacity;
    for (uint32_t at = next_at(group, gap);; at = next_at(group, at)) {
        uint64_t entry = load_entry(group, at);
        if (!entry)
            break;
        uint32_t home = home_of(group, entry);
        uint32_t from_home = at >= home ? at - home : at + capacity - home;
        uint32_t from_gap = at >= gap ? at - gap : at + capacity - gap;
        if (from_home >= from_gap) {
            store_entry(group, gap, entry);
            gap = at;
        }
    }
    store_entry(group, gap, 0);
    group->count--;
}

/* An empty group at the end. Groups come in blocks, which never move: pointers to them stay good
 * while a split makes another one. */
static uint32_t add_group(struct coins_table *table)
{
    uint32_t number = table->n_groups, block = number / GROUP_BLOCK;
    if (number % GROUP_BLOCK == 0) {
        if (block == table->group_blocks_capacity) {
            uint32_t capacity = block ? 2 * block : 1;
            table->group_blocks =
                xrealloc(table->group_blocks, capacity, sizeof *table->group_blocks);
            table->bytes += (capacity - block) * sizeof *table->group_blocks;
            table->group_blocks_capacity = capacity;
        }
        table->group_blocks[block] = xcalloc(GROUP_BLOCK, sizeof(struct coins_group));
        table->bytes += GROUP_BLOCK * sizeof(struct coins_group) + HEAP_OVERHEAD_BYTES;
    }
    table->n_groups++;
    return number;
}

/* Move those entries of the next group in turn to a new group whose coins now belong there. */
static void split_group(struct coins_table *table)
{
    uint32_t number = add_group(table);
    uint32_t round = UINT32_C(1) << (31 - __builtin_clz(number));
    struct coins_group *low = group_at(table, number - round), *high = group_at(table, number);
    struct coins_group old = *low;
    for (uint32_t at = 0; at < old.capacity; at++) {
        uint64_t entry = load_entry(&old, at);
        if (entry)
            __builtin_prefetch(coins_table_slot(table, slot_of(entry)));
    }
    /* Sized for a half each; group_add() grows the one that gets more. */
    uint32_t capacity = old.count / 2u * 5 / 4 + FIRST_CAPACITY;
    group_renew(table, low, capacity);
    group_renew(table, high, capacity);
    for (uint32_t at = 0; at < old.capacity; at++) {
        uint64_t entry = load_entry(&old, at);
        if (!entry)
            continue;
        const struct outpoint *o = &coins_table_slot(table, slot_of(entry))->outpoint;
        uint64_t hash = siphash13_id(table->key, o->txid.b, o->vout);
        bool goes_high = group_number(table->n_groups, hash) == number;
        group_add(table, goes_high ? high : low, entry);
    }
    table->moved += old.count;
    xfree(old.entries);
}

/* -- the table ------------------------------------------------------------------------------- */

void coins_table_init(struct coins_table *table, struct siphash_key key)
{
    *table = (struct coins_table){.key = key, .free_slot = COINS_SLOT_NONE};
}

/* The whole index goes in one step, before the slots: nothing can be found afterwards. */
static void free_index(struct coins_table *table)
{
    for (uint32_t i = 0; i < table->n_groups; i++) {
        table->bytes -= entries_bytes(group_at(table, i)->capacity);
        xfree(group_at(table, i)->entries);
    }
    for (uint32_t i = 0; i < table->n_groups; i += GROUP_BLOCK) {
        table->bytes -= GROUP_BLOCK * sizeof(struct coins_group) + HEAP_OVERHEAD_BYTES;
        xfree(table->group_blocks[i / GROUP_BLOCK]);
    }
    table->bytes -= table->group_blocks_capacity * sizeof *table->group_blocks;
    table->group_blocks_capacity = 0;
    xfree(table->group_blocks);
    table->group_blocks = NULL;
    table->n_groups = 0;
}

/* Free the last chunk, with the long scripts in it. */
static void free_last_chunk(struct coins_table *table)
{
    uint32_t chunk = --table->n_chunks, first = chunk * CHUNK_SLOTS;
    for (uint32_t i = first; i < table->n_slots && table->n_long_scripts > 0; i++) {
        struct coins_slot *slot = coins_table_slot(table, i);
        if (coins_slot_is_used(slot))
            release_long_script(table, slot);
    }
    uint32_t slots = chunk ? CHUNK_SLOTS : table->first_chunk_slots;
    table->bytes -= slots * sizeof(struct coins_slot) + HEAP_OVERHEAD_BYTES;
    table->n_slots = MIN_OF(table->n_slots, first);
    xfree(table->chunks[chunk]);
    table->chunks[chunk] = NULL;
}

bool coins_table_free_some(struct coins_table *table)
{
    if (table->n_groups > 0)
        free_index(table);
    else if (table->n_chunks > 0)
        free_last_chunk(table);
    if (table->n_chunks > 0)
        return true;
    table->bytes -= table->chunks_capacity * sizeof *table->chunks;
    ASSERT(table->bytes == 0);
    xfree(table->chunks);
    coins_table_init(table, table->key);
    return false;
}

void coins_table_deinit(struct coins_table *table)
{
    while (coins_table_free_some(table))
        ;
}

static bool slot_is_for(const struct coins_slot *slot, const struct outpoint *outpoint)
{
    return outpoint_equal(&slot->outpoint, outpoint);
}

uint32_t coins_table_find(const struct coins_table *table, const struct outpoint *outpoint,
                          uint64_t hash)
{
    if (table->n_groups == 0)
        return COINS_SLOT_NONE;
    const struct coins_group *group = group_of(table, hash);
    if (group->count == 0)
        return COINS_SLOT_NONE;
    uint64_t wanted = entry_of(0, hash) >> SLOT_BITS;
    for (uint32_t at = home_of(group, wanted << SLOT_BITS);; at = next_at(group, at)) {
        uint64_t entry = load_entry(group, at);
        if (!entry)
            return COINS_SLOT_NONE;
        if (entry >> SLOT_BITS == wanted &&
            slot_is_for(coins_table_slot(table, slot_of(entry)), outpoint))
            return slot_of(entry);
    }
}

uint32_t coins_table_insert(struct coins_table *table, const struct outpoint *outpoint,
                            uint64_t hash)
{
    VERIFY(hash == siphash13_id(table->key, outpoint->txid.b, outpoint->vout));
    VERIFY(coins_table_find(table, outpoint, hash) == COINS_SLOT_NONE);
    if (table->n_groups == 0)
        add_group(table);
    else if (table->count >= table->n_groups * (size_t)COINS_GROUP_MEAN)
        split_group(table);
    uint32_t number = take_slot(table);
    struct coins_slot *slot = coins_table_slot(table, number);
    slot->outpoint = *outpoint;
    slot->height_code = 0;
    slot->packed = USED;
    group_add(table, group_of(table, hash), entry_of(number, hash));
    table->count++;
    return number;
}

/* Take a slot out of the index and give back what it holds. */
static void forget(struct coins_table *table, uint32_t number, uint64_t hash)
{
    struct coins_slot *slot = coins_table_slot(table, number);
    struct coins_group *group = group_of(table, hash);
    uint64_t entry = entry_of(number, hash);
    uint32_t at = home_of(group, entry);
    while (load_entry(group, at) != entry) {
        ASSERT(load_entry(group, at)); /* else hash is not that slot's */
        at = next_at(group, at);
    }
    group_remove(group, at);
    release_long_script(table, slot);
    coins_table_set_flags(table, slot, 0);
    slot->packed = 0;
    table->count--;
}

void coins_table_erase(struct coins_table *table, uint32_t slot, uint64_t hash)
{
    forget(table, slot, hash);
    store_le32(coins_table_slot(table, slot)->payload, table->free_slot);
    table->free_slot = slot;
}

bool coins_table_drop_last(struct coins_table *table)
{
    if (table->n_slots == 0)
        return false;
    uint32_t last = table->n_slots - 1;
    struct coins_slot *slot = coins_table_slot(table, last);
    if (coins_slot_is_used(slot))
        forget(table, last, siphash13_id(table->key, slot->outpoint.txid.b, slot->outpoint.vout));
    table->n_slots = last;
    if (last % CHUNK_SLOTS == 0)
        free_last_chunk(table);
    return true;
}

void coins_table_prefetch_index(const struct coins_table *table, uint64_t hash)
{
    if (table->n_groups == 0)
        return;
    const struct coins_group *group = group_of(table, hash);
    size_t at = home_of(group, entry_of(0, hash));
    __builtin_prefetch(group->entries + at * ENTRY_BYTES);
}

void coins_table_prefetch_slot(const struct coins_table *table, uint64_t hash)
{
    if (table->n_groups == 0 || group_of(table, hash)->count == 0)
        return;
    const struct coins_group *group = group_of(table, hash);
    uint64_t wanted = entry_of(0, hash);
    for (uint32_t at = home_of(group, wanted);; at = next_at(group, at)) {
        uint64_t entry = load_entry(group, at);
        if (!entry)
            return;
        if (entry >> SLOT_BITS != wanted >> SLOT_BITS)
            continue;
        const struct coins_slot *slot = coins_table_slot(table, slot_of(entry));
        __builtin_prefetch(slot);
        __builtin_prefetch(slot->payload + sizeof slot->payload - 1); /* it may span two lines */
        return;
    }
}
