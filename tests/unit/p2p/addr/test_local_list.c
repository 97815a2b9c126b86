/* test_local_list.c - a host is ours as long as one of its sources says so. */
#include "p2p/addr/local_list.h"

#include "support/unit.h"

static struct net_address host(uint8_t n, uint16_t port)
{
    return net_address_of_ipv4((const uint8_t[]){8, 8, 8, n}, port);
}

TEST(a_host_is_there_once_at_the_port_of_its_best_source)
{
    struct local_list list = {.n = 0};
    struct net_address mapped = host(1, 1000), named = host(1, 2000), seen = host(1, 3000);
    assert_true(local_list_add(&list, LOCAL_MAPPED, &mapped));
    assert_true(local_list_has(&list, &mapped));
    assert_int_equal(local_score(&list.at[0]), 3);
    assert_true(local_list_add(&list, LOCAL_MANUAL, &named));
    assert_true(local_list_add(&list, LOCAL_INTERFACE, &seen));
    assert_int_equal(list.n, 1);
    assert_true(local_list_has(&list, &named));
    assert_false(local_list_has(&list, &mapped));
    assert_int_equal(local_score(&list.at[0]), 4);
    local_list_remove(&list, LOCAL_MANUAL, &named);
    assert_true(local_list_has(&list, &mapped));
    mapped.port = 1001;
    assert_true(local_list_add(&list, LOCAL_MAPPED, &mapped)); /* it gives another one */
    assert_true(local_list_has(&list, &mapped));
    assert_int_equal(list.n, 1);
}

TEST(what_the_user_names_does_not_go_with_a_service)
{
    struct local_list list = {.n = 0};
    struct net_address first = host(1, 1000), second = host(2, 1000), other = host(3, 1000);
    (void)local_list_add(&list, LOCAL_MANUAL, &first);
    (void)local_list_add(&list, LOCAL_SERVICE, &first);
    (void)local_list_add(&list, LOCAL_SERVICE, &second);
    local_list_remove(&list, LOCAL_SERVICE, &other); /* it is not there */
    local_list_remove(&list, LOCAL_SERVICE, &first);
    assert_int_equal(list.n, 2);
    local_list_remove(&list, LOCAL_SERVICE, &second);
    assert_int_equal(list.n, 1);
    assert_true(local_list_has(&list, &first));
    local_list_remove(&list, LOCAL_MANUAL, &first);
    assert_int_equal(list.n, 0);
}

TEST(hosts_have_a_limit)
{
    struct local_list list = {.n = 0};
    struct net_address address;
    for (uint8_t i = 0; i < LOCAL_LIST_MAX; i++) {
        address = host(i, 1000);
        assert_true(local_list_add(&list, LOCAL_INTERFACE, &address));
    }
    address = host(LOCAL_LIST_MAX, 1000);
    assert_false(local_list_add(&list, LOCAL_MANUAL, &address));
    address = host(7, 2000);
    assert_true(local_list_add(&list, LOCAL_MANUAL, &address));
    assert_int_equal(list.n, LOCAL_LIST_MAX);
    address = host(0, 1000);
    local_list_remove(&list, LOCAL_INTERFACE, &address);
    address = host(LOCAL_LIST_MAX, 1000);
    assert_true(local_list_add(&list, LOCAL_INTERFACE, &address));
    assert_true(local_list_has(&list, &address));
}
