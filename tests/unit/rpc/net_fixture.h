/* net_fixture.h - a server for calls that sees a fake network. */
#ifndef TESTS_UNIT_RPC_NET_FIXTURE_H
#define TESTS_UNIT_RPC_NET_FIXTURE_H

#include "support/net_fake.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

struct net_rig {
    struct rpc_rig rpc;
    struct net_fake fake;
};

static inline void net_rig_init(struct net_rig *rig)
{
    rpc_rig_init(&rig->rpc, NULL, NULL);
    net_fake_init(&rig->fake);
    rig->rpc.node.net = &rig->fake.view;
}

static inline void net_rig_deinit(struct net_rig *rig)
{
    rpc_rig_deinit(&rig->rpc);
}

#endif
