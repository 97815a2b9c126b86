/* overlay.c - see overlay.h.
 *
 * An entry is one coin, in the table from the first layer that changes it until no layer in flight
 * has; a change of a layer points to its entry and keeps what was there before. Layers are numbered
 * as they come, so a number tells whether what was before is still in flight or committed. */
#include "chain/coins/overlay.h"

#include "util/alloc.h"

#define OVERLAY_CAPACITY_MIN 256
#define OVERLAY_ARENA_BYTES  (16 << 10) /* blocks of little: a node that rests keeps one */
#define LAYER_CAPACITY_MIN   64
/* A table of so many slots for each change is emptied as a whole: at the tip, where one block at a
 * time is in flight, not during a download. */
#define CLEAR_SLOTS_A_CHANGE 16
/* First where a coin's slot is noted, then the slot. In changes. */
#define PREFETCH_INDEX_AHEAD 16
#define PREFETCH_SLOT_AHEAD  8

/* The newest state of one coin that a block in flight has touched. Its address stays: changes of
 * layers point to it. */
struct overlay_entry {
    struct outpoint outpoint;
    const struct coin *coin; /* NULL: spent */
    uint64_t hash;
    uint64_t layer; /* of the newest change */
    struct overlay_entry *next_free;
    uint32_t change; /* index of that change in its layer */
};

void overlay_init(struct overlay *overlay)
{
    *overlay = (struct overlay){0};
    arena_init(&overlay->arena, OVERLAY_ARENA_BYTES);
}

void overlay_deinit(struct overlay *overlay)
{
    ASSERT(overlay->count == 0);
    xfree(overlay->slots);
    arena_deinit(&overlay->arena);
}

void overlay_layer_init(struct overlay_layer *layer, uint64_t id)
{
    ASSERT(id != 0);
    *layer = (struct overlay_layer){.id = id};
}

void overlay_layer_deinit(struct overlay_layer *layer)
{
    ASSERT(layer->n == 0);
    xfree(layer->changes);
    layer->changes = NULL;
}

void overlay_prefetch(const struct overlay *overlay, uint64_t hash)
{
    if (overlay->capacity)
        __builtin_prefetch(&overlay->slots[hash & (overlay->capacity - 1)]);
}

/* The slot that holds outpoint, or the free one where it belongs. */
static size_t find_slot(const struct overlay *overlay, const struct outpoint *outpoint,
                        uint64_t hash)
{
    size_t mask = overlay->capacity - 1;
    size_t at = hash & mask;
    while (overlay->slots[at] && (overlay->slots[at]->hash != hash ||
                                  !outpoint_equal(&overlay->slots[at]->outpoint, outpoint)))
        at = (at + 1) & mask;
    return at;
}

static void grow(struct overlay *overlay)
{
    struct overlay_entry **old = overlay->slots;
    size_t old_capacity = overlay->capacity;
    overlay->capacity = old_capacity ? old_capacity * 2 : OVERLAY_CAPACITY_MIN;
    overlay->slots = xcalloc(overlay->capacity, sizeof(struct overlay_entry *));
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i])
            overlay->slots[find_slot(overlay, &old[i]->outpoint, old[i]->hash)] = old[i];
    xfree(old);
}

/* Close the gap at a removed slot: entries behind it move back where their probe allows. */
static void remove_slot(struct overlay *overlay, size_t at)
{
    size_t mask = overlay->capacity - 1;
    size_t gap = at;
    for (;;) {
        at = (at + 1) & mask;
        struct overlay_entry *entry = overlay->slots[at];
        if (!entry)
            break;
        size_t home = entry->hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            overlay->slots[gap] = entry;
            gap = at;
        }
    }
    overlay->slots[gap] = NULL;
}

/* No layer in flight knows the coin any more: from now on the coins are asked. */
static void remove_entry(struct overlay *overlay, struct overlay_entry *entry)
{
    size_t at = find_slot(overlay, &entry->outpoint, entry->hash);
    ASSERT(overlay->slots[at] == entry);
    remove_slot(overlay, at);
    entry->next_free = overlay->free_entries;
    overlay->free_entries = entry;
    overlay->count--;
}

enum overlay_found overlay_find(const struct overlay *overlay, const struct outpoint *outpoint,
                                uint64_t hash, const struct coin **coin)
{
    if (overlay->count == 0)
        return OVERLAY_UNTOUCHED;
    const struct overlay_entry *entry = overlay->slots[find_slot(overlay, outpoint, hash)];
    if (!entry)
        return OVERLAY_UNTOUCHED;
    *coin = entry->coin;
    return entry->coin ? OVERLAY_UNSPENT : OVERLAY_SPENT;
}

static struct overlay_entry *new_entry(struct overlay *overlay, const struct outpoint *outpoint,
                                       uint64_t hash)
{
    struct overlay_entry *entry = overlay->free_entries;
    if (entry)
        overlay->free_entries = entry->next_free;
    else
        entry = arena_alloc(&overlay->arena, sizeof *entry);
    *entry = (struct overlay_entry){.outpoint = *outpoint, .hash = hash};
    return entry;
}

/* Note in layer that it is about to change entry. Returns the change, which is a new one unless
 * the same block has changed the coin before. */
static struct overlay_change *note_change(struct overlay_layer *layer, struct overlay_entry *entry,
                                          bool *is_first)
{
    *is_first = entry->layer != layer->id;
    if (!*is_first)
        return &layer->changes[entry->change];
    if (layer->n == layer->capacity) {
        layer->capacity = layer->capacity ? layer->capacity * 2 : LAYER_CAPACITY_MIN;
        layer->changes = xrealloc(layer->changes, layer->capacity, sizeof *layer->changes);
    }
    ASSERT(entry->layer < layer->id);
    struct overlay_change *change = &layer->changes[layer->n];
    *change = (struct overlay_change){
        .entry = entry, .before = entry->coin, .before_layer = entry->layer};
    entry->layer = layer->id;
    entry->change = (uint32_t)layer->n++;
    return change;
}

/* Set the newest state of a coin: coin, or NULL for spent. */
static void set(struct overlay *overlay, struct overlay_layer *layer,
                const struct outpoint *outpoint, uint64_t hash, const struct coin *coin,
                bool may_exist)
{
    if ((overlay->count + 1) * 4 > overlay->capacity * 3)
        grow(overlay);
    size_t at = find_slot(overlay, outpoint, hash);
    struct overlay_entry *entry = overlay->slots[at];
    if (!entry) {
        entry = new_entry(overlay, outpoint, hash);
        overlay->slots[at] = entry;
        overlay->count++;
    }
    bool is_first;
    struct overlay_change *change = note_change(layer, entry, &is_first);
    if (is_first)
        change->created = coin != NULL;
    else if (coin && !change->created)
        may_exist = true; /* the block spends a coin and creates one of the same name */
    change->may_exist |= may_exist;
    change->after = coin;
    entry->coin = coin;
}

void overlay_add(struct overlay *overlay, struct overlay_layer *newest,
                 const struct outpoint *outpoint, uint64_t hash, const struct coin *coin,
                 bool may_exist)
{
    ASSERT(coin);
    set(overlay, newest, outpoint, hash, coin, may_exist);
}

void overlay_spend(struct overlay *overlay, struct overlay_layer *newest,
                   const struct outpoint *outpoint, uint64_t hash)
{
    set(overlay, newest, outpoint, hash, NULL, false);
}

void overlay_drop(struct overlay *overlay, struct overlay_layer *newest)
{
    for (size_t i = newest->n; i-- > 0;) {
        const struct overlay_change *change = &newest->changes[i];
        struct overlay_entry *entry = change->entry;
        ASSERT(entry->layer == newest->id);
        entry->coin = change->before;
        entry->layer = change->before_layer;
        if (entry->layer <= overlay->committed)
            remove_entry(overlay, entry); /* the coins know */
    }
    newest->n = 0;
}

/* What the commit of a change will touch, which may be anywhere. */
static void prefetch_change(const struct overlay *overlay, const struct coins *coins,
                            const struct overlay_layer *layer, size_t i)
{
    if (i + PREFETCH_INDEX_AHEAD < layer->n) {
        uint64_t hash = layer->changes[i + PREFETCH_INDEX_AHEAD].entry->hash;
        overlay_prefetch(overlay, hash);
        coins_prefetch_index(coins, hash);
    }
    if (i + PREFETCH_SLOT_AHEAD < layer->n)
        coins_prefetch_slot(coins, layer->changes[i + PREFETCH_SLOT_AHEAD].entry->hash);
}

/* Are the changes of the layer all that the overlay knows of? Each change has an entry of its own,
 * so it is enough to count; and no block in flight has come later, or one may have changed a coin
 * of them again. A table much larger than its entries is not worth clearing. */
static bool has_all_entries(const struct overlay *overlay, const struct overlay_layer *layer)
{
    if (overlay->count != layer->n || overlay->capacity > CLEAR_SLOTS_A_CHANGE * layer->n)
        return false;
    for (size_t i = 0; i < layer->n; i++)
        if (layer->changes[i].entry->layer != layer->id)
            return false;
    return true;
}

/* Every entry is one of the layer's: the table is emptied at once. */
static void clear_entries(struct overlay *overlay, const struct overlay_layer *layer)
{
    if (overlay->capacity > 0) /* else there is no table yet */
        memset(overlay->slots, 0, overlay->capacity * sizeof(struct overlay_entry *));
    for (size_t i = 0; i < layer->n; i++) {
        struct overlay_entry *entry = layer->changes[i].entry;
        entry->next_free = overlay->free_entries;
        overlay->free_entries = entry;
    }
    overlay->count = 0;
}

void overlay_commit(struct overlay *overlay, struct overlay_layer *oldest, struct coins *coins)
{
    ASSERT(oldest->id > overlay->committed);
    overlay->committed = oldest->id;
    bool is_all = has_all_entries(overlay, oldest);
    for (size_t i = 0; i < oldest->n; i++) {
        const struct overlay_change *change = &oldest->changes[i];
        struct overlay_entry *entry = change->entry;
        ASSERT(change->before_layer < oldest->id);
        prefetch_change(overlay, coins, oldest, i);
        if (change->after)
            coins_add(coins, &entry->outpoint, entry->hash, change->after, change->may_exist);
        else if (!change->created || change->may_exist) /* else it came and went within the block */
            coins_spend(coins, &entry->outpoint, entry->hash);
        if (entry->layer == oldest->id && !is_all)
            remove_entry(overlay, entry);
    }
    if (is_all)
        clear_entries(overlay, oldest);
    oldest->n = 0;
}
