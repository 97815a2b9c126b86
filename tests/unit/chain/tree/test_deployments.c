/* test_deployments.c - remembered states of deployments agree with computed ones. */
#include "chain/tree/deployments.h"
#include "chain/tree/node_view.h"
#include "support/unit.h"

#define NODES 1000

TEST(a_remembered_state_is_the_computed_one)
{
    struct header_tree tree;
    struct deployments deployments;
    static struct block_node *node[NODES];
    struct network network = *network_get(NETWORK_REGTEST);
    network.bip9[BIP9_TESTDUMMY] = (struct bip9_params){
        .bit = 28, .start_time = 1000, .timeout = BIP9_NO_TIMEOUT, .period = 144, .threshold = 108};
    header_tree_init(&tree, (struct siphash_key){1, 2});
    deployments_init(&deployments);
    for (uint32_t i = 0; i < NODES; i++) {
        struct block_header header = {.version = 0x30000000, .time = 900 + i, .bits = 0x207fffff};
        struct block_hash hash = {{(uint8_t)(i + 1), (uint8_t)(i >> 8), 1}};
        if (i > 0)
            header.prev = node[i - 1]->hash;
        node[i] = header_tree_add(&tree, &header, &hash);
    }
    struct versionbits_cache cache = deployments_cache(&deployments);
    bool seen[BIP9_STATE_COUNT] = {false};
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < NODES; i++) {
            enum bip9_state with =
                versionbits_state(&network, BIP9_TESTDUMMY, block_node_view(), node[i], &cache);
            enum bip9_state without =
                versionbits_state(&network, BIP9_TESTDUMMY, block_node_view(), node[i], NULL);
            assert_int_equal(with, without);
            seen[with] = true;
        }
    assert_true(seen[BIP9_STATE_DEFINED] && seen[BIP9_STATE_STARTED] &&
                seen[BIP9_STATE_LOCKED_IN] && seen[BIP9_STATE_ACTIVE]);
    /* One memory a period, not one a block. */
    assert_true(deployments.states.count <= NODES / 144 + 2);
    deployments_deinit(&deployments);
    header_tree_deinit(&tree);
}
