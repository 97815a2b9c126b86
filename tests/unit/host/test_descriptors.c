/* test_descriptors.c - what connections get of few descriptors, at both sides of each limit. */
#include "host/descriptors.h"
#include "p2p/p2p.h"
#include "support/unit.h"

TEST(the_node_comes_first_then_peers_then_clients)
{
    static const struct {
        size_t limit;
        int wanted, p2p;
        size_t rpc;
        bool ok;
    } rows[] = {
        {DESCRIPTORS_LEAST - 1, 125, 125, DESCRIPTORS_RPC_MAX, false},
        {DESCRIPTORS_LEAST, 125, 0, 8, true},
        {DESCRIPTORS_LEAST, 0, 0, 8, true},
        {256, 125, 125, 75, true}, /* of 200 that are left */
        {256, 150, 134, 66, true}, /* a third for clients */
        {48 + 8 + 125 + 768, 125, 125, 768, true},
        {48 + 8 + 125 + 767, 125, 125, 767, true},
        {8192, 4000, 4000, 768, true},
        {8192, 1000000, 7368, 768, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct descriptors got;
        bool ok = descriptors_share(rows[i].limit, rows[i].wanted, &got);
        if (ok != rows[i].ok || got.p2p != rows[i].p2p || got.rpc != rows[i].rpc)
            fail_msg("row %zu: %d, %d peers, %zu clients", i, ok, got.p2p, got.rpc);
    }
}

/* Whatever is wished, what is shared out is there. */
TEST(no_more_is_shared_out_than_there_is)
{
    for (size_t limit = DESCRIPTORS_LEAST; limit < 3000; limit += 7) {
        for (int wanted = 0; wanted < 3000; wanted += 111) {
            struct descriptors got;
            assert_true(descriptors_share(limit, wanted, &got));
            assert_true(got.p2p >= 0 && got.p2p <= wanted);
            assert_true(got.rpc >= DESCRIPTORS_RPC_MIN && got.rpc <= DESCRIPTORS_RPC_MAX);
            size_t all = DESCRIPTORS_CORE + P2P_MANUAL_MAX + (size_t)got.p2p + got.rpc;
            assert_true(all <= limit);
        }
    }
}
