"""A flood of transactions at the lowest fee against -maxmempool: the mempool says what it takes and
keeps its size, and the process grows no more than a little beyond it (hazard 81, fault F14)."""
import time

import chain
import framework
import p2p
from framework import equal, wait_until

MEGABYTE = 1_000_000
CAP_SHORT_MB, CAP_SOAK_MB = 20, 300
LEAST_BYTES_EACH = 500  # no entry takes less: so many coins fill it
FAN = 2000
BUFFERS_KB = 2048  # what connections, jobs and RPC may hold beside it
WARM = 500


def fans(context, n_coins):
    """A node with n_coins coins of the same value in its chain. Returns it and those, as (txid,
    index); value of each."""
    cap = CAP_SOAK_MB if context.soak else CAP_SHORT_MB
    # The caches of coins and of checked scripts have limits of their own; beside 300 MB all of the
    # latter may count.
    options = ["-dbcache=450"] if context.soak else ["-dbcache=450", "-maxsigcachesize=1"]
    node = p2p.node(context, f"-maxmempool={cap}", "-debugexclude=net",
                    "-whitelist=noban@127.0.0.1", *options)
    n_fans = -(-n_coins // FAN)
    hashes = node.rpc.generatetoaddress(n_fans + 100, chain.TRUE_ADDRESS)
    value = 12 * chain.COIN // FAN  # also of what coinbases have after two halvings
    coins = []
    for block_hash in hashes[:n_fans]:
        coinbase = chain.wire(node.rpc.getblock(block_hash)["tx"][0])
        tx = chain.spend_true_p2wsh([(coinbase, 0)],
                                    [chain.TxOut(value, chain.TRUE_P2WSH) for _ in range(FAN)])
        node.rpc.sendrawtransaction(tx.encode().hex(), 0)
        txid = tx.txid()
        coins += [(txid, i) for i in range(FAN)]
        if len(coins) % (10 * FAN) == 0:  # as many as a block holds
            node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)
    node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)
    equal(node.rpc.getmempoolinfo()["size"], 0)
    return node, coins, value


def cheapest(coin, value):
    """One input, one output, at 100 sat for 1,000 virtual bytes: those that cost least to send."""
    return chain.spend_true_p2wsh([coin], [chain.TxOut(value - 10, chain.TRUE_P2WSH)]).encode()


def send_all(node, peer, coins, value):
    for start in range(0, len(coins), 5000):
        peer.send_raw(b"".join(p2p.frame("tx", cheapest(coin, value))
                               for coin in coins[start:start + 5000]))
        peer.ping(120)
    info = node.rpc.getmempoolinfo()
    assert info["usage"] <= info["maxmempool"], info
    return info


def test_a_flood_of_cheap_transactions_keeps_within_the_limit(context):
    cap = (CAP_SOAK_MB if context.soak else CAP_SHORT_MB) * MEGABYTE
    node, coins, value = fans(context, cap // LEAST_BYTES_EACH)
    peer = p2p.connect(context, node)
    # What is made once, whatever comes: buffers, pools, the first pages of everything.
    assert send_all(node, peer, coins[:WARM], value)["size"] == WARM
    before_kb = p2p.resident_kb(node.process)
    began = time.monotonic()
    info = send_all(node, peer, coins[WARM:], value)
    wait_until(lambda: node.rpc.getmempoolinfo()["size"] == info["size"], 20, "it to rest")
    grown_kb = p2p.resident_kb(node.process) - before_kb
    print(f"{len(coins)} transactions in {time.monotonic() - began:.1f} s: {info['size']} entries, "
          f"{info['usage']} bytes of {cap} counted, {info['usage'] / info['size']:.0f} each; "
          f"the process grew by {grown_kb} KiB, {grown_kb * 1024 / cap:.3f} of the limit")
    assert cap * 9 // 10 < info["usage"] <= cap, info
    assert info["size"] < len(coins)
    assert info["mempoolminfee"] > info["minrelaytxfee"], info
    if p2p.measures_memory(context):
        assert grown_kb * 1024 <= cap * 115 // 100 + (0 if context.soak else BUFFERS_KB * 1024)
    # Who pays gets in, and is mined first.
    rich = chain.spend_true_p2wsh([coins[-1]], [chain.TxOut(value - 9000, chain.TRUE_P2WSH)])
    txid = node.rpc.sendrawtransaction(rich.encode().hex())
    template = node.rpc.getblocktemplate({"rules": ["segwit"]})
    equal(template["transactions"][0]["txid"], txid)
    usage = node.rpc.getmempoolinfo()["usage"]
    assert usage <= cap, usage
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
