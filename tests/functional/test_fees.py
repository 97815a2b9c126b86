"""Fee estimates: learnt from blocks, kept over a restart, never below what is let in."""
import os
import time

import chain
import framework
from framework import equal, rpc_fails, wait_until
from test_mempool import coin_of, funded, pay, send

FEE = 5000
PER_BLOCK = 30
BLOCKS = 7
HOUR = 3600
UNKNOWN = "Insufficient data or no feerate found"


def teach(node, coin, fee=FEE):
    """Blocks of transactions that were mined at once. Returns their rate in satoshi for 1,000
    bytes."""
    many = pay(coin, PER_BLOCK * BLOCKS, fee=100 * FEE)
    send(node, many)
    node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)
    for block in range(BLOCKS):
        for i in range(PER_BLOCK):
            tx = pay(coin_of(many, block * PER_BLOCK + i), fee=fee)
            send(node, tx)
        vsize = node.rpc.getmempoolentry(chain.display(tx.txid()))["vsize"]
        node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)
    equal(node.rpc.getrawmempool(), [])
    return fee * 1000 // vsize


def file_of(node):
    return node.path("fees", "block_policy_estimates.dat")


def feerate(sat):
    return round(sat / chain.COIN, 8)


def estimate(node, target, mode="economical"):
    """By what was mined alone: what waits here, nothing, would say less."""
    return node.rpc.estimatesmartfee(target, mode, {"fee_rate_estimator": "block_policy"})


def test_what_blocks_took_is_what_to_pay(context):
    node, coins = funded(context)
    equal(node.rpc.estimatesmartfee(6), {"errors": [UNKNOWN], "blocks": 0})
    rate = feerate(teach(node, coins[0]))
    # The block that made the coins taught too: eight blocks are seen, half of the seven steps
    # between them is the furthest target.
    equal(estimate(node, 1), {"feerate": rate, "blocks": 2})
    equal(estimate(node, 100, "conservative"), {"feerate": rate, "blocks": 3})
    raw = node.rpc.estimaterawfee(2)
    equal(list(raw), ["short", "medium", "long"])
    equal(list(raw["short"]), ["feerate", "decay", "scale", "pass", "fail"])
    equal(list(raw["short"]["pass"]), ["startrange", "endrange", "withintarget", "totalconfirmed",
                                       "inmempool", "leftmempool"])
    equal(raw["medium"]["feerate"], rate)
    equal(list(node.rpc.estimaterawfee(13)), ["medium", "long"])


def test_estimates_live_on_for_a_while(context):
    node, coins = funded(context)
    rate = feerate(teach(node, coins[0]))
    node.restart()
    equal(estimate(node, 2)["feerate"], rate)
    # Nothing was learnt: the same is written.
    with open(file_of(node), "rb") as f:
        before = f.read()
    node.restart()
    with open(file_of(node), "rb") as f:
        equal(f.read(), before)
    node.stop()
    old = time.time() - 61 * HOUR
    os.utime(file_of(node), (old, old))
    node.start()
    equal(estimate(node, 2)["errors"], [UNKNOWN])
    node.stop()  # which writes what it has: nothing
    with open(file_of(node), "wb") as f:
        f.write(before)
    os.utime(file_of(node), (old, old))
    node.start("-acceptstalefeeestimates")
    equal(estimate(node, 2)["feerate"], rate)


def test_the_file_is_written_each_hour_and_damage_is_survived(context):
    node, coins = funded(context)
    teach(node, coins[0])
    equal(os.path.exists(file_of(node)), False)
    node.rpc.mockscheduler(HOUR)
    wait_until(lambda: os.path.exists(file_of(node)))
    node.stop()
    with open(file_of(node), "r+b") as f:
        f.truncate(1000)
    node.start()
    equal(estimate(node, 2)["errors"], [UNKNOWN])


def test_no_estimate_is_below_what_is_let_in(context):
    node, coins = funded(context)
    teach(node, coins[0])
    node.restart("-minrelaytxfee=0.001")
    equal(node.rpc.estimatesmartfee(2)["feerate"], 0.001)


def test_a_fallback_is_told_on_test_chains(context):
    node = context.started("-fallbackestimate=0.0002")
    equal(node.rpc.estimatesmartfee(6), {"feerate": 0.0002, "blocks": 0})


def test_who_asks_for_no_transactions_estimates_nothing(context):
    node = context.started("-blocksonly")
    rpc_fails(-32603, "Fee estimation disabled", node.rpc.estimatesmartfee, 2)
    rpc_fails(-32603, "Fee estimation disabled", node.rpc.estimaterawfee, 2)


if __name__ == "__main__":
    framework.main(globals())
