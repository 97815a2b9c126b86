/* test_addr_cache.c - answers to getaddr by where one came in, for a time, bounded in number. */
#include "p2p/addr/addr_cache.h"
#include "support/unit.h"
#include "util/alloc.h"

static struct net_address local_of(unsigned i)
{
    uint8_t bytes[] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
    return net_address_of_ipv4(bytes, 8333);
}

/* The answer for who comes in at the i-th address; made if it is not there, until then. */
static struct addr_cache *get(struct addr_caches *caches, uint8_t network, unsigned i,
                              int64_t now_us, int64_t until_us)
{
    struct net_address local = local_of(i);
    struct addr_cache *cache = addr_caches_get(caches, network, &local, now_us);
    if (!cache->list) {
        assert_int_equal(cache->n, 0);
        cache->list = xcalloc(1, sizeof *cache->list);
        cache->n = 1;
        cache->until_us = until_us;
    }
    return cache;
}

TEST(an_answer_belongs_to_a_network_and_an_address_of_ours)
{
    struct addr_caches caches = {0};
    struct addr_cache *first = get(&caches, NET_IPV4, 1, 0, 100);
    const struct net_peer_address *list = first->list;
    assert_ptr_equal(get(&caches, NET_IPV4, 1, 99, 500)->list, list);
    assert_ptr_not_equal(get(&caches, NET_TORV3, 1, 99, 100)->list, list);
    assert_ptr_not_equal(get(&caches, NET_IPV4, 2, 99, 100)->list, list);
    struct net_address port = local_of(1);
    port.port++;
    assert_null(addr_caches_get(&caches, NET_IPV4, &port, 99)->list);
    assert_int_equal(caches.n, 4);
    /* In time, another one. */
    struct net_address local = local_of(1);
    assert_null(addr_caches_get(&caches, NET_IPV4, &local, 100)->list);
    assert_int_equal(caches.n, 4);
    addr_caches_clear(&caches);
    assert_int_equal(caches.n, 0);
}

TEST(beyond_the_limit_one_answer_is_shared)
{
    struct addr_caches caches = {0};
    const struct net_peer_address *lists[ADDR_CACHES_MAX + 3];
    for (unsigned i = 0; i < ADDR_CACHES_MAX + 3; i++)
        lists[i] = get(&caches, NET_IPV4, i, 0, 100 + i)->list;
    assert_int_equal(caches.n, ADDR_CACHES_MAX);
    for (unsigned i = 0; i < ADDR_CACHES_MAX + 3; i++) {
        assert_ptr_equal(get(&caches, NET_IPV4, i, 99, 0)->list, lists[i]);
        assert_int_equal(lists[i] == lists[ADDR_CACHES_MAX - 1], i >= ADDR_CACHES_MAX - 1);
    }
    /* A place whose time is over is taken by whom there was none for. */
    assert_ptr_not_equal(get(&caches, NET_IPV4, ADDR_CACHES_MAX, 100, 1000)->list,
                         lists[ADDR_CACHES_MAX - 1]);
    assert_ptr_equal(get(&caches, NET_IPV4, ADDR_CACHES_MAX + 1, 100, 0)->list,
                     lists[ADDR_CACHES_MAX - 1]);
    assert_int_equal(caches.n, ADDR_CACHES_MAX);
    addr_caches_clear(&caches);
}
