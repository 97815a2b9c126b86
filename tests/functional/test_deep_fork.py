"""A better chain that forks far below the tip is completed, by work and not by count."""
import time

import chain
import framework
import p2p
from framework import equal, wait_until

OTHER_ADDRESS = chain.segwit_address(bytes(20))


def mine(node, n, address):
    """n blocks, a few hundred a call."""
    for at in range(0, n, 500):
        tip = node.rpc.generatetoaddress(min(500, n - at), address)[-1]
    return tip


def two_chains(context, depth, more):
    """Two nodes that never met, and what the better one's tip is."""
    one, two = (p2p.node(context, "-debug=0", name=name) for name in ("one", "two"))
    mine(one, depth, chain.TRUE_ADDRESS)
    return one, two, mine(two, depth + more, OTHER_ADDRESS)


def finish(one, two, tip, start, depth):
    one.wait_tip(tip, 60 + depth / 20)
    print(f"a fork of {depth} blocks: on the better chain after {time.monotonic() - start:.1f} s")
    tips = one.rpc.getchaintips()
    equal([t["status"] for t in tips if t["hash"] == tip], ["active"])
    equal([t["branchlen"] for t in tips if t["status"] != "active"], [depth])
    equal(one.coins(), two.coins())
    one.stop()
    two.stop()


def run(context, depth, more=50):
    one, two, tip = two_chains(context, depth, more)
    start = time.monotonic()
    one.rpc.addnode(two.p2p, "add")
    finish(one, two, tip, start, depth)


def test_a_fork_just_within_the_window_is_completed(context):
    run(context, 1023)


def test_a_fork_as_deep_as_the_window_is_completed(context):
    run(context, 1024, 1)


def test_a_fork_of_1100_blocks_is_completed(context):
    run(context, 1100)


def test_a_fork_of_many_thousand_blocks_is_completed_across_restarts(context):
    """Each time that a quarter of the blocks is there, the node starts anew; once it is killed."""
    depth = 20000 if context.soak else 5000
    one, two, tip = two_chains(context, depth, 60)
    start = time.monotonic()
    for part in range(1, 4):
        one.rpc.addnode(two.p2p, "onetry")
        framework.wait_until(lambda: stored(one, two, depth * part // 4), 300, "a quarter")
        if part == 2:
            one.kill()
            one.start()
        else:
            one.restart()
        equal(one.rpc.getblockcount() in (depth, depth + 60), True)
    one.rpc.addnode(two.p2p, "add")
    finish(one, two, tip, start, depth)


def stored(one, two, height):
    """One has two's block at that height."""
    try:
        one.rpc.getblock(two.rpc.getblockhash(height), 0)
    except framework.RpcError:
        return False
    return True


def test_a_shallow_fork_whose_first_blocks_carry_little_work_is_completed(context):
    """On regtest all blocks weigh the same, so the little work is that of 1,100 blocks beside
    one chain of 1,300, which only the last hundred of 1,400 outweigh."""
    one, two = (p2p.node(context, "-debug=0", name=name) for name in ("one", "two"))
    shared = mine(two, 150, chain.TRUE_ADDRESS)
    one.rpc.addnode(two.p2p, "onetry")
    one.wait_tip(shared, 60)
    one.rpc.setnetworkactive(False)
    wait_until(lambda: one.rpc.getconnectioncount() == 0, 20, "alone")
    mine(one, 1300, chain.TRUE_ADDRESS)
    tip = mine(two, 1400, OTHER_ADDRESS)
    one.rpc.setnetworkactive(True)
    start = time.monotonic()
    one.rpc.addnode(two.p2p, "add")
    finish(one, two, tip, start, 1300)


if __name__ == "__main__":
    framework.main(globals())
