/* test_config_rpc.c - where RPC listens and whom it lets in, as the options say. */
#include "config_world.h"

FIXTURE(setup, teardown)

TEST(rpc_binds_may_be_names_and_may_repeat, struct world *w)
{
    ASSERT_OK(w, "-regtest", "-rpcallowip=10.0.0.0/8", "-rpcbind=127.0.0.1", "-rpcbind=127.0.0.1",
              "-rpcbind=::", "-rpcbind=127.0.0.1:5");
    assert_int_equal(w->config.n_rpc_binds, 4);
    assert_string_equal(w->config.rpc_binds[1].host, "0.0.0.0");
    assert_string_equal(w->config.rpc_binds[2].host, "::");
    assert_int_equal(w->config.rpc_binds[3].port, 5);
    ASSERT_OK(w, "-regtest", "-rpcallowip=10.0.0.0/8", "-rpcbind=localhost");
    assert_true(w->config.n_rpc_binds >= 1);
    assert_true(strcmp(w->config.rpc_binds[0].host, "127.0.0.1") == 0 ||
                strcmp(w->config.rpc_binds[0].host, "::1") == 0);
    /* One that is not known is the server's to fail at: another may do. */
    ASSERT_OK(w, "-regtest", "-rpcallowip=10.0.0.0/8", "-rpcbind=no.such.name.invalid",
              "-rpcbind=127.0.0.1");
    assert_int_equal(w->config.n_rpc_binds, 2);
}

TEST(rpc_is_bound_elsewhere_only_for_somebody, struct world *w)
{
    ASSERT_OK(w, "-rpcbind=0.0.0.0:99");
    assert_int_equal(w->config.n_rpc_binds, 2);
    assert_string_equal(w->config.rpc_binds[0].host, "127.0.0.1");
    assert_true(w->config.options.messages.n > 0);
    ASSERT_OK(w, "-rpcbind=0.0.0.0:99", "-rpcbind=[::]", "-rpcallowip=10.0.0.0/8");
    assert_int_equal(w->config.n_rpc_binds, 3);
    assert_string_equal(w->config.rpc_binds[0].host, "0.0.0.0");
    assert_int_equal(w->config.rpc_binds[0].port, 99);
    assert_string_equal(w->config.rpc_binds[1].host, "0.0.0.0"); /* "::" is for both families */
    assert_string_equal(w->config.rpc_binds[2].host, "::");
    assert_int_equal(w->config.rpc_binds[2].port, 8332);
    assert_int_equal(w->config.n_rpc_allowed, 1);
    assert_true(subnet_contains(&w->config.rpc_allowed[0], "10.1.2.3"));
    assert_false(init(w, "-rpcbind=0.0.0.0:0", "-rpcallowip=10.0.0.0/8", NULL));
}

TEST(there_is_no_cookie_beside_a_password, struct world *w)
{
    ASSERT_OK(w, "-rpcuser=u", "-rpcpassword=p");
    assert_null(w->config.cookie_path);
    ASSERT_OK(w, "-norpccookiefile");
    assert_null(w->config.cookie_path);
    ASSERT_OK(w, "-rpccookiefile=/run/x", "-rpccookieperms=group");
    assert_string_equal(w->config.cookie_path, "/run/x");
    assert_int_equal(w->config.cookie_mode, 0640);
}

TEST(the_dashboard_is_on_where_blocks_are_made_at_will, struct world *w)
{
    ASSERT_OK(w, "-regtest");
    assert_string_equal(w->config.ui_address, "http://127.0.0.1:18443");
    assert_null(w->config.ui_mesh_path);
    ASSERT_OK(w, "-regtest", "-ui=0", "-uimesh=map.json");
    assert_null(w->config.ui_address);
    ASSERT_OK(w, "-signet", "-uimesh=/map.json");
    assert_null(w->config.ui_address);
    ASSERT_OK(w, "-signet", "-ui", "-uimesh=/map.json");
    assert_string_equal(w->config.ui_mesh_path, "/map.json");
    ASSERT_OK(w, "-ui");
    assert_string_equal(w->config.ui_address, "http://127.0.0.1:8332");
    assert_false(init(w, "-ui", "-uimesh=map.json", NULL));
}

/* An address that a browser of this machine reaches, if there is one. */
TEST(the_dashboard_is_where_rpc_listens, struct world *w)
{
    ASSERT_OK(w, "-ui", "-rpcallowip=10.0.0.0/8", "-rpcbind=10.1.2.3", "-rpcbind=[::1]:77");
    assert_string_equal(w->config.ui_address, "http://[::1]:77");
    ASSERT_OK(w, "-ui", "-rpcallowip=10.0.0.0/8", "-rpcbind=10.1.2.3");
    assert_string_equal(w->config.ui_address, "http://10.1.2.3:8332");
    ASSERT_OK(w, "-ui", "-rpcallowip=10.0.0.0/8", "-rpcbind=0.0.0.0:78");
    assert_string_equal(w->config.ui_address, "http://127.0.0.1:78");
}
