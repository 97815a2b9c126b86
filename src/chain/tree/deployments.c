/* deployments.c - see deployments.h. */
#include "chain/tree/deployments.h"

#include "chain/tree/node_view.h"
#include "util/alloc.h"

/* A state that was worked out. It follows from the blocks up to node alone, so it holds for ever,
 * whichever branch is the active one. BIP-9, State transitions */
struct remembered {
    const void *node; /* NULL: the first period */
    enum bip9_deployment deployment;
    enum bip9_state state;
};

void deployments_init(struct deployments *deployments)
{
    hash_map_init(&deployments->states);
}

void deployments_deinit(struct deployments *deployments)
{
    struct remembered *entry;
    size_t at = 0;
    while ((entry = hash_map_next(&deployments->states, &at)))
        xfree(entry);
    hash_map_deinit(&deployments->states);
}

/* Addresses of nodes are ours: mixing their bits is enough. */
static uint64_t hash_entry(const void *node, enum bip9_deployment deployment)
{
    uint64_t x = (uint64_t)(uintptr_t)node + (uint64_t)deployment;
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return x ^ x >> 33;
}

static bool is_same(const void *value, const void *key)
{
    const struct remembered *a = value, *b = key;
    return a->node == b->node && a->deployment == b->deployment;
}

static bool get(void *ctx, enum bip9_deployment deployment, const void *node,
                enum bip9_state *state)
{
    const struct deployments *deployments = ctx;
    struct remembered key = {.node = node, .deployment = deployment};
    const struct remembered *entry =
        hash_map_find(&deployments->states, hash_entry(node, deployment), is_same, &key);
    if (entry)
        *state = entry->state;
    return entry != NULL;
}

static void put(void *ctx, enum bip9_deployment deployment, const void *node, enum bip9_state state)
{
    struct deployments *deployments = ctx;
    enum bip9_state known;
    if (get(ctx, deployment, node, &known)) {
        ASSERT(known == state);
        return;
    }
    struct remembered *entry = xmalloc(sizeof *entry);
    *entry = (struct remembered){.node = node, .deployment = deployment, .state = state};
    hash_map_insert(&deployments->states, hash_entry(node, deployment), entry);
}

struct versionbits_cache deployments_cache(struct deployments *deployments)
{
    return (struct versionbits_cache){.ctx = deployments, .get = get, .put = put};
}

enum bip9_state deployments_state(struct deployments *deployments, const struct network *network,
                                  const struct block_node *prev, enum bip9_deployment deployment)
{
    struct versionbits_cache cache = deployments_cache(deployments);
    return versionbits_state(network, deployment, block_node_view(), prev, &cache);
}
